#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::identity::ClientIdentity;
use crate::sip_uri::SipUri;

const OURS: &str = "+12025550100";
const VERIFIED: &str = "+442079460100";

fn number(text: &str) -> E164 {
    E164::parse_strict(text).unwrap()
}

fn to(text: &str) -> Destination {
    Destination::Number(number(text))
}

fn client() -> Destination {
    Destination::Client(ClientIdentity::parse("agent_2").unwrap())
}

fn sip() -> Destination {
    Destination::Sip(SipUri::parse("sip:desk@example.com").unwrap())
}

fn emergency() -> Destination {
    Destination::Emergency("911".into())
}

fn outlook() -> Outlook {
    Outlook {
        home_region: "US".into(),
        caller_id: Some(number(OURS)),
        usable_caller_ids: vec![number(OURS), number(VERIFIED)],
        owned_numbers: vec![number(OURS)],
        calls_under_way: 0,
        forwards_under_way: 0,
        spent: Spent::default(),
        prices: BTreeMap::new(),
        confirmed: false,
    }
}

fn came_to(seconds: u64, micros: u64) -> Spent {
    Spent { seconds, micros: Some(micros), ..Spent::default() }
}

fn dollars(micros: u64) -> Option<Money> {
    Some(Money { micros, currency: "USD".into() })
}

/// With the price of a minute in dollars, where there is one.
fn priced(outlook: Outlook, to: &Destination, micros: Option<u64>) -> Outlook {
    let Destination::Number(number) = to else { return outlook };
    let price = micros.and_then(dollars).map(|price| (number.clone(), price));
    Outlook { prices: price.into_iter().collect(), ..outlook }
}

fn limit(verdict: &Verdict) -> u32 {
    let Verdict::Allowed { time_limit_s, .. } = verdict else { panic!("allowed, not {verdict:?}") };
    *time_limit_s
}

fn is_allowed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Allowed { .. })
}

fn refusal(verdict: Verdict) -> Refusal {
    let Verdict::Refused(refusal) = verdict else { panic!("refused, not {verdict:?}") };
    refusal
}

#[test]
fn a_call_at_home_is_allowed_with_the_chosen_number() {
    let verdict = judge(&to("+12025550123"), &OutgoingRules::default(), &outlook());
    assert_eq!(verdict, Verdict::Allowed { caller_id: Some(number(OURS)), time_limit_s: 14_400 });
}

#[test]
fn the_caller_id_must_be_the_accounts() {
    let rules = OutgoingRules::default();
    for (caller_id, spoken) in [
        (None, "No outgoing number has been chosen."),
        (Some("+12025550199"), "This outgoing number cannot be used."),
    ] {
        let outlook = Outlook { caller_id: caller_id.map(number), ..outlook() };
        for to in [to("+12025550123"), sip()] {
            assert_eq!(refusal(judge(&to, &rules, &outlook)).spoken, spoken);
        }
        // These show no number.
        for to in [client(), Destination::NextInQueue] {
            assert!(matches!(judge(&to, &rules, &outlook), Verdict::Allowed { caller_id: None, .. }));
        }
    }
    let verified = Outlook { caller_id: Some(number(VERIFIED)), ..outlook() };
    assert!(matches!(judge(&to("+12025550123"), &rules, &verified), Verdict::Allowed { .. }));
    assert!(refusal(judge(&to(OURS), &rules, &outlook())).reason.contains("own caller id"));
}

#[test]
fn another_country_is_asked_about_once_or_blocked_for_good() {
    let asks = OutgoingRules::default();
    let france = to("+33142685300");
    let question = Question { region: "FR".into(), country: "France".into() };
    assert_eq!(judge(&france, &asks, &outlook()), Verdict::Ask(question));
    let confirmed = Outlook { confirmed: true, ..outlook() };
    assert!(matches!(judge(&france, &asks, &confirmed), Verdict::Allowed { .. }));

    let blocks = OutgoingRules { other_countries: OtherCountries::Block, ..asks.clone() };
    for outlook in [outlook(), confirmed] {
        assert!(refusal(judge(&france, &blocks, &outlook)).reason.contains("France"));
    }
    let listed = OutgoingRules { countries: Some(BTreeSet::from(["FR".into()])), ..blocks };
    assert!(matches!(judge(&france, &listed, &outlook()), Verdict::Allowed { .. }));
    assert!(
        matches!(judge(&to("+12025550123"), &listed, &outlook()), Verdict::Refused(_)),
        "home is not listed"
    );
}

