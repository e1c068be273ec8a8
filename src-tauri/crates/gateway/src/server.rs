//! The listener and its limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use dialer_domain::ports::{Clock, SystemClock};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

use crate::answer::answer;
use crate::bucket::Bucket;
use crate::connection::{Connections, Guarded, Patience, Peer, Place};
use crate::counts::{Counters, Counts};
use crate::ports::{AuthTokens, Calls};
use crate::proof::Proof;
use crate::public_base::{Addresses, PublicBase};
use crate::refusals::Refusals;
use crate::replay::Replay;
use crate::route::{Question, Report, Route};
use crate::sound::Tune;

/// How long requests under way may take to finish when the gateway shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// The most headers of a request. Twilio sends about ten, proxies add as many.
const MAX_HEADERS: usize = 64;
/// The longest head of a request, in bytes; a GET carries its parameters there.
const MAX_HEAD_LENGTH: usize = 16 * 1024;
/// How many names of requests to which a document was given are remembered: those of a call a second.
const DOCUMENTS_REMEMBERED: usize = 2_048;
/// How many names of callbacks are remembered.
const CALLBACKS_REMEMBERED: usize = 8_192;
/// How many names of sounds that strangers may be guessing are looked up at once.
const LOOKED_UP_AT_ONCE: usize = 4;

