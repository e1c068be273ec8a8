#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::local_time::LocalMoment;

const OURS: &str = "+12025550100";

pub(crate) fn sound() -> SoundName {
    SoundName::parse("0123456789abcdef0123456789abcdef").unwrap()
}

pub(crate) fn known() -> Known {
    Known {
        sounds: [sound()].into(),
        own_numbers: vec![E164::parse_strict(OURS).unwrap()],
        home_region: "US".into(),
        zones: ["Europe/Berlin".to_owned()].into(),
    }
}

fn key(digit: char) -> MenuKey {
    MenuKey::of(digit).unwrap()
}

fn forward(to: &str) -> Answer {
    Answer::Forward { to: E164::parse_strict(to).unwrap() }
}

fn choice(then: Chosen) -> Choice {
    Choice { label: "Something".into(), then }
}

fn span(from: u16, to: u16) -> Span {
    Span { from, to }
}

fn paths(rules: &IncomingRules) -> Vec<String> {
    problems(rules, &known()).into_iter().map(|problem| problem.path).collect()
}

fn with(edit: impl FnOnce(&mut IncomingRules)) -> Vec<String> {
    let mut rules = IncomingRules::default();
    edit(&mut rules);
    paths(&rules)
}

/// An hour of the week of Monday, 21 December 2026.
fn at(weekday: u8, hour: u16, minute: u16) -> LocalMoment {
    LocalMoment {
        date: LocalDate { year: 2026, month: 12, day: 21 + weekday },
        weekday,
        minute: hour * 60 + minute,
    }
}

fn week(spans: &[(usize, Span)]) -> Hours {
    let mut hours = Hours { zone: None, week: Default::default(), exceptions: Vec::new() };
    for (day, span) in spans {
        hours.week[*day].push(*span);
    }
    hours
}

#[test]
fn a_span_includes_its_first_minute_and_not_its_last() {
    let hours = week(&[(0, span(9 * 60, 12 * 60)), (0, span(13 * 60, 1440))]);
    for (moment, open) in [
        (at(0, 8, 59), false),
        (at(0, 9, 0), true),
        (at(0, 11, 59), true),
        (at(0, 12, 0), false),
        (at(0, 13, 0), true),
        (at(0, 23, 59), true),
        (at(1, 0, 0), false),
        (at(1, 9, 0), false),
    ] {
        assert_eq!(hours.is_open(moment), open, "{moment:?}");
    }
}

#[test]
fn an_evening_goes_on_past_midnight_and_past_the_end_of_the_week() {
    let hours = week(&[(2, span(22 * 60, 2 * 60)), (6, span(23 * 60, 60))]);
    for (moment, open) in [
        (at(2, 21, 59), false),
        (at(2, 22, 0), true),
        (at(3, 1, 59), true),
        (at(3, 2, 0), false),
        (at(2, 1, 0), false),
        (at(6, 23, 30), true),
        (at(0, 0, 59), true),
        (at(0, 1, 0), false),
    ] {
        assert_eq!(hours.is_open(moment), open, "{moment:?}");
    }
}

#[test]
fn a_holiday_has_its_own_hours_and_the_evening_before_still_ends_when_it_ends() {
    let mut hours =
        week(&[(3, span(22 * 60, 2 * 60)), (4, span(9 * 60, 17 * 60)), (5, span(9 * 60, 17 * 60))]);
    let christmas = |spans| Exception { date: at(4, 0, 0).date, label: "Christmas".into(), spans };
    hours.exceptions = vec![christmas(Vec::new())];
    assert!(hours.is_open(at(4, 1, 0)), "Thursday's evening goes on");
    assert!(!hours.is_open(at(4, 10, 0)), "a day off");
    assert!(hours.is_open(at(5, 10, 0)));
    hours.exceptions = vec![christmas(vec![span(20 * 60, 3 * 60)])];
    assert!(hours.is_open(at(4, 21, 0)));
    assert!(hours.is_open(at(5, 2, 0)), "the holiday's own evening goes on into an ordinary day");
    assert!(!hours.is_open(at(5, 3, 0)));
}

