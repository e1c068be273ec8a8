//! What a set of events says about each leg and each moment of one call.

use std::collections::BTreeMap;

use super::leg::{LegEvidence, is_up};
use super::{Leg, Recording, least};
use crate::call::{CallDirection, CallEvent, CallStatus, LegRole, RecordingStatus, SdkCallEvent};
use crate::call_flow::{Purpose, QueueResult};
use crate::destination::QUEUE_ADDRESS;
use crate::sid::{CallSid, RecordingSid};

/// Everything the events of one call say.
pub(super) struct Evidence<'a> {
    pub(super) direction: CallDirection,
    pub(super) peer: String,
    pub(super) our_number: Option<String>,
    pub(super) started_at_ms: i64,
    /// Why Twilio was told to refuse the call.
    pub(super) refusal: Option<&'a str>,
    /// Whether Twilio spoke of the call.
    pub(super) known_to_twilio: bool,
    /// When the SDK first said each thing.
    pub(super) sdk: BTreeMap<&'a SdkCallEvent, i64>,
    pub(super) legs: BTreeMap<&'a CallSid, LegEvidence>,
    /// What came of each connection that was over (`<Dial action>`).
    pub(super) dials: BTreeMap<Purpose, Dial>,
    pub(super) queue: Queue,
    recordings: BTreeMap<&'a RecordingSid, Recording>,
    /// When the caller had left a message, if they did.
    pub(super) message_at_ms: Option<i64>,
}

/// What came of a connection.
#[derive(Clone, Copy)]
pub(super) struct Dial {
    /// The furthest status reported.
    pub(super) status: CallStatus,
    /// Whether one of the reports was of a conversation.
    pub(super) was_up: bool,
    pub(super) duration_s: Option<u32>,
    /// When it was over, at our clock.
    pub(super) at_ms: i64,
}

/// The caller's time in the queue.
#[derive(Default)]
pub(super) struct Queue {
    /// When they were put in.
    pub(super) since_ms: Option<i64>,
    /// The longest time they are known to have waited, in seconds.
    pub(super) waited_s: Option<u32>,
    /// When they left it by speaking to the agent, or by hanging up.
    pub(super) ended_at_ms: Option<i64>,
    /// Whether they spoke to the agent.
    pub(super) was_taken: bool,
}

/// What one witness said about who called whom.
#[derive(Default)]
struct Parties<'a> {
    direction: Option<CallDirection>,
    peer: Option<&'a str>,
    our_number: Option<&'a str>,
}

impl<'a> Parties<'a> {
    fn add(&mut self, direction: CallDirection, peer: &'a str, our_number: Option<&'a str>) {
        self.direction = least(self.direction, Some(direction));
        self.peer = least(self.peer, some_text(peer));
        self.our_number = least(self.our_number, our_number.and_then(some_text));
    }
}

