//! Calls of every flow in the log: messages, queues, callers passed on; and logs from before there were any.

use dialer_domain::call::{CallDirection, CallEvent, CallOutcome, CallStatus, RecordingStatus};
use dialer_domain::call_flow::{Purpose, QueueResult};
use dialer_domain::ports::CallStore as _;
use dialer_domain::sid::{CallSid, ConferenceSid, RecordingSid};
use dialer_storage::call_log::{CallLogError, SqliteCallLog};
use proptest::prelude::*;

use crate::call_log::{Fresh, START, id, sid};

const CALLER: &str = "+12025550123";

fn routed(call_sid: CallSid, direction: CallDirection, peer: &str, at_ms: i64) -> CallEvent {
    let our_number = Some("+12025550100".into());
    CallEvent::Routed { call_sid, direction, peer: peer.into(), our_number, at_ms, refusal: None }
}

fn recording(call_sid: CallSid, status: RecordingStatus, duration_s: Option<u32>, at_ms: i64) -> CallEvent {
    let recording_sid = RecordingSid::from_bytes([1; 16]);
    CallEvent::Recording { call_sid, recording_sid, status, message: true, duration_s, at_ms }
}

fn ended(call_sid: CallSid, duration_s: u32, at_ms: i64) -> CallEvent {
    CallEvent::LegStatus {
        call_sid,
        parent_call_sid: None,
        role: None,
        status: CallStatus::Completed,
        sequence: None,
        at_ms,
        duration_s: Some(duration_s),
        error_code: None,
    }
}

/// A caller waits in the queue and the agent, whose own leg is another call at first, takes them out.
fn taken_from_queue() -> Vec<CallEvent> {
    let (caller, agent) = (sid(1), sid(2));
    vec![
        routed(caller.clone(), CallDirection::Incoming, CALLER, START),
        CallEvent::Waiting { call_sid: caller.clone(), waited_s: 0, at_ms: START + 1_000 },
        CallEvent::Waiting { call_sid: caller.clone(), waited_s: 30, at_ms: START + 31_000 },
        routed(agent.clone(), CallDirection::Outgoing, "queue:", START + 40_000),
        CallEvent::Dialled {
            call_sid: agent.clone(),
            dialled_sid: Some(caller.clone()),
            purpose: Purpose::TakeNext,
            status: CallStatus::Completed,
            duration_s: Some(25),
            at_ms: START + 67_000,
        },
        CallEvent::LeftQueue {
            call_sid: caller.clone(),
            result: QueueResult::Bridged,
            waited_s: Some(41),
            at_ms: START + 67_100,
        },
        ended(agent, 27, START + 67_000),
        ended(caller, 67, START + 67_000),
    ]
}

/// A caller who was passed on to nobody and then left a message that was written down.
fn left_a_message() -> Vec<CallEvent> {
    let (caller, elsewhere) = (sid(3), sid(4));
    let at = START + 600_000;
    vec![
        routed(caller.clone(), CallDirection::Incoming, "+12025550177", at),
        CallEvent::Dialled {
            call_sid: caller.clone(),
            dialled_sid: Some(elsewhere),
            purpose: Purpose::Forward,
            status: CallStatus::NoAnswer,
            duration_s: None,
            at_ms: at + 30_000,
        },
        recording(caller.clone(), RecordingStatus::InProgress, Some(9), at + 45_000),
        ended(caller.clone(), 45, at + 45_000),
        recording(caller.clone(), RecordingStatus::Completed, Some(9), at + 50_000),
        CallEvent::Transcribed {
            call_sid: caller.clone(),
            recording_sid: RecordingSid::from_bytes([1; 16]),
            text: "Please call me back.".into(),
            at_ms: at + 60_000,
        },
        CallEvent::Conference {
            call_sid: caller,
            conference_sid: ConferenceSid::from_bytes([1; 16]),
            what: "participant-leave".into(),
            sequence: Some(3),
            at_ms: at + 45_000,
        },
    ]
}

#[test]
fn the_agents_leg_joins_the_caller_who_was_taken_out_of_the_queue() {
    let fresh = Fresh::new();
    let mut removed = Vec::new();
    for event in taken_from_queue() {
        removed
            .extend(fresh.log.record(None, event).unwrap().into_iter().flat_map(|recorded| recorded.removed));
    }
    let [row] = &fresh.log.list(None, 10).unwrap().entries[..] else { panic!("one call") };
    assert_eq!(removed.len(), 1, "there were two until the log learned that they are one");
    assert_eq!((row.direction, row.peer.as_str()), (CallDirection::Incoming, CALLER));
    assert_eq!(
        (row.outcome, row.duration_s, row.waited_s),
        (Some(CallOutcome::Answered), Some(25), Some(41))
    );
    for leg in [sid(1), sid(2)] {
        assert_eq!(fresh.log.of_leg(&leg).unwrap().as_ref(), Some(row));
    }
    assert_eq!(fresh.log.get(removed[0]).unwrap().as_ref(), Some(row));
    assert_eq!(fresh.log.of_leg(&sid(9)).unwrap(), None);
}

