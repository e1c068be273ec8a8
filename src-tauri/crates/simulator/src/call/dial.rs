//! `<Dial>`: rings far ends and devices, joins the first that answers, reports how it went.
//!
//! Where Twilio's documentation is silent: with several targets that all fail, the result is
//! `no-answer` if any was left ringing, else `busy` if any was busy, else `failed`. A caller who hangs
//! up while it rings still gets the `action` request, with `DialCallStatus=canceled`; the answer to it
//! plays no role. A whisper that hangs up leaves a completed dial that was not bridged.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::call::CallStatus;
use dialer_domain::sid::CallSid;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::broadcast;
use tokio::time::Instant;
use url::Url;

use super::conference::Stayed;
use super::end::End;
use super::leg::{Leg, LegCommand, LegState, Party};
use super::place::Child;
use super::recorder::{RecordingCallbacks, plan, record_call, recording_url};
use super::session::{Flow, Session};
use crate::audio::{Pattern, Player};
use crate::event::{AlertLevel, DigitPath, WebhookPurpose};
use crate::recording::{Recording, RecordingSource};
use crate::twiml::{Destination, Dial, Target};

/// How long a call of a trial account may last, simulated.
const TRIAL_LIMIT: Duration = Duration::from_secs(600);

/// How a `<Dial>` went.
pub(super) struct Outcome {
    /// `DialCallStatus`.
    status: &'static str,
    pub(super) end: End,
    /// The leg that was joined, or the first that was dialled.
    call_sid: Option<CallSid>,
    /// How long the two were joined; absent when the other left for a document of its own.
    talked: Option<Duration>,
    bridged: bool,
    /// `SipCallId` and the final response of a SIP address.
    sip: Option<(String, u16)>,
    /// Of the conversation.
    pub(super) recording: Option<Arc<Recording>>,
}

impl Outcome {
    pub(super) fn nobody(end: End) -> Self {
        Self {
            status: end.status().as_wire(),
            end,
            call_sid: None,
            talked: None,
            bridged: false,
            sip: None,
            recording: None,
        }
    }

    /// The conversation with `other` is over.
    pub(super) fn talked(other: &Leg, talked: Option<Duration>, bridged: bool) -> Self {
        Self { call_sid: Some(other.sid.clone()), talked, bridged, ..Self::nobody(End::Completed) }
    }
}

/// What ended the ringing.
enum Rang {
    Answered(Child),
    Ended(Outcome),
}

/// What ended a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parted {
    /// One of the two hung up, or the time was over, or `*` was pressed.
    Over,
    /// The other left for a document of its own.
    Left,
}

/// A recording that lasts as long as what it belongs to.
pub(super) struct Recorded(pub(super) Arc<Recording>);

impl Drop for Recorded {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Session {
    pub(crate) async fn dial(&self, dial: Dial, base: &Url, first: bool) -> Flow {
        // `answerOnBridge` counts only if nothing was played before.
        let waits = dial.answer_on_bridge && first;
        if !waits && !self.leg.answer().await {
            return Flow::Finish(self.leg.ended().await);
        }
        let outcome = match &dial.destination {
            Destination::Parties(targets) => match self.caller_id(&dial, targets) {
                Ok(caller_id) => self.ring_and_join(&dial, targets, base, &caller_id).await,
                Err((code, text)) => {
                    self.network.alert(&self.leg.sid, AlertLevel::Error, code, text);
                    Outcome::nobody(End::Failed { sip_code: 400, error_code: Some(code) })
                }
            },
            Destination::Queue(queue) => self.take_from_queue(&dial, queue, base).await,
            Destination::Application(noun) => self.dial_application(&dial, noun, base).await,
            Destination::Conference(noun) => match self.conference(&dial, noun, base).await {
                Stayed::Inside => Outcome { status: "answered", ..Outcome::nobody(End::Completed) },
                Stayed::NotAdded => return self.past_dial(),
                Stayed::Failed => Outcome::nobody(End::Failed { sip_code: 486, error_code: None }),
            },
        };
        self.set_last_dial(outcome.end);
        self.after(&dial, base, &outcome).await
    }

    /// The next verb, unless the caller is gone.
    fn past_dial(&self) -> Flow {
        match self.leg.state() {
            LegState::Ended(end) => Flow::Finish(end),
            LegState::Initiated | LegState::Ringing | LegState::Answered => Flow::Next,
        }
    }

