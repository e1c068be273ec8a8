//! What a caller gets.

use super::{
    Connect, Instruction, MenuPlace, Purpose, QueueResult, Rules, Situation, VoiceQuery, was_answered,
};
use crate::call::CallStatus;
use crate::destination::Destination;
use crate::dial_policy::{self, LONGEST_CALL_S, OutgoingRules};
use crate::incoming::{Answer, Chosen, IncomingRules, MOST_ATTEMPTS, MenuKey, MenuPage, Prompt};
use crate::phone_number::E164;

/// How long a forwarded call rings, in seconds.
const FORWARD_RING_S: u32 = 25;
const UNAVAILABLE: &str = "Nobody is available to take your call. Please try again later.";

/// A caller, and what the decision about them depends on.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    query: &'a VoiceQuery,
    rules: &'a IncomingRules,
    outgoing: &'a OutgoingRules,
    now: &'a Situation,
    /// Whether Twilio has answered the call already, as it must before a menu or a queue.
    in_call: bool,
}

impl<'a> Caller<'a> {
    pub(super) fn new(query: &'a VoiceQuery, rules: &'a Rules, now: &'a Situation) -> Self {
        Self { query, rules: &rules.incoming, outgoing: &rules.outgoing, now, in_call: false }
    }

    /// The caller, whose call has been answered.
    pub(super) fn in_call(self) -> Self {
        Self { in_call: true, ..self }
    }

    /// What they get first.
    pub(super) fn welcome(self) -> Instruction {
        self.give(self.first().1)
    }

    /// The rule that takes them in place of the agent's phone, by its field, and what it says.
    pub(super) fn taken_by(self) -> Option<(&'static str, &'a Answer)> {
        match self.first() {
            (_, Answer::Ring) => self.not_rung(),
            other => Some(other),
        }
    }

    fn first(self) -> (&'static str, &'a Answer) {
        let closed = self.rules.hours.as_ref().is_some_and(|hours| !hours.is_open(self.now.local));
        match &self.rules.hidden_number {
            _ if closed => ("closed", &self.rules.closed),
            Some(answer) if is_hidden(&self.query.from) => ("hidden_number", answer),
            Some(_) | None => ("open", &self.rules.open),
        }
    }

    /// What stands for not being able to ring the agent, if they cannot be rung.
    fn not_rung(self) -> Option<(&'static str, &'a Answer)> {
        if self.now.do_not_disturb {
            Some(("do_not_disturb", &self.rules.do_not_disturb))
        } else if self.now.agents.reachable().is_empty() {
            Some(("offline", &self.rules.offline))
        } else if self.now.busy {
            Some(("busy", &self.rules.busy))
        } else {
            None
        }
    }

    /// After the agent's phone rang.
    pub(super) fn after_ringing(self, status: CallStatus) -> Instruction {
        if was_answered(status) { Instruction::HangUp } else { self.give_last(&self.rules.no_answer) }
    }

    /// After they were passed on.
    pub(super) fn after_forwarding(self, status: CallStatus) -> Instruction {
        if was_answered(status) { Instruction::HangUp } else { self.voicemail() }
    }

    /// In the queue.
    pub(super) fn waiting(self, position: u32, waited_s: u32) -> Instruction {
        let queue = &self.rules.queue;
        // How many wait is forgotten when the program is restarted; whom Twilio let in meanwhile leaves again.
        if waited_s >= queue.longest_wait_s || position > queue.most_waiting {
            return Instruction::LeaveQueue;
        }
        // The place is told in English: not to somebody who was greeted in another language.
        let tell = queue.tell_position && !is_foreign(&queue.greeting);
        Instruction::Wait { position: tell.then_some(position), music: queue.music.clone() }
    }

    /// Out of the queue.
    pub(super) fn left_queue(self, result: QueueResult) -> Instruction {
        match result {
            QueueResult::Leave | QueueResult::QueueFull | QueueResult::Error | QueueResult::SystemError => {
                self.overflow()
            }
            QueueResult::Bridged
            | QueueResult::BridgingInProcess
            | QueueResult::Hangup
            | QueueResult::Redirected
            | QueueResult::RedirectedFromBridged => Instruction::HangUp,
        }
    }

    /// At a page of the menu.
    pub(super) fn pressed(self, place: &MenuPlace, key: Option<MenuKey>) -> Instruction {
        // The rules may have changed since the page was played.
        let Some(here) = find(&self.rules.menu, &place.keys) else { return self.voicemail() };
        match key.and_then(|key| Some((key, &here.choices.get(&key)?.then))) {
            Some((key, Chosen::Page { page })) => {
                let keys = place.keys.iter().copied().chain([key]).collect();
                play(page, MenuPlace { keys, attempt: 1 })
            }
            Some((_, Chosen::Answer { answer })) => self.give_after_menu(answer),
            None if place.attempt < here.attempts.min(MOST_ATTEMPTS) => {
                play(here, MenuPlace { keys: place.keys.clone(), attempt: place.attempt + 1 })
            }
            None => self.give_after_menu(&here.otherwise),
        }
    }

    fn give(self, answer: &Answer) -> Instruction {
        match answer {
            Answer::Ring => self.ring(),
            Answer::Forward { to } => self.forward(to),
            Answer::Voicemail => self.voicemail(),
            Answer::Menu => play(&self.rules.menu, MenuPlace::first()),
            Answer::Queue if self.now.waiting >= self.rules.queue.most_waiting => self.overflow(),
            Answer::Queue => Instruction::Enqueue { greeting: self.rules.queue.greeting.clone() },
            Answer::Message { prompt } => Instruction::Tell { prompt: prompt.clone() },
            // A call that was answered can no longer be declined.
            Answer::Decline if self.in_call => unavailable(),
            Answer::Decline => Instruction::Decline,
        }
    }

