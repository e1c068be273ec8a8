//! One connection: the order of its commands, its transport and its sound.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

use super::sound::{Order, Sound, SoundCounts};
use super::{EngineOptions, VoiceError, stats};
use crate::api::{CodecName, ConnectionState, PeerId, SdpType, StatsEntry, VoiceEvent};
use crate::transport::sdp;
use crate::transport::{Peer, PeerEvent, PeerHandle, PeerOptions, host_addresses};

pub(super) struct Session {
    id: PeerId,
    options: EngineOptions,
    events: UnboundedSender<VoiceEvent>,
    muted: Arc<AtomicBool>,
    state: Mutex<State>,
}

/// The parts appear when the first description is created.
#[derive(Default)]
struct State {
    peer: Option<PeerHandle>,
    sound: Option<Sound>,
    /// Passes the transport's events on.
    relay: Option<JoinHandle<()>>,
    codecs: Vec<CodecName>,
    /// The description created last, not yet set.
    created: Option<(SdpType, String)>,
    remote_offer: Option<String>,
    /// An offer of ours waits for its answer.
    offered: bool,
    negotiated: bool,
    gathered: bool,
    closed: bool,
}

impl Session {
    pub(super) fn new(id: PeerId, options: EngineOptions, events: UnboundedSender<VoiceEvent>) -> Self {
        Self { id, options, events, muted: Arc::default(), state: Mutex::default() }
    }

    pub(super) async fn create_offer(
        &self,
        codecs: Vec<CodecName>,
        ice_restart: bool,
    ) -> Result<String, VoiceError> {
        let mut state = self.state.lock().await;
        let peer = self.prepare(&mut state, codecs)?;
        // Before the first answer there is nothing to restart, and a plain offer says the same.
        let sdp = if ice_restart && state.negotiated {
            peer.ice_restart().await?
        } else {
            peer.create_offer().await?
        };
        state.created = Some((SdpType::Offer, sdp.clone()));
        Ok(sdp)
    }

    pub(super) async fn create_answer(&self, codecs: Vec<CodecName>) -> Result<String, VoiceError> {
        let mut state = self.state.lock().await;
        let offer =
            state.remote_offer.clone().ok_or(VoiceError::OutOfOrder("there is no offer to answer"))?;
        let peer = self.prepare(&mut state, codecs)?;
        let sdp = peer.accept_offer(offer).await?;
        state.remote_offer = None;
        state.created = Some((SdpType::Answer, sdp.clone()));
        self.settled(&mut state, &peer).await?;
        Ok(sdp)
    }

    pub(super) async fn set_local(&self, sdp_type: SdpType, sdp: &str) -> Result<(), VoiceError> {
        let mut state = self.state.lock().await;
        let text = sdp::normalize(sdp, None).map_err(crate::transport::TransportError::from)?;
        let is_ours = state.created.as_ref().is_some_and(|(kind, created)| {
            *kind == sdp_type && ufrag(created).is_some() && ufrag(created) == ufrag(&text)
        });
        if !is_ours {
            return Err(VoiceError::OutOfOrder("the local description is not the one that was created last"));
        }
        state.created = None;
        state.offered = sdp_type == SdpType::Offer;
        if !state.gathered
            && let Some(peer) = &state.peer
        {
            for candidate in peer.local_candidates() {
                self.tell(VoiceEvent::IceCandidate { peer: self.id, candidate });
            }
            self.tell(VoiceEvent::GatheringComplete { peer: self.id });
            state.gathered = true;
        }
        Ok(())
    }

    pub(super) async fn set_remote(&self, sdp_type: SdpType, sdp: String) -> Result<(), VoiceError> {
        let mut state = self.state.lock().await;
        match sdp_type {
            SdpType::Offer => {
                // The answer needs codecs that come with `createAnswer`; what is wrong is told now.
                sdp::normalize(&sdp, None).map_err(crate::transport::TransportError::from)?;
                state.remote_offer = Some(sdp);
            }
            SdpType::Answer => {
                let peer = state.peer.clone().filter(|_| state.offered);
                let peer = peer.ok_or(VoiceError::OutOfOrder("an answer came without an offer"))?;
                peer.accept_answer(sdp).await?;
                state.offered = false;
                self.settled(&mut state, &peer).await?;
            }
        }
        Ok(())
    }

    pub(super) fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    pub(super) async fn can_send_dtmf(&self) -> Result<bool, VoiceError> {
        let Some(peer) = self.state.lock().await.peer.clone() else { return Ok(false) };
        Ok(peer.negotiated().await?.is_some_and(|agreed| agreed.can_send_telephone_events))
    }

