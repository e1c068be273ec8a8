//! The task that carries out what the state machine decides.

mod errands;
mod interface;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::error::UserError;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use url::Url;

use super::log::Log;
use super::look::Looker;
use super::machine::{Action, Event, Machine, Moment, Outcome, Rules};
use super::program::{LaunchError, Output, RunningProgram};
use super::provider::{Finding, Provider, Report, Start, provider, trouble};
use super::{TunnelOptions, TunnelState};

use errands::Errands;
use interface::Interface;

/// How far the wall clock may run ahead of ours before we take it that the computer slept.
const SLEPT: Duration = Duration::from_secs(20);
/// The longest sleep without looking at the wall clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// What the owner of the tunnel tells the task. When the sender is gone, the tunnel ends.
#[derive(Debug)]
pub(crate) enum Command {
    Retry,
    NetworkChanged,
    Offline(bool),
    InCall(bool),
    WebhookSeen,
}

impl From<Command> for Event {
    fn from(command: Command) -> Self {
        match command {
            Command::Retry => Self::Retry,
            Command::NetworkChanged => Self::NetworkChanged,
            Command::Offline(offline) => Self::Offline(offline),
            Command::InCall(in_call) => Self::InCall(in_call),
            Command::WebhookSeen => Self::WebhookSeen,
        }
    }
}

/// Runs until the sender of `commands` is gone, then ends the program and waits for its end.
pub(crate) async fn run(
    options: TunnelOptions,
    mut commands: mpsc::UnboundedReceiver<Command>,
    tell: watch::Sender<TunnelState>,
    log: Log,
) {
    match Supervisor::new(options, tell.clone(), log) {
        Ok(supervisor) => supervisor.run(commands).await,
        Err(reason) => {
            tracing::warn!(reason = reason.message, "the tunnel cannot be brought up as it was chosen");
            tell.send_replace(TunnelState::Open { reason, until_ms: None });
            // Another choice makes another tunnel.
            while commands.recv().await.is_some() {}
        }
    }
    tell.send_replace(TunnelState::Off);
}

struct Supervisor {
    options: TunnelOptions,
    provider: Arc<dyn Provider>,
    machine: Machine,
    looker: Looker,
    interface: Interface,
    /// Where the program answers questions.
    interface_at: Option<SocketAddr>,
    running: Option<Running>,
    /// Questions and looks under way.
    errands: Errands,
    began: Instant,
    began_ms: i64,
    /// How far the wall clock ran ahead when it was last looked at, in milliseconds.
    ahead_ms: i64,
    tell: watch::Sender<TunnelState>,
    log: Log,
}

/// The program, until it has ended and everything it said was read.
struct Running {
    program: Box<dyn RunningProgram>,
    said: mpsc::Receiver<Output>,
}

