//! What a set of events says about each leg and each moment of one call.

use std::collections::BTreeMap;

use super::{Leg, Recording, least};
use crate::call::{CallDirection, CallEvent, CallStatus, LegRole, RecordingStatus, SdkCallEvent};
use crate::sid::{CallSid, RecordingSid};

/// Everything the events of one call say.
pub(super) struct Evidence<'a> {
    pub(super) direction: CallDirection,
    pub(super) peer: String,
    pub(super) our_number: Option<String>,
    pub(super) started_at_ms: i64,
    /// Why Twilio was told to refuse the call.
    pub(super) refusal: Option<&'a str>,
    /// Whether a voice webhook or a status callback spoke of the call.
    pub(super) known_to_twilio: bool,
    /// When the SDK first said each thing.
    sdk: BTreeMap<&'a SdkCallEvent, i64>,
    legs: BTreeMap<&'a CallSid, LegEvidence>,
    recordings: BTreeMap<&'a RecordingSid, Recording>,
    /// The longest time the caller is known to have waited in the queue, in seconds.
    pub(super) waited_s: Option<u32>,
}

/// What is known of one leg.
#[derive(Default)]
pub(super) struct LegEvidence {
    parent: Option<CallSid>,
    /// As told, not as inferred.
    role: Option<LegRole>,
    /// The furthest report: final before not final, then by `SequenceNumber`, then by status.
    furthest: Option<(bool, Option<u32>, CallStatus)>,
    /// Whether Twilio said that the leg was answered.
    pub(super) was_up: bool,
    up_at_ms: Option<i64>,
    /// When the leg ended.
    ended_at_ms: Option<i64>,
    duration_s: Option<u32>,
    pub(super) error_code: Option<u32>,
}

impl LegEvidence {
    /// The furthest status, or `None` for a leg that was only named.
    pub(super) fn status(&self) -> Option<CallStatus> {
        self.furthest.map(|(_, _, status)| status)
    }

    fn reach(&mut self, status: CallStatus, sequence: Option<u32>) {
        self.furthest = self.furthest.max(Some((status.is_final(), sequence, status)));
    }
}

