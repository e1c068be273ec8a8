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
    /// Does one thing after the other, then stays silent.
    Steps {
        /// What.
        steps: Vec<Step>,
        /// Begin anew after the last.
        #[serde(default)]
        again: bool,
    },
}

/// One thing a far end does. Waiting is in simulated time, sound in real time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Says nothing.
    Wait {
        /// Simulated seconds.
        s: f64,
    },
    /// Waits for the beep after which one speaks (1000 Hz), or for four seconds of silence after
    /// something was said.
    AwaitBeep,
    /// Speaks: heard as notes, understood by `<Gather>` and in transcriptions.
    Say {
        /// The words.
        text: String,
    },
    /// Says a steady tone.
    Tone {
        /// Frequency.
        hz: f32,
        /// Seconds of sound.
        for_s: f64,
    },
    /// Presses keys.
    Press {
        /// `0-9A-D*#`, `w` and `W` wait.
        digits: String,
        /// How they travel.
        #[serde(default)]
        via: KeyPath,
    },
    /// Hangs up.
    HangUp,
}

/// How keys of a far end travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPath {
    /// As tones in the sound.
    #[default]
    InBand,
    /// Beside the sound (RFC 4733).
    TelephoneEvent,
}

/// What a caller does once the call is up, in place of what the practice number would do.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallerScript {
    /// One after the other.
    pub steps: Vec<Step>,
    /// Begin anew after the last.
    pub again: bool,
    /// Hangs up this long after the call came up, in simulated seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hang_up_after_s: Option<f64>,
    /// Gives up after this much ringing, in simulated seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience_s: Option<f64>,
}

impl CallerScript {
    /// The same as a far end, which answers at once should it be called.
    pub(crate) fn far_end(&self) -> FarEndScript {
        FarEndScript {
            answer: AnswerScript::Answer { after_s: 0.0 },
            talk: TalkScript::Steps { steps: self.steps.clone(), again: self.again },
            hang_up_after_s: self.hang_up_after_s,
            patience_s: self.patience_s,
        }
    }
}

/// A span of simulated seconds; negative and absurd numbers from a scenario become 0 or a day.
pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(if seconds.is_finite() { seconds.clamp(0.0, 86_400.0) } else { 0.0 })
}
