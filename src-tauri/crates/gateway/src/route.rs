//! The paths of the gateway: written into documents and read from requests by the same hand.
//!
//! A path is compared as it arrived. Nothing is decoded, no slash is added or forgiven: Twilio asks for
//! what it was told, letter by letter, and whoever asks for anything else is not Twilio.

use dialer_domain::call_flow::{MenuPlace, Purpose};
use dialer_domain::incoming::{MenuKey, SoundName};

use crate::proof::{PROOF_PATH, is_nonce};

/// The voice URL: Twilio asks here what a call should do.
pub const VOICE_PATH: &str = "/api/calls/twiml";
/// Where every leg reports to.
pub const STATUS_PATH: &str = "/api/calls/status";

const DIALLED: &str = "/api/calls/dialled/";
const MENU: &str = "/api/calls/menu/";
const MESSAGE: &str = "/api/calls/message";
const WAIT: &str = "/api/calls/queue/wait";
const LEFT_QUEUE: &str = "/api/calls/queue/left";
const TAKEN: &str = "/api/calls/queue/taken";
const RECORDING: &str = "/api/calls/recording";
const TRANSCRIPTION: &str = "/api/calls/transcription";
const CONFERENCE: &str = "/api/calls/conference";
const SOUNDS: &str = "/api/calls/sounds/";
const WAV: &str = ".wav";

/// What stands for the first page of the menu, to which no key leads.
const FIRST_PAGE: &str = "start";
/// The most keys that lead to a page.
const MOST_KEYS: usize = 16;
/// The highest number of an attempt.
const MOST_ATTEMPTS: u32 = 99;

/// One address of the gateway, with all that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// Twilio asks what a call should do.
    Question(Question),
    /// Twilio tells what became of something.
    Report(Report),
    /// Something callers hear.
    Sound(SoundName),
    /// Proof that this process is behind the public address; with the nonce.
    Proof(String),
}

/// What Twilio asks about a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// A call begins.
    Voice,
    /// A connection is over: `action` of `<Dial>`.
    Dialled(Purpose),
    /// A key was pressed, or none: `action` of `<Gather>`.
    Menu(MenuPlace),
    /// A message was taken: `action` of `<Record>`.
    Message,
    /// Somebody waits: `waitUrl` of `<Enqueue>`.
    Wait,
    /// Somebody waits no longer: `action` of `<Enqueue>`.
    LeftQueue,
}

/// What Twilio tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// How far a leg is.
    Status,
    /// How far a recording is.
    Recording,
    /// That a message was written down.
    Transcription,
    /// What happens in a conference.
    Conference,
    /// That somebody in the queue is being connected: `url` of `<Queue>`.
    Taken,
}

impl From<Question> for Route {
    fn from(question: Question) -> Self {
        Self::Question(question)
    }
}

impl From<Report> for Route {
    fn from(report: Report) -> Self {
        Self::Report(report)
    }
}

/// The routes without what differs from one request to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Voice,
    Dialled,
    Menu,
    Message,
    Wait,
    LeftQueue,
    Taken,
    Status,
    Recording,
    Transcription,
    Conference,
    Sound,
    Proof,
    /// No route at all.
    Other,
}

impl Kind {
    pub(crate) const ALL: [Self; 14] = [
        Self::Voice,
        Self::Dialled,
        Self::Menu,
        Self::Message,
        Self::Wait,
        Self::LeftQueue,
        Self::Taken,
        Self::Status,
        Self::Recording,
        Self::Transcription,
        Self::Conference,
        Self::Sound,
        Self::Proof,
        Self::Other,
    ];

