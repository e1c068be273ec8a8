//! The rules one by one.

use super::model::{
    Computer, EVERYTHING, Twilio, app, app_sid, key, key_sid, number_sid, owned, to_app, to_trunk, to_url,
};
use crate::account::{AppSettings, NumberRouting};
use crate::setup::{
    BoundNumber, Destination, FRIENDLY_NAME_MAX, Installation, Step, Undo, destination, left_over, plan, undo,
};

const URL: Option<&str> = Some("https://phone.example");

fn computer() -> Computer {
    Computer::new("aaaaaaaa")
}

/// A computer that is set up for number 1 of an account with numbers 1 and 2.
fn set_up() -> (Twilio, Computer) {
    let mut twilio = Twilio::with(vec![owned(1, to_url("https://one.example")), owned(2, to_trunk())]);
    let mut computer = computer();
    let wanted = computer.wanted(&[1], URL);
    computer.set_up(&mut twilio, &wanted);
    (twilio, computer)
}

fn bound(n: u8, before: NumberRouting) -> BoundNumber {
    let owned = owned(n, NumberRouting::default());
    BoundNumber { sid: owned.sid, number: owned.number, before }
}

#[test]
fn the_first_time_makes_a_key_and_an_app_and_then_points_the_number_at_it() {
    let twilio = Twilio::with(vec![owned(1, to_trunk()), owned(2, to_url("https://two.example"))]);
    let computer = computer();
    let wanted = computer.wanted(&[1], URL);
    let number = owned(1, to_trunk());
    assert_eq!(
        computer.plan(&twilio, &wanted),
        [
            Step::CreateKey { friendly_name: "Kennex Dialer on test (aaaaaaaa)".into() },
            Step::CreateApp { settings: wanted.app.clone() },
            Step::BindNumber { sid: number.sid, number: number.number, before: to_trunk() },
        ]
    );
}

#[test]
fn a_key_whose_secret_was_lost_is_replaced_and_one_of_the_agents_is_never_deleted() {
    let (mut twilio, mut computer) = set_up();
    let wanted = computer.wanted(&[1], URL);
    let old = computer.record.key.clone().unwrap();
    let name = computer.installation.resource_name();
    let create = Step::CreateKey { friendly_name: name.clone() };
    computer.secrets.clear();
    assert_eq!(computer.plan(&twilio, &wanted), [Step::DeleteLostKey { sid: old.clone() }, create.clone()]);

    twilio.found.keys.retain(|key| key.sid != old);
    computer.secrets.insert(old);
    assert_eq!(computer.plan(&twilio, &wanted), std::slice::from_ref(&create), "a revoked key");

    twilio.found.keys.push(key(50, "made by hand"));
    computer.record.key = Some(key_sid(50));
    computer.record.key_is_ours = false;
    computer.secrets.insert(key_sid(50));
    assert_eq!(computer.plan(&twilio, &wanted), []);
    assert_eq!(
        undo(&twilio.found, &computer.record, EVERYTHING).last(),
        Some(&Step::DeleteApp { sid: app_sid(2) })
    );
    computer.secrets.clear();
    assert_eq!(computer.plan(&twilio, &wanted), [create]);

    twilio.found.keys.push(key(51, &name));
    computer.secrets.insert(key_sid(50));
    assert_eq!(computer.plan(&twilio, &wanted), [Step::DeleteLostKey { sid: key_sid(51) }]);
}

#[test]
fn a_new_secret_is_never_taken_for_that_of_the_agents_key() {
    let (mut twilio, mut computer) = set_up();
    twilio.found.keys = vec![key(50, "made by hand")];
    computer.record.key = Some(key_sid(50));
    computer.record.key_is_ours = false;
    computer.secrets.clear();
    let wanted = computer.wanted(&[1], URL);
    let steps = computer.plan(&twilio, &wanted);
    // Killed when the new secret is in the vault and the record does not say so yet.
    assert!(!computer.run(&mut twilio, &steps, 3));
    assert!(!computer.secrets.is_empty() && !computer.secrets.contains(&key_sid(50)));
    assert_eq!(computer.record.key, None);
    assert!(!computer.has_secret());
}

