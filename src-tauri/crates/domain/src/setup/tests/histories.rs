//! Whatever happened before, planning again ends where it should.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::model::{
    Computer, EVERYTHING, Twilio, app_sid, key_sid, number_sid, owned, to_app, to_trunk, to_url,
};
use crate::account::NumberRouting;
use crate::setup::{Step, Undo};
use crate::sid::PhoneNumberSid;

const NUMBERS: u8 = 4;
const STRENGTH: usize = 60;

/// Something that happens to one computer.
#[derive(Debug, Clone)]
enum Happening {
    /// It plans for these numbers and is killed when its strength is used up.
    SetUp { ring: Vec<u8>, url: Option<u8>, strength: usize },
    /// It disconnects and is killed likewise.
    Disconnect { undo: Undo, strength: usize },
    /// Twilio makes its app, and the answer is lost.
    LoseAnswer,
    /// Its vault is emptied.
    LoseSecret,
    /// Its key is deleted in the Console.
    Revoke,
    /// Its app is deleted in the Console.
    DeleteApp,
    /// Settings of a number that no app has to do with are changed in the Console.
    Touch { number: u8, setting: u8 },
    /// Calls to a number are sent elsewhere in the Console.
    Reroute { number: u8, routing: NumberRouting },
}

fn ring() -> impl Strategy<Value = Vec<u8>> {
    subsequence((0..NUMBERS).collect::<Vec<_>>(), 0..=usize::from(NUMBERS))
}

fn routing() -> impl Strategy<Value = NumberRouting> {
    prop_oneof![
        Just(NumberRouting::default()),
        Just(to_url("https://old.example/voice?a=1")),
        Just(to_app(&app_sid(201))),
        Just(to_trunk()),
    ]
}

fn undo() -> impl Strategy<Value = Undo> {
    (any::<bool>(), any::<bool>()).prop_map(|(delete_app, delete_key)| Undo { delete_app, delete_key })
}

fn own_doing() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (ring(), proptest::option::of(0..3u8), 0..STRENGTH)
            .prop_map(|(ring, url, strength)| Happening::SetUp { ring, url, strength }),
        2 => (undo(), 0..STRENGTH).prop_map(|(undo, strength)| Happening::Disconnect { undo, strength }),
        1 => Just(Happening::LoseAnswer),
        1 => Just(Happening::LoseSecret),
        1 => Just(Happening::Revoke),
    ]
}

fn touch() -> impl Strategy<Value = Happening> {
    (0..NUMBERS, any::<u8>()).prop_map(|(number, setting)| Happening::Touch { number, setting })
}

fn anything() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => own_doing(),
        1 => Just(Happening::DeleteApp),
        1 => touch(),
        1 => (0..NUMBERS, routing()).prop_map(|(number, routing)| Happening::Reroute { number, routing }),
    ]
}

fn account() -> impl Strategy<Value = Twilio> {
    proptest::collection::vec(routing(), usize::from(NUMBERS)).prop_map(|routings| {
        Twilio::with((0..NUMBERS).zip(routings).map(|(n, routing)| owned(n, routing)).collect())
    })
}

fn address(url: Option<u8>) -> Option<String> {
    url.map(|n| format!("https://phone{n}.example"))
}

fn happen(twilio: &mut Twilio, computer: &mut Computer, happening: &Happening) {
    let name = computer.installation.resource_name();
    match happening {
        Happening::SetUp { ring, url, strength } => {
            let wanted = computer.wanted(ring, address(*url).as_deref());
            let steps = computer.plan(twilio, &wanted);
            computer.run(twilio, &steps, *strength);
        }
        Happening::Disconnect { undo, strength } => {
            let steps = computer.plan_undo(twilio, *undo);
            if computer.run(twilio, &steps, *strength) {
                // The account is forgotten, with all that was kept about it.
                *computer = Computer::new(&computer.installation.id);
            }
        }
        Happening::LoseAnswer => {
            let settings = computer.wanted(&[], None).app;
            computer.touch(twilio, &Step::CreateApp { settings });
        }
        Happening::LoseSecret => computer.secrets.clear(),
        Happening::Revoke => twilio.found.keys.retain(|key| key.friendly_name != name),
        Happening::DeleteApp => {
            let own = twilio.found.apps.iter().filter(|app| app.settings.friendly_name == name);
            for sid in own.map(|app| app.sid.clone()).collect::<Vec<_>>() {
                twilio.delete_app(&sid);
            }
        }
        Happening::Touch { number, setting } => {
            let routing = NumberRouting {
                status_callback: Some(format!("https://status{setting}.example")),
                voice_caller_id_lookup: Some(true),
                ..twilio.routing(*number).clone()
            };
            twilio.route(&number_sid(*number), routing);
        }
        Happening::Reroute { number, routing } => twilio.route(&number_sid(*number), routing.clone()),
    }
}