    /// The path, with names for what differs.
    pub(crate) fn pattern(self) -> &'static str {
        match self {
            Self::Voice => VOICE_PATH,
            Self::Dialled => "/api/calls/dialled/{purpose}",
            Self::Menu => "/api/calls/menu/{keys}/{attempt}",
            Self::Message => MESSAGE,
            Self::Wait => WAIT,
            Self::LeftQueue => LEFT_QUEUE,
            Self::Taken => TAKEN,
            Self::Status => STATUS_PATH,
            Self::Recording => RECORDING,
            Self::Transcription => TRANSCRIPTION,
            Self::Conference => CONFERENCE,
            Self::Sound => "/api/calls/sounds/{name}.wav",
            Self::Proof => "/.well-known/kennex-dialer/{nonce}",
            Self::Other => "other",
        }
    }

    /// The methods, as the header `Allow` has them. No HEAD for webhooks: asking has an effect there.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Voice => "GET, POST",
            Self::Dialled
            | Self::Menu
            | Self::Message
            | Self::Wait
            | Self::LeftQueue
            | Self::Taken
            | Self::Status
            | Self::Recording
            | Self::Transcription
            | Self::Conference => "POST",
            Self::Sound | Self::Proof => "GET, HEAD",
            Self::Other => "",
        }
    }
}

impl Route {
    /// Reads the path of a request.
    pub(crate) fn read(path: &str) -> Option<Self> {
        Some(match path {
            VOICE_PATH => Question::Voice.into(),
            MESSAGE => Question::Message.into(),
            WAIT => Question::Wait.into(),
            LEFT_QUEUE => Question::LeftQueue.into(),
            TAKEN => Report::Taken.into(),
            STATUS_PATH => Report::Status.into(),
            RECORDING => Report::Recording.into(),
            TRANSCRIPTION => Report::Transcription.into(),
            CONFERENCE => Report::Conference.into(),
            _ => {
                if let Some(word) = path.strip_prefix(DIALLED) {
                    Question::Dialled(purpose(word)?).into()
                } else if let Some(place) = path.strip_prefix(MENU) {
                    Question::Menu(menu_place(place)?).into()
                } else if let Some(file) = path.strip_prefix(SOUNDS) {
                    Self::Sound(SoundName::parse(file.strip_suffix(WAV)?).ok()?)
                } else {
                    let nonce = path.strip_prefix(PROOF_PATH).filter(|nonce| is_nonce(nonce))?;
                    Self::Proof(nonce.to_owned())
                }
            }
        })
    }

    /// The path.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Question(Question::Dialled(purpose)) => format!("{DIALLED}{}", word(*purpose)),
            Self::Question(Question::Menu(place)) => {
                let keys: String = place.keys.iter().map(|key| key.digit()).collect();
                let keys = if keys.is_empty() { FIRST_PAGE } else { &keys };
                format!("{MENU}{keys}/{}", place.attempt)
            }
            Self::Sound(name) => format!("{SOUNDS}{}{WAV}", name.as_str()),
            Self::Proof(nonce) => format!("{PROOF_PATH}{nonce}"),
            Self::Question(Question::Voice | Question::Message | Question::Wait | Question::LeftQueue)
            | Self::Report(_) => self.kind().pattern().to_owned(),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Question(Question::Voice) => Kind::Voice,
            Self::Question(Question::Dialled(_)) => Kind::Dialled,
            Self::Question(Question::Menu(_)) => Kind::Menu,
            Self::Question(Question::Message) => Kind::Message,
            Self::Question(Question::Wait) => Kind::Wait,
            Self::Question(Question::LeftQueue) => Kind::LeftQueue,
            Self::Report(Report::Status) => Kind::Status,
            Self::Report(Report::Recording) => Kind::Recording,
            Self::Report(Report::Transcription) => Kind::Transcription,
            Self::Report(Report::Conference) => Kind::Conference,
            Self::Report(Report::Taken) => Kind::Taken,
            Self::Sound(_) => Kind::Sound,
            Self::Proof(_) => Kind::Proof,
        }
    }
}

const PURPOSES: [Purpose; 4] = [Purpose::Outgoing, Purpose::Ring, Purpose::Forward, Purpose::TakeNext];

fn word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Outgoing => "outgoing",
        Purpose::Ring => "ring",
        Purpose::Forward => "forward",
        Purpose::TakeNext => "take-next",
    }
}

fn purpose(text: &str) -> Option<Purpose> {
    PURPOSES.into_iter().find(|purpose| word(*purpose) == text)
}

