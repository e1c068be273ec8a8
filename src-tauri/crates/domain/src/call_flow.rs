//! What a call does next: every answer to a request of Twilio that steers a call.
//!
//! A call begins with the voice webhook ([`begin`]). Most answers come with a return address, and
//! Twilio asks again there when what was asked for is over ([`go_on`]). What is known of the call in
//! between travels in that address, not in memory: a program that was restarted answers all the same.

use crate::call::{CallId, CallStatus};
use crate::destination::Destination;
use crate::dial_policy::{self, OutgoingRules, Outlook, RING_TIMEOUT_S, Verdict};
use crate::identity::ClientIdentity;
use crate::incoming::{Answer, Chosen, IncomingRules, MenuKey, MenuPage, Music, Prompt};
use crate::local_time::LocalMoment;
use crate::phone_number::E164;

/// The part of a voice webhook that decisions read. `to` and `call_id` come from the webview or from
/// a stranger and are not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceQuery {
    /// `From`: `client:…` from the SDK, otherwise the caller's number or SIP address.
    pub from: String,
    /// `To`: what the agent dialled, or which of our numbers was called.
    pub to: String,
    /// The connect parameter `CallId`.
    pub call_id: Option<CallId>,
    /// Whether the request carried no `Direction`. Twilio sends one with every call; a request
    /// without it was composed by the account's own programs, in the short form
    /// `To=<customer>&From=<our number>`.
    pub short_form: bool,
}

/// The rules of both directions.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct Rules {
    /// Calls the agent places.
    pub outgoing: OutgoingRules,
    /// Calls that come in.
    pub incoming: IncomingRules,
}

/// What a decision depends on, as it stands at the moment of the request.
#[derive(Debug, Clone)]
pub struct Situation {
    /// Who the agents are.
    pub agents: Agents,
    /// Whether the agent is in a call.
    pub busy: bool,
    /// Whether the agent does not want to be disturbed.
    pub do_not_disturb: bool,
    /// The wall clock, in the zone of the rules' hours.
    pub local: LocalMoment,
    /// How many wait in the queue.
    pub waiting: u32,
    /// Whether the agent asked for the call that asks.
    pub permission: Permission,
    /// What outgoing calls depend on.
    pub outlook: Outlook,
}

/// Whose phone this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agents {
    /// One agent's.
    One {
        /// The identity this phone's tokens name.
        identity: ClientIdentity,
        /// Whether the phone is registered and may be rung.
        reachable: bool,
    },
    /// A server's, where any number of agents sign in.
    Any {
        /// Those who did lately and are rung; at most ten (TwiML `<Dial>`).
        signed_in: Vec<ClientIdentity>,
    },
}

impl Agents {
    fn includes(&self, identity: &str) -> bool {
        match self {
            Self::One { identity: ours, .. } => ours.as_str() == identity,
            Self::Any { .. } => ClientIdentity::parse(identity).is_ok(),
        }
    }

    fn reachable(&self) -> Vec<ClientIdentity> {
        match self {
            Self::One { identity, reachable: true } => vec![identity.clone()],
            Self::One { reachable: false, .. } => Vec::new(),
            Self::Any { signed_in } => signed_in.iter().take(10).cloned().collect(),
        }
    }
}

/// Whether the agent asked for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// They did, for this destination, a moment ago.
    Given,
    /// They did not.
    Missing,
    /// It is not asked (the seed's own server).
    NotAsked,
}

/// What Twilio is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// Connect the caller to somebody else.
    Connect(Connect),
    /// Play a page of the menu and wait for a key.
    Menu {
        /// Which page, and which time it is played.
        place: MenuPlace,
        /// What is played.
        prompt: Prompt,
        /// How long to wait for a key, in seconds.
        wait_s: u32,
    },
    /// Take a message.
    Voicemail {
        /// Before the tone.
        greeting: Prompt,
        /// The longest message, in seconds.
        longest_s: u32,
        /// Whether it is written down.
        transcribe: bool,
    },
    /// Put the caller in the queue.
    Enqueue {
        /// Before that.
        greeting: Prompt,
    },
    /// What somebody in the queue hears; asked for again when it is over.
    Wait {
        /// The place in the queue, from 1, if it shall be told.
        position: Option<u32>,
        /// Then.
        music: Music,
    },
    /// Take the caller out of the queue; [`Happened::LeftQueue`] follows.
    LeaveQueue,
    /// Tell the caller something, then end the call.
    Tell {
        /// What.
        prompt: Prompt,
    },
    /// Let the caller hear the busy tone without answering.
    Decline,
    /// End the call.
    HangUp,
    /// Tell the caller a sentence and end the call, which thereby failed.
    Refuse {
        /// Spoken.
        spoken: String,
        /// For the agent's log.
        reason: String,
    },
    /// Tell a caller who has no business with this phone a sentence and hang up. Unlike a refusal
    /// it is no call of the agent's, neither way, and has no place in the agent's log.
    TurnAway {
        /// Spoken.
        spoken: String,
    },
}

