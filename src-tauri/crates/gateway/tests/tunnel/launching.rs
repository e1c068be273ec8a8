//! Programs are started so that nothing of them is left behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dialer_gateway::tunnel::{
    LaunchError, Launcher as _, Output, Program, RunningProgram, TokioLauncher, guarded,
};
use tokio::sync::mpsc::Receiver;

use super::site::{PATIENCE, is_alive, number_in, signal, wait_until};

fn shell(script: &str) -> Program {
    Program {
        path: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: vec![("SAID".to_owned(), "by the environment".into())],
    }
}

pub(super) fn launch(program: &Program) -> (Box<dyn RunningProgram>, Receiver<Output>) {
    TokioLauncher.launch(program).unwrap()
}

/// Everything that is said until the end, which must come.
async fn all(said: &mut Receiver<Output>) -> Vec<Output> {
    let mut all = Vec::new();
    let reading = async {
        while let Some(output) = said.recv().await {
            all.push(output);
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "the program does not end");
    all
}

/// A program and a child of it that leave their process ids in `folder`.
pub(super) fn family(folder: &Path) -> Program {
    let folder = folder.to_str().unwrap();
    shell(&format!("sleep 600 & echo $! >{folder}/child; echo $$ >{folder}/parent; wait"))
}

pub(super) async fn pids(folder: &Path) -> [u32; 2] {
    [number_in(&folder.join("parent")).await, number_in(&folder.join("child")).await]
}

pub(super) async fn gone(pids: [u32; 2]) {
    wait_until("the end of the program and its child", || !pids.iter().any(|pid| is_alive(*pid))).await;
}

#[tokio::test]
async fn both_outputs_and_the_code_arrive() {
    let program = shell("echo \"$SAID\"; echo err >&2; printf 'no end of line'; exit 7");
    let (_program, mut said) = launch(&program);
    let said = all(&mut said).await;
    for line in ["by the environment", "no end of line"] {
        assert!(said.contains(&Output::Stdout(line.to_owned())), "{said:?}");
    }
    assert!(said.contains(&Output::Stderr("err".to_owned())), "{said:?}");
    assert_eq!(said.last(), Some(&Output::Ended { code: Some(7) }));
}

#[tokio::test]
async fn standard_input_is_empty_and_a_signal_is_no_code() {
    let (_program, mut said) = launch(&shell("cat; echo read; kill -KILL $$"));
    let said = all(&mut said).await;
    assert!(said.contains(&Output::Stdout("read".to_owned())), "{said:?}");
    assert_eq!(said.last(), Some(&Output::Ended { code: None }));
}

#[tokio::test]
async fn a_talkative_program_is_not_stopped_by_a_full_pipe() {
    let (_program, mut said) = launch(&shell("yes 0123456789 | head -n 200000; yes x | head -n 200000 >&2"));
    assert_eq!(all(&mut said).await.len(), 400_001);
}

#[tokio::test]
async fn a_killed_program_takes_its_children_along() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, mut said) = launch(&family(folder.path()));
    let pids = pids(folder.path()).await;
    program.kill();
    assert_eq!(all(&mut said).await.last(), Some(&Output::Ended { code: None }));
    gone(pids).await;
}

#[tokio::test]
async fn a_program_that_ends_leaves_no_children() {
    let folder = tempfile::tempdir().unwrap();
    let (_program, mut said) = launch(&family(folder.path()));
    let pids = pids(folder.path()).await;
    signal("KILL", pids[0]);
    all(&mut said).await;
    gone(pids).await;
}

#[tokio::test]
async fn dropping_it_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = launch(&family(folder.path()));
    let pids = pids(folder.path()).await;
    drop(running);
    gone(pids).await;
}

#[tokio::test]
async fn a_program_that_does_not_listen_is_made_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let pid_file = folder.path().join("pid");
    let script = format!("trap '' TERM INT HUP; echo $$ >{}; while :; do sleep 1; done", pid_file.display());
    let (mut program, mut said) = launch(&shell(&script));
    let pid = number_in(&pid_file).await;
    program.kill();
    all(&mut said).await;
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn what_cannot_be_started_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let missing =
        Program { path: folder.path().join("missing"), arguments: Vec::new(), environment: Vec::new() };
    assert!(matches!(TokioLauncher.launch(&missing), Err(LaunchError::Missing(_))));
    let text = folder.path().join("text");
    std::fs::write(&text, "").unwrap();
    let denied = Program { path: text, ..missing };
    assert!(matches!(TokioLauncher.launch(&denied), Err(LaunchError::Denied(_))));
}

/// The process of the next test that is killed: it starts a program and waits for its own end.
#[tokio::test]
#[ignore = "run by the test below, in a process of its own"]
async fn the_process_that_is_killed() {
    let folder = std::env::var("KILLED_IN").unwrap();
    let _running = launch(&family(Path::new(&folder)));
    tokio::time::sleep(Duration::from_secs(600)).await;
}

#[tokio::test]
async fn nothing_is_left_when_this_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut killed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tunnel::launching::the_process_that_is_killed", "--ignored"])
        .env("KILLED_IN", folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let pids = pids(folder.path()).await;
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    // SIGKILL: nothing of that process runs after this.
    killed.kill().unwrap();
    killed.wait().unwrap();
    gone(pids).await;
}

#[tokio::test]
async fn the_guard_works_for_whoever_holds_the_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let program = guarded(&family(folder.path()));
    // As another launcher does it: no process group, just a pipe.
    let mut guard = Command::new(program.path)
        .args(program.arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pids = pids(folder.path()).await;
    drop(guard.stdin.take());
    gone(pids).await;
    assert_eq!(guard.wait().unwrap().code(), Some(143), "128 and the number of SIGTERM");
}

#[tokio::test]
async fn what_a_program_leaves_behind_hides_its_end_from_no_launcher() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("left");
    let script = format!("sleep 600 & echo $! >{}; exit 7", left.display());
    let program = guarded(&shell(&script));
    let mut guard = tokio::process::Command::new(program.path)
        .args(program.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // As the app's launcher does it: it hears of the end when all that could speak is gone.
    let mut said = String::new();
    let mut stdout = guard.stdout.take().unwrap();
    let reading = tokio::io::AsyncReadExt::read_to_string(&mut stdout, &mut said);
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "the end is not heard");
    assert!(!is_alive(number_in(&left).await));
    let lifeline = guard.stdin.take();
    assert_eq!(guard.wait().await.unwrap().code(), Some(7));
    drop(lifeline);
}