fn menu_place(text: &str) -> Option<MenuPlace> {
    let (keys, attempt) = text.split_once('/')?;
    let keys = match keys {
        FIRST_PAGE => Vec::new(),
        "" => return None,
        keys => keys.chars().map(MenuKey::of).collect::<Option<Vec<_>>>()?,
    };
    let number: u32 = attempt.parse().ok()?;
    // One way of writing it: no sign, no zeros in front.
    let as_written = (1..=MOST_ATTEMPTS).contains(&number) && attempt.starts_with(|c| matches!(c, '1'..='9'));
    (as_written && keys.len() <= MOST_KEYS).then_some(MenuPlace { keys, attempt: number })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use proptest::prelude::*;

    use super::*;

    fn route() -> impl Strategy<Value = Route> {
        let keys = proptest::collection::vec(0_u32..10, 0..=MOST_KEYS);
        let menu = (keys, 1..=MOST_ATTEMPTS).prop_map(|(keys, attempt)| {
            let keys = keys.iter().map(|key| MenuKey::of(char::from_digit(*key, 10).unwrap()).unwrap());
            Question::Menu(MenuPlace { keys: keys.collect(), attempt })
        });
        let plain = [Question::Voice, Question::Message, Question::Wait, Question::LeftQueue];
        let reports =
            [Report::Status, Report::Recording, Report::Transcription, Report::Conference, Report::Taken];
        prop_oneof![
            proptest::sample::select(plain.to_vec()).prop_map(Route::Question),
            proptest::sample::select(reports.to_vec()).prop_map(Route::Report),
            proptest::sample::select(PURPOSES.to_vec()).prop_map(Question::Dialled).prop_map(Route::Question),
            menu.prop_map(Route::Question),
            "[0-9a-f]{32}".prop_map(|name| Route::Sound(SoundName::parse(&name).unwrap())),
            "[A-Za-z0-9_-]{16,64}".prop_map(Route::Proof),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(route in route()) {
            prop_assert_eq!(Route::read(&route.path()), Some(route));
        }

        #[test]
        fn a_route_has_one_way_of_being_written(route in route(), at in any::<prop::sample::Index>(), by in "[/%.a-z0-9]{0,3}") {
            let mut path = route.path();
            let at = at.index(path.len() + 1);
            path.insert_str(at, &by);
            if let Some(read) = Route::read(&path) {
                prop_assert_eq!(read.path(), path);
            }
        }

        #[test]
        fn any_text_is_a_route_or_none(path in "\\PC{0,80}") {
            if let Some(read) = Route::read(&path) {
                prop_assert_eq!(read.path(), path);
            }
        }
    }

    #[test]
    fn near_misses_are_none() {
        for path in [
            "",
            "/",
            "*",
            "/api/calls",
            "/api/calls/",
            "/api/calls/token",
            "/api/calls/twiml/",
            "//api/calls/twiml",
            "/api//calls/twiml",
            "/API/calls/twiml",
            "/api/calls/%74wiml",
            "/api/calls%2Ftwiml",
            "/api/calls/./twiml",
            "/api/calls/x/../twiml",
            "/api/calls/dialled/",
            "/api/calls/dialled/nobody",
            "/api/calls/dialled/ring/",
            "/api/calls/menu/start",
            "/api/calls/menu/start/",
            "/api/calls/menu//1",
            "/api/calls/menu/start/0",
            "/api/calls/menu/start/01",
            "/api/calls/menu/start/+1",
            "/api/calls/menu/start/100",
            "/api/calls/menu/1a/1",
            "/api/calls/menu/٣/1",
            "/api/calls/menu/12345678901234567/1",
            "/api/calls/sounds/0123456789abcdef0123456789abcdef",
            "/api/calls/sounds/0123456789ABCDEF0123456789ABCDEF.wav",
            "/api/calls/sounds/../status.wav",
            "/.well-known/kennex-dialer/short",
        ] {
            assert_eq!(Route::read(path), None, "{path}");
        }
    }

    #[test]
    fn the_documentation_names_every_route_and_no_other() {
        let rows: Vec<_> =
            include_str!("lib.rs").lines().filter(|line| line.starts_with("//! | `")).collect();
        let routes: Vec<_> = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Other).collect();
        assert_eq!(rows.len(), routes.len());
        for (row, kind) in rows.into_iter().zip(routes) {
            let beginning = format!("//! | `{}` | `{}` |", kind.allow(), kind.pattern());
            assert!(row.starts_with(&beginning), "{row} for {beginning}");
        }
    }
}