#[test]
fn the_default_is_without_problems_and_so_is_everything_at_its_limit() {
    assert_eq!(paths(&IncomingRules::default()), Vec::<String>::new());
    for (ring_s, longest_s, wait_s, waiting) in [(5, 10, 30, 1), (600, 600, 14_400, 100)] {
        let problems = with(|rules| {
            rules.ring_s = ring_s;
            rules.voicemail.longest_s = longest_s;
            rules.voicemail.greeting = Prompt::say("a".repeat(4096));
            rules.queue.longest_wait_s = wait_s;
            rules.queue.most_waiting = waiting;
            rules.queue.music = Music::Recording { sound: sound() };
        });
        assert_eq!(problems, Vec::<String>::new());
    }
}

#[test]
fn every_number_has_its_range() {
    for (ring_s, longest_s, wait_s, waiting) in [(4, 9, 29, 0), (601, 601, 14_401, 101)] {
        let problems = with(|rules| {
            rules.ring_s = ring_s;
            rules.voicemail.longest_s = longest_s;
            rules.queue.longest_wait_s = wait_s;
            rules.queue.most_waiting = waiting;
        });
        assert_eq!(problems, ["ring_s", "voicemail.longest_s", "queue.longest_wait_s", "queue.most_waiting"]);
    }
    for (wait_s, attempts) in [(0, 0), (61, 6)] {
        let problems = with(|rules| (rules.menu.wait_s, rules.menu.attempts) = (wait_s, attempts));
        assert_eq!(problems, ["menu.wait_s", "menu.attempts"]);
    }
    assert_eq!(
        with(|rules| rules.voicemail = Voicemail { longest_s: 121, transcribe: true, ..Voicemail::default() }),
        ["voicemail.longest_s"]
    );
}

#[test]
fn what_callers_hear_must_be_there() {
    let unknown = SoundName::parse(&"f".repeat(32)).unwrap();
    for prompt in [
        Prompt::say(""),
        Prompt::say(" \n"),
        Prompt::say("a".repeat(4097)),
        Prompt::Say { text: "Hallo".into(), language: Some("German".into()) },
        Prompt::Say { text: "Hallo".into(), language: Some(String::new()) },
        Prompt::Say { text: "Hallo".into(), language: Some("de-".into()) },
        Prompt::Play { sound: unknown.clone() },
    ] {
        let problems = with(|rules| {
            rules.closed = Answer::Message { prompt: prompt.clone() };
            rules.voicemail.greeting = prompt.clone();
            rules.menu.prompt = prompt.clone();
            rules.queue.greeting = prompt.clone();
        });
        assert_eq!(
            problems,
            ["closed.prompt", "voicemail.greeting", "menu.prompt", "queue.greeting"],
            "{prompt:?}"
        );
    }
    for good in ["en", "en-US", "es-419", "zh-Hant-TW", "cmn-Hans-CN"] {
        let prompt = Prompt::Say { text: "Hello".into(), language: Some(good.into()) };
        assert_eq!(with(|rules| rules.voicemail.greeting = prompt), Vec::<String>::new(), "{good}");
    }
    assert_eq!(with(|rules| rules.queue.music = Music::Recording { sound: unknown }), ["queue.music"]);
}

#[test]
fn nobody_is_passed_on_in_circles_or_at_a_price() {
    for (to, word) in [
        (OURS, "circles"),
        ("+19002345678", "premium"),
        ("+881612345678", "satellite"),
        ("+2710111", "emergency"),
    ] {
        let mut rules = IncomingRules { open: forward(to), ..IncomingRules::default() };
        *rules.queue.overflow = forward(to);
        let problems = problems(&rules, &known());
        assert_eq!(problems.len(), 2, "{to}");
        assert_eq!((problems[0].path.as_str(), problems[1].path.as_str()), ("open.to", "queue.overflow.to"));
        assert!(problems[0].message.contains(word), "{}", problems[0].message);
    }
    assert_eq!(with(|rules| rules.open = forward("+12025550123")), Vec::<String>::new());
}