/// A connection to somebody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Whom; of several, the first to answer.
    pub to: Vec<Destination>,
    /// Shown as the caller; the caller's own number or address when absent.
    pub caller_id: Option<E164>,
    /// How long it rings, in seconds; Twilio adds five.
    pub ring_s: u32,
    /// The longest conversation, in seconds.
    pub time_limit_s: u32,
    /// What it is, for the request that follows its end.
    pub purpose: Purpose,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The agent calls somebody.
    Outgoing,
    /// A caller rings the agent.
    Ring,
    /// A caller is passed on to another number.
    Forward,
    /// The agent takes the next caller out of the queue.
    TakeNext,
}

/// A page of the menu: the keys that lead there, and which time it is played, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MenuPlace {
    /// From the first page on.
    pub keys: Vec<MenuKey>,
    /// At most the page's attempts.
    pub attempt: u32,
}

impl MenuPlace {
    /// The first page, for the first time.
    pub fn first() -> Self {
        Self { keys: Vec::new(), attempt: 1 }
    }
}

/// What came of an instruction, when Twilio asks how to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A connection is over, or did not come about (`DialCallStatus`).
    Dialled {
        /// What it was for.
        purpose: Purpose,
        /// How it ended.
        status: CallStatus,
    },
    /// A key of the menu was pressed, or none in time.
    Pressed {
        /// On which page.
        place: MenuPlace,
        /// Which; `None` for none, and for what is no key of a menu.
        key: Option<MenuKey>,
    },
    /// Somebody waits in the queue.
    Waiting {
        /// Their place, from 1.
        position: u32,
        /// For how long, in seconds.
        waited_s: u32,
    },
    /// Somebody left the queue.
    LeftQueue {
        /// How.
        result: QueueResult,
    },
    /// A message was taken, or the caller hung up on the greeting.
    MessageTaken,
}

/// `QueueResult`: how a caller left a queue (Twilio, TwiML `<Enqueue>`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueResult {
    /// They were connected, and that is over.
    Bridged,
    /// They are being connected.
    BridgingInProcess,
    /// Twilio had a problem.
    Error,
    /// They hung up.
    Hangup,
    /// Our own answer took them out.
    Leave,
    /// REST took them out.
    Redirected,
    /// REST took them out of a connection.
    RedirectedFromBridged,
    /// As many wait as the queue holds.
    QueueFull,
    /// Twilio had a problem.
    SystemError,
}

/// How long a forwarded call rings, in seconds.
const FORWARD_RING_S: u32 = 25;
/// The longest forwarded or incoming conversation, in seconds: Twilio's own limit of four hours.
const LONGEST_S: u32 = 14_400;
const NOT_OURS: &str = "This phone does not accept that call.";
const UNAVAILABLE: &str = "Nobody is available to take your call. Please try again later.";

/// Decides about a call that begins.
///
/// A call whose `From` is a client is the agent's own; Twilio's `Direction` says `inbound` for those
/// too, so its value is not asked. `From` equal to our caller id alone does not make a call the agent's:
/// a stranger may show our number as theirs, and dialling out for them would ring in circles at our cost.
/// Only the short form, which cannot come from the telephone network, is read that way.
pub fn begin(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    match query.from.strip_prefix("client:") {
        Some(identity) if now.agents.includes(identity) => outgoing(query, rules, now),
        Some(_) => Instruction::TurnAway { spoken: NOT_OURS.into() },
        None if is_short_form(query, now) => outgoing(query, rules, now),
        None => incoming(query, rules, now),
    }
}

/// Whether the request is the seed's plain `To=<customer>&From=<our number>`.
pub fn is_short_form(query: &VoiceQuery, now: &Situation) -> bool {
    let ours = now.outlook.caller_id.as_ref().is_some_and(|ours| ours.as_str() == query.from);
    query.short_form && ours
}

