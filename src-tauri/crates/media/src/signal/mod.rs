//! Making and measuring sound: what the self-test, the practice far ends and the tests listen with.
//!
//! Levels are in dBFS with 0 for a sine of full scale; all samples are 48 kHz mono unless said otherwise.

mod dtmf;
mod meter;
mod tone;

pub use dtmf::{DtmfDetector, dtmf_frequencies};
pub use meter::{Dominant, SignalMeter, SignalReport, dominant_frequency};
pub use tone::{Tone, TwoTone};

/// RMS of `samples` as a share of full scale, 0 to 1; a full-scale sine has 0.707.
pub fn rms(samples: &[i16]) -> f32 {
    if samples.is_empty() {
        return 0.0;
    }
    let sum: f64 = samples.iter().map(|&sample| f64::from(sample) * f64::from(sample)).sum();
    #[expect(clippy::cast_possible_truncation, reason = "a level needs no more than f32")]
    let root = ((sum / samples.len() as f64).sqrt() / 32_768.0) as f32;
    root
}

/// RMS of `samples` in dBFS; silence is [`SILENCE_DBFS`].
pub fn rms_dbfs(samples: &[i16]) -> f32 {
    (20.0 * (rms(samples) * std::f32::consts::SQRT_2).log10()).max(SILENCE_DBFS)
}

/// The level reported for no sound at all.
pub const SILENCE_DBFS: f32 = -120.0;

/// Power of `hz` in `samples` by the Goertzel recurrence, scaled so that a sine of amplitude `a`
/// (in sample units) that fits the block gives `a²`.
pub(crate) fn goertzel_power(samples: &[i16], hz: f32, sample_rate: f32) -> f64 {
    let omega = std::f64::consts::TAU * f64::from(hz) / f64::from(sample_rate);
    let coefficient = 2.0 * omega.cos();
    let (mut previous, mut before) = (0.0, 0.0);
    for &sample in samples {
        let current = f64::from(sample) + coefficient * previous - before;
        before = previous;
        previous = current;
    }
    let power = previous * previous + before * before - coefficient * previous * before;
    let half = samples.len().max(1) as f64 / 2.0;
    power / (half * half)
}

/// A buzz of 20 harmonics of 140 Hz, swelling four times a second: a crude vowel. The speech
/// detector inside Opus takes it for speech; a steady tone it does not, and then writes no FEC copies.
#[cfg(test)]
pub(crate) fn speech_like() -> impl FnMut() -> crate::codec::Frame {
    let mut time = 0.0_f64;
    move || {
        std::array::from_fn(|_| {
            time += 1.0 / f64::from(crate::codec::SAMPLE_RATE);
            let swell = 0.55 - 0.45 * (std::f64::consts::TAU * 4.0 * time).cos();
            let buzz: f64 = (1..=20)
                .map(|n| (std::f64::consts::TAU * 140.0 * f64::from(n) * time).sin() / f64::from(n))
                .sum();
            #[expect(clippy::cast_possible_truncation, reason = "well within range")]
            let sample = (buzz * swell * 5_000.0) as i16;
            sample
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_their_definition() {
        let mut samples = vec![0; 48_000];
        Tone::new(1_000.0, 0.0).fill(&mut samples);
        assert!((rms(&samples) - 0.707).abs() < 0.001);
        assert!(rms_dbfs(&samples).abs() < 0.01);
        assert_eq!(rms(&[]), 0.0);
        assert_eq!(rms_dbfs(&[0; 100]), SILENCE_DBFS);
    }

    #[test]
    fn goertzel_sees_its_own_frequency_only() {
        let mut samples = [0; 960];
        Tone::new(1_000.0, -6.02).fill(&mut samples);
        let amplitude = goertzel_power(&samples, 1_000.0, 48_000.0).sqrt();
        assert!((amplitude - 16_384.0).abs() < 50.0, "{amplitude}");
        assert!(goertzel_power(&samples, 2_000.0, 48_000.0).sqrt() < 50.0);
    }
}
