//! The `ngrok` agent, version 3.
//!
//! Sources: ngrok.com/docs/agent/api (the interface), ngrok.com/docs/errors (the codes), and log lines
//! quoted in public projects. The interface moves to another port when 4040 is taken, and the log says
//! where.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::LazyLock;

use dialer_domain::error::UserError;
use regex::Regex;
use serde_json::Value;
use url::Url;

use super::{Answer, Finding, Pace, Provider, Report, Start, trouble};
use crate::tunnel::address::{provided_address, public_address};
use crate::tunnel::find::program_path;
use crate::tunnel::periods::Periods;
use crate::tunnel::program::Program;

const PROGRAM: &str = "ngrok";
/// What the host names end with that ngrok gives out.
const HOSTS: &[&str] =
    &["ngrok-free.app", "ngrok-free.dev", "ngrok.app", "ngrok.dev", "ngrok.io", "ngrok.pizza", "ngrok.pro"];

pub(super) struct Ngrok {
    /// The address asked for.
    url: Option<Url>,
    program: Option<String>,
}

impl Ngrok {
    pub(super) fn new(url: Option<&str>, program: Option<&str>) -> Result<Self, UserError> {
        let url = url.filter(|url| !url.trim().is_empty()).map(public_address).transpose()?;
        Ok(Self { url, program: program.map(str::to_owned) })
    }

    /// The address in `text`, if it is the one asked for, or one that ngrok gives out.
    fn believed(&self, text: &str) -> Option<Url> {
        match &self.url {
            Some(url) => provided_address(text, &[url.host_str()?]),
            None => provided_address(text, HOSTS),
        }
    }
}

impl Provider for Ngrok {
    fn name(&self) -> &str {
        PROGRAM
    }

    fn pace(&self, periods: &Periods) -> Pace {
        Pace {
            probe: periods.probe_ngrok,
            probe_in_call: periods.probe_ngrok,
            backoff_base: periods.backoff_base,
            backoff_cap: periods.backoff_cap,
        }
    }

    fn program(&self, start: &Start<'_>) -> Result<Option<Program>, UserError> {
        let target = format!("127.0.0.1:{}", start.local_port);
        let mut arguments: Vec<_> =
            ["http", &target, "--log=stdout", "--log-format=json"].map(Into::into).into();
        if let Some(url) = &self.url {
            arguments.push(format!("--url={}", url.as_str().trim_end_matches('/')).into());
        }
        let token = start.token.map(|token| ("NGROK_AUTHTOKEN".to_owned(), token.clone()));
        Ok(Some(Program {
            path: program_path(self.program.as_deref(), PROGRAM)?,
            arguments,
            environment: token.into_iter().collect(),
        }))
    }

    fn read(&self, line: &str) -> Option<Finding> {
        let entry = serde_json::from_str::<Value>(line).unwrap_or_default();
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        match text("msg") {
            Some("starting web service") => {
                let address: SocketAddr = text("addr")?.parse().ok()?;
                // It may listen on every address of the computer; it is asked from here.
                return Some(Finding::Interface((Ipv4Addr::LOCALHOST, address.port()).into()));
            }
            Some("started tunnel") => return self.believed(text("url")?).map(Finding::Address),
            Some(_) | None => {}
        }
        // Errors of the start are plain text on standard error besides, a code on a line of its own.
        error_code(text("err").unwrap_or(line)).map(meaning)
    }

    fn questions(&self) -> &'static [&'static str] {
        &["/api/tunnels"]
    }

    fn report(&self, answers: &[Option<Answer>], local_port: u16) -> Report {
        let list = answers.first().and_then(Option::as_ref).filter(|answer| answer.status == 200);
        let list = list.and_then(|answer| serde_json::from_str::<Value>(&answer.body).ok());
        let Some(tunnels) = list.as_ref().and_then(|list| list.get("tunnels")?.as_array()) else {
            return Report::Silent;
        };
        // Another agent of the same person may be answering on this port.
        let ours = |tunnel: &&Value| {
            let target = tunnel.pointer("/config/addr").and_then(Value::as_str);
            target.is_some_and(|target| target.ends_with(&format!(":{local_port}")))
        };
        let urls = tunnels.iter().filter(ours).filter_map(|tunnel| tunnel.get("public_url")?.as_str());
        match urls.filter_map(|url| self.believed(url)).next() {
            Some(url) => Report::Connected { address: Some(url) },
            None => Report::Reconnecting { address: None },
        }
    }
}

/// The code in an error of ngrok's.
pub(crate) fn error_code(text: &str) -> Option<u32> {
    static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\bERR_NGROK_([0-9]{1,6})\b").ok());
    CODE.as_ref()?.captures(text)?.get(1)?.as_str().parse().ok()
}

