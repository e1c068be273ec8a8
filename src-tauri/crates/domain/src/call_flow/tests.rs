#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod walks;

use super::*;
use crate::destination::Destination;
use crate::dial_policy::Spent;
use crate::incoming::{Answer, Choice, Chosen, Hours, MenuPage, SoundName, Span};
use crate::local_time::LocalDate;
use crate::phone_number::E164;

const OURS: &str = "+12025550100";
const CALLER: &str = "+12025550123";
const ELSEWHERE: &str = "+12025550177";

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

fn identity() -> ClientIdentity {
    ClientIdentity::parse("agent_1").unwrap()
}

/// Monday, ten o'clock; the agent is there.
fn situation() -> Situation {
    Situation {
        agents: Agents::One { identity: identity(), reachable: true },
        busy: false,
        do_not_disturb: false,
        local: LocalMoment { date: LocalDate { year: 2026, month: 11, day: 23 }, weekday: 0, minute: 600 },
        app: None,
        waiting: 0,
        permission: Permission::Given,
        outlook: Outlook {
            home_region: "US".into(),
            caller_id: Some(number(OURS)),
            usable_caller_ids: vec![number(OURS), number("+12025550101")],
            owned_numbers: vec![number(OURS)],
            calls_under_way: 0,
            forwards_under_way: 0,
            spent: Spent::default(),
            prices: [].into(),
            confirmed: false,
        },
    }
}

fn query(from: &str, to: &str) -> VoiceQuery {
    VoiceQuery {
        from: from.into(),
        to: to.into(),
        call_id: None,
        short_form: false,
        placed_by_account: false,
        forwarded_from: None,
        app: None,
    }
}

fn from_caller() -> VoiceQuery {
    query(CALLER, OURS)
}

fn rules(edit: impl FnOnce(&mut IncomingRules)) -> Rules {
    let mut rules = Rules::default();
    edit(&mut rules.incoming);
    rules
}

fn forward() -> Answer {
    Answer::Forward { to: number(ELSEWHERE) }
}

fn message(text: &str) -> Answer {
    Answer::Message { prompt: Prompt::say(text) }
}

fn told(text: &str) -> Instruction {
    Instruction::Tell { prompt: Prompt::say(text) }
}

fn unavailable() -> Instruction {
    told("Nobody is available to take your call. Please try again later.")
}

fn rings() -> Instruction {
    Instruction::Connect(Connect {
        to: vec![Destination::Client(identity())],
        caller_id: None,
        ring_s: 25,
        time_limit_s: 14_400,
        purpose: Purpose::Ring,
    })
}

fn forwards(caller_id: Option<&str>) -> Instruction {
    Instruction::Connect(Connect {
        to: vec![Destination::Number(number(ELSEWHERE))],
        caller_id: caller_id.map(number),
        ring_s: 25,
        time_limit_s: 14_400,
        purpose: Purpose::Forward,
    })
}

fn takes_message() -> Instruction {
    let voicemail = IncomingRules::default().voicemail;
    Instruction::Voicemail { greeting: voicemail.greeting, longest_s: 120, transcribe: false }
}

fn queues() -> Instruction {
    Instruction::Enqueue { greeting: IncomingRules::default().queue.greeting }
}

fn plays(keys: &str, attempt: u32, page: &MenuPage) -> Instruction {
    let place = MenuPlace { keys: keys.chars().filter_map(MenuKey::of).collect(), attempt };
    Instruction::Menu { place, prompt: page.prompt.clone(), wait_s: page.wait_s }
}

fn pressed(keys: &str, attempt: u32, key: Option<char>) -> Happened {
    let place = MenuPlace { keys: keys.chars().filter_map(MenuKey::of).collect(), attempt };
    Happened::Pressed { place, key: key.and_then(MenuKey::of) }
}

fn dialled(purpose: Purpose, status: CallStatus) -> Happened {
    Happened::Dialled { purpose, status }
}

fn refused(instruction: &Instruction) -> &str {
    let Instruction::Refuse { reason, .. } = instruction else { panic!("refused, not {instruction:?}") };
    reason
}

