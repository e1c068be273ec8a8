//! The practice account: its credentials, its numbers and its TwiML Apps.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, ApiKeySid, CallSid, PhoneNumberSid, TwimlAppSid};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

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

/// How a webhook is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookMethod {
    /// Parameters in the query.
    Get,
    /// Parameters in a form body. Twilio's default.
    #[default]
    Post,
}

/// A TwiML App: where calls are asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwimlApp {
    /// For people.
    pub friendly_name: String,
    /// Asked what a call should do. Without it a call of the SDK fails with 31404.
    pub voice_url: Option<Url>,
    /// How `voice_url` is requested.
    pub voice_method: WebhookMethod,
    /// Asked when `voice_url` failed, with `ErrorCode` and `ErrorUrl` added.
    pub voice_fallback_url: Option<Url>,
    /// How `voice_fallback_url` is requested.
    pub voice_fallback_method: WebhookMethod,
    /// Told when the parent leg has ended.
    pub status_callback: Option<Url>,
    /// How `status_callback` is requested.
    pub status_callback_method: WebhookMethod,
}

/// Makes SIDs: reproducible from a seed, unique within a run.
pub(crate) struct SidSource(Mutex<StdRng>);

impl SidSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn account(&self) -> AccountSid {
        AccountSid::from_bytes(self.bytes())
    }

    pub(crate) fn api_key(&self) -> ApiKeySid {
        ApiKeySid::from_bytes(self.bytes())
    }

    pub(crate) fn application(&self) -> TwimlAppSid {
        TwimlAppSid::from_bytes(self.bytes())
    }

    pub(crate) fn call(&self) -> CallSid {
        CallSid::from_bytes(self.bytes())
    }

    pub(crate) fn number(&self) -> PhoneNumberSid {
        PhoneNumberSid::from_bytes(self.bytes())
    }
}

/// A telephone number of the account and the app that answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnedNumber {
    /// Its SID.
    pub sid: PhoneNumberSid,
    /// The number.
    pub number: E164,
    /// `VoiceApplicationSid`: which app is asked about calls to it.
    pub application_sid: Option<TwimlAppSid>,
}

/// Apps and numbers as they stand now.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    pub(crate) applications: HashMap<TwimlAppSid, TwimlApp>,
    pub(crate) numbers: Vec<OwnedNumber>,
}

impl Resources {
    pub(crate) fn owns(&self, number: &str) -> bool {
        self.numbers.iter().any(|owned| owned.number.as_str() == number)
    }

    pub(crate) fn number_mut(&mut self, number: &E164) -> Option<&mut OwnedNumber> {
        self.numbers.iter_mut().find(|owned| owned.number == *number)
    }

    /// The app behind `number`, or behind the first number that has one.
    pub(crate) fn route(&self, number: Option<&E164>) -> Option<(E164, TwimlAppSid, TwimlApp)> {
        self.numbers.iter().filter(|owned| number.is_none_or(|wanted| owned.number == *wanted)).find_map(
            |owned| {
                let sid = owned.application_sid.clone()?;
                let app = self.applications.get(&sid)?.clone();
                Some((owned.number.clone(), sid, app))
            },
        )
    }
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
fn random_hex_secret() -> SecretString {
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