/// Decides how a call goes on.
pub fn go_on(query: &VoiceQuery, happened: &Happened, rules: &Rules, now: &Situation) -> Instruction {
    let incoming = &rules.incoming;
    match happened {
        Happened::Dialled { purpose: Purpose::Ring, status } if !was_answered(*status) => {
            give(&incoming.no_answer, rules, now)
        }
        Happened::Dialled { purpose: Purpose::Forward, status } if !was_answered(*status) => {
            voicemail(incoming)
        }
        Happened::Dialled { purpose: Purpose::TakeNext, status } if !was_answered(*status) => {
            Instruction::Tell { prompt: Prompt::say("Nobody is waiting.") }
        }
        Happened::Dialled { purpose: Purpose::Outgoing, status } => failed_dial(*status),
        Happened::Dialled { .. } | Happened::MessageTaken => Instruction::HangUp,
        Happened::Pressed { place, key } => pressed(place, *key, rules, now),
        Happened::Waiting { waited_s, .. } if *waited_s >= incoming.queue.longest_wait_s => {
            Instruction::LeaveQueue
        }
        Happened::Waiting { position, .. } => Instruction::Wait {
            position: incoming.queue.tell_position.then_some(*position),
            music: incoming.queue.music.clone(),
        },
        Happened::LeftQueue { result } => match result {
            QueueResult::Leave | QueueResult::QueueFull | QueueResult::Error | QueueResult::SystemError => {
                overflow(query, rules, now)
            }
            QueueResult::Bridged
            | QueueResult::BridgingInProcess
            | QueueResult::Hangup
            | QueueResult::Redirected
            | QueueResult::RedirectedFromBridged => Instruction::HangUp,
        },
    }
}

fn was_answered(status: CallStatus) -> bool {
    matches!(status, CallStatus::Completed | CallStatus::InProgress)
}

/// What the agent hears when the one they called did not answer. The SDK knows already that it is over.
fn failed_dial(_status: CallStatus) -> Instruction {
    Instruction::HangUp
}

fn outgoing(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    let to = match Destination::parse(&query.to, &now.outlook.home_region) {
        Ok(to) => to,
        Err(reason) => {
            return Instruction::Refuse {
                spoken: "The number you have dialled is not valid.".into(),
                reason,
            };
        }
    };
    if now.permission == Permission::Missing {
        return Instruction::Refuse {
            spoken: "This call was not placed with this phone.".into(),
            reason:
                "Somebody tried to place a call with this phone's sign-in that you did not ask for. If this \
                     happens again, disconnect the account and connect it anew: that makes a new key."
                    .into(),
        };
    }
    match dial_policy::judge(&to, &rules.outgoing, &now.outlook) {
        Verdict::Allowed { caller_id, time_limit_s } => {
            let purpose = if to == Destination::NextInQueue { Purpose::TakeNext } else { Purpose::Outgoing };
            Instruction::Connect(Connect {
                to: vec![to],
                caller_id,
                ring_s: RING_TIMEOUT_S,
                time_limit_s,
                purpose,
            })
        }
        // There is nobody to ask here: the agent was asked when they placed the call.
        Verdict::Ask(question) => Instruction::Refuse {
            spoken: "Calls to this country are not allowed.".into(),
            reason: format!("Calls to {} are not allowed yet.", question.country),
        },
        Verdict::Refused(refusal) => Instruction::Refuse { spoken: refusal.spoken, reason: refusal.reason },
    }
}

fn incoming(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    let incoming = &rules.incoming;
    let answer = if incoming.hours.as_ref().is_some_and(|hours| !hours.is_open(now.local)) {
        &incoming.closed
    } else {
        match &incoming.hidden_number {
            Some(answer) if is_hidden(&query.from) => answer,
            _ => &incoming.open,
        }
    };
    give(answer, rules, now)
}

/// What a caller shows who shows no number (Twilio, "Caller ID for anonymous calls": the digits spell
/// ANONYMOUS, RESTRICTED, UNKNOWN, UNAVAILABLE; also the words).
fn is_hidden(from: &str) -> bool {
    const HIDDEN: [&str; 4] = ["266696687", "7378742833", "2562533", "8566696"];
    let digits = from.trim_start_matches('+');
    HIDDEN.contains(&digits)
        || from.is_empty()
        || from.eq_ignore_ascii_case("anonymous")
        || from.to_ascii_lowercase().starts_with("sip:anonymous@")
}