#[test]
fn what_stands_for_the_phone_is_not_the_phone() {
    for answer in [Answer::Ring, Answer::Menu] {
        let problems = with(|rules| {
            rules.do_not_disturb = answer.clone();
            rules.busy = answer.clone();
            rules.offline = answer.clone();
            rules.no_answer = answer.clone();
        });
        assert_eq!(problems, ["do_not_disturb", "busy", "offline", "no_answer"]);
        assert_eq!(with(|rules| rules.hidden_number = Some(answer.clone())), Vec::<String>::new());
    }
    for overflow in [Answer::Ring, Answer::Menu, Answer::Queue] {
        assert_eq!(with(|rules| *rules.queue.overflow = overflow), ["queue.overflow"]);
    }
    assert_eq!(with(|rules| *rules.queue.overflow = Answer::Decline), Vec::<String>::new());
}

/// A menu of so many pages, one beneath the other.
fn deep(pages: usize) -> MenuPage {
    let mut page = MenuPage::default();
    for _ in 1..pages {
        let below = Chosen::Page { page };
        page = MenuPage { choices: [(key('1'), choice(below))].into(), ..MenuPage::default() };
    }
    page
}

#[test]
fn a_menu_has_keys_names_and_a_bottom() {
    let there = |page: MenuPage| with(|rules| rules.menu = page);
    assert_eq!(there(deep(5)), Vec::<String>::new());
    assert_eq!(
        there(deep(6)),
        [
            "menu.choices.1.then.page.choices.1.then.page.choices.1.then.page.choices.1.then.page.choices.1.then"
        ]
    );
    let mut empty = deep(2);
    let Some(Choice { then: Chosen::Page { page }, .. }) = empty.choices.get_mut(&key('1')) else { panic!() };
    page.choices.clear();
    assert_eq!(there(empty), ["menu.choices.1.then.page.choices"]);

    let mut page = MenuPage { otherwise: Box::new(Answer::Menu), ..MenuPage::default() };
    page.choices.insert(key('7'), choice(Chosen::Answer { answer: Answer::Menu }));
    page.choices
        .insert(key('8'), Choice { label: " ".into(), then: Chosen::Answer { answer: forward(OURS) } });
    page.choices
        .insert(key('9'), Choice { label: "x".repeat(61), then: Chosen::Answer { answer: Answer::Ring } });
    assert_eq!(
        there(page),
        [
            "menu.otherwise",
            "menu.choices.7.then.answer",
            "menu.choices.8.label",
            "menu.choices.8.then.answer.to",
            "menu.choices.9.label"
        ]
    );
}

#[test]
fn a_menu_of_a_hundred_pages_is_enough() {
    let wide = |below: &MenuPage, keys: usize| {
        let page = |_| choice(Chosen::Page { page: below.clone() });
        let choices = ('0'..='9').take(keys).map(|digit| (key(digit), page(digit))).collect();
        MenuPage { choices, ..MenuPage::default() }
    };
    let eleven = wide(&MenuPage::default(), 10);
    assert_eq!(with(|rules| rules.menu = wide(&eleven, 9)), Vec::<String>::new(), "100 pages");
    assert_eq!(with(|rules| rules.menu = wide(&eleven, 10)), ["menu"], "111 pages");
}