#[test]
fn a_neighbour_with_the_same_country_code_is_another_country() {
    let Verdict::Ask(question) = judge(&to("+18765230123"), &OutgoingRules::default(), &outlook()) else {
        panic!("asked");
    };
    assert_eq!(question.region, "JM");
    // A number of no known country is never at home, not even where home is not known.
    let nowhere = Outlook { home_region: String::new(), ..outlook() };
    assert!(matches!(judge(&to("+19995550123"), &OutgoingRules::default(), &nowhere), Verdict::Ask(_)));
}

#[test]
fn what_is_no_whole_number_is_refused_with_the_reason_and_not_asked_about() {
    let everywhere = OutgoingRules { other_countries: OtherCountries::Ask, ..OutgoingRules::default() };
    for (called, reason) in [
        ("+12025550", "area code is missing"),
        ("+3312345", "too short"),
        ("+3312345678901", "too long"),
        ("+21012345678", "No country has this code"),
        ("+99912345678", "No country has this code"),
    ] {
        let called = number(called);
        for confirmed in [false, true] {
            let outlook = Outlook { confirmed, ..outlook() };
            let told = refusal(judge(&Destination::Number(called.clone()), &everywhere, &outlook)).reason;
            assert!(told.contains(reason), "{called}: {told}");
        }
        let told = judge_forward(&called, &everywhere, &outlook()).unwrap_err().reason;
        assert!(told.contains(reason), "{called}: {told}");
    }
}

#[test]
fn a_number_that_does_not_tell_its_country_is_asked_about_without_one() {
    // A North American area code that nobody has been given.
    let nowhere = to("+19995550123");
    let rules = OutgoingRules::default();
    let asked = judge(&nowhere, &rules, &outlook());
    let Verdict::Ask(question) = asked else { panic!("asked, not {asked:?}") };
    assert_eq!(question.region, "", "there is no country to be put in the list");
    let passed_on = judge_forward(&number("+19995550123"), &rules, &outlook()).unwrap_err();
    for refusal in [question.refusal(), passed_on] {
        assert_eq!(refusal.ground, Ground::UnknownCountry);
        assert!(
            !refusal.reason.contains("list") && !refusal.reason.contains("unknown country"),
            "{refusal:?}"
        );
    }
    assert!(is_allowed(&judge(&nowhere, &rules, &Outlook { confirmed: true, ..outlook() })));
    let block = OutgoingRules { other_countries: OtherCountries::Block, ..rules };
    let told = refusal(judge(&nowhere, &block, &outlook())).reason;
    assert!(told.contains("Several countries share the code"), "{told}");
    assert!(!told.contains("unknown country"), "{told}");
}

#[test]
fn premium_numbers_need_a_rule_not_a_confirmation() {
    let confirmed = Outlook { confirmed: true, ..outlook() };
    for dear in ["+19002345678", "+881612345678", "+979123456789", "+80812345678", "+447012345678"] {
        assert!(
            refusal(judge(&to(dear), &OutgoingRules::default(), &confirmed)).reason.contains("Calls page")
        );
        let allowed = OutgoingRules { premium: true, ..OutgoingRules::default() };
        assert!(matches!(judge(&to(dear), &allowed, &confirmed), Verdict::Allowed { .. }), "{dear}");
    }
}

