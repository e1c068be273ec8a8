//! Recording, merging and reading back.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dialer_domain::call::{CallDirection, CallEvent, CallId, CallOutcome, CallStatus, LegRole, SdkCallEvent};
use dialer_domain::call_log::{CallLogEntry, Cursor};
use dialer_domain::ports::CallStore as _;
use dialer_domain::sid::CallSid;
use dialer_storage::call_log::SqliteCallLog;
use proptest::prelude::*;

pub(crate) const START: i64 = 1_790_000_000_000;

pub(crate) fn id(n: u128) -> CallId {
    CallId(uuid::Uuid::from_u128(n))
}

pub(crate) fn sid(n: u8) -> CallSid {
    CallSid::from_bytes([n; 16])
}

/// The agent leg of the outgoing call `n` and the far leg under it.
pub(crate) fn sdk(call_sid: Option<CallSid>, what: SdkCallEvent, at_ms: i64) -> CallEvent {
    CallEvent::Sdk {
        direction: CallDirection::Outgoing,
        call_sid,
        parent_call_sid: None,
        peer: "+12025550123".into(),
        our_number: None,
        what,
        at_ms,
    }
}

fn routed(call_sid: CallSid, at_ms: i64) -> CallEvent {
    CallEvent::Routed {
        call_sid,
        direction: CallDirection::Outgoing,
        peer: "+12025550123".into(),
        our_number: Some("+12025550100".into()),
        at_ms,
        refusal: None,
    }
}

fn far_leg(parent: CallSid, child: CallSid, status: CallStatus, sequence: u32, at_ms: i64) -> CallEvent {
    CallEvent::LegStatus {
        call_sid: child,
        parent_call_sid: Some(parent),
        role: Some(LegRole::FarEnd),
        status,
        sequence: Some(sequence),
        at_ms,
        duration_s: (status == CallStatus::Completed).then_some(7),
        error_code: None,
    }
}

/// A log in a folder of its own.
pub(crate) struct Fresh {
    pub(crate) log: SqliteCallLog,
    pub(crate) path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Fresh {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("calls.sqlite");
        let opened = SqliteCallLog::open(&path).unwrap();
        assert_eq!(opened.set_aside, None);
        Self { log: opened.log, path, _folder: folder }
    }

    fn reopened(self) -> Self {
        let Self { log, path, _folder } = self;
        drop(log);
        let opened = SqliteCallLog::open(&path).unwrap();
        assert_eq!(opened.set_aside, None);
        Self { log: opened.log, path, _folder }
    }

    fn rows(&self) -> Vec<CallLogEntry> {
        self.log.list(None, 200).unwrap().entries
    }
}

