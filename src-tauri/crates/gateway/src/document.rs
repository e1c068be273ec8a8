//! From an instruction to the TwiML that carries it out.

use dialer_domain::call_flow::{Connect, Instruction, MenuPlace, Purpose};
use dialer_domain::destination::Destination;
use dialer_domain::incoming::{Music, Prompt, SoundName};
use dialer_twilio::twiml::{
    self, Dial, DialNoun, Enqueue, Gather, Record, RejectReason, Response, Transcription, Verb,
};
use dialer_twilio::webhook::VoiceRequest;
use url::Url;

use crate::public_base::Addresses;
use crate::route::{Question, Report, Route};

/// Spoken when no decision could be had in time.
const NO_DECISION: &str = "Your call cannot be connected right now. Please try again later.";
/// Spoken when the request about a call was not understood.
const NOT_UNDERSTOOD: &str = "Your call cannot be connected, because something about it was not understood.";

/// Name of the custom parameter that tells the SDK the caller's leg, to join what both know.
const PARENT_PARAM: &str = "parent";
/// Name of the custom parameter that tells the SDK which of our numbers was called.
const CALLED_PARAM: &str = "called";

/// The silence that ends a message, in seconds.
const MESSAGE_SILENCE_S: u32 = 5;
/// The key that ends a message.
const MESSAGE_KEY: &str = "#";

/// How often the tune is played before Twilio asks again: for 32 seconds.
const TUNE_LOOPS: u32 = 2;
/// How long a silent wait is, in seconds, before Twilio asks again.
const SILENCE_S: u32 = 30;
/// The pause after a recording of the agent's, in seconds.
const BREATH_S: u32 = 3;
/// How long a recording of the agent's is repeated at least, in milliseconds: each question of Twilio's is
/// work for us and a line in the account's log.
const MUSIC_MS: u64 = 30_000;
/// As often as Twilio plays anything.
const MOST_LOOPS: u32 = 1_000;

/// What documents refer to.
pub(crate) struct Surroundings<'a> {
    /// Where Twilio reaches us.
    pub(crate) addresses: Addresses,
    /// The queue of those who wait.
    pub(crate) queue: &'a str,
    /// What they hear.
    pub(crate) tune: &'a SoundName,
    /// How long the recording of the agent's that they hear instead lasts, in milliseconds, where that is
    /// known.
    pub(crate) music_ms: Option<u64>,
}

/// The document for `instruction`. Every leg reports to the status callback, and every connection leads
/// back here.
///
/// A refusal is spoken, never a `<Reject>`: the SDK cannot tell that from a hang-up.
pub(crate) fn document(
    instruction: &Instruction,
    request: &VoiceRequest,
    around: &Surroundings<'_>,
) -> Response {
    match instruction {
        Instruction::Connect(connect) => Response::new().with(dial(connect, request, around)),
        Instruction::Menu { place, prompt, wait_s } => {
            Response::new().with(gather(place, prompt, *wait_s, around))
        }
        Instruction::Voicemail { greeting, longest_s, transcribe } => Response::new()
            .with(around.prompt(greeting).into())
            .with(record(*longest_s, *transcribe, around))
            // Twilio comes here when nothing was recorded.
            .with(Verb::Hangup),
        Instruction::Enqueue { greeting } => {
            Response::new().with(around.prompt(greeting).into()).with(Verb::Enqueue(Enqueue {
                name: around.queue.to_owned(),
                wait_url: Some(around.addresses.of(Question::Wait)),
                action: Some(around.addresses.of(Question::LeftQueue)),
            }))
        }
        Instruction::Wait { position, music } => wait(*position, music, around),
        Instruction::LeaveQueue => Response::new().with(Verb::Leave),
        Instruction::Tell { prompt } => Response::new().with(around.prompt(prompt).into()).with(Verb::Hangup),
        Instruction::Decline => decline(request),
        Instruction::HangUp => Response::new().with(Verb::Hangup),
        Instruction::Refuse { spoken, .. } | Instruction::TurnAway { spoken } => {
            Response::say_and_hang_up(spoken.as_str())
        }
    }
}

/// The document when no decision could be had in time.
pub(crate) fn no_decision() -> Response {
    Response::say_and_hang_up(NO_DECISION)
}

/// The document when the request was not understood.
pub(crate) fn not_understood() -> Response {
    Response::say_and_hang_up(NOT_UNDERSTOOD)
}

impl Surroundings<'_> {
    fn prompt(&self, prompt: &Prompt) -> twiml::Prompt {
        match prompt {
            Prompt::Say { text, language } => {
                twiml::Prompt::Say { text: text.clone(), language: language.clone() }
            }
            Prompt::Play { sound } => twiml::Prompt::Play { url: self.sound(sound), loops: 1 },
        }
    }

    fn sound(&self, name: &SoundName) -> Url {
        self.addresses.of(Route::Sound(name.clone()))
    }
}