/// Where to listen and within which limits. The defaults stay below Twilio's 15 seconds.
#[derive(Clone)]
pub struct GatewayOptions {
    /// The address to bind; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// How long [`Calls`] may take, before a caller is told to try again. 8 s, or what is left of
    /// `request_timeout` where that is less.
    pub answer_within: Duration,
    /// How long a request may take in all, its body included. 10 s.
    pub request_timeout: Duration,
    /// How long the head of a request may take, and the first one to begin. 5 s.
    pub header_timeout: Duration,
    /// How long a connection may idle between two requests. 150 s: longer than the tunnel programs and
    /// proxies keep theirs, because whoever closes first may cut off a request that is just coming.
    pub idle_timeout: Duration,
    /// How many signed requests are worked on at once; further ones get 503. 64.
    pub max_in_flight: usize,
    /// How many connections are held at once, at least one more than `max_in_flight`. A further one takes the
    /// place of the one that has kept us waiting longest. 256.
    pub max_connections: usize,
    /// How many signed requests a second are worked on, and as many at a stroke; further ones get 429. 200.
    pub max_signed_per_second: u32,
    /// How many bad requests a second are told their fault with 403, and twice as many at a stroke; further ones
    /// get 429. All are counted, and none keeps a good one from being looked at. 20.
    pub max_refused_per_second: u32,
    /// The queue of those who wait, at most 64 characters and without personal data: it is seen in the whole account.
    pub queue: String,
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
            idle_timeout: Duration::from_secs(150),
            max_in_flight: 64,
            max_connections: 256,
            max_signed_per_second: 200,
            max_refused_per_second: 20,
            queue: "kennex-dialer".to_owned(),
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
    pub(crate) request_timeout: Duration,
    pub(crate) queue: String,
    pub(crate) tune: Tune,
    pub(crate) public_base: PublicBase,
    pub(crate) proof: Proof,
    pub(crate) refusals: Refusals,
    /// For requests that are not Twilio's.
    pub(crate) bad: Bucket,
    /// For those that are.
    pub(crate) signed: Bucket,
    /// For what is logged about too many of them.
    pub(crate) warnings: Bucket,
    pub(crate) in_flight: Semaphore,
    pub(crate) looking_up: Semaphore,
    /// Documents already given, by request.
    pub(crate) documents: Replay<Bytes>,
    /// Callbacks already passed on.
    pub(crate) told: Replay<()>,
    pub(crate) counters: Counters,
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
            request_timeout: options.request_timeout,
            queue: options.queue.clone(),
            tune: Tune::new(),
            public_base: PublicBase::default(),
            proof: Proof::new(),
            refusals: Refusals::default(),
            bad: Bucket::new(
                options.max_refused_per_second,
                options.max_refused_per_second.saturating_mul(2),
            ),
            signed: Bucket::new(options.max_signed_per_second, options.max_signed_per_second),
            warnings: Bucket::new(1, 1),
            in_flight: Semaphore::new(options.max_in_flight),
            looking_up: Semaphore::new(LOOKED_UP_AT_ONCE),
            documents: Replay::new(DOCUMENTS_REMEMBERED),
            told: Replay::new(CALLBACKS_REMEMBERED),
            counters: Counters::default(),
        });
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared), options, stopped));
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
        self.public_url(Question::Voice)
    }

    /// What to enter at Twilio as the status callback.
    pub fn status_callback_url(&self) -> Option<Url> {
        self.public_url(Report::Status)
    }

    /// What to give Twilio as the status callback of a recording that is begun by REST.
    pub fn recording_callback_url(&self) -> Option<Url> {
        self.public_url(Report::Recording)
    }

    /// What to give Twilio as the status callback of a conference.
    pub fn conference_callback_url(&self) -> Option<Url> {
        self.public_url(Report::Conference)
    }

    /// What became of all requests since the start.
    pub fn counts(&self) -> Counts {
        self.shared.counters.read()
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

    fn public_url(&self, route: impl Into<Route>) -> Option<Url> {
        self.public_base().map(|base| Addresses::new(base).of(route))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    options: GatewayOptions,
    mut stopped: watch::Receiver<bool>,
) {
    let listening = Listening {
        app: Router::new().fallback(answer).with_state(Arc::clone(&shared)).layer(CatchPanicLayer::new()),
        places: Arc::new(Connections::new(options.max_connections)),
        patience: Patience {
            head: options.header_timeout,
            idle: options.idle_timeout,
            answer: options.request_timeout,
        },
    };
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => {}
            accepted = accept(&listener) => {
                let Some(stream) = accepted else { continue };
                let peer = match listening.places.enter() {
                    Place::Free(peer) => peer,
                    Place::Vacated(peer) => {
                        shared.counters.connection_evicted();
                        peer
                    }
                    Place::None => {
                        tracing::warn!("too many connections; one was not taken");
                        continue;
                    }
                };
                connections.spawn(listening.clone().hold(stream, peer, graceful.watcher()));
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(SHUTDOWN_GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests still under way were cut off");
    }
    connections.shutdown().await;
}

/// The next connection.
async fn accept(listener: &TcpListener) -> Option<TcpStream> {
    match listener.accept().await {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            // Out of file descriptors, most likely: trying again at once would only burn.
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// What every connection needs.
#[derive(Clone)]
struct Listening {
    app: Router,
    places: Arc<Connections>,
    patience: Patience,
}

impl Listening {
    /// Serves one connection until it ends or must.
    async fn hold(self, stream: TcpStream, peer: Arc<Peer>, watcher: Watcher) {
        // Answers are small: waiting for more to send only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection may be slow");
        }
        let stream = TokioIo::new(Guarded::new(stream, Arc::clone(&peer), self.patience));
        let app = TowerToHyperService::new(self.app);
        let at = Arc::clone(&peer);
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            at.request_began();
            request.extensions_mut().insert(Arc::clone(&at));
            let (answer, at) = (app.call(request), Arc::clone(&at));
            async move {
                let answered = |answer: axum::response::Response| answer.map(|body| at.answered(body));
                answer.await.map(answered)
            }
        });
        let connection = http1::Builder::new()
            // See below: here one limit would stand for heads and for idling.
            .header_read_timeout(None)
            .timer(TokioTimer::new())
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_LENGTH)
            .serve_connection(stream, service);
        tokio::select! {
            ended = watcher.watch(connection) => if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            },
            () = peer.evicted() => tracing::debug!("a connection made room for another"),
            () = peer.overdue(self.patience) => tracing::debug!("a connection took too long"),
        }
        self.places.leave(&peer);
    }
}