#[test]
fn emergency_calls_need_the_owners_decision_and_a_number_of_the_country() {
    let refused = refusal(judge(&emergency(), &OutgoingRules::default(), &outlook()));
    assert!(refused.spoken.contains("Use a mobile"));
    assert!(refused.reason.contains("911") && refused.reason.contains("emergency address"));

    let allowed = OutgoingRules { emergency: true, ..OutgoingRules::default() };
    let by = |outlook: &Outlook| judge(&emergency(), &allowed, outlook);
    let expected = Verdict::Allowed { caller_id: Some(number(OURS)), time_limit_s: 14_400 };
    assert_eq!(by(&outlook()), expected);
    // The number chosen is abroad, or only verified: another that will do is taken.
    assert_eq!(by(&Outlook { caller_id: Some(number(VERIFIED)), ..outlook() }), expected);
    assert_eq!(by(&Outlook { caller_id: None, ..outlook() }), expected);
    for owned in [vec![], vec![number(VERIFIED)]] {
        let none = refusal(by(&Outlook { owned_numbers: owned, ..outlook() }));
        assert!(none.reason.contains("United States") && none.spoken.contains("Use a mobile"));
    }
}

#[test]
fn no_gate_stands_before_an_emergency_call() {
    let rules = OutgoingRules {
        countries: Some(BTreeSet::new()),
        other_countries: OtherCountries::Block,
        emergency: true,
        most_calls: 1,
        time_limit_s: 60,
        minutes_per_day: Some(1),
        money_per_day: dollars(1),
        ..OutgoingRules::default()
    };
    let spent = came_to(9_000, 9_000_000);
    let outlook = Outlook { calls_under_way: 7, spent, ..outlook() };
    assert_eq!(limit(&judge(&emergency(), &rules, &outlook)), 14_400);
}

#[test]
fn addresses_can_be_forbidden() {
    let rules = OutgoingRules { addresses: false, ..OutgoingRules::default() };
    for to in [client(), sip()] {
        assert!(matches!(judge(&to, &OutgoingRules::default(), &outlook()), Verdict::Allowed { .. }));
        assert!(refusal(judge(&to, &rules, &outlook())).reason.contains("addresses"));
    }
    assert!(matches!(judge(&Destination::NextInQueue, &rules, &outlook()), Verdict::Allowed { .. }));
}

#[test]
fn as_many_calls_as_the_rules_allow() {
    let rules = OutgoingRules::default();
    for to in [to("+12025550123"), client(), sip(), Destination::NextInQueue] {
        let with = |calls_under_way| judge(&to, &rules, &Outlook { calls_under_way, ..outlook() });
        assert!(is_allowed(&with(1)));
        assert!(refusal(with(2)).spoken.contains("Too many"));
    }
}

#[test]
fn the_time_limit_is_the_least_of_rule_minutes_and_money() {
    let spent = came_to(90, 500_000);
    let rules = |time_limit_s, minutes_per_day, money| OutgoingRules {
        time_limit_s,
        minutes_per_day,
        money_per_day: dollars(1_000_000).filter(|_| money),
        ..OutgoingRules::default()
    };
    for (rules, price_micros, expected) in [
        (rules(3_600, None, false), None, 3_600),
        (rules(99_999, None, false), None, 14_400),
        (rules(3_600, Some(10), false), None, 510),
        (rules(300, Some(10), false), None, 300),
        (rules(3_600, None, true), Some(14_000), 35 * 60),
        (rules(3_600, None, true), Some(500_000), 60),
        (rules(3_600, None, true), Some(0), 3_600),
        (rules(3_600, Some(10), true), Some(100_000), 300),
        (rules(3_600, Some(3), true), Some(100_000), 90),
    ] {
        let outlook = priced(Outlook { spent, ..outlook() }, &to("+12025550123"), price_micros);
        assert_eq!(
            limit(&judge(&to("+12025550123"), &rules, &outlook)),
            expected,
            "{rules:?} {price_micros:?}"
        );
    }
}

