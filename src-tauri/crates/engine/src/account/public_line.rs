//! Webhook server and tunnel of the account: what Twilio's requests come through.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::TunnelChoice;
use dialer_domain::sid::AccountSid;
use dialer_gateway::tunnel::{Periods, Tunnel, TunnelOptions, TunnelState};
use dialer_gateway::{Gateway, GatewayOptions, STATUS_PATH, StartError, VOICE_PATH};
use secrecy::SecretString;
use tokio::sync::watch;
use url::Url;

use super::{Shared, signing};
use crate::core::Core;
use crate::routing::{Keys, Routing, Seen};

/// The webhook server's port where something outside this program must know it.
const KNOWN_PORT: u16 = 3002;

/// What Twilio's requests come through.
pub(crate) struct PublicLine {
    gateway: Gateway,
    tunnel: Tunnel,
    keys: Arc<Keys>,
    routing: Arc<Routing>,
    choice: TunnelChoice,
}

impl PublicLine {
    /// Starts the webhook server, and a tunnel to it.
    pub(crate) async fn open(
        shared: &Arc<Shared>,
        account: &AccountSid,
        auth_token: SecretString,
        choice: TunnelChoice,
        seen: impl Fn(Seen) + Send + Sync + 'static,
    ) -> Result<Self, UserError> {
        let token = shared.secret_if_any(account.as_str(), SecretName::TunnelToken).await?;
        let keys = Arc::new(Keys::new(account.clone(), Some(auth_token)));
        keys.share(signing::at_hand(shared).await?);
        let routing = Arc::new(Routing::to_nobody(seen));
        let listen = shared.webhook_listen.unwrap_or_else(|| loopback(port(&choice)));
        let options = GatewayOptions {
            clock: Arc::clone(&shared.clock),
            // Queues are the account's, and another computer may use it, too.
            queue: format!("kennex-dialer-{}", shared.saved().installation.id),
            ..GatewayOptions::new(listen)
        };
        let gateway = Gateway::start(options, Arc::<Keys>::clone(&keys), Arc::<Routing>::clone(&routing))
            .await
            .map_err(|error| not_started(&error))?;
        let tunnel = Tunnel::start(TunnelOptions {
            choice: choice.clone(),
            token,
            local_port: gateway.local_addr().port(),
            proof: gateway.proof(),
            launcher: Arc::clone(&shared.launcher),
            clock: Arc::clone(&shared.clock),
            folder: shared.tunnel_folder.clone(),
            trust: Vec::new(),
            addresses: Vec::new(),
            periods: Periods::default(),
        });
        Ok(Self { gateway, tunnel, keys, routing, choice })
    }

    /// How the tunnel stands.
    pub(crate) fn watch(&self) -> watch::Receiver<TunnelState> {
        self.tunnel.watch()
    }

    /// The tunnel itself.
    pub(crate) fn tunnel(&self) -> &Tunnel {
        &self.tunnel
    }

    /// What it was opened for.
    pub(crate) fn choice(&self) -> &TunnelChoice {
        &self.choice
    }

    /// Signatures are checked for addresses below `base` from now on.
    pub(crate) fn serve_as(&self, base: Url) {
        self.gateway.set_public_base(base);
    }

    /// What requests may be signed with, which outlives neither the line nor the account.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys)
    }

    /// The account has this token from now on.
    pub(crate) fn use_auth_token(&self, token: SecretString) {
        self.keys.replace(token);
    }

    /// Calls are decided by `core` from now on.
    pub(crate) fn lead_to(&self, core: Core) {
        self.routing.lead_to(core);
    }

    /// Ends tunnel and server, in this order: what is under way may finish.
    pub(crate) async fn close(self) {
        self.tunnel.shutdown().await;
        self.gateway.shutdown().await;
    }
}

/// What to enter at Twilio for a computer reached at `base`: voice URL and status callback.
pub(crate) fn urls(base: &Url) -> (String, String) {
    let at = |path: &str| format!("{}{path}", base.as_str().trim_end_matches('/'));
    (at(VOICE_PATH), at(STATUS_PATH))
}

/// A port that something outside must know is always the same; otherwise any free one will do.
fn port(choice: &TunnelChoice) -> u16 {
    match choice {
        TunnelChoice::Fixed { .. } | TunnelChoice::CloudflaredNamed { .. } => KNOWN_PORT,
        TunnelChoice::CloudflaredQuick { .. }
        | TunnelChoice::Ngrok { .. }
        | TunnelChoice::Ssh { .. }
        | TunnelChoice::Command { .. } => 0,
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn not_started(error: &StartError) -> UserError {
    let code = match error {
        StartError::PortInUse(_) => ErrorCode::PortInUse,
        StartError::Listen { .. } => ErrorCode::Internal,
    };
    UserError::new(code, error.to_string())
}
