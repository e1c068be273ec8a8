//! `ssh -R` to a host of the agent's own, which serves `url` from the forwarded port.
//!
//! The agent's own ssh configuration is left out (`-F none`): a `ControlMaster` or a forward in it would
//! take the connection out of our hands. The host's key is remembered in a file of ours at the first
//! connection and compared ever after.

use std::ffi::OsString;
use std::path::Path;

use dialer_domain::error::UserError;
use url::Url;

use super::{Finding, Pace, Provider, Start, invalid, trouble};
use crate::tunnel::address::public_address;
use crate::tunnel::find::program_path;
use crate::tunnel::periods::Periods;
use crate::tunnel::program::Program;

const PROGRAM: &str = "ssh";
const KNOWN_HOSTS: &str = "known_hosts";

pub(super) struct Ssh {
    destination: String,
    port: u16,
    key_file: Option<String>,
    remote_port: u16,
    url: Url,
    program: Option<String>,
}

impl Ssh {
    pub(super) fn new(
        destination: &str,
        port: Option<u16>,
        key_file: Option<&str>,
        remote_port: u16,
        url: &str,
        program: Option<&str>,
    ) -> Result<Self, UserError> {
        let destination = destination.trim();
        if destination.is_empty() {
            return Err(invalid("The host is missing. Enter it as user@host."));
        }
        // A leading minus would make it an option, and options of ssh can run programs.
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-@:%[]+".contains(c);
        if destination.starts_with('-') || destination.contains("@-") || !destination.chars().all(allowed) {
            return Err(invalid("The host is not understood. Enter it as user@host."));
        }
        if port == Some(0) || remote_port == 0 {
            return Err(invalid("Port 0 does not exist. Enter a port from 1 to 65535."));
        }
        Ok(Self {
            destination: destination.to_owned(),
            port: port.unwrap_or(22),
            key_file: key_file.map(str::trim).filter(|file| !file.is_empty()).map(str::to_owned),
            remote_port,
            url: public_address(url)?,
            program: program.map(str::to_owned),
        })
    }
}

impl Provider for Ssh {
    fn name(&self) -> &str {
        PROGRAM
    }

    fn pace(&self, periods: &Periods) -> Pace {
        Pace::own(periods)
    }

    fn program(&self, start: &Start<'_>) -> Result<Option<Program>, UserError> {
        let mut arguments: Vec<OsString> = ["-N", "-T", "-F", "none", "-p"].map(Into::into).into();
        arguments.push(self.port.to_string().into());
        if let Some(file) = &self.key_file {
            if !Path::new(file).is_file() {
                return Err(trouble(format!("The key file {file} does not exist. Choose another one.")));
            }
            arguments.extend(["-i".into(), file.into(), "-o".into(), "IdentitiesOnly=yes".into()]);
        }
        let known_hosts = format!("UserKnownHostsFile={}", quoted(&start.folder.join(KNOWN_HOSTS))?);
        for option in [
            "BatchMode=yes",
            "ConnectTimeout=10",
            "ExitOnForwardFailure=yes",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "StrictHostKeyChecking=accept-new",
            known_hosts.as_str(),
            // Says when it is let in.
            "LogLevel=VERBOSE",
        ] {
            arguments.extend(["-o".into(), option.into()]);
        }
        let forward = format!("127.0.0.1:{}:127.0.0.1:{}", self.remote_port, start.local_port);
        arguments.extend(["-R".into(), forward.into(), "--".into(), self.destination.clone().into()]);
        Ok(Some(Program {
            path: program_path(self.program.as_deref(), PROGRAM)?,
            arguments,
            environment: Vec::new(),
        }))
    }

    fn address(&self) -> Option<&Url> {
        Some(&self.url)
    }

