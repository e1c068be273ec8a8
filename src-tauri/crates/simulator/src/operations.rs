//! What can be asked of a running simulator from outside, whether in the same process or over HTTP.

use std::sync::Arc;

use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, CallSid, TwimlAppSid};
use dialer_domain::sip_uri::SipUri;
use serde::{Deserialize, Serialize};

use crate::account::{AccountSettings, Application, CallerId, Number, NumberSettings, TwimlApp, national};
use crate::call::{
    CallRecord, End, Leg, LegCommand, LegDirection, LegState, NewLeg, Party, Session, sip_parts,
};
use crate::event::AlertLevel;
use crate::far_end::{CallerScript, Heard, call_in};
use crate::network::Network;

/// A telephone call to one of the account's numbers, or a SIP call to its domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncomingCall {
    /// Who calls. Once answered, it behaves as that practice number does, unless it is scripted.
    pub from: E164,
    /// Which number is called; by default the first that has an application.
    #[serde(default)]
    pub to: Option<E164>,
    /// What the caller does once the call is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<CallerScript>,
    /// The caller's SIP address, such as `sip:alice@practice.sip.example`, in place of the number: the
    /// call comes by the SIP domain behind `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_sip: Option<SipUri>,
}

impl IncomingCall {
    /// A telephone call of `from` to the first number that has an application.
    pub fn from_number(from: E164) -> Self {
        Self { from, to: None, script: None, from_sip: None }
    }

    /// The same to another number.
    #[must_use]
    pub fn to(self, to: E164) -> Self {
        Self { to: Some(to), ..self }
    }

    /// The same, with a caller who does what is scripted.
    #[must_use]
    pub fn doing(self, script: CallerScript) -> Self {
        Self { script: Some(script), ..self }
    }
}

/// Why something asked of the simulator was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// The account has no such number.
    #[error("The practice account does not own {0}. Call one of its own numbers.")]
    UnknownNumber(E164),
    /// No application answers for the number, so a call to it would fail unheard.
    #[error("Nothing answers for that number. Bind the number to an application, or give it a voice URL.")]
    NotRouted,
    /// The account has that number already.
    #[error("The practice account owns {0} already.")]
    NumberTaken(E164),
    /// There is no such application.
    #[error("There is no application {0}. Create one first.")]
    UnknownApplication(TwimlAppSid),
    /// There is no such call, or it is over.
    #[error("There is no call {0} in progress.")]
    UnknownCall(CallSid),
    /// The leg is no far end that talks.
    #[error("Only a far end in conversation can press keys.")]
    NotTalking,
    /// The digits are none.
    #[error("Digits are 0 to 9, A to D, * and #; w and W wait.")]
    NotDigits,
}

impl Network {
    pub(crate) fn create_application(&self, app: TwimlApp) -> TwimlAppSid {
        let owner = self.account.account_sid.clone();
        self.add_application(&app, owner)
    }

    /// An app of another account, which this one can neither see nor change.
    pub(crate) fn create_foreign_application(&self, app: TwimlApp) -> TwimlAppSid {
        let owner = self.sids.account();
        self.add_application(&app, owner)
    }

    fn add_application(&self, app: &TwimlApp, owner: AccountSid) -> TwimlAppSid {
        let sid = self.sids.application();
        let mut new = Application::new(sid.clone(), owner, self.now_ms());
        new.say(app, self.now_ms());
        self.resources().applications.push(new);
        sid
    }

    pub(crate) fn update_application(&self, sid: &TwimlAppSid, app: TwimlApp) -> Result<(), OperationError> {
        let now_ms = self.now_ms();
        match self.resources().application_mut(sid) {
            Some(known) => {
                known.say(&app, now_ms);
                Ok(())
            }
            None => Err(OperationError::UnknownApplication(sid.clone())),
        }
    }

    pub(crate) fn bind_number(
        &self,
        number: &E164,
        application: Option<TwimlAppSid>,
    ) -> Result<(), OperationError> {
        let now_ms = self.now_ms();
        let mut resources = self.resources();
        if let Some(sid) = application.as_ref().filter(|sid| resources.application(sid).is_none()) {
            return Err(OperationError::UnknownApplication(sid.clone()));
        }
        let owned =
            resources.number_mut(number).ok_or_else(|| OperationError::UnknownNumber(number.clone()))?;
        owned.bind(application.as_ref(), now_ms);
        Ok(())
    }

    pub(crate) fn add_number(&self, number: &E164, settings: &NumberSettings) -> Result<(), OperationError> {
        let now_ms = self.now_ms();
        let mut resources = self.resources();
        if resources.owns(number.as_str()) {
            return Err(OperationError::NumberTaken(number.clone()));
        }
        resources.numbers.push(Number::new(self.sids.number(), number.clone(), settings, now_ms));
        Ok(())
    }

    pub(crate) fn set_up_number(
        &self,
        number: &E164,
        settings: &NumberSettings,
    ) -> Result<(), OperationError> {
        let now_ms = self.now_ms();
        let mut resources = self.resources();
        let owned =
            resources.number_mut(number).ok_or_else(|| OperationError::UnknownNumber(number.clone()))?;
        owned.set_up(settings, now_ms);
        Ok(())
    }

    pub(crate) fn remove_number(&self, number: &E164) -> Result<(), OperationError> {
        let mut resources = self.resources();
        let count = resources.numbers.len();
        resources.numbers.retain(|owned| owned.number != *number);
        let removed = resources.numbers.len() < count;
        if removed { Ok(()) } else { Err(OperationError::UnknownNumber(number.clone())) }
    }

