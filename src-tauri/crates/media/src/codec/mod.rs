//! Opus and PCMU behind one pair of types.
//!
//! Sound inside this crate is always 48 kHz mono in frames of 20 ms; what a codec does with it on the
//! wire (PCMU's 8 kHz, Opus' stereo flag) ends here.

mod opus;
mod pcmu;

pub use crate::api::CodecName;

/// Samples per second of all sound inside the engine.
pub const SAMPLE_RATE: u32 = 48_000;
/// Samples of one frame: 20 ms, the packet length Twilio's gateway asks for (`a=ptime:20`).
pub const FRAME_SAMPLES: usize = 960;
/// Length of one frame in milliseconds.
pub const FRAME_MS: u64 = 20;
/// 20 ms of mono sound at 48 kHz.
pub type Frame = [i16; FRAME_SAMPLES];
/// A frame of silence.
pub const SILENCE: Frame = [0; FRAME_SAMPLES];

/// Longest packet a decoder takes: Opus' own limit of 120 ms.
pub const MAX_PACKET_SAMPLES: usize = 6 * FRAME_SAMPLES;

/// Why sound could not be coded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The codec library refused, which for a decoder means a malformed packet.
    #[error("{codec} failed: {reason}")]
    Library {
        /// `Opus` or `PCMU`.
        codec: &'static str,
        /// The library's own words.
        reason: String,
    },
    /// A packet that is empty or longer than 120 ms.
    #[error("a packet of {0} bytes is no sound packet")]
    Length(usize),
}

impl CodecName {
    /// RTP clock rate in Hz (RFC 7587, RFC 3551).
    pub fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            Self::Pcmu => 8_000,
        }
    }

    /// How far the RTP timestamp moves in 20 ms.
    pub fn ticks_per_frame(self) -> u32 {
        self.clock_rate() / 50
    }

    /// As in `RTCCodecStats.mimeType`.
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Opus => "audio/opus",
            Self::Pcmu => "audio/PCMU",
        }
    }
}

/// Turns frames into packets.
#[derive(Debug)]
pub struct Encoder(EncoderKind);

#[derive(Debug)]
enum EncoderKind {
    Opus(opus::OpusEncoder),
    Pcmu(pcmu::PcmuEncoder),
}

impl Encoder {
    /// An encoder at its usual quality: Opus at 32 kbit/s with in-band FEC for 10 % loss, PCMU at 64 kbit/s.
    pub fn new(codec: CodecName) -> Result<Self, CodecError> {
        Ok(Self(match codec {
            CodecName::Opus => EncoderKind::Opus(opus::OpusEncoder::new()?),
            CodecName::Pcmu => EncoderKind::Pcmu(pcmu::PcmuEncoder::new()),
        }))
    }

    /// Which codec it is.
    pub fn codec(&self) -> CodecName {
        match &self.0 {
            EncoderKind::Opus(_) => CodecName::Opus,
            EncoderKind::Pcmu(_) => CodecName::Pcmu,
        }
    }

    /// One frame becomes one RTP payload; the same number of packets leaves as frames come in (no DTX).
    pub fn encode(&mut self, frame: &Frame) -> Result<Vec<u8>, CodecError> {
        match &mut self.0 {
            EncoderKind::Opus(encoder) => encoder.encode(frame),
            EncoderKind::Pcmu(encoder) => Ok(encoder.encode(frame)),
        }
    }

    /// Keeps below the far end's `maxaveragebitrate` in bit/s (RFC 7587 §6.1, 6000 to 510000).
    ///
    /// Never goes above the usual quality, and means nothing to PCMU.
    pub fn limit_bitrate(&mut self, bits_per_second: u32) -> Result<(), CodecError> {
        match &mut self.0 {
            EncoderKind::Opus(encoder) => encoder.limit_bitrate(bits_per_second),
            EncoderKind::Pcmu(_) => Ok(()),
        }
    }
}

/// Turns packets back into sound, and makes up for those that are missing.
#[derive(Debug)]
pub struct Decoder(DecoderKind);

#[derive(Debug)]
enum DecoderKind {
    Opus(opus::OpusDecoder),
    Pcmu(pcmu::PcmuDecoder),
}

impl Decoder {
    /// A decoder that has heard nothing.
    pub fn new(codec: CodecName) -> Result<Self, CodecError> {
        Ok(Self(match codec {
            CodecName::Opus => DecoderKind::Opus(opus::OpusDecoder::new()?),
            CodecName::Pcmu => DecoderKind::Pcmu(pcmu::PcmuDecoder::new()),
        }))
    }

    /// Which codec it is.
    pub fn codec(&self) -> CodecName {
        match &self.0 {
            DecoderKind::Opus(_) => CodecName::Opus,
            DecoderKind::Pcmu(_) => CodecName::Pcmu,
        }
    }

    /// Appends the sound of one packet to `output` and answers with its length in samples.
    ///
    /// Packets are usually 20 ms, but anything up to 120 ms is taken. On an error nothing is appended.
    pub fn decode(&mut self, payload: &[u8], output: &mut Vec<i16>) -> Result<usize, CodecError> {
        match &mut self.0 {
            DecoderKind::Opus(decoder) => decoder.decode(payload, output),
            DecoderKind::Pcmu(decoder) => decoder.decode(payload, output),
        }
    }

    /// Rebuilds the 20 ms before `next` from the copy `next` carries (Opus in-band FEC).
    ///
    /// Call it instead of [`Decoder::decode_lost`] when the packet after the lost one is there, then
    /// decode `next` as usual. Answers whether a copy was found; without one (always for PCMU) the frame is concealed.
    pub fn decode_fec(&mut self, next: &[u8], output: &mut Vec<i16>) -> bool {
        match &mut self.0 {
            DecoderKind::Opus(decoder) => decoder.decode_fec(next, output),
            DecoderKind::Pcmu(decoder) => {
                decoder.decode_lost(output);
                false
            }
        }
    }