/// Reads `events`, which must be distinct; `None` if there are none.
pub(super) fn gather(events: &[CallEvent]) -> Option<Evidence<'_>> {
    let mut legs: BTreeMap<&CallSid, LegEvidence> = BTreeMap::new();
    let mut recordings: BTreeMap<&RecordingSid, Recording> = BTreeMap::new();
    let mut waited_s = None;
    let mut sdk = BTreeMap::new();
    let mut refusal = None;
    let (mut routed_as, mut sdk_direction) = (None, None);
    let (mut routed_peer, mut sdk_peer) = (None, None);
    let (mut routed_number, mut sdk_number) = (None, None);
    let (mut first_here, mut first_at_twilio) = (None, None);
    for event in events {
        match event {
            CallEvent::Routed { call_sid, direction, peer, our_number: ours, at_ms, refusal: why } => {
                // The voice webhook is requested while the caller's leg rings.
                legs.entry(call_sid).or_default().reach(CallStatus::Ringing, None);
                routed_as = least(routed_as, Some(*direction));
                routed_peer = least(routed_peer, some_text(peer));
                routed_number = least(routed_number, ours.as_deref().and_then(some_text));
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
                leg.reach(*status, *sequence);
                leg.duration_s = leg.duration_s.max(*duration_s);
                leg.error_code = least(leg.error_code, *error_code);
                leg.was_up |= matches!(status, CallStatus::InProgress | CallStatus::Completed);
                if *status == CallStatus::InProgress {
                    leg.up_at_ms = least(leg.up_at_ms, Some(*at_ms));
                }
                if status.is_final() {
                    leg.ended_at_ms = least(leg.ended_at_ms, Some(*at_ms));
                }
                first_at_twilio = least(first_at_twilio, Some(*at_ms));
            }
            CallEvent::Dialled { call_sid, at_ms, .. } | CallEvent::Conference { call_sid, at_ms, .. } => {
                legs.entry(call_sid).or_default();
                first_here = least(first_here, Some(*at_ms));
            }
            CallEvent::Waiting { call_sid, waited_s: waited, at_ms } => {
                legs.entry(call_sid).or_default();
                waited_s = waited_s.max(Some(*waited));
                first_here = least(first_here, Some(*at_ms));
            }
            CallEvent::LeftQueue { call_sid, waited_s: waited, at_ms, .. } => {
                legs.entry(call_sid).or_default();
                waited_s = waited_s.max(*waited);
                first_here = least(first_here, Some(*at_ms));
            }
            CallEvent::Recording { call_sid, recording_sid, status, message, duration_s, at_ms } => {
                legs.entry(call_sid).or_default();
                let recording = recordings.entry(recording_sid).or_insert_with(|| begun(recording_sid));
                recording.status = recording.status.max(*status);
                recording.message |= *message;
                recording.duration_s = recording.duration_s.max(*duration_s);
                first_here = least(first_here, Some(*at_ms));
            }
            CallEvent::Transcribed { call_sid, recording_sid, text, at_ms } => {
                legs.entry(call_sid).or_default();
                let recording = recordings.entry(recording_sid).or_insert_with(|| begun(recording_sid));
                recording.text = recording.text.take().max(Some(text.clone()));
                first_here = least(first_here, Some(*at_ms));
            }
            CallEvent::Sdk { direction, call_sid, parent_call_sid, peer, our_number: ours, what, at_ms } => {
                if let Some(call_sid) = call_sid {
                    let leg = legs.entry(call_sid).or_default();
                    leg.role = least(leg.role, Some(LegRole::Agent));
                    leg.parent = least(leg.parent.take(), parent_call_sid.clone());
                    leg.reach(as_leg_status(what), None);
                }
                sdk_direction = least(sdk_direction, Some(*direction));
                sdk_peer = least(sdk_peer, some_text(peer));
                sdk_number = least(sdk_number, ours.as_deref().and_then(some_text));
                first_here = least(first_here, Some(*at_ms));
                sdk.entry(what).and_modify(|first: &mut i64| *first = (*first).min(*at_ms)).or_insert(*at_ms);
            }
        }
    }
    let direction = routed_as.or(sdk_direction).unwrap_or_else(|| guess_direction(&legs));
    Some(Evidence {
        direction,
        peer: routed_peer.or(sdk_peer).unwrap_or_default().to_owned(),
        our_number: routed_number.or(sdk_number).map(str::to_owned),
        // Twilio's stamps are whole seconds of another clock: they serve only where ours are absent.
        started_at_ms: first_here.or(first_at_twilio)?,
        refusal,
        known_to_twilio: routed_as.is_some() || first_at_twilio.is_some(),
        sdk,
        legs,
        recordings,
        waited_s,
    })
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

    fn is_dialled(&self, leg: &LegEvidence) -> bool {
        leg.parent.is_some() || leg.role == Some(self.dialled_role())
    }

    /// The legs that `<Dial>` made. Their answer is the conversation.
    pub(super) fn dialled_legs(&self) -> impl Iterator<Item = &LegEvidence> {
        self.legs.values().filter(|leg| self.is_dialled(leg))
    }

    /// The legs that asked for the call.
    pub(super) fn parent_legs(&self) -> impl Iterator<Item = &LegEvidence> {
        self.legs.values().filter(|leg| !self.is_dialled(leg))
    }

    /// How the dialled leg ended, if it did: of several, the last to end.
    pub(super) fn dialled_end(&self) -> Option<CallStatus> {
        end_of(self.dialled_legs())
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

    /// When both parties were up: the later of the SDK's word and Twilio's. Beside the SDK's word,
    /// a stamp of Twilio's that lies after the end comes from a clock that runs ahead of ours.
    pub(super) fn connected_at_ms(&self) -> Option<i64> {
        let accepted = self.sdk.get(&SdkCallEvent::Accepted).copied();
        let ended = self.ended_at_ms().unwrap_or(i64::MAX);
        let dialled_up = self
            .dialled_legs()
            .filter_map(|leg| leg.up_at_ms)
            .min()
            .filter(|up| accepted.is_none() || *up <= ended);
        accepted.max(dialled_up).or_else(|| {
            // Neither answer was reported, but the completed leg tells how long it had been up.
            self.dialled_legs()
                .filter_map(|leg| Some(leg.ended_at_ms? - i64::from(leg.duration_s?) * 1000))
                .min()
        })
    }

    /// When the call ended, if either witness saw that: by our own clock where possible.
    pub(super) fn ended_at_ms(&self) -> Option<i64> {
        self.sdk
            .get(&SdkCallEvent::Ended)
            .copied()
            .or_else(|| self.sdk.iter().filter(|(what, _)| ends_call(what)).map(|(_, at_ms)| *at_ms).min())
            .or_else(|| self.dialled_legs().filter_map(|leg| leg.ended_at_ms).max())
            .or_else(|| self.parent_legs().filter_map(|leg| leg.ended_at_ms).max())
    }

    /// Seconds of conversation by Twilio's `CallDuration`. The dialled leg's is exact; the parent's
    /// also counts announcements, so it serves only where it is the far end's.
    pub(super) fn conversation_s(&self) -> Option<u32> {
        self.dialled_legs().filter_map(|leg| leg.duration_s).max().or_else(|| match self.direction {
            CallDirection::Incoming => self.parent_legs().filter_map(|leg| leg.duration_s).max(),
            CallDirection::Outgoing => None,
        })
    }

    /// The recordings for the row: messages first, then by SID.
    pub(super) fn recordings(&self) -> Vec<Recording> {
        let mut recordings: Vec<Recording> = self.recordings.values().cloned().collect();
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
    legs.filter_map(|leg| Some((leg.ended_at_ms?, leg.status()?))).max().map(|(_, status)| status)
}

/// Whether nothing follows what the SDK said.
fn ends_call(what: &SdkCallEvent) -> bool {
    match what {
        SdkCallEvent::HungUp
        | SdkCallEvent::Declined
        | SdkCallEvent::CanceledByCaller
        | SdkCallEvent::Ended
        | SdkCallEvent::Failed { .. } => true,
        SdkCallEvent::Dialing
        | SdkCallEvent::Ringing
        | SdkCallEvent::Incoming
        | SdkCallEvent::Accepted
        | SdkCallEvent::Reconnecting
        | SdkCallEvent::Reconnected => false,
    }
}
