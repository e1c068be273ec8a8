//! `<Record>`: a message.

use url::Url;

use super::xml::Writer;
use super::{only, recording_report_to};

/// Records the caller alone, until they stop speaking, press a key or hang up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where Twilio asks how to go on. Without one it would ask for this very document again.
    pub action: Url,
    /// The longest recording, in seconds. Twilio's default is 3600; it keeps no more than 600 for calls
    /// of the Voice SDK.
    pub max_length_s: Option<u32>,
    /// The silence that ends it, in seconds; 0 for none. Twilio's default is 5.
    pub timeout_s: Option<u32>,
    /// The keys that end it, of `0-9*#`; none for the empty text. Twilio's default is any key.
    pub finish_on_key: Option<String>,
    /// Whether a tone is heard before.
    pub play_beep: bool,
    /// Whether silence at both ends is kept; Twilio's default is to cut it off.
    pub keep_silence: bool,
    /// Whether it is written down.
    pub transcription: Option<Transcription>,
    /// Where to tell of the recording.
    pub recording_status_callback: Option<Url>,
}

/// Has Twilio write a recording down, which costs, is in English, and is done for up to 120 seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcription {
    /// Where to tell the text.
    pub callback: Url,
}

impl Record {
    /// Records in Twilio's manner, after a tone.
    pub fn new(action: Url) -> Self {
        Self {
            action,
            max_length_s: None,
            timeout_s: None,
            finish_on_key: None,
            play_beep: true,
            keep_silence: false,
            transcription: None,
            recording_status_callback: None,
        }
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.open("Record");
        xml.attribute("action", self.action.as_str());
        xml.number("maxLength", self.max_length_s);
        xml.number("timeout", self.timeout_s);
        let finish = self.finish_on_key.as_deref().map(|keys| only("0123456789*#", keys));
        xml.optional("finishOnKey", finish.as_deref());
        xml.attribute("playBeep", if self.play_beep { "true" } else { "false" });
        if self.keep_silence {
            xml.attribute("trim", "do-not-trim");
        }
        if let Some(transcription) = &self.transcription {
            xml.attribute("transcribe", "true");
            xml.attribute("transcribeCallback", transcription.callback.as_str());
        }
        recording_report_to(xml, self.recording_status_callback.as_ref());
        xml.close("Record");
    }
}
