//! What happened in the simulator, as a numbered log that can be read and followed.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use dialer_domain::call::CallStatus;
use dialer_domain::sid::{CallSid, RecordingSid};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;

/// How many events are kept; older ones are forgotten.
const KEPT: usize = 10_000;
/// How far a subscriber may fall behind before it misses events.
const BACKLOG: usize = 1024;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimEvent {
    /// Counts from 1 without gaps.
    pub number: u64,
    /// Unix milliseconds.
    pub at_ms: i64,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// A signalling socket was opened.
    SocketOpened {
        /// Names the socket for the life of the simulator.
        socket: u64,
    },
    /// A signalling socket is gone.
    SocketClosed {
        /// Which.
        socket: u64,
    },
    /// An access token was accepted.
    TokenAccepted {
        /// On which socket.
        socket: u64,
        /// Whom it names.
        identity: String,
    },
    /// An access token was refused, or ran out.
    TokenRefused {
        /// On which socket.
        socket: u64,
        /// The code sent to the SDK.
        code: u32,
        /// Why.
        reason: String,
    },
    /// A device can be rung.
    Registered {
        /// On which socket.
        socket: u64,
        /// Under which identity.
        identity: String,
    },
    /// A device can no longer be rung.
    Unregistered {
        /// On which socket.
        socket: u64,
        /// Under which identity.
        identity: String,
    },
    /// A signalling frame could not be used.
    FrameRefused {
        /// On which socket.
        socket: u64,
        /// Why.
        reason: String,
    },
    /// A leg's status changed; the first one is its beginning.
    LegStatus {
        /// The leg.
        call_sid: CallSid,
        /// Its parent, absent for the parent itself.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        parent_call_sid: Option<CallSid>,
        /// Where the call comes from.
        from: String,
        /// Where it goes to.
        to: String,
        /// The status it has now.
        status: CallStatus,
    },
    /// A lost signalling connection was taken up again in a call.
    LegReconnected {
        /// The SDK's leg.
        call_sid: CallSid,
    },
    /// The media path of a leg was renewed by an ICE restart.
    LegRenegotiated {
        /// The SDK's leg.
        call_sid: CallSid,
    },
    /// A webhook was requested.
    Webhook {
        /// What for.
        purpose: WebhookPurpose,
        /// The leg it speaks of.
        call_sid: CallSid,
        /// Where it went.
        url: String,
        /// The answer's HTTP status; absent when there was no answer.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        status: Option<u16>,
        /// `CallStatus` of a status callback.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        call_status: Option<String>,
    },
    /// A fault holds a webhook back.
    WebhookHeld {
        /// What it is for.
        purpose: WebhookPurpose,
        /// The leg it speaks of.
        call_sid: CallSid,
        /// Where it is to go.
        url: String,
    },
    /// A REST request was answered, or its connection broken by a fault or by its client.
    RestRequest {
        /// `GET`, `POST`, `DELETE`.
        method: String,
        /// Its path, such as `/api/2010-04-01/Accounts/AC…/Keys.json`.
        path: String,
        /// The answer's HTTP status; absent when there was none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        status: Option<u16>,
    },
    /// A fault holds a REST request.
    RestHeld {
        /// `GET`, `POST`, `DELETE`.
        method: String,
        /// Its path.
        path: String,
        /// Whether it was processed before it was held.
        processed: bool,
    },
    /// What Twilio's debugger would show.
    Alert {
        /// Twilio's error code.
        code: u32,
        /// `error` or `warning`.
        level: AlertLevel,
        /// The call concerned.
        call_sid: CallSid,
        /// What went wrong.
        text: String,
    },
    /// A DTMF digit reached a party.
    Digit {
        /// The leg that heard it.
        call_sid: CallSid,
        /// `0-9A-D*#`.
        digit: char,
        /// How it came.
        via: DigitPath,
    },
    /// A text was spoken to a party.
    Spoken {
        /// The leg that hears it.
        call_sid: CallSid,
        /// What.
        text: String,
    },
    /// A recording was played to a party.
    Played {
        /// The leg that hears it.
        call_sid: CallSid,
        /// Where it is; empty for Twilio's own music.
        url: String,
    },
    /// Keys or words are waited for.
    Gathering {
        /// The leg they are to come from.
        call_sid: CallSid,
    },
    /// The wait for keys or words is over.
    Gathered {
        /// The leg they came from.
        call_sid: CallSid,
        /// The keys; empty if there were none.
        digits: String,
        /// What was said.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        speech: Option<String>,
    },
    /// A party spoke words that its script knows.
    Said {
        /// The leg that spoke.
        call_sid: CallSid,
        /// What.
        text: String,
    },
    /// A recording began.
    RecordingStarted {
        /// The call: of two legs the parent.
        call_sid: CallSid,
        /// Which.
        recording_sid: RecordingSid,
    },
    /// A recording ended; its file comes later.
    RecordingEnded {
        /// The call: of two legs the parent.
        call_sid: CallSid,
        /// Which.
        recording_sid: RecordingSid,
        /// Seconds of sound.
        duration_s: u32,
    },
    /// A call waits in a queue.
    Queued {
        /// Which call.
        call_sid: CallSid,
        /// The queue's name.
        queue: String,
    },
    /// A call waits no longer: it was taken, gave up, or was led elsewhere.
    LeftQueue {
        /// Which call.
        call_sid: CallSid,
        /// The queue's name.
        queue: String,
        /// `QueueResult`.
        result: String,
    },
    /// A SIP address was invited to a call.
    SipInvite {
        /// The leg.
        call_sid: CallSid,
        /// Whom.
        uri: String,
        /// The headers that were asked for.
        headers: Vec<(String, String)>,
    },
    /// A call message arrived from the SDK.
    MessageReceived {
        /// The SDK's leg.
        call_sid: CallSid,
        /// `messagetype`.
        message_type: String,
        /// The content as JSON text.
        content: String,
    },
}