#[test]
fn a_call_that_could_not_last_a_minute_is_refused_with_the_reason() {
    let spent = came_to(90, 500_000);
    let refused = |rules: OutgoingRules, price_micros| {
        let number = to("+12025550123");
        refusal(judge(&number, &rules, &priced(Outlook { spent, ..outlook() }, &number, price_micros))).spoken
    };
    let minutes = |minutes| OutgoingRules { minutes_per_day: Some(minutes), ..OutgoingRules::default() };
    let money = OutgoingRules { money_per_day: dollars(1_000_000), ..OutgoingRules::default() };
    assert!(refused(minutes(2), None).contains("minutes"));
    assert!(refused(minutes(1), None).contains("minutes"));
    assert!(refused(money.clone(), Some(500_001)).contains("cost"));
    assert!(refused(money, None).contains("price"), "a limit that cannot be kept is no limit");
    // Calls that are not to telephones are not counted.
    let outlook = Outlook { spent, ..outlook() };
    assert!(matches!(judge(&client(), &minutes(1), &outlook), Verdict::Allowed { .. }));
    let short = OutgoingRules { time_limit_s: 59, ..OutgoingRules::default() };
    assert!(refused(short, None).contains("longest call"));
}

#[test]
fn what_calls_under_way_may_take_is_not_given_out_again() {
    let number = to("+12025550123");
    let rules = OutgoingRules { minutes_per_day: Some(10), ..OutgoingRules::default() };
    let first = limit(&judge(&number, &rules, &outlook()));
    assert_eq!(first, 600);
    let spent = Spent { reserved_seconds: u64::from(first), ..Spent::default() };
    assert!(refusal(judge(&number, &rules, &Outlook { spent, ..outlook() })).spoken.contains("minutes"));
    let rules = OutgoingRules { money_per_day: dollars(1_000_000), ..OutgoingRules::default() };
    let with = |reserved_micros| {
        let spent = Spent { reserved_micros, ..Spent::default() };
        judge(&number, &rules, &priced(Outlook { spent, ..outlook() }, &number, Some(100_000)))
    };
    assert_eq!(limit(&with(900_000)), 60);
    assert!(refusal(with(900_001)).spoken.contains("cost"));
}

#[test]
fn money_that_cannot_be_counted_is_not_spent() {
    let number = to("+12025550123");
    let rules = OutgoingRules { money_per_day: dollars(1_000_000), ..OutgoingRules::default() };
    let unknown = Spent { micros: None, ..Spent::default() };
    let outlook = |spent| priced(Outlook { spent, ..outlook() }, &number, Some(10_000));
    assert!(is_allowed(&judge(&number, &rules, &outlook(Spent::default()))));
    assert!(refusal(judge(&number, &rules, &outlook(unknown))).spoken.contains("not known"));
    assert!(is_allowed(&judge(&number, &OutgoingRules::default(), &outlook(unknown))), "without a limit");
    let euros = Money { micros: 1_000_000, currency: "EUR".into() };
    let rules = OutgoingRules { money_per_day: Some(euros), ..rules };
    let refused = refusal(judge(&number, &rules, &outlook(Spent::default())));
    assert!(refused.reason.contains("EUR") && refused.reason.contains("USD"), "{}", refused.reason);
}

#[test]
fn an_emergency_number_behind_a_country_code_is_refused_whatever_the_rules() {
    let rules = OutgoingRules {
        countries: Some(["ZA".to_owned(), "SE".to_owned()].into()),
        emergency: true,
        ..OutgoingRules::default()
    };
    for (home, dialled) in [("ZA", "+2710111"), ("US", "+2710111"), ("US", "+4690000")] {
        let outlook = Outlook { home_region: home.into(), confirmed: true, ..outlook() };
        let refused = refusal(judge(&to(dialled), &rules, &outlook));
        assert!(refused.spoken.contains("Use a mobile") && refused.reason.contains(dialled));
    }
}

#[test]
fn a_number_behind_a_sip_address_is_a_number() {
    let at = |name: &str, rules: &OutgoingRules| {
        let uri = SipUri::parse(&format!("sip:{name}@carrier.example")).unwrap();
        judge(&Destination::Sip(uri), rules, &outlook())
    };
    let rules = OutgoingRules::default();
    for name in
        ["911", "9-1-1", "%39%31%31;phone-context=+1", "+19002345678", "19002345678", "+2710111", "+1234567"]
    {
        assert!(matches!(at(name, &rules), Verdict::Refused(_)), "{name}");
    }
    for name in ["desk", "100", "+12025550123", "12025550123", "1234567", "911desk", "agent_911"] {
        assert!(is_allowed(&at(name, &rules)), "{name}");
    }
    assert!(matches!(at("+33142685300", &rules), Verdict::Ask(_)));
    let own = OutgoingRules { emergency: true, premium: true, ..rules.clone() };
    assert!(is_allowed(&at("911", &own)) && is_allowed(&at("+19002345678", &own)));
    let blocks = OutgoingRules { other_countries: OtherCountries::Block, ..rules };
    assert!(matches!(at("+33142685300", &blocks), Verdict::Refused(_)));
}