#[test]
fn the_app_is_compared_field_by_field_and_unknown_addresses_leave_it_as_it_is() {
    let (mut twilio, computer) = set_up();
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[1], URL)), []);
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[1], None)), [], "no address is known just now");

    let moved = computer.wanted(&[1], Some("https://moved.example"));
    let step = Step::UpdateApp { sid: app_sid(2), settings: moved.app.clone() };
    assert_eq!(computer.plan(&twilio, &moved), [step]);

    let mut with_fallback = computer.wanted(&[1], URL);
    with_fallback.app.voice_fallback_url = Some(String::new());
    assert_eq!(computer.plan(&twilio, &with_fallback), [], "none is wanted and there is none");
    with_fallback.app.voice_fallback_url = Some("https://handler.example/bin".into());
    assert_eq!(
        computer.plan(&twilio, &with_fallback),
        [Step::UpdateApp { sid: app_sid(2), settings: with_fallback.app.clone() }]
    );
    let settings = |twilio: &mut Twilio, url: &str| {
        let app = twilio.found.apps.iter_mut().find(|app| app.sid == app_sid(2)).unwrap();
        app.settings.voice_fallback_url = Some(url.into());
    };
    settings(&mut twilio, "https://handler.example/bin");
    assert_eq!(computer.plan(&twilio, &with_fallback), []);
    with_fallback.app.voice_fallback_url = Some(String::new());
    assert_eq!(computer.plan(&twilio, &with_fallback).len(), 1, "none is wanted any more");

    // One that was set by hand stays, even when the app has to say something else.
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[1], URL)), [], "nothing was chosen");
    let kept = Some("https://handler.example/bin".to_owned());
    let settings = AppSettings { voice_fallback_url: kept, ..moved.app.clone() };
    let step = Step::UpdateApp { sid: app_sid(2), settings };
    assert_eq!(computer.plan(&twilio, &moved), [step]);
}

#[test]
fn an_app_made_just_before_a_crash_is_taken_and_corrected() {
    let (mut twilio, mut computer) = set_up();
    computer.record.app = None;
    let wanted = computer.wanted(&[1], Some("https://moved.example"));
    assert_eq!(
        computer.plan(&twilio, &wanted),
        [
            Step::AdoptApp { sid: app_sid(2) },
            Step::UpdateApp { sid: app_sid(2), settings: wanted.app.clone() },
        ]
    );
    twilio.found.apps.retain(|app| app.sid != app_sid(2));
    twilio.found.apps.push(app(60, "Kennex Dialer on test (bbbbbbbb)"));
    assert_eq!(
        computer.plan(&twilio, &wanted)[0],
        Step::CreateApp { settings: wanted.app.clone() },
        "another computer's app is none of ours"
    );
}

#[test]
fn of_several_apps_of_its_name_one_is_kept_and_numbers_leave_the_others_first() {
    let (mut twilio, mut computer) = set_up();
    let name = computer.installation.resource_name();
    for n in [60, 61] {
        twilio.found.apps.push(app(n, &name));
    }
    twilio.found.apps.push(app(62, &format!("{name} copy")));
    twilio.found.apps.push(app(63, "Kennex Dialer on test (bbbbbbbb)"));
    let delete = |n| Step::DeleteApp { sid: app_sid(n) };
    let wanted = computer.wanted(&[1], URL);
    assert_eq!(computer.plan(&twilio, &wanted), [delete(60), delete(61)], "never the record's");

    // One of them is the record's, under whatever name; one that is pointed at is left by the number.
    computer.record.app = Some(app_sid(61));
    twilio.route(&number_sid(2), to_app(&app_sid(60)));
    let steps = computer.plan(&twilio, &wanted);
    assert!(matches!(steps[1], Step::BindNumber { ref sid, .. } if *sid == number_sid(1)), "{steps:?}");
    assert!(matches!(steps[2], Step::RestoreNumber { ref sid, .. } if *sid == number_sid(2)), "{steps:?}");
    assert_eq!(steps[3..], [delete(2), delete(60)]);
    assert!(computer.run(&mut twilio, &steps, usize::MAX));
    assert_eq!(computer.plan(&twilio, &wanted), []);
    assert_eq!(computer.record.app, Some(app_sid(61)));

    // None is in the record: one of them is taken.
    computer.record.app = None;
    twilio.found.apps.push(app(64, &name));
    let steps = computer.plan(&twilio, &wanted);
    assert_eq!(steps, [Step::AdoptApp { sid: app_sid(61) }, delete(64)]);
}

