//! Twilio's identifiers: two letters that name the resource and 32 hexadecimal digits.

use serde::{Deserialize, Serialize};

/// A text that is no SID of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {prefix} and 32 hexadecimal digits")]
pub struct InvalidSid {
    /// The two letters the SID should start with.
    pub prefix: &'static str,
}

macro_rules! sid {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
        #[serde(try_from = "String", into = "String")]
        #[ts(type = "string")]
        pub struct $name(String);

        impl $name {
            /// The two letters every such SID starts with.
            pub const PREFIX: &'static str = $prefix;

            /// Checks the form of `text`; hexadecimal digits may be of either case.
            pub fn parse(text: &str) -> Result<Self, InvalidSid> {
                let valid = text
                    .strip_prefix(Self::PREFIX)
                    .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
                if valid { Ok(Self(text.to_owned())) } else { Err(InvalidSid { prefix: Self::PREFIX }) }
            }

            /// Builds a SID from 16 bytes, as the simulator does with its seeded generator.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                use std::fmt::Write as _;
                let mut text = String::with_capacity(34);
                text.push_str(Self::PREFIX);
                for byte in bytes {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{byte:02x}");
                }
                Self(text)
            }

            /// The SID as Twilio writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidSid;
            fn try_from(text: String) -> Result<Self, InvalidSid> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(sid: $name) -> String {
                sid.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidSid;
            fn from_str(text: &str) -> Result<Self, InvalidSid> {
                Self::parse(text)
            }
        }
    };
}

sid!(
    /// An account or subaccount.
    AccountSid, "AC"
);
sid!(
    /// An API key; its secret signs access tokens.
    ApiKeySid, "SK"
);
sid!(
    /// A TwiML App: the voice URL that calls of the SDK are sent to.
    TwimlAppSid, "AP"
);
sid!(
    /// One leg of a call.
    CallSid, "CA"
);
sid!(
    /// A telephone number the account owns.
    PhoneNumberSid, "PN"
);
sid!(
    /// A conference.
    ConferenceSid, "CF"
);
sid!(
    /// A recording of a call or a conference.
    RecordingSid, "RE"
);
sid!(
    /// A queue.
    QueueSid, "QU"
);
sid!(
    /// A notification of the API of 2010, or an alert of Monitor: the same thing, told twice.
    AlertSid, "NO"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_the_form_and_nothing_else() {
        assert!(CallSid::parse("CA0123456789abcdefABCDEF0123456789").is_ok());
        for bad in [
            "",
            "CA",
            "CA0123",
            "AC0123456789abcdef0123456789abcdef",
            "CA0123456789abcdef0123456789abcdeg",
            "CA0123456789abcdef0123456789abcdef0",
        ] {
            assert!(CallSid::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn bytes_and_text_agree() {
        let sid = TwimlAppSid::from_bytes([0xab; 16]);
        assert_eq!(sid.as_str(), "APabababababababababababababababab");
        assert_eq!(TwimlAppSid::parse(sid.as_str()), Ok(sid));
    }
}