    /// `action` takes over; without it the document goes on, unless the caller is gone.
    async fn after(&self, dial: &Dial, base: &Url, outcome: &Outcome) -> Flow {
        let Some(action) = dial.action.as_deref().and_then(|action| self.resolve(base, action)) else {
            return self.past_dial();
        };
        let mut form = self.form(self.leg.status());
        form.push("DialCallStatus", outcome.status);
        form.push("DialBridged", if outcome.bridged { "true" } else { "false" });
        if let Some(sid) = &outcome.call_sid {
            form.push("DialCallSid", sid.as_str());
        }
        if let Some(talked) = outcome.talked {
            form.push("DialCallDuration", format!("{:.0}", talked.as_secs_f64().round()));
        }
        if let Some((call_id, code)) = &outcome.sip {
            form.push("DialSipCallId", &**call_id);
            form.push("DialSipResponseCode", code.to_string());
        }
        if let Some(recording) = &outcome.recording {
            form.push("RecordingUrl", recording_url(&self.network, recording));
            form.push("RecordingSid", recording.sid.as_str());
        }
        if let LegState::Ended(end) = self.leg.state() {
            // A failure is in the log; there is nobody left to tell.
            let _ = self.ask(WebhookPurpose::DialAction, action, dial.method, form).await;
            return Flow::Finish(end);
        }
        self.go(WebhookPurpose::DialAction, action, dial.method, form).await
    }

    async fn ring_and_join(&self, dial: &Dial, targets: &[Target], base: &Url, caller_id: &str) -> Outcome {
        let groups: Vec<&[Target]> =
            if dial.sequential { targets.chunks(1).collect() } else { vec![targets] };
        let mut keys = self.leg.keys();
        let mut outcome = Outcome::nobody(End::Failed { sip_code: 404, error_code: None });
        let from_ringing = self.record_dial(dial, base, true);
        for group in groups {
            let children: Vec<Child> =
                group.iter().filter_map(|target| self.place(target, base, caller_id)).collect();
            if children.is_empty() {
                continue;
            }
            outcome = self.ring_one_of(children, dial, base, &mut keys, from_ringing.as_ref()).await;
            if outcome.end == End::Completed || matches!(self.leg.state(), LegState::Ended(_)) {
                break;
            }
        }
        if outcome.recording.is_none() {
            outcome.recording = from_ringing.map(|recorded| Arc::clone(&recorded.0));
        }
        outcome
    }

    /// Rings all of `children`, and lives through the conversation with the first that answers.
    async fn ring_one_of(
        &self,
        children: Vec<Child>,
        dial: &Dial,
        base: &Url,
        keys: &mut Keys,
        from_ringing: Option<&Recorded>,
    ) -> Outcome {
        let child = match self.ring(children, dial, keys).await {
            Rang::Answered(child) => child,
            Rang::Ended(outcome) => return outcome,
        };
        if let Some(whisper) = &child.whisper
            && !self.whisper(&child.leg, whisper, base).await
        {
            self.quiet();
            let mut talked = None;
            if !child.leg.is_on_its_own() {
                child.leg.end(End::Completed).await;
                talked = Some(child.leg.talked(&self.network));
            }
            return Outcome { sip: child.leg.sip_result(), ..Outcome::talked(&child.leg, talked, false) };
        }
        let recorded = self.record_dial(dial, base, false);
        let recording = recorded.as_ref().or(from_ringing).map(|recorded| Arc::clone(&recorded.0));
        if let Some(recording) = &recording {
            child.leg.set_recording(recording);
        }
        let outcome = self.join(&child, dial, keys).await;
        drop(recorded);
        Outcome { sip: child.leg.sip_result(), recording, ..outcome }
    }

    /// Begins the recording `<Dial>` asks for, if this is when.
    pub(super) fn record_dial(&self, dial: &Dial, base: &Url, ringing: bool) -> Option<Recorded> {
        let of = dial.record.as_ref().filter(|of| of.from_ringing == ringing)?;
        let new = plan(&self.network, &self.leg, RecordingSource::DialVerb, &of.recording);
        let callbacks = RecordingCallbacks::of(&of.recording.callbacks, base);
        Some(Recorded(record_call(&self.network, &self.leg, new, callbacks)))
    }

