//! What callers get: the agent's rules for incoming calls, as they are edited and kept.
//!
//! Rules are data. [`call_flow`](crate::call_flow) reads them when Twilio asks; [`problems`](fn@problems) says what
//! is wrong with them before they are kept, so that no caller ends in a loop or in silence.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::local_time::LocalDate;
use crate::phone_number::E164;

mod hours;
mod problems;
#[cfg(test)]
pub(crate) mod tests;

pub use problems::{Known, problems};

/// Everything about incoming calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct IncomingRules {
    /// When callers are welcome; always, when absent.
    pub hours: Option<Hours>,
    /// What a caller gets in these hours when nothing below applies.
    pub open: Answer,
    /// Outside the hours.
    pub closed: Answer,
    /// While the agent does not want to be disturbed.
    pub do_not_disturb: Answer,
    /// While the agent is in a call.
    pub busy: Answer,
    /// While this phone is not connected, or the agent is signed out.
    pub offline: Answer,
    /// When the phone rang and nobody answered, or the agent declined.
    pub no_answer: Answer,
    /// For callers who hide their number; like everybody else, when absent.
    pub hidden_number: Option<Answer>,
    /// How long the phone rings, in seconds, 5 to 600. Twilio adds five.
    pub ring_s: u32,
    /// What callers hear before they leave a message, and how.
    pub voicemail: Voicemail,
    /// The menu that [`Answer::Menu`] plays.
    pub menu: MenuPage,
    /// The queue that [`Answer::Queue`] puts callers in.
    pub queue: QueueRules,
}

/// What happens to a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Answer {
    /// The agent's phone rings.
    Ring,
    /// Another number is called.
    Forward {
        /// Which.
        to: E164,
    },
    /// The caller can leave a message.
    Voicemail,
    /// The caller chooses from the menu.
    Menu,
    /// The caller waits until the agent takes the call.
    Queue,
    /// The caller hears a message; then the call ends.
    Message {
        /// Which.
        prompt: Prompt,
    },
    /// The caller hears the busy tone; the call is not answered and costs nothing.
    Decline,
}

/// Something a caller hears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Prompt {
    /// A text, spoken by Twilio.
    Say {
        /// At most 4,096 characters.
        text: String,
        /// BCP 47 tag such as `de-DE`; `en-US` when absent.
        language: Option<String>,
    },
    /// A recording of the agent's.
    Play {
        /// Which.
        sound: SoundName,
    },
}

impl IncomingRules {
    /// Every number that callers may be passed on to.
    pub fn forwards(&self) -> Vec<&E164> {
        fn of_page<'a>(page: &'a MenuPage, answers: &mut Vec<&'a Answer>) {
            answers.push(&page.otherwise);
            for choice in page.choices.values() {
                match &choice.then {
                    Chosen::Page { page } => of_page(page, answers),
                    Chosen::Answer { answer } => answers.push(answer),
                }
            }
        }
        let mut answers =
            vec![&self.open, &self.closed, &self.do_not_disturb, &self.busy, &self.offline, &self.no_answer];
        answers.extend(&self.hidden_number);
        answers.push(&self.queue.overflow);
        of_page(&self.menu, &mut answers);
        let mut numbers = Vec::new();
        for answer in answers {
            match answer {
                Answer::Forward { to } => numbers.push(to),
                Answer::Ring
                | Answer::Voicemail
                | Answer::Menu
                | Answer::Queue
                | Answer::Message { .. }
                | Answer::Decline => {}
            }
        }
        numbers
    }
}

impl Prompt {
    /// A text in Twilio's default language.
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say { text: text.into(), language: None }
    }
}

/// Names a recording that callers hear: 32 lower-case hexadecimal digits, the beginning of the
/// recording's SHA-256, so that it cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct SoundName(String);

/// A text that names no recording.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a recording is named by 32 lower-case hexadecimal digits")]
pub struct InvalidSoundName;

impl SoundName {
    /// Checks the form.
    pub fn parse(text: &str) -> Result<Self, InvalidSoundName> {
        let valid = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidSoundName) }
    }

    /// The name that 16 bytes spell: the beginning of a hash, or chance.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(32);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SoundName {
    type Error = InvalidSoundName;
    fn try_from(text: String) -> Result<Self, InvalidSoundName> {
        Self::parse(&text)
    }
}

impl From<SoundName> for String {
    fn from(name: SoundName) -> String {
        name.0
    }
}

/// Opening hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Hours {
    /// IANA time zone such as `Europe/Berlin`; the computer's own when absent.
    pub zone: Option<String>,
    /// Monday first; no span is a day off.
    pub week: [Vec<Span>; 7],
    /// Days that are not like their weekday, such as holidays.
    pub exceptions: Vec<Exception>,
}

/// From one minute of the day to another. A span whose end is not after its beginning goes on past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ts_rs::TS)]
pub struct Span {
    /// Minutes since midnight, 0 to 1439.
    pub from: u16,
    /// Minutes since midnight, 1 to 1440; this minute is no longer in the span.
    pub to: u16,
}

/// A day with hours of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Exception {
    /// Which.
    pub date: LocalDate,
    /// What it is, for the agent: `Christmas`.
    pub label: String,
    /// Its hours; none is a day off.
    pub spans: Vec<Span>,
}

