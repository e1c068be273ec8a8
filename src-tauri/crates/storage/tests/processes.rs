//! The log across processes: killed in the middle of its work, opened twice, run as somebody else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Stdio};

use dialer_domain::call::SdkCallEvent;
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::ports::CallStore as _;
use dialer_storage::call_log::{CallLogError, SqliteCallLog};

use crate::call_log::{START, id, sdk};

const LOG: &str = "DIALER_TEST_CALL_LOG";

/// A process that records one call after another and tells each that is recorded.
struct Writer {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Writer {
    fn start(path: &std::path::Path) -> Self {
        let mut process = crate::child::command("processes::child_records_without_end")
            .env(LOG, path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// Waits until `count` more calls are recorded; answers with the number of the last.
    fn wait_for(&mut self, count: usize) -> u128 {
        let mut last = None;
        let mut seen = 0;
        while seen < count {
            let mut line = String::new();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the child ended before it was killed");
            if let Some(number) = line.trim().strip_prefix("recorded ") {
                last = Some(number.parse().unwrap());
                seen += 1;
            }
        }
        last.unwrap()
    }

    /// Kills the process as `kill -9` does; answers with the number of the last call it told of.
    fn kill(mut self, mut last: u128) -> u128 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        // The last line may have been cut off by the kill.
        for line in rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            last = line.strip_prefix("recorded ").unwrap().parse().unwrap();
        }
        last
    }
}

#[test]
#[ignore = "the process that other tests kill"]
fn child_records_without_end() {
    let log = SqliteCallLog::open(&crate::child::path_from_parent(LOG)).unwrap();
    assert_eq!(log.set_aside, None);
    let log = log.log;
    // A call that was cut off between its two events is begun again: nobody was told it was recorded.
    let next = |entry: &CallLogEntry| entry.id.0.as_u128() + u128::from(entry.ended_at_ms.is_some());
    let done = log.list(None, 1).unwrap().entries.first().map_or(0, next);
    let mut output = std::io::stdout();
    for n in done.. {
        let at_ms = START + i64::try_from(n).unwrap();
        log.record(Some(id(n)), sdk(None, SdkCallEvent::Dialing, at_ms)).unwrap();
        log.record(Some(id(n)), sdk(None, SdkCallEvent::HungUp, at_ms + 1)).unwrap();
        if writeln!(output, "recorded {n}").and_then(|()| output.flush()).is_err() {
            // Nobody listens any more: the parent is gone.
            return;
        }
    }
}

#[test]
fn a_killed_program_loses_nothing_it_had_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.sqlite");
    for count in [1, 40, 90] {
        let mut writer = Writer::start(&path);
        let last = writer.wait_for(count);
        let last = writer.kill(last);
        let opened = SqliteCallLog::open(&path).unwrap();
        assert_eq!(opened.set_aside, None, "being killed is no damage");
        for n in 0..=last {
            let entry =
                opened.log.get(id(n)).unwrap().unwrap_or_else(|| panic!("call {n} of {last} is lost"));
            assert!(entry.ended_at_ms.is_some(), "the second event of call {n} is lost");
        }
    }
}

#[test]
fn a_second_program_on_the_same_log_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("calls.sqlite");
    let mut writer = Writer::start(&path);
    let last = writer.wait_for(1);
    let error = SqliteCallLog::open(&path).unwrap_err();
    assert!(matches!(error, CallLogError::InUse { .. }), "{error:?}");
    assert!(error.user_error().message.contains("another copy of the program. Close that one"));
    writer.kill(last);
    let opened = SqliteCallLog::open(&path).unwrap();
    assert!(
        matches!(SqliteCallLog::open(&path).unwrap_err(), CallLogError::InUse { .. }),
        "nor twice in one program"
    );
    drop(opened);
    SqliteCallLog::open(&path).unwrap();
}

/// Permissions do not bind the superuser, so there the test runs as nobody.
#[cfg(unix)]
#[test]
fn a_log_without_permission_is_told_and_left_alone() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let folder = tempfile::tempdir().unwrap();
    let superuser = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    // Nobody may not enter every folder this binary can be in.
    let binary = folder.path().join("test-binary");
    std::fs::copy(crate::child::this_binary(), &binary).unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();

    let place = folder.path().join("place");
    std::fs::create_dir(&place).unwrap();
    if superuser {
        std::os::unix::fs::chown(&place, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mut command = std::process::Command::new(&binary);
    command
        .args(crate::child::arguments("processes::child_without_permission"))
        .env(LOG, place.join("calls.sqlite"));
    if superuser {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[cfg(unix)]
#[test]
#[ignore = "part of the test above, as a user whom permissions bind"]
fn child_without_permission() {
    use std::os::unix::fs::PermissionsExt as _;

    let path = crate::child::path_from_parent(LOG);
    let folder = path.parent().unwrap().to_owned();
    let allow = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let refused = |what: &str| {
        let error = SqliteCallLog::open(&path).unwrap_err();
        assert!(matches!(error, CallLogError::NotPermitted { .. }), "{what}: {error:?}");
        let told = error.user_error();
        assert!(
            told.message.contains("Check that you own the file") && told.detail.is_some(),
            "{what}: {told:?}"
        );
    };
    allow(&folder, 0o500);
    refused("a read-only folder, no log yet");
    allow(&folder, 0o700);

    let log = SqliteCallLog::open(&path).unwrap().log;
    log.record(Some(id(1)), sdk(None, SdkCallEvent::Dialing, START)).unwrap();
    drop(log);
    for mode in [0o400, 0o000] {
        allow(&path, mode);
        refused("a log that may not be written");
        allow(&path, 0o600);
    }
    allow(&folder, 0o500);
    refused("a read-only folder");
    allow(&folder, 0o700);
    assert_eq!(SqliteCallLog::open(&path).unwrap().log.list(None, 5).unwrap().entries.len(), 1);
}