impl Supervisor {
    fn new(options: TunnelOptions, tell: watch::Sender<TunnelState>, log: Log) -> Result<Self, UserError> {
        let provider: Arc<dyn Provider> = provider(&options.choice)?.into();
        let machine = Machine::new(Rules {
            pace: provider.pace(&options.periods),
            periods: options.periods.clone(),
            address: provider.address().cloned(),
            has_program: provider.has_program(),
            has_interface: !provider.questions().is_empty(),
        });
        let looker = Looker::new(&options)?;
        let interface = Interface::new(options.periods.probe_timeout)?;
        let (began, began_ms) = (Instant::now(), options.clock.now_ms());
        Ok(Self {
            options,
            provider,
            machine,
            looker,
            interface,
            interface_at: None,
            running: None,
            errands: Errands::default(),
            began,
            began_ms,
            ahead_ms: 0,
            tell,
            log,
        })
    }

    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        self.handle(Event::Tick);
        loop {
            let tick = self.machine.next_tick().map(|due| self.began + due);
            let tick = tick.unwrap_or_else(|| Instant::now() + LONGEST_SLEEP);
            let tick = tick.min(Instant::now() + LONGEST_SLEEP);
            let event = tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => command.into(),
                    None => break,
                },
                output = next_output(&mut self.running) => match self.heard(output) {
                    Some(event) => event,
                    None => continue,
                },
                Some(event) = self.errands.next() => event,
                () = tokio::time::sleep_until(tick) => Event::Tick,
            };
            self.handle(event);
            if self.slept() {
                self.handle(Event::NetworkChanged);
            }
        }
        self.end().await;
    }

    fn handle(&mut self, event: Event) {
        let now = self.now();
        let mut actions: std::collections::VecDeque<_> = self.machine.handle(event, now).into();
        while let Some(action) = actions.pop_front() {
            if let Some(event) = self.carry_out(action) {
                actions.extend(self.machine.handle(event, now));
            }
        }
        let state = self.machine.state();
        let changed = self.tell.send_if_modified(|told| {
            let changed = told != state;
            told.clone_from(state);
            changed
        });
        if changed {
            report(state);
        }
    }

    /// The public address, as far as it is known.
    fn address(&self) -> Option<&Url> {
        match self.machine.state() {
            TunnelState::Verifying { url }
            | TunnelState::Up { url, .. }
            | TunnelState::Degraded { url, .. } => Some(url),
            TunnelState::Off
            | TunnelState::Starting
            | TunnelState::Backoff { .. }
            | TunnelState::Open { .. } => self.provider.address(),
        }
    }

    fn now(&self) -> Moment {
        Moment {
            elapsed: self.began.elapsed(),
            unix_ms: self.options.clock.now_ms(),
            chance: rand::random_range(0.0..1.0),
            way_out: self.looker.way_out(self.address()),
        }
    }

    /// Whether the computer slept since this was last asked: the wall clock then jumps ahead of ours.
    fn slept(&mut self) -> bool {
        let elapsed_ms = i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let ahead_ms = self.options.clock.now_ms() - self.began_ms - elapsed_ms;
        let jump = ahead_ms - std::mem::replace(&mut self.ahead_ms, ahead_ms);
        u64::try_from(jump).is_ok_and(|jump| Duration::from_millis(jump) >= SLEPT)
    }

    fn carry_out(&mut self, action: Action) -> Option<Event> {
        match action {
            Action::Launch => self.launch().err(),
            Action::End => {
                if let Some(running) = &mut self.running {
                    running.program.kill();
                }
                None
            }
            Action::Abandon => {
                tracing::warn!("a tunnel program does not end; it is left to the system");
                self.running = None;
                None
            }
            Action::Look(number, url) => {
                let looker = self.looker.clone();
                let failed = Outcome::Missed(trouble(
                    "The public address could not be looked at, by a fault of this program. If this goes on, \
                     restart the program.",
                ));
                self.errands.send(Event::Looked(number, failed), async move {
                    Event::Looked(number, looker.look(&url).await)
                });
                None
            }
            Action::Ask(attempt) => {
                let (provider, interface) = (Arc::clone(&self.provider), self.interface.clone());
                let (at, local_port) = (self.interface_at, self.options.local_port);
                self.errands.send(Event::Asked(attempt, Report::Silent), async move {
                    let answers = interface.ask(at, provider.questions()).await;
                    Event::Asked(attempt, provider.report(&answers, local_port))
                });
                None
            }
        }
    }

    /// Starts the program; what happened instead is the error.
    fn launch(&mut self) -> Result<(), Event> {
        self.interface_at = None;
        let folder = &self.options.folder;
        std::fs::create_dir_all(folder).map_err(|error| {
            let reason = format!("The folder {} could not be made. Check its permissions.", folder.display());
            Event::NotStarted(trouble(reason).with_detail(error.to_string()))
        })?;
        let token = self.options.token.as_ref();
        let start = Start { local_port: self.options.local_port, folder, token };
        let Some(program) = self.provider.program(&start).map_err(Event::NotStarted)? else { return Ok(()) };
        let (program, said) = self.options.launcher.launch(&program).map_err(|error| {
            let reason = "The tunnel program could not be started. Check that it is complete and may be run.";
            let reason = trouble(reason).with_detail(error.to_string());
            match error {
                LaunchError::Missing(_) | LaunchError::Denied(_) => Event::NotStarted(reason),
                // The system may have been short of something.
                LaunchError::Failed { .. } => Event::Ended(reason),
            }
        })?;
        tracing::info!(pid = program.pid(), "the tunnel program is starting");
        self.running = Some(Running { program, said });
        Ok(())
    }

    /// What the program's output means.
    fn heard(&mut self, output: Output) -> Option<Event> {
        let line = match output {
            Output::Stdout(line) | Output::Stderr(line) => line,
            Output::Ended { code } => {
                self.running = None;
                self.interface_at = None;
                return Some(Event::Ended(self.provider.ended(code)));
            }
        };
        let kept = self.log.add(&line);
        tracing::debug!(line = kept, "the tunnel program says");
        let finding = self.provider.read(&line)?;
        if let Finding::Interface(at) = &finding {
            self.interface_at = Some(*at);
        }
        Some(Event::Said(finding))
    }

    /// Ends the program and waits for it.
    async fn end(mut self) {
        self.errands.abort_all();
        let Some(mut running) = self.running.take() else { return };
        running.program.kill();
        let ended = async {
            loop {
                match running.said.recv().await {
                    Some(Output::Ended { .. }) | None => break,
                    Some(Output::Stdout(_) | Output::Stderr(_)) => {}
                }
            }
        };
        if tokio::time::timeout(self.options.periods.end, ended).await.is_err() {
            tracing::warn!("a tunnel program does not end; it is left to the system");
        }
    }
}

/// The next thing the program says; for ever nothing when there is none.
async fn next_output(running: &mut Option<Running>) -> Output {
    match running {
        Some(running) => running.said.recv().await.unwrap_or(Output::Ended { code: None }),
        None => std::future::pending().await,
    }
}

/// Tells the log of the program how the tunnel stands.
fn report(state: &TunnelState) {
    let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
    match state {
        TunnelState::Off | TunnelState::Starting => {}
        TunnelState::Verifying { url } => {
            tracing::info!(host = host(url), "the tunnel's address is being proven")
        }
        TunnelState::Up { url, .. } => tracing::info!(host = host(url), "the tunnel is up"),
        TunnelState::Degraded { reason, .. } => {
            tracing::warn!(reason = reason.message, "the tunnel does not answer");
        }
        TunnelState::Backoff { failures, reason, .. } => {
            tracing::warn!(failures, reason = reason.message, "the tunnel failed and will be tried again");
        }
        TunnelState::Open { reason, .. } => {
            tracing::warn!(reason = reason.message, "the tunnel needs the agent");
        }
    }
}