#[test]
fn hours_do_not_overlap_and_are_of_the_day() {
    let there = |hours: Hours| with(|rules| rules.hours = Some(hours));
    let nine_to_five = span(540, 1020);
    assert_eq!(
        there(week(&[(0, nine_to_five), (0, span(1020, 1440)), (1, span(0, 1440))])),
        Vec::<String>::new()
    );
    assert_eq!(there(week(&[(0, nine_to_five), (0, span(1019, 1100))])), ["hours.week.0.1"]);
    assert_eq!(there(week(&[(0, nine_to_five), (0, span(0, 1440))])), ["hours.week.0.1"]);
    for bad in [span(1440, 10), span(0, 1441), span(10, 0), span(600, 600)] {
        assert_eq!(there(week(&[(3, bad)])), ["hours.week.3.0"], "{bad:?}");
    }
    // Sunday's evening goes on into Monday.
    let night = [(6, span(1320, 120)), (0, span(119, 300))];
    assert_eq!(there(week(&night)), ["hours.week.0.0"]);
    assert_eq!(there(week(&[night[0], (0, span(120, 300))])), Vec::<String>::new());
    assert_eq!(there(week(&[(0, span(1320, 120)), (0, span(1400, 1430))])), ["hours.week.0.1"]);
    let many: Vec<_> = (0..13).map(|n| (2, span(n * 100, n * 100 + 50))).collect();
    assert_eq!(there(week(&many)), ["hours.week.2"]);
}

#[test]
fn holidays_are_days_of_the_calendar_each_once() {
    let date = |month, day| LocalDate { year: 2026, month, day };
    let off = |date| Exception { date, label: String::new(), spans: Vec::new() };
    let mut hours = week(&[]);
    hours.zone = Some("Europe/Berlin".into());
    hours.exceptions = vec![off(date(12, 25)), off(date(12, 25)), off(date(2, 30))];
    hours.exceptions.push(Exception {
        date: date(12, 24),
        label: "x".repeat(61),
        spans: vec![span(540, 720), span(700, 800)],
    });
    assert_eq!(
        with(|rules| rules.hours = Some(hours.clone())),
        [
            "hours.exceptions.1.date",
            "hours.exceptions.2.date",
            "hours.exceptions.3.label",
            "hours.exceptions.3.spans.1"
        ]
    );
    hours.exceptions = Vec::new();
    for (zone, good) in [("Europe/Berlin", true), ("Europe/Atlantis", false), ("", false)] {
        hours.zone = Some(zone.into());
        assert_eq!(with(|rules| rules.hours = Some(hours.clone())).is_empty(), good, "{zone}");
    }
    let anywhere = Known { zones: Default::default(), ..known() };
    hours.zone = Some("Europe/Atlantis".into());
    assert_eq!(problems(&IncomingRules { hours: Some(hours), ..IncomingRules::default() }, &anywhere), []);
}

#[test]
fn a_problem_is_a_sentence_with_the_cure() {
    let mut rules =
        IncomingRules { ring_s: 0, open: forward(OURS), no_answer: Answer::Ring, ..IncomingRules::default() };
    rules.menu = deep(6);
    *rules.queue.overflow = Answer::Queue;
    rules.voicemail.greeting = Prompt::say("");
    for problem in problems(&rules, &known()) {
        assert!(
            problem.message.starts_with(char::is_uppercase) && problem.message.ends_with('.'),
            "{problem:?}"
        );
        assert!(!problem.message.contains("  "), "{problem:?}");
    }
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Ring),
        select(vec!["+12025550123", OURS, "+19002345678"]).prop_map(forward),
        Just(Answer::Voicemail),
        Just(Answer::Menu),
        Just(Answer::Queue),
        select(vec!["Hello.", ""]).prop_map(|text| Answer::Message { prompt: Prompt::say(text) }),
        Just(Answer::Decline),
    ]
}

