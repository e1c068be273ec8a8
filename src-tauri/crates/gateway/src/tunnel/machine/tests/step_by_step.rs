//! One rule after the other.

use std::time::Duration;

use super::{BEGAN_MS, Bench, because, fixed, known, missed, quick, url};
use crate::tunnel::TunnelState;
use crate::tunnel::machine::failing::backoff;
use crate::tunnel::machine::{Action, Event, Outcome};
use crate::tunnel::provider::{Finding, Report};

/// A tunnel with a program and a known address that is up.
pub(super) fn up() -> Bench {
    let mut bench = Bench::new(known());
    assert_eq!(bench.take(), [Action::Launch]);
    bench.tell(Event::Said(Finding::Connected));
    bench.look(Outcome::Proven);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    bench.take();
    bench
}

/// A tunnel with a learnt address that is up.
fn quick_up() -> Bench {
    let mut bench = Bench::new(quick());
    bench.take();
    bench.tell(Event::Asked(1, Report::Connected { address: Some(url("a")) }));
    bench.pass_s(1);
    bench.look(Outcome::Proven);
    bench.take();
    bench
}

/// Fails the attempt under way by the program's end.
pub(super) fn end(bench: &mut Bench) {
    bench.tell(Event::Ended(because("ended")));
}

#[test]
fn a_fixed_address_is_up_once_proven() {
    let mut bench = Bench::new(fixed());
    assert_eq!(*bench.state(), TunnelState::Verifying { url: url("own") });
    assert_eq!(bench.actions, [Action::Look(1, url("own"))]);
    bench.look(Outcome::Proven);
    assert_eq!(*bench.state(), TunnelState::Up { url: url("own"), since_ms: BEGAN_MS });
    assert!(bench.take().is_empty());
    bench.pass_s(14);
    assert!(bench.take().is_empty());
    bench.pass_s(1);
    assert_eq!(bench.take(), [Action::Look(2, url("own"))]);
}

#[test]
fn a_learnt_address_waits_for_the_connection_and_a_second_more() {
    let mut bench = Bench::new(quick());
    assert_eq!(bench.take(), [Action::Launch]);
    bench.pass(Duration::from_millis(500));
    assert_eq!(bench.take(), [Action::Ask(1)]);
    bench.tell(Event::Asked(1, Report::Reconnecting { address: Some(url("a")) }));
    assert_eq!(*bench.state(), TunnelState::Starting);
    bench.pass(Duration::from_millis(500));
    bench.tell(Event::Asked(1, Report::Connected { address: Some(url("a")) }));
    assert_eq!(*bench.state(), TunnelState::Verifying { url: url("a") });
    assert_eq!(bench.take(), [Action::Ask(1)]);
    bench.pass_s(1);
    assert_eq!(bench.take(), [Action::Look(1, url("a"))]);
}

#[test]
fn an_address_in_the_output_alone_is_taken_after_a_while() {
    let mut bench = Bench::new(quick());
    bench.tell(Event::Said(Finding::Address(url("a"))));
    bench.pass(Duration::from_millis(1_900));
    assert_eq!(*bench.state(), TunnelState::Starting);
    bench.pass(Duration::from_millis(100));
    assert_eq!(*bench.state(), TunnelState::Verifying { url: url("a") });
}

#[test]
fn proving_is_tried_at_1_2_4_seconds_and_until_the_deadline() {
    let mut bench = Bench::new(quick());
    bench.take();
    bench.tell(Event::Said(Finding::Address(url("a"))));
    bench.tell(Event::Said(Finding::Connected));
    let mut at = Vec::new();
    while matches!(bench.state(), TunnelState::Verifying { .. }) {
        bench.pass(bench.machine.next_tick().unwrap() - bench.elapsed);
        at.push(bench.elapsed.as_secs());
        bench.look(missed());
    }
    assert_eq!(at, [1, 3, 7, 11, 15, 19, 23, 27, 31]);
    assert_eq!(bench.reason(), "missed");
    assert_eq!(bench.take(), [Action::End]);
}

