//! One audio peer over UDP: ICE, DTLS-SRTP, RTP and telephone events.
//!
//! [`Peer::spawn`] starts a task that owns the sockets and the connection; the [`PeerHandle`] talks
//! to it and a channel of [`PeerEvent`]s answers. Dropping every handle, or [`PeerHandle::close`],
//! says goodbye to the far end and ends the task and its sockets.
//!
//! Two roles: a **client** does full ICE as a browser does, a **gateway** is what Twilio's media
//! servers are: ICE-lite with one address in its description, taking offers that name no candidates.

mod counters;
mod driver;
mod dtmf;
mod interfaces;
mod link;
mod negotiation;
pub mod sdp;
mod tracker;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

pub use counters::{Received, Sent};
pub use interfaces::host_addresses;

use crate::api::{CodecName, ConnectionState, IceState};
use crate::jitter::AudioPacket;
use sdp::SdpError;

/// How a peer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerRole {
    /// Full ICE, as in a browser.
    Client,
    /// ICE-lite with one address, as Twilio's media gateway; writes descriptions like the gateway's.
    Gateway,
}

/// How to set up a [`Peer`].
#[derive(Debug, Clone)]
pub struct PeerOptions {
    /// Client or gateway.
    pub role: PeerRole,
    /// Codecs in order of preference; never empty.
    pub codecs: Vec<CodecName>,
    /// Clock rates of the telephone events offered, in Hz: browsers offer 48000 and 8000, Twilio's
    /// gateway answers with 8000 only; empty for none.
    pub telephone_event_rates: Vec<u32>,
    /// Local addresses, one socket each; port 0 picks a free one. Those that cannot be bound are
    /// passed over as long as one can.
    pub bind: Vec<SocketAddr>,
    /// Whether our descriptions name our candidates. The Voice SDK's never do: it does not wait for them.
    pub announce_candidates: bool,
    /// How long `disconnected` (or a connection that does not come about) lasts before it is `failed`.
    pub failed_after: Duration,
}

impl PeerOptions {
    /// A browser-like client on `bind`; see [`host_addresses`].
    pub fn client(codecs: Vec<CodecName>, bind: Vec<SocketAddr>) -> Self {
        Self {
            role: PeerRole::Client,
            codecs,
            telephone_event_rates: vec![48_000, 8_000],
            bind,
            announce_candidates: true,
            failed_after: FAILED_AFTER,
        }
    }

    /// A gateway on one address, with telephone events at 8000 Hz only, as in the public log of Twilio's.
    pub fn gateway(codecs: Vec<CodecName>, bind: SocketAddr) -> Self {
        Self {
            role: PeerRole::Gateway,
            telephone_event_rates: vec![8_000],
            ..Self::client(codecs, vec![bind])
        }
    }
}

/// Chromium gives up after about this long, and the Voice SDK outside Chromium ends the call then.
const FAILED_AFTER: Duration = Duration::from_secs(30);

/// Why the transport could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No local address could be bound.
    #[error(
        "no network address could be opened for the call: {0}. Check that this computer is connected to a network."
    )]
    NoAddress(std::io::Error),
    /// The other side's description cannot be used.
    #[error(transparent)]
    Sdp(#[from] SdpError),
    /// An answer came without an offer, or an offer without anything to change.
    #[error("{0}")]
    OutOfOrder(&'static str),
    /// The connection is over.
    #[error("the connection has ended")]
    Closed,
}

/// What a peer reports.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent {
    /// ICE moved. A state is reported once, when it changes.
    Ice(IceState),
    /// The connection moved: `Connected` once sound can flow both ways.
    Connection(ConnectionState),
    /// A sound packet, decrypted, in the order of arrival.
    Audio {
        /// The packet.
        packet: AudioPacket,
        /// When it came.
        arrival: Instant,
    },
    /// The far end pressed a key (RFC 4733), one of `0-9*#A-D`.
    TelephoneEvent(char),
    /// The far end closed the connection in order.
    RemoteClosed,
}

/// What [`PeerHandle::stats`] tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PeerStats {
    /// What arrived.
    pub received: Received,
    /// What was sent.
    pub sent: Sent,
    /// Round trip by the far end's RTCP reports, once there is one.
    pub round_trip: Option<Duration>,
    /// Share of our packets the far end lost lately, 0 to 1, once it reported.
    pub remote_fraction_lost: Option<f32>,
    /// The addresses in use, once ICE has chosen.
    pub pair: Option<CandidatePair>,
}

/// The addresses in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandidatePair {
    /// Ours.
    pub local: SocketAddr,
    /// Theirs.
    pub remote: SocketAddr,
    /// `host`, `srflx` or `relay` when their description named it, else `prflx`.
    pub remote_type: String,
    /// Round trip of the newest connectivity check.
    pub round_trip: Option<Duration>,
}

/// What was agreed with the far end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated {
    /// Codec to send with; both sides may receive any that both named.
    pub codec: CodecName,
    /// The far end's limit on Opus, in bit/s.
    pub max_bitrate: Option<u32>,
    /// Whether keys can be sent as telephone events: only when their clock is the codec's
    /// (RFC 4733 §2.6.1), so not for Opus against a gateway that takes `telephone-event/8000` alone.
    pub can_send_telephone_events: bool,
}

