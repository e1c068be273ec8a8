//! The SDK's line: RTP on one side, frames on the other.

use std::sync::{Arc, Mutex, PoisonError};

use dialer_media::api::CodecName;
use dialer_media::codec::{CodecError, Encoder, Frame};
use dialer_media::jitter::{AudioPacket, JitterBuffer, JitterOptions};
use dialer_media::transport::PeerHandle;

use super::switch::Line;

/// The line of one SDK leg at the switch.
pub(crate) struct RtpLine {
    arriving: Arc<Mutex<JitterBuffer>>,
    encoder: Encoder,
    peer: PeerHandle,
}

/// Where arriving packets are put.
#[derive(Clone)]
pub(crate) struct Arriving(Arc<Mutex<JitterBuffer>>);

impl RtpLine {
    /// A line over `peer`, which has agreed on `codec` and wants at most `max_bitrate` bit/s.
    pub(crate) fn new(
        peer: PeerHandle,
        codec: CodecName,
        max_bitrate: Option<u32>,
    ) -> Result<(Self, Arriving), CodecError> {
        let arriving = Arc::new(Mutex::new(JitterBuffer::new(JitterOptions::default())));
        let mut encoder = Encoder::new(codec)?;
        if let Some(limit) = max_bitrate {
            encoder.limit_bitrate(limit)?;
        }
        let line = Self { arriving: Arc::clone(&arriving), encoder, peer };
        Ok((line, Arriving(arriving)))
    }
}

impl Arriving {
    pub(crate) fn push(&self, packet: AudioPacket) {
        // Fails only if a decoder cannot be made, which for these two codecs means no memory.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).push(packet);
    }
}

impl Line for RtpLine {
    fn speak(&mut self) -> Frame {
        self.arriving.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn hear(&mut self, frame: &Frame) {
        // Silence is sent too: three seconds without packets make the SDK warn of `low-bytes`.
        if let Ok(payload) = self.encoder.encode(frame) {
            self.peer.send(self.encoder.codec(), payload);
        }
    }
}