#[test]
fn a_caller_gets_what_the_rules_say_for_the_moment() {
    let nine_to_five = Hours {
        zone: None,
        week: [const { Vec::new() }; 7].map(|_: Vec<Span>| vec![Span { from: 540, to: 1020 }]),
        exceptions: Vec::new(),
    };
    let rules = rules(|rules| {
        rules.hours = Some(nine_to_five);
        rules.open = Answer::Ring;
        rules.closed = message("We are closed.");
        rules.do_not_disturb = Answer::Decline;
        rules.busy = Answer::Queue;
        rules.offline = forward();
        rules.hidden_number = Some(message("Show your number."));
    });
    let absent = Agents::One { identity: identity(), reachable: false };
    let night = LocalMoment { minute: 1020, ..situation().local };
    type Edit = fn(&mut Situation);
    let table: [(&str, Edit, Instruction); 6] = [
        (CALLER, |_| {}, rings()),
        (CALLER, |now| now.busy = true, queues()),
        (CALLER, |now| now.do_not_disturb = true, Instruction::Decline),
        (CALLER, |now| (now.busy, now.waiting) = (true, 20), takes_message()),
        ("+266696687", |_| {}, told("Show your number.")),
        ("sip:desk@example.com", |_| {}, rings()),
    ];
    for (from, edit, expected) in table {
        let mut now = situation();
        edit(&mut now);
        assert_eq!(begin(&query(from, OURS), &rules, &now), expected, "{from}");
        now.local = night;
        assert_eq!(begin(&query(from, OURS), &rules, &now), told("We are closed."), "{from} at night");
    }
    let offline = Situation { agents: absent.clone(), ..situation() };
    assert_eq!(begin(&from_caller(), &rules, &offline), forwards(None));
    let undisturbed = Situation { agents: absent, do_not_disturb: true, ..situation() };
    assert_eq!(
        begin(&from_caller(), &rules, &undisturbed),
        Instruction::Decline,
        "the agent's own wish comes first"
    );
}

#[test]
fn every_answer_is_given_as_it_is_written() {
    for (answer, expected) in [
        (Answer::Ring, rings()),
        (forward(), forwards(None)),
        (Answer::Voicemail, takes_message()),
        (Answer::Menu, plays("", 1, &MenuPage::default())),
        (Answer::Queue, queues()),
        (message("Hello."), told("Hello.")),
        (Answer::Decline, Instruction::Decline),
    ] {
        assert_eq!(begin(&from_caller(), &rules(|rules| rules.open = answer), &situation()), expected);
    }
}

#[test]
fn a_server_rings_all_who_signed_in_ten_at_most() {
    let agents: Vec<_> = (1..=12).map(|n| ClientIdentity::parse(&format!("agent_{n}")).unwrap()).collect();
    let now = Situation { agents: Agents::Any { signed_in: agents.clone() }, ..situation() };
    let Instruction::Connect(connect) = begin(&from_caller(), &Rules::default(), &now) else {
        panic!("rings")
    };
    assert_eq!(connect.to, agents[..10].iter().cloned().map(Destination::Client).collect::<Vec<_>>());
    let nobody = Situation { agents: Agents::Any { signed_in: Vec::new() }, ..situation() };
    assert_eq!(begin(&from_caller(), &Rules::default(), &nobody), takes_message());
}

#[test]
fn callers_who_hide_are_known_by_every_spelling() {
    let rules = rules(|rules| rules.hidden_number = Some(Answer::Decline));
    for from in [
        "",
        "anonymous",
        "Anonymous",
        "Restricted",
        "unknown",
        "+266696687",
        "266696687",
        "+7378742833",
        "+2562533",
        "+8656696",
        "+86282452253",
        "sip:anonymous@anonymous.invalid",
        "sips:Anonymous@example.com",
        "+anonymous",
        " Anonymous ",
        "+ 266696687",
        "sip:+Restricted@example.com",
    ] {
        assert_eq!(begin(&query(from, OURS), &rules, &situation()), Instruction::Decline, "{from}");
    }
    for from in [CALLER, "+25625331234", "sip:desk@example.com", "sip:anonymous.desk@example.com"] {
        assert_eq!(begin(&query(from, OURS), &rules, &situation()), rings(), "{from}");
    }
    assert_eq!(begin(&query("anonymous", OURS), &Rules::default(), &situation()), rings());
}