/// That the phone works as chosen, and nothing of ours lies about.
fn assert_set_up(twilio: &Twilio, computer: &Computer, ring: &[u8], url: Option<&str>) {
    let name = computer.installation.resource_name();
    let apps: Vec<_> = twilio.found.apps.iter().filter(|app| app.settings.friendly_name == name).collect();
    let [app] = apps.as_slice() else { panic!("one app, not {apps:?}") };
    assert_eq!(computer.record.app.as_ref(), Some(&app.sid));
    if url.is_some() {
        assert_eq!(app.settings, computer.wanted(ring, url).app);
    }
    let keys: Vec<_> = twilio.found.keys.iter().filter(|key| key.friendly_name == name).collect();
    let [key] = keys.as_slice() else { panic!("one key, not {keys:?}") };
    assert_eq!(computer.record.key.as_ref(), Some(&key.sid));
    assert!(computer.has_secret(), "the secret of the key in use is kept");
    assert!(computer.record.key_is_ours);
    for n in 0..NUMBERS {
        let here = twilio.routing(n).voice_application_sid.as_deref() == Some(app.sid.as_str());
        assert_eq!(here, ring.contains(&n), "number {n}");
        let recorded = computer.record.numbers.iter().any(|bound| bound.sid == number_sid(n));
        assert_eq!(recorded, ring.contains(&n), "number {n} in the record");
    }
}

proptest! {
    #[test]
    fn planning_again_ends_in_what_is_wanted(
        mut twilio in account(),
        history in proptest::collection::vec(anything(), 0..8),
        chosen in ring(),
        url in proptest::option::of(0..3u8),
    ) {
        let mut computer = Computer::new("aaaaaaaa");
        for happening in &history {
            happen(&mut twilio, &mut computer, happening);
        }
        let url = address(url);
        let wanted = computer.wanted(&chosen, url.as_deref());
        computer.set_up(&mut twilio, &wanted);
        assert_set_up(&twilio, &computer, &chosen, url.as_deref());
        prop_assert!(twilio.found.keys.iter().any(|key| key.sid == key_sid(200)), "other keys are left alone");
        prop_assert!(twilio.found.apps.iter().any(|app| app.sid == app_sid(201)), "other apps are left alone");
    }

    #[test]
    fn killed_at_every_moment_it_ends_in_what_is_wanted_and_can_be_undone(
        twilio in account(),
        earlier in ring(),
        chosen in ring(),
    ) {
        let original = twilio.found.clone();
        let mut before = (twilio, Computer::new("aaaaaaaa"));
        let wanted = before.1.wanted(&earlier, Some("https://earlier.example"));
        before.1.set_up(&mut before.0, &wanted);
        let wanted = before.1.wanted(&chosen, Some("https://phone.example"));
        for strength in 0..STRENGTH {
            let (mut twilio, mut computer) = before.clone();
            let steps = computer.plan(&twilio, &wanted);
            let done = computer.run(&mut twilio, &steps, strength);
            for killed_again in [usize::MAX, strength / 2] {
                let (mut twilio, mut computer) = (twilio.clone(), computer.clone());
                let steps = computer.plan_undo(&twilio, EVERYTHING);
                computer.run(&mut twilio, &steps, killed_again);
                computer.disconnect(&mut twilio, EVERYTHING);
                prop_assert_eq!(&twilio.found, &original);
            }
            computer.set_up(&mut twilio, &wanted);
            assert_set_up(&twilio, &computer, &chosen, Some("https://phone.example"));
            if done {
                break;
            }
        }
    }

    #[test]
    fn disconnecting_gives_back_the_very_numbers_there_were(
        mut twilio in account(),
        history in proptest::collection::vec(
            prop_oneof![5 => own_doing(), 1 => Just(Happening::DeleteApp)], 0..8),
    ) {
        let original = twilio.found.clone();
        let mut computer = Computer::new("aaaaaaaa");
        for happening in &history {
            happen(&mut twilio, &mut computer, happening);
        }
        computer.disconnect(&mut twilio, EVERYTHING);
        prop_assert_eq!(twilio.found, original);
    }

    #[test]
    fn disconnecting_puts_back_app_and_trunk_and_leaves_what_was_changed_beside_them(
        mut twilio in account(),
        history in proptest::collection::vec(
            prop_oneof![5 => own_doing(), 1 => Just(Happening::DeleteApp), 2 => touch()], 0..10),
    ) {
        let original = twilio.clone();
        let mut computer = Computer::new("aaaaaaaa");
        let mut expected = original.clone();
        for happening in &history {
            happen(&mut twilio, &mut computer, happening);
            if let Happening::Touch { .. } = happening {
                happen(&mut expected, &mut Computer::new("bbbbbbbb"), happening);
            }
        }
        computer.disconnect(&mut twilio, EVERYTHING);
        prop_assert_eq!(twilio.found, expected.found);
    }

    #[test]
    fn two_computers_never_touch_what_is_the_others(
        mut twilio in account(),
        history in proptest::collection::vec((any::<bool>(), own_doing()), 0..12),
        // The first two numbers are for the one to choose, the others for the other.
        last in any::<bool>(),
    ) {
        let original = twilio.found.clone();
        let mut computers = [Computer::new("aaaaaaaa"), Computer::new("bbbbbbbb")];
        for (which, happening) in &history {
            let which = usize::from(*which);
            let other = 1 - which;
            let mine = |n: &u8| usize::from(*n >= NUMBERS / 2) == which;
            let mut happening = happening.clone();
            if let Happening::SetUp { ring, .. } = &mut happening {
                ring.retain(mine);
            }
            let belongings = belongings(&twilio, &computers[other], other);
            happen(&mut twilio, &mut computers[which], &happening);
            prop_assert_eq!(belongings, self::belongings(&twilio, &computers[other], other));
        }
        let first = usize::from(last);
        computers[first].disconnect(&mut twilio, EVERYTHING);
        computers[1 - first].disconnect(&mut twilio, EVERYTHING);
        prop_assert_eq!(twilio.found, original);
    }
}