    /// The state of the account, verified numbers included.
    pub(crate) fn settings(&self) -> AccountSettings {
        let resources = self.resources();
        let verified = resources.caller_ids.iter().map(|verified| verified.number.clone()).collect();
        AccountSettings { verified, ..resources.settings.clone() }
    }

    pub(crate) fn set_settings(&self, settings: AccountSettings) {
        let mut resources = self.resources();
        resources.caller_ids.retain(|known| settings.verified.contains(&known.number));
        for number in &settings.verified {
            if !resources.has_verified(number.as_str()) {
                let new = self.new_caller_id(number.clone(), None);
                resources.caller_ids.push(new);
            }
        }
        resources.settings = settings;
    }

    /// A caller id that is verified now.
    pub(crate) fn new_caller_id(&self, number: E164, friendly_name: Option<String>) -> CallerId {
        let now_ms = self.now_ms();
        CallerId {
            sid: self.sids.number(),
            friendly_name: friendly_name.unwrap_or_else(|| national(number.as_str())),
            number,
            created_ms: now_ms,
            updated_ms: now_ms,
        }
    }

    pub(crate) fn place_incoming(self: &Arc<Self>, call: &IncomingCall) -> Result<CallSid, OperationError> {
        let (to, app, active) = {
            let resources = self.resources();
            if let Some(unknown) = call.to.as_ref().filter(|to| !resources.owns(to.as_str())) {
                return Err(OperationError::UnknownNumber(unknown.clone()));
            }
            let (to, app) = resources.route(call.to.as_ref()).ok_or(OperationError::NotRouted)?;
            (to, app, resources.is_active())
        };
        let domain = call.from_sip.as_ref().map(|uri| sip_parts(uri.as_str()).1);
        let new = NewLeg {
            parent: None,
            direction: LegDirection::Inbound,
            from: call.from_sip.as_ref().map_or(call.from.as_str(), SipUri::as_str).to_owned(),
            to: domain.map_or_else(|| to.as_str().to_owned(), |domain| format!("sip:{to}@{domain}")),
            application_sid: None,
            party: Party::FarEnd,
        };
        let (leg, commands) = Leg::begin(self, new, LegState::Ringing, |_| None);
        if !active {
            let text = "Incoming call rejected due to inactive account";
            self.alert(&leg.sid, AlertLevel::Error, 10_003, text);
            leg.enter(self, LegState::Ended(End::Failed { sip_code: 603, error_code: Some(10_003) }));
            return Ok(leg.sid.clone());
        }
        // What a SIP caller's request says besides (Twilio's page on SIP domains).
        let mut params = Vec::new();
        if let (Some(domain), Some(id)) = (domain, leg.sip_call_id()) {
            for (name, value) in [("SipDomain", domain), ("SipCallId", id), ("SipSourceIp", "127.0.0.1")] {
                params.push((name.to_owned(), value.to_owned()));
            }
        }
        let script = call.script.as_ref().map(CallerScript::far_end);
        let script = script.unwrap_or_else(|| self.script(call.from.as_str()));
        self.spawn(call_in(Arc::clone(self), Arc::clone(&leg), commands, script));
        self.spawn(Session::new(Arc::clone(self), Arc::clone(&leg), app, params).run());
        Ok(leg.sid.clone())
    }

    /// What the far end in the call of leg `sid` has heard; `None` if it was never up.
    pub(crate) fn heard(&self, sid: &CallSid) -> Option<Heard> {
        let leg = self.leg(sid)?;
        let root = leg.parent.as_ref().unwrap_or(&leg.sid);
        let of_call = |other: &Arc<Leg>| other.sid == *root || other.parent.as_ref() == Some(root);
        let legs: Vec<Arc<Leg>> = self.legs().into_iter().filter(of_call).collect();
        let mut heard = leg.heard().or_else(|| legs.iter().rev().find_map(|other| other.heard()))?;
        heard.packets = legs.iter().map(|other| other.packets()).sum();
        Some(heard)
    }

    pub(crate) fn calls(&self) -> Vec<CallRecord> {
        self.legs().iter().map(|leg| leg.record(self)).collect()
    }

    fn live_leg(&self, sid: &CallSid) -> Result<Arc<Leg>, OperationError> {
        self.leg(sid)
            .filter(|leg| !leg.status().is_final())
            .ok_or_else(|| OperationError::UnknownCall(sid.clone()))
    }

    /// The party of leg `sid` hangs up, or gives up ringing.
    pub(crate) fn hang_up(&self, sid: &CallSid) -> Result<(), OperationError> {
        self.live_leg(sid)?.command(LegCommand::End(End::Canceled));
        Ok(())
    }

    /// The far end of leg `sid` presses keys.
    pub(crate) fn press(&self, sid: &CallSid, digits: &str) -> Result<(), OperationError> {
        let valid = !digits.is_empty() && digits.len() <= 64;
        if !valid || !digits.chars().all(|c| matches!(c, '0'..='9' | 'A'..='D' | '*' | '#' | 'w' | 'W')) {
            return Err(OperationError::NotDigits);
        }
        let leg = self.live_leg(sid)?;
        if leg.party != Party::FarEnd || leg.state() != LegState::Answered {
            return Err(OperationError::NotTalking);
        }
        leg.command(LegCommand::Press(digits.to_owned()));
        Ok(())
    }
}