/// Reads `events`, which must be distinct; `None` if there are none.
pub(super) fn gather(events: &[CallEvent]) -> Option<Evidence<'_>> {
    let mut legs: BTreeMap<&CallSid, LegEvidence> = BTreeMap::new();
    let mut recordings: BTreeMap<&RecordingSid, Recording> = BTreeMap::new();
    let mut dials: BTreeMap<Purpose, Dial> = BTreeMap::new();
    let mut queue = Queue::default();
    let mut sdk = BTreeMap::new();
    let (mut refusal, mut message_at_ms) = (None, None);
    let (mut routed, mut by_sdk) = (Parties::default(), Parties::default());
    // The agent's own leg, on the way to take somebody out of the queue.
    let mut taking = Parties::default();
    let (mut first_here, mut first_at_twilio, mut first_after) = (None, None, None);
    let mut taken = false;
    for event in events {
        match event {
            CallEvent::Routed { call_sid, direction, peer, our_number: ours, at_ms, refusal: why } => {
                // The voice webhook is requested while the caller's leg rings.
                let leg = legs.entry(call_sid).or_default();
                leg.reach(CallStatus::Ringing, None);
                if peer == QUEUE_ADDRESS {
                    leg.role = least(leg.role, Some(LegRole::Agent));
                    taking.add(*direction, peer, ours.as_deref());
                } else {
                    routed.add(*direction, peer, ours.as_deref());
                }
                first_here = least(first_here, Some(*at_ms));
                refusal = least(refusal, why.as_deref());
            }
            CallEvent::LegStatus {
                call_sid,
                parent_call_sid,
                role,
                status,
                sequence,
                at_ms,
                duration_s,
                error_code,
            } => {
                let leg = legs.entry(call_sid).or_default();
                leg.parent = least(leg.parent.take(), parent_call_sid.clone());
                leg.role = least(leg.role, *role);
                leg.told(*status, *sequence, *at_ms);
                leg.duration_s = leg.duration_s.max(*duration_s);
                leg.error_code = least(leg.error_code, *error_code);
                first_at_twilio = least(first_at_twilio, Some(*at_ms));
            }
            CallEvent::Dialled { call_sid, dialled_sid, purpose, status, duration_s, at_ms } => {
                let leg = legs.entry(call_sid).or_default();
                if *purpose == Purpose::TakeNext {
                    leg.role = least(leg.role, Some(LegRole::Agent));
                    taken |= dialled_sid.is_some();
                }
                if let Some(dialled) = dialled_sid {
                    let leg = legs.entry(dialled).or_default();
                    match purpose {
                        // The caller's own leg, which had been there before.
                        Purpose::TakeNext => leg.role = least(leg.role, Some(LegRole::FarEnd)),
                        Purpose::Outgoing | Purpose::Ring | Purpose::Forward => {
                            leg.parent = least(leg.parent.take(), Some(call_sid.clone()));
                            leg.passed_on |= *purpose == Purpose::Forward;
                            leg.over(*status, *at_ms);
                            leg.duration_s = leg.duration_s.max(*duration_s);
                        }
                    }
                }
                let told =
                    Dial { status: *status, was_up: is_up(*status), duration_s: *duration_s, at_ms: *at_ms };
                dials.entry(*purpose).and_modify(|dial| dial.join(told)).or_insert(told);
                first_after = least(first_after, Some(*at_ms));
            }
            CallEvent::Conference { call_sid, what, at_ms, .. } => {
                let leg = legs.entry(call_sid).or_default();
                if what == "participant-join" {
                    leg.told(CallStatus::InProgress, None, *at_ms);
                }
                first_after = least(first_after, Some(*at_ms));
            }
            CallEvent::Waiting { call_sid, waited_s, at_ms } => {
                legs.entry(call_sid).or_default();
                let since_ms = at_ms.saturating_sub(i64::from(*waited_s) * 1000);
                queue.since_ms = least(queue.since_ms, Some(since_ms));
                queue.waited_s = queue.waited_s.max(Some(*waited_s));
                first_after = least(first_after, Some(since_ms));
            }
            CallEvent::LeftQueue { call_sid, result, waited_s, at_ms } => {
                legs.entry(call_sid).or_default();
                queue.waited_s = queue.waited_s.max(*waited_s);
                let spoke = matches!(result, QueueResult::Bridged | QueueResult::RedirectedFromBridged);
                queue.was_taken |= spoke;
                if spoke || *result == QueueResult::Hangup {
                    queue.ended_at_ms = least(queue.ended_at_ms, Some(*at_ms));
                }
                first_after = least(first_after, Some(*at_ms));
            }
            CallEvent::Dequeued { call_sid, agent_sid, waited_s, at_ms } => {
                let caller = legs.entry(call_sid).or_default();
                caller.role = least(caller.role, Some(LegRole::FarEnd));
                let agent = legs.entry(agent_sid).or_default();
                agent.role = least(agent.role, Some(LegRole::Agent));
                taken = true;
                queue.waited_s = queue.waited_s.max(*waited_s);
                let since_ms = waited_s.map(|waited_s| at_ms.saturating_sub(i64::from(waited_s) * 1000));
                queue.since_ms = least(queue.since_ms, since_ms);
                first_after = least(first_after, since_ms.or(Some(*at_ms)));
            }
            CallEvent::Recording { call_sid, recording_sid, status, message, duration_s, at_ms } => {
                legs.entry(call_sid).or_default();
                let recording = recordings.entry(recording_sid).or_insert_with(|| begun(recording_sid));
                recording.status = recording.status.max(*status);
                recording.message |= *message;
                recording.duration_s = recording.duration_s.max(*duration_s);
                // What is ready, or has a length, was recorded to its end.
                if *message && (*status > RecordingStatus::InProgress || duration_s.is_some()) {
                    message_at_ms = least(message_at_ms, Some(*at_ms));
                }
                first_after = least(first_after, Some(*at_ms));
            }
            CallEvent::Transcribed { call_sid, recording_sid, text, at_ms } => {
                legs.entry(call_sid).or_default();
                let recording = recordings.entry(recording_sid).or_insert_with(|| begun(recording_sid));
                // Only messages are written down, and only once they are ready.
                recording.message = true;
                recording.status = recording.status.max(RecordingStatus::Completed);
                recording.text = recording.text.take().max(Some(text.clone()));
                message_at_ms = least(message_at_ms, Some(*at_ms));
                first_after = least(first_after, Some(*at_ms));
            }
            CallEvent::Sdk { direction, call_sid, parent_call_sid, peer, our_number: ours, what, at_ms } => {
                if let Some(call_sid) = call_sid {
                    let leg = legs.entry(call_sid).or_default();
                    leg.role = least(leg.role, Some(LegRole::Agent));
                    leg.parent = least(leg.parent.take(), parent_call_sid.clone());
                    leg.reach(as_leg_status(what), None);
                }
                let parties = if peer == QUEUE_ADDRESS { &mut taking } else { &mut by_sdk };
                parties.add(*direction, peer, ours.as_deref());
                first_here = least(first_here, Some(*at_ms));
                sdk.entry(what).and_modify(|first: &mut i64| *first = (*first).min(*at_ms)).or_insert(*at_ms);
            }
        }
    }
    // What only one of the directions has.
    let comes_in = taken
        || queue.since_ms.is_some()
        || queue.waited_s.is_some()
        || queue.ended_at_ms.is_some()
        || message_at_ms.is_some()
        || dials.contains_key(&Purpose::Ring)
        || dials.contains_key(&Purpose::Forward);
    let goes_out = dials.contains_key(&Purpose::Outgoing);
    let direction = routed
        .direction
        .or(by_sdk.direction)
        .or(comes_in.then_some(CallDirection::Incoming))
        .or(goes_out.then_some(CallDirection::Outgoing))
        .or(taking.direction)
        .unwrap_or_else(|| guess_direction(&legs));
    // Whoever was taken out of the queue is somebody, even where the log was not told who.
    let taking = if comes_in { Parties::default() } else { taking };
    Some(Evidence {
        direction,
        peer: routed.peer.or(by_sdk.peer).or(taking.peer).unwrap_or_default().to_owned(),
        our_number: routed.our_number.or(by_sdk.our_number).or(taking.our_number).map(str::to_owned),
        // Twilio's stamps are whole seconds of another clock, and what follows a connection comes late:
        // they serve only where what we saw at the beginning is absent.
        started_at_ms: first_here.or(least(first_at_twilio, first_after))?,
        refusal,
        known_to_twilio: routed.direction.is_some()
            || taking.direction.is_some()
            || first_at_twilio.is_some()
            || first_after.is_some(),
        sdk,
        legs,
        dials,
        queue,
        recordings,
        message_at_ms,
    })
}

