//! The practice account: its credentials, its numbers, its TwiML Apps and what else it has.

mod application;
mod caller_id;
mod country;
mod field;
mod key;
mod number;
mod resources;
mod settings;
mod sids;
mod webhook_rules;

use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, ApiKeySid};
use secrecy::SecretString;

pub(crate) use application::Application;
pub use application::{TwimlApp, WebhookMethod};
pub(crate) use caller_id::CallerId;
pub(crate) use country::{Countries, Country};
pub(crate) use field::{FieldError, is_sid, is_web};
pub(crate) use key::ApiKey;
pub use key::KeyClass;
pub(crate) use number::{Number, national};
pub use number::{NumberSettings, OwnedNumber};
pub(crate) use resources::Resources;
pub use settings::AccountSettings;
pub(crate) use sids::SidSource;
pub(crate) use webhook_rules::{
    Match, SharedKey, WebhookOperation, WebhookRule, WebhookRules, WebhookSetting,
};

/// The one account of a simulator.
///
/// SIDs follow from the seed, so that two runs can be compared. The two secrets never do: they come
/// from the operating system's randomness, because whoever knows them can place calls here.
#[derive(Debug, Clone)]
pub struct PracticeAccount {
    /// The account.
    pub account_sid: AccountSid,
    /// Signs webhooks.
    pub auth_token: SecretString,
    /// A Standard API key.
    pub api_key_sid: ApiKeySid,
    /// Signs access tokens.
    pub api_key_secret: SecretString,
    /// Telephone numbers the account owns, in ascending order.
    pub numbers: Vec<E164>,
}

/// A new account with the given numbers, and the source of its later SIDs.
pub(crate) fn open_account(sids: &SidSource, mut numbers: Vec<E164>) -> PracticeAccount {
    numbers.sort();
    numbers.dedup();
    PracticeAccount {
        account_sid: sids.account(),
        auth_token: random_hex_secret(),
        api_key_sid: sids.api_key(),
        api_key_secret: random_hex_secret(),
        numbers,
    }
}

/// 32 hexadecimal digits: the form of an Auth Token.
pub(crate) fn random_hex_secret() -> SecretString {
    use std::fmt::Write as _;
    let bytes: [u8; 16] = rand::random();
    let mut text = String::with_capacity(32);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn sids_follow_the_seed_and_secrets_do_not() {
        let (one, two) = (open_account(&SidSource::new(7), vec![]), open_account(&SidSource::new(7), vec![]));
        assert_eq!(one.account_sid, two.account_sid);
        assert_eq!(one.api_key_sid, two.api_key_sid);
        assert_ne!(one.auth_token.expose_secret(), two.auth_token.expose_secret());
        assert_ne!(one.api_key_secret.expose_secret(), two.api_key_secret.expose_secret());
        assert_ne!(one.account_sid, open_account(&SidSource::new(8), vec![]).account_sid);
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let account = open_account(&SidSource::new(7), vec![]);
        let shown = format!("{account:?}");
        assert!(!shown.contains(account.auth_token.expose_secret()));
        assert!(!shown.contains(account.api_key_secret.expose_secret()));
    }
}
