//! The headless server: what Twilio calls, and what gives agents their access tokens.
//!
//! Two listeners, because through a proxy or a tunnel every peer looks like this computer. The one for
//! Twilio (`--listen`) believes nothing that is not signed and hands out nothing. The one for agents
//! (`--agent-listen`) wants a bearer token and belongs on a network of the agents' own.

mod advice;
mod agent_port;
mod agents;
pub mod config;
mod desk;
pub mod health;
mod ledger;
mod live;
mod metrics;
mod rate;
mod roster;
mod tally;
mod upkeep;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use dialer_domain::ports::{CallStore, Clock};
use dialer_engine::desk::Desk;
use dialer_engine::local_time::moment;
use dialer_gateway::{Gateway, GatewayOptions};
use dialer_storage::call_log::SqliteCallLog;
use dialer_storage::sign_ins::{GoodUntil, SignIns};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use config::{Config, SigningKeys};
use desk::{CloudDesk, Outlets};

/// How long the end of the server takes at most: requests under way have five seconds of it (the gateway's own grace),
/// a log that cannot be written the rest. systemd and Docker, as `deploy` sets them, kill after 15.
const LONGEST_STOP: Duration = Duration::from_secs(10);

/// The running server.
pub struct Cloud {
    gateway: Gateway,
    desk: Arc<CloudDesk>,
    agent_listener: TcpListener,
    agent_address: SocketAddr,
    writing: ledger::Writing,
    keeping: JoinHandle<()>,
    /// Whether what is written should be written out, and nothing more taken.
    closing: watch::Sender<bool>,
    /// What ends with the server, whatever it is doing.
    upkeep: [JoinHandle<()>; 2],
}

impl Cloud {
    /// Opens the log and both listeners. Twilio is served from now on, agents once it [runs](Self::run).
    pub async fn start(
        config: Config,
        listen: SocketAddr,
        agent_listen: SocketAddr,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let agent_listener = TcpListener::bind(agent_listen).await.with_context(|| {
            format!("{agent_listen} cannot be listened on. Choose another with --agent-listen")
        })?;
        let agent_address = agent_listener.local_addr()?;
        if !agent_address.ip().is_loopback() {
            tracing::warn!(
                address = %agent_address,
                "agents are served at an address that other computers may reach: whoever has AGENT_API_TOKEN and \
                 reaches it can place calls. Let no proxy, port or firewall lead there from the internet"
            );
        }
        let database = config.database.clone();
        let max_signed_per_second = config.webhooks_per_second;
        // Queues are the account's, and another computer may use it, too.
        let queue = format!("kennex-dialer-{}", config.twiml_app_sid.as_str());
        let opened = tokio::task::spawn_blocking(move || SqliteCallLog::open(&database)).await??;
        if let Some(kept) = &opened.set_aside {
            tracing::warn!(file = %kept.display(), "the call log was damaged and has been set aside; a new one is begun");
        }
        let log = Arc::new(opened.log);
        let store: Arc<dyn CallStore> = Arc::clone(&log) as Arc<_>;
        let base = config.backend_url.clone();
        let keys = Arc::new(SigningKeys::of(&config));
        let sign_ins = SignIns::beside(&config.database);
        let signed_in = signed_in(sign_ins.clone()).await?;
        let (closing, closes) = watch::channel(false);
        let (desk, outlets) = CloudDesk::new(config, Arc::clone(&store), Arc::clone(&clock), signed_in)?;
        let Outlets { entries, sign_ins: changes } = outlets;
        let desk = Arc::new(desk);
        restore(Arc::clone(&store), Arc::clone(&desk), clock.now_ms()).await?;
        let writing = ledger::start(log, entries, Arc::downgrade(&desk), closes.clone());
        let options = GatewayOptions { clock, max_signed_per_second, queue, ..GatewayOptions::new(listen) };
        let gateway = Gateway::start(options, keys, Arc::clone(&desk) as Arc<_>).await?;
        gateway.set_public_base(base);
        let keeping = upkeep::keep_sign_ins(sign_ins, Arc::downgrade(&desk), changes, closes);
        let upkeep = [upkeep::look_after(Arc::downgrade(&desk)), upkeep::repair(&desk)];
        Ok(Self { gateway, desk, agent_listener, agent_address, writing, keeping, closing, upkeep })
    }

    /// Where Twilio's requests are taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    /// Where agents are served.
    pub fn agent_addr(&self) -> SocketAddr {
        self.agent_address
    }

    /// Serves until `stop` resolves, then lets requests under way finish and writes the log.
    pub async fn run(self, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        let gateway = Arc::new(self.gateway);
        let router = agents::router(Arc::clone(&self.desk), Arc::downgrade(&gateway), self.writing.health());
        let (stopping, stops) = watch::channel(false);
        let mut serving = tokio::spawn(agent_port::serve(self.agent_listener, router, stops));
        tokio::select! {
            () = stop => {}
            // It ends only when it is told to, or panics.
            ended = &mut serving => return Ok(ended?),
        }
        let deadline = Instant::now() + LONGEST_STOP;
        stopping.send_replace(true);
        let no_webhooks = async {
            match Arc::into_inner(gateway) {
                Some(gateway) => gateway.shutdown().await,
                None => tracing::warn!("somebody still reads the figures; webhooks are cut off"),
            }
        };
        let (served, ()) = tokio::join!(serving, no_webhooks);
        for task in &self.upkeep {
            task.abort();
        }
        self.closing.send_replace(true);
        let no_sign_ins = async {
            if tokio::time::timeout_at(deadline, self.keeping).await.is_err() {
                tracing::error!("who has signed in could not be written in time");
            }
        };
        tokio::join!(self.writing.end(deadline), no_sign_ins);
        Ok(served?)
    }
}

/// What the log says of today: a server that was restarted has spent what it spent, and calls go on without it.
async fn restore(store: Arc<dyn CallStore>, desk: Arc<CloudDesk>, now_ms: i64) -> anyhow::Result<()> {
    let since_ms = Desk::counts_from_ms(&moment(now_ms, None));
    let read = tokio::task::spawn_blocking(move || {
        // One row at a time: those of a busy day are many.
        store.each_since(since_ms, &mut |entry| {
            desk.logged(&entry);
            desk.resume(&entry, now_ms);
        })
    });
    Ok(read.await??)
}

/// Who had signed in before. What cannot be read is no reason to answer nobody.
async fn signed_in(kept: SignIns) -> anyhow::Result<GoodUntil> {
    Ok(tokio::task::spawn_blocking(move || kept.load()).await?.unwrap_or_else(|error| {
        tracing::warn!(%error, "who had signed in could not be read; agents are rung once they sign in again");
        GoodUntil::new()
    }))
}
