//! The commands that change what calls may do: the rules of both directions.

use dialer_domain::call_flow::Rules;
use dialer_domain::dial_policy::Question;
use dialer_domain::error::UserError;
use dialer_domain::incoming::{Problem, SoundName};
use dialer_domain::local_time::LocalMoment;
use dialer_domain::money::Money;
use dialer_media::api::AudioDevice;
use serde::{Deserialize, Serialize};

use super::{Types, command_return, malformed};

/// Everything the pages about calls show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct RulesView {
    /// As they are kept.
    pub rules: Rules,
    /// As a new installation has them.
    pub defaults: Rules,
    /// What is wrong with those kept, such as a recording that is no longer there.
    pub problems: Vec<Problem>,
    /// Every country, by name.
    pub countries: Vec<CountryOption>,
    /// ISO 3166 code of the agent's own country.
    pub home_region: String,
    /// The computer's time zone, by its IANA name.
    pub zone: String,
    /// Every time zone, by its IANA name.
    pub zones: Vec<String>,
    /// The agent's recordings.
    pub sounds: Vec<SoundView>,
    /// What callers get while this computer cannot be reached.
    pub fallback: FallbackView,
    /// What today's calls came to.
    pub today: SpentView,
    /// ISO 4217 code of the account's currency, where Twilio could be asked.
    pub currency: Option<String>,
}

/// A country that can be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CountryOption {
    /// ISO 3166 code.
    pub region: String,
    /// English name.
    pub name: String,
}

/// A recording of the agent's that callers hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct SoundView {
    /// Its name in the rules.
    pub name: SoundName,
    /// What the agent calls it.
    pub label: String,
    /// Whole seconds.
    pub duration_s: u32,
}

/// What Twilio does when this computer does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct FallbackView {
    /// A document to put into a TwiML Bin.
    pub document: String,
    /// The address entered for it, if one was.
    pub url: Option<String>,
    /// What is wrong with it, as a sentence with the cure.
    pub problem: Option<String>,
}

/// What calls to telephones came to since midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct SpentView {
    /// Whole minutes.
    pub minutes: u32,
    /// By Twilio's prices, where they are known.
    pub money: Option<Money>,
}

/// Whether a call may be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CallPermit {
    /// It may: connect the SDK within the next seconds.
    Go {
        /// The connect parameter `To`.
        to: String,
    },
    /// The agent must agree first; then it is asked for again, confirmed.
    Ask {
        /// To what.
        question: Question,
        /// What a minute costs, where it is known.
        price_per_minute: Option<Money>,
    },
}

/// Who waits in the queue, longest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct QueueView {
    /// The callers.
    pub waiting: Vec<WaitingView>,
}

/// A caller in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct WaitingView {
    /// E.164, or what the network says.
    pub peer: String,
    /// For reading.
    pub formatted: String,
    /// Unix milliseconds.
    #[ts(type = "number")]
    pub since_ms: i64,
}

/// A recording, to be played by the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct RecordingAudio {
    /// A WAV file, in base64.
    pub wav_base64: String,
}

/// A microphone that is recorded outside a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct GreetingProgress {
    /// Which recording, by the number that `record_greeting` gave.
    pub recording: u32,
    /// Milliseconds recorded so far.
    pub at_ms: u32,
    /// Root mean square, as a share of full scale.
    pub level: f32,
    /// No more is recorded; what there is can be had.
    pub over: bool,
    /// Why it ended by itself, unless it was as long as it may be.
    pub error: Option<UserError>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct RecordedGreeting {
    /// A WAV file, in base64.
    pub wav_base64: String,
    /// Milliseconds.
    pub duration_ms: u32,
    /// Whether anything louder than the noise of a room was heard.
    pub heard: bool,
}

/// A call to try the rules with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct PreviewScript {
    /// By the wall clock of the rules' hours; now, when absent.
    pub at: Option<LocalMoment>,
    /// How the agent is.
    pub agent: PreviewAgent,
    /// Whether the agent answers when the phone rings.
    pub agent_answers: bool,
    /// Whether the caller hides their number.
    pub hidden_number: bool,
    /// Keys the caller presses, one for each page of the menu; `-` lets one pass.
    pub keys: String,
}

/// How the agent is in a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum PreviewAgent {
    /// Can be rung.
    Ready,
    /// In a call.
    Busy,
    /// Not to be disturbed.
    DoNotDisturb,
    /// Not connected.
    Offline,
}

/// One thing that happens in a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct PreviewLine {
    /// Seconds since the call began.
    pub at_s: u32,
    /// Whose doing it is.
    pub who: PreviewWho,
    /// As a sentence, or what is spoken.
    pub text: String,
}

/// Whose doing a line of a preview is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum PreviewWho {
    /// What the caller hears.
    Heard,
    /// What the caller does.
    Caller,
    /// What the agent does.
    Agent,
    /// What becomes of the call.
    Call,
}

commands! {
    /// What a host must be able to do with the rules; the names are the commands.
    trait RulesCommands;

    /// The rules, and what is needed to edit them.
    rules() -> RulesView;
    /// What is wrong with rules that are being edited.
    check_rules(rules: Rules) -> Vec<Problem>;
    /// Keeps rules; they hold from the next call on. Rules with problems are refused.
    save_rules(rules: Rules) -> ();
    /// Adds a country to those that may be called.
    allow_country(region: String) -> ();
    /// Keeps a recording that callers shall hear: a WAV file in base64.
    add_sound(label: String, wav_base64: String) -> SoundView;
    /// A recording, to be played by the page.
    sound(name: SoundName) -> RecordingAudio;
    /// This computer's microphones, for recording a greeting.
    microphones() -> Vec<AudioDevice>;
    /// Begins to record a greeting with a microphone, of a minute at most; not while there is a call, whose
    /// microphone it is. Gives the recording's number; how far it is comes as events, which may overtake this answer.
    record_greeting(microphone: String) -> u32;
    /// Ends the recording of that number and gives it; it is kept nowhere until it is added as a sound.
    finish_greeting(recording: u32) -> RecordedGreeting;
    /// Deletes a recording that no rule uses.
    delete_sound(name: SoundName) -> ();
    /// Looks whether Twilio would get something to play while this computer cannot be reached.
    check_fallback() -> FallbackView;
    /// Tells Twilio where to go while this computer cannot be reached: an address of a TwiML document, or nowhere.
    set_fallback(url: Option<String>) -> FallbackView;
    /// Plays a call against the practice Twilio, with rules that are being edited, and tells what happens.
    /// Each line also comes as an event when it happens. Ends the preview that is being played, if there is one.
    preview_incoming(rules: Rules, script: PreviewScript) -> Vec<PreviewLine>;
    /// Ends the preview that is being played.
    stop_preview() -> ();
    /// Presses a key in the preview that is being played, while its menu waits for one. One that the menu does not
    /// have is refused, and played all the same.
    press_preview_key(key: String) -> ();
}