fn any_page() -> impl Strategy<Value = MenuPage> {
    let page = |choices: BTreeMap<MenuKey, Choice>, attempts, otherwise| MenuPage {
        choices,
        attempts,
        otherwise: Box::new(otherwise),
        ..MenuPage::default()
    };
    let answers =
        prop::collection::btree_map((0..4_u8).prop_map(MenuKey), any_answer(), 1..3).prop_map(|map| {
            map.into_iter().map(|(key, answer)| (key, choice(Chosen::Answer { answer }))).collect()
        });
    let leaf = (answers, 1..=5_u32, any_answer())
        .prop_map(move |(choices, attempts, answer)| page(choices, attempts, answer));
    leaf.prop_recursive(5, 24, 3, move |inner| {
        let then = prop_oneof![
            inner.prop_map(|page| Chosen::Page { page }),
            any_answer().prop_map(|answer| Chosen::Answer { answer })
        ];
        let choices = prop::collection::btree_map((0..10_u8).prop_map(MenuKey), then.prop_map(choice), 1..4);
        (choices, 1..=5_u32, any_answer())
            .prop_map(move |(choices, attempts, answer)| page(choices, attempts, answer))
    })
}

/// Rules as an editor without any checks could write them.
pub(crate) fn any_rules() -> impl Strategy<Value = IncomingRules> {
    let hours = prop::option::of(Just(week(&[(0, span(540, 1020)), (4, span(1320, 120))])));
    (
        hours,
        prop::array::uniform6(any_answer()),
        prop::option::of(any_answer()),
        any_page(),
        (any_answer(), 30..=600_u32, 1..4_u32),
    )
        .prop_map(|(hours, answers, hidden_number, menu, (overflow, longest_wait_s, most_waiting))| {
            let [open, closed, do_not_disturb, busy, offline, no_answer] = answers;
            IncomingRules {
                hours,
                open,
                closed,
                do_not_disturb,
                busy,
                offline,
                no_answer,
                hidden_number,
                menu,
                queue: QueueRules {
                    overflow: Box::new(overflow),
                    longest_wait_s,
                    most_waiting,
                    ..QueueRules::default()
                },
                ..IncomingRules::default()
            }
        })
}

/// Makes rules of [`any_rules`] ones that can be kept, by what the agent would choose instead.
pub(crate) fn mended(mut rules: IncomingRules) -> IncomingRules {
    fn answer(answer: &mut Answer, forbidden: &[Answer]) {
        let bad = match answer {
            Answer::Forward { to } => to.as_str() != "+12025550123",
            Answer::Message { prompt } => *prompt == Prompt::say(""),
            Answer::Ring | Answer::Voicemail | Answer::Menu | Answer::Queue | Answer::Decline => {
                forbidden.contains(answer)
            }
        };
        if bad {
            *answer = Answer::Voicemail;
        }
    }
    fn page(here: &mut MenuPage, depth: usize) {
        answer(&mut here.otherwise, &[Answer::Menu]);
        for choice in here.choices.values_mut() {
            match &mut choice.then {
                Chosen::Answer { answer: chosen } => answer(chosen, &[Answer::Menu]),
                then @ Chosen::Page { .. } if depth == 5 => *then = Chosen::Answer { answer: Answer::Ring },
                Chosen::Page { page: below } => page(below, depth + 1),
            }
        }
    }
    for open in [&mut rules.open, &mut rules.closed].into_iter().chain(&mut rules.hidden_number) {
        answer(open, &[]);
    }
    for last in [&mut rules.do_not_disturb, &mut rules.busy, &mut rules.offline, &mut rules.no_answer] {
        answer(last, &[Answer::Ring, Answer::Menu]);
    }
    answer(&mut rules.queue.overflow, &[Answer::Ring, Answer::Menu, Answer::Queue]);
    page(&mut rules.menu, 1);
    rules
}

proptest! {
    #[test]
    fn mended_rules_have_no_problems(rules in any_rules()) {
        let problems = problems(&mended(rules), &known());
        prop_assert!(problems.is_empty(), "{:?}", problems);
    }
}

#[test]
fn callers_are_forwarded_to_whole_numbers_that_are_not_the_agents_own() {
    for (to, reason) in [(OURS, "own number"), ("+3312345", "too short"), ("+99912345678", "No country has")]
    {
        let rules = IncomingRules { busy: forward(to), ..IncomingRules::default() };
        let found = problems(&rules, &known());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].path, "busy.to");
        assert!(found[0].message.contains(reason), "{}", found[0].message);
    }
}