/// Whether a number says what it said, or that without the app or the trunk it had.
fn is_put_back(now: &NumberRouting, original: &NumberRouting) -> bool {
    let without_empty = |routing: &NumberRouting| NumberRouting {
        voice_application_sid: routing.voice_application_sid.clone().filter(|app| !app.is_empty()),
        trunk_sid: routing.trunk_sid.clone().filter(|trunk| !trunk.is_empty()),
        ..routing.clone()
    };
    let (now, original) = (without_empty(now), without_empty(original));
    let beneath = NumberRouting { voice_application_sid: None, trunk_sid: None, ..original.clone() };
    now == original || now == beneath
}

proptest! {
    #[test]
    fn a_number_that_two_computers_took_in_turn_leads_to_neither_in_the_end_and_its_original_was_kept_or_told(
        mut twilio in account(),
        history in proptest::collection::vec((any::<bool>(), own_doing()), 0..14),
        last in any::<bool>(),
    ) {
        let original = twilio.clone();
        let mut computers = [Computer::new("aaaaaaaa"), Computer::new("bbbbbbbb")];
        // What each computer said that a number did before, when it struck it off its record.
        let mut told: Vec<(PhoneNumberSid, NumberRouting)> = Vec::new();
        let ends = [usize::from(last), 1 - usize::from(last)];
        let undo = Happening::Disconnect { undo: EVERYTHING, strength: usize::MAX };
        let ending = ends.map(|which| (which, undo.clone()));
        let history = history.into_iter().map(|(which, happening)| (usize::from(which), happening));
        for (which, happening) in history.chain(ending) {
            let kept = computers[which].record.numbers.clone();
            happen(&mut twilio, &mut computers[which], &happening);
            let now = &computers[which].record.numbers;
            let struck = kept.into_iter().filter(|bound| now.iter().all(|still| still.sid != bound.sid));
            told.extend(struck.map(|bound| (bound.sid, bound.before)));
        }
        prop_assert_eq!(&twilio.found.apps, &original.found.apps);
        prop_assert_eq!(&twilio.found.keys, &original.found.keys);
        for (n, before) in (0..NUMBERS).zip(&original.found.numbers) {
            let now = twilio.routing(n);
            prop_assert!(is_put_back(now, &before.routing), "number {n}: {now:?}");
            let same = *now == before.routing;
            let was_told = told.iter().any(|(sid, was)| *sid == before.sid && *was == before.routing);
            prop_assert!(same || was_told, "number {n} says {now:?}, and nobody said {:?}", before.routing);
        }
    }
}

/// All that is one computer's at Twilio, and the numbers it may choose.
fn belongings(twilio: &Twilio, computer: &Computer, which: usize) -> Twilio {
    let name = computer.installation.resource_name();
    let mut own = twilio.found.clone();
    own.keys.retain(|key| key.friendly_name == name);
    own.apps.retain(|app| app.settings.friendly_name == name);
    let half = usize::from(NUMBERS / 2);
    own.numbers = own.numbers.into_iter().skip(which * half).take(half).collect();
    let mut belongings = Twilio::default();
    belongings.found = own;
    belongings
}
