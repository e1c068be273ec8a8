//! The account the phone works with.

use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};

use crate::api::{AgentView, CallerIdOption, PracticeView, SignallingView};

/// The account the phone works with; its secrets stay in the vault under the account SID.
#[derive(Debug, Clone)]
pub struct Account {
    /// Shown in the header.
    pub agent_name: String,
    /// Whom access tokens name.
    pub identity: ClientIdentity,
    /// The account.
    pub account_sid: AccountSid,
    /// The API key that signs access tokens.
    pub api_key_sid: ApiKeySid,
    /// The app whose voice URL our outgoing calls ask.
    pub twiml_app_sid: TwimlAppSid,
    /// Shown to called parties.
    pub caller_id: Option<E164>,
    /// Every number that may be shown: owned and verified ones.
    pub caller_ids: Vec<E164>,
    /// Those of them that the account owns, as far as that is known.
    pub owned_numbers: Vec<E164>,
    /// Whether calls to any number ring here.
    pub rings: bool,
    /// ISO 3166 code of the region in which numbers without a country code are read.
    pub home_region: String,
    /// Where the SDK connects.
    pub signalling: SignallingView,
    /// Practice numbers, in practice mode.
    pub practice: Option<PracticeView>,
}

impl Account {
    /// The header.
    pub fn agent_view(&self) -> AgentView {
        AgentView {
            name: self.agent_name.clone(),
            identity: self.identity.to_string(),
            caller_id: self.caller_id.clone(),
            caller_id_formatted: self.caller_id.as_ref().map(phone_number::format),
            caller_ids: self
                .caller_ids
                .iter()
                .map(|number| CallerIdOption {
                    number: number.clone(),
                    formatted: phone_number::format(number),
                })
                .collect(),
        }
    }
}
