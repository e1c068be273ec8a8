//! `<Dial>`: rings far ends and devices, joins the first that answers, reports how it went.
//!
//! Where Twilio's documentation is silent: with several targets that all fail, the result is
//! `no-answer` if any was left ringing, else `busy` if any was busy, else `failed`. A caller who hangs
//! up while it rings still gets the `action` request, with `DialCallStatus=canceled`; the answer to it
//! plays no role.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::call::CallStatus;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::broadcast;
use url::Url;

use super::leg::{End, Leg, LegCommand, LegDirection, LegState, NewLeg, Party};
use super::session::{Flow, Session};
use crate::audio::{Pattern, Player};
use crate::event::{AlertLevel, DigitPath, WebhookPurpose};
use crate::far_end::pick_up;
use crate::signalling::{Invitation, ring_devices};
use crate::twiml::{CallbackRequest, Dial, Target};
use crate::webhook::StatusCallbacks;

/// How long a call of a trial account may last, simulated.
const TRIAL_LIMIT: Duration = Duration::from_secs(600);

/// How a `<Dial>` went.
struct Outcome {
    end: End,
    /// The leg that was joined, or the first that was dialled.
    call_sid: Option<CallSid>,
    /// How long the two were joined; absent when the other left for a document of its own.
    talked: Option<Duration>,
    bridged: bool,
}

impl Outcome {
    fn nobody(end: End) -> Self {
        Self { end, call_sid: None, talked: None, bridged: false }
    }
}

/// A dialled leg and what to do when it answers.
struct Child {
    leg: Arc<Leg>,
    send_digits: Option<String>,
}

/// What ended the ringing.
enum Rang {
    Answered(Child),
    Ended(Outcome),
}

impl Session {
    pub(crate) async fn dial(&self, dial: Dial, base: &Url, first: bool) -> Flow {
        // `answerOnBridge` counts only if nothing was played before.
        let waits = dial.answer_on_bridge && first;
        if !waits && !self.leg.answer().await {
            return Flow::Finish(self.leg.ended().await);
        }
        let outcome = match self.caller_id(&dial) {
            Ok(caller_id) => self.ring_and_join(&dial, base, &caller_id).await,
            Err(text) => {
                self.network.alert(&self.leg.sid, AlertLevel::Error, 13_214, &text);
                Outcome::nobody(End::Failed { sip_code: 400, error_code: Some(13_214) })
            }
        };
        self.set_last_dial(outcome.end);
        self.after(&dial, base, &outcome).await
    }

    /// `action` takes over; without it the document goes on, unless the caller is gone.
    async fn after(&self, dial: &Dial, base: &Url, outcome: &Outcome) -> Flow {
        let action = dial.action.as_deref().and_then(|action| base.join(action).ok());
        let Some(action) = action else {
            return match self.leg.state() {
                LegState::Ended(end) => Flow::Finish(end),
                LegState::Initiated | LegState::Ringing | LegState::Answered => Flow::Next,
            };
        };
        let mut form = self.form(self.leg.status());
        form.push("DialCallStatus", outcome.end.status().as_wire());
        form.push("DialBridged", if outcome.bridged { "true" } else { "false" });
        if let Some(sid) = &outcome.call_sid {
            form.push("DialCallSid", sid.as_str());
        }
        if let Some(talked) = outcome.talked {
            form.push("DialCallDuration", format!("{:.0}", talked.as_secs_f64().round()));
        }
        if let LegState::Ended(end) = self.leg.state() {
            // A failure is in the log; there is nobody left to tell.
            let _ = self.ask(WebhookPurpose::DialAction, action, dial.method, form).await;
            return Flow::Finish(end);
        }
        self.go(WebhookPurpose::DialAction, action, dial.method, form).await
    }

    /// The caller id dialled legs show, or why there is none (13214): towards a telephone it must be
    /// a number of the account, or the `To` or `From` of an incoming call; a calling SDK has none of
    /// its own (twilio.com/docs/api/errors/13214).
    fn caller_id(&self, dial: &Dial) -> Result<String, String> {
        let to_number = dial.targets.iter().any(|target| matches!(target, Target::Number { .. }));
        let given = dial.caller_id.as_deref().filter(|id| !id.is_empty());
        let id = match (given, self.leg.party) {
            (None, Party::Sdk) if to_number => {
                return Err("callerId is required when an SDK calls a number".into());
            }
            (None, _) => return Ok(self.leg.from.clone()),
            (Some(id), _) => id,
        };
        let of_this_call = self.leg.party == Party::FarEnd && (id == self.leg.from || id == self.leg.to);
        let resources = self.network.resources();
        if !to_number || of_this_call || resources.owns(id) || resources.has_verified(id) {
            Ok(id.to_owned())
        } else {
            Err("callerId is neither a number of the account nor verified".into())
        }
    }