#[test]
fn what_is_put_back_is_what_its_owner_made_of_it_last() {
    let (mut twilio, computer) = set_up();
    // Someone changed it in the Console meanwhile, and it is wanted here again.
    twilio.route(&number_sid(1), to_trunk());
    let number = owned(1, NumberRouting::default());
    let bind = |before| [Step::BindNumber { sid: number.sid.clone(), number: number.number.clone(), before }];
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[1], URL)), bind(to_trunk()));
    // Another computer that took it is not its owner: what lay beneath is kept.
    let mut taken = twilio.clone();
    taken.found.apps.push(app(70, "Kennex Dialer on test (bbbbbbbb)"));
    taken.route(&number_sid(1), to_app(&app_sid(70)));
    let beneath = bind(to_url("https://one.example"));
    assert_eq!(computer.plan(&taken, &computer.wanted(&[1], URL)), beneath);
    let forget = [Step::ForgetNumber { sid: number.sid, number: number.number }];
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[], URL)), forget, "and if not, it is left alone");
    let nothing = Undo { delete_app: false, delete_key: false };
    assert_eq!(undo(&twilio.found, &computer.record, nothing), forget);
}

#[test]
fn a_number_that_is_gone_is_forgotten_even_if_it_is_chosen() {
    let (mut twilio, computer) = set_up();
    twilio.found.numbers.remove(0);
    let number = owned(1, NumberRouting::default());
    assert_eq!(
        computer.plan(&twilio, &computer.wanted(&[1, 7], URL)),
        [Step::ForgetNumber { sid: number.sid, number: number.number }]
    );
}

#[test]
fn a_number_pointed_here_by_hand_is_recorded_if_chosen_and_else_let_go() {
    let (mut twilio, computer) = set_up();
    let beneath = NumberRouting { voice_application_sid: None, ..to_app(&app_sid(2)) };
    twilio.route(&number_sid(2), to_app(&app_sid(2)));
    let (sid, number) = (number_sid(2), owned(2, to_trunk()).number);
    let bind = Step::BindNumber { sid: sid.clone(), number: number.clone(), before: beneath.clone() };
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[2, 1, 2], URL)), [bind]);
    let restore = Step::RestoreNumber { sid, number, to: beneath };
    assert_eq!(computer.plan(&twilio, &computer.wanted(&[1], URL)), std::slice::from_ref(&restore));
    let steps = undo(&twilio.found, &computer.record, EVERYTHING);
    assert_eq!(
        steps[1..],
        [restore, Step::DeleteApp { sid: app_sid(2) }, Step::DeleteKey { sid: key_sid(1) }]
    );
    let keep = Undo { delete_app: false, delete_key: false };
    assert_eq!(undo(&twilio.found, &computer.record, keep).len(), 1, "an app that stays may be pointed at");
}

#[test]
fn a_trunk_takes_the_calls_even_beside_an_app() {
    let (mut twilio, computer) = set_up();
    let routing = NumberRouting { trunk_sid: Some("TK1".into()), ..to_app(&app_sid(2)) };
    twilio.route(&number_sid(1), routing.clone());
    assert!(matches!(
        computer.plan(&twilio, &computer.wanted(&[1], URL)).as_slice(),
        [Step::BindNumber { .. }]
    ));
    let shown = destination(&routing, &twilio.found.apps, &computer.installation);
    assert_eq!(shown, Destination::Trunk { sid: "TK1".into() });
}

