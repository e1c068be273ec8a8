//! The computer that the settings belong to.

use std::fs;

use sha2::{Digest as _, Sha256};

/// What is hashed before the machine's id. The id itself is confidential and never leaves the computer's
/// own files (`machine-id(5)`: applications shall derive an id of their own from it).
const CONTEXT: &[u8] = b"Kennex Dialer: the computer that made these settings\0";
/// systemd's place, and D-Bus's where there is no systemd.
const MACHINE_ID: [&str; 2] = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/// By what a computer is known again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computer {
    /// Its name on the network, for people.
    pub name: String,
    /// A mark that no other computer has, by which settings know that they were copied to another one:
    /// 32 hexadecimal digits, a hash of the machine's id. Absent where there is no such id: on macOS and
    /// Windows, and in many containers. A computer without a mark takes any settings for its own.
    pub mark: Option<String>,
}

impl Computer {
    /// The one the program runs on.
    pub fn this() -> Self {
        let id = MACHINE_ID.iter().find_map(|path| fs::read_to_string(path).ok());
        Self {
            name: gethostname::gethostname().to_string_lossy().into_owned(),
            mark: id.as_deref().and_then(mark_of),
        }
    }
}

/// The mark of the computer with this machine id, which is 32 hexadecimal digits; systemd writes other
/// texts into the file of a system that was never started.
fn mark_of(machine_id: &str) -> Option<String> {
    let id = machine_id.trim();
    if id.len() != 32 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let hash = Sha256::new().chain_update(CONTEXT).chain_update(id.to_ascii_lowercase()).finalize();
    Some(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_computer_has_a_mark_of_its_own_that_does_not_tell_its_id() {
        let id = "0123456789abcdef0123456789abcdef";
        let mark = mark_of(&format!("{id}\n"));
        assert_eq!(
            mark.as_deref(),
            Some("4e1b33bcb2932a47f4d2beb803d9453d"),
            "the same for ever, or settings are lost"
        );
        assert_eq!(mark_of(&id.to_uppercase()), mark);
        assert_ne!(mark_of("1123456789abcdef0123456789abcdef"), mark);
        for none in ["", "\n", "uninitialized\n", "0123456789abcdef"] {
            assert_eq!(mark_of(none), None, "{none:?}");
        }
        assert_eq!(Computer::this(), Computer::this());
    }
}
