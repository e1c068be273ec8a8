//! Telephone numbers in E.164 and how they are shown.

use serde::{Deserialize, Serialize};

/// A telephone number in E.164: `+` and 7 to 15 digits, the first not zero.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct E164(String);

/// Why a text is no telephone number, as a sentence with the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidNumber(pub String);

impl E164 {
    /// Reads a number that must already be in E.164, as Twilio sends it.
    pub fn parse_strict(text: &str) -> Result<Self, InvalidNumber> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let valid = (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit());
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidNumber("A number needs + and 7 to 15 digits, such as +12025550123.".into()))
        }
    }

    /// `+` and the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for E164 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for E164 {
    type Error = InvalidNumber;
    fn try_from(text: String) -> Result<Self, InvalidNumber> {
        Self::parse_strict(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> String {
        number.0
    }
}

/// What the number field shows for what was typed so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[ts(export)]
pub struct NumberInspection {
    /// The typed text, formatted as far as it goes.
    pub formatted: String,
    /// The number that would be dialled, once complete.
    pub e164: Option<E164>,
    /// Name of the country or region, in English, once known.
    pub country: Option<String>,
    /// Why it cannot be dialled yet, as a sentence with the cure; absent when it can, or when nothing was typed.
    pub problem: Option<String>,
}
