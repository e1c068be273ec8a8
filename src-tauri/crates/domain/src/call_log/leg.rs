//! What is known of one leg.

use crate::call::{CallStatus, LegRole};
use crate::sid::CallSid;

/// What is known of one leg.
#[derive(Default)]
pub(super) struct LegEvidence {
    pub(super) parent: Option<CallSid>,
    /// As told, not as inferred.
    pub(super) role: Option<LegRole>,
    /// Whether it was dialled to pass a caller on.
    pub(super) passed_on: bool,
    /// The furthest report: final before not final, then by `SequenceNumber`, then by status.
    furthest: Option<(bool, Option<u32>, CallStatus)>,
    /// Whether Twilio said that the leg was answered.
    pub(super) was_up: bool,
    pub(super) up_at_ms: Option<i64>,
    /// When the leg ended, at Twilio's clock.
    ended_there_ms: Option<i64>,
    /// When we were told that the leg had ended, at our clock.
    ended_here_ms: Option<i64>,
    pub(super) duration_s: Option<u32>,
    pub(super) error_code: Option<u32>,
}

impl LegEvidence {
    /// The furthest status, or `None` for a leg that was only named.
    pub(super) fn status(&self) -> Option<CallStatus> {
        self.furthest.map(|(_, _, status)| status)
    }

    /// When the leg ended, by our own clock where possible.
    pub(super) fn ended_at_ms(&self) -> Option<i64> {
        self.ended_here_ms.or(self.ended_there_ms)
    }

    /// Some witness saw the leg in this state, at a time that does not tell anything.
    pub(super) fn reach(&mut self, status: CallStatus, sequence: Option<u32>) {
        self.furthest = self.furthest.max(Some((status.is_final(), sequence, status)));
    }

    /// Twilio said so, at `at_ms` of its clock.
    pub(super) fn told(&mut self, status: CallStatus, sequence: Option<u32>, at_ms: i64) {
        self.reach(status, sequence);
        self.was_up |= is_up(status);
        if status == CallStatus::InProgress {
            self.up_at_ms = super::least(self.up_at_ms, Some(at_ms));
        }
        if status.is_final() {
            self.ended_there_ms = super::least(self.ended_there_ms, Some(at_ms));
        }
    }

    /// Twilio asked how to go on after the leg, at `at_ms` of our clock.
    pub(super) fn over(&mut self, status: CallStatus, at_ms: i64) {
        self.reach(status, None);
        self.was_up |= is_up(status);
        if status.is_final() {
            self.ended_here_ms = super::least(self.ended_here_ms, Some(at_ms));
        }
    }
}

/// Whether a leg in this state is, or was, answered.
pub(super) fn is_up(status: CallStatus) -> bool {
    matches!(status, CallStatus::InProgress | CallStatus::Completed)
}
