//! The phone in use: practice, or the connected account.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::{Clock, Vault};
use dialer_domain::setup::Record;
use dialer_simulator::Simulator;
use dialer_storage::call_log::CallLogError;
use dialer_storage::folders::Folders;
use dialer_storage::settings::Settings;
use dialer_storage::sounds::Sounds;
use tokio::sync::{broadcast, watch};

use crate::account::Shared;
use crate::api::{HostEvent, Notice};
use crate::call_log::{self, CallLog};
use crate::core::Core;
use crate::live::{self, LiveOptions};
use crate::practice::{Practice, PracticeOptions};
use crate::sound::Sound;
use crate::state::Account;
use crate::twilio_at::TwilioAt;

/// What phones are made of.
pub(crate) struct Ground {
    pub(crate) folders: Folders,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) sound: Sound,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) twilio: TwilioAt,
    pub(crate) simulator_listen: SocketAddr,
    /// Where the rules of calls are kept.
    pub(crate) settings: Settings,
    pub(crate) events: broadcast::Sender<HostEvent>,
    /// What every phone of this run tells.
    pub(crate) notices: Vec<Notice>,
}

impl Ground {
    fn raise_on(&self, core: &Core) {
        for notice in &self.notices {
            core.raise(notice.clone());
        }
    }
}

/// The phone in use. One at a time: a new one is started after the old one has written its log.
pub(crate) struct Session {
    ground: Ground,
    current: Current,
    /// The logs opened so far; each stays open, because whoever still holds an ended phone holds its log.
    calls: Option<CallLog>,
    practice_calls: Option<CallLog>,
    core: watch::Sender<Core>,
    simulator: watch::Sender<Option<Simulator>>,
}

enum Current {
    Practice(Practice),
    Live(Core),
    /// Between two phones, and after one that could not start.
    None,
}

impl Session {
    /// Starts the phone for `record`, or practice where there is none to start.
    pub(crate) async fn start(ground: Ground, record: Option<&Record>) -> anyhow::Result<Self> {
        let (mut calls, mut practice_calls) = (None, None);
        let account =
            record.filter(|record| record.complete).and_then(|record| live::account(record, &ground.twilio));
        let (current, core, simulator) = match account {
            Some(account) => {
                let core = start_live(&ground, &mut calls, account).await?;
                (Current::Live(core.clone()), core, None)
            }
            None => {
                let practice = start_practice(&ground, &mut practice_calls).await?;
                let (core, simulator) = (practice.core.clone(), practice.simulator.clone());
                (Current::Practice(practice), core, Some(simulator))
            }
        };
        ground.raise_on(&core);
        Ok(Self {
            ground,
            current,
            calls,
            practice_calls,
            core: watch::Sender::new(core),
            simulator: watch::Sender::new(simulator),
        })
    }

    /// The Controller in use.
    pub(crate) fn core(&self) -> Core {
        self.core.borrow().clone()
    }

    /// The Controller in use, as it changes.
    pub(crate) fn watch(&self) -> watch::Receiver<Core> {
        self.core.subscribe()
    }

    /// The practice Twilio, as long as there is one.
    pub(crate) fn watch_simulator(&self) -> watch::Receiver<Option<Simulator>> {
        self.simulator.subscribe()
    }

    /// Whether the phone works with a real account.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.current, Current::Live(_))
    }

    /// From now on the phone works with `record`'s account.
    pub(crate) async fn use_account(&mut self, shared: &Shared, record: &Record) -> Result<(), UserError> {
        let account = live::account(record, &shared.twilio)
            .ok_or_else(|| UserError::new(ErrorCode::Internal, "Set-up is not complete. Run it again."))?;
        self.end().await;
        let core =
            start_live(&self.ground, &mut self.calls, account).await.map_err(|error| not_started(&error))?;
        self.current = Current::Live(core.clone());
        self.changed(core, None);
        Ok(())
    }

    /// From now on the phone practises.
    pub(crate) async fn use_practice(&mut self) -> Result<(), UserError> {
        if matches!(self.current, Current::Practice(_)) {
            return Ok(());
        }
        self.end().await;
        let practice = start_practice(&self.ground, &mut self.practice_calls)
            .await
            .map_err(|error| not_started(&error))?;
        let (core, simulator) = (practice.core.clone(), practice.simulator.clone());
        self.current = Current::Practice(practice);
        self.changed(core, Some(simulator));
        Ok(())
    }

    /// Ends the phone; its log is written when this returns.
    pub(crate) async fn close(mut self) {
        self.end().await;
    }

    async fn end(&mut self) {
        match std::mem::replace(&mut self.current, Current::None) {
            Current::Practice(practice) => practice.shutdown().await,
            Current::Live(core) => core.shutdown().await,
            Current::None => {}
        }
    }

    fn changed(&self, core: Core, simulator: Option<Simulator>) {
        self.ground.raise_on(&core);
        self.core.send_replace(core);
        self.simulator.send_replace(simulator);
        // Nobody listening is no error: a page that comes asks how things stand.
        let _ = self.ground.events.send(HostEvent::PhoneChanged);
    }
}

async fn start_live(ground: &Ground, calls: &mut Option<CallLog>, account: Account) -> anyhow::Result<Core> {
    Ok(live::start(LiveOptions {
        account,
        rules: ground.settings.get().rules,
        sounds: Sounds::new(&ground.folders),
        twilio: ground.twilio.clone(),
        call_log: log(calls, ground.folders.call_log()).await?,
        vault: Arc::clone(&ground.vault),
        sound: ground.sound.clone(),
        clock: Arc::clone(&ground.clock),
        events: ground.events.clone(),
    }))
}

async fn start_practice(ground: &Ground, calls: &mut Option<CallLog>) -> anyhow::Result<Practice> {
    Practice::start(PracticeOptions {
        call_log: log(calls, ground.folders.practice_call_log()).await?,
        simulator_listen: ground.simulator_listen,
        rules: ground.settings.get().rules,
        sounds: Some(Sounds::new(&ground.folders)),
        sound: ground.sound.clone(),
        events: ground.events.clone(),
    })
    .await
}

/// The log that is open, or else the one in `file`.
async fn log(open: &mut Option<CallLog>, file: PathBuf) -> anyhow::Result<CallLog> {
    if let Some(open) = open {
        return Ok(CallLog { notice: None, ..open.clone() });
    }
    Ok(open.insert(call_log::open(file).await?).clone())
}

fn not_started(error: &anyhow::Error) -> UserError {
    match error.downcast_ref::<CallLogError>() {
        Some(log) => log.user_error(),
        None => UserError::new(ErrorCode::Internal, "The phone could not be started. Restart the program.")
            .with_detail(format!("{error:#}")),
    }
}