#[test]
fn a_forwarded_caller_is_shown_by_a_number_that_twilio_allows() {
    let rules = rules(|rules| rules.open = forward());
    for (from, to, shown) in [
        (CALLER, OURS, None),
        ("+266696687", OURS, Some(OURS)),
        ("anonymous", "+12025550101", Some("+12025550101")),
        ("sip:desk@example.com", "sip:+12025550101@kennex.sip.twilio.com", Some(OURS)),
    ] {
        assert_eq!(begin(&query(from, to), &rules, &situation()), forwards(shown), "{from}");
    }
}

#[test]
fn a_forward_that_would_lead_back_becomes_a_message() {
    let rules = rules(|rules| rules.open = forward());
    let diverted = VoiceQuery { forwarded_from: Some(ELSEWHERE.into()), ..from_caller() };
    assert_eq!(begin(&diverted, &rules, &situation()), takes_message());
    assert_eq!(begin(&query(CALLER, ELSEWHERE), &rules, &situation()), takes_message());
    let mut now = situation();
    now.outlook.owned_numbers.push(number(ELSEWHERE));
    assert_eq!(begin(&from_caller(), &rules, &now), takes_message());
    let other = VoiceQuery { forwarded_from: Some(CALLER.into()), ..from_caller() };
    assert_eq!(begin(&other, &rules, &situation()), forwards(None));
}

#[test]
fn callers_are_passed_on_within_the_limits_of_calls() {
    let mut rules = rules(|rules| rules.open = forward());
    let limit = |rules: &Rules, now: &Situation| {
        let instruction = begin(&from_caller(), rules, now);
        if let Instruction::Connect(connect) = instruction {
            return Some(connect.time_limit_s);
        }
        assert_eq!(instruction, takes_message());
        None
    };
    let with = |forwards_under_way, seconds, reserved_seconds| {
        let mut now = situation();
        now.outlook.forwards_under_way = forwards_under_way;
        now.outlook.spent = Spent { seconds, reserved_seconds, ..Spent::default() };
        now
    };
    rules.outgoing.time_limit_s = 3_600;
    rules.outgoing.minutes_per_day = Some(10);
    assert_eq!(limit(&rules, &with(1, 0, 0)), Some(600));
    assert_eq!(limit(&rules, &with(2, 0, 0)), None, "as many as there may be");
    assert_eq!(limit(&rules, &with(0, 200, 100)), Some(300));
    assert_eq!(limit(&rules, &with(0, 200, 350)), None, "less than a minute");
    rules.outgoing.minutes_per_day = None;
    assert_eq!(limit(&rules, &with(0, 0, 0)), Some(3_600));
    rules.outgoing.countries = Some(["FR".to_owned()].into());
    assert_eq!(limit(&rules, &with(0, 0, 0)), None, "home is not listed");
    let premium = Answer::Forward { to: number("+19002345678") };
    let rules = Rules {
        outgoing: OutgoingRules { premium: true, ..OutgoingRules::default() },
        incoming: IncomingRules { open: premium, ..IncomingRules::default() },
    };
    assert_eq!(limit(&rules, &situation()), None, "not for strangers");
}

#[test]
fn a_call_that_the_account_placed_rings_nobody() {
    for from in [OURS, CALLER, "client:agent_1"] {
        let query = VoiceQuery { placed_by_account: true, ..query(from, CALLER) };
        let instruction = begin(&query, &Rules::default(), &situation());
        assert!(matches!(instruction, Instruction::TurnAway { .. }), "{from}");
    }
}

#[test]
fn a_token_of_another_app_places_no_call() {
    let app = |digit: &str| TwimlAppSid::parse(&format!("AP{}", digit.repeat(32))).unwrap();
    let begun = |theirs: Option<TwimlAppSid>, ours: Option<TwimlAppSid>| {
        let query = VoiceQuery { app: theirs, ..query("client:agent_1", CALLER) };
        begin(&query, &Rules::default(), &Situation { app: ours, ..situation() })
    };
    assert!(matches!(begun(Some(app("a")), Some(app("a"))), Instruction::Connect(_)));
    assert!(matches!(begun(Some(app("a")), None), Instruction::Connect(_)));
    assert!(matches!(begun(None, Some(app("a"))), Instruction::Connect(_)));
    assert!(matches!(begun(Some(app("b")), Some(app("a"))), Instruction::TurnAway { .. }));
}

