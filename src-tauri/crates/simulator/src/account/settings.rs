//! What the account is like, as a test or a lesson sets it.

use dialer_domain::account::{AccountKind, AccountStanding};
use dialer_domain::phone_number::E164;
use serde::{Deserialize, Serialize};

/// The state of the account. JSON; what is left out is as in [`AccountSettings::default`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountSettings {
    /// Its name at Twilio.
    pub friendly_name: String,
    /// `trial` has Twilio's limits of 2026: calls to verified numbers only, from the number Twilio
    /// gave, ten minutes each, at most five verified numbers.
    pub kind: AccountKind,
    /// A suspended account is refused all but the question what state it is in, and calls nobody.
    pub standing: AccountStanding,
    /// What is left, in `currency`, as Twilio writes it.
    pub balance: String,
    /// ISO 4217.
    pub currency: String,
    /// Whether it may say how its webhooks are signed: the Webhooks configuration API is a beta that not
    /// every account has.
    pub webhook_configuration: bool,
    /// Numbers verified as caller ids. Setting it replaces the ones there are.
    pub verified: Vec<E164>,
}

impl Default for AccountSettings {
    fn default() -> Self {
        Self {
            friendly_name: "Practice account".into(),
            kind: AccountKind::Full,
            standing: AccountStanding::Active,
            balance: "20.00".into(),
            currency: "USD".into(),
            webhook_configuration: true,
            verified: Vec::new(),
        }
    }
}
