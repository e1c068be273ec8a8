//! What a far end does, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a far end behaves. Spans are simulated seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FarEndScript {
    /// What it does when it is called.
    pub answer: AnswerScript,
    /// What it does once the call is up, whoever called.
    #[serde(default)]
    pub talk: TalkScript,
    /// Hangs up this long after the call came up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hang_up_after_s: Option<f64>,
    /// As a caller: gives up after this much ringing. Without it, it waits for as long as Twilio does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_s: Option<f64>,
}

/// What a called far end does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum AnswerScript {
    /// Rings, then answers. At 0 seconds it answers without ringing.
    Answer {
        /// Simulated seconds of ringing.
        after_s: f64,
    },
    /// Is busy (SIP 486).
    Busy,
    /// Rings and is never answered.
    Ring,
    /// Rings, then declines (SIP 603).
    Decline {
        /// Simulated seconds of ringing.
        after_s: f64,
    },
    /// Cannot be connected.
    Fail {
        /// SIP response of the carrier, such as 404.
        sip_code: u16,
        /// Twilio's error code in the status callback.
        error_code: u32,
    },
}

/// What a far end says and listens for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum TalkScript {
    /// Repeats what it hears, 0.4 s later.
    #[default]
    Echo,
    /// A steady tone, while it measures what it hears.
    Tone {
        /// Frequency.
        hz: f32,
    },
    /// Nothing, while it measures what it hears.
    Silence,
    /// A greeting of tones, a beep, then it listens.
    Voicemail,
    /// Presses these keys, `0-9A-D*#`.
    SendDigits {
        /// Which.
        digits: String,
    },
    /// Repeats each DTMF digit it recognises as that digit's tones.
    ReadDigits,
}

/// A span of simulated seconds; negative and absurd numbers from a scenario become 0 or a day.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, 86_400.0) } else { 0.0 })
}
