//! Takes off a copied text what does not belong to the value.

use super::Field;

/// Quotes that come in pairs, or alone where one was missed.
const QUOTES: [char; 12] = ['"', '\'', '`', '“', '”', '„', '‘', '’', '‚', '«', '»', '´'];

/// Words that stand before a value where it was copied together with its label.
const LABEL_WORDS: [&str; 42] = [
    "account",
    "sid",
    "auth",
    "token",
    "api",
    "key",
    "secret",
    "primary",
    "live",
    "twilio",
    "my",
    "the",
    "phone",
    "number",
    "twiml",
    "app",
    "application",
    "backend",
    "url",
    "public",
    "address",
    "ngrok",
    "cloudflare",
    "cloudflared",
    "authtoken",
    "export",
    "set",
    "is",
    "value",
    "credentials",
    "config",
    "add-authtoken",
    "service",
    "install",
    "tunnel",
    "run",
    "sudo",
    "--token",
    "voice",
    "caller",
    "id",
    "$",
];

/// What cannot be seen: zero-width characters, direction marks, the byte order mark and controls other
/// than white space.
fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(
            c,
            '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        )
}

/// The value alone: without invisible characters, white space around it, quotes and a label.
pub(super) fn tidy(field: Field, text: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let mut rest = visible.as_str();
    loop {
        let before = rest;
        rest = strip_quotes(rest.trim());
        rest = strip_label(field, rest);
        if rest == before {
            break;
        }
    }
    let ending: &[char] = if field == Field::PhoneNumber { &[',', ';'] } else { &[',', ';', '.'] };
    strip_quotes(rest.trim_end_matches(ending)).trim().to_owned()
}

fn strip_quotes(text: &str) -> &str {
    text.trim_matches(|c: char| QUOTES.contains(&c) || c.is_whitespace())
}

/// Takes off `Account SID: `, `TWILIO_AUTH_TOKEN=` or `ngrok config add-authtoken `, if something is left.
fn strip_label(field: Field, text: &str) -> &str {
    let mut rest = text;
    while let Some((word, after)) = first_word(rest) {
        let after = after.trim_start();
        if after.is_empty() || !is_label(word) {
            break;
        }
        rest = after;
    }
    // A web address and base64 have these signs themselves.
    let Some((label, value)) = rest.split_once([':', '=']) else { return rest };
    let value = value.trim_start();
    let is_name = label.len() <= 40
        && label.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).all(is_label)
        && label.chars().all(|c| c.is_ascii_alphabetic() || " _-()".contains(c));
    if is_name && !value.is_empty() && !(field == Field::BackendUrl && value.starts_with("//")) {
        value
    } else {
        rest
    }
}

fn first_word(text: &str) -> Option<(&str, &str)> {
    text.find(char::is_whitespace).map(|end| text.split_at(end))
}

fn is_label(word: &str) -> bool {
    let word = word.trim_matches(|c: char| ":=()".contains(c) || c == '-' && !word.starts_with("--"));
    word.is_empty() || LABEL_WORDS.iter().any(|label| label.eq_ignore_ascii_case(word))
}
