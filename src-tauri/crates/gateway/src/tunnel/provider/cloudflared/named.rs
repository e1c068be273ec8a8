//! A tunnel of the agent's own, with a host name of their own. What it leads to is set at Cloudflare:
//! the webhook server's port.

use dialer_domain::error::UserError;
use url::Url;

use super::{PROGRAM, READY};
use crate::tunnel::address::public_address;
use crate::tunnel::find::program_path;
use crate::tunnel::periods::Periods;
use crate::tunnel::program::Program;
use crate::tunnel::provider::{Answer, Finding, Pace, Provider, Report, Start, invalid, trouble};

pub(in crate::tunnel::provider) struct Named {
    url: Url,
    program: Option<String>,
}

impl Named {
    pub(in crate::tunnel::provider) fn new(url: &str, program: Option<&str>) -> Result<Self, UserError> {
        Ok(Self { url: public_address(url)?, program: program.map(str::to_owned) })
    }
}

impl Provider for Named {
    fn name(&self) -> &str {
        PROGRAM
    }

    fn pace(&self, periods: &Periods) -> Pace {
        Pace::own(periods)
    }

    fn program(&self, start: &Start<'_>) -> Result<Option<Program>, UserError> {
        let token = start.token.ok_or_else(|| {
            invalid(
                "The tunnel's token is missing. Copy it from the tunnel's page at Cloudflare (Zero Trust, \
                 Networks, Tunnels) and enter it on the Account page.",
            )
        })?;
        let path = program_path(self.program.as_deref(), PROGRAM)?;
        let configuration = super::configuration(start.folder)?;
        let mut arguments = vec!["tunnel".into(), "--config".into(), configuration.into_os_string()];
        arguments.extend(["--no-autoupdate", "--metrics", "127.0.0.1:0", "run"].map(Into::into));
        Ok(Some(Program { path, arguments, environment: vec![("TUNNEL_TOKEN".into(), token.clone())] }))
    }

    fn address(&self) -> Option<&Url> {
        Some(&self.url)
    }

    fn read(&self, line: &str) -> Option<Finding> {
        let permanent = if line.to_lowercase().contains("provided tunnel token is not valid") {
            "Cloudflare's program says the tunnel's token is not valid. Copy the token again, whole, from the \
             tunnel's page at Cloudflare."
        } else if line.contains("Unauthorized: Tunnel not found") {
            "Cloudflare does not know this tunnel any more. Make a new one there and enter its token."
        } else if line.contains("Unauthorized:") {
            "Cloudflare refuses the tunnel's token. If it was renewed, enter the new one."
        } else {
            return super::read(line);
        };
        Some(Finding::Permanent(trouble(permanent)))
    }

    fn questions(&self) -> &'static [&'static str] {
        &[READY]
    }

    fn report(&self, answers: &[Option<Answer>], _local_port: u16) -> Report {
        match super::ready(answers.first().and_then(Option::as_ref)) {
            Some(true) => Report::Connected { address: None },
            Some(false) => Report::Reconnecting { address: None },
            None => Report::Silent,
        }
    }

    fn ended(&self, code: Option<i32>) -> UserError {
        super::ended(code)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn a_refused_token_is_permanent() {
        let named = Named::new("https://phone.example.com", None).unwrap();
        for line in [
            "Provided Tunnel token is not valid.",
            r#"2026-11-23T10:00:01Z ERR Register tunnel error from server side error="Unauthorized: Invalid tunnel secret" connIndex=0"#,
            r#"2026-11-23T10:00:01Z ERR Register tunnel error from server side error="Unauthorized: Tunnel not found" connIndex=0"#,
        ] {
            assert!(matches!(named.read(line), Some(Finding::Permanent(_))), "{line}");
        }
    }

    #[test]
    fn the_agents_own_configuration_is_left_out() {
        let program = std::env::current_exe().unwrap();
        let named = Named::new("https://phone.example.com", program.to_str()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let token = secrecy::SecretString::from("token-of-this-test");
        let start = Start { local_port: 4711, folder: folder.path(), token: Some(&token) };
        let arguments = named.program(&start).unwrap().unwrap().arguments;
        let [tunnel, option, configuration, .., run] = &arguments[..] else { panic!("{arguments:?}") };
        // `run` has no such option; it belongs to `tunnel`.
        assert_eq!([tunnel, option, run], ["tunnel", "--config", "run"]);
        assert_eq!(std::fs::read_to_string(configuration).unwrap(), "{}\n");
    }

    #[test]
    fn the_token_goes_into_the_environment_only() {
        let named =
            Named::new("https://phone.example.com", Some(std::env::current_exe().unwrap().to_str().unwrap()));
        let token = secrecy::SecretString::from("token-of-this-test");
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let start = Start { local_port: 4711, folder, token: Some(&token) };
        let program = named.as_ref().unwrap().program(&start).unwrap().unwrap();
        assert!(!format!("{program:?}").contains("token-of-this-test"));
        assert_eq!(program.environment.first().unwrap().0, "TUNNEL_TOKEN");
        let start = Start { local_port: 4711, folder, token: None };
        assert!(named.unwrap().program(&start).unwrap_err().message.contains("token is missing"));
    }
}
