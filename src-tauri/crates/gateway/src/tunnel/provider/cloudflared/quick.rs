//! A temporary address, new at every start, without an account: for trying things out.

use dialer_domain::error::UserError;
use url::Url;

use super::{PROGRAM, READY};
use crate::tunnel::address::provided_address;
use crate::tunnel::find::program_path;
use crate::tunnel::periods::Periods;
use crate::tunnel::program::Program;
use crate::tunnel::provider::{Answer, Finding, Pace, Provider, Report, Start, trouble};

/// What the host names of temporary addresses end with.
const HOSTS: &[&str] = &["trycloudflare.com"];
/// Hosts below that are no addresses but appear in the program's output.
const NOT_OURS: &str = "api.trycloudflare.com";
/// Answers with `{"hostname":"…"}`.
const HOSTNAME: &str = "/quicktunnel";

pub(in crate::tunnel::provider) struct Quick {
    program: Option<String>,
}

impl Quick {
    pub(in crate::tunnel::provider) fn new(program: Option<&str>) -> Self {
        Self { program: program.map(str::to_owned) }
    }
}

impl Provider for Quick {
    fn name(&self) -> &str {
        PROGRAM
    }

    fn pace(&self, periods: &Periods) -> Pace {
        Pace {
            probe: periods.probe_quick,
            probe_in_call: periods.probe_quick,
            backoff_base: periods.backoff_base_quick,
            backoff_cap: periods.backoff_cap_quick,
        }
    }

    fn program(&self, start: &Start<'_>) -> Result<Option<Program>, UserError> {
        let path = program_path(self.program.as_deref(), PROGRAM)?;
        let configuration = super::configuration(start.folder)?;
        let target = format!("http://127.0.0.1:{}", start.local_port);
        let mut arguments = vec!["tunnel".into(), "--config".into(), configuration.into_os_string()];
        arguments.extend(["--no-autoupdate", "--metrics", "127.0.0.1:0", "--url", &target].map(Into::into));
        Ok(Some(Program { path, arguments, environment: Vec::new() }))
    }

    fn read(&self, line: &str) -> Option<Finding> {
        if line.contains("429 Too Many Requests") || line.contains("error code: 1015") {
            return Some(Finding::Trouble(trouble(
                "Cloudflare gives out no further temporary address for now, because too many were asked for \
                 from this network. Wait, or choose another kind of tunnel.",
            )));
        }
        if line.contains("failed to request quick Tunnel")
            || line.contains("failed to unmarshal quick Tunnel")
        {
            return Some(Finding::Trouble(trouble(
                "Cloudflare gave out no temporary address. Check the connection to the internet, or choose \
                 another kind of tunnel.",
            )));
        }
        // The address stands alone in a box of its own: `INF |  https://….trycloudflare.com  |`.
        let boxed = line.split_once('|').and_then(|(_, rest)| rest.trim_end().strip_suffix('|'));
        match boxed.and_then(|text| address(text.trim())) {
            Some(url) => Some(Finding::Address(url)),
            None => super::read(line),
        }
    }

    fn questions(&self) -> &'static [&'static str] {
        &[HOSTNAME, READY]
    }

    fn report(&self, answers: &[Option<Answer>], _local_port: u16) -> Report {
        let [hostname, ready] = answers else { return Report::Silent };
        let address = hostname.as_ref().filter(|answer| answer.status == 200).and_then(|answer| {
            let value: serde_json::Value = serde_json::from_str(&answer.body).ok()?;
            let name = value.get("hostname")?.as_str()?;
            address(&format!("https://{}", name.trim_start_matches("https://")))
        });
        match super::ready(ready.as_ref()) {
            Some(true) => Report::Connected { address },
            Some(false) => Report::Reconnecting { address },
            None => Report::Silent,
        }
    }

    fn ended(&self, code: Option<i32>) -> UserError {
        super::ended(code)
    }
}

fn address(text: &str) -> Option<Url> {
    provided_address(text, HOSTS).filter(|url| url.host_str() != Some(NOT_OURS))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn answers(hostname: &str, ready: u16) -> [Option<Answer>; 2] {
        [
            Some(Answer { status: 200, body: format!(r#"{{"hostname":"{hostname}"}}"#) }),
            Some(Answer { status: ready, body: String::new() }),
        ]
    }

    #[test]
    fn the_address_is_in_the_interface_and_in_a_box() {
        let quick = Quick::new(None);
        let url: Url = "https://red-fox-77.trycloudflare.com".parse().unwrap();
        let report = quick.report(&answers("red-fox-77.trycloudflare.com", 200), 1);
        assert_eq!(report, Report::Connected { address: Some(url.clone()) });
        let line = "2026-11-23T10:00:00Z INF |  https://red-fox-77.trycloudflare.com                |";
        assert_eq!(quick.read(line), Some(Finding::Address(url)));
    }

    #[test]
    fn no_other_host_is_believed() {
        let quick = Quick::new(None);
        for host in [
            "",
            "example.com",
            "trycloudflare.com.example.com",
            "x.trycloudflare.com/path",
            "api.trycloudflare.com",
        ] {
            assert_eq!(
                quick.report(&answers(host, 503), 1),
                Report::Reconnecting { address: None },
                "{host}"
            );
        }
        for line in [
            "INF Requesting new quick Tunnel on trycloudflare.com...",
            "ERR Post \"https://api.trycloudflare.com/tunnel\": dial tcp: i/o timeout",
            "INF GET https://bad.trycloudflare.com/",
        ] {
            assert!(!matches!(quick.read(line), Some(Finding::Address(_))), "{line}");
        }
    }

    #[test]
    fn a_rate_limit_has_its_sentence() {
        // As reported in github.com/decolua/9router issue 1545.
        let line = "2026-05-29T09:25:34Z ERR Error unmarshaling QuickTunnel response: error code: 1015 error=\"invalid character 'e' looking for beginning of value\" status_code=\"429 Too Many Requests\"";
        let Some(Finding::Trouble(reason)) = Quick::new(None).read(line) else { panic!("{line}") };
        assert!(reason.message.contains("too many"));
    }
}
