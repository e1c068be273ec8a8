//! Reads the `.env` file that set-up guides for Twilio dialers ask for.
//!
//! What this program needs fills its fields; what it does not need is named with the reason, so that
//! nobody wonders what became of it. No sentence made here quotes a value.

mod lines;
mod names;

use std::collections::BTreeMap;

use crate::entry::{self, Cleaned, Field};

use lines::{Assignment, Line};
use names::Meaning;

/// A name in the file that this program does without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotNeeded {
    /// The name.
    pub name: String,
    /// Why, as a sentence.
    pub reason: &'static str,
}

impl std::fmt::Display for NotNeeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.reason)
    }
}

/// What a file said. Printing it shows no secret.
#[derive(Debug, Clone, Default)]
pub struct EnvFile {
    /// Fields that were filled, of the right form.
    pub filled: BTreeMap<Field, Cleaned>,
    /// Names that are not needed, in the order of the file, each once.
    pub not_needed: Vec<NotNeeded>,
    /// What could not be used, as sentences with the line, in the order of the file.
    pub problems: Vec<String>,
}

/// Reads the text of a file. Where a field is named more than once, the last one counts, as with the
/// dotenv library, and that is said.
pub fn read(text: &str) -> EnvFile {
    let mut file = EnvFile::default();
    // The line and the name under which each field was last seen.
    let mut seen: BTreeMap<Field, (usize, String)> = BTreeMap::new();
    let lines = lines::split(text);
    if lines.is_empty() {
        file.problems.push("There is nothing in this file.".into());
    }
    for line in lines {
        match line {
            Line::Unreadable { number } => file
                .problems
                .push(format!("Line {number} is not of the form NAME=value, so it was left out.")),
            Line::Assignment(assignment) => take(&mut file, &mut seen, assignment),
        }
    }
    file
}

fn take(file: &mut EnvFile, seen: &mut BTreeMap<Field, (usize, String)>, assignment: Assignment) {
    let Assignment { number, name, value, unclosed } = assignment;
    if unclosed {
        file.problems.push(format!(
            "Line {number}, {name}: the quote at the beginning of the value is not closed; the rest of the line was taken."
        ));
    }
    let field = match names::meaning(&name, &value) {
        Meaning::Field(field) => field,
        Meaning::NotNeeded(reason) => {
            if !file.not_needed.iter().any(|known| known.name == name) {
                file.not_needed.push(NotNeeded { name, reason });
            }
            return;
        }
        Meaning::Problem(sentence) => {
            file.problems.push(format!("Line {number}, {name}: {sentence}"));
            return;
        }
        Meaning::Unreadable => {
            file.problems
                .push(format!("Line {number} names nothing this program knows, so it was left out."));
            return;
        }
    };
    // A line that was never filled in says nothing, not even that an earlier one is wrong.
    if value.trim().is_empty() {
        if matches!(field, Field::AccountSid | Field::AuthToken) && !seen.contains_key(&field) {
            file.problems.push(format!("Line {number}, {name}: there is no value."));
        }
        return;
    }
    if let Some((earlier, earlier_name)) = seen.insert(field, (number, name.clone())) {
        file.problems.push(if earlier_name == name {
            format!("{name} is in lines {earlier} and {number}; line {number} counts.")
        } else {
            format!("{earlier_name} in line {earlier} and {name} in line {number} mean the same; line {number} counts.")
        });
    }
    match entry::check(field, &value) {
        Ok(cleaned) => {
            file.filled.insert(field, cleaned);
        }
        Err(sentence) => {
            file.filled.remove(&field);
            file.problems.push(format!("Line {number}, {name}: {sentence}"));
        }
    }
}

#[cfg(test)]
mod tests;