#[test]
fn a_program_that_gets_nowhere_is_ended_after_30_seconds() {
    let mut bench = Bench::new(quick());
    bench.take();
    bench.pass_s(29);
    assert_eq!(*bench.state(), TunnelState::Starting);
    bench.pass_s(1);
    assert!(bench.take().contains(&Action::End));
    assert!(bench.reason().contains("within 30 seconds"));
    // What the program complained about tells more than the time.
    end(&mut bench);
    bench.pass_s(1);
    bench.tell(Event::Said(Finding::Trouble(because("no route"))));
    bench.pass_s(30);
    assert_eq!(bench.reason(), "no route");
}

#[test]
fn two_misses_are_told_and_the_third_restarts() {
    let mut bench = up();
    bench.pass_s(15);
    bench.look(missed());
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    bench.pass_s(5);
    bench.look(missed());
    assert!(matches!(bench.state(), TunnelState::Degraded { .. }));
    bench.pass_s(5);
    bench.look(missed());
    assert!(matches!(bench.state(), TunnelState::Backoff { failures: 1, .. }));
    assert_eq!(bench.take(), [Action::End]);
    // The new program waits for the old one to be gone.
    bench.pass_s(2);
    assert!(bench.take().is_empty());
    end(&mut bench);
    assert_eq!(bench.take(), [Action::Launch]);
}

#[test]
fn a_program_that_does_not_end_is_left_behind() {
    let mut bench = up();
    for _ in 0..3 {
        bench.pass_s(15);
        bench.look(missed());
    }
    bench.pass_s(5);
    assert_eq!(bench.take(), [Action::End, Action::Abandon, Action::Launch]);
}

#[test]
fn a_look_that_succeeds_heals() {
    let mut bench = up();
    for _ in 0..2 {
        bench.pass_s(15);
        bench.look(missed());
    }
    bench.pass_s(5);
    bench.look(Outcome::Proven);
    let now_ms = BEGAN_MS + i64::try_from(bench.elapsed.as_millis()).unwrap();
    assert_eq!(*bench.state(), TunnelState::Up { url: url("own"), since_ms: now_ms });
}

#[test]
fn a_dead_server_and_a_dead_network_are_not_the_tunnels_fault() {
    for outcome in [Outcome::NoServer(because("server")), Outcome::Offline(because("offline"))] {
        let mut bench = up();
        for _ in 0..20 {
            bench.pass_s(15);
            bench.look(outcome.clone());
            assert!(matches!(bench.state(), TunnelState::Degraded { .. }));
        }
        assert!(bench.take().is_empty(), "nothing is restarted");
        bench.pass_s(5);
        bench.look(Outcome::Proven);
        assert!(matches!(bench.state(), TunnelState::Up { .. }));
    }
}

#[test]
fn offline_by_hint_keeps_the_address_for_ten_minutes() {
    let mut bench = up();
    bench.tell(Event::Offline(true));
    bench.pass_s(15);
    let began = bench.elapsed;
    while !bench.actions.contains(&Action::End) {
        bench.look(missed());
        bench.pass_s(5);
    }
    assert!(bench.elapsed - began >= Duration::from_secs(600));
}

#[test]
fn a_program_that_reconnects_gets_45_seconds() {
    let mut bench = quick_up();
    bench.tell(Event::Asked(1, Report::Reconnecting { address: None }));
    let began = bench.elapsed;
    while !bench.actions.contains(&Action::End) {
        bench.look(missed());
        if !bench.actions.contains(&Action::End) {
            assert!(matches!(bench.state(), TunnelState::Degraded { .. }));
        }
        bench.pass_s(5);
    }
    assert_eq!((bench.elapsed - began).as_secs(), 50);
}

#[test]
fn a_program_that_reconnected_is_looked_at_at_once() {
    let mut bench = quick_up();
    bench.tell(Event::Asked(1, Report::Reconnecting { address: None }));
    bench.look(missed());
    bench.tell(Event::Asked(1, Report::Connected { address: Some(url("a")) }));
    bench.look(Outcome::Proven);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
}

#[test]
fn a_silent_interface_is_worth_a_look() {
    let mut bench = quick_up();
    bench.tell(Event::Asked(1, Report::Silent));
    assert!(bench.take().is_empty());
    bench.tell(Event::Asked(1, Report::Silent));
    assert!(matches!(bench.take()[..], [Action::Look(..)]));
}

