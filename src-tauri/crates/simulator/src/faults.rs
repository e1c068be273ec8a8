//! Faults that can be switched on while the simulator runs.

use serde::{Deserialize, Serialize};

/// What goes wrong at the moment. All off by default. Delays are real milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// New signalling sockets are refused with HTTP 503.
    pub refuse_signalling: bool,
    /// Each signalling frame towards the SDK leaves this much later, in order.
    pub delay_signalling_ms: u64,
    /// Heartbeats stop; the SDK drops the socket after 15 s of silence (voice-sdk 2.18.5,
    /// `wstransport.ts:10`).
    pub withhold_heartbeats: bool,
    /// Voice, redirect and `action` requests fail as if nobody answered (11205).
    pub drop_voice_webhooks: bool,
    /// Every webhook leaves this much later.
    pub delay_webhooks_ms: u64,
    /// Status callbacks are not sent.
    pub drop_status_callbacks: bool,
    /// Each status callback is sent twice.
    pub duplicate_status_callbacks: bool,
    /// The status callbacks of a leg are held until its end and sent last first.
    pub reorder_status_callbacks: bool,
}
