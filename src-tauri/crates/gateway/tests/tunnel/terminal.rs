//! Programs are started from a terminal as well: neither they nor what starts them may be stopped by it,
//! or take it.
//!
//! `script` gives a terminal to a shell, which starts this test program again as a shell does, and that
//! starts a tunnel program. Needs Debian's `bsdutils`.

use std::process::Stdio;

use dialer_gateway::tunnel::{Program, apart, guarded};

use super::launching::{family, gone, launch, pids};
use super::site::PATIENCE;

/// The fields of a process in `/proc` from the third on: its state, its parent, its group, its session,
/// its terminal, the terminal's foreground group.
fn fields(pid: u32) -> Vec<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().unwrap_or_default().split(' ').map(str::to_owned).collect()
}

/// What the app sees on a terminal, of which it is in the foreground or not.
struct Seat {
    group: String,
    foreground: String,
}

impl Seat {
    fn here() -> Self {
        let fields = fields(std::process::id());
        assert_ne!(fields[4], "0", "this process has no terminal");
        Self { group: fields[2].clone(), foreground: fields[5].clone() }
    }
}

/// A process on a terminal that starts a program as `STARTED_BY` says, and ends it.
#[tokio::test]
#[ignore = "run by the tests below, on a terminal"]
async fn the_process_on_the_terminal() {
    let before = Seat::here();
    let in_front = std::env::var("SEAT").unwrap() == "front";
    assert_eq!(before.group == before.foreground, in_front, "the shell began the process otherwise");
    let folder = tempfile::tempdir().unwrap();
    let program = family(folder.path());
    if std::env::var("STARTED_BY").unwrap() == "tokio" {
        let running = launch(&program);
        let pids = pids(folder.path()).await;
        let guard = running.0.pid();
        watch(&before, &[guard, pids[0], pids[1]]);
        drop(running);
        gone(pids).await;
    } else {
        let Program { path, arguments, .. } = apart(guarded(&program));
        let mut guard =
            std::process::Command::new(path).args(arguments).stdin(Stdio::piped()).spawn().unwrap();
        let pids = pids(folder.path()).await;
        watch(&before, &[guard.id(), pids[0], pids[1]]);
        drop(guard.stdin.take());
        gone(pids).await;
        guard.wait().unwrap();
    }
    assert_eq!(Seat::here().foreground, before.foreground);
}

/// Nobody is stopped, and the terminal is whose it was.
fn watch(before: &Seat, pids: &[u32]) {
    for pid in pids {
        let fields = fields(*pid);
        assert!(["R", "S", "D"].contains(&fields[0].as_str()), "state {}", fields[0]);
        assert_eq!(fields[4], "0", "it has the terminal, and what that sends reaches it");
    }
    assert_eq!(Seat::here().foreground, before.foreground, "the terminal was taken");
}

/// Runs the process above on a terminal, started by a shell with the words `start`.
async fn on_a_terminal(seat: &str, started_by: &str, start: &str) {
    let mut terminal = tokio::process::Command::new("script")
        .args(["--quiet", "--return", "--command", start, "/dev/null"])
        .env("SHELL", "/bin/sh")
        .env("TEST", std::env::current_exe().unwrap())
        .env("SEAT", seat)
        .env("STARTED_BY", started_by)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = terminal.stdout.take().unwrap();
    let mut text = Vec::new();
    let ended = async {
        tokio::io::AsyncReadExt::read_to_end(&mut said, &mut text).await.unwrap();
        terminal.wait().await.unwrap()
    };
    // The process itself gives up sooner, unless it was stopped.
    let ended = tokio::time::timeout(PATIENCE + PATIENCE / 2, ended).await;
    let text = String::from_utf8_lossy(&text);
    assert!(ended.is_ok_and(|ended| ended.success()) && text.contains("1 passed"), "{text}");
}

const IN_FRONT: &str = r#"set -m; "$TEST" --exact tunnel::terminal::the_process_on_the_terminal --ignored"#;
const BEHIND: &str =
    r#"set -m; "$TEST" --exact tunnel::terminal::the_process_on_the_terminal --ignored & wait $!"#;

#[tokio::test]
async fn the_terminal_stays_with_a_process_in_front_that_leads_the_session_itself() {
    on_a_terminal("front", "tokio", IN_FRONT).await;
}

#[tokio::test]
async fn the_terminal_stays_with_a_process_in_front_that_just_starts_what_it_is_told() {
    on_a_terminal("front", "another", IN_FRONT).await;
}

#[tokio::test]
async fn a_process_behind_is_not_stopped_by_the_terminal() {
    on_a_terminal("behind", "tokio", BEHIND).await;
    on_a_terminal("behind", "another", BEHIND).await;
}
