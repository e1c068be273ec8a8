//! What the agent enters to connect an account: cleaned of what copying leaves on a text, and checked
//! for its form.
//!
//! The form is all that can be told without a network: whether a pair belongs together, and whether
//! the credentials are test credentials (which look like live ones), only Twilio can say. No sentence
//! made here quotes what was entered, for it may be a secret in the wrong field.

mod mistake;
mod tidy;
mod web_address;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::phone_number::{self, E164};
use crate::sid::{AccountSid, ApiKeySid, TwimlAppSid};

use mistake::{Shape, masked, placeholder, shape};

/// A thing to enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename = "CredentialField")]
pub enum Field {
    /// `AC…`. Needed.
    AccountSid,
    /// The primary Auth Token, a secret. Needed.
    AuthToken,
    /// `SK…` of a key to use instead of a new one.
    ApiKey,
    /// That key's secret, a secret.
    ApiSecret,
    /// The number to be shown to called parties.
    PhoneNumber,
    /// A TwiML App made by hand; it is checked and then left alone.
    TwimlAppSid,
    /// A fixed public address of this computer.
    BackendUrl,
    /// The token of the tunnel program, a secret.
    TunnelToken,
}

impl Field {
    /// All fields, in the order in which they are asked for.
    pub const ALL: [Self; 8] = [
        Self::AccountSid,
        Self::AuthToken,
        Self::ApiKey,
        Self::ApiSecret,
        Self::PhoneNumber,
        Self::TwimlAppSid,
        Self::BackendUrl,
        Self::TunnelToken,
    ];

    /// Whether what belongs there may never be shown again.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::AuthToken | Self::ApiSecret | Self::TunnelToken)
    }
}

/// What was entered, of the right form. Printing it shows no secret.
#[derive(Debug, Clone)]
pub enum Cleaned {
    /// For [`Field::AccountSid`].
    AccountSid(AccountSid),
    /// For [`Field::ApiKey`].
    ApiKey(ApiKeySid),
    /// For [`Field::PhoneNumber`].
    PhoneNumber(E164),
    /// For [`Field::TwimlAppSid`].
    TwimlAppSid(TwimlAppSid),
    /// For [`Field::BackendUrl`]: `https`, a host, perhaps a port and a path, no slash at the end.
    BackendUrl(String),
    /// For [`Field::AuthToken`], [`Field::ApiSecret`] and [`Field::TunnelToken`].
    Secret(SecretString),
}

impl Cleaned {
    /// The text, for showing it in its field; `None` for a secret.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::AccountSid(sid) => Some(sid.to_string()),
            Self::ApiKey(sid) => Some(sid.to_string()),
            Self::PhoneNumber(number) => Some(number.to_string()),
            Self::TwimlAppSid(sid) => Some(sid.to_string()),
            Self::BackendUrl(url) => Some(url.clone()),
            Self::Secret(_) => None,
        }
    }
}