#[test]
fn a_new_address_of_a_running_program_is_proven_first() {
    let mut bench = quick_up();
    // The output may carry what strangers sent; the interface cannot.
    bench.tell(Event::Said(Finding::Address(url("b"))));
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    bench.tell(Event::Asked(1, Report::Connected { address: Some(url("b")) }));
    assert_eq!(*bench.state(), TunnelState::Verifying { url: url("b") });
}

#[test]
fn what_an_earlier_program_answered_counts_for_nothing() {
    let mut bench = Bench::new(quick());
    end(&mut bench);
    bench.pass_s(1);
    bench.tell(Event::Asked(1, Report::Connected { address: Some(url("old")) }));
    assert_eq!(*bench.state(), TunnelState::Starting);
    bench.tell(Event::Asked(2, Report::Connected { address: Some(url("new")) }));
    assert_eq!(*bench.state(), TunnelState::Verifying { url: url("new") });
}

#[test]
fn five_failures_in_ten_minutes_open_the_breaker_for_ten() {
    let mut bench = Bench::new(known());
    for failures in 1..5 {
        bench.pass_s(3);
        bench.tell(Event::Ended(because("ended")));
        assert!(matches!(bench.state(), TunnelState::Backoff { failures: n, .. } if *n == failures));
        bench.pass_s(60);
    }
    bench.pass_s(3);
    end(&mut bench);
    assert!(matches!(bench.state(), TunnelState::Open { .. }));
    bench.take();
    bench.pass_s(599);
    assert!(bench.take().is_empty());
    bench.pass_s(1);
    assert_eq!(bench.take(), [Action::Launch]);
    // One attempt is all it gets.
    bench.pass_s(3);
    end(&mut bench);
    assert!(matches!(bench.state(), TunnelState::Open { .. }));
    bench.tell(Event::NetworkChanged);
    assert!(bench.take().contains(&Action::Launch));
    bench.tell(Event::Said(Finding::Connected));
    bench.look(Outcome::Proven);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
}

#[test]
fn two_minutes_of_work_forgive_earlier_failures() {
    let mut bench = Bench::new(known());
    for _ in 0..20 {
        bench.pass(Duration::from_millis(10));
        bench.tell(Event::Said(Finding::Connected));
        bench.look(Outcome::Proven);
        for _ in 0..8 {
            bench.pass_s(15);
            bench.look(Outcome::Proven);
        }
        end(&mut bench);
        assert!(matches!(bench.state(), TunnelState::Backoff { failures: 1, .. }));
        bench.pass_s(1);
    }
}

#[test]
fn three_programs_that_end_at_once_are_enough() {
    let mut bench = Bench::new(known());
    for _ in 0..3 {
        assert!(!matches!(bench.state(), TunnelState::Open { .. }));
        bench.pass_s(1);
        end(&mut bench);
        if let TunnelState::Backoff { .. } = bench.state() {
            bench.pass(bench.machine.next_tick().unwrap() - bench.elapsed);
        }
    }
    assert!(matches!(bench.state(), TunnelState::Open { .. }));
}

#[test]
fn what_no_repetition_cures_waits_for_the_agent() {
    let mut bench = Bench::new(known());
    bench.take();
    bench.tell(Event::Said(Finding::Permanent(because("bad token"))));
    assert_eq!(bench.reason(), "bad token");
    assert_eq!(bench.take(), [Action::End]);
    end(&mut bench);
    bench.pass_s(36_000);
    assert!(bench.take().is_empty());
    bench.tell(Event::Retry);
    assert_eq!(bench.take(), [Action::Launch]);
    bench.tell(Event::NotStarted(because("missing")));
    assert_eq!(bench.reason(), "missing");
}

#[test]
fn while_up_a_permanent_reason_is_believed_only_with_a_miss() {
    let mut bench = up();
    bench.tell(Event::Said(Finding::Permanent(because("revoked"))));
    bench.look(Outcome::Proven);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    bench.tell(Event::Said(Finding::Permanent(because("revoked"))));
    bench.look(missed());
    assert_eq!(bench.reason(), "revoked");
}

