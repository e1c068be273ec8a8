//! Whom the agent can call: the `To` of an outgoing call, read.

use serde::{Deserialize, Serialize};

use crate::identity::ClientIdentity;
use crate::phone_number::{self, E164};
use crate::sip_uri::SipUri;

/// The agent's own queue of waiting callers, as `To` names it.
pub const QUEUE_ADDRESS: &str = "queue:";

/// Somebody to be called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum Destination {
    /// A telephone.
    Number(E164),
    /// An emergency number of the home country, such as `911`.
    Emergency(String),
    /// A Voice SDK device of the account: `client:agent_2`.
    Client(ClientIdentity),
    /// A SIP address: `sip:desk@example.com`.
    Sip(SipUri),
    /// The caller who has waited longest in the agent's queue.
    NextInQueue,
}

impl Destination {
    /// Reads `To` as the window passes it; `region` (ISO 3166) says which emergency numbers there are.
    /// Schemes may be in capitals. The error is a sentence for the agent.
    pub fn parse(text: &str, region: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(QUEUE_ADDRESS) {
            return Ok(Self::NextInQueue);
        }
        match text.split_once(':') {
            Some((scheme, identity)) if scheme.eq_ignore_ascii_case("client") => {
                ClientIdentity::parse(identity).map(Self::Client).map_err(|_| {
                    "A client address is client: and 1 to 121 letters, digits and underscores.".into()
                })
            }
            Some((scheme, _)) if ["sip", "sips"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
                SipUri::parse(text).map(Self::Sip).map_err(|error| error.to_string())
            }
            Some(_) | None => match phone_number::emergency_number(text, region) {
                Some(digits) => Ok(Self::Emergency(digits)),
                None => E164::parse_strict(text).map(Self::Number).map_err(|error| error.to_string()),
            },
        }
    }

    /// The address, as `To` and the call log have it.
    pub fn address(&self) -> String {
        match self {
            Self::Number(number) => number.as_str().to_owned(),
            Self::Emergency(number) => number.clone(),
            Self::Client(identity) => identity.address(),
            Self::Sip(uri) => uri.as_str().to_owned(),
            Self::NextInQueue => QUEUE_ADDRESS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn every_kind_has_its_address() {
        let number = E164::parse_strict("+12025550123").unwrap();
        let agent = ClientIdentity::parse("agent_2").unwrap();
        let desk = SipUri::parse("sip:desk@example.com").unwrap();
        for (text, expected) in [
            ("+12025550123", Destination::Number(number)),
            ("911", Destination::Emergency("911".into())),
            ("9 1-1", Destination::Emergency("911".into())),
            ("client:agent_2", Destination::Client(agent.clone())),
            ("CLIENT:agent_2", Destination::Client(agent)),
            ("sip:desk@example.com", Destination::Sip(desk.clone())),
            ("Sip:desk@example.com", Destination::Sip(desk)),
            ("queue:", Destination::NextInQueue),
        ] {
            let read = Destination::parse(text, "US").unwrap();
            assert_eq!(read, expected, "{text}");
            assert_eq!(Destination::parse(&read.address(), "US"), Ok(read), "{text}");
        }
    }

    #[test]
    fn what_names_nobody_says_why() {
        for (text, why) in [
            ("", "+ and 7 to 15 digits"),
            ("2025550123", "+ and 7 to 15 digits"),
            ("tel:+12025550123", "+ and 7 to 15 digits"),
            ("client:", "client address"),
            ("client:a b", "client address"),
            ("sip:desk", "SIP address"),
            ("queue:other", "+ and 7 to 15 digits"),
        ] {
            let error = Destination::parse(text, "US").unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
