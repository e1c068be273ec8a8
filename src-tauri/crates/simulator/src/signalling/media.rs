//! The gateway's end of an SDK leg's media.

use std::net::SocketAddr;

use dialer_media::api::CodecName;
use dialer_media::transport::{Peer, PeerEvent, PeerHandle, PeerOptions, TransportError};
use tokio::sync::mpsc;

use crate::audio::{Arriving, RtpLine};
use crate::network::Network;

/// Codecs of the Voice SDK (its `Call.Codec`), in our own order: wideband first.
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
        let (peer, events) = spawn(network, preference(offer))?;
        let sdp = end_candidates(&peer.accept_offer(offer).await?);
        Ok(Self { peer, events, sdp })
    }

    /// Makes an offer for the SDK to answer.
    pub(crate) async fn offer(network: &Network) -> Result<Self, MediaError> {
        let (peer, events) = spawn(network, CODECS.to_vec())?;
        let sdp = end_candidates(&peer.create_offer().await?);
        Ok(Self { peer, events, sdp })
    }

    /// Takes a further offer of the SDK; our new answer is in [`Media::sdp`] then.
    pub(crate) async fn renegotiate(&mut self, offer: &str) -> Result<(), MediaError> {
        self.sdp = end_candidates(&self.peer.accept_offer(offer).await?);
        Ok(())
    }

    /// The line to put at the switch, once offer and answer are complete.
    pub(crate) async fn line(&self) -> Result<(RtpLine, Arriving), MediaError> {
        let agreed = self.peer.negotiated().await?.ok_or(MediaError::NoCodec)?;
        Ok(RtpLine::new(self.peer.clone(), agreed.codec, agreed.max_bitrate)?)
    }
}

fn spawn(
    network: &Network,
    codecs: Vec<CodecName>,
) -> Result<(PeerHandle, mpsc::UnboundedReceiver<PeerEvent>), TransportError> {
    Peer::spawn(PeerOptions::gateway(codecs, SocketAddr::new(network.media_address, 0)))
}

/// Says after the candidates that these are all, as Twilio's gateway does: none will trickle.
fn end_candidates(sdp: &str) -> String {
    const END: &str = "a=end-of-candidates";
    let last = sdp.lines().rfind(|line| line.starts_with("a=candidate:"));
    match last {
        Some(last) if !sdp.contains(END) => sdp.replacen(last, &format!("{last}\r\n{END}"), 1),
        _ => sdp.to_owned(),
    }
}

/// The codecs in the order of the offer's `m=audio` line: the SDK sorts them there by its
/// `codecPreferences` (voice-sdk 2.18.5, `rtc/peerconnection.ts:594`).
fn preference(offer: &str) -> Vec<CodecName> {
    let lines = || offer.lines().map(str::trim_end);
    let payload_types: Vec<&str> = lines()
        .find_map(|line| line.strip_prefix("m=audio "))
        .map(|media| media.split_whitespace().skip(2).collect())
        .unwrap_or_default();
    let position = |codec: CodecName| {
        let name = match codec {
            CodecName::Opus => "opus/48000",
            CodecName::Pcmu => "PCMU/8000",
        };
        let mapped = lines().find_map(|line| {
            let (payload_type, encoding) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
            let same = encoding.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
            same.then_some(payload_type)
        });
        // PCMU has the static payload type 0 and needs no map (RFC 3551).
        let payload_type = mapped.unwrap_or(if codec == CodecName::Pcmu { "0" } else { "" });
        payload_types.iter().position(|listed| *listed == payload_type).unwrap_or(usize::MAX)
    };
    let mut codecs = CODECS.to_vec();
    codecs.sort_by_key(|codec| position(*codec));
    codecs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_candidates_is_said_once_and_in_its_place() {
        let sdp = "v=0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=mid:0\r\n";
        let ended = end_candidates(sdp);
        assert_eq!(
            ended,
            "v=0\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\na=end-of-candidates\r\na=mid:0\r\n"
        );
        assert_eq!(end_candidates(&ended), ended);
    }

    #[test]
    fn the_offer_decides_which_codec_comes_first() {
        let offer = |order: &str| {
            format!(
                "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF {order}\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:9 G722/8000\r\n"
            )
        };
        assert_eq!(preference(&offer("111 9 0")), [CodecName::Opus, CodecName::Pcmu]);
        assert_eq!(preference(&offer("0 9 111")), [CodecName::Pcmu, CodecName::Opus]);
        assert_eq!(preference(&offer("9 0")), [CodecName::Pcmu, CodecName::Opus]);
        assert_eq!(preference("no description"), CODECS);
    }
}
