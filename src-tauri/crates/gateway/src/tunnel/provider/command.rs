//! Any other program that brings a public address here, such as bore, frp, zrok, pinggy or tailscale.

use dialer_domain::error::UserError;
use regex::{Regex, RegexBuilder};
use url::Url;

use super::{Finding, Pace, Provider, Start, invalid};
use crate::tunnel::address::{is_this_computer, public_address, told_address};
use crate::tunnel::find::program_path;
use crate::tunnel::periods::Periods;
use crate::tunnel::program::Program;

/// Stands for the webhook server's port in an argument.
const PORT: &str = "{port}";
/// Carries the token, if one was entered.
const TOKEN_VARIABLE: &str = "TUNNEL_TOKEN";

pub(super) struct Command {
    program: String,
    arguments: Vec<String>,
    source: Source,
}

/// Where the address comes from.
enum Source {
    Known(Url),
    Output(Regex),
}

impl Command {
    pub(super) fn new(
        program: &str,
        arguments: &[String],
        url_pattern: Option<&str>,
        url: Option<&str>,
    ) -> Result<Self, UserError> {
        let program = program.trim();
        if program.is_empty() {
            return Err(invalid("The program is missing. Enter its name, or its whole path."));
        }
        if arguments.iter().any(|argument| argument.contains('\0')) || program.contains('\0') {
            return Err(invalid("The program or an argument contains a character that cannot be passed on."));
        }
        let given =
            |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let source = match (given(url), given(url_pattern)) {
            (Some(url), _) => Source::Known(public_address(&url)?),
            (None, Some(pattern)) => {
                Source::Output(RegexBuilder::new(&pattern).size_limit(1 << 20).build().map_err(|error| {
                    invalid("The pattern for the address is not a regular expression. Correct it.")
                        .with_detail(error.to_string())
                })?)
            }
            (None, None) => {
                return Err(invalid(
                    "Enter the public address, or a pattern that finds it in the program's output.",
                ));
            }
        };
        Ok(Self { program: program.to_owned(), arguments: arguments.to_vec(), source })
    }
}

impl Provider for Command {
    fn name(&self) -> &str {
        &self.program
    }

    fn pace(&self, periods: &Periods) -> Pace {
        Pace::own(periods)
    }

    fn program(&self, start: &Start<'_>) -> Result<Option<Program>, UserError> {
        let port = start.local_port.to_string();
        let token = start.token.map(|token| (TOKEN_VARIABLE.to_owned(), token.clone()));
        Ok(Some(Program {
            path: program_path(Some(&self.program), &self.program)?,
            arguments: self.arguments.iter().map(|argument| argument.replace(PORT, &port).into()).collect(),
            environment: token.into_iter().collect(),
        }))
    }

    fn address(&self) -> Option<&Url> {
        match &self.source {
            Source::Known(url) => Some(url),
            Source::Output(_) => None,
        }
    }

    fn read(&self, line: &str) -> Option<Finding> {
        let Source::Output(pattern) = &self.source else { return None };
        let found = pattern.captures(line)?;
        let text = found.get(1).or_else(|| found.get(0))?.as_str();
        // Some programs tell a host alone. On this computer nobody needs TLS.
        let alone = |scheme: &str| told_address(&format!("{scheme}://{text}"));
        let url = if text.contains("://") {
            told_address(text)
        } else {
            let here = alone("http").filter(|url| url.host().is_some_and(|host| is_this_computer(&host)));
            here.or_else(|| alone("https"))
        };
        url.map(Finding::Address)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn what_cannot_work_is_refused() {
        for (program, pattern, url) in [
            ("", None, Some("https://a.example")),
            ("p", None, None),
            ("p", Some("("), None),
            ("p\0", None, Some("https://a.example")),
            ("p", None, Some("http://a.example")),
        ] {
            assert!(Command::new(program, &[], pattern, url).is_err(), "{program:?} {pattern:?} {url:?}");
        }
    }

    #[test]
    fn the_address_is_found_in_the_output() {
        let command = Command::new("bore", &[], Some(r"listening at (\S+)"), None).unwrap();
        let url = |text: &str| Some(Finding::Address(text.parse().unwrap()));
        assert_eq!(
            command.read("INFO listening at phone.example.com:4711"),
            url("https://phone.example.com:4711")
        );
        assert_eq!(command.read("INFO listening at 127.0.0.1:4711"), url("http://127.0.0.1:4711"));
        let command = Command::new("p", &[], Some(r"https?://\S+"), None).unwrap();
        assert_eq!(command.read("up: https://phone.example.com"), url("https://phone.example.com"));
        assert_eq!(command.read("up: http://127.0.0.1:8000"), url("http://127.0.0.1:8000"));
        assert_eq!(
            command.read("up: http://phone.example.com"),
            None,
            "plain http is for this computer only"
        );
        assert_eq!(command.read("connecting"), None);
    }

    #[test]
    fn the_port_is_put_in() {
        let program = std::env::current_exe().unwrap();
        let arguments = ["local".to_owned(), "127.0.0.1:{port}".to_owned()];
        let command =
            Command::new(program.to_str().unwrap(), &arguments, None, Some("https://a.example")).unwrap();
        let start = Start { local_port: 4711, folder: std::path::Path::new("/"), token: None };
        assert_eq!(command.program(&start).unwrap().unwrap().arguments, ["local", "127.0.0.1:4711"]);
    }
}
