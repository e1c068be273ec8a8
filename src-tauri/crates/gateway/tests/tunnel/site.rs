//! A webhook server with a tunnel to it, and a place of its own for the other side.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use dialer_domain::ports::SystemClock;
use dialer_domain::setup::TunnelChoice;
use dialer_gateway::tunnel::{Periods, TokioLauncher, Tunnel, TunnelOptions, TunnelState};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::desk::Desk;

/// How long a test waits for what must come. Nothing is measured by it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Periods short enough for a test, yet long enough for a busy computer.
pub(crate) fn periods() -> Periods {
    let ms = Duration::from_millis;
    Periods {
        start_deadline: ms(10_000),
        settle: ms(1_000),
        verify_pauses: [ms(100), ms(200), ms(400)],
        probe: ms(200),
        probe_in_call: ms(200),
        probe_quick: ms(200),
        probe_ngrok: ms(200),
        probe_after_miss: ms(200),
        probe_timeout: ms(2_000),
        agent_starting: ms(100),
        agent: ms(200),
        reconnect: ms(1_500),
        backoff_base: ms(100),
        backoff_cap: ms(400),
        backoff_base_quick: ms(100),
        backoff_cap_quick: ms(400),
        network_settle: ms(500),
        ..Periods::default()
    }
}

/// A loopback address that no other test uses, so that fixed ports are free on it.
pub(crate) fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    // Another run of the tests on the same computer has another process id.
    let [.., a, b] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, a.max(1), b, NEXT.fetch_add(1, Ordering::SeqCst))
}

pub(crate) struct Site {
    pub(crate) desk: Desk,
    pub(crate) folder: TempDir,
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self { desk: Desk::open_without_base(|_| ()).await, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.desk.gateway.local_addr().port()
    }

    pub(crate) fn options(&self, choice: TunnelChoice) -> TunnelOptions {
        TunnelOptions {
            choice,
            token: None,
            local_port: self.port(),
            proof: self.desk.gateway.proof(),
            launcher: Arc::new(TokioLauncher),
            clock: Arc::new(SystemClock),
            folder: self.folder.path().join("a folder for 100% of it"),
            trust: Vec::new(),
            addresses: Vec::new(),
            periods: periods(),
        }
    }
}

/// A tunnel and what was seen of it.
pub(crate) struct Watched {
    pub(crate) tunnel: Tunnel,
    states: watch::Receiver<TunnelState>,
}

impl Watched {
    pub(crate) fn start(options: TunnelOptions) -> Self {
        let tunnel = Tunnel::start(options);
        let states = tunnel.watch();
        Self { tunnel, states }
    }

    /// Waits for a state and returns it.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        wanted: impl FnMut(&TunnelState) -> bool,
    ) -> TunnelState {
        let found = tokio::time::timeout(PATIENCE, self.states.wait_for(wanted))
            .await
            .map(|state| state.unwrap().clone());
        found.unwrap_or_else(|_| {
            panic!("waited for {what}: {:?}\n{}", *self.states.borrow(), self.tunnel.log().join("\n"))
        })
    }

    /// Waits until it is up and returns the address.
    pub(crate) async fn up(&mut self) -> String {
        let state = self.until("being up", |state| matches!(state, TunnelState::Up { .. })).await;
        let TunnelState::Up { url, .. } = state else { panic!("{state:?}") };
        url.to_string()
    }

    /// Waits until it is not up for a reason that contains `words`.
    pub(crate) async fn fails(&mut self, words: &str) {
        let failed = |state: &TunnelState| reason(state).is_some_and(|reason| reason.contains(words));
        self.until(words, failed).await;
    }

    /// Waits until the agent is asked for help for a reason that contains `words`.
    pub(crate) async fn opens(&mut self, words: &str) {
        let open = |state: &TunnelState| {
            matches!(state, TunnelState::Open { .. })
                && reason(state).is_some_and(|reason| reason.contains(words))
        };
        self.until(words, open).await;
    }
}

/// The reason of a state that has one.
fn reason(state: &TunnelState) -> Option<&str> {
    match state {
        TunnelState::Degraded { reason, .. }
        | TunnelState::Backoff { reason, .. }
        | TunnelState::Open { reason, .. } => Some(&reason.message),
        TunnelState::Off | TunnelState::Starting | TunnelState::Verifying { .. } | TunnelState::Up { .. } => {
            None
        }
    }
}

/// Where a server program is: seldom on the `PATH` of anyone but root.
pub(crate) fn server(name: &str) -> PathBuf {
    let places = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(|folder| Path::new(folder).join(name));
    places
        .into_iter()
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{name} must be installed for this test"))
}

/// Sends a signal to a process of this test.
pub(crate) fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap().success());
}

/// Whether a process is there and not just waiting to be collected.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['Z', 'X']))
}

/// Waits until something holds that nobody announces.
pub(crate) async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited for {what}");
}

/// Waits until somebody listens.
pub(crate) async fn wait_for_listener(address: IpAddr, port: u16) {
    wait_until("a listener", || std::net::TcpStream::connect((address, port)).is_ok()).await;
}

/// The number in a file, once it is there.
pub(crate) async fn number_in(path: &Path) -> u32 {
    let read = || std::fs::read_to_string(path).ok()?.trim().parse().ok();
    wait_until("a number in a file", || read().is_some()).await;
    read().unwrap()
}

pub(crate) fn token(text: &str) -> Option<SecretString> {
    Some(SecretString::from(text))
}