#[test]
fn a_call_of_the_agents_goes_out() {
    let places = |to: &str| begin(&query("client:agent_1", to), &Rules::default(), &situation());
    let connect = |to, caller_id: Option<&str>, ring_s, purpose| {
        let caller_id = caller_id.map(number);
        Instruction::Connect(Connect { to: vec![to], caller_id, ring_s, time_limit_s: 14_400, purpose })
    };
    assert_eq!(
        places(CALLER),
        connect(Destination::Number(number(CALLER)), Some(OURS), 25, Purpose::Outgoing)
    );
    let colleague = Destination::Client(ClientIdentity::parse("agent_2").unwrap());
    assert_eq!(places("client:agent_2"), connect(colleague, None, 25, Purpose::Outgoing));
    assert_eq!(places("queue:"), connect(Destination::NextInQueue, Some(OURS), 5, Purpose::TakeNext));
    assert!(refused(&places("hello")).contains("+12025550123"));
    assert!(refused(&places("9 1 1")).contains("cannot call 911"));
    assert!(refused(&places("+33142685300")).contains("France"));
    let stranger = begin(&query("client:agent_2", CALLER), &Rules::default(), &situation());
    assert!(matches!(stranger, Instruction::TurnAway { .. }));
    let any = Situation { agents: Agents::Any { signed_in: Vec::new() }, ..situation() };
    assert!(matches!(
        begin(&query("client:agent_2", CALLER), &Rules::default(), &any),
        Instruction::Connect(_)
    ));
}

#[test]
fn a_call_that_was_not_asked_for_is_refused_and_reported() {
    for (permission, allowed) in
        [(Permission::Given, true), (Permission::NotAsked, true), (Permission::Missing, false)]
    {
        let now = Situation { permission, ..situation() };
        for to in [CALLER, "client:agent_2", "queue:"] {
            let instruction = begin(&query("client:agent_1", to), &Rules::default(), &now);
            assert_eq!(matches!(instruction, Instruction::Connect(_)), allowed, "{to}");
            assert!(allowed || refused(&instruction).contains("did not ask for"));
        }
    }
}

#[test]
fn the_short_form_dials_with_the_number_it_names_and_nobody_else_can_use_it() {
    let short = |from: &str, to: &str| VoiceQuery { short_form: true, ..query(from, to) };
    let shown = |instruction: &Instruction| {
        let Instruction::Connect(connect) = instruction else { panic!("{instruction:?}") };
        assert_eq!(connect.to, [Destination::Number(number(CALLER))]);
        connect.caller_id.as_ref().unwrap().to_string()
    };
    let begun = |query: &VoiceQuery| begin(query, &Rules::default(), &situation());
    assert_eq!(shown(&begun(&short(OURS, CALLER))), OURS);
    assert_eq!(shown(&begun(&short("+12025550101", CALLER))), "+12025550101");
    assert_eq!(
        shown(&begun(&short(" 12025550100", " 12025550123"))),
        OURS,
        "a plus sign that was not escaped"
    );
    // A stranger who shows our number is a caller; so is one who has another.
    assert_eq!(begun(&query(OURS, CALLER)), rings());
    assert_eq!(begun(&short(ELSEWHERE, CALLER)), rings());
    let unwanted = Situation { permission: Permission::Missing, ..situation() };
    refused(&begin(&short(OURS, CALLER), &Rules::default(), &unwanted));
    refused(&begun(&short(OURS, OURS)));
}

