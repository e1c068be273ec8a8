use ::opus::{Application, Bitrate, Channels, Signal};

use super::{CodecError, FRAME_SAMPLES, Frame, MAX_PACKET_SAMPLES, SAMPLE_RATE};

/// Bit/s; wide-band speech is transparent here, and FEC takes part of it.
const BITRATE: i32 = 32_000;
/// Loss the encoder prepares for, in per cent; without a figure libopus writes no FEC copies.
const EXPECTED_LOSS: i32 = 10;
/// Larger than any packet at 32 kbit/s.
const MAX_PACKET_BYTES: usize = 1_275;

pub(super) struct OpusEncoder(::opus::Encoder);

impl std::fmt::Debug for OpusEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpusEncoder")
    }
}

impl OpusEncoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        let mut encoder =
            ::opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip).map_err(failed)?;
        encoder.set_bitrate(Bitrate::Bits(BITRATE)).map_err(failed)?;
        encoder.set_inband_fec(true).map_err(failed)?;
        encoder.set_packet_loss_perc(EXPECTED_LOSS).map_err(failed)?;
        // Only the speech mode writes FEC copies; left to itself libopus takes tones and music for the other one.
        encoder.set_signal(Signal::Voice).map_err(failed)?;
        Ok(Self(encoder))
    }

    pub(super) fn encode(&mut self, frame: &Frame) -> Result<Vec<u8>, CodecError> {
        self.0.encode_vec(frame, MAX_PACKET_BYTES).map_err(failed)
    }

    pub(super) fn limit_bitrate(&mut self, bits_per_second: u32) -> Result<(), CodecError> {
        let limit = i32::try_from(bits_per_second).unwrap_or(i32::MAX).clamp(6_000, BITRATE);
        self.0.set_bitrate(Bitrate::Bits(limit)).map_err(failed)
    }
}

pub(super) struct OpusDecoder(::opus::Decoder);

impl std::fmt::Debug for OpusDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpusDecoder")
    }
}

impl OpusDecoder {
    pub(super) fn new() -> Result<Self, CodecError> {
        Ok(Self(::opus::Decoder::new(SAMPLE_RATE, Channels::Mono).map_err(failed)?))
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut Vec<i16>) -> Result<usize, CodecError> {
        // An empty payload would ask libopus for concealment.
        if payload.is_empty() {
            return Err(CodecError::Length(0));
        }
        self.append(payload, MAX_PACKET_SAMPLES, false, output)
    }

    pub(super) fn decode_fec(&mut self, next: &[u8], output: &mut Vec<i16>) -> bool {
        if has_fec_copy(next) && self.append(next, FRAME_SAMPLES, true, output).is_ok() {
            return true;
        }
        self.decode_lost(output);
        false
    }

    pub(super) fn decode_lost(&mut self, output: &mut Vec<i16>) {
        if self.append(&[], FRAME_SAMPLES, false, output).is_err() {
            output.extend_from_slice(&super::SILENCE);
        }
    }

    fn append(
        &mut self,
        payload: &[u8],
        samples: usize,
        fec: bool,
        output: &mut Vec<i16>,
    ) -> Result<usize, CodecError> {
        let start = output.len();
        output.resize(start + samples, 0);
        match self.0.decode(payload, &mut output[start..], fec) {
            Ok(count) => {
                output.truncate(start + count);
                Ok(count)
            }
            Err(error) => {
                output.truncate(start);
                Err(failed(error))
            }
        }
    }
}

pub(super) fn packet_samples(payload: &[u8]) -> Option<usize> {
    if payload.is_empty() {
        return None;
    }
    ::opus::packet::get_nb_samples(payload, SAMPLE_RATE).ok()
}

/// Whether the packet carries a low-bit-rate copy of the frame before it.
///
/// Only the speech modes can (configuration numbers 0 to 15, RFC 6716 §3.1), and the first SILK
/// header bits say whether they do: one voice-activity flag per 20 ms, then the LBRR flag (§4.2.3).
fn has_fec_copy(payload: &[u8]) -> bool {
    let Some(&toc) = payload.first() else { return false };
    let configuration = toc >> 3;
    if configuration >= 16 {
        return false;
    }
    let Ok(packet) = ::opus::packet::parse(payload) else {
        return false;
    };
    let Some(&bits) = packet.frames.first().and_then(|frame| frame.first()) else {
        return false;
    };
    // 10 and 20 ms frames have one voice-activity flag; 40 and 60 ms (low configurations only) have two and three.
    let voice_flags = match configuration {
        2 | 6 | 10 => 2,
        3 | 7 | 11 => 3,
        _ => 1,
    };
    bits >> (7 - voice_flags) & 1 == 1
}

fn failed(error: ::opus::Error) -> CodecError {
    CodecError::Library { codec: "Opus", reason: error.description().to_owned() }
}
