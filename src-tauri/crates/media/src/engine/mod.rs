//! The engine: peer connections with a microphone and a loudspeaker, behind the `voice_*` commands.

mod error;
mod opener;
mod session;
mod sound;
mod stats;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

pub use error::VoiceError;

use crate::api::{AudioDevice, CodecName, PeerConfig, PeerId, SdpType, StatsEntry, VoiceEvent};
use crate::devices::AudioDevices;
use crate::jitter::JitterOptions;
use session::Session;

/// How to start a [`VoiceEngine`].
#[derive(Clone)]
pub struct EngineOptions {
    /// Where sound comes from and goes to.
    pub devices: Arc<dyn AudioDevices>,
    /// How patient each call's jitter buffer is.
    pub jitter: JitterOptions,
}

impl EngineOptions {
    /// The usual patience with these devices.
    pub fn new(devices: Arc<dyn AudioDevices>) -> Self {
        Self { devices, jitter: JitterOptions::default() }
    }
}

/// Stands behind the Voice SDK's `RTCPeerConnection`. Clones are the same engine; when the last one
/// goes, every connection ends.
///
/// The methods are the `voice_*` commands and must run on a tokio runtime.
#[derive(Clone)]
pub struct VoiceEngine(Arc<Shared>);

struct Shared {
    options: EngineOptions,
    events: mpsc::UnboundedSender<VoiceEvent>,
    sessions: Mutex<HashMap<PeerId, Arc<Session>>>,
    next: AtomicU32,
}

impl VoiceEngine {
    /// An engine without connections. It opens no device and no socket before a call needs one.
    pub fn start(options: EngineOptions, events: mpsc::UnboundedSender<VoiceEvent>) -> Self {
        Self(Arc::new(Shared { options, events, sessions: Mutex::default(), next: AtomicU32::new(1) }))
    }

    /// `new RTCPeerConnection(config)`.
    pub async fn create(&self, config: PeerConfig) -> Result<PeerId, VoiceError> {
        let relays = config
            .ice_servers
            .iter()
            .flat_map(|server| &server.urls)
            .filter(|url| url.starts_with("turn"))
            .count();
        if relays > 0 {
            tracing::info!(relays, "TURN servers are configured and not used yet");
        }
        let id = PeerId(self.0.next.fetch_add(1, Ordering::Relaxed));
        let session = Session::new(id, self.0.options.clone(), self.0.events.clone());
        self.sessions().insert(id, Arc::new(session));
        Ok(id)
    }

    /// `createOffer`: an offer with `codecs` in order of preference. Starts the devices the first time.
    pub async fn create_offer(
        &self,
        peer: PeerId,
        codecs: Vec<CodecName>,
        ice_restart: bool,
    ) -> Result<String, VoiceError> {
        self.session(peer)?.create_offer(codecs, ice_restart).await
    }

    /// `createAnswer` to the offer given by [`VoiceEngine::set_remote`]. Starts the devices the first time.
    pub async fn create_answer(&self, peer: PeerId, codecs: Vec<CodecName>) -> Result<String, VoiceError> {
        self.session(peer)?.create_answer(codecs).await
    }

    /// `setLocalDescription`: must be what was created last, whatever the SDK has changed in it. Reports
    /// the candidates the first time.
    pub async fn set_local(&self, peer: PeerId, sdp_type: SdpType, sdp: String) -> Result<(), VoiceError> {
        self.session(peer)?.set_local(sdp_type, &sdp).await
    }

    /// `setRemoteDescription`.
    pub async fn set_remote(&self, peer: PeerId, sdp_type: SdpType, sdp: String) -> Result<(), VoiceError> {
        self.session(peer)?.set_remote(sdp_type, sdp).await
    }

    /// `track.enabled = !muted` of the microphone: packets go on, with silence in them.
    pub async fn set_muted(&self, peer: PeerId, muted: bool) -> Result<(), VoiceError> {
        self.session(peer)?.set_muted(muted);
        Ok(())
    }

    /// Whether `insertDTMF` can work, which is known after negotiation.
    pub async fn can_send_dtmf(&self, peer: PeerId) -> Result<bool, VoiceError> {
        self.session(peer)?.can_send_dtmf().await
    }

    /// `insertDTMF`: replaces what is still to be sent; milliseconds.
    pub async fn insert_dtmf(
        &self,
        peer: PeerId,
        tones: String,
        duration_ms: u32,
        gap_ms: u32,
    ) -> Result<(), VoiceError> {
        self.session(peer)?.insert_dtmf(tones, duration_ms, gap_ms).await
    }

    /// `getStats`.
    pub async fn stats(&self, peer: PeerId) -> Result<Vec<StatsEntry>, VoiceError> {
        self.session(peer)?.stats().await
    }

    /// `close`: says goodbye, stops the devices; no event of this connection follows. Closing twice is no error.
    pub async fn close(&self, peer: PeerId) -> Result<(), VoiceError> {
        let session = self.sessions().remove(&peer);
        if let Some(session) = session {
            session.close().await;
        }
        Ok(())
    }

    /// Closes every connection, as when the page that opened them is gone.
    pub async fn close_all(&self) {
        let sessions = std::mem::take(&mut *self.sessions());
        for session in sessions.into_values() {
            session.close().await;
        }
    }

    /// The sound devices.
    pub async fn devices(&self) -> Result<Vec<AudioDevice>, VoiceError> {
        let devices = Arc::clone(&self.0.options.devices);
        let listed = tokio::task::spawn_blocking(move || devices.list()).await;
        listed.map_err(|_| VoiceError::Stopped)?.map_err(VoiceError::from)
    }

    fn session(&self, peer: PeerId) -> Result<Arc<Session>, VoiceError> {
        self.sessions().get(&peer).cloned().ok_or(VoiceError::UnknownPeer(peer.0))
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<PeerId, Arc<Session>>> {
        // A map is whole after any panic.
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