#[test]
fn what_follows_a_connection() {
    use CallStatus::{Busy, Canceled, Completed, Failed, InProgress, NoAnswer};
    let rules = rules(|rules| rules.no_answer = Answer::Queue);
    let agent = query("client:agent_1", CALLER);
    let telephone = query(OURS, CALLER);
    let nobody = told("Nobody is waiting.");
    for (query, purpose, status, expected) in [
        (&from_caller(), Purpose::Ring, Completed, Instruction::HangUp),
        (&from_caller(), Purpose::Ring, InProgress, Instruction::HangUp),
        (&from_caller(), Purpose::Ring, NoAnswer, queues()),
        (&from_caller(), Purpose::Ring, Busy, queues()),
        (&from_caller(), Purpose::Ring, Failed, queues()),
        (&from_caller(), Purpose::Ring, Canceled, queues()),
        (&from_caller(), Purpose::Forward, Completed, Instruction::HangUp),
        (&from_caller(), Purpose::Forward, Busy, takes_message()),
        (&from_caller(), Purpose::Forward, NoAnswer, takes_message()),
        (&from_caller(), Purpose::Forward, Failed, takes_message()),
        (&agent, Purpose::Outgoing, Completed, Instruction::HangUp),
        (&agent, Purpose::Outgoing, Busy, Instruction::HangUp),
        (&agent, Purpose::Outgoing, Failed, Instruction::HangUp),
        (&telephone, Purpose::Outgoing, Completed, Instruction::HangUp),
        (&telephone, Purpose::Outgoing, Canceled, Instruction::HangUp),
        (&telephone, Purpose::Outgoing, Busy, told("The line is busy.")),
        (&telephone, Purpose::Outgoing, NoAnswer, told("Nobody answered.")),
        (&telephone, Purpose::Outgoing, Failed, told("The call could not be connected.")),
        (&agent, Purpose::TakeNext, Completed, Instruction::HangUp),
        (&agent, Purpose::TakeNext, NoAnswer, nobody.clone()),
        (&agent, Purpose::TakeNext, Failed, nobody),
    ] {
        let got = go_on(query, &dialled(purpose, status), &rules, &situation());
        assert_eq!(got, expected, "{purpose:?} {status:?}");
    }
    assert_eq!(go_on(&from_caller(), &Happened::MessageTaken, &rules, &situation()), Instruction::HangUp);
}

/// 1 rings, 2 leads to a page whose 1 is the queue, 3 declines.
fn menu() -> MenuPage {
    let choice = |then| Choice { label: "Something".into(), then };
    let key = |digit| MenuKey::of(digit).unwrap();
    let below = MenuPage {
        prompt: Prompt::say("Deeper."),
        choices: [(key('1'), choice(Chosen::Answer { answer: Answer::Queue }))].into(),
        attempts: 1,
        otherwise: Box::new(message("Goodbye.")),
        ..MenuPage::default()
    };
    let choices = [
        (key('1'), choice(Chosen::Answer { answer: Answer::Ring })),
        (key('2'), choice(Chosen::Page { page: below })),
        (key('3'), choice(Chosen::Answer { answer: Answer::Decline })),
        (key('4'), choice(Chosen::Answer { answer: Answer::Menu })),
    ];
    MenuPage { choices: choices.into(), attempts: 2, ..MenuPage::default() }
}

#[test]
fn the_menu_goes_deeper_and_never_back() {
    let rules = rules(|rules| {
        rules.menu = menu();
        rules.busy = Answer::Decline;
    });
    let Chosen::Page { page: below } = &menu().choices[&MenuKey::of('2').unwrap()].then else { panic!() };
    for (happened, expected) in [
        (pressed("", 1, Some('1')), rings()),
        (pressed("", 1, Some('2')), plays("2", 1, below)),
        (pressed("2", 1, Some('1')), queues()),
        (pressed("", 1, None), plays("", 2, &menu())),
        (pressed("", 1, Some('9')), plays("", 2, &menu())),
        (pressed("", 2, None), takes_message()),
        (pressed("", 7, Some('9')), takes_message()),
        (pressed("", 100, None), takes_message()),
        (pressed("2", 1, None), told("Goodbye.")),
        // A call that was answered cannot be declined any more.
        (pressed("", 1, Some('3')), unavailable()),
        // Rules that could not be kept, and places that are no longer there, end in a message.
        (pressed("", 1, Some('4')), takes_message()),
        (pressed("29", 1, Some('1')), takes_message()),
        (pressed("11", 1, None), takes_message()),
    ] {
        assert_eq!(go_on(&from_caller(), &happened, &rules, &situation()), expected, "{happened:?}");
    }
    let busy = Situation { busy: true, ..situation() };
    assert_eq!(go_on(&from_caller(), &pressed("", 1, Some('1')), &rules, &busy), unavailable());
    // More attempts than an address can name.
    let mut endless = rules.clone();
    endless.incoming.menu.attempts = 1_000;
    let after = |attempt| go_on(&from_caller(), &pressed("", attempt, None), &endless, &situation());
    assert_eq!(after(4), plays("", 5, &endless.incoming.menu));
    assert_eq!(after(5), takes_message());
}