    async fn ring_and_join(&self, dial: &Dial, base: &Url, caller_id: &str) -> Outcome {
        let groups: Vec<&[Target]> =
            if dial.sequential { dial.targets.chunks(1).collect() } else { vec![dial.targets.as_slice()] };
        let mut keys = self.leg.keys();
        let mut outcome = Outcome::nobody(End::Failed { sip_code: 404, error_code: None });
        for group in groups {
            let children: Vec<Child> =
                group.iter().filter_map(|target| self.place(target, base, caller_id)).collect();
            if children.is_empty() {
                continue;
            }
            match self.ring(children, dial, &mut keys).await {
                Rang::Answered(child) => return self.join(&child, dial, &mut keys).await,
                Rang::Ended(ended) => outcome = ended,
            }
            if matches!(self.leg.state(), LegState::Ended(_)) {
                break;
            }
        }
        outcome
    }

    /// Starts one leg; `None` if the target cannot be called at all.
    fn place(&self, target: &Target, base: &Url, caller_id: &str) -> Option<Child> {
        match target {
            Target::Number { number, send_digits, callbacks } => {
                let digits: String =
                    number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
                let Ok(number) = E164::parse_strict(&digits) else {
                    let text = "<Number> holds no telephone number in E.164";
                    self.network.alert(&self.leg.sid, AlertLevel::Error, 13_223, text);
                    return None;
                };
                let (leg, commands) = self.begin(number.as_str(), caller_id, Party::FarEnd, callbacks, base);
                if let Err(forbidden) = self.network.allow_call(number.as_str(), caller_id) {
                    let code = forbidden.dial_code();
                    self.network.alert(&self.leg.sid, AlertLevel::Error, code, &forbidden.text());
                    let refused = End::Failed { sip_code: 403, error_code: Some(code) };
                    leg.enter(&self.network, LegState::Ended(refused));
                    return Some(Child { leg, send_digits: None });
                }
                let script = self.network.script(number.as_str());
                self.network.spawn(pick_up(Arc::clone(&self.network), Arc::clone(&leg), commands, script));
                Some(Child { leg, send_digits: send_digits.clone() })
            }
            Target::Client { identity, parameters, callbacks } => {
                let to = format!("client:{identity}");
                let (leg, commands) = self.begin(&to, caller_id, Party::Sdk, callbacks, base);
                let invitation = Invitation {
                    identity: identity.clone(),
                    parameters: parameters.clone(),
                    attested: self.leg.party == Party::FarEnd,
                };
                self.network.spawn(ring_devices(
                    Arc::clone(&self.network),
                    Arc::clone(&leg),
                    commands,
                    invitation,
                ));
                Some(Child { leg, send_digits: None })
            }
        }
    }

    fn begin(
        &self,
        to: &str,
        caller_id: &str,
        party: Party,
        callbacks: &CallbackRequest,
        base: &Url,
    ) -> (Arc<Leg>, tokio::sync::mpsc::UnboundedReceiver<LegCommand>) {
        let new = NewLeg {
            parent: Some(self.leg.sid.clone()),
            direction: LegDirection::OutboundDial,
            from: caller_id.to_owned(),
            to: to.to_owned(),
            application_sid: None,
            party,
        };
        let url = callbacks.url.as_deref().and_then(|url| base.join(url).ok());
        Leg::begin(&self.network, new, LegState::Initiated, |sid| {
            let events = callbacks.events.clone();
            url.map(|url| StatusCallbacks::start(&self.network, sid.clone(), url, callbacks.method, events))
        })
    }

    /// Until one answers, all have failed, the time is over, the caller gives up or presses `*`.
    async fn ring(&self, mut children: Vec<Child>, dial: &Dial, keys: &mut Keys) -> Rang {
        let first_sid = children.first().map(|child| child.leg.sid.clone());
        let mut changes: FuturesUnordered<_> =
            children.iter().map(|child| next_change(Arc::clone(&child.leg), LegState::Initiated)).collect();
        let mut worst: Option<End> = None;
        let mut caller_hears_ringing = false;
        let timeout = self.network.pace.sleep(dial.timeout);
        tokio::pin!(timeout);
        let end = loop {
            let change = tokio::select! {
                // An answer that has come counts, even if the time is over at the same moment.
                biased;
                Some(change) = changes.next() => change,
                () = &mut timeout => break End::NoAnswer,
                _ = self.leg.ended() => break End::Canceled,
                // Keys pressed while it rings are for nobody, and must not wait for who answers.
                () = star(keys, dial.hangup_on_star) => break End::Canceled,
            };
            match change {
                (leg, LegState::Ringing) => {
                    if !std::mem::replace(&mut caller_hears_ringing, true) {
                        self.let_it_ring(leg.party);
                    }
                    changes.push(next_change(leg, LegState::Ringing));
                }
                (leg, LegState::Answered) => {
                    let Some(index) = children.iter().position(|child| child.leg.sid == leg.sid) else {
                        continue;
                    };
                    let winner = children.swap_remove(index);
                    end_all(&children, End::Canceled).await;
                    return Rang::Answered(winner);
                }
                (_, LegState::Ended(ended)) => {
                    worst = Some(worse(worst, ended));
                    if changes.is_empty() {
                        break worst.unwrap_or(ended);
                    }
                }
                (leg, LegState::Initiated) => changes.push(next_change(leg, LegState::Initiated)),
            }
        };
        end_all(&children, end).await;
        self.quiet();
        Rang::Ended(Outcome { end, call_sid: first_sid, talked: None, bridged: false })
    }