/// What a code means for us.
pub(crate) fn meaning(code: u32) -> Finding {
    let finding: fn(UserError) -> Finding = match code {
        // After a change of the network ngrok takes our last session for alive until it misses it.
        108 | 334 => Finding::Held,
        105..=107 | 120 | 121 | 725 | 727 | 4018 | 4027 => Finding::Permanent,
        _ => Finding::Trouble,
    };
    let message = match code {
        105..=107 | 4018 => {
            "ngrok does not accept the token. Copy the authtoken from dashboard.ngrok.com and enter it in the \
             settings."
        }
        108 => {
            "This ngrok account already runs as many agents as it may. End the other one, on this or another \
             computer, and try again."
        }
        120 | 121 => "This version of ngrok is too old. Update it with `ngrok update`.",
        334 => {
            "The ngrok address is in use by another agent. End that one, or choose another address, and try \
             again."
        }
        725 | 727 | 4027 => {
            "The ngrok account has used up what it may this month. Choose another plan there, or another kind \
             of tunnel here."
        }
        734 => "ngrok lets no more requests through for a minute.",
        3200 => "ngrok says that nobody serves the address at the moment.",
        8012 => "ngrok does not reach this program.",
        other => &format!("ngrok reports error {other}; ngrok.com/docs/errors explains it."),
    };
    finding(trouble(message).with_detail(format!("ERR_NGROK_{code}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn ngrok() -> Ngrok {
        Ngrok::new(None, None).unwrap()
    }

    fn list(tunnels: &str) -> [Option<Answer>; 1] {
        [Some(Answer { status: 200, body: format!(r#"{{"tunnels":[{tunnels}],"uri":"/api/tunnels"}}"#) })]
    }

    #[test]
    fn the_lines_of_a_start_are_understood() {
        for (line, found) in [
            (
                r#"{"addr":"127.0.0.1:4041","lvl":"info","msg":"starting web service","obj":"web","t":"2026-11-23T10:00:00Z"}"#,
                Finding::Interface("127.0.0.1:4041".parse().unwrap()),
            ),
            (
                r#"{"addr":"0.0.0.0:4040","lvl":"info","msg":"starting web service","obj":"web"}"#,
                Finding::Interface("127.0.0.1:4040".parse().unwrap()),
            ),
            (
                r#"{"addr":"http://127.0.0.1:80","lvl":"info","msg":"started tunnel","name":"command_line","obj":"tunnels","url":"https://a.ngrok-free.dev"}"#,
                Finding::Address("https://a.ngrok-free.dev".parse().unwrap()),
            ),
        ] {
            assert_eq!(ngrok().read(line), Some(found), "{line}");
        }
        assert_eq!(ngrok().read(r#"{"msg":"started tunnel","url":"https://a.example.com"}"#), None);
        assert_eq!(ngrok().read(r#"{"msg":"join connections","id":"1"}"#), None);
    }

    #[test]
    fn errors_say_whether_trying_again_helps() {
        let line = r#"{"err":"authentication failed: This ngrok session is not authenticated.\n\nERR_NGROK_4018\r\n","lvl":"eror","msg":"failed to reconnect session"}"#;
        assert!(matches!(ngrok().read(line), Some(Finding::Permanent(_))));
        for code in [105, 107, 121, 727] {
            let found = ngrok().read(&format!("ERROR:  ERR_NGROK_{code}"));
            assert!(matches!(found, Some(Finding::Permanent(_))), "{code}");
        }
        for code in [108, 334] {
            let found = ngrok().read(&format!("ERROR:  ERR_NGROK_{code}"));
            assert!(matches!(found, Some(Finding::Held(_))), "{code}");
        }
        for code in [3200, 9999] {
            let found = ngrok().read(&format!("ERROR:  ERR_NGROK_{code}"));
            assert!(matches!(found, Some(Finding::Trouble(_))), "{code}");
        }
    }

    #[test]
    fn only_our_own_tunnel_is_reported() {
        let ours = r#"{"name":"command_line","public_url":"https://a.ngrok-free.dev","proto":"https","config":{"addr":"http://127.0.0.1:4711","inspect":true}}"#;
        let other =
            r#"{"name":"b","public_url":"https://b.ngrok-free.dev","config":{"addr":"http://localhost:80"}}"#;
        let address = Some("https://a.ngrok-free.dev".parse().unwrap());
        assert_eq!(ngrok().report(&list(&format!("{other},{ours}")), 4711), Report::Connected { address });
        assert_eq!(ngrok().report(&list(other), 4711), Report::Reconnecting { address: None });
        assert_eq!(ngrok().report(&list(""), 4711), Report::Reconnecting { address: None });
        assert_eq!(ngrok().report(&[None], 4711), Report::Silent);
        assert_eq!(
            ngrok().report(&[Some(Answer { status: 200, body: "<html>".into() })], 4711),
            Report::Silent
        );
    }

    #[test]
    fn an_address_asked_for_is_the_only_one_believed() {
        let own = Ngrok::new(Some("https://phone.example.com"), None).unwrap();
        assert!(own.believed("https://phone.example.com").is_some());
        assert!(own.believed("https://a.ngrok-free.dev").is_none());
    }
}