/// Taking messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct Voicemail {
    /// Before the tone.
    pub greeting: Prompt,
    /// The longest message, in seconds, 10 to 600; 120 where it is transcribed.
    pub longest_s: u32,
    /// Whether Twilio writes the message down, which costs and is in English only.
    pub transcribe: bool,
}

/// One page of the menu. Pages contain their sub-pages, so a caller only ever goes deeper, and every page
/// ends in an answer: no loop and no dead end can be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct MenuPage {
    /// What the caller can choose, told.
    pub prompt: Prompt,
    /// The keys.
    pub choices: BTreeMap<MenuKey, Choice>,
    /// How long to wait for a key after the prompt, in seconds, 1 to 60.
    pub wait_s: u32,
    /// How often the prompt is played when no key, or a wrong one, was pressed; 1 to 5.
    pub attempts: u32,
    /// What then happens.
    pub otherwise: Box<Answer>,
}

/// A key of a menu: `0` to `9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
#[serde(try_from = "String", into = "String")]
#[ts(type = "string")]
pub struct MenuKey(u8);

/// A text that is no key of a menu.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a menu has the keys 0 to 9")]
pub struct InvalidMenuKey;

impl MenuKey {
    /// The key of a digit.
    pub fn of(digit: char) -> Option<Self> {
        digit.to_digit(10).and_then(|value| u8::try_from(value).ok()).map(Self)
    }

    /// The digit.
    pub fn digit(self) -> char {
        char::from(b'0' + self.0)
    }
}

impl TryFrom<String> for MenuKey {
    type Error = InvalidMenuKey;
    fn try_from(text: String) -> Result<Self, InvalidMenuKey> {
        let mut characters = text.chars();
        match (characters.next().and_then(Self::of), characters.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(InvalidMenuKey),
        }
    }
}

impl From<MenuKey> for String {
    fn from(key: MenuKey) -> String {
        key.digit().to_string()
    }
}

/// What a key does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Choice {
    /// For the agent: `Sales`.
    pub label: String,
    /// What happens.
    pub then: Chosen,
}

/// Where a key leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Chosen {
    /// To another page.
    Page {
        /// Which.
        page: MenuPage,
    },
    /// Out of the menu.
    Answer {
        /// To what; never to [`Answer::Menu`].
        answer: Answer,
    },
}

/// The queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct QueueRules {
    /// What callers hear when they are put in.
    pub greeting: Prompt,
    /// Whether they are told how many are before them.
    pub tell_position: bool,
    /// What they hear while they wait.
    pub music: Music,
    /// How long one waits, in seconds, 30 to 14,400.
    pub longest_wait_s: u32,
    /// How many may wait, 1 to 100.
    pub most_waiting: u32,
    /// What the others get: [`Answer::Voicemail`], [`Answer::Forward`] or [`Answer::Message`].
    pub overflow: Box<Answer>,
}

/// What somebody hears while waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Music {
    /// The program's own tune.
    Tune,
    /// Nothing.
    Silence,
    /// A recording of the agent's.
    Recording {
        /// Which.
        sound: SoundName,
    },
}

/// Something wrong with the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Problem {
    /// Where: the fields that lead there, such as `menu.choices.1.then.page.prompt`.
    pub path: String,
    /// What is wrong and what to do, as a sentence for the agent.
    pub message: String,
}

/// How often a page of the menu can be played.
pub const MOST_ATTEMPTS: u32 = 5;

const GREETING: &str = "Nobody can take your call right now. Please leave a message after the tone.";
const WAITING: &str = "All lines are busy. Please hold, and your call will be taken as soon as possible.";

impl Default for IncomingRules {
    /// The phone rings; whoever does not get through can leave a message.
    fn default() -> Self {
        Self {
            hours: None,
            open: Answer::Ring,
            closed: Answer::Voicemail,
            do_not_disturb: Answer::Voicemail,
            busy: Answer::Voicemail,
            offline: Answer::Voicemail,
            no_answer: Answer::Voicemail,
            hidden_number: None,
            ring_s: 25,
            voicemail: Voicemail::default(),
            menu: MenuPage::default(),
            queue: QueueRules::default(),
        }
    }
}

impl Default for Voicemail {
    fn default() -> Self {
        Self { greeting: Prompt::say(GREETING), longest_s: 120, transcribe: false }
    }
}

impl Default for MenuPage {
    fn default() -> Self {
        Self {
            prompt: Prompt::say("To speak to somebody, press 1. To leave a message, press 2."),
            choices: BTreeMap::from([
                (
                    MenuKey(1),
                    Choice {
                        label: "Speak to somebody".into(),
                        then: Chosen::Answer { answer: Answer::Ring },
                    },
                ),
                (
                    MenuKey(2),
                    Choice {
                        label: "Leave a message".into(),
                        then: Chosen::Answer { answer: Answer::Voicemail },
                    },
                ),
            ]),
            wait_s: 6,
            attempts: 3,
            otherwise: Box::new(Answer::Voicemail),
        }
    }
}

impl Default for QueueRules {
    fn default() -> Self {
        Self {
            greeting: Prompt::say(WAITING),
            tell_position: true,
            music: Music::Tune,
            longest_wait_s: 900,
            most_waiting: 20,
            overflow: Box::new(Answer::Voicemail),
        }
    }
}
