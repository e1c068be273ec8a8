//! What a call does next: every answer to a request of Twilio that steers a call.
//!
//! A call begins with the voice webhook ([`begin`]). Most answers come with a return address, and
//! Twilio asks again there when what was asked for is over ([`go_on`]). What is known of the call in
//! between travels in that address, not in memory: a program that was restarted answers all the same.
//!
//! | module | decides |
//! | --- | --- |
//! | `outgoing` | for the agent who calls |
//! | `incoming` | for a caller |

mod incoming;
mod outgoing;
#[cfg(test)]
mod tests;

use crate::call::{CallId, CallStatus};
use crate::destination::Destination;
use crate::dial_policy::{self, OutgoingRules, Outlook};
use crate::identity::ClientIdentity;
use crate::incoming::{Answer, IncomingRules, Known, MenuKey, Music, Problem, Prompt};
use crate::local_time::LocalMoment;
use crate::phone_number::{self, E164};
use crate::sid::TwimlAppSid;

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
    /// Whether `Direction` says that the account itself placed the call (`outbound-api`, `outbound-dial`), which
    /// asks what whoever answered it should hear.
    pub placed_by_account: bool,
    /// `ForwardedFrom`: whose telephone passed the call on to ours, where the network tells.
    pub forwarded_from: Option<String>,
    /// The TwiML App of the token that a client's call came with.
    pub app: Option<TwimlAppSid>,
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
    /// The TwiML App that the agents' tokens name; any, when absent.
    pub app: Option<TwimlAppSid>,
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
    /// Tell the agent, who called somebody, a sentence and end the call, which thereby failed.
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

/// Decides about a call that begins.
///
/// A call whose `From` is a client is the agent's own; Twilio's `Direction` says `inbound` for those
/// too, so its value is not asked. `From` equal to our caller id alone does not make a call the agent's:
/// a stranger may show our number as theirs, and dialling out for them would ring in circles at our cost.
/// Only the short form, which cannot come from the telephone network, is read that way. A call from a SIP
/// domain of the account comes in like one from the network. A call that the account itself placed has
/// reached whom it was meant for: ringing the agent would have them answer somebody who was called.
pub fn begin(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Instruction {
    if query.placed_by_account {
        return Instruction::TurnAway { spoken: "This call was not set up completely. Goodbye.".into() };
    }
    let is_our_app = match (&query.app, &now.app) {
        (Some(theirs), Some(ours)) => theirs == ours,
        (None, _) | (_, None) => true,
    };
    match query.from.strip_prefix("client:") {
        Some(identity) if now.agents.includes(identity) && is_our_app => outgoing::place(query, rules, now),
        Some(_) => Instruction::TurnAway { spoken: "This phone does not accept that call.".into() },
        None if is_short_form(query, now) => outgoing::place_short_form(query, rules, now),
        None => incoming::Caller::new(query, rules, now).welcome(),
    }
}

/// What a caller gets in place of the agent's phone.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
pub struct Taken {
    /// The rule that says so, as [`Problem::path`] names it: `incoming.do_not_disturb`.
    pub path: String,
    /// What it says.
    pub answer: Answer,
}

/// Which rule takes the caller that `query` is about, and what it gives them; `None` where the phone rings.
pub fn taken_by(query: &VoiceQuery, rules: &Rules, now: &Situation) -> Option<Taken> {
    let (field, answer) = incoming::Caller::new(query, rules, now).taken_by()?;
    Some(Taken { path: format!("incoming.{field}"), answer: answer.clone() })
}

/// Whether the request is the seed's plain `To=<customer>&From=<our number>`. A plus sign that was not
/// escaped in it has become a space.
pub fn is_short_form(query: &VoiceQuery, now: &Situation) -> bool {
    let from = with_plus(&query.from);
    query.short_form
        && now
            .outlook
            .caller_id
            .iter()
            .chain(&now.outlook.usable_caller_ids)
            .any(|ours| ours.as_str() == from)
}

/// `+` for the space that an unescaped plus sign becomes in a query string.
pub fn with_plus(address: &str) -> String {
    match address.strip_prefix(' ') {
        Some(digits) if digits.starts_with(|first: char| first.is_ascii_digit()) => format!("+{digits}"),
        Some(_) | None => address.to_owned(),
    }
}

/// Decides how a call goes on.
pub fn go_on(query: &VoiceQuery, happened: &Happened, rules: &Rules, now: &Situation) -> Instruction {
    let caller = incoming::Caller::new(query, rules, now);
    match happened {
        Happened::Dialled { purpose: Purpose::Outgoing, status } => outgoing::after(query, *status),
        Happened::Dialled { purpose: Purpose::TakeNext, status } => outgoing::after_queue(*status),
        Happened::Dialled { purpose: Purpose::Ring, status } => caller.after_ringing(*status),
        Happened::Dialled { purpose: Purpose::Forward, status } => caller.after_forwarding(*status),
        Happened::Pressed { place, key } => caller.in_call().pressed(place, *key),
        Happened::Waiting { position, waited_s } => caller.waiting(*position, *waited_s),
        Happened::LeftQueue { result } => caller.in_call().left_queue(*result),
        Happened::MessageTaken => Instruction::HangUp,
    }
}

/// Whether a connection came about, which is over now.
fn was_answered(status: CallStatus) -> bool {
    matches!(status, CallStatus::Completed | CallStatus::InProgress)
}

/// What is wrong with the rules of both directions, with `outgoing.` and `incoming.` before each path.
pub fn problems(rules: &Rules, known: &Known) -> Vec<Problem> {
    let named = |direction: &'static str| {
        move |problem: Problem| Problem { path: format!("{direction}.{}", problem.path), ..problem }
    };
    let outgoing = dial_policy::problems(&rules.outgoing).into_iter().map(named("outgoing"));
    outgoing
        .chain(crate::incoming::problems(&rules.incoming, known).into_iter().map(named("incoming")))
        .chain(foreign_forward(rules, known))
        .collect()
}

/// Callers are passed on only to countries that the agent, too, may call without being asked.
fn foreign_forward(rules: &Rules, known: &Known) -> Option<Problem> {
    let listed = |region: &String| match &rules.outgoing.countries {
        Some(countries) => countries.contains(region),
        None => known.home_region.is_empty() || *region == known.home_region,
    };
    let abroad = rules.incoming.forwards().into_iter().find_map(|number| {
        let region = phone_number::region(number).unwrap_or_default();
        (!listed(&region)).then_some(region)
    })?;
    Some(Problem {
        path: "outgoing.countries".into(),
        message: format!(
            "Callers shall be passed on to a number in {}, which is not in the list of countries. Add it, or choose \
             another number.",
            phone_number::region_name(&abroad)
        ),
    })
}
