//! What a caller hears: `<Say>`, `<Play>`, `<Pause>`.

use url::Url;

use super::xml::Writer;
use super::{MAX_SAY_LENGTH, Verb};

/// The verbs that may stand inside a [`Gather`](super::Gather).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompt {
    /// `<Say>`: speaks a text.
    Say {
        /// Spoken, at most [`MAX_SAY_LENGTH`] characters.
        text: String,
        /// BCP 47 tag such as `en-GB`; Twilio's default is `en-US`.
        language: Option<String>,
    },
    /// `<Play>`: plays a recording.
    Play {
        /// The audio file.
        url: Url,
        /// How many times; 0 is without end.
        loops: u32,
    },
    /// `<Pause>`: silence.
    Pause {
        /// Seconds.
        length_s: u32,
    },
}

impl Prompt {
    pub(super) fn write(&self, xml: &mut Writer) {
        match self {
            Self::Say { text, language } => say(xml, text, language.as_deref()),
            Self::Play { url, loops } => play(xml, url, *loops),
            Self::Pause { length_s } => pause(xml, *length_s),
        }
    }
}

impl From<Prompt> for Verb {
    fn from(prompt: Prompt) -> Self {
        match prompt {
            Prompt::Say { text, language } => Self::Say { text, language },
            Prompt::Play { url, loops } => Self::Play { url, loops },
            Prompt::Pause { length_s } => Self::Pause { length_s },
        }
    }
}

pub(super) fn say(xml: &mut Writer, text: &str, language: Option<&str>) {
    xml.open("Say");
    xml.optional("language", language);
    xml.text(text.char_indices().nth(MAX_SAY_LENGTH).map_or(text, |(end, _)| &text[..end]));
    xml.close("Say");
}

pub(super) fn play(xml: &mut Writer, url: &Url, loops: u32) {
    xml.open("Play");
    xml.attribute("loop", &loops.to_string());
    xml.text(url.as_str());
    xml.close("Play");
}

pub(super) fn pause(xml: &mut Writer, length_s: u32) {
    xml.open("Pause");
    xml.attribute("length", &length_s.to_string());
    xml.close("Pause");
}