#[test]
fn another_computers_number_is_taken_only_if_chosen_and_goes_back_to_it() {
    let (mut twilio, mut first) = set_up();
    let mut second = Computer::new("bbbbbbbb");
    let (led_to_first, wanted) = (twilio.routing(1).clone(), second.wanted(&[2], URL));
    second.set_up(&mut twilio, &wanted);
    assert_eq!(*twilio.routing(1), led_to_first);
    let wanted = second.wanted(&[1, 2], URL);
    second.set_up(&mut twilio, &wanted);
    let second_app = second.record.app.clone().unwrap();
    assert_eq!(twilio.routing(1).voice_application_sid.as_deref(), Some(second_app.as_str()));

    let mut other_way_round = (twilio.clone(), first.clone(), second.clone());
    second.disconnect(&mut twilio, EVERYTHING);
    assert_eq!(*twilio.routing(1), led_to_first);
    first.disconnect(&mut twilio, EVERYTHING);
    assert_eq!(*twilio.routing(1), to_url("https://one.example"));
    assert_eq!(*twilio.routing(2), to_trunk());

    // The first goes first: its app is no more when the second wants to put the number back.
    let (twilio, first, second) = (&mut other_way_round.0, &mut other_way_round.1, &mut other_way_round.2);
    first.disconnect(twilio, EVERYTHING);
    assert_eq!(twilio.routing(1).voice_application_sid.as_deref(), Some(second_app.as_str()));
    second.disconnect(twilio, EVERYTHING);
    assert_eq!(*twilio.routing(1), to_url("https://one.example"));
}

#[test]
fn undoing_deletes_only_what_is_asked_for_and_what_exists() {
    let (mut twilio, computer) = set_up();
    let restore = Step::RestoreNumber {
        sid: number_sid(1),
        number: owned(1, to_trunk()).number,
        to: to_url("https://one.example"),
    };
    let (delete_app, delete_key) = (Step::DeleteApp { sid: app_sid(2) }, Step::DeleteKey { sid: key_sid(1) });
    let undo = |twilio: &Twilio, delete_app, delete_key| {
        undo(&twilio.found, &computer.record, Undo { delete_app, delete_key })
    };
    assert_eq!(undo(&twilio, false, false), std::slice::from_ref(&restore));
    assert_eq!(undo(&twilio, false, true), [restore.clone(), delete_key.clone()]);
    assert_eq!(undo(&twilio, true, true), [restore.clone(), delete_app, delete_key]);
    twilio.delete_app(&app_sid(2));
    twilio.found.keys.clear();
    assert_eq!(undo(&twilio, true, true), [restore], "somebody deleted its app");
}

/// What number 2 is put back to, by undoing and by no longer being chosen.
fn released(twilio: &Twilio, computer: &Computer) -> [Vec<NumberRouting>; 2] {
    let of_two = |steps: Vec<Step>| {
        let to = steps.into_iter().filter_map(|step| {
            let Step::RestoreNumber { sid, to, .. } = step else { return None };
            (sid == number_sid(2)).then_some(to)
        });
        to.collect()
    };
    [
        of_two(computer.plan_undo(twilio, EVERYTHING)),
        of_two(computer.plan(twilio, &computer.wanted(&[1], URL))),
    ]
}

#[test]
fn a_number_whose_app_was_deleted_under_it_goes_back_on_its_trunk() {
    let (mut twilio, mut computer) = set_up();
    let wanted = computer.wanted(&[1, 2], URL);
    computer.set_up(&mut twilio, &wanted);
    twilio.delete_app(&app_sid(2));
    assert_eq!(twilio.routing(2).voice_application_sid.as_deref(), Some(""));
    assert_eq!(released(&twilio, &computer), [vec![to_trunk()], vec![to_trunk()]]);

    // Killed when the new app was made and recorded and no number pointed at it yet.
    let steps = computer.plan(&twilio, &wanted);
    assert!(matches!(steps.as_slice(), [Step::CreateApp { .. }, Step::BindNumber { .. }, ..]), "{steps:?}");
    assert!(computer.run(&mut twilio, &steps[..1], usize::MAX));
    assert_eq!(released(&twilio, &computer), [vec![to_trunk()], vec![to_trunk()]]);

    // Somebody has sent its calls elsewhere since.
    twilio.route(&number_sid(2), to_url("https://elsewhere.example"));
    assert_eq!(released(&twilio, &computer), [vec![], vec![]]);
}

