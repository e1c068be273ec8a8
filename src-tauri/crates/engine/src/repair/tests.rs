#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation is the test's failure")]

use std::time::Duration;

use dialer_domain::call::{CallOutcome, CallStatus, LegRole};
use dialer_domain::call_log::fold;
use dialer_domain::ports::{SecretName, SystemClock, Vault as _};
use dialer_simulator::{Happening, IncomingCall, Pace, Simulator, SimulatorOptions, TwimlApp};
use dialer_storage::call_log::SqliteCallLog;
use dialer_storage::vault::MemoryVault;
use url::Url;

use tokio::sync::mpsc;

use super::*;
use crate::controller::Request;
use crate::twilio_at::TwilioAt;

const OURS: &str = "+12025550100";
const NOW: i64 = 1_795_000_000_000;

fn call(change: impl FnOnce(&mut CallResource)) -> CallResource {
    let mut call: CallResource = serde_json::from_value(serde_json::json!({
        "sid": CallSid::from_bytes([1; 16]),
        "from": "+12025550123",
        "to": OURS,
        "status": "completed",
        "direction": "inbound",
    }))
    .unwrap();
    call.ended_ms = Some(NOW - 600_000);
    change(&mut call);
    call
}

fn is_missed(call: &CallResource) -> bool {
    missed(call, &E164::parse_strict(OURS).unwrap(), NOW).is_some()
}

#[test]
fn only_callers_to_our_numbers_whose_calls_are_over_were_missed() {
    assert!(is_missed(&call(|_| ())));
    assert!(!is_missed(&call(|call| call.to = Some("+12025550177".into()))), "another computer's");
    assert!(!is_missed(&call(|call| call.from = Some("client:agent_1".into()))), "the agent's own");
    assert!(!is_missed(&call(|call| call.direction = Some("outbound-dial".into()))));
    assert!(!is_missed(&call(|call| call.ended_ms = None)), "it goes on");
    assert!(!is_missed(&call(|call| call.ended_ms = Some(NOW - 1_000))), "its events are on their way");
}

#[test]
fn a_leg_read_at_twilio_says_what_its_callback_would_have_said() {
    let read = call(|call| call.duration = Some("42".into())).event().unwrap();
    let CallEvent::LegStatus { role, status, sequence, duration_s, at_ms, .. } = read else {
        panic!("a leg's status")
    };
    assert_eq!((role, status, sequence), (Some(LegRole::FarEnd), CallStatus::Completed, None));
    assert_eq!((duration_s, at_ms), (Some(42), NOW - 600_000));
    assert_eq!(call(|call| call.status = "astonished".into()).event(), None);
}

/// Somebody has called.
fn a_caller(call_sid: CallSid, at_ms: i64) -> CallEvent {
    CallEvent::Routed {
        call_sid,
        direction: CallDirection::Incoming,
        peer: "+12025550107".into(),
        our_number: None,
        at_ms,
        refusal: None,
    }
}

/// Five hours later than it is: what is missing should have come.
struct Later;

impl Clock for Later {
    fn now_ms(&self) -> i64 {
        SystemClock.now_ms() + 5 * 3_600_000
    }
}

struct Bench {
    simulator: Simulator,
    store: Arc<SqliteCallLog>,
    repair: Repair<mpsc::WeakUnboundedSender<Request>>,
    told: mpsc::UnboundedReceiver<Request>,
    _controller: mpsc::UnboundedSender<Request>,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log);
        let pace = Pace::times(20.0).unwrap();
        let simulator =
            Simulator::start(SimulatorOptions { pace, ..SimulatorOptions::default() }).await.unwrap();
        let account = simulator.account();
        let vault = MemoryVault::default();
        vault.store(account.api_key_sid.as_str(), SecretName::ApiKeySecret, &account.api_key_secret).unwrap();
        let twilio = TwilioAt::simulator(Url::parse(&simulator.base_url()).unwrap()).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Later);
        let api = AccountApi::new(
            twilio,
            account.account_sid.clone(),
            account.api_key_sid.clone(),
            Arc::new(vault),
            Arc::clone(&clock),
        );
        let (controller, told) = mpsc::unbounded_channel();
        let repair = Repair {
            store: Arc::downgrade(&store) as Weak<dyn CallStore>,
            api: Arc::new(api),
            clock,
            listener: controller.downgrade(),
            numbers: account.numbers.clone(),
            rows: 100,
        };
        Self { simulator, store, repair, told, _controller: controller, _folder: folder }
    }

    /// Somebody calls a number that nobody answers for, until that is over.
    async fn missed_call(&self) -> CallSid {
        let mut events = self.simulator.subscribe();
        let caller = E164::parse_strict("+12025550107").unwrap();
        let own = self.simulator.account().numbers.first().cloned().unwrap();
        let nobody = Url::parse("http://127.0.0.1:1/").unwrap();
        let app =
            self.simulator.create_application(TwimlApp { voice_url: Some(nobody), ..TwimlApp::default() });
        self.simulator.bind_number(&own, Some(app)).unwrap();
        let sid = self.simulator.place_incoming(&IncomingCall::from_number(caller).to(own)).unwrap();
        let over = async {
            loop {
                if let Happening::LegStatus { call_sid, status, .. } = events.recv().await.unwrap().what
                    && call_sid == sid
                    && status.is_final()
                {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), over).await.expect("the call ends");
        sid
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "anything else is the failure")]
    fn events(&mut self) -> Vec<CallEvent> {
        std::iter::from_fn(|| self.told.try_recv().ok())
            .map(|request| match request {
                Request::Happened(event) => event,
                other => panic!("only events are told, not {other:?}"),
            })
            .collect()
    }
}