    /// The menu never leads to itself ([`problems`](crate::incoming::problems) sees to that); where rules
    /// say so nevertheless, the caller can leave a message.
    fn give_after_menu(self, answer: &Answer) -> Instruction {
        if *answer == Answer::Menu { self.voicemail() } else { self.give(answer) }
    }

    /// What stands for not being able to ring the phone is never the phone or the menu, which leads to it
    /// ([`problems`](crate::incoming::problems) sees to that); rules that say so nevertheless end here.
    fn give_last(self, answer: &Answer) -> Instruction {
        match answer {
            Answer::Ring | Answer::Menu => unavailable(),
            Answer::Forward { .. }
            | Answer::Voicemail
            | Answer::Queue
            | Answer::Message { .. }
            | Answer::Decline => self.give(answer),
        }
    }

    fn overflow(self) -> Instruction {
        match self.rules.queue.overflow.as_ref() {
            Answer::Ring | Answer::Menu | Answer::Queue => unavailable(),
            answer @ (Answer::Forward { .. }
            | Answer::Voicemail
            | Answer::Message { .. }
            | Answer::Decline) => self.give(answer),
        }
    }

    /// Rings the agent, or gives what stands for not being able to.
    fn ring(self) -> Instruction {
        if let Some((_, answer)) = self.not_rung() {
            return self.give_last(answer);
        }
        Instruction::Connect(Connect {
            to: self.now.agents.reachable().into_iter().map(Destination::Client).collect(),
            caller_id: None,
            ring_s: self.rules.ring_s,
            time_limit_s: LONGEST_CALL_S,
            purpose: Purpose::Ring,
        })
    }

    /// Passes the caller on. Who is called sees the caller's number, which Twilio allows for a call that
    /// came in; a caller without one is shown by the number they called (TwiML `<Dial callerId>`: "the
    /// To or From of the inbound call"). Where that is not possible or would lead back here, they can leave a
    /// message.
    fn forward(self, to: &E164) -> Instruction {
        let Ok(time_limit_s) = dial_policy::judge_forward(to, self.outgoing, &self.now.outlook) else {
            return self.voicemail();
        };
        if self.leads_back(to) {
            return self.voicemail();
        }
        let shows_a_number = !is_hidden(&self.query.from) && E164::parse_strict(&self.query.from).is_ok();
        let called = || E164::parse_strict(&self.query.to).ok();
        let ours = || self.now.outlook.caller_id.clone();
        Instruction::Connect(Connect {
            to: vec![Destination::Number(to.clone())],
            caller_id: if shows_a_number { None } else { called().or_else(ours) },
            ring_s: FORWARD_RING_S,
            time_limit_s,
            purpose: Purpose::Forward,
        })
    }

    /// Whether `to` is one of our numbers, the one that was called, or the one that passed the call on to us.
    /// Numbers change hands after rules are saved, and a telephone abroad may be diverted to us.
    fn leads_back(self, to: &E164) -> bool {
        self.now.outlook.owned_numbers.contains(to)
            || self.query.to == to.as_str()
            || self.query.forwarded_from.as_deref() == Some(to.as_str())
    }

    fn voicemail(self) -> Instruction {
        let voicemail = &self.rules.voicemail;
        Instruction::Voicemail {
            greeting: voicemail.greeting.clone(),
            longest_s: voicemail.longest_s,
            transcribe: voicemail.transcribe,
        }
    }
}

fn unavailable() -> Instruction {
    Instruction::Tell { prompt: Prompt::say(UNAVAILABLE) }
}

/// Whether `prompt` is spoken in another language than English, which is Twilio's default.
fn is_foreign(prompt: &Prompt) -> bool {
    match prompt {
        Prompt::Say { language: Some(language), .. } => {
            let language = language.split('-').next().unwrap_or_default();
            !language.eq_ignore_ascii_case("en")
        }
        Prompt::Say { language: None, .. } | Prompt::Play { .. } => false,
    }
}

fn play(page: &MenuPage, place: MenuPlace) -> Instruction {
    Instruction::Menu { place, prompt: page.prompt.clone(), wait_s: page.wait_s }
}

fn find<'a>(page: &'a MenuPage, keys: &[MenuKey]) -> Option<&'a MenuPage> {
    let Some((first, rest)) = keys.split_first() else { return Some(page) };
    match &page.choices.get(first)?.then {
        Chosen::Page { page } => find(page, rest),
        Chosen::Answer { .. } => None,
    }
}

/// Words that a network spells in digits, or writes, where the caller shows no number: ANONYMOUS,
/// RESTRICTED, BLOCKED, UNKNOWN, UNAVAILABLE (Twilio Support, "Why am I getting calls from these strange
/// numbers?").
const HIDDEN_DIGITS: [&str; 5] = ["266696687", "7378742833", "2562533", "8656696", "86282452253"];
const HIDDEN_WORDS: [&str; 6] = ["anonymous", "restricted", "blocked", "unknown", "unavailable", "private"];

/// Whether the caller hides their number. SIP says so by `anonymous` before the `@` (RFC 3323).
fn is_hidden(from: &str) -> bool {
    let from = from.trim();
    let digits = from.trim_start_matches('+').trim();
    let name = from.strip_prefix("sip:").or_else(|| from.strip_prefix("sips:")).unwrap_or(from);
    let name = name.split_once('@').map_or(name, |(user, _)| user);
    let name = name.trim_start_matches('+').trim();
    from.is_empty()
        || HIDDEN_DIGITS.contains(&digits)
        || HIDDEN_WORDS.iter().any(|word| word.eq_ignore_ascii_case(name))
}
