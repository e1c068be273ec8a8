use super::{CodecError, Frame, MAX_PACKET_SAMPLES, SAMPLE_RATE};
use crate::resample::Resampler;

const WIRE_RATE: u32 = 8_000;
/// 20 ms at 8 kHz.
const WIRE_FRAME: usize = 160;

#[derive(Debug)]
pub(super) struct PcmuEncoder {
    resampler: Resampler,
    /// Samples at 8 kHz that do not fill a packet yet.
    pending: Vec<i16>,
}

impl PcmuEncoder {
    pub(super) fn new() -> Self {
        Self {
            resampler: Resampler::new(SAMPLE_RATE, WIRE_RATE),
            pending: Vec::with_capacity(2 * WIRE_FRAME),
        }
    }

    pub(super) fn encode(&mut self, frame: &Frame) -> Vec<u8> {
        // 960 samples become exactly 160, the filter's memory being full from the start.
        self.pending.clear();
        self.resampler.process(frame, &mut self.pending);
        self.pending.iter().map(|&sample| compress(sample)).collect()
    }
}

#[derive(Debug)]
pub(super) struct PcmuDecoder {
    resampler: Resampler,
    concealment: Concealment,
    narrow: Vec<i16>,
}

impl PcmuDecoder {
    pub(super) fn new() -> Self {
        Self {
            resampler: Resampler::new(WIRE_RATE, SAMPLE_RATE),
            concealment: Concealment::default(),
            narrow: Vec::with_capacity(2 * WIRE_FRAME),
        }
    }

    pub(super) fn decode(&mut self, payload: &[u8], output: &mut Vec<i16>) -> Result<usize, CodecError> {
        if payload.is_empty() || payload.len() * 6 > MAX_PACKET_SAMPLES {
            return Err(CodecError::Length(payload.len()));
        }
        self.narrow.clear();
        self.narrow.extend(payload.iter().map(|&byte| expand(byte)));
        self.concealment.good(&mut self.narrow);
        let start = output.len();
        self.resampler.process(&self.narrow, output);
        Ok(output.len() - start)
    }

    pub(super) fn decode_lost(&mut self, output: &mut Vec<i16>) {
        self.narrow.clear();
        self.concealment.lost(&mut self.narrow);
        self.resampler.process(&self.narrow, output);
    }
}

/// Fills gaps by repeating the last pitch period, fading it out over 60 ms; the idea of ITU-T G.711
/// Appendix I without its added delay.
#[derive(Debug, Default)]
struct Concealment {
    /// The newest samples, at most [`HISTORY`].
    history: Vec<i16>,
    /// The period being repeated while packets are missing, and the next sample in it.
    period: Vec<i16>,
    next: usize,
    /// Samples made up so far in this gap.
    made: usize,
}

/// 48 ms: three times the longest period.
const HISTORY: usize = 384;
/// Periods of 66 to 400 Hz.
const SHORTEST: usize = 20;
const LONGEST: usize = 120;
/// Full strength for 10 ms, then a straight line to nothing at 60 ms.
const HOLD: usize = 80;
const FADE: usize = 400;
/// Length of the crossing from made-up sound back to real sound: 4 ms.
const CROSS: usize = 32;

impl Concealment {
    fn good(&mut self, samples: &mut [i16]) {
        if self.made > 0 {
            for (index, sample) in samples.iter_mut().take(CROSS).enumerate() {
                let made_up = f32::from(self.make());
                let share = (index + 1) as f32 / (CROSS + 1) as f32;
                *sample = crate::resample::to_sample(f32::from(*sample) * share + made_up * (1.0 - share));
            }
            self.made = 0;
            self.period.clear();
        }
        self.history.extend_from_slice(samples);
        let excess = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..excess);
    }

    fn lost(&mut self, output: &mut Vec<i16>) {
        if self.period.is_empty() {
            let length = self.best_period();
            let start = self.history.len().saturating_sub(length);
            self.period = self.history[start..].to_vec();
            self.next = 0;
        }
        output.extend((0..WIRE_FRAME).map(|_| self.make()));
    }

    fn make(&mut self) -> i16 {
        let Some(&sample) = self.period.get(self.next) else {
            return 0;
        };
        self.next = (self.next + 1) % self.period.len();
        let strength = 1.0 - (self.made.saturating_sub(HOLD) as f32 / FADE as f32).min(1.0);
        self.made += 1;
        crate::resample::to_sample(f32::from(sample) * strength)
    }

    /// The shift at which the newest 20 ms look most like what came before them.
    ///
    /// Whole multiples of the true period fit just as well, so the best of the longer shifts serves
    /// high tones too, which no short shift at 8 kHz would fit exactly.
    fn best_period(&self) -> usize {
        if self.history.len() < LONGEST + WIRE_FRAME {
            return self.history.len();
        }
        let newest = &self.history[self.history.len() - WIRE_FRAME..];
        let likeness = |shift: usize| -> f64 {
            let older = &self.history[self.history.len() - WIRE_FRAME - shift..self.history.len() - shift];
            let (mut both, mut power) = (0.0, 1.0);
            for (&a, &b) in newest.iter().zip(older) {
                both += f64::from(a) * f64::from(b);
                power += f64::from(b) * f64::from(b);
            }
            both / power.sqrt()
        };
        (SHORTEST..=LONGEST).max_by(|&a, &b| likeness(a).total_cmp(&likeness(b))).unwrap_or(LONGEST)
    }
}

/// Largest 14-bit magnitude, in 16-bit units, that mu-law can carry (ITU-T G.711 table 2a).
const CLIP: i32 = 32_635;
const BIAS: i32 = 0x84;

/// 16-bit linear to mu-law (ITU-T G.711).
fn compress(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(CLIP) + BIAS;
    // The bias makes the highest set bit one of 7 to 14.
    let exponent = 31 - magnitude.leading_zeros() - 7;
    let mantissa = magnitude >> (exponent + 3) & 0x0f;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "three and four bits")]
    let code = sign | ((exponent as u8) << 4) | mantissa as u8;
    !code
}

/// Mu-law to 16-bit linear (ITU-T G.711).
fn expand(code: u8) -> i16 {
    let code = !code;
    let exponent = code >> 4 & 0x07;
    let magnitude = (((i32::from(code & 0x0f) << 3) + BIAS) << exponent) - BIAS;
    #[expect(clippy::cast_possible_truncation, reason = "at most 32124")]
    let sample = if code & 0x80 == 0 { magnitude as i16 } else { -(magnitude as i16) };
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mu_law_meets_the_table_of_g711() {
        // Decision and output values of ITU-T G.711 table 2a/2b, times four for 16 bits.
        for (sample, code) in [
            (0, 0xff),
            (32_124, 0x80),
            (-32_124, 0x00),
            (16_764, 0x8f),
            (-16_764, 0x0f),
            (132, 0xef),
            (-132, 0x6f),
        ] {
            assert_eq!(compress(sample), code, "{sample}");
            assert_eq!(expand(code), sample, "{code:#x}");
        }
        assert_eq!(expand(0x7f), 0, "the second zero");
        assert_eq!((compress(i16::MAX), compress(i16::MIN)), (0x80, 0x00));
    }

    #[test]
    fn every_code_survives_the_round_trip() {
        for code in 0..=255u8 {
            // The negative zero becomes the positive one.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(compress(expand(code)), expected);
        }
    }

    #[test]
    fn each_frame_is_160_bytes() {
        let mut encoder = PcmuEncoder::new();
        assert!((0..20).all(|_| encoder.encode(&super::super::SILENCE).len() == WIRE_FRAME));
    }
}
