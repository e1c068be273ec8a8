//! Splits a `.env` file into names and values, by the rules of the dotenv library (npm `dotenv` 17,
//! "What rules does the parsing engine follow?").

/// What may stand around a value.
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// What one line, or several where a quoted value spans them, holds. Comments and empty lines are
/// nothing.
#[derive(Debug)]
pub(super) enum Line {
    /// `NAME=value`.
    Assignment(Assignment),
    /// Something else.
    Unreadable {
        /// Counted from 1.
        number: usize,
    },
}

/// A name with its value. Not printed: the value may be a secret.
pub(super) struct Assignment {
    /// The line of the name, counted from 1.
    pub(super) number: usize,
    /// The name.
    pub(super) name: String,
    /// The value, without its quotes.
    pub(super) value: String,
    /// Whether a quote was opened and never closed.
    pub(super) unclosed: bool,
}

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assignment")
            .field("number", &self.number)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The lines of a file, in order.
pub(super) fn split(text: &str) -> Vec<Line> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = Vec::new();
    let mut rest = text.as_str();
    let mut number = 1;
    while !rest.is_empty() {
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        let mut taken = (line.len() + 1).min(rest.len());
        let content = line.trim();
        if !content.is_empty() && !content.starts_with('#') {
            match name_and_value(content) {
                None => lines.push(Line::Unreadable { number }),
                Some((name, value)) => {
                    // A name has no quotes, so the first one begins the value, which may go on over
                    // further lines.
                    let quoted = value.starts_with(QUOTES).then(|| line.find(QUOTES)).flatten();
                    let (value, unclosed) = match quoted.map(|at| (at, close(&rest[at..]))) {
                        None => (without_comment(value), false),
                        Some((_, None)) => (without_comment(value.trim_start_matches(QUOTES)), true),
                        Some((at, Some((value, length)))) => {
                            let end = at + length;
                            taken = rest[end..].find('\n').map_or(rest.len(), |more| end + more + 1);
                            (value, false)
                        }
                    };
                    lines.push(Line::Assignment(Assignment {
                        number,
                        name: name.to_owned(),
                        value,
                        unclosed,
                    }));
                }
            }
        }
        number += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    lines
}

/// Splits `export NAME = value` or `NAME: value`; the value may be empty.
fn name_and_value(line: &str) -> Option<(&str, &str)> {
    let line =
        line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line).trim_start();
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-".contains(c)))?;
    let (name, rest) = line.split_at(end);
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let value = match rest.trim_start().strip_prefix('=') {
        Some(value) => value,
        // A colon counts only right behind the name and before a space.
        None => rest.strip_prefix(':').filter(|value| value.starts_with([' ', '\t']))?,
    };
    starts_well.then(|| (name, value.trim()))
}

/// A value without quotes ends where a comment begins.
fn without_comment(value: &str) -> String {
    value.split_once('#').map_or(value, |(before, _)| before).trim().to_owned()
}

/// What is between the quote that `rest` begins with and the one that closes it, and how many bytes
/// that takes with both quotes. `None` where the next quote belongs to another line's value.
fn close(rest: &str) -> Option<(String, usize)> {
    let quote = rest.chars().next()?;
    let inside = &rest[1..];
    let mut escaped = false;
    let end = inside.char_indices().find_map(|(at, c)| {
        let closes = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })?;
    let text = &inside[..end];
    let is_setting = |line: &str| {
        name_and_value(line.trim()).is_some_and(|(name, _)| {
            name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
    };
    if text.lines().skip(1).any(is_setting) {
        return None;
    }
    let text = if quote == '"' { text.replace("\\n", "\n").replace("\\r", "\r") } else { text.to_owned() };
    Some((text, end + 2))
}