fn give(answer: &Answer, rules: &Rules, now: &Situation) -> Instruction {
    let incoming = &rules.incoming;
    match answer {
        Answer::Ring => ring(rules, now),
        Answer::Forward { to } => Instruction::Connect(Connect {
            to: vec![Destination::Number(to.clone())],
            caller_id: None,
            ring_s: FORWARD_RING_S,
            time_limit_s: LONGEST_S,
            purpose: Purpose::Forward,
        }),
        Answer::Voicemail => voicemail(incoming),
        Answer::Menu => page(&incoming.menu, MenuPlace::first()),
        Answer::Queue if now.waiting >= incoming.queue.most_waiting => {
            give_without_waiting(&incoming.queue.overflow, rules, now)
        }
        Answer::Queue => Instruction::Enqueue { greeting: incoming.queue.greeting.clone() },
        Answer::Message { prompt } => Instruction::Tell { prompt: prompt.clone() },
        Answer::Decline => Instruction::Decline,
    }
}

/// Rings the agent, or gives what stands for not being able to. None of those may be [`Answer::Ring`]
/// ([`problems`](crate::incoming::problems) sees to that); rules that say so nevertheless end here.
fn ring(rules: &Rules, now: &Situation) -> Instruction {
    let incoming = &rules.incoming;
    let reachable = now.agents.reachable();
    let instead = if now.do_not_disturb {
        &incoming.do_not_disturb
    } else if reachable.is_empty() {
        &incoming.offline
    } else if now.busy {
        &incoming.busy
    } else {
        return Instruction::Connect(Connect {
            to: reachable.into_iter().map(Destination::Client).collect(),
            caller_id: None,
            ring_s: incoming.ring_s,
            time_limit_s: LONGEST_S,
            purpose: Purpose::Ring,
        });
    };
    give_without_ringing(instead, rules, now)
}

fn give_without_ringing(answer: &Answer, rules: &Rules, now: &Situation) -> Instruction {
    match answer {
        Answer::Ring | Answer::Menu => Instruction::Tell { prompt: Prompt::say(UNAVAILABLE) },
        Answer::Forward { .. }
        | Answer::Voicemail
        | Answer::Queue
        | Answer::Message { .. }
        | Answer::Decline => give(answer, rules, now),
    }
}

fn give_without_waiting(answer: &Answer, rules: &Rules, now: &Situation) -> Instruction {
    match answer {
        Answer::Forward { .. } | Answer::Voicemail | Answer::Message { .. } | Answer::Decline => {
            give(answer, rules, now)
        }
        Answer::Ring | Answer::Menu | Answer::Queue => Instruction::Tell { prompt: Prompt::say(UNAVAILABLE) },
    }
}

fn overflow(_query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    give_without_waiting(&rules.incoming.queue.overflow, rules, now)
}

fn voicemail(incoming: &IncomingRules) -> Instruction {
    Instruction::Voicemail {
        greeting: incoming.voicemail.greeting.clone(),
        longest_s: incoming.voicemail.longest_s,
        transcribe: incoming.voicemail.transcribe,
    }
}

fn page(page: &MenuPage, place: MenuPlace) -> Instruction {
    Instruction::Menu { place, prompt: page.prompt.clone(), wait_s: page.wait_s }
}

fn pressed(place: &MenuPlace, key: Option<MenuKey>, rules: &Rules, now: &Situation) -> Instruction {
    // The rules may have changed since the page was played.
    let Some(here) = find(&rules.incoming.menu, &place.keys) else { return voicemail(&rules.incoming) };
    match key.and_then(|key| Some((key, here.choices.get(&key)?))) {
        Some((key, choice)) => match &choice.then {
            Chosen::Page { page: next } => {
                let mut keys = place.keys.clone();
                keys.push(key);
                page(next, MenuPlace { keys, attempt: 1 })
            }
            Chosen::Answer { answer: Answer::Menu } => voicemail(&rules.incoming),
            Chosen::Answer { answer } => give(answer, rules, now),
        },
        None if place.attempt < here.attempts => {
            page(here, MenuPlace { keys: place.keys.clone(), attempt: place.attempt + 1 })
        }
        None => match here.otherwise.as_ref() {
            Answer::Menu => voicemail(&rules.incoming),
            answer => give(answer, rules, now),
        },
    }
}

fn find<'a>(page: &'a MenuPage, keys: &[MenuKey]) -> Option<&'a MenuPage> {
    let Some((first, rest)) = keys.split_first() else { return Some(page) };
    match &page.choices.get(first)?.then {
        Chosen::Page { page } => find(page, rest),
        Chosen::Answer { .. } => None,
    }
}