    /// The caller hears that it rings: an answered one as sound; one that is not (`answerOnBridge`)
    /// by signalling, with the carrier's ringback as early media if a telephone rings. A device's
    /// ringing comes without sound, since no carrier is there to make it.
    fn let_it_ring(&self, who: Party) {
        let answered = self.leg.state() == LegState::Answered;
        let early_media = who == Party::FarEnd;
        if !answered {
            self.leg.command(LegCommand::Ring { early_media });
        }
        if let Some(port) = self.leg.port().filter(|_| answered || early_media) {
            drop(self.network.switch.play(port, Player::new(Pattern::ringback(), 0)));
        }
    }

    fn quiet(&self) {
        if let Some(port) = self.leg.port() {
            self.network.switch.stop_playing(port);
        }
    }

    /// The conversation.
    async fn join(&self, child: &Child, dial: &Dial, keys: &mut Keys) -> Outcome {
        self.quiet();
        let other = &child.leg;
        let mut other_keys = other.keys();
        if let Some(digits) = &child.send_digits {
            for digit in digits.chars().filter(|digit| !matches!(digit, 'w' | 'W')) {
                Self::pass_key(other, digit, DigitPath::Twiml);
            }
        }
        let mut bridged = false;
        let mut left = false;
        if self.leg.answer().await
            && let (Some(here), Some(there)) = (self.leg.port(), other.port())
        {
            self.network.switch.join(here, there);
            bridged = true;
            let trial = self.network.resources().is_trial() && dial.time_limit > TRIAL_LIMIT;
            let limit = self.network.pace.sleep(if trial { TRIAL_LIMIT } else { dial.time_limit });
            tokio::pin!(limit);
            loop {
                tokio::select! {
                    _ = self.leg.ended() => break,
                    _ = other.ended() => break,
                    () = other.left_parent() => {
                        left = true;
                        break;
                    }
                    () = &mut limit => {
                        if trial {
                            let text = "Trial calls end after 10 minutes";
                            self.network.alert(&self.leg.sid, AlertLevel::Error, 13_805, text);
                        }
                        break;
                    }
                    Some((digit, via)) = next_key(keys) => {
                        if dial.hangup_on_star && digit == '*' {
                            break;
                        }
                        if self.leg.party == Party::Sdk {
                            Self::pass_key(other, digit, via);
                        }
                    }
                    Some((digit, via)) = next_key(&mut other_keys) => {
                        // A far end's keys are in its sound already.
                        if other.party == Party::Sdk {
                            Self::pass_key(&self.leg, digit, via);
                        }
                    }
                }
            }
            self.network.switch.part(here);
        }
        if left {
            return Outcome { end: End::Completed, call_sid: Some(other.sid.clone()), talked: None, bridged };
        }
        other.end(End::Completed).await;
        let talked = bridged.then(|| other.talked(&self.network));
        Outcome { end: End::Completed, call_sid: Some(other.sid.clone()), talked, bridged }
    }
}

type Keys = broadcast::Receiver<(char, DigitPath)>;

/// The next key; missed ones are passed over. `None` never comes while the leg lives.
async fn next_key(keys: &mut Keys) -> Option<(char, DigitPath)> {
    loop {
        match keys.recv().await {
            Ok(key) => return Some(key),
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return None,
        }
    }
}

/// Takes keys as they come, until a star if it `counts`.
async fn star(keys: &mut Keys, counts: bool) {
    while let Some((digit, _)) = next_key(keys).await {
        if counts && digit == '*' {
            return;
        }
    }
    std::future::pending().await
}

/// Waits until the leg has left `known`.
async fn next_change(leg: Arc<Leg>, known: LegState) -> (Arc<Leg>, LegState) {
    let mut states = leg.watch();
    loop {
        let now = states.borrow_and_update().clone();
        if now != known {
            return (leg, now);
        }
        if states.changed().await.is_err() {
            return (leg, LegState::Ended(End::Completed));
        }
    }
}

async fn end_all(children: &[Child], end: End) {
    for child in children {
        child.leg.command(LegCommand::End(end));
    }
    for child in children {
        child.leg.ended().await;
    }
}

/// Which of two unhappy ends a caller is told.
fn worse(one: Option<End>, other: End) -> End {
    let rank = |end: End| match end.status() {
        CallStatus::NoAnswer => 3,
        CallStatus::Busy => 2,
        CallStatus::Failed => 1,
        CallStatus::Queued
        | CallStatus::Initiated
        | CallStatus::Ringing
        | CallStatus::InProgress
        | CallStatus::Completed
        | CallStatus::Canceled => 0,
    };
    one.filter(|one| rank(*one) >= rank(other)).unwrap_or(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_ends_the_most_hopeful_is_told() {
        let failed = End::Failed { sip_code: 404, error_code: None };
        assert_eq!(worse(None, failed), failed);
        assert_eq!(worse(Some(failed), End::Busy), End::Busy);
        assert_eq!(worse(Some(End::NoAnswer), End::Busy), End::NoAnswer);
    }
}