#[tokio::test]
async fn a_call_whose_end_was_not_told_is_read_at_twilio() {
    let mut bench = Bench::start().await;
    let sid = bench.missed_call().await;
    let begun = a_caller(sid.clone(), SystemClock.now_ms());
    let id = bench.store.record(None, begun.clone()).unwrap().unwrap().entry.id;
    bench.repair.look(Later.now_ms(), &mut Asked::default()).await.unwrap();
    let events: Vec<CallEvent> = std::iter::once(begun).chain(bench.events()).collect();
    let row = fold(id, &events).unwrap();
    assert_eq!(row.outcome, Some(CallOutcome::Missed), "{row:?}");
    bench.simulator.shutdown().await;
}

#[tokio::test]
async fn a_call_that_ended_while_the_program_was_not_running_is_read_at_once() {
    let mut bench = Bench::start().await;
    let sid = bench.missed_call().await;
    let at_ms = SystemClock.now_ms();
    let begun = a_caller(sid, at_ms);
    bench.store.record(None, begun).unwrap();
    // In the run in which it began, its callbacks are waited for.
    let (now_ms, began_ms) = (at_ms + 1_000, at_ms - 1_000);
    bench.repair.look(now_ms, &mut Asked { began_ms, ..Asked::default() }).await.unwrap();
    assert_eq!(bench.events(), []);
    bench.repair.look(now_ms, &mut Asked { began_ms: now_ms, ..Asked::default() }).await.unwrap();
    let is_final =
        |event: &CallEvent| matches!(event, CallEvent::LegStatus { status, .. } if status.is_final());
    assert!(bench.events().iter().any(is_final));
    bench.simulator.shutdown().await;
}

#[tokio::test]
async fn a_call_that_twilio_does_not_know_is_asked_about_once_and_holds_up_no_other() {
    let mut bench = Bench::start().await;
    let known = bench.missed_call().await;
    for sid in [CallSid::from_bytes([9; 16]), known.clone()] {
        let event = a_caller(sid, SystemClock.now_ms());
        bench.store.record(None, event).unwrap();
    }
    let mut asked = Asked::default();
    bench.repair.look(Later.now_ms(), &mut asked).await.unwrap();
    assert_eq!(asked.hopeless.len(), 1);
    assert!(
        bench
            .events()
            .iter()
            .any(|event| matches!(event, CallEvent::LegStatus { call_sid, .. } if *call_sid == known))
    );
    bench.simulator.shutdown().await;
}

#[tokio::test]
async fn who_called_while_nobody_was_told_is_found_once() {
    let mut bench = Bench::start().await;
    let since_ms = SystemClock.now_ms() - 60_000;
    let sid = bench.missed_call().await;
    bench.repair.look_for_missed(since_ms, Later.now_ms()).await.unwrap();
    let events = bench.events();
    let row = fold(CallId(uuid::Uuid::nil()), &events).unwrap();
    assert_eq!((row.direction, row.peer.as_str()), (CallDirection::Incoming, "+12025550107"));
    assert_eq!(row.reason.as_deref(), Some(UNREACHABLE));
    assert!(row.legs.iter().any(|leg| leg.call_sid == sid));
    for event in events {
        bench.store.record(None, event).unwrap();
    }
    bench.repair.look_for_missed(since_ms, Later.now_ms()).await.unwrap();
    assert!(bench.events().is_empty(), "it is in the log now");
    bench.simulator.shutdown().await;
}