    pub(super) async fn insert_dtmf(
        &self,
        tones: String,
        duration_ms: u32,
        gap_ms: u32,
    ) -> Result<(), VoiceError> {
        if !self.can_send_dtmf().await? {
            return Err(VoiceError::NoTelephoneEvents);
        }
        if let Some(peer) = &self.state.lock().await.peer {
            peer.send_telephone_events(tones, duration_ms, gap_ms);
        }
        Ok(())
    }

    pub(super) async fn stats(&self) -> Result<Vec<StatsEntry>, VoiceError> {
        let state = self.state.lock().await;
        let Some(peer) = &state.peer else {
            return Ok(stats::report(&Default::default(), SoundCounts::default(), &[], None));
        };
        let agreed = peer.negotiated().await?.map(|agreed| agreed.codec);
        let sound = state.sound.as_ref().map(Sound::counts).unwrap_or_default();
        Ok(stats::report(&peer.stats().await?, sound, peer.local_addresses(), agreed))
    }

    pub(super) async fn close(&self) {
        let mut state = self.state.lock().await;
        state.closed = true;
        // Silence first, so that nothing is told after the close.
        if let Some(relay) = state.relay.take() {
            relay.abort();
            let _ = relay.await;
        }
        if let Some(mut sound) = state.sound.take() {
            let _ = tokio::task::spawn_blocking(move || sound.stop()).await;
        }
        if let Some(peer) = state.peer.take() {
            peer.close().await;
        }
    }

    /// Starts transport and sound the first time; before an agreement, other codecs mean another transport.
    fn prepare(&self, state: &mut State, codecs: Vec<CodecName>) -> Result<PeerHandle, VoiceError> {
        if state.closed {
            return Err(VoiceError::UnknownPeer(self.id.0));
        }
        if codecs.is_empty() {
            return Err(VoiceError::NoCodec);
        }
        if let Some(peer) = state.peer.as_ref().filter(|_| state.negotiated || state.codecs == codecs) {
            return Ok(peer.clone());
        }
        let mut options = PeerOptions::client(codecs.clone(), host_addresses());
        options.announce_candidates = false;
        let (peer, reports) = Peer::spawn(options)?;
        let sound = match state.sound.take() {
            Some(sound) => sound,
            None => Sound::start(self.id, &self.options, self.events.clone(), Arc::clone(&self.muted))?,
        };
        let relay = tokio::spawn(relay(self.id, reports, sound.packets(), self.events.clone()));
        if let Some(old) = state.relay.replace(relay) {
            old.abort();
        }
        state.sound = Some(sound);
        state.peer = Some(peer.clone());
        state.codecs = codecs;
        Ok(peer)
    }

    async fn settled(&self, state: &mut State, peer: &PeerHandle) -> Result<(), VoiceError> {
        state.negotiated = true;
        if let (Some(agreed), Some(sound)) = (peer.negotiated().await?, &state.sound) {
            sound.order(Order::Encode {
                peer: peer.clone(),
                codec: agreed.codec,
                max_bitrate: agreed.max_bitrate,
            });
        }
        Ok(())
    }

    fn tell(&self, event: VoiceEvent) {
        // Nobody listening does not stop a call.
        let _ = self.events.send(event);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Otherwise the end of the transport would be told as a breakdown.
        if let Some(relay) = self.state.get_mut().relay.take() {
            relay.abort();
        }
    }
}

fn ufrag(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:"))
}

/// Passes states to the page and packets to the sound thread.
async fn relay(
    peer: PeerId,
    mut reports: UnboundedReceiver<PeerEvent>,
    packets: std::sync::mpsc::Sender<Order>,
    events: UnboundedSender<VoiceEvent>,
) {
    while let Some(report) = reports.recv().await {
        let event = match report {
            PeerEvent::Audio { packet, .. } => {
                // The sound thread ends before this task does only when the call is over.
                let _ = packets.send(Order::Packet(packet));
                continue;
            }
            PeerEvent::Ice(state) => VoiceEvent::IceConnectionState { peer, state },
            PeerEvent::Connection(state) => VoiceEvent::ConnectionState { peer, state },
            // The far end's keys are for gateways, and its goodbye shows as a state.
            PeerEvent::TelephoneEvent(_) | PeerEvent::RemoteClosed => continue,
        };
        let _ = events.send(event);
    }
    // The transport ends by itself only if it broke down: an orderly close stops this task first.
    let _ = events.send(VoiceEvent::ConnectionState { peer, state: ConnectionState::Failed });
}