fn dial(connect: &Connect, request: &VoiceRequest, around: &Surroundings<'_>) -> Verb {
    Verb::Dial(Dial {
        caller_id: connect.caller_id.clone(),
        answer_on_bridge: true,
        timeout_s: Some(connect.ring_s),
        time_limit_s: Some(connect.time_limit_s),
        action: Some(around.addresses.of(Question::Dialled(connect.purpose))),
        nouns: connect.to.iter().map(|to| noun(to, connect.purpose, request, around)).collect(),
        ..Dial::default()
    })
}

fn noun(to: &Destination, purpose: Purpose, request: &VoiceRequest, around: &Surroundings<'_>) -> DialNoun {
    let status_callback = Some(around.addresses.of(Report::Status));
    match to {
        Destination::Number(number) => DialNoun::Number { number: number.clone(), status_callback },
        Destination::Emergency(number) => DialNoun::Emergency { number: number.clone(), status_callback },
        Destination::Client(identity) => {
            let parent =
                request.call_sid.as_ref().map(|sid| (PARENT_PARAM.to_owned(), sid.as_str().to_owned()));
            let called = (purpose == Purpose::Ring && !request.to.is_empty())
                .then(|| (CALLED_PARAM.to_owned(), request.to.clone()));
            DialNoun::Client {
                identity: identity.clone(),
                parameters: parent.into_iter().chain(called).collect(),
                status_callback,
            }
        }
        Destination::Sip(uri) => DialNoun::Sip { uri: uri.clone(), status_callback },
        // Twilio tells there whom the agent gets, and nowhere else before the two have finished.
        Destination::NextInQueue => {
            DialNoun::Queue { name: around.queue.to_owned(), url: Some(around.addresses.of(Report::Taken)) }
        }
    }
}

fn gather(place: &MenuPlace, prompt: &Prompt, wait_s: u32, around: &Surroundings<'_>) -> Verb {
    Verb::Gather(Gather {
        num_digits: Some(1),
        timeout_s: Some(wait_s),
        prompts: vec![around.prompt(prompt)],
        ..Gather::new(around.addresses.of(Question::Menu(place.clone())))
    })
}

fn record(longest_s: u32, transcribe: bool, around: &Surroundings<'_>) -> Verb {
    let callback = || around.addresses.of(Report::Transcription);
    Verb::Record(Record {
        max_length_s: Some(longest_s),
        timeout_s: Some(MESSAGE_SILENCE_S),
        finish_on_key: Some(MESSAGE_KEY.to_owned()),
        transcription: transcribe.then(|| Transcription { callback: callback() }),
        recording_status_callback: Some(around.addresses.of(Report::Recording)),
        ..Record::new(around.addresses.of(Question::Message))
    })
}

/// Twilio asks again as soon as this is over, so it must last.
fn wait(position: Option<u32>, music: &Music, around: &Surroundings<'_>) -> Response {
    let place = position.map(|position| match position {
        0 | 1 => "You are next in line.".to_owned(),
        position => format!("You are number {position} in line."),
    });
    let told = place.into_iter().map(|text| twiml::Prompt::Say { text, language: None });
    let play = |name, loops| twiml::Prompt::Play { url: around.sound(name), loops };
    let pause = |length_s| twiml::Prompt::Pause { length_s };
    let heard = match music {
        Music::Tune => vec![play(around.tune, TUNE_LOOPS)],
        Music::Silence => vec![pause(SILENCE_S)],
        Music::Recording { sound } => match around.music_ms.filter(|length| *length > 0) {
            Some(length) => vec![play(sound, loops(length)), pause(BREATH_S)],
            // It may be gone, and Twilio goes on at once.
            None => vec![play(sound, 1), pause(SILENCE_S)],
        },
    };
    told.chain(heard).map(Verb::from).fold(Response::new(), Response::with)
}

/// How often something of `length_ms` must be played to last; a thousand times at most (TwiML `<Play loop>`).
fn loops(length_ms: u64) -> u32 {
    u32::try_from(MUSIC_MS.div_ceil(length_ms)).unwrap_or(u32::MAX).min(MOST_LOOPS)
}

/// The busy tone, where it can still be had: a call that was answered (by a menu, say) can only be ended,
/// and the SDK cannot tell a `<Reject>` from a hang-up.
fn decline(request: &VoiceRequest) -> Response {
    let answered = request.form.get("CallStatus").is_some_and(|status| status != "ringing");
    if answered || request.from.starts_with("client:") {
        return Response::new().with(Verb::Hangup);
    }
    Response::new().with(Verb::Reject(RejectReason::Busy))
}