/// One audio peer. Only a name: see [`Peer::spawn`].
#[derive(Debug)]
pub struct Peer;

impl Peer {
    /// Opens the sockets and starts the peer's task on the current tokio runtime.
    ///
    /// Fails with [`TransportError::NoAddress`] when nothing can be bound.
    pub fn spawn(
        options: PeerOptions,
    ) -> Result<(PeerHandle, mpsc::UnboundedReceiver<PeerEvent>), TransportError> {
        let link = link::Link::bind(&options.bind)?;
        let addresses = link.addresses().to_vec();
        let (commands, receiver) = mpsc::unbounded_channel();
        let (events, reports) = mpsc::unbounded_channel();
        let driver = driver::Driver::new(options, link, events)?;
        tokio::spawn(driver.run(receiver));
        Ok((PeerHandle { commands, addresses }, reports))
    }
}

/// Talks to a peer; clones talk to the same one.
#[derive(Debug, Clone)]
pub struct PeerHandle {
    commands: mpsc::UnboundedSender<Command>,
    addresses: Vec<SocketAddr>,
}

/// A request to the peer's task.
#[derive(Debug)]
enum Command {
    CreateOffer { ice_restart: bool, reply: oneshot::Sender<Result<String, TransportError>> },
    AcceptOffer { sdp: String, reply: oneshot::Sender<Result<String, TransportError>> },
    AcceptAnswer { sdp: String, reply: oneshot::Sender<Result<(), TransportError>> },
    Send { codec: CodecName, payload: Vec<u8> },
    TelephoneEvents { tones: String, duration_ms: u32, gap_ms: u32 },
    Negotiated { reply: oneshot::Sender<Option<Negotiated>> },
    Stats { reply: oneshot::Sender<PeerStats> },
    Close { reply: oneshot::Sender<()> },
}

impl PeerHandle {
    /// The addresses that were bound, one for each host candidate.
    pub fn local_addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The host candidates as SDP attribute values (`candidate:…`), one for each address.
    pub fn local_candidates(&self) -> Vec<String> {
        self.addresses
            .iter()
            .filter_map(|address| str0m::Candidate::host(*address, "udp").ok())
            .map(|candidate| candidate.to_sdp_string().trim_end().to_owned())
            .collect()
    }

    /// An offer to send to the far end. A further one replaces one that was not answered.
    pub async fn create_offer(&self) -> Result<String, TransportError> {
        self.ask(|reply| Command::CreateOffer { ice_restart: false, reply }).await?
    }

    /// An offer that moves an established connection to new ICE credentials; sound goes on meanwhile.
    pub async fn ice_restart(&self) -> Result<String, TransportError> {
        self.ask(|reply| Command::CreateOffer { ice_restart: true, reply }).await?
    }

    /// Takes the far end's offer, first or further, and gives the answer.
    pub async fn accept_offer(&self, sdp: impl Into<String>) -> Result<String, TransportError> {
        let sdp = sdp.into();
        self.ask(|reply| Command::AcceptOffer { sdp, reply }).await?
    }

    /// Takes the far end's answer to our newest offer.
    pub async fn accept_answer(&self, sdp: impl Into<String>) -> Result<(), TransportError> {
        let sdp = sdp.into();
        self.ask(|reply| Command::AcceptAnswer { sdp, reply }).await?
    }

    /// Sends one packet of sound; its length in time moves the RTP clock on.
    ///
    /// Before the connection is up, and for a codec that was not agreed, the packet is dropped but time still passes.
    pub fn send(&self, codec: CodecName, payload: Vec<u8>) {
        // A peer that has ended needs no more sound.
        let _ = self.commands.send(Command::Send { codec, payload });
    }

    /// Presses keys (`0-9*#A-D`, `,` waits two seconds), replacing those still to come, with the
    /// limits of W3C `insertDTMF`: 40 to 6000 ms each, at least 30 ms apart.
    ///
    /// Does nothing unless [`Negotiated::can_send_telephone_events`].
    pub fn send_telephone_events(&self, tones: impl Into<String>, duration_ms: u32, gap_ms: u32) {
        let _ = self.commands.send(Command::TelephoneEvents { tones: tones.into(), duration_ms, gap_ms });
    }

    /// What was agreed; `None` before offer and answer are complete.
    pub async fn negotiated(&self) -> Result<Option<Negotiated>, TransportError> {
        self.ask(|reply| Command::Negotiated { reply }).await
    }

    /// Counters as they stand.
    pub async fn stats(&self) -> Result<PeerStats, TransportError> {
        self.ask(|reply| Command::Stats { reply }).await
    }

    /// Says goodbye and ends the task; done once the sockets are closed. Closing twice is no error.
    pub async fn close(&self) {
        let _ = self.ask(|reply| Command::Close { reply }).await;
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, TransportError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).map_err(|_| TransportError::Closed)?;
        answer.await.map_err(|_| TransportError::Closed)
    }
}
