#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::atomic::{AtomicI64, Ordering};

use dialer_domain::call::CallStatus;
use dialer_storage::call_log::SqliteCallLog;
use dialer_twilio::webhook::Form;

use super::*;

const NOW: i64 = 1_795_000_000_000;
const MINUTE: i64 = 60_000;
const OURS: &str = "+12025550100";

struct At(AtomicI64);

impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

struct Bench {
    desk: CloudDesk,
    outlets: Outlets,
    clock: Arc<At>,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::read(&|name| {
            if let Some((_, value)) = more.iter().find(|(known, _)| *known == name) {
                return Some((*value).to_owned());
            }
            Some(match name {
                "TWILIO_ACCOUNT_SID" => format!("AC{}", "0a".repeat(16)),
                "TWILIO_AUTH_TOKEN" => "0123456789abcdef".repeat(2),
                "TWILIO_API_KEY" => format!("SK{}", "0b".repeat(16)),
                "TWILIO_API_SECRET" => "Abcdefgh01234567".repeat(2),
                "TWILIO_PHONE_NUMBER" => OURS.into(),
                "TWILIO_TWIML_APP_SID" => format!("AP{}", "0c".repeat(16)),
                "BACKEND_URL" => "https://phone.example.com".into(),
                "AGENT_API_TOKEN" => "a-token-of-this-test-only".into(),
                // Nobody listens there.
                "TWILIO_SIMULATOR" => "http://127.0.0.1:1".into(),
                _ => return None,
            })
        })
        .unwrap();
        let log = SqliteCallLog::open(&folder.path().join("calls.sqlite")).unwrap().log;
        let clock = Arc::new(At(AtomicI64::new(NOW)));
        let (desk, outlets) =
            CloudDesk::new(config, Arc::new(log), Arc::clone(&clock) as Arc<_>, GoodUntil::new()).unwrap();
        Self { desk, outlets, clock, _folder: folder }
    }

    fn later(&self, by_ms: i64) {
        self.clock.0.fetch_add(by_ms, Ordering::Relaxed);
    }

    /// As many events as there is room for, while nobody writes.
    fn fill_the_log(&self) {
        for n in 0..self.desk.ledger.capacity() {
            self.desk.note(CallEvent::Waiting {
                call_sid: sid(255),
                waited_s: u32::try_from(n).unwrap(),
                at_ms: NOW,
            });
        }
    }

    /// An agent calls somebody.
    async fn calls(&self, n: u8, agent: &str) -> Instruction {
        let form = Form::new()
            .with("CallSid", sid(n).as_str())
            .with("Direction", "inbound")
            .with("From", format!("client:{agent}"))
            .with("To", "+12025550123");
        self.desk.begin(VoiceRequest::parse(form).unwrap()).await
    }

    /// Somebody calls.
    async fn is_called(&self, n: u8) -> Instruction {
        let form = Form::new()
            .with("CallSid", sid(n).as_str())
            .with("Direction", "inbound")
            .with("From", "+12025550123")
            .with("To", OURS);
        self.desk.begin(VoiceRequest::parse(form).unwrap()).await
    }
}

fn sid(n: u8) -> CallSid {
    CallSid::from_bytes([n; 16])
}

fn ended(n: u8) -> CallEvent {
    CallEvent::LegStatus {
        call_sid: sid(n),
        parent_call_sid: None,
        role: None,
        status: CallStatus::Completed,
        sequence: None,
        at_ms: NOW,
        duration_s: Some(1),
        error_code: None,
    }
}

fn is_connected(instruction: &Instruction) -> bool {
    matches!(instruction, Instruction::Connect(_))
}