    /// Appends 20 ms that sound like what came before and fade if called again and again.
    pub fn decode_lost(&mut self, output: &mut Vec<i16>) {
        match &mut self.0 {
            DecoderKind::Opus(decoder) => decoder.decode_lost(output),
            DecoderKind::Pcmu(decoder) => decoder.decode_lost(output),
        }
    }

    /// Length of a packet in 48 kHz samples without decoding it; `None` for what is no packet.
    pub fn packet_samples(codec: CodecName, payload: &[u8]) -> Option<usize> {
        let samples = match codec {
            CodecName::Opus => opus::packet_samples(payload)?,
            CodecName::Pcmu => payload.len() * 6,
        };
        (1..=MAX_PACKET_SAMPLES).contains(&samples).then_some(samples)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::signal::{SignalMeter, Tone, rms_dbfs, speech_like};

    /// Sends sound through a codec, losing the frames that `lost` names; FEC is used where it can be.
    /// Also answers how many lost frames came back by FEC.
    fn through(
        codec: CodecName,
        mut sound: impl FnMut() -> Frame,
        lost: impl Fn(usize) -> bool,
    ) -> (Vec<i16>, usize) {
        let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
        let packets: Vec<Vec<u8>> = (0..150).map(|_| encoder.encode(&sound()).unwrap()).collect();
        let (mut output, mut recovered) = (Vec::new(), 0);
        for index in 0..packets.len() - 1 {
            if !lost(index) {
                assert_eq!(decoder.decode(&packets[index], &mut output), Ok(FRAME_SAMPLES));
            } else if lost(index + 1) {
                decoder.decode_lost(&mut output);
            } else {
                recovered += usize::from(decoder.decode_fec(&packets[index + 1], &mut output));
            }
        }
        assert_eq!(output.len(), 149 * FRAME_SAMPLES, "lost frames keep their length");
        (output, recovered)
    }

    fn tone() -> impl FnMut() -> Frame {
        let mut tone = Tone::new(440.0, -12.0);
        move || tone.next_frame()
    }

    #[test]
    fn both_codecs_carry_a_tone() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let mut meter = SignalMeter::new();
            through(codec, tone(), |_| false).0.as_chunks().0.iter().for_each(|frame| meter.feed(frame));
            let report = meter.report();
            let dominant = report.dominant.unwrap();
            assert!((dominant.hz - 440.0).abs() < 1.0, "{codec:?}: {dominant:?}");
            assert!((dominant.level_dbfs + 12.0).abs() < 1.0, "{codec:?}: {dominant:?}");
            assert!(report.snr_db.unwrap() > 20.0, "{codec:?}: {report:?}");
            assert_eq!(report.dropouts, 0, "{codec:?}");
        }
    }

    #[test]
    fn single_losses_of_speech_are_patched() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let whole = through(codec, speech_like(), |_| false).0;
            let (patched, recovered) = through(codec, speech_like(), |index| index % 10 == 9);
            let holes = whole
                .chunks(480)
                .zip(patched.chunks(480))
                .filter(|(a, b)| rms_dbfs(a) > -40.0 && rms_dbfs(a) - rms_dbfs(b) > 10.0);
            // Where the detector dozes off there is no copy, and concealment is all there is.
            let holes = holes.count();
            assert!(holes <= 4, "{codec:?}: {holes} of 28 lost blocks are holes");
            assert_eq!(recovered >= 9, codec == CodecName::Opus, "{codec:?}: {recovered} of 14 by FEC");
        }
    }

    #[test]
    fn a_long_gap_fades_to_silence() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
            let mut tone = Tone::new(440.0, -12.0);
            let mut output = Vec::new();
            for _ in 0..20 {
                decoder.decode(&encoder.encode(&tone.next_frame()).unwrap(), &mut output).unwrap();
            }
            output.clear();
            (0..25).for_each(|_| decoder.decode_lost(&mut output));
            assert!(rms_dbfs(&output[24 * FRAME_SAMPLES..]) < -45.0, "{codec:?}");
        }
    }

    #[test]
    fn malformed_packets_are_errors_and_add_nothing() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let mut decoder = Decoder::new(codec).unwrap();
            let mut output = Vec::new();
            for bad in [&[][..], &[0xff; 1_500][..]] {
                assert!(decoder.decode(bad, &mut output).is_err(), "{codec:?} {}", bad.len());
                assert!(output.is_empty());
                assert_eq!(Decoder::packet_samples(codec, bad), None, "{codec:?} {}", bad.len());
            }
        }
    }

    #[test]
    fn the_length_of_a_packet_is_known_without_decoding() {
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let packet = Encoder::new(codec).unwrap().encode(&SILENCE).unwrap();
            assert_eq!(Decoder::packet_samples(codec, &packet), Some(FRAME_SAMPLES));
        }
        assert_eq!(Decoder::packet_samples(CodecName::Pcmu, &[0; 80]), Some(480));
    }

    #[test]
    fn the_far_ends_bitrate_limit_is_kept() {
        let bytes = |limit: Option<u32>| -> usize {
            let mut encoder = Encoder::new(CodecName::Opus).unwrap();
            if let Some(limit) = limit {
                encoder.limit_bitrate(limit).unwrap();
            }
            let mut tone = Tone::new(440.0, -12.0);
            (0..50).map(|_| encoder.encode(&tone.next_frame()).unwrap().len()).sum()
        };
        assert!(bytes(Some(12_000)) < bytes(None) * 2 / 3);
        assert_eq!(bytes(Some(510_000)), bytes(None));
    }
}