impl Dial {
    fn join(&mut self, other: Self) {
        self.status = self.status.max(other.status);
        self.was_up |= other.was_up;
        self.duration_s = self.duration_s.max(other.duration_s);
        self.at_ms = self.at_ms.min(other.at_ms);
    }
}

fn begun(recording_sid: &RecordingSid) -> Recording {
    Recording {
        recording_sid: recording_sid.clone(),
        message: false,
        status: RecordingStatus::InProgress,
        duration_s: None,
        text: None,
    }
}

fn some_text(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// How far an SDK event shows the agent leg to be. Twilio alone says how a leg ended.
fn as_leg_status(what: &SdkCallEvent) -> CallStatus {
    match what {
        SdkCallEvent::Accepted | SdkCallEvent::Reconnecting | SdkCallEvent::Reconnected => {
            CallStatus::InProgress
        }
        SdkCallEvent::Dialing
        | SdkCallEvent::Ringing
        | SdkCallEvent::Incoming
        | SdkCallEvent::HungUp
        | SdkCallEvent::Declined
        | SdkCallEvent::CanceledByCaller
        | SdkCallEvent::Ended
        | SdkCallEvent::Failed { .. } => CallStatus::Ringing,
    }
}

/// For a call of which neither the voice webhook nor the SDK spoke, such as one that ended while
/// the program was starting: a call this computer knows nothing of was somebody else's.
fn guess_direction(legs: &BTreeMap<&CallSid, LegEvidence>) -> CallDirection {
    let agent_is_parent = legs.values().any(|leg| {
        matches!((&leg.parent, leg.role), (Some(_), Some(LegRole::FarEnd)) | (None, Some(LegRole::Agent)))
    });
    if agent_is_parent { CallDirection::Outgoing } else { CallDirection::Incoming }
}

impl Evidence<'_> {
    /// Whose leg `<Dial>` made: the other party's of an outgoing call, the agent's of an incoming one.
    fn dialled_role(&self) -> LegRole {
        match self.direction {
            CallDirection::Outgoing => LegRole::FarEnd,
            CallDirection::Incoming => LegRole::Agent,
        }
    }

    fn parent_role(&self) -> LegRole {
        match self.direction {
            CallDirection::Outgoing => LegRole::Agent,
            CallDirection::Incoming => LegRole::FarEnd,
        }
    }

    /// Whether the leg was dialled to pass a caller on: to somebody who is neither the agent nor the caller.
    fn is_passed_on(&self, leg: &LegEvidence) -> bool {
        let not_the_agents = leg.parent.is_some() && leg.role == Some(LegRole::FarEnd);
        self.direction == CallDirection::Incoming
            && leg.role != Some(LegRole::Agent)
            && (leg.passed_on || not_the_agents)
    }

    fn is_dialled(&self, leg: &LegEvidence) -> bool {
        (leg.parent.is_some() || leg.role == Some(self.dialled_role())) && !self.is_passed_on(leg)
    }

    /// The legs that `<Dial>` made between the agent and the other party, and the agent's own leg to
    /// somebody in the queue. Their answer is the conversation.
    pub(super) fn dialled_legs(&self) -> impl Iterator<Item = &LegEvidence> {
        self.legs.values().filter(|leg| self.is_dialled(leg))
    }

    /// The legs by which a caller was passed on.
    pub(super) fn passed_on_legs(&self) -> impl Iterator<Item = &LegEvidence> {
        self.legs.values().filter(|leg| self.is_passed_on(leg))
    }

    /// The legs that asked for the call.
    pub(super) fn parent_legs(&self) -> impl Iterator<Item = &LegEvidence> {
        self.legs.values().filter(|leg| !self.is_dialled(leg) && !self.is_passed_on(leg))
    }

    /// What came of the connections between the agent and the other party.
    pub(super) fn dials(&self) -> impl Iterator<Item = &Dial> {
        self.dials.iter().filter(|(purpose, _)| **purpose != Purpose::Forward).map(|(_, dial)| dial)
    }

    /// Whether a caller was passed on and spoke to whoever answered.
    pub(super) fn was_passed_on(&self) -> bool {
        self.direction == CallDirection::Incoming
            && (self.passed_on_legs().any(|leg| leg.was_up)
                || self.dials.get(&Purpose::Forward).is_some_and(|dial| dial.was_up))
    }

    /// Whether a caller left a message in which there is something to hear.
    pub(super) fn has_message(&self) -> bool {
        self.recordings.values().any(|recording| {
            let heard =
                recording.duration_s.map_or(recording.status == RecordingStatus::Completed, |s| s > 0);
            let was_there = recording.status <= RecordingStatus::Completed
                || recording.status == RecordingStatus::Deleted;
            recording.message && heard && was_there
        })
    }

    /// How the dialled leg ended, if it did: of several, the last to end.
    pub(super) fn dialled_end(&self) -> Option<CallStatus> {
        let dialled = || self.dials().map(|dial| dial.status).filter(|status| status.is_final()).max();
        end_of(self.dialled_legs()).or_else(dialled)
    }

    /// How the parent leg ended, if it did.
    pub(super) fn parent_end(&self) -> Option<CallStatus> {
        end_of(self.parent_legs())
    }

    /// Whether the SDK said this.
    pub(super) fn sdk_said(&self, what: &SdkCallEvent) -> bool {
        self.sdk.contains_key(what)
    }

    /// What the SDK called the failure: its first precise one, otherwise its first.
    pub(super) fn sdk_failure(&self) -> Option<(u32, &str)> {
        self.sdk
            .iter()
            .filter_map(|(what, at_ms)| match what {
                SdkCallEvent::Failed { code, message } => {
                    Some((!super::reason::is_precise(*code), *at_ms, *code, message.as_str()))
                }
                SdkCallEvent::Dialing
                | SdkCallEvent::Ringing
                | SdkCallEvent::Incoming
                | SdkCallEvent::Accepted
                | SdkCallEvent::Reconnecting
                | SdkCallEvent::Reconnected
                | SdkCallEvent::HungUp
                | SdkCallEvent::Declined
                | SdkCallEvent::CanceledByCaller
                | SdkCallEvent::Ended => None,
            })
            .min()
            .map(|(_, _, code, message)| (code, message))
    }

    /// The recordings for the row: messages first, then by SID.
    pub(super) fn recordings(&self) -> Vec<Recording> {
        let mut recordings: Vec<Recording> = self
            .recordings
            .values()
            .filter(|recording| recording.status != RecordingStatus::Deleted)
            .cloned()
            .collect();
        recordings.sort_by_key(|recording| (!recording.message, recording.recording_sid.clone()));
        recordings
    }

    /// The legs for the row: parent first, then by SID.
    pub(super) fn legs(&self) -> Vec<Leg> {
        let mut legs: Vec<Leg> = self
            .legs
            .iter()
            .filter_map(|(call_sid, leg)| {
                let inferred = if self.is_dialled(leg) { self.dialled_role() } else { self.parent_role() };
                Some(Leg {
                    call_sid: (*call_sid).clone(),
                    parent_call_sid: leg.parent.clone(),
                    role: Some(leg.role.unwrap_or(inferred)),
                    status: leg.status()?,
                    duration_s: leg.duration_s,
                })
            })
            .collect();
        legs.sort_by_key(|leg| (leg.parent_call_sid.is_some(), leg.call_sid.clone()));
        legs
    }
}

fn end_of<'a>(legs: impl Iterator<Item = &'a LegEvidence>) -> Option<CallStatus> {
    legs.filter_map(|leg| Some((leg.ended_at_ms()?, leg.status()?))).max().map(|(_, status)| status)
}