/// Somebody who doubts one call and takes down what is told.
struct Doubter {
    doubts: std::sync::Mutex<Vec<CallSid>>,
    told: std::sync::Mutex<Vec<CallEvent>>,
    unknown: std::sync::Mutex<Vec<CallSid>>,
}

impl Listener for Arc<Doubter> {
    fn is_gone(&self) -> bool {
        false
    }

    fn happened(&self, event: CallEvent) {
        self.told.lock().unwrap().push(event);
    }

    fn in_doubt(&self, _now_ms: i64) -> Vec<CallSid> {
        self.doubts.lock().unwrap().clone()
    }

    fn answered(&self, call: &CallSid, known: Option<&CallResource>, _now_ms: i64) {
        self.doubts.lock().unwrap().retain(|doubted| doubted != call);
        if known.is_none() {
            self.unknown.lock().unwrap().push(call.clone());
        }
    }
}

#[tokio::test]
async fn what_the_log_lost_of_a_call_is_read_whole() {
    let bench = Bench::start().await;
    let sid = bench.missed_call().await;
    let nobodys = CallSid::from_bytes([9; 16]);
    let doubter = Arc::new(Doubter {
        doubts: std::sync::Mutex::new(vec![nobodys.clone(), sid.clone()]),
        told: std::sync::Mutex::default(),
        unknown: std::sync::Mutex::default(),
    });
    let Repair { store, api, clock, numbers, rows, .. } = bench.repair;
    let repair = Repair { store, api, clock, listener: Arc::clone(&doubter), numbers, rows };
    repair.look_at_doubts(Later.now_ms(), &mut Asked::default()).await.unwrap();
    let told = std::mem::take(&mut *doubter.told.lock().unwrap());
    let row = fold(CallId(uuid::Uuid::nil()), &told).unwrap();
    assert_eq!((row.direction, row.peer.as_str()), (CallDirection::Incoming, "+12025550107"));
    assert_eq!(row.outcome, Some(CallOutcome::Missed));
    assert_eq!(*doubter.unknown.lock().unwrap(), [nobodys]);
    assert!(doubter.doubts.lock().unwrap().is_empty());
    // Who called whom is told only where the log does not know it.
    for event in told {
        bench.store.record(None, event).unwrap();
    }
    doubter.doubts.lock().unwrap().push(sid);
    repair.look_at_doubts(Later.now_ms(), &mut Asked::default()).await.unwrap();
    let again = std::mem::take(&mut *doubter.told.lock().unwrap());
    assert!(!again.is_empty() && !again.iter().any(|event| matches!(event, CallEvent::Routed { .. })));
    bench.simulator.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_read_lets_the_others_pass() {
    let bench = Bench::start().await;
    let doubts: Vec<CallSid> = (0..40).map(|n| CallSid::from_bytes([n; 16])).collect();
    let doubter = Arc::new(Doubter {
        doubts: std::sync::Mutex::new(doubts),
        told: std::sync::Mutex::default(),
        unknown: std::sync::Mutex::default(),
    });
    let Repair { store, api, clock, numbers, rows, .. } = bench.repair;
    let repair = Repair { store, api, clock, listener: Arc::clone(&doubter), numbers, rows };
    // Nobody answers any more, so every question fails.
    bench.simulator.shutdown().await;
    let mut asked = Asked::default();
    for minute in 0..4_i64 {
        repair.look_at_doubts(NOW + minute, &mut asked).await.unwrap();
    }
    assert_eq!(asked.doubts_at_ms.len(), 40, "each was asked about");
    assert_eq!(doubter.doubts.lock().unwrap().len(), 40, "and none was answered");
}

#[tokio::test]
async fn what_was_in_doubt_is_not_read_twice() {
    let mut bench = Bench::start().await;
    let sid = bench.missed_call().await;
    let begun = a_caller(sid.clone(), SystemClock.now_ms());
    bench.store.record(None, begun).unwrap();
    let now_ms = Later.now_ms();
    let mut asked = Asked { doubts_at_ms: [(sid, now_ms)].into(), ..Asked::default() };
    bench.repair.look(now_ms, &mut asked).await.unwrap();
    assert!(bench.events().is_empty());
    bench.repair.look(now_ms + 60_000, &mut asked).await.unwrap();
    assert!(!bench.events().is_empty(), "a minute later it is");
    bench.simulator.shutdown().await;
}
