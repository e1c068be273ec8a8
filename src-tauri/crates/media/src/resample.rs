//! Sample-rate conversion between any two integer rates, for codecs and sound devices.

/// Filter taps per output sample when the rate goes up; going down multiplies it by the ratio.
const TAPS: usize = 32;
/// Shape of the Kaiser window: about 80 dB of stop-band attenuation.
const KAISER_BETA: f64 = 8.0;
/// Pass-band edge as a share of the lower rate's Nyquist frequency, leaving room for the slope.
const PASS_BAND: f64 = 0.92;

/// A streaming polyphase windowed-sinc converter for one channel of 16-bit samples.
///
/// Adds about `TAPS / 2` samples of the lower rate as delay: 2 ms between 8 and 48 kHz.
#[derive(Debug, Clone)]
pub struct Resampler {
    up: usize,
    down: usize,
    /// `up` rows of `taps` coefficients.
    rows: Vec<f32>,
    taps: usize,
    /// The last `taps - 1` input samples, then the block being converted.
    window: Vec<f32>,
    /// Which row the next output sample uses.
    row: usize,
    /// Whole input samples the next output sample lies beyond the window's oldest usable one.
    offset: usize,
}

impl Resampler {
    /// A converter from `from_hz` to `to_hz`; a rate of 0 is taken as 1.
    pub fn new(from_hz: u32, to_hz: u32) -> Self {
        let (from, to) = (from_hz.max(1) as usize, to_hz.max(1) as usize);
        let common = greatest_common_divisor(from, to);
        let (up, down) = (to / common, from / common);
        let (rows, taps) = if up == down { (vec![1.0], 1) } else { design(up, down) };
        Self { up, down, rows, taps, window: vec![0.0; taps - 1], row: 0, offset: 0 }
    }

    /// Converts `input` and appends the result to `output`; the fractional rest is kept for the next call.
    pub fn process(&mut self, input: &[i16], output: &mut Vec<i16>) {
        if self.up == self.down {
            output.extend_from_slice(input);
            return;
        }
        self.window.extend(input.iter().map(|&sample| f32::from(sample)));
        while let Some(samples) = self.window.get(self.offset..self.offset + self.taps) {
            let coefficients = &self.rows[self.row * self.taps..(self.row + 1) * self.taps];
            let sum: f32 = samples.iter().zip(coefficients).map(|(sample, weight)| sample * weight).sum();
            output.push(to_sample(sum));
            self.row += self.down;
            self.offset += self.row / self.up;
            self.row %= self.up;
        }
        let used = self.offset.min(self.window.len());
        self.window.drain(..used);
        self.offset -= used;
    }

    /// Forgets the past, as at the start of a new stream.
    pub fn reset(&mut self) {
        self.window.clear();
        self.window.resize(self.taps - 1, 0.0);
        self.row = 0;
        self.offset = 0;
    }
}

/// Rounds and limits to 16 bits.
pub(crate) fn to_sample(value: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "limited to the range of i16 first")]
    let sample = value.round().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16;
    sample
}

/// Splits a low-pass filter designed at `up` times the input rate into `up` rows, each reversed so
/// that it multiplies input samples in the order of time.
fn design(up: usize, down: usize) -> (Vec<f32>, usize) {
    let stretch = up.max(down);
    let taps = (TAPS * stretch).div_ceil(up);
    let length = taps * up;
    let cutoff = PASS_BAND / (2.0 * stretch as f64);
    let centre = (length - 1) as f64 / 2.0;
    let prototype: Vec<f64> = (0..length)
        .map(|n| {
            let t = n as f64 - centre;
            let sinc = if t.abs() < 1e-9 {
                2.0 * cutoff
            } else {
                (std::f64::consts::TAU * cutoff * t).sin() / (std::f64::consts::PI * t)
            };
            let edge = t / (centre + 0.5);
            sinc * bessel_i0(KAISER_BETA * (1.0 - edge * edge).max(0.0).sqrt()) / bessel_i0(KAISER_BETA)
        })
        .collect();
    let mut rows = Vec::with_capacity(length);
    for row in 0..up {
        let row: Vec<f64> = (0..taps).rev().map(|k| prototype[row + k * up]).collect();
        // Each row is normalised by itself, so that a constant stays exactly constant.
        let gain: f64 = row.iter().sum();
        #[expect(clippy::cast_possible_truncation, reason = "coefficients need no more than f32")]
        rows.extend(row.iter().map(|weight| (weight / gain) as f32));
    }
    (rows, taps)
}

/// The modified Bessel function of order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..32 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::signal::{Tone, dominant_frequency, rms_dbfs};

    fn convert(from: u32, to: u32, hz: f32, chunk: usize) -> Vec<i16> {
        let mut input = vec![0; from as usize / 2];
        Tone::at_rate(hz, -10.0, from).fill(&mut input);
        let mut resampler = Resampler::new(from, to);
        let mut output = Vec::new();
        for part in input.chunks(chunk) {
            resampler.process(part, &mut output);
        }
        output
    }

    #[test]
    fn rates_of_codecs_and_devices_keep_length_level_and_pitch() {
        for (from, to) in [
            (48_000, 8_000),
            (8_000, 48_000),
            (44_100, 48_000),
            (48_000, 44_100),
            (16_000, 48_000),
            (96_000, 48_000),
            (48_000, 48_000),
        ] {
            let output = convert(from, to, 1_000.0, 441);
            let expected = to as usize / 2;
            assert!(output.len().abs_diff(expected) <= 1 + expected / 100, "{from}->{to}: {}", output.len());
            let steady = &output[output.len() / 4..];
            let level = rms_dbfs(steady);
            assert!((level + 10.0).abs() < 0.2, "{from}->{to}: {level} dBFS");
            // `dominant_frequency` takes 48 kHz, so the pitch reads scaled by the rate.
            let seen = dominant_frequency(steady).unwrap().hz * to as f32 / 48_000.0;
            assert!((seen - 1_000.0).abs() < 1.0, "{from}->{to}: {seen} Hz");
        }
    }

    #[test]
    fn what_cannot_be_carried_is_removed_not_folded_back() {
        let output = convert(48_000, 8_000, 5_000.0, 960);
        assert!(rms_dbfs(&output[400..]) < -70.0, "{}", rms_dbfs(&output[400..]));
    }

    #[test]
    fn the_cut_into_blocks_makes_no_difference() {
        assert_eq!(convert(44_100, 48_000, 700.0, 100), convert(44_100, 48_000, 700.0, 22_050));
    }

    #[test]
    fn after_a_reset_the_past_is_gone() {
        let mut resampler = Resampler::new(8_000, 48_000);
        let mut first = Vec::new();
        resampler.process(&[1_000; 160], &mut first);
        resampler.reset();
        let mut second = Vec::new();
        resampler.process(&[1_000; 160], &mut second);
        assert_eq!(first, second);
    }
}