/// Cleans `text` and checks that it can be what belongs into `field`. The error is a sentence that says
/// what seems to be there instead and where to find what belongs there.
pub fn check(field: Field, text: &str) -> Result<Cleaned, String> {
    let text = tidy::tidy(field, text);
    if text.is_empty() {
        return Err(format!("Nothing was entered. {}", where_to_find(field)));
    }
    let read = match field {
        Field::AccountSid => sid(&text).and_then(|sid| AccountSid::parse(&sid).ok()).map(Cleaned::AccountSid),
        Field::ApiKey => sid(&text).and_then(|sid| ApiKeySid::parse(&sid).ok()).map(Cleaned::ApiKey),
        Field::TwimlAppSid => {
            sid(&text).and_then(|sid| TwimlAppSid::parse(&sid).ok()).map(Cleaned::TwimlAppSid)
        }
        Field::AuthToken => (shape(&text) == Shape::AuthToken).then(|| secret(&text)),
        // 32 letters and digits, which may by chance be what an Auth Token consists of.
        Field::ApiSecret => {
            matches!(shape(&text), Shape::ApiSecret | Shape::AuthToken).then(|| secret(&text))
        }
        Field::TunnelToken => is_tunnel_token(&text).then(|| secret(&text)),
        Field::PhoneNumber => {
            if placeholder(field, &text) {
                return Err(still_an_example(field));
            }
            if let Shape::Sid(kind) = shape(&text) {
                return Err(format!("This is {}, not a number. {}", kind.words(), where_to_find(field)));
            }
            // No home region: a number that is to be shown abroad is entered with its country.
            let number = phone_number::parse(&text, "").map_err(|error| error.0)?;
            Some(Cleaned::PhoneNumber(number))
        }
        Field::BackendUrl => {
            if placeholder(field, &text) {
                return Err(still_an_example(field));
            }
            return web_address::read(&text).map(Cleaned::BackendUrl);
        }
    };
    read.ok_or_else(|| {
        if masked(&text) {
            format!(
                "These are only the dots behind which the value is hidden. Press “Show” or the copy button beside it. {}",
                where_to_find(field)
            )
        } else if placeholder(field, &text) {
            still_an_example(field)
        } else {
            mistake::sentence(field, &text)
        }
    })
}

/// Whether a text that was entered anywhere, a number or an address perhaps, may be or hold a secret and
/// should not be shown again or written down: 20 letters and digits in a row, as in an Auth Token, a part
/// of one, the secret of a key or the token of a tunnel; or a password in a web address. SIDs, telephone
/// numbers and the host names of people and of tunnels are none.
pub fn may_be_secret(text: &str) -> bool {
    mistake::may_hide_secret(&tidy::tidy(Field::AuthToken, text))
}

/// The text with the two letters of a SID in capitals, as Twilio writes them.
fn sid(text: &str) -> Option<String> {
    let (letters, digits) = text.split_at_checked(2)?;
    Some(format!("{}{digits}", letters.to_ascii_uppercase()))
}

fn secret(text: &str) -> Cleaned {
    Cleaned::Secret(SecretString::from(text))
}

/// What the tokens of ngrok (letters, digits, underscores) and of cloudflared (base64 of a JSON object)
/// have in common; neither vendor promises a length.
fn is_tunnel_token(text: &str) -> bool {
    (20..=2_000).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-+/=.".contains(&b))
        && matches!(shape(text), Shape::Other)
}

fn still_an_example(field: Field) -> String {
    format!("This is still the text of an example. {}", where_to_find(field))
}

/// Where in the world the value is.
fn where_to_find(field: Field) -> &'static str {
    match field {
        Field::AccountSid => {
            "The Account SID is on the first page of the Twilio Console; it is AC and 32 digits from 0–9 and a–f."
        }
        Field::AuthToken => {
            "The Auth Token is on the first page of the Twilio Console, below the Account SID; it is 32 digits from 0–9 \
             and a–f."
        }
        Field::ApiKey => {
            "The SID of an API key is SK and 32 digits from 0–9 and a–f; leave the field empty and the program makes a \
             key of its own."
        }
        Field::ApiSecret => {
            "Twilio shows the secret of an API key once, when the key is made; it is 32 letters and digits. Leave both \
             key fields empty and the program makes a key of its own."
        }
        Field::PhoneNumber => {
            "Enter a number that you own at Twilio or have verified there, with + and the country code, such as \
             +12025550123."
        }
        Field::TwimlAppSid => {
            "The SID of a TwiML App is AP and 32 digits from 0–9 and a–f; leave the field empty and the program makes an \
             app of its own."
        }
        Field::BackendUrl => {
            "Enter the https address under which the internet reaches this computer, such as https://phone.example.com, \
             or leave the field empty and choose a tunnel."
        }
        Field::TunnelToken => {
            "The token is on your page at ngrok or Cloudflare; copy it, or the whole command that is shown there."
        }
    }
}

#[cfg(test)]
mod tests;
