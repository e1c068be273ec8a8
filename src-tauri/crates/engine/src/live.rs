//! The phone with a real account: its Controller, put together from the record.

use std::sync::Arc;

use dialer_domain::call_flow::Rules;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::{Clock, Vault};
use dialer_domain::setup::Record;
use dialer_storage::sounds::Sounds;
use tokio::sync::broadcast;

use crate::api::HostEvent;
use crate::call_log::CallLog;
use crate::core::{Core, Parts};
use crate::sound::Sound;
use crate::state::{Account, Line};
use crate::twilio_at::TwilioAt;

/// Where numbers without a country code are read while no number of the agent's own tells.
const HOME_REGION: &str = "US";

/// The account as the Controller needs it; `None` while set-up has not made key and app.
pub(crate) fn account(record: &Record, twilio: &TwilioAt) -> Option<Account> {
    let choices = record.choices.as_ref()?;
    let own = choices.caller_id.as_ref().or_else(|| record.numbers.first().map(|bound| &bound.number));
    Some(Account {
        agent_name: record.account.friendly_name.clone(),
        identity: record.identity.clone(),
        account_sid: record.account.sid.clone(),
        api_key_sid: record.key.clone()?,
        twiml_app_sid: record.app.clone()?,
        caller_id: choices.caller_id.clone(),
        caller_ids: caller_ids(record),
        owned_numbers: record.numbers.iter().map(|bound| bound.number.clone()).collect(),
        rings: !record.numbers.is_empty(),
        home_region: own.and_then(phone_number::region).unwrap_or_else(|| HOME_REGION.into()),
        signalling: twilio.signalling(),
        practice: None,
    })
}

/// The numbers that may be shown, as far as the record tells: the chosen one, and those that ring here.
fn caller_ids(record: &Record) -> Vec<E164> {
    let chosen = record.choices.as_ref().and_then(|choices| choices.caller_id.clone());
    let mut numbers: Vec<E164> =
        chosen.into_iter().chain(record.numbers.iter().map(|bound| bound.number.clone())).collect();
    numbers.sort();
    numbers.dedup();
    numbers
}

/// What a phone with a real account is made of.
pub(crate) struct LiveOptions {
    pub(crate) account: Account,
    /// What calls may do.
    pub(crate) rules: Rules,
    /// The agent's recordings that callers hear.
    pub(crate) sounds: Sounds,
    /// Which Twilio the account is at.
    pub(crate) twilio: TwilioAt,
    pub(crate) call_log: CallLog,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) sound: Sound,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: broadcast::Sender<HostEvent>,
}

/// Starts the Controller. Twilio's requests do not reach it yet.
pub(crate) fn start(options: LiveOptions) -> Core {
    let (native_voice, voice) = options.sound.start();
    let core = Core::start(Parts {
        account: options.account,
        line: Line::Opening,
        vault: options.vault,
        store: options.call_log.store,
        clock: options.clock,
        voice,
        native_voice,
        practice: None,
        rules: options.rules,
        sounds: Some(options.sounds),
        twilio: options.twilio,
        events: options.events,
    });
    if let Some(notice) = options.call_log.notice {
        core.raise(notice);
    }
    core
}
