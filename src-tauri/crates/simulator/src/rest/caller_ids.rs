//! Verified caller ids, and the call that verifies one.
//!
//! Twilio rings the number and asks whoever answers to key in the six digits of the answer. A far
//! end of practice that answers and speaks with people does so by itself a moment later; a voicemail
//! box, a silent one and one with keys of its own do not. Which numbers verify, and that a status
//! callback tells of it by `VerificationStatus` and `OutgoingCallerIdSid`, is Twilio's; the exact set
//! of its other parameters, and the refusal of a trial's sixth number (10002), are guessed.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use dialer_domain::phone_number::E164;
use rand::RngExt as _;
use serde_json::{Value, json};
use url::Url;

use super::ask::{Answer, Ask, gone, ok};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::account::{CallerId, WebhookMethod, is_web, national};
use crate::audio::{Pattern, Player};
use crate::call::{End, Leg, LegCommand, LegState, ring_later};
use crate::event::WebhookPurpose;
use crate::far_end::TalkScript;
use crate::network::Network;
use crate::webhook::{Conversation, Request, call_form};

/// What Twilio's verification calls show.
const FROM: &str = "+14157234000";
/// Spoken to whoever answers.
const PLEASE: &str = "Please enter the code shown in your application.";
/// How long a number may ring, and how long it has to key in the code, simulated.
const RINGING: Duration = Duration::from_secs(30);
const KEYING: Duration = Duration::from_secs(20);
/// How long six keys sound, and somewhat more: sound is in real time.
const SOUND_OF_KEYS: Duration = Duration::from_secs(4);
/// How long a far end takes to begin keying, simulated.
const THINKING: Duration = Duration::from_secs(2);
/// A trial account's verified numbers (trial rules of 2026).
const MOST_ON_TRIAL: usize = 5;
const LONGEST_DELAY_S: u64 = 60;