    /// One leg that is already being set up is rung and joined.
    pub(super) async fn ring_and_join_one(&self, child: Child, dial: &Dial, base: &Url) -> Outcome {
        let mut keys = self.leg.keys();
        let from_ringing = self.record_dial(dial, base, true);
        self.ring_one_of(vec![child], dial, base, &mut keys, from_ringing.as_ref()).await
    }

    /// Until one answers, all have failed, the time is over, the caller gives up or presses `*`.
    async fn ring(&self, mut children: Vec<Child>, dial: &Dial, keys: &mut Keys) -> Rang {
        let first = children.first().map(|child| Arc::clone(&child.leg));
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
        let sip = first.as_ref().and_then(|leg| leg.sip_result());
        Rang::Ended(Outcome { call_sid: first.map(|leg| leg.sid.clone()), sip, ..Outcome::nobody(end) })
    }

    /// The caller hears that it rings: an answered one as sound; one that is not (`answerOnBridge`)
    /// by signalling, with the carrier's ringback as early media if a telephone rings. A device's
    /// ringing comes without sound, since no carrier is there to make it.
    pub(super) fn let_it_ring(&self, who: Party) {
        let answered = self.leg.state() == LegState::Answered;
        let early_media = who == Party::FarEnd;
        if !answered {
            self.leg.command(LegCommand::Ring { early_media });
        }
        if let Some(port) = self.leg.port().filter(|_| answered || early_media) {
            drop(self.network.switch.play(port, Player::new(Pattern::ringback(), 0)));
        }
    }

    /// The conversation.
    async fn join(&self, child: &Child, dial: &Dial, keys: &mut Keys) -> Outcome {
        self.quiet();
        let other = &child.leg;
        if let Some(digits) = &child.send_digits {
            for digit in digits.chars().filter(|digit| !matches!(digit, 'w' | 'W')) {
                Self::pass_key(other, digit, DigitPath::Twiml);
            }
        }
        let talk = self.talk(other, dial, keys, other.left_parent()).await;
        if talk.is_some_and(|(parted, _)| parted == Parted::Left) {
            return Outcome::talked(other, None, true);
        }
        other.end(End::Completed).await;
        Outcome::talked(other, talk.map(|_| other.talked(&self.network)), talk.is_some())
    }

    /// Answers the caller and joins the two until one is gone, `left` is done, the time is over or `*` ends
    /// it. What ended it and how long they talked; `None` if they never did.
    pub(super) async fn talk(
        &self,
        other: &Arc<Leg>,
        dial: &Dial,
        keys: &mut Keys,
        left: impl Future<Output = ()>,
    ) -> Option<(Parted, Duration)> {
        let mut other_keys = other.keys();
        if !self.leg.answer().await {
            return None;
        }
        let (here, there) = (self.leg.port()?, other.joint()?);
        self.network.switch.join(here, there);
        let joined = Instant::now();
        let trial = self.network.resources().is_trial() && dial.time_limit > TRIAL_LIMIT;
        let limit = self.network.pace.sleep(if trial { TRIAL_LIMIT } else { dial.time_limit });
        tokio::pin!(limit, left);
        let mut parted = Parted::Over;
        loop {
            tokio::select! {
                _ = self.leg.ended() => break,
                _ = other.ended() => break,
                () = &mut left => {
                    parted = Parted::Left;
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
                    // A far end's keys that came as sound are heard already.
                    if via != DigitPath::InBand {
                        Self::pass_key(other, digit, via);
                    }
                }
                Some((digit, via)) = next_key(&mut other_keys) => {
                    if via != DigitPath::InBand {
                        Self::pass_key(&self.leg, digit, via);
                    }
                }
            }
        }
        self.network.switch.part(here);
        Some((parted, self.network.pace.simulated(joined.elapsed())))
    }
}

pub(super) type Keys = broadcast::Receiver<(char, DigitPath)>;

/// The next key; missed ones are passed over. `None` never comes while the leg lives.
pub(super) async fn next_key(keys: &mut Keys) -> Option<(char, DigitPath)> {
    loop {
        match keys.recv().await {
            Ok(key) => return Some(key),
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return None,
        }
    }
}

/// Takes keys as they come, until a star if it `counts`.
pub(super) async fn star(keys: &mut Keys, counts: bool) {
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