    fn read(&self, line: &str) -> Option<Finding> {
        let host = self.destination.rsplit('@').next().unwrap_or_default();
        if line.starts_with("Authenticated to ") {
            return Some(Finding::Connected);
        }
        if line.contains("Host key verification failed") || line.contains("HOST IDENTIFICATION HAS CHANGED") {
            return Some(Finding::Permanent(trouble(format!(
                "{host} does not show the key it showed the first time. If it was set up anew, delete the file \
                 {KNOWN_HOSTS} in the tunnel's folder and try again; if not, somebody may be in between."
            ))));
        }
        if line.contains("Permission denied (") || line.contains("Too many authentication failures") {
            return Some(Finding::Permanent(trouble(format!(
                "{host} does not let this computer in. Its key must be in the host's authorized_keys, and must \
                 need no passphrase or be unlocked in the ssh agent."
            ))));
        }
        let reason = if line.contains("remote port forwarding failed") {
            format!(
                "{host} cannot forward port {}: it is taken there, perhaps by an earlier connection that is \
                 not over yet, or forwarding is not allowed.",
                self.remote_port
            )
        } else if line.contains("Could not resolve hostname") {
            format!("The name {host} is not known. Check it, and the connection to the internet.")
        } else if line.contains("Connection refused") {
            format!(
                "{host} refuses connections to port {}. Check the port, and that ssh runs there.",
                self.port
            )
        } else if ["timed out", "No route to host", "Network is unreachable", "not responding"]
            .iter()
            .any(|words| line.contains(words))
        {
            format!("{host} does not answer. Check that it is on, and the connection to the internet.")
        } else {
            return None;
        };
        Some(Finding::Trouble(trouble(reason)))
    }
}

/// A path as the value of an option: ssh takes it apart at spaces and replaces `%`.
fn quoted(path: &Path) -> Result<String, UserError> {
    let text = path.to_str().filter(|text| !text.contains(['"', '\n', '$']));
    let text = text
        .ok_or_else(|| trouble(format!("ssh cannot work with the folder {}. Rename it.", path.display())))?;
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn ssh(destination: &str) -> Result<Ssh, UserError> {
        Ssh::new(destination, None, None, 8080, "https://phone.example.com", None)
    }

    #[test]
    fn a_destination_cannot_become_an_option() {
        for bad in ["", " ", "-oProxyCommand=x", "user@-oProxyCommand=x", "a b", "a;b", "a\nb", "$(x)"] {
            assert!(ssh(bad).is_err(), "{bad:?}");
        }
        for good in ["user@host.example", "host", "user.name@192.0.2.1", "u@2001:db8::1"] {
            assert!(ssh(good).is_ok(), "{good}");
        }
        assert!(Ssh::new("u@h", Some(0), None, 1, "https://a.example", None).is_err());
        assert!(Ssh::new("u@h", None, None, 0, "https://a.example", None).is_err());
    }

    #[test]
    fn a_path_survives_being_an_option() {
        assert_eq!(quoted(Path::new("/a b/100%")).unwrap(), r#""/a b/100%%""#);
        assert!(quoted(Path::new("/a\"b")).is_err());
    }

    #[test]
    fn what_ssh_says_is_sorted() {
        let ssh = ssh("user@host.example").unwrap();
        for (line, permanent) in [
            ("user@host.example: Permission denied (publickey).", true),
            ("Host key verification failed.", true),
            ("Error: remote port forwarding failed for listen port 8080", false),
            ("ssh: Could not resolve hostname host.example: Name or service not known", false),
            ("ssh: connect to host host.example port 22: Connection refused", false),
            ("Timeout, server host.example not responding.", false),
        ] {
            let found = ssh.read(line).unwrap();
            assert_eq!(matches!(found, Finding::Permanent(_)), permanent, "{line}");
            assert!(format!("{found:?}").contains("host.example"), "{line}");
        }
        let line = r#"Authenticated to host.example ([192.0.2.1]:22) using "publickey"."#;
        assert_eq!(ssh.read(line), Some(Finding::Connected));
        assert_eq!(ssh.read("Warning: Permanently added 'host.example' (ED25519)"), None);
    }
}