#[tokio::test]
async fn an_agent_is_not_locked_out_by_a_lost_callback() {
    let bench = Bench::new(&[]);
    for n in [1, 2] {
        assert!(is_connected(&bench.calls(n, "albert").await));
    }
    assert!(!is_connected(&bench.calls(3, "albert").await), "two at once for each agent");
    assert!(is_connected(&bench.calls(4, "berta").await), "others are not concerned");
    assert!(bench.desk.in_doubt(NOW + MINUTE).is_empty());
    bench.later(4 * MINUTE);
    let now_ms = bench.clock.now_ms();
    assert_eq!(bench.desk.in_doubt(now_ms), [sid(1), sid(2), sid(4)]);
    // Twilio says that the first is over, knows nothing of the second, and that the third goes on.
    bench.desk.note(ended(1));
    bench.desk.answered(&sid(1), Some("client:albert"), now_ms);
    bench.desk.answered(&sid(2), None, now_ms);
    bench.desk.answered(&sid(4), Some("client:berta"), now_ms);
    assert!(bench.desk.in_doubt(now_ms).is_empty());
    for n in [5, 6] {
        assert!(is_connected(&bench.calls(n, "albert").await));
    }
}

#[tokio::test]
async fn nobody_waits_for_a_log_that_is_behind() {
    let mut bench = Bench::new(&[]);
    bench.fill_the_log();
    assert_eq!(bench.desk.tally.lost_events(), 0);
    let answered = tokio::time::timeout(std::time::Duration::from_secs(5), bench.is_called(2)).await;
    assert!(answered.is_ok(), "a caller is answered");
    bench.desk.note(ended(3));
    assert_eq!(bench.desk.tally.lost_events(), 2);
    assert!(bench.desk.in_doubt(NOW).is_empty(), "the log has not caught up");
    let mut written = Vec::new();
    bench.outlets.entries.recv_many(&mut written, BACKLOG).await;
    assert_eq!(bench.desk.in_doubt(NOW), [sid(2), sid(3)]);
    bench.desk.answered(&sid(2), Some("+12025550123"), NOW);
    assert_eq!(bench.desk.in_doubt(NOW), [sid(3)]);
    // What Twilio tells of the third finds no room either.
    bench.fill_the_log();
    bench.desk.note(ended(3));
    bench.desk.answered(&sid(3), Some("+12025550123"), NOW);
    bench.outlets.entries.recv_many(&mut written, BACKLOG).await;
    assert_eq!(bench.desk.in_doubt(NOW), [sid(3)], "it was lost again, so it is asked about again");
}

#[tokio::test]
async fn many_conversations_keep_no_lost_call_from_being_asked_about() {
    let mut bench = Bench::new(&[]);
    for n in 1..=40 {
        assert!(is_connected(&bench.calls(n, &format!("agent_{n}")).await));
    }
    bench.fill_the_log();
    for n in [100, 101] {
        bench.desk.note(ended(n));
    }
    let mut written = Vec::new();
    bench.outlets.entries.recv_many(&mut written, BACKLOG).await;
    bench.later(4 * MINUTE);
    let doubts = bench.desk.in_doubt(bench.clock.now_ms());
    assert_eq!(doubts.len(), 42);
    let first: BTreeSet<_> = doubts.into_iter().take(10).collect();
    assert!(first.contains(&sid(100)) && first.contains(&sid(101)), "{first:?}");
}

#[tokio::test]
async fn who_hung_up_before_they_were_answered_is_not_under_way() {
    let bench = Bench::new(&[("MOST_CALLS", "1")]);
    bench.desk.note(ended(1));
    bench.calls(1, "albert").await;
    assert!(is_connected(&bench.calls(2, "berta").await));
}

