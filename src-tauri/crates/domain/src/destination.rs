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
    /// The error is a sentence for the agent.
    pub fn parse(text: &str, region: &str) -> Result<Self, String> {
        if text == QUEUE_ADDRESS {
            return Ok(Self::NextInQueue);
        }
        if let Some(identity) = text.strip_prefix("client:") {
            return ClientIdentity::parse(identity).map(Self::Client).map_err(|_| {
                "A client address is client: and 1 to 121 letters, digits and underscores.".into()
            });
        }
        if text.starts_with("sip:") || text.starts_with("sips:") {
            return SipUri::parse(text).map(Self::Sip).map_err(|error| error.to_string());
        }
        if let Some(number) = phone_number::emergency_number(text, region) {
            return Ok(Self::Emergency(number));
        }
        E164::parse_strict(text).map(Self::Number).map_err(|error| error.to_string())
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