#[test]
fn a_whole_call_is_one_row_that_outlives_the_program() {
    let fresh = Fresh::new();
    let record = |call, event| fresh.log.record(call, event).unwrap();
    let begun = record(Some(id(1)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
    assert_eq!((begun.entry.id, begun.removed), (id(1), vec![]));
    record(Some(id(1)), routed(sid(1), START + 100)).unwrap();
    record(None, far_leg(sid(1), sid(2), CallStatus::Ringing, 1, START + 1000)).unwrap();
    record(Some(id(1)), sdk(Some(sid(1)), SdkCallEvent::Accepted, START + 2000)).unwrap();
    record(None, far_leg(sid(1), sid(2), CallStatus::InProgress, 2, START + 2000)).unwrap();
    record(Some(id(1)), sdk(Some(sid(1)), SdkCallEvent::Ended, START + 9000)).unwrap();
    let done = record(None, far_leg(sid(1), sid(2), CallStatus::Completed, 3, START + 9000)).unwrap();
    assert_eq!((done.entry.outcome, done.entry.duration_s), (Some(CallOutcome::Answered), Some(7)));
    assert_eq!(fresh.rows(), std::slice::from_ref(&done.entry));
    let fresh = fresh.reopened();
    assert_eq!(fresh.rows(), std::slice::from_ref(&done.entry));
    assert_eq!(fresh.log.get(id(1)).unwrap(), Some(done.entry));
    assert_eq!(fresh.log.get(id(2)).unwrap(), None);
}

#[test]
fn a_repeat_is_no_news() {
    let fresh = Fresh::new();
    let ringing = far_leg(sid(1), sid(2), CallStatus::Ringing, 1, START + 1000);
    assert!(fresh.log.record(None, ringing.clone()).unwrap().is_some());
    assert_eq!(fresh.log.record(None, ringing).unwrap(), None);
    // Delivered again, stamped with its second arrival.
    assert_eq!(
        fresh.log.record(None, far_leg(sid(1), sid(2), CallStatus::Ringing, 1, START + 5000)).unwrap(),
        None
    );
    assert_eq!(fresh.rows()[0].started_at_ms, START + 1000);
    // The one that was sent first arrives last.
    let first =
        fresh.log.record(None, far_leg(sid(1), sid(2), CallStatus::Ringing, 1, START)).unwrap().unwrap();
    assert_eq!(first.entry.started_at_ms, START);
    let fresh = fresh.reopened();
    assert_eq!(fresh.log.record(None, far_leg(sid(1), sid(2), CallStatus::Ringing, 1, START)).unwrap(), None);
}

#[test]
fn two_rows_that_prove_to_be_one_call_are_merged_into_the_older() {
    let fresh = Fresh::new();
    let sdk_row =
        fresh.log.record(Some(id(5)), sdk(None, SdkCallEvent::Dialing, START)).unwrap().unwrap().entry;
    let twilio_row = fresh
        .log
        .record(None, far_leg(sid(1), sid(2), CallStatus::Ringing, 1, START + 1000))
        .unwrap()
        .unwrap()
        .entry;
    assert_ne!(sdk_row.id, twilio_row.id, "nothing joins them yet");
    assert_eq!(fresh.rows().len(), 2);

    let joined = fresh
        .log
        .record(Some(id(5)), sdk(Some(sid(1)), SdkCallEvent::Ringing, START + 1100))
        .unwrap()
        .unwrap();
    assert_eq!(joined.entry.id, id(5));
    assert_eq!(joined.removed, [twilio_row.id]);
    assert_eq!(joined.entry.legs.len(), 2);
    assert_eq!(fresh.rows(), std::slice::from_ref(&joined.entry));
    assert_eq!(
        fresh.log.get(twilio_row.id).unwrap(),
        Some(joined.entry),
        "the old name still leads to the call"
    );

    let more = fresh
        .log
        .record(Some(twilio_row.id), sdk(None, SdkCallEvent::HungUp, START + 3000))
        .unwrap()
        .unwrap();
    assert_eq!((more.entry.id, more.removed), (id(5), vec![]));
}

#[test]
fn a_name_that_came_second_leads_to_the_row_that_came_first() {
    let fresh = Fresh::new();
    let first = fresh.log.record(None, routed(sid(1), START)).unwrap().unwrap().entry;
    let joined =
        fresh.log.record(Some(id(9)), sdk(Some(sid(1)), SdkCallEvent::Ringing, START + 1)).unwrap().unwrap();
    assert_eq!((joined.entry.id, &joined.removed[..]), (first.id, &[][..]));
    // From now on the reporter may use its own name alone.
    let next = fresh.log.record(Some(id(9)), sdk(None, SdkCallEvent::HungUp, START + 2)).unwrap().unwrap();
    assert_eq!(next.entry.id, first.id);
    assert_eq!(fresh.reopened().log.get(id(9)).unwrap().unwrap().id, first.id);
}

#[test]
fn one_event_may_join_three_rows() {
    let fresh = Fresh::new();
    fresh.log.record(Some(id(1)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
    let second = fresh.log.record(None, routed(sid(1), START)).unwrap().unwrap().entry.id;
    let alone = |status, sequence| CallEvent::LegStatus {
        call_sid: sid(2),
        parent_call_sid: None,
        role: None,
        status,
        sequence: Some(sequence),
        at_ms: START,
        duration_s: None,
        error_code: None,
    };
    let third = fresh.log.record(None, alone(CallStatus::Ringing, 0)).unwrap().unwrap().entry.id;
    let joined = fresh
        .log
        .record(Some(id(1)), far_leg(sid(1), sid(2), CallStatus::InProgress, 1, START))
        .unwrap()
        .unwrap();
    assert_eq!((joined.entry.id, joined.removed), (id(1), vec![second, third]));
    assert_eq!(fresh.rows().len(), 1);
    assert_eq!(
        fresh.log.record(None, alone(CallStatus::Ringing, 0)).unwrap(),
        None,
        "its events moved along"
    );
}

#[test]
fn pages_run_from_the_newest_to_the_oldest_without_gap_or_repeat() {
    let fresh = Fresh::new();
    for n in 0..25_u128 {
        // Every five calls began in the same millisecond.
        let at_ms = START + i64::try_from(n / 5).unwrap() * 1000;
        fresh.log.record(Some(id(n)), sdk(None, SdkCallEvent::Dialing, at_ms)).unwrap();
    }
    let all = fresh.rows();
    assert_eq!(all.len(), 25);
    assert!(all.is_sorted_by_key(|entry| std::cmp::Reverse((entry.started_at_ms, entry.id))));

    let (mut paged, mut before) = (Vec::new(), None::<Cursor>);
    loop {
        let page = fresh.log.list(before.clone(), 7).unwrap();
        assert!(!page.entries.is_empty() && page.entries.len() <= 7);
        paged.extend(page.entries);
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    assert_eq!(paged, all);

    assert_eq!(fresh.log.list(None, 25).unwrap().next, None, "a page that ends with the log is the last");
    assert_eq!(fresh.log.list(None, 0).unwrap().entries.len(), 1, "a page has at least one row");
    for n in 25..230 {
        fresh.log.record(Some(id(n)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
    }
    assert_eq!(fresh.log.list(None, 1000).unwrap().entries.len(), 200, "and at most 200");
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_the_log() {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = Fresh::new();
    fresh.log.record(Some(id(1)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
    for ending in ["", "-wal", "-shm"] {
        let mut path = fresh.path.clone().into_os_string();
        path.push(ending);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path:?} is {mode:o}");
    }
}

/// Three calls as both witnesses report them; some reports carry our name of the call, some only Twilio's.
fn reports() -> Vec<(Option<CallId>, CallEvent)> {
    let mut reports = Vec::new();
    for n in 1..=3_u8 {
        let (call, parent, child) = (id(u128::from(n)), sid(n), sid(n + 100));
        let at = START + i64::from(n) * 60_000;
        reports.extend([
            (Some(call), sdk(None, SdkCallEvent::Dialing, at)),
            (Some(call), routed(parent.clone(), at + 100)),
            (Some(call), sdk(Some(parent.clone()), SdkCallEvent::Ringing, at + 900)),
            (None, far_leg(parent.clone(), child.clone(), CallStatus::Initiated, 0, at + 300)),
            (None, far_leg(parent.clone(), child.clone(), CallStatus::Ringing, 1, at + 800)),
        ]);
        if n == 2 {
            reports.push((None, far_leg(parent.clone(), child, CallStatus::Busy, 2, at + 4000)));
        } else {
            reports
                .push((None, far_leg(parent.clone(), child.clone(), CallStatus::InProgress, 2, at + 4000)));
            reports.push((Some(call), sdk(Some(parent.clone()), SdkCallEvent::Accepted, at + 4100)));
            reports.push((None, far_leg(parent.clone(), child, CallStatus::Completed, 3, at + 11_000)));
        }
        reports.push((Some(call), sdk(Some(parent), SdkCallEvent::Ended, at + 11_500)));
    }
    reports
}

/// What the rows say, whatever name each call was first reported under.
fn without_names(rows: Vec<CallLogEntry>) -> BTreeMap<i64, CallLogEntry> {
    rows.into_iter().map(|row| (row.started_at_ms, CallLogEntry { id: id(0), ..row })).collect()
}

#[test]
fn many_recorded_at_once_are_as_if_one_after_the_other() {
    let one_by_one = Fresh::new();
    let answers: Vec<_> = reports()
        .into_iter()
        .chain(reports())
        .map(|(call, event)| one_by_one.log.record(call, event).unwrap())
        .collect();
    let at_once = Fresh::new();
    let twice: Vec<_> = reports().into_iter().chain(reports()).collect();
    assert_eq!(at_once.log.record_all(&twice).unwrap(), answers);
    assert_eq!(at_once.reopened().rows(), one_by_one.rows());
}

#[test]
fn of_many_recorded_at_once_none_is_kept_when_one_cannot_be() {
    let fresh = Fresh::new();
    let stranger = rusqlite::Connection::open(&fresh.path).unwrap();
    stranger
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON call_events WHEN NEW.event LIKE '%completed%'
             BEGIN SELECT RAISE(ABORT, 'refused by this test'); END",
        )
        .unwrap();
    fresh.log.record_all(&reports()).unwrap_err();
    assert_eq!(fresh.rows(), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_rows_do_not_depend_on_the_order_of_arrival(
        shuffled in Just(reports().into_iter().chain(reports()).collect::<Vec<_>>()).prop_shuffle(),
        restart in 0..50_usize,
    ) {
        let orderly = Fresh::new();
        for (call, event) in reports() {
            orderly.log.record(call, event).unwrap();
        }
        let expected = without_names(orderly.rows());
        prop_assert_eq!(expected.len(), 3);

        let mut shaken = Fresh::new();
        let mut removed = Vec::new();
        for (n, (call, event)) in shuffled.into_iter().enumerate() {
            if n == restart {
                shaken = shaken.reopened();
            }
            let before = shaken.rows();
            let recorded = shaken.log.record(call, event).unwrap();
            let after = shaken.rows();
            match recorded {
                None => prop_assert_eq!(before, after),
                Some(recorded) => {
                    prop_assert!(after.contains(&recorded.entry));
                    for gone in &recorded.removed {
                        prop_assert!(before.iter().any(|row| row.id == *gone) && after.iter().all(|row| row.id != *gone));
                    }
                    removed.extend(recorded.removed);
                }
            }
        }
        let rows = shaken.rows();
        for name in (1..=3).map(id).chain(removed) {
            let row = shaken.log.get(name).unwrap();
            prop_assert!(row.is_some_and(|row| rows.contains(&row)));
        }
        prop_assert_eq!(without_names(rows), expected);
    }
}
