//! The listener and its limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use dialer_domain::ports::{Clock, SystemClock};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use url::Url;

use crate::ports::{AuthTokens, Calls};
use crate::proof::Proof;
use crate::public_base::{PublicBase, join};
use crate::refusals::Refusals;
use crate::replay::Replay;
use crate::routes::{STATUS_PATH, VOICE_PATH, router};

/// How long requests under way may take to finish when the gateway shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// Where to listen and within which limits. The defaults stay below Twilio's 15 seconds.
#[derive(Clone)]
pub struct GatewayOptions {
    /// The address to bind; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long [`Calls`] may take, before a caller is told to try again. 8 s.
    pub answer_within: Duration,
    /// How long a request may take in all, its body included. 10 s.
    pub request_timeout: Duration,
    /// How long the head of a request may take, and a connection may idle. 5 s.
    pub header_timeout: Duration,
    /// How many signed requests are worked on at once; further ones get 503. 64.
    pub max_in_flight: usize,
    /// How many connections are held at once; further ones wait. 256.
    pub max_connections: usize,
}

impl GatewayOptions {
    /// The defaults, listening on `listen`.
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            clock: Arc::new(SystemClock),
            answer_within: Duration::from_secs(8),
            request_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(5),
            max_in_flight: 64,
            max_connections: 256,
        }
    }
}

/// Why the gateway could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program, or a second copy of this one, has the port.
    #[error("Port {} is in use by another program. Close that program or choose another port.", .0.port())]
    PortInUse(SocketAddr),
    /// The address cannot be bound.
    #[error("The address {address} cannot be listened on. Choose another address or port.")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What every request needs.
pub(crate) struct Shared {
    pub(crate) auth_tokens: Arc<dyn AuthTokens>,
    pub(crate) calls: Arc<dyn Calls>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) answer_within: Duration,
    pub(crate) in_flight: Semaphore,
    pub(crate) public_base: PublicBase,
    pub(crate) proof: Proof,
    pub(crate) refusals: Refusals,
    /// Documents already given, by request.
    pub(crate) answers: Replay<String>,
    /// Status callbacks already passed on.
    pub(crate) told: Replay<()>,
}

/// The running server. Dropping it stops it at once; [`shutdown`](Self::shutdown) lets requests finish.
pub struct Gateway {
    shared: Arc<Shared>,
    local_addr: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Gateway {
    /// Binds and begins to serve. Until [`set_public_base`](Self::set_public_base) every webhook is
    /// refused, because no signature can be checked without the address it was made for.
    pub async fn start(
        options: GatewayOptions,
        auth_tokens: Arc<dyn AuthTokens>,
        calls: Arc<dyn Calls>,
    ) -> Result<Self, StartError> {
        let failed = |source: std::io::Error| {
            if source.kind() == std::io::ErrorKind::AddrInUse {
                StartError::PortInUse(options.listen)
            } else {
                StartError::Listen { address: options.listen, source }
            }
        };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let local_addr = listener.local_addr().map_err(failed)?;
        let shared = Arc::new(Shared {
            auth_tokens,
            calls,
            clock: Arc::clone(&options.clock),
            answer_within: options.answer_within,
            in_flight: Semaphore::new(options.max_in_flight),
            public_base: PublicBase::default(),
            proof: Proof::new(),
            refusals: Refusals::default(),
            answers: Replay::new(),
            told: Replay::new(),
        });
        let app = router(&shared)
            .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, options.request_timeout))
            .layer(CatchPanicLayer::new());
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, app, options, stopped));
        tracing::info!(%local_addr, "listening for Twilio");
        Ok(Self { shared, local_addr, stop, serving })
    }

    /// The address bound.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Tells the public address under which Twilio reaches this server: that of a tunnel or proxy,
    /// or `http://127.0.0.1:PORT` when Twilio is on this computer. A path in it is kept and must be
    /// taken off by whatever stands in front. The two addresses before stay good for ten minutes.
    pub fn set_public_base(&self, base: Url) {
        self.shared.public_base.set(base, self.shared.clock.now_ms());
    }

    /// The public address last told.
    pub fn public_base(&self) -> Option<Url> {
        self.shared.public_base.current()
    }

    /// What to enter at Twilio as the voice URL (method POST).
    pub fn voice_url(&self) -> Option<Url> {
        self.public_url(VOICE_PATH)
    }

    /// What to enter at Twilio as the status callback.
    pub fn status_callback_url(&self) -> Option<Url> {
        self.public_url(STATUS_PATH)
    }

    /// Makes and checks the nonces that prove a public address leads here.
    pub fn proof(&self) -> Proof {
        self.shared.proof.clone()
    }

    /// Stops taking connections, lets requests under way finish (at most five seconds), and returns
    /// when the port is free again.
    pub async fn shutdown(mut self) {
        // Fails only if the server has ended already.
        let _ = self.stop.send(true);
        if let Err(error) = (&mut self.serving).await {
            tracing::error!(%error, "the webhook server ended badly");
        }
    }

    fn public_url(&self, path: &str) -> Option<Url> {
        self.public_base().and_then(|base| join(&base, path).parse().ok())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    listener: TcpListener,
    app: Router,
    options: GatewayOptions,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(options.max_connections));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = accept(&listener, &places) => {
                let Some((stream, place)) = accepted else { continue };
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(options.header_timeout)
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app.clone()));
                let connection = graceful.watch(connection);
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still under way were cut off");
    }
    connections.shutdown().await;
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            // Out of file descriptors, most likely: trying again at once would only burn.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}