/// What a webhook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookPurpose {
    /// The voice URL.
    Voice,
    /// The voice fallback URL.
    Fallback,
    /// `<Redirect>`.
    Redirect,
    /// `action` of `<Dial>`.
    DialAction,
    /// `action` of `<Gather>`.
    GatherAction,
    /// `action` of `<Record>`.
    RecordAction,
    /// `action` of `<Enqueue>`.
    EnqueueAction,
    /// `waitUrl` of `<Enqueue>`.
    QueueWait,
    /// `url` of a noun of `<Dial>`: a document for the called party.
    Whisper,
    /// `waitUrl` of `<Conference>`, `HoldUrl` or `AnnounceUrl` of a participant.
    ConferenceWait,
    /// A status callback.
    StatusCallback,
    /// A recording's status callback.
    RecordingCallback,
    /// A conference's status callback.
    ConferenceCallback,
    /// `transcribeCallback` of `<Record>`.
    TranscriptionCallback,
}

impl WebhookPurpose {
    /// Whether it only tells of something: the answer steers nothing.
    pub fn is_notice(self) -> bool {
        matches!(
            self,
            Self::StatusCallback
                | Self::RecordingCallback
                | Self::ConferenceCallback
                | Self::TranscriptionCallback
        )
    }
}

/// How grave an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertLevel {
    /// The call could not go on as its document asked.
    Error,
    /// Something was skipped.
    Warning,
}

/// How a digit travelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DigitPath {
    /// A `dtmf` signalling message.
    Signalling,
    /// RTP telephone-event (RFC 4733).
    TelephoneEvent,
    /// Tones in the sound.
    InBand,
    /// `sendDigits` of `<Number>` or `digits` of `<Play>`.
    Twiml,
}

/// The log itself.
pub(crate) struct EventLog {
    kept: Mutex<(u64, VecDeque<SimEvent>)>,
    live: broadcast::Sender<SimEvent>,
}

impl EventLog {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::new((0, VecDeque::new())), live: broadcast::channel(BACKLOG).0 }
    }

    pub(crate) fn record(&self, at_ms: i64, what: Happening) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let event = SimEvent { number: kept.0, at_ms, what };
        kept.1.push_back(event.clone());
        if kept.1.len() > KEPT {
            kept.1.pop_front();
        }
        // Sent under the lock so that subscribers see the numbers in order. Nobody listening is fine.
        let _ = self.live.send(event);
    }

    pub(crate) fn since(&self, number: u64) -> Vec<SimEvent> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().filter(|event| event.number > number).cloned().collect()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<SimEvent> {
        self.live.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gaps_and_old_entries_go() {
        let log = EventLog::new();
        for socket in 0..KEPT as u64 + 5 {
            log.record(0, Happening::SocketOpened { socket });
        }
        let all = log.since(0);
        assert_eq!(all.len(), KEPT);
        assert_eq!(all.first().map(|event| event.number), Some(6));
        assert_eq!(log.since(KEPT as u64 + 3).len(), 2);
    }

    #[test]
    fn the_json_is_flat() {
        let event = SimEvent { number: 1, at_ms: 2, what: Happening::SocketOpened { socket: 3 } };
        assert_eq!(
            serde_json::to_value(event).ok(),
            Some(serde_json::json!({"number": 1, "at_ms": 2, "event": "socket_opened", "socket": 3}))
        );
    }
}
