//! When a call was answered and ended, and how long it was.

use super::evidence::{Dial, Evidence};
use super::leg::LegEvidence;
use super::verdict;
use crate::call::{CallDirection, SdkCallEvent};
use crate::call_flow::Purpose;

impl Evidence<'_> {
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
        accepted.max(dialled_up).or_else(|| self.taken_at_ms()).or_else(|| {
            // Neither answer was reported, but what completed tells how long it had been up.
            let before = |ended: i64, duration_s: u32| ended - i64::from(duration_s) * 1000;
            self.dialled_legs()
                .filter_map(|leg| Some(before(leg.ended_at_ms()?, leg.duration_s?)))
                .chain(self.dials().filter_map(|dial| Some(before(dial.at_ms, dial.duration_s?))))
                .min()
        })
    }

    /// When the caller was taken out of the queue.
    fn taken_at_ms(&self) -> Option<i64> {
        let queue = Some(&self.queue).filter(|queue| queue.was_taken)?;
        Some(queue.since_ms?.saturating_add(i64::from(queue.waited_s?) * 1000))
    }

    /// When the call ended, if either witness saw that: by our own clock where possible.
    pub(super) fn ended_at_ms(&self) -> Option<i64> {
        let (agents, callers) = (self.agents_end_ms(), self.callers_end_ms());
        let callers_first = self.direction == CallDirection::Incoming && !verdict::is_answered(self);
        if callers_first { callers.or(agents) } else { agents.or(callers) }
    }

    /// When it ended for the agent.
    fn agents_end_ms(&self) -> Option<i64> {
        let dialled = |dial: &Dial| Some(dial.at_ms).filter(|_| dial.status.is_final());
        self.sdk
            .get(&SdkCallEvent::Ended)
            .copied()
            .or_else(|| self.sdk.iter().filter(|(what, _)| ends_call(what)).map(|(_, at_ms)| *at_ms).min())
            .or_else(|| self.dialled_legs().filter_map(LegEvidence::ended_at_ms).max())
            .or_else(|| self.dials().filter_map(dialled).max())
            .or(self.queue.ended_at_ms)
            .or_else(|| self.parent_legs().filter_map(LegEvidence::ended_at_ms).max())
    }

    /// When it ended for a caller who stayed though they did not get the agent: in the queue, with whom
    /// they were passed on to, or with the answering machine.
    fn callers_end_ms(&self) -> Option<i64> {
        let passed_on = self.passed_on_legs().filter_map(LegEvidence::ended_at_ms).max();
        let told =
            self.dials.get(&Purpose::Forward).filter(|dial| dial.status.is_final()).map(|dial| dial.at_ms);
        let stayed = passed_on.max(told).max(self.message_at_ms).max(self.queue.ended_at_ms);
        if stayed.is_none() && self.queue.waited_s.is_none() {
            return None;
        }
        self.parent_legs().filter_map(LegEvidence::ended_at_ms).max().or(stayed)
    }

    /// Seconds of conversation by Twilio's `CallDuration`. The dialled leg's is exact; the parent's
    /// also counts announcements and, in the queue, the agent's search: it serves only where it is the
    /// far end's.
    pub(super) fn conversation_s(&self) -> Option<u32> {
        let taken = self.dials.get(&Purpose::TakeNext).and_then(|dial| dial.duration_s);
        let told = || self.dials().filter_map(|dial| dial.duration_s).max();
        taken
            .or_else(|| self.taken_s())
            .or_else(|| self.dialled_legs().filter_map(|leg| leg.duration_s).max())
            .or_else(told)
            .or_else(|| match self.direction {
                CallDirection::Incoming => self.parent_legs().filter_map(|leg| leg.duration_s).max(),
                CallDirection::Outgoing => None,
            })
    }

    /// Seconds between the queue and its end, for a caller who was taken out of it.
    fn taken_s(&self) -> Option<u32> {
        let ms = self.queue.ended_at_ms?.saturating_sub(self.taken_at_ms()?);
        u32::try_from(ms.max(0) / 1000).ok()
    }

    /// Seconds that a caller spoke to whom they were passed on to.
    pub(super) fn passed_on_s(&self) -> Option<u32> {
        let told = || self.dials.get(&Purpose::Forward).and_then(|dial| dial.duration_s);
        self.passed_on_legs().filter_map(|leg| leg.duration_s).max().or_else(told)
    }
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
