//! Telephone numbers: read from what people type and paste, written in E.164, shown for reading.
//!
//! What a number looks like in each country is Google's libphonenumber metadata. A number counts as
//! dialable when its length is possible in its country; whether it is assigned is for the network
//! to say, because metadata ages and a phone that refuses a new number is worse than one that tries.

mod as_you_type;
mod emergency;
mod nanp;
mod reading;
mod region_name;
mod surcharge;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};

pub use emergency::{emergency_number, is_emergency, is_emergency_abroad};
pub use reading::{inspect, parse, region};
pub use surcharge::{Surcharge, surcharge};

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
pub struct NumberInspection {
    /// The typed text, formatted as far as it goes.
    pub formatted: String,
    /// The number that would be dialled, once complete.
    pub e164: Option<E164>,
    /// Name of the country or region, in English, once known.
    pub country: Option<String>,
    /// Why it cannot be dialled yet, as a sentence with the cure; absent when it can, or when nothing was typed.
    pub problem: Option<String>,
    /// The emergency number that was typed, digits only, if it is one.
    pub emergency: Option<String>,
}

/// The name of a region by its ISO 3166 code, in English; the code itself where there is no name.
pub fn region_name(code: &str) -> String {
    region_name::region_name(code)
        .unwrap_or(if code.is_empty() { "an unknown country" } else { code })
        .to_owned()
}

/// Every region that has telephone numbers, by ISO 3166 code, with its name in English.
pub fn regions() -> impl Iterator<Item = (&'static str, &'static str)> {
    region_name::regions()
}

/// The number in international form with its country's grouping, such as `+1 202-555-0123`. A number
/// that fits no country's pattern is shown as it is.
pub fn format(number: &E164) -> String {
    let shown = PHONE_NUMBER_UTIL
        .parse(number.as_str(), None)
        .map(|parsed| PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::International).into_owned());
    let is_same = |shown: &String| {
        let digits = shown.bytes().filter(u8::is_ascii_digit);
        digits.eq(number.as_str().bytes().skip(1))
    };
    shown.ok().filter(is_same).unwrap_or_else(|| number.as_str().to_owned())
}

#[cfg(test)]
mod tests;
