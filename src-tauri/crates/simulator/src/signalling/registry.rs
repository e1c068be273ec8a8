//! Which sockets there are, who can be rung on them, and which leg a frame is for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::frame;

/// What a socket's writer is told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToSocket {
    /// A frame to send.
    Frame(String),
    /// Break the connection without a word.
    Cut,
}

/// Sends to one signalling socket.
#[derive(Debug, Clone)]
pub(crate) struct SocketHandle {
    pub(crate) id: u64,
    pub(crate) out: mpsc::UnboundedSender<ToSocket>,
}

impl SocketHandle {
    /// Sends a message; a socket that is gone misses it.
    pub(crate) fn send(&self, kind: &str, payload: &Value) {
        let _ = self.out.send(ToSocket::Frame(frame::write(kind, payload)));
    }
}

#[derive(Default)]
pub(crate) struct Registry {
    sockets: Mutex<BTreeMap<u64, Entry>>,
    /// How many sockets there are.
    count: watch::Sender<usize>,
}

struct Entry {
    socket: SocketHandle,
    /// Under which identity it can be rung.
    registered: Option<String>,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, socket: SocketHandle) {
        let mut sockets = self.lock();
        sockets.insert(socket.id, Entry { socket, registered: None });
        self.count.send_replace(sockets.len());
    }

    pub(crate) fn remove(&self, socket: u64) {
        let mut sockets = self.lock();
        sockets.remove(&socket);
        self.count.send_replace(sockets.len());
    }

    /// Waits until there is no socket.
    pub(crate) async fn emptied(&self) {
        // The sender is this very registry's.
        let _ = self.count.subscribe().wait_for(|count| *count == 0).await;
    }

    /// Registers a socket under an identity, or nobody.
    pub(crate) fn register(&self, socket: u64, identity: Option<String>) {
        if let Some(entry) = self.lock().get_mut(&socket) {
            entry.registered = identity;
        }
    }

    /// The sockets on which `identity` can be rung, oldest first.
    pub(crate) fn devices_of(&self, identity: &str) -> Vec<SocketHandle> {
        let entries = self.lock();
        let registered = entries.values().filter(|entry| entry.registered.as_deref() == Some(identity));
        registered.map(|entry| entry.socket.clone()).collect()
    }

    /// Identities that can be rung, each once per device.
    pub(crate) fn registered(&self) -> Vec<String> {
        self.lock().values().filter_map(|entry| entry.registered.clone()).collect()
    }

    /// Breaks every connection.
    pub(crate) fn cut_all(&self) {
        for entry in self.lock().values() {
            // One that is just closing needs no cutting.
            let _ = entry.socket.out.send(ToSocket::Cut);
        }
    }
}

/// What the SDK wants of a leg.
#[derive(Debug)]
pub(crate) enum SdkRequest {
    Answer {
        sdp: String,
    },
    Reject,
    Hangup,
    Dtmf {
        digits: String,
    },
    Reinvite {
        sdp: String,
    },
    Reconnect {
        token: String,
        sdp: String,
    },
    /// The socket is gone; the call may be taken up again within this time.
    SocketLost {
        keep_for: Duration,
    },
}

/// A request and the socket it came from.
#[derive(Debug)]
pub(crate) struct SdkInput {
    pub(crate) socket: SocketHandle,
    pub(crate) request: SdkRequest,
}

/// Where frames about a call go: by CallSid and, before the SDK knows it, by its temporary id.
#[derive(Default)]
pub(crate) struct SdkRoutes(Mutex<HashMap<String, Route>>);

#[derive(Clone)]
struct Route {
    identity: String,
    inputs: mpsc::UnboundedSender<SdkInput>,
    /// The socket on which the call is up; none while devices ring.
    socket: Option<u64>,
}

impl SdkRoutes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Route>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a route under `id`.
    pub(crate) fn open(
        &self,
        id: &str,
        identity: &str,
        socket: Option<u64>,
        inputs: mpsc::UnboundedSender<SdkInput>,
    ) {
        self.lock().insert(id.to_owned(), Route { identity: identity.to_owned(), inputs, socket });
    }

    pub(crate) fn close(&self, id: &str) {
        self.lock().remove(id);
    }

    /// The call under `id` is up on `socket` now.
    pub(crate) fn place_on(&self, id: &str, socket: u64) {
        if let Some(route) = self.lock().get_mut(id) {
            route.socket = Some(socket);
        }
    }

    /// The call under `id` has left its socket, which is free for another at once.
    pub(crate) fn vacate(&self, id: &str) {
        vacate(&mut self.lock(), id);
    }

    /// Whether a call is up on `socket`.
    pub(crate) fn occupies(&self, socket: u64) -> bool {
        self.lock().values().any(|route| route.socket == Some(socket))
    }

    /// Whether the call under `id` is up on `socket`.
    pub(crate) fn is_on(&self, id: &str, socket: u64) -> bool {
        self.lock().get(id).is_some_and(|route| route.socket == Some(socket))
    }

    /// Passes a request on; `false` if `identity` has no such call.
    pub(crate) fn pass(&self, id: &str, identity: &str, input: SdkInput) -> bool {
        let mut routes = self.lock();
        // The SDK may place its next call in the very next frame, before the leg has obeyed this one.
        let leaves = matches!(input.request, SdkRequest::Hangup);
        let Some(route) = routes.get(id).filter(|route| route.identity == identity) else { return false };
        let passed = route.inputs.send(input).is_ok();
        if leaves {
            vacate(&mut routes, id);
        }
        passed
    }

    /// Tells every call of `identity` that a socket is gone.
    pub(crate) fn socket_lost(&self, socket: &SocketHandle, identity: &str, keep_for: Duration) {
        for route in self.lock().values().filter(|route| route.identity == identity) {
            let request = SdkRequest::SocketLost { keep_for };
            // A call that ends at this moment does not care.
            let _ = route.inputs.send(SdkInput { socket: socket.clone(), request });
        }
    }
}

/// A call may have two routes, by CallSid and by the SDK's temporary id: both lead to one leg.
fn vacate(routes: &mut HashMap<String, Route>, id: &str) {
    let Some(inputs) = routes.get(id).map(|route| route.inputs.clone()) else { return };
    for route in routes.values_mut().filter(|route| route.inputs.same_channel(&inputs)) {
        route.socket = None;
    }
}