#[test]
fn what_was_changed_while_a_number_rang_here_is_not_reverted() {
    let (mut twilio, mut computer) = set_up();
    let wanted = computer.wanted(&[1, 2], URL);
    computer.set_up(&mut twilio, &wanted);
    let changed = |routing: NumberRouting| NumberRouting {
        voice_url: Some("https://new.example".into()),
        voice_caller_id_lookup: Some(true),
        ..routing
    };
    let bound = twilio.routing(2).clone();
    twilio.route(&number_sid(2), changed(bound));
    let expected = changed(to_trunk());
    assert_eq!(released(&twilio, &computer), [vec![expected.clone()], vec![expected]]);
}

#[test]
fn what_a_crash_kept_out_of_the_record_is_found_by_its_name() {
    let (mut twilio, computer) = set_up();
    let name = computer.installation.resource_name();
    twilio.found.keys.push(key(70, &name));
    twilio.found.apps.push(app(71, &name));
    let found = |undo| left_over(&computer.installation, &twilio.found, &computer.record, undo);
    let (app, key) = (Step::DeleteApp { sid: app_sid(71) }, Step::DeleteLostKey { sid: key_sid(70) });
    assert_eq!(found(EVERYTHING), [app.clone(), key.clone()]);
    assert_eq!(found(Undo { delete_app: true, delete_key: false }), [app]);
    assert_eq!(found(Undo { delete_app: false, delete_key: true }), [key]);

    // Another computer has put a number back to it, after this one was disconnected and the app stayed.
    twilio.route(&number_sid(2), to_app(&app_sid(71)));
    let to = NumberRouting { voice_application_sid: None, ..to_app(&app_sid(71)) };
    let restore = Step::RestoreNumber { sid: number_sid(2), number: owned(2, to_trunk()).number, to };
    let found = left_over(&computer.installation, &twilio.found, &computer.record, EVERYTHING);
    assert_eq!(
        found,
        [restore, Step::DeleteApp { sid: app_sid(71) }, Step::DeleteLostKey { sid: key_sid(70) }]
    );
}

#[test]
fn an_original_that_pointed_at_a_deleted_app_is_not_asked_back() {
    let twilio = Twilio::with(vec![owned(1, to_app(&app_sid(201)))]);
    let mut computer = computer();
    computer.record.app = Some(app_sid(201));
    computer.record.numbers = vec![bound(1, to_app(&app_sid(99)))];
    let steps = plan(&computer.wanted(&[], URL), &twilio.found, &computer.record, true);
    let to = NumberRouting { voice_application_sid: None, ..to_app(&app_sid(99)) };
    assert!(steps.contains(&Step::RestoreNumber {
        sid: number_sid(1),
        number: bound(1, to.clone()).number,
        to
    }));
}

#[test]
fn a_number_that_was_never_pointed_here_is_only_forgotten() {
    // Killed between recording and pointing; what it said then was an app that is no more.
    let routing = to_app(&app_sid(99));
    let twilio = Twilio::with(vec![owned(1, routing.clone())]);
    let mut computer = computer();
    computer.record.numbers = vec![bound(1, routing)];
    let forget = Step::ForgetNumber { sid: number_sid(1), number: owned(1, to_trunk()).number };
    assert_eq!(undo(&twilio.found, &computer.record, EVERYTHING), [forget]);
}

#[test]
fn the_name_at_twilio_fits_and_tells_computers_apart() {
    for (computer, name) in [
        ("albert-laptop", "Kennex Dialer on albert-laptop (1a2b3c4d)"),
        ("Zoë's Büro 電脳", "Kennex Dialer on Zo's Bro (1a2b3c4d)"),
        ("電脳", "Kennex Dialer on a computer (1a2b3c4d)"),
        (&"n".repeat(300), &format!("Kennex Dialer on {} (1a2b3c4d)", "n".repeat(36))),
    ] {
        let installation = Installation { id: "1a2b3c4d".into(), computer: computer.into() };
        assert_eq!(installation.resource_name(), name);
        assert!(name.len() <= FRIENDLY_NAME_MAX);
    }
}
