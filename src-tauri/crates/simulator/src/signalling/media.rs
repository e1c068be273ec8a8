//! The gateway's end of an SDK leg's media.

use std::net::SocketAddr;

use dialer_media::api::CodecName;
use dialer_media::transport::{Peer, PeerEvent, PeerHandle, PeerOptions, TransportError};
use tokio::sync::mpsc;

use crate::audio::{Arriving, RtpLine};
use crate::network::Network;

/// Codecs of the Voice SDK (its `Call.Codec`).
const CODECS: [CodecName; 2] = [CodecName::Opus, CodecName::Pcmu];

/// Why an SDK leg has no media.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MediaError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Codec(#[from] dialer_media::codec::CodecError),
    #[error("no codec was agreed")]
    NoCodec,
}

/// An ICE-lite peer, as Twilio's media gateway is one.
pub(crate) struct Media {
    pub(crate) peer: PeerHandle,
    pub(crate) events: mpsc::UnboundedReceiver<PeerEvent>,
    /// Our newest description.
    pub(crate) sdp: String,
}

impl Media {
    /// Answers the SDK's offer.
    pub(crate) async fn answer(network: &Network, offer: &str) -> Result<Self, MediaError> {
        let (peer, events) = spawn(network)?;
        let sdp = peer.accept_offer(offer).await?;
        Ok(Self { peer, events, sdp })
    }

    /// Makes an offer for the SDK to answer.
    pub(crate) async fn offer(network: &Network) -> Result<Self, MediaError> {
        let (peer, events) = spawn(network)?;
        let sdp = peer.create_offer().await?;
        Ok(Self { peer, events, sdp })
    }

    /// The line to put at the switch, once offer and answer are complete.
    pub(crate) async fn line(&self) -> Result<(RtpLine, Arriving), MediaError> {
        let agreed = self.peer.negotiated().await?.ok_or(MediaError::NoCodec)?;
        Ok(RtpLine::new(self.peer.clone(), agreed.codec)?)
    }
}

fn spawn(network: &Network) -> Result<(PeerHandle, mpsc::UnboundedReceiver<PeerEvent>), TransportError> {
    Peer::spawn(PeerOptions::gateway(CODECS.to_vec(), SocketAddr::new(network.media_address, 0)))
}
