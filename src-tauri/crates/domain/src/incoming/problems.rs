//! What is wrong with rules, before they are kept.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::hours::DAY;
use super::{
    Answer, Chosen, Hours, IncomingRules, MOST_ATTEMPTS, MenuPage, Music, Problem, Prompt, QueueRules,
    SoundName, Span,
};
use crate::phone_number::{self, E164};

/// The longest text that Twilio speaks, in characters (TwiML `<Say>`).
const LONGEST_TEXT: usize = 4096;
/// The longest label, in characters.
const LONGEST_LABEL: usize = 60;
/// How many pages a caller can be deep in the menu, the first one counted.
const DEEPEST: usize = 5;
/// How many pages the menu has at most.
const MOST_PAGES: usize = 100;
/// Spans of one day, and days with hours of their own.
const MOST_SPANS: usize = 12;
const MOST_EXCEPTIONS: usize = 500;

/// What rules may refer to.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The agent's recordings.
    pub sounds: BTreeSet<SoundName>,
    /// Numbers that lead to this phone.
    pub own_numbers: Vec<E164>,
    /// ISO 3166 code of the agent's own country; any country is taken for it where none is known.
    pub home_region: String,
    /// IANA time zones; any is taken where none is known.
    pub zones: BTreeSet<String>,
}

/// What is wrong with `rules`; nothing, if callers can be left to them: whatever a caller does, and
/// whatever the agent does meanwhile, the call comes to an end after a bounded number of steps.
pub fn problems(rules: &IncomingRules, known: &Known) -> Vec<Problem> {
    let mut look = Look { known, problems: Vec::new(), pages: 0 };
    look.number(rules.ring_s, 5..=600, "ring_s", "The phone can ring for 5 to 600 seconds.");
    if let Some(hours) = &rules.hours {
        look.hours(hours);
    }
    look.answer(&rules.open, "open");
    look.answer(&rules.closed, "closed");
    if let Some(answer) = &rules.hidden_number {
        look.answer(answer, "hidden_number");
    }
    for (answer, path) in [
        (&rules.do_not_disturb, "do_not_disturb"),
        (&rules.busy, "busy"),
        (&rules.offline, "offline"),
        (&rules.no_answer, "no_answer"),
    ] {
        look.last_answer(answer, path);
    }
    look.prompt(&rules.voicemail.greeting, "voicemail.greeting");
    look.number(
        rules.voicemail.longest_s,
        if rules.voicemail.transcribe { 10..=120 } else { 10..=600 },
        "voicemail.longest_s",
        if rules.voicemail.transcribe {
            "A message that is written down can be 10 to 120 seconds long."
        } else {
            "A message can be 10 to 600 seconds long."
        },
    );
    look.page(&rules.menu, "menu", 1);
    if look.pages > MOST_PAGES {
        look.say(
            "menu",
            format!("The menu has {} pages; it can have {MOST_PAGES}. Take some out.", look.pages),
        );
    }
    look.queue(&rules.queue);
    look.problems
}

/// The look at the rules, and what it has found.
struct Look<'a> {
    known: &'a Known,
    problems: Vec<Problem>,
    pages: usize,
}