#[test]
fn the_queue_keeps_callers_for_so_long_and_then_lets_them_go() {
    let mut rules = rules(|rules| *rules.queue.overflow = message("Write to us."));
    let goes_on = |happened: Happened, rules: &Rules| go_on(&from_caller(), &happened, rules, &situation());
    let waits = |waited_s| Happened::Waiting { position: 3, waited_s };
    let hears = |position| Instruction::Wait { position, music: Music::Tune };
    assert_eq!(goes_on(waits(0), &rules), hears(Some(3)));
    assert_eq!(goes_on(waits(899), &rules), hears(Some(3)));
    assert_eq!(goes_on(waits(900), &rules), Instruction::LeaveQueue);
    // The program was restarted, and let in more than there may be.
    let at = |position| goes_on(Happened::Waiting { position, waited_s: 0 }, &rules);
    assert_eq!(at(20), hears(Some(20)));
    assert_eq!(at(21), Instruction::LeaveQueue);
    // The place is told in English.
    let greeted = |greeting| {
        let mut rules = rules.clone();
        rules.incoming.queue.greeting = greeting;
        goes_on(waits(0), &rules)
    };
    let in_language = |tag: &str| Prompt::Say { text: "…".into(), language: Some(tag.into()) };
    for greeting in
        [in_language("en-GB"), in_language("EN"), Prompt::Play { sound: SoundName::from_bytes([1; 16]) }]
    {
        assert_eq!(greeted(greeting.clone()), hears(Some(3)), "{greeting:?}");
    }
    for tag in ["de-DE", "fr", "enm"] {
        assert_eq!(greeted(in_language(tag)), hears(None), "{tag}");
    }
    assert_eq!(greeted(Prompt::say("Please hold.")), hears(Some(3)));
    rules.incoming.queue.tell_position = false;
    assert_eq!(goes_on(waits(0), &rules), hears(None));

    let left = |result| Happened::LeftQueue { result };
    for result in [QueueResult::Leave, QueueResult::QueueFull, QueueResult::Error, QueueResult::SystemError] {
        assert_eq!(goes_on(left(result), &rules), told("Write to us."), "{result:?}");
    }
    for result in [
        QueueResult::Bridged,
        QueueResult::BridgingInProcess,
        QueueResult::Hangup,
        QueueResult::Redirected,
        QueueResult::RedirectedFromBridged,
    ] {
        assert_eq!(goes_on(left(result), &rules), Instruction::HangUp, "{result:?}");
    }
    *rules.incoming.queue.overflow = Answer::Decline;
    assert_eq!(goes_on(left(QueueResult::Leave), &rules), unavailable());
    for circle in [Answer::Queue, Answer::Ring, Answer::Menu] {
        *rules.incoming.queue.overflow = circle;
        assert_eq!(goes_on(left(QueueResult::Leave), &rules), unavailable(), "rules that could not be kept");
    }
    // Before the call is answered, the busy tone is one.
    *rules.incoming.queue.overflow = Answer::Decline;
    rules.incoming.open = Answer::Queue;
    let full = Situation { waiting: 20, ..situation() };
    assert_eq!(begin(&from_caller(), &rules, &full), Instruction::Decline);
    assert_eq!(begin(&from_caller(), &rules, &Situation { waiting: 19, ..situation() }), queues());
}

#[test]
fn problems_of_both_directions_are_told_with_their_place() {
    let mut rules = rules(|rules| rules.ring_s = 0);
    rules.outgoing.most_calls = 0;
    let paths: Vec<_> = problems(&rules, &Known::default()).into_iter().map(|problem| problem.path).collect();
    assert_eq!(paths, ["outgoing.most_calls", "incoming.ring_s"]);
}

#[test]
fn callers_can_be_passed_on_only_where_the_agent_may_call() {
    let known = Known { home_region: "US".into(), ..Known::default() };
    let mut rules = rules(|rules| {
        let Chosen::Page { page } = &mut rules
            .menu
            .choices
            .entry(MenuKey::of('3').unwrap())
            .or_insert(Choice { label: "Paris".into(), then: Chosen::Page { page: MenuPage::default() } })
            .then
        else {
            panic!("a page")
        };
        *page.otherwise = Answer::Forward { to: number("+33142685300") };
    });
    let found = problems(&rules, &known);
    assert_eq!(found.len(), 1);
    assert!(found[0].path == "outgoing.countries" && found[0].message.contains("France"), "{found:?}");
    rules.outgoing.countries = Some(["FR".to_owned()].into());
    assert_eq!(problems(&rules, &known), []);
    rules.incoming.open = forward();
    assert!(problems(&rules, &known)[0].message.contains("United States"));
}