#[test]
fn a_refusal_comes_before_a_question() {
    let rules = OutgoingRules { minutes_per_day: Some(1), ..OutgoingRules::default() };
    let spent = came_to(60, 0);
    assert!(matches!(
        judge(&to("+33142685300"), &rules, &Outlook { spent, ..outlook() }),
        Verdict::Refused(_)
    ));
}

#[test]
fn every_number_of_the_rules_has_its_range() {
    assert_eq!(problems(&OutgoingRules::default()), []);
    let fits =
        |rules: OutgoingRules| problems(&rules).into_iter().map(|problem| problem.path).collect::<Vec<_>>();
    let good = OutgoingRules {
        countries: Some(BTreeSet::from(["US".into(), "001".into()])),
        time_limit_s: 60,
        most_calls: 10,
        minutes_per_day: Some(1),
        money_per_day: dollars(1),
        ..OutgoingRules::default()
    };
    assert_eq!(fits(good), Vec::<String>::new());
    let bad = OutgoingRules {
        countries: Some(BTreeSet::from(["us".into()])),
        time_limit_s: 59,
        most_calls: 0,
        minutes_per_day: Some(0),
        money_per_day: Some(Money { micros: 0, currency: "Dollar".into() }),
        ..OutgoingRules::default()
    };
    assert_eq!(
        fits(bad),
        [
            "countries",
            "time_limit_s",
            "most_calls",
            "minutes_per_day",
            "money_per_day.micros",
            "money_per_day.currency"
        ]
    );
    let too_much = OutgoingRules { time_limit_s: 14_401, most_calls: 11, ..OutgoingRules::default() };
    assert_eq!(fits(too_much), ["time_limit_s", "most_calls"]);
}