#[test]
fn calls_since_a_moment_are_told_however_many_there_are() {
    let fresh = Fresh::new();
    for n in 0..450_u128 {
        let at_ms = START + i64::try_from(n).unwrap();
        let leg = CallSid::from_bytes(n.to_be_bytes());
        fresh.log.record(Some(id(n)), routed(leg, CallDirection::Outgoing, CALLER, at_ms)).unwrap();
    }
    let since = |at_ms| fresh.log.since(at_ms).unwrap();
    assert_eq!(since(START).len(), 450);
    assert_eq!(since(START + 20).len(), 430);
    assert_eq!(since(START + 449).iter().map(|row| row.id).collect::<Vec<_>>(), [id(449)]);
    assert_eq!(since(START + 450), []);
    assert!(since(0).is_sorted_by(|a, b| a.started_at_ms > b.started_at_ms));
}

/// A log as the first version wrote it: its tables, one answered call, and the row that it made of it.
fn first_version(path: &std::path::Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch(include_str!("../migrations/0001_calls.sql")).unwrap();
    connection.pragma_update(None, "application_id", 0x4b44_636c).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let name = id(1).0.to_string();
    let leg = sid(1);
    let entry = format!(
        r#"{{"id":"{name}","direction":"outgoing","peer":"{CALLER}","our_number":null,"started_at_ms":{START},
            "answered_at_ms":null,"ended_at_ms":null,"duration_s":null,"outcome":null,"reason":null,
            "error_code":null,"legs":[{{"call_sid":"{leg}","parent_call_sid":null,"role":"agent",
            "status":"ringing","duration_s":null}}]}}"#
    );
    let event = format!(
        r#"{{"kind":"routed","call_sid":"{leg}","direction":"outgoing","peer":"{CALLER}","our_number":null,
            "at_ms":{START},"refusal":null}}"#
    );
    connection
        .execute("INSERT INTO calls (id, started_at_ms, entry) VALUES (?1, ?2, ?3)", (&name, START, &entry))
        .unwrap();
    connection.execute("INSERT INTO call_events (call, event) VALUES (1, ?1)", [&event]).unwrap();
    connection.execute("INSERT INTO legs (call_sid, call) VALUES (?1, 1)", [leg.as_str()]).unwrap();
    connection.execute("INSERT INTO call_names (id, call) VALUES (?1, 1)", [&name]).unwrap();
}

#[test]
fn a_log_of_the_first_version_goes_on_and_that_version_no_longer_opens_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.sqlite");
    first_version(&path);
    let opened = SqliteCallLog::open(&path).unwrap();
    assert_eq!(opened.set_aside, None);
    let row = opened.log.get(id(1)).unwrap().unwrap();
    assert_eq!((row.peer.as_str(), row.recordings.len(), row.waited_s), (CALLER, 0, None));
    let dialled = CallEvent::Dialled {
        call_sid: sid(1),
        dialled_sid: None,
        purpose: Purpose::Outgoing,
        status: CallStatus::Completed,
        duration_s: Some(4),
        at_ms: START + 5_000,
    };
    let row = opened.log.record(None, dialled).unwrap().unwrap().entry;
    assert_eq!((row.id, row.outcome, row.duration_s), (id(1), Some(CallOutcome::Answered), Some(4)));
    drop(opened);
    let version: i64 = rusqlite::Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 2, "a program that knows 1 refuses it, as this one does a newer one");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 3).unwrap();
    let error = SqliteCallLog::open(&path).unwrap_err();
    assert!(matches!(error, CallLogError::NewerSchema { found: 3, known: 2, .. }), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_do_not_depend_on_the_order_of_arrival(
        shuffled in Just([taken_from_queue(), left_a_message(), taken_from_queue(), left_a_message()].concat())
            .prop_shuffle(),
    ) {
        let row = |fresh: &Fresh, leg: u8| {
            let row = fresh.log.of_leg(&sid(leg)).unwrap().unwrap();
            // A row without a name of ours got one by chance.
            dialer_domain::call_log::CallLogEntry { id: id(0), ..row }
        };
        let (orderly, shaken) = (Fresh::new(), Fresh::new());
        for event in [taken_from_queue(), left_a_message()].concat() {
            orderly.log.record(None, event).unwrap();
        }
        for event in shuffled {
            shaken.log.record(None, event).unwrap();
        }
        prop_assert_eq!(shaken.log.since(0).unwrap().len(), 2);
        for leg in 1..=4 {
            prop_assert_eq!(row(&orderly, leg), row(&shaken, leg));
        }
        prop_assert_eq!(row(&shaken, 3).outcome, Some(CallOutcome::Voicemail));
        prop_assert_eq!(row(&shaken, 1).outcome, Some(CallOutcome::Answered));
    }
}
