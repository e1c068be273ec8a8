//! The task with a launcher whose programs end at once, in time that passes as it is told.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use dialer_domain::ports::Clock;
use dialer_domain::setup::TunnelChoice;

use super::*;
use crate::Proof;
use crate::tunnel::{Launcher, Periods, Program};

/// Starts nothing; counts how often it was to.
#[derive(Default)]
struct Dying(AtomicUsize);

struct Dead;

impl RunningProgram for Dead {
    fn pid(&self) -> u32 {
        0
    }

    fn kill(&mut self) {}
}

impl Launcher for Dying {
    fn launch(
        &self,
        _program: &Program,
    ) -> Result<(Box<dyn RunningProgram>, mpsc::Receiver<Output>), LaunchError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let (say, said) = mpsc::channel(1);
        say.try_send(Output::Ended { code: Some(1) }).unwrap();
        Ok((Box::new(Dead), said))
    }
}

/// The wall clock of a computer that does not sleep, in the time of the test.
struct Awake(Instant);

impl Clock for Awake {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

static WAY_OUT: AtomicBool = AtomicBool::new(false);

#[tokio::test(start_paused = true)]
async fn a_start_without_a_network_goes_on_when_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let launcher = Arc::new(Dying::default());
    let starts = || launcher.0.load(Ordering::SeqCst);
    let options = TunnelOptions {
        choice: TunnelChoice::Command {
            program: std::env::current_exe().unwrap().to_str().unwrap().to_owned(),
            arguments: Vec::new(),
            url_pattern: None,
            url: Some("https://phone.example.com".to_owned()),
        },
        token: None,
        local_port: 9,
        proof: Proof::new(),
        launcher: launcher.clone(),
        clock: Arc::new(Awake(Instant::now())),
        folder: folder.path().to_owned(),
        trust: Vec::new(),
        addresses: Vec::new(),
        periods: Periods::default(),
    };
    let (tell, state) = watch::channel(TunnelState::Off);
    let mut supervisor = Supervisor::new(options, tell, Log::new(None)).unwrap();
    supervisor.looker.way_out = || WAY_OUT.load(Ordering::SeqCst);
    let (commands, received) = mpsc::unbounded_channel();
    let supervising = tokio::spawn(supervisor.run(received));
    // Long enough for every failure to have opened the breaker.
    tokio::time::sleep(Duration::from_secs(605)).await;
    {
        let state = state.borrow();
        let TunnelState::Backoff { reason, .. } = &*state else { panic!("{state:?}") };
        assert!(reason.message.contains("offline"), "{}", reason.message);
    }
    let offline = starts();
    assert!((5..=11).contains(&offline), "{offline} starts in ten minutes");
    WAY_OUT.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(starts() > offline, "it waits although there is a network");
    drop(commands);
    supervising.await.unwrap();
}