/// `OutgoingCallerIds.json`.
pub(crate) fn list(ask: &Ask) -> Answer {
    match ask.method {
        Method::GET => {
            let own = &ask.network.account.account_sid;
            let (number, name) = (ask.filter("PhoneNumber"), ask.filter("FriendlyName"));
            let wanted = |verified: &&CallerId| {
                number.is_none_or(|number| verified.number.as_str() == number)
                    && name.is_none_or(|name| verified.friendly_name == name)
            };
            let shown = {
                let resources = ask.network.resources();
                resources.caller_ids.iter().rev().filter(wanted).map(|verified| verified.shown(own)).collect()
            };
            page_2010(ask, "outgoing_caller_ids", shown)
        }
        Method::POST => verify(ask),
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// `OutgoingCallerIds/{PN}.json`.
pub(crate) fn one(ask: &Ask, sid: &str) -> Answer {
    let own = &ask.network.account.account_sid;
    let mut resources = ask.network.resources();
    let index = resources.caller_ids.iter().position(|verified| verified.sid.as_str() == sid);
    let index = index.ok_or_else(|| ask.not_found())?;
    match ask.method {
        Method::GET => {}
        Method::POST => {
            let name = ask.friendly_name()?;
            if let (Some(name), Some(verified)) = (name, resources.caller_ids.get_mut(index)) {
                verified.friendly_name = name;
                verified.updated_ms = ask.network.now_ms();
            }
        }
        Method::DELETE => {
            resources.caller_ids.remove(index);
            return gone();
        }
        _ => return Err(Refusal::method_not_allowed()),
    }
    ok(resources.caller_ids.get(index).map_or(Value::Null, |verified| verified.shown(own)))
}

/// A verification in progress.
struct Verification {
    number: E164,
    friendly_name: Option<String>,
    code: String,
    callback: Option<(Url, WebhookMethod)>,
}

fn verify(ask: &Ask) -> Answer {
    let network = &ask.network;
    let given = ask.required("PhoneNumber")?;
    let number = E164::parse_strict(given)
        .map_err(|_| Refusal::bad(21_401, format!("{given} is not a valid phone number")))?;
    let friendly_name = ask.friendly_name()?;
    let delay = match ask.field("CallDelay").filter(|text| !text.is_empty()).map(str::parse) {
        None => 0,
        Some(Ok(delay @ 0..=LONGEST_DELAY_S)) => delay,
        Some(_) => return Err(Refusal::bad(21_454, "CallDelay is not between 0 and 60")),
    };
    let callback = match ask.field("StatusCallback").filter(|text| !text.is_empty()) {
        Some(text) => {
            let url = Url::parse(text).ok().filter(|_| is_web(text));
            let url = url.ok_or_else(|| Refusal::bad(21_456, "StatusCallback is not a valid URL"))?;
            Some((url, WebhookMethod::from_wire(ask.field("StatusCallbackMethod"))))
        }
        None => None,
    };
    {
        let resources = network.resources();
        if resources.has_verified(number.as_str()) {
            return Err(Refusal::bad(21_450, "Phone number already verified for your account."));
        }
        if resources.is_trial() && resources.caller_ids.len() >= MOST_ON_TRIAL {
            return Err(Refusal::bad(10_002, "Trial accounts can verify five numbers"));
        }
    }
    network
        .allow_destination(number.as_str())
        .map_err(|forbidden| Refusal::bad(forbidden.rest_code(), forbidden.text()))?;
    let code = format!("{:06}", rand::rng().random_range(0..1_000_000));
    let (leg, rung) = ring_later(network, FROM, &number, Duration::from_secs(delay));
    let body = json!({
        "account_sid": network.account.account_sid,
        "call_sid": leg.sid,
        "friendly_name": friendly_name.clone().unwrap_or_else(|| national(number.as_str())),
        "phone_number": number,
        "validation_code": code,
    });
    let verification = Verification { number, friendly_name, code, callback };
    let task_network = Arc::clone(network);
    network.spawn(async move {
        rung.await;
        verification.run(task_network, leg).await;
    });
    ok(body)
}

impl Verification {
    /// Waits for the answer and the code, and tells how it went.
    async fn run(self, network: Arc<Network>, leg: Arc<Leg>) {
        let answered = tokio::time::timeout(network.pace.real(RINGING), leg.decided()).await;
        let verified = answered == Ok(true) && self.is_keyed_in(&network, &leg).await;
        leg.end(if leg.state() == LegState::Answered { End::Completed } else { End::NoAnswer }).await;
        let new = verified.then(|| {
            let new = network.new_caller_id(self.number.clone(), self.friendly_name.clone());
            let mut resources = network.resources();
            if !resources.has_verified(self.number.as_str()) {
                resources.caller_ids.push(new.clone());
            }
            new
        });
        self.tell(&network, &leg, new.as_ref()).await;
    }

    /// Asks for the code and listens.
    async fn is_keyed_in(&self, network: &Network, leg: &Leg) -> bool {
        let mut keys = leg.keys();
        if let Some(port) = leg.port() {
            drop(network.switch.play(port, Player::new(Pattern::speech(PLEASE), 1)));
        }
        let obliging = match network.script(self.number.as_str()).talk {
            TalkScript::Echo | TalkScript::Tone { .. } | TalkScript::ReadDigits => true,
            TalkScript::Silence
            | TalkScript::Voicemail
            | TalkScript::SendDigits { .. }
            | TalkScript::Steps { .. } => false,
        };
        let keyed_in = async {
            if obliging {
                network.pace.sleep(THINKING).await;
                leg.command(LegCommand::Press(self.code.clone()));
            }
            let mut keyed = String::new();
            while let Ok((digit, _)) = keys.recv().await {
                keyed.push(digit);
                if keyed.ends_with(&self.code) {
                    break;
                }
            }
        };
        let time_is_up = async {
            network.pace.sleep(KEYING).await;
            if obliging {
                tokio::time::sleep(SOUND_OF_KEYS).await;
            }
        };
        tokio::select! {
            () = keyed_in => true,
            _ = leg.ended() => false,
            () = time_is_up => false,
        }
    }

    async fn tell(&self, network: &Arc<Network>, leg: &Leg, new: Option<&CallerId>) {
        let Some((url, method)) = self.callback.clone() else { return };
        let mut form = call_form(network.account.account_sid.as_str(), leg, leg.status());
        form.push("VerificationStatus", if new.is_some() { "success" } else { "failed" });
        if let Some(new) = new {
            form.push("OutgoingCallerIdSid", new.sid.as_str());
        }
        let request =
            Request { purpose: WebhookPurpose::StatusCallback, url, method, form, call_sid: leg.sid.clone() };
        // How it went is in the log.
        network.notify(&Arc::new(Conversation::new()), request).await;
    }
}