#[tokio::test]
async fn calls_go_on_though_the_server_was_restarted() {
    let bench = Bench::new(&[("MOST_CALLS", "2")]);
    bench.calls(1, "albert").await;
    let mut rows = Vec::new();
    let Outlets { mut entries, .. } = bench.outlets;
    while let Ok((call, event)) = entries.try_recv() {
        rows.extend(bench.desk.store.record(call, event).unwrap().map(|recorded| recorded.entry));
    }
    let after = Bench::new(&[("MOST_CALLS", "2")]);
    for row in &rows {
        after.desk.resume(row, NOW + MINUTE);
    }
    assert_eq!(after.desk.in_doubt(NOW + MINUTE), [sid(1)], "whose it is, Twilio knows");
    after.desk.answered(&sid(1), Some("client:albert"), NOW + MINUTE);
    assert!(is_connected(&after.calls(2, "albert").await));
    assert!(!is_connected(&after.calls(3, "berta").await), "of two, one is older than the server");
    after.desk.note(ended(2));
    after.desk.note(ended(1));
    assert!(is_connected(&after.calls(3, "berta").await));
}

#[tokio::test]
async fn the_whole_server_has_a_limit_of_calls() {
    let bench = Bench::new(&[("MOST_CALLS", "2")]);
    assert!(is_connected(&bench.calls(1, "albert").await));
    assert!(is_connected(&bench.calls(2, "berta").await));
    let Instruction::Refuse { reason, .. } = bench.calls(3, "carl").await else { panic!("it is refused") };
    assert!(reason.contains("MOST_CALLS"), "{reason}");
    assert_eq!(bench.desk.tally.how_many_refused(Refused::TooMany), 1);
    bench.desk.note(ended(1));
    assert!(is_connected(&bench.calls(4, "carl").await));
}

#[tokio::test]
async fn a_full_server_passes_nobody_on() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let rules = r#"{"incoming":{"open":{"type":"forward","to":"+12025550177"}}}"#;
    std::fs::write(file.path(), rules).unwrap();
    let bench = Bench::new(&[("MOST_CALLS", "1"), ("RULES_FILE", file.path().to_str().unwrap())]);
    assert!(is_connected(&bench.is_called(1).await));
    assert!(!is_connected(&bench.is_called(2).await), "the first counts");
    bench.desk.note(ended(1));
    assert!(is_connected(&bench.calls(3, "albert").await));
    assert!(!is_connected(&bench.is_called(4).await), "the agent's call counts");
}

#[tokio::test]
async fn where_prices_cannot_be_had_a_limit_of_money_holds_all_the_same() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let rules = r#"{"outgoing":{"money_per_day":{"micros":1000000,"currency":"USD"}}}"#;
    std::fs::write(file.path(), rules).unwrap();
    let bench = Bench::new(&[("RULES_FILE", file.path().to_str().unwrap())]);
    let Instruction::Refuse { reason, .. } = bench.calls(1, "albert").await else { panic!("it is refused") };
    assert!(reason.contains("outgoing.money_per_day"), "{reason}");
    let price = Money { micros: 100_000, currency: "USD".into() };
    bench.desk.learn(vec![(E164::parse_strict("+12025550123").unwrap(), price)]);
    let Instruction::Connect(connect) = bench.calls(2, "albert").await else { panic!("it is connected") };
    assert_eq!(connect.time_limit_s, 600, "ten minutes for a dollar");
    assert!(!is_connected(&bench.calls(3, "albert").await), "which are given out");
}

#[tokio::test]
async fn of_more_than_ten_agents_all_are_rung_in_turn() {
    let bench = Bench::new(&[]);
    for n in 0..15 {
        let identity = ClientIdentity::parse(&format!("agent_{n:02}")).unwrap();
        bench.desk.signed_in(identity, NOW + 60 * MINUTE);
    }
    assert!(bench.outlets.sign_ins.has_changed().unwrap());
    assert_eq!(bench.desk.good_until().len(), 15);
    let mut rung = BTreeSet::new();
    for n in 1..=2 {
        let Instruction::Connect(connect) = bench.is_called(n).await else { panic!("the agents are rung") };
        assert_eq!(connect.to.len(), 10);
        rung.extend(connect.to.iter().map(Destination::address));
    }
    assert_eq!(rung.len(), 15);
    bench.later(60 * MINUTE);
    assert!(!is_connected(&bench.is_called(3).await), "their tokens have expired");
}
