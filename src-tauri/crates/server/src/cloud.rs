//! The headless server: what Twilio calls, and what gives agents their access tokens.
//!
//! Two listeners, because through a proxy or a tunnel every peer looks like this computer. The one for
//! Twilio (`--listen`) believes nothing that is not signed and hands out nothing. The one for agents
//! (`--agent-listen`) wants a bearer token and belongs on a network of the agents' own.

mod advice;
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

use config::{Config, SigningKeys};
use desk::{CloudDesk, Outlets};

/// How long requests of agents may take to finish when the server ends.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the end of the server waits for a log that cannot be written.
const WRITE_OUT: Duration = Duration::from_secs(5);

/// The running server.
pub struct Cloud {
    gateway: Gateway,
    desk: Arc<CloudDesk>,
    agent_listener: TcpListener,
    agent_address: SocketAddr,
    writing: ledger::Writing,
    keeping: JoinHandle<()>,
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
        let (desk, outlets) = CloudDesk::new(config, Arc::clone(&store), Arc::clone(&clock), signed_in)?;
        let Outlets { entries, sign_ins: changes } = outlets;
        let desk = Arc::new(desk);
        // A server that was restarted has spent what it spent.
        let (today, since_ms) = (Arc::clone(&store), Desk::counts_from_ms(&moment(clock.now_ms(), None)));
        for entry in tokio::task::spawn_blocking(move || today.since(since_ms)).await?? {
            desk.logged(&entry);
        }
        let writing = ledger::start(log, entries, Arc::downgrade(&desk));
        let options = GatewayOptions { clock, max_signed_per_second, queue, ..GatewayOptions::new(listen) };
        let gateway = Gateway::start(options, keys, Arc::clone(&desk) as Arc<_>).await?;
        gateway.set_public_base(base);
        let keeping = upkeep::keep_sign_ins(sign_ins, changes);
        let upkeep = [upkeep::look_after(Arc::downgrade(&desk)), upkeep::repair(&desk)];
        Ok(Self { gateway, desk, agent_listener, agent_address, writing, keeping, upkeep })
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
        let (stopping, mut stopped) = watch::channel(false);
        let mut serving = tokio::spawn(async move {
            let until = async move {
                // An error means that nobody will ever ask to stop, because the server is gone.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            axum::serve(self.agent_listener, router).with_graceful_shutdown(until).await
        });
        tokio::select! {
            () = stop => {}
            ended = &mut serving => ended??,
        }
        stopping.send_replace(true);
        // A request that somebody began and never ended must not keep the log from being written.
        if tokio::time::timeout(DRAIN, &mut serving).await.is_err() {
            tracing::warn!("requests of agents still under way were cut off");
            serving.abort();
        }
        match Arc::into_inner(gateway) {
            Some(gateway) => gateway.shutdown().await,
            None => tracing::warn!("somebody still reads the figures; webhooks are cut off"),
        }
        for task in &self.upkeep {
            task.abort();
        }
        drop(self.desk);
        self.writing.end(WRITE_OUT).await;
        if tokio::time::timeout(WRITE_OUT, self.keeping).await.is_err() {
            tracing::error!("who has signed in could not be written in time");
        }
        Ok(())
    }
}

/// Who had signed in before. What cannot be read is no reason to answer nobody.
async fn signed_in(kept: SignIns) -> anyhow::Result<GoodUntil> {
    Ok(tokio::task::spawn_blocking(move || kept.load()).await?.unwrap_or_else(|error| {
        tracing::warn!(%error, "who had signed in could not be read; agents are rung once they sign in again");
        GoodUntil::new()
    }))
}