impl Look<'_> {
    fn say(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(Problem { path: path.to_owned(), message: message.into() });
    }

    fn number(&mut self, value: u32, range: RangeInclusive<u32>, path: &str, message: &str) {
        if !range.contains(&value) {
            self.say(path, message);
        }
    }

    fn answer(&mut self, answer: &Answer, path: &str) {
        match answer {
            Answer::Forward { to } => self.forward(to, &format!("{path}.to")),
            Answer::Message { prompt } => self.prompt(prompt, &format!("{path}.prompt")),
            Answer::Ring | Answer::Voicemail | Answer::Menu | Answer::Queue | Answer::Decline => {}
        }
    }

    /// An answer that comes when the phone could not be rung, or was rung in vain.
    fn last_answer(&mut self, answer: &Answer, path: &str) {
        match answer {
            Answer::Ring => self.say(path, "The phone cannot ring here: this is for when it cannot. Choose another answer."),
            Answer::Menu => self.say(
                path,
                "The menu cannot be played here, because it can lead back to this phone. Choose another answer.",
            ),
            Answer::Forward { .. } | Answer::Voicemail | Answer::Queue | Answer::Message { .. } | Answer::Decline => {
                self.answer(answer, path);
            }
        }
    }

    fn forward(&mut self, to: &E164, path: &str) {
        if self.known.own_numbers.contains(to) {
            self.say(
                path,
                "This is your own number: callers would be led back to this phone, round in circles. Choose another.",
            );
        } else if phone_number::is_emergency_abroad(to) {
            self.say(path, "Callers cannot be passed on to an emergency number. Choose another.");
        } else if let Err(problem) = phone_number::parse(to.as_str(), "") {
            self.say(path, problem.to_string());
        } else if let Some(surcharge) = phone_number::surcharge(to) {
            let name = surcharge.name();
            self.say(path, format!("This is {name}: every caller would cost you. Choose another."));
        }
    }

    fn prompt(&mut self, prompt: &Prompt, path: &str) {
        match prompt {
            Prompt::Say { text, language } => {
                if text.trim().is_empty() {
                    self.say(path, "Callers would hear nothing. Write what they shall hear.");
                } else if text.chars().count() > LONGEST_TEXT {
                    self.say(path, "The text is longer than 4,096 characters. Make it shorter.");
                }
                if language.as_deref().is_some_and(|tag| !is_language(tag)) {
                    self.say(
                        path,
                        "The language is not of the form that Twilio knows, such as en-US or de-DE.",
                    );
                }
            }
            Prompt::Play { sound } => self.sound(sound, path),
        }
    }

    fn sound(&mut self, sound: &SoundName, path: &str) {
        if !self.known.sounds.contains(sound) {
            self.say(path, "This recording is no longer there. Choose another or add it again.");
        }
    }

    fn label(&mut self, label: &str, path: &str) {
        if label.chars().count() > LONGEST_LABEL {
            self.say(path, "The name is longer than 60 characters. Make it shorter.");
        }
    }

    fn page(&mut self, page: &MenuPage, path: &str, depth: usize) {
        self.pages += 1;
        self.prompt(&page.prompt, &format!("{path}.prompt"));
        self.number(
            page.wait_s,
            1..=60,
            &format!("{path}.wait_s"),
            "The menu can wait 1 to 60 seconds for a key.",
        );
        self.number(
            page.attempts,
            1..=MOST_ATTEMPTS,
            &format!("{path}.attempts"),
            "A page can be played 1 to 5 times.",
        );
        if page.choices.is_empty() {
            self.say(&format!("{path}.choices"), "This page has no keys. Add one, or take the page out.");
        }
        self.out_of_menu(&page.otherwise, &format!("{path}.otherwise"));
        for (key, choice) in &page.choices {
            let here = format!("{path}.choices.{}", key.digit());
            if choice.label.trim().is_empty() {
                self.say(&format!("{here}.label"), "This key has no name. Give it one.");
            }
            self.label(&choice.label, &format!("{here}.label"));
            match &choice.then {
                Chosen::Answer { answer } => self.out_of_menu(answer, &format!("{here}.then.answer")),
                Chosen::Page { .. } if depth == DEEPEST => self.say(
                    &format!("{here}.then"),
                    "The menu is five pages deep already, and nobody finds their way back. Choose an answer here.",
                ),
                Chosen::Page { page } => self.page(page, &format!("{here}.then.page"), depth + 1),
            }
        }
    }

    fn out_of_menu(&mut self, answer: &Answer, path: &str) {
        if *answer == Answer::Menu {
            self.say(path, "The menu cannot lead to itself. Choose another answer.");
        } else {
            self.answer(answer, path);
        }
    }

    fn queue(&mut self, queue: &QueueRules) {
        self.prompt(&queue.greeting, "queue.greeting");
        if let Music::Recording { sound } = &queue.music {
            self.sound(sound, "queue.music");
        }
        let longest = "Callers can wait for 30 seconds to 4 hours.";
        self.number(queue.longest_wait_s, 30..=14_400, "queue.longest_wait_s", longest);
        self.number(
            queue.most_waiting,
            1..=100,
            "queue.most_waiting",
            "There can be 1 to 100 callers waiting.",
        );
        match queue.overflow.as_ref() {
            Answer::Ring | Answer::Menu | Answer::Queue => self.say(
                "queue.overflow",
                "Callers who have waited too long can leave a message, be passed on, hear a message or the busy tone. \
                 Choose one of these.",
            ),
            answer @ (Answer::Forward { .. } | Answer::Voicemail | Answer::Message { .. } | Answer::Decline) => {
                self.answer(answer, "queue.overflow");
            }
        }
    }

    fn hours(&mut self, hours: &Hours) {
        if let Some(zone) = &hours.zone {
            let known = self.known.zones.is_empty() || self.known.zones.contains(zone);
            if zone.is_empty() || !known {
                self.say(
                    "hours.zone",
                    "There is no such time zone. Choose one from the list, such as Europe/Berlin.",
                );
            }
        }
        for (day, spans) in hours.week.iter().enumerate() {
            // What the evening before goes on with comes first on this day.
            let night = hours.week[(day + 6) % 7].iter().map(|span| span.tomorrow()).max().unwrap_or(0);
            self.spans(spans, night, &format!("hours.week.{day}"));
        }
        if hours.exceptions.len() > MOST_EXCEPTIONS {
            self.say(
                "hours.exceptions",
                "There are more than 500 days with hours of their own. Take out those that are past.",
            );
        }
        let mut dates = BTreeSet::new();
        for (at, exception) in hours.exceptions.iter().enumerate() {
            let path = format!("hours.exceptions.{at}");
            if !exception.date.is_valid() {
                self.say(&format!("{path}.date"), "There is no such day.");
            } else if !dates.insert(exception.date) {
                self.say(&format!("{path}.date"), "This day is in the list already.");
            }
            self.label(&exception.label, &format!("{path}.label"));
            self.spans(&exception.spans, 0, &format!("{path}.spans"));
        }
    }

    /// The spans of one day, of which the first `night` minutes are taken already.
    fn spans(&mut self, spans: &[Span], night: u16, path: &str) {
        if spans.len() > MOST_SPANS {
            self.say(path, "A day can have up to 12 spans.");
        }
        for (at, span) in spans.iter().enumerate() {
            let path = format!("{path}.{at}");
            let (from, to) = span.today();
            if span.from >= DAY || span.to == 0 || span.to > DAY {
                self.say(&path, "A span begins at 0:00 to 23:59 and ends at 0:01 to 24:00.");
            } else if span.from == span.to {
                self.say(&path, "This span ends when it begins. For a whole day, write 0:00 to 24:00.");
            } else if from < night
                || spans[..at].iter().any(|other| from < other.today().1 && other.today().0 < to)
            {
                self.say(&path, "This span overlaps another one. Change one of them, or make one of both.");
            }
        }
    }
}

/// Whether `tag` has the form of a BCP 47 language tag: a language of two or three letters, then subtags.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts
        .next()
        .is_some_and(|part| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_alphabetic()));
    language
        && tag.len() <= 35
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}
