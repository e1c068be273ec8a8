//! Which agents of a server have signed in, and for how long: kept so that they are rung after a restart, too.
//!
//! A small file of its own beside the call log. It holds no secret: the tokens themselves are not kept.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use dialer_domain::identity::ClientIdentity;
use serde::{Deserialize, Serialize};

use crate::private_files;
use crate::set_aside::beside;

/// What is put behind the name of the call log.
const ENDING: &str = ".agents.json";

/// Until when each agent's access token is good, in Unix milliseconds.
pub type GoodUntil = BTreeMap<ClientIdentity, i64>;

/// The file.
#[derive(Debug, Clone)]
pub struct SignIns {
    file: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    agents: GoodUntil,
}

impl SignIns {
    /// The file beside the call log `database`.
    pub fn beside(database: &Path) -> Self {
        Self { file: beside(database, ENDING) }
    }

    /// Who has signed in, as last [kept](Self::keep); nobody, where nothing was kept yet. A file that is not what
    /// was written is an error of [`io::ErrorKind::InvalidData`].
    pub fn load(&self) -> io::Result<GoodUntil> {
        match std::fs::read(&self.file) {
            Ok(bytes) => match serde_json::from_slice::<Kept>(&bytes) {
                Ok(kept) => Ok(kept.agents),
                Err(damaged) => Err(io::Error::new(io::ErrorKind::InvalidData, damaged)),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(GoodUntil::new()),
            Err(error) => Err(error),
        }
    }

    /// Keeps who has signed in, in place of what was kept before.
    pub fn keep(&self, agents: GoodUntil) -> io::Result<()> {
        private_files::replace(&self.file, &serde_json::to_vec(&Kept { agents })?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn what_was_kept_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let sign_ins = SignIns::beside(&folder.path().join("calls.sqlite"));
        assert_eq!(sign_ins.load().unwrap(), GoodUntil::new());
        let agents = GoodUntil::from([(ClientIdentity::parse("albert").unwrap(), 1_795_000_000_000)]);
        sign_ins.keep(agents.clone()).unwrap();
        assert_eq!(sign_ins.load().unwrap(), agents);
        sign_ins.keep(GoodUntil::new()).unwrap();
        assert_eq!(sign_ins.load().unwrap(), GoodUntil::new());
    }

    #[test]
    fn a_damaged_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let sign_ins = SignIns::beside(&folder.path().join("calls.sqlite"));
        for text in ["", "{", r#"{"agents":{"not an identity":1}}"#] {
            std::fs::write(folder.path().join("calls.sqlite.agents.json"), text).unwrap();
            assert_eq!(sign_ins.load().unwrap_err().kind(), io::ErrorKind::InvalidData, "{text}");
        }
    }
}