#[test]
fn a_click_forgives_earlier_failures() {
    let mut bench = Bench::new(known());
    for failures in 0..20 {
        assert!(matches!(bench.state(), TunnelState::Starting), "after {failures} failures");
        bench.tell(Event::Retry);
        end(&mut bench);
        bench.pass_s(1);
    }
}

#[test]
fn a_complaint_is_forgotten_when_all_is_well_again() {
    let mut bench = up();
    bench.tell(Event::Said(Finding::Trouble(because("long ago"))));
    bench.pass_s(15);
    bench.look(Outcome::Proven);
    end(&mut bench);
    assert_eq!(bench.reason(), "ended");
    let mut bench = up();
    bench.tell(Event::Said(Finding::Trouble(because("the cause"))));
    bench.tell(Event::Said(Finding::Trouble(because("what came of it"))));
    end(&mut bench);
    assert_eq!(bench.reason(), "the cause");
}

#[test]
fn a_click_tries_now() {
    let mut bench = Bench::new(known());
    for _ in 0..4 {
        bench.pass_s(3);
        end(&mut bench);
        bench.take();
        bench.tell(Event::Retry);
        assert_eq!(bench.take(), [Action::Launch]);
    }
    let mut bench = up();
    for _ in 0..2 {
        bench.pass_s(15);
        bench.look(missed());
    }
    bench.tell(Event::Retry);
    assert_eq!(bench.take(), [Action::End]);
    end(&mut bench);
    assert_eq!(bench.take(), [Action::Launch]);
}

#[test]
fn a_network_that_comes_and_goes_starts_little() {
    let mut bench = Bench::new(known());
    bench.take();
    for _ in 0..300 {
        bench.tell(Event::Ended(because("ended")));
        bench.tell(Event::NetworkChanged);
        bench.pass_s(1);
    }
    let launches = bench.take().iter().filter(|action| **action == Action::Launch).count();
    assert!(launches <= 20, "{launches} starts in five minutes");
}

#[test]
fn a_call_shortens_the_interval_and_a_webhook_puts_the_look_off() {
    let mut bench = up();
    bench.tell(Event::InCall(true));
    bench.pass_s(5);
    bench.look(Outcome::Proven);
    bench.tell(Event::InCall(false));
    bench.pass_s(4);
    bench.tell(Event::WebhookSeen);
    bench.pass_s(14);
    assert!(bench.take().is_empty());
    bench.pass_s(1);
    assert!(matches!(bench.take()[..], [Action::Look(..)]));
}

#[test]
fn a_webhook_heals_but_proves_no_new_address() {
    let mut bench = up();
    for _ in 0..2 {
        bench.pass_s(15);
        bench.look(missed());
    }
    bench.tell(Event::WebhookSeen);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    let mut bench = Bench::new(fixed());
    bench.tell(Event::WebhookSeen);
    assert!(matches!(bench.state(), TunnelState::Verifying { .. }));
}

#[test]
fn a_fixed_address_is_tried_for_ever() {
    let mut bench = Bench::new(fixed());
    for _ in 0..200 {
        if bench.actions.iter().any(|action| matches!(action, Action::Look(..))) {
            bench.look(missed());
        }
        assert!(!matches!(bench.state(), TunnelState::Open { .. }));
        bench.pass_s(10);
    }
    while !bench.actions.iter().any(|action| matches!(action, Action::Look(..))) {
        bench.pass_s(1);
    }
    bench.look(Outcome::Proven);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
}

#[test]
fn the_pause_doubles_up_to_the_cap_and_is_spread() {
    let pace = quick().pace;
    let seconds = |failures, chance| backoff(&pace, failures, chance).as_secs_f64();
    assert_eq!(
        [1, 2, 3, 6, 7, 100].map(|failures| seconds(failures, 1.0)),
        [1.0, 2.0, 4.0, 32.0, 60.0, 60.0]
    );
    assert_eq!(seconds(3, 0.25), 1.0);
    assert_eq!(seconds(3, 0.0), 0.0);
}
