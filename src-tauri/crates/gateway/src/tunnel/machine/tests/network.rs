//! What a network that goes and comes back does, and what it leaves behind at the provider.

use std::time::Duration;

use super::step_by_step::{end, up};
use super::{BEGAN_MS, Bench, because, known};
use crate::tunnel::TunnelState;
use crate::tunnel::machine::{Action, Event, Outcome};
use crate::tunnel::provider::Finding;

/// Lets programs end as soon as they begin for a time without a way out.
fn cut_off(bench: &mut Bench, time: Duration) {
    bench.way_out = false;
    let until = bench.elapsed + time;
    while bench.elapsed < until {
        if bench.take().contains(&Action::Launch) {
            end(bench);
        }
        bench.pass_s(1);
    }
    if bench.take().contains(&Action::Launch) {
        end(bench);
    }
}

#[test]
fn without_a_way_out_nothing_counts_and_the_reason_says_so() {
    let mut bench = Bench::new(known());
    cut_off(&mut bench, Duration::from_secs(1_800));
    let TunnelState::Backoff { reason, .. } = bench.state() else { panic!("{:?}", bench.state()) };
    assert!(reason.message.contains("offline"), "{}", reason.message);
    assert_eq!(reason.detail.as_deref(), Some("ended"));
    // Nothing of it is held against what comes after.
    bench.way_out = true;
    bench.pass_s(3);
    for failures in 1..5 {
        bench.pass_s(3);
        end(&mut bench);
        assert!(matches!(bench.state(), TunnelState::Backoff { failures: n, .. } if *n == failures));
        assert_eq!(bench.reason(), "ended");
        bench.pass_s(60);
    }
}

#[test]
fn it_goes_on_by_itself_seconds_after_there_is_a_way_out() {
    let mut bench = Bench::new(known());
    cut_off(&mut bench, Duration::from_secs(100));
    let TunnelState::Backoff { until_ms, .. } = bench.state() else { panic!("{:?}", bench.state()) };
    assert!(*until_ms > BEGAN_MS + 110_000, "it would be tried by now anyway");
    bench.way_out = true;
    bench.pass_s(3);
    assert_eq!(bench.take(), [Action::Launch]);
    bench.tell(Event::Said(Finding::Connected));
    bench.look(Outcome::Proven);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    // While it is up it is just looked at.
    bench.way_out = false;
    bench.take();
    bench.pass_s(15);
    bench.look(Outcome::Offline(because("offline")));
    bench.way_out = true;
    bench.pass_s(3);
    assert!(matches!(bench.take()[..], [Action::Look(..)]));
}

#[test]
fn a_program_that_dies_with_the_network_comes_back_with_it() {
    let mut bench = up();
    bench.pass_s(200);
    cut_off(&mut bench, Duration::from_secs(7));
    end(&mut bench);
    assert!(bench.reason().contains("offline"));
    bench.way_out = true;
    bench.pass_s(3);
    assert!(bench.take().contains(&Action::Launch));
}

#[test]
fn an_open_breaker_tells_when_it_tries_again() {
    let mut bench = Bench::new(known());
    for _ in 0..3 {
        bench.pass_s(1);
        end(&mut bench);
        if let TunnelState::Backoff { .. } = bench.state() {
            bench.pass(bench.machine.next_tick().unwrap() - bench.elapsed);
        }
    }
    let after = |bench: &Bench, seconds: i64| {
        Some(BEGAN_MS + i64::try_from(bench.elapsed.as_millis()).unwrap() + seconds * 1_000)
    };
    let until = |bench: &Bench| {
        let TunnelState::Open { until_ms, .. } = bench.state() else { panic!("{:?}", bench.state()) };
        *until_ms
    };
    assert_eq!(until(&bench), after(&bench, 600));
    // A change of the network is worth one attempt at once, and the next one only after a while.
    bench.tell(Event::NetworkChanged);
    bench.pass_s(3);
    end(&mut bench);
    assert_eq!(until(&bench), after(&bench, 600));
    bench.tell(Event::NetworkChanged);
    assert_eq!(until(&bench), after(&bench, 27));
    bench.tell(Event::Retry);
    bench.tell(Event::NotStarted(because("missing")));
    assert_eq!(until(&bench), None);
}

fn held(bench: &mut Bench) {
    bench.tell(Event::Said(Finding::Held(because("in use"))));
}

#[test]
fn what_another_session_holds_is_final_where_no_program_of_ours_was_up() {
    let mut bench = Bench::new(known());
    bench.take();
    held(&mut bench);
    assert!(matches!(bench.state(), TunnelState::Open { until_ms: None, .. }));
    assert_eq!(bench.reason(), "in use");
    assert_eq!(bench.take(), [Action::End]);
}

#[test]
fn our_own_last_session_is_waited_for_a_minute() {
    let mut bench = up();
    // The next look is far, and what was up until now counts.
    bench.pass_s(14);
    let ended = bench.elapsed;
    end(&mut bench);
    let mut tries = 0;
    while matches!(bench.state(), TunnelState::Backoff { .. }) {
        bench.pass(bench.machine.next_tick().unwrap() - bench.elapsed);
        assert!(bench.take().contains(&Action::Launch));
        tries += 1;
        held(&mut bench);
        end(&mut bench);
    }
    assert_eq!((bench.elapsed - ended).as_secs(), 61, "once a second after the end, then every 15");
    assert_eq!(tries, 5);
    assert_eq!(bench.reason(), "in use");
}

#[test]
fn a_session_that_is_let_go_of_is_had_again() {
    let mut bench = up();
    end(&mut bench);
    bench.pass_s(1);
    held(&mut bench);
    assert!(bench.reason().contains("not let go"), "{}", bench.reason());
    end(&mut bench);
    bench.take();
    bench.pass_s(15);
    assert_eq!(bench.take(), [Action::Launch]);
    bench.tell(Event::Said(Finding::Connected));
    bench.look(Outcome::Proven);
    // Told while up, it is the program's own attempt to reconnect.
    held(&mut bench);
    assert!(matches!(bench.state(), TunnelState::Up { .. }));
    assert!(bench.take().is_empty());
}
