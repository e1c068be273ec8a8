//! The agent's side of a call, doing what the Voice SDK does.

use std::sync::Arc;

use dialer_media::api::{CodecName, ConnectionState, PeerConfig, PeerId, SdpType, StatsEntry, VoiceEvent};
use dialer_media::devices::AudioDevices;
use dialer_media::engine::{EngineOptions, VoiceEngine};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::far_end::FarEnd;
use crate::wait::within;

pub(crate) struct Agent {
    pub(crate) engine: VoiceEngine,
    pub(crate) events: UnboundedReceiver<VoiceEvent>,
    pub(crate) peer: PeerId,
}

impl Agent {
    pub(crate) async fn new(devices: Arc<dyn AudioDevices>) -> Self {
        let (sender, events) = unbounded_channel();
        let engine = VoiceEngine::start(EngineOptions::new(devices), sender);
        let peer = engine.create(PeerConfig::default()).await.unwrap();
        Self { engine, events, peer }
    }

    /// As the SDK places a call.
    pub(crate) async fn call(&mut self, far_end: &FarEnd, codecs: &[CodecName]) {
        let offer = self.engine.create_offer(self.peer, codecs.to_vec(), false).await.unwrap();
        self.engine.set_local(self.peer, SdpType::Offer, offer.clone()).await.unwrap();
        let answer = far_end.peer.accept_offer(offer).await.unwrap();
        self.engine.set_remote(self.peer, SdpType::Answer, answer).await.unwrap();
        self.connected().await;
    }

    /// As the SDK answers one.
    pub(crate) async fn answer(&mut self, far_end: &FarEnd, codecs: &[CodecName]) {
        let offer = far_end.peer.create_offer().await.unwrap();
        self.engine.set_remote(self.peer, SdpType::Offer, offer).await.unwrap();
        let answer = self.engine.create_answer(self.peer, codecs.to_vec()).await.unwrap();
        self.engine.set_local(self.peer, SdpType::Answer, answer.clone()).await.unwrap();
        far_end.peer.accept_answer(answer).await.unwrap();
        self.connected().await;
    }

    pub(crate) async fn connected(&mut self) {
        self.event("the connection", |event| match event {
            VoiceEvent::ConnectionState { state: ConnectionState::Connected, .. } => Some(()),
            _ => None,
        })
        .await;
    }

    pub(crate) async fn event<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(VoiceEvent) -> Option<T>,
    ) -> T {
        within(what, async {
            loop {
                if let Some(found) = wanted(self.events.recv().await.expect("the engine lives")) {
                    return found;
                }
            }
        })
        .await
    }

    pub(crate) async fn stats(&self) -> Vec<StatsEntry> {
        self.engine.stats(self.peer).await.unwrap()
    }
}