fn any_rules() -> impl Strategy<Value = OutgoingRules> {
    let countries =
        prop::collection::btree_set(select(vec!["US", "FR", "GB", "JM"]).prop_map(str::to_owned), 0..3);
    (
        (prop::option::of(countries), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
        (0..20_000_u32, 0..4_u32, prop::option::of(0..5_u32), prop::option::of(0..2_000_000_u64)),
    )
        .prop_map(
            |(
                (countries, block, premium, emergency, addresses),
                (time_limit_s, most_calls, minutes, money),
            )| {
                OutgoingRules {
                    countries,
                    other_countries: if block { OtherCountries::Block } else { OtherCountries::Ask },
                    premium,
                    emergency,
                    addresses,
                    time_limit_s,
                    most_calls,
                    minutes_per_day: minutes,
                    money_per_day: money.and_then(dollars),
                }
            },
        )
}

fn any_outlook() -> impl Strategy<Value = Outlook> {
    let numbers =
        || prop::collection::vec(select(vec![OURS, VERIFIED, "+33142685300"]).prop_map(number), 0..3);
    (
        select(vec!["US", "GB", "", "XX"]),
        prop::option::of(select(vec![OURS, VERIFIED, "+12025550199"]).prop_map(number)),
        (numbers(), numbers()),
        0..4_u32,
        (0..400_u64, 0..200_u64, prop::option::of(0..2_000_000_u64), 0..500_000_u64),
        any::<bool>(),
    )
        .prop_map(
            |(
                home,
                caller_id,
                (usable_caller_ids, owned_numbers),
                calls,
                (seconds, reserved_seconds, micros, reserved_micros),
                confirmed,
            )| {
                Outlook {
                    home_region: home.into(),
                    caller_id,
                    usable_caller_ids,
                    owned_numbers,
                    calls_under_way: calls,
                    forwards_under_way: calls,
                    spent: Spent { seconds, reserved_seconds, micros, reserved_micros },
                    prices: BTreeMap::new(),
                    confirmed,
                }
            },
        )
}

fn any_price() -> impl Strategy<Value = Option<u64>> {
    prop::option::of(prop_oneof![Just(0), 1..900_000_u64, Just(u64::MAX)])
}

fn any_destination() -> impl Strategy<Value = Destination> {
    let numbers = vec![
        OURS,
        VERIFIED,
        "+12025550123",
        "+33142685300",
        "+18765230123",
        "+19002345678",
        "+881612345678",
        "+9991234567",
    ];
    prop_oneof![
        select(numbers).prop_map(to),
        "\\+[1-9][0-9]{6,14}".prop_map(|text| to(&text)),
        Just(client()),
        Just(sip()),
        Just(emergency()),
        Just(Destination::NextInQueue),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_is_allowed_that_a_rule_forbids(to in any_destination(), price in any_price(), rules in any_rules(), outlook in any_outlook()) {
        let outlook = priced(outlook, &to, price);
        let Verdict::Allowed { caller_id, time_limit_s } = judge(&to, &rules, &outlook) else { return Ok(()) };
        prop_assert!((60..=14_400).contains(&time_limit_s));
        match &to {
            Destination::Emergency(_) => {
                prop_assert!(rules.emergency);
                let caller_id = caller_id.unwrap();
                prop_assert!(outlook.owned_numbers.contains(&caller_id));
                prop_assert_eq!(phone_number::region(&caller_id), Some(outlook.home_region));
                return Ok(());
            }
            Destination::Client(_) | Destination::Sip(_) => prop_assert!(rules.addresses),
            Destination::NextInQueue => {}
            Destination::Number(number) => {
                let shown = caller_id.clone().unwrap();
                prop_assert!(shown != *number);
                prop_assert!(rules.premium || phone_number::surcharge(number).is_none());
                let region = phone_number::region(number).unwrap_or_default();
                let listed = rules.countries.clone().unwrap_or_else(|| BTreeSet::from([outlook.home_region.clone()]));
                let known = !region.is_empty() && listed.contains(&region);
                prop_assert!(known || (outlook.confirmed && rules.other_countries == OtherCountries::Ask));
                if let Some(minutes) = rules.minutes_per_day {
                    let taken = outlook.spent.seconds + outlook.spent.reserved_seconds;
                    prop_assert!(taken + u64::from(time_limit_s) <= u64::from(minutes) * 60);
                }
                if let Some(money) = &rules.money_per_day {
                    let minutes = u128::from(time_limit_s.div_ceil(60));
                    let cost = minutes * u128::from(price.unwrap());
                    let spent = outlook.spent.micros.unwrap() + outlook.spent.reserved_micros;
                    prop_assert!(cost == 0 || u128::from(spent) + cost <= u128::from(money.micros));
                }
            }
        }
        prop_assert!(time_limit_s <= rules.time_limit_s);
        prop_assert!(outlook.calls_under_way < rules.most_calls);
        prop_assert!(caller_id.is_none_or(|shown| outlook.usable_caller_ids.contains(&shown)));
    }

    #[test]
    fn an_answer_settles_the_question(to in any_destination(), price in any_price(), rules in any_rules(), outlook in any_outlook()) {
        let outlook = priced(outlook, &to, price);
        let asked = judge(&to, &rules, &Outlook { confirmed: false, ..outlook.clone() });
        let answered = judge(&to, &rules, &Outlook { confirmed: true, ..outlook });
        prop_assert!(!matches!(answered, Verdict::Ask(_)));
        match asked {
            Verdict::Ask(_) => prop_assert!(is_allowed(&answered)),
            Verdict::Allowed { .. } | Verdict::Refused(_) => prop_assert_eq!(asked, answered),
        }
    }

    #[test]
    fn rules_without_problems_leave_calls_possible(rules in any_rules()) {
        let rules = OutgoingRules { most_calls: rules.most_calls, time_limit_s: rules.time_limit_s, ..OutgoingRules::default() };
        if problems(&rules).is_empty() {
            prop_assert!(is_allowed(&judge(&to("+12025550123"), &rules, &outlook())));
        }
    }
}
