//! The last lines a tunnel program said, safe to show and to send.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::{Captures, Regex};
use secrecy::{ExposeSecret, SecretString};

/// How many lines are kept.
const LINES: usize = 200;
/// How many characters of a line are kept.
const LINE_LENGTH: usize = 500;

/// A ring of lines, shared between the supervisor and those who look.
#[derive(Clone)]
pub(crate) struct Log {
    lines: Arc<Mutex<VecDeque<String>>>,
    token: Option<SecretString>,
}

impl Log {
    /// An empty log out of which `token` is kept.
    pub(crate) fn new(token: Option<SecretString>) -> Self {
        Self { lines: Arc::default(), token }
    }

    /// Adds a line and returns it as it was kept.
    pub(crate) fn add(&self, line: &str) -> String {
        let line = redact(line, self.token.as_ref());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line.clone());
        line
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Control sequences of terminals (colours, mostly).
static ANSI: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\x1b\[[0-9;?]*[A-Za-z]").ok());
/// What secrets look like: a value behind a telling name, credentials in an address, a JWT or another
/// base64 text of JSON, ngrok's `letters_letters`, and a telephone number.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?xi)
        (?P<name> (?:auth[-_]?token|token|secret|password|passwd|api[-_]?key|authorization) "? \s* [:=\s] \s* "?
            (?:bearer\s+|basic\s+)? ) [^\s",;&]{8,}
        | (?P<scheme> [a-z][a-z0-9+.-]* :// ) [^/\s@]+ @
        | \b eyJ [A-Za-z0-9_=+/.-]{16,}
        | \b [A-Za-z0-9]{20,} _ [A-Za-z0-9]{15,} \b
        | \+ [0-9]{7,15} \b"#,
    )
    .ok()
});

/// `line` without secrets, telephone numbers and control characters, and not too long.
pub(crate) fn redact(line: &str, token: Option<&SecretString>) -> String {
    let mut line = line.to_owned();
    if let Some(token) = token.map(|token| token.expose_secret().trim()).filter(|token| !token.is_empty()) {
        line = line.replace(token, "<token>");
    }
    if let Some(ansi) = ANSI.as_ref() {
        line = ansi.replace_all(&line, "").into_owned();
    }
    if let Some(secrets) = SECRETS.as_ref() {
        let hidden = |found: &Captures<'_>| {
            let kept = found.name("name").or_else(|| found.name("scheme"));
            let end = if found.name("scheme").is_some() { "@" } else { "" };
            format!("{}<hidden>{end}", kept.map_or("", |kept| kept.as_str()))
        };
        line = secrets.replace_all(&line, hidden).into_owned();
    }
    line.chars().filter(|c| !c.is_control() || *c == '\t').take(LINE_LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_get_into_a_line() {
        let token = SecretString::from("a-token-of-this-test");
        for (said, kept) in [
            ("using a-token-of-this-test now", "using <token> now"),
            ("url=https://user:word@host/", "url=https://<hidden>@host/"),
            ("authtoken: abcdefgh12345678", "authtoken: <hidden>"),
            (r#"{"token":"abcdefgh12345678","x":1}"#, r#"{"token":"<hidden>","x":1}"#),
            ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer <hidden>"),
            ("run eyJhIjoiMDEyMzQ1Njc4OWFiY2RlZiJ9", "run <hidden>"),
            ("key 1abcDEF234567890abcdefghij_5AbCdEfGhIjKlMnOpQrSt", "key <hidden>"),
            ("POST /?From=+12025550123 200", "POST /?From=<hidden> 200"),
            ("\u{1b}[31mERR\u{1b}[0m bell\u{7}", "ERR bell"),
            (
                "2026-11-23T10:00:00Z INF Registered tunnel connection connIndex=0",
                "2026-11-23T10:00:00Z INF Registered tunnel connection connIndex=0",
            ),
        ] {
            assert_eq!(redact(said, Some(&token)), kept);
        }
        assert_eq!(redact(&"ä".repeat(600), None).chars().count(), LINE_LENGTH);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let log = Log::new(None);
        for n in 0..LINES + 3 {
            log.add(&n.to_string());
        }
        let lines = log.lines();
        assert_eq!((lines.len(), lines.first().map(String::as_str)), (LINES, Some("3")));
    }
}
