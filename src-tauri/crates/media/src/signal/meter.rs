use std::collections::VecDeque;

use super::{rms, rms_dbfs};
use crate::codec::{Frame, SAMPLE_RATE};

/// The strongest sine in a stretch of sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dominant {
    /// Hz; right to about 1 Hz from 100 ms of sound on.
    pub hz: f32,
    /// Level of that sine alone, 0 = full scale.
    pub level_dbfs: f32,
}

/// Below this nothing is called a tone.
const QUIET_DBFS: f32 = -60.0;
/// A tone must carry this share of all power.
const MIN_SHARE: f64 = 0.3;

/// Finds the strongest sine between 50 Hz and 20 kHz in 48 kHz samples.
///
/// `None` when `samples` are shorter than 20 ms, nearly silent, or no single tone stands out.
pub fn dominant_frequency(samples: &[i16]) -> Option<Dominant> {
    if samples.len() < 960 || rms_dbfs(samples) < QUIET_DBFS {
        return None;
    }
    // Zero padding and a Hann window make the parabola through the peak exact enough.
    let length = (samples.len() * 2).next_power_of_two();
    let mut real = vec![0.0; length];
    let mut imaginary = vec![0.0; length];
    let last = (samples.len() - 1) as f64;
    let mut total = 0.0;
    for (index, &sample) in samples.iter().enumerate() {
        let weight = 0.5 - 0.5 * (std::f64::consts::TAU * index as f64 / last).cos();
        real[index] = f64::from(sample) * weight;
        total += f64::from(sample) * f64::from(sample);
    }
    transform(&mut real, &mut imaginary);
    let bin_hz = f64::from(SAMPLE_RATE) / length as f64;
    let power = |bin: usize| real[bin] * real[bin] + imaginary[bin] * imaginary[bin];
    let bins = bin_at(50.0, bin_hz)..=bin_at(20_000.0, bin_hz);
    let peak = bins.max_by(|&a, &b| power(a).total_cmp(&power(b)))?;
    let [left, middle, right] = [peak - 1, peak, peak + 1].map(|bin| power(bin).max(1e-9).ln());
    let bend = left - 2.0 * middle + right;
    let shift = if bend.abs() > 1e-12 { 0.5 * (left - right) / bend } else { 0.0 };
    let hz = (peak as f64 + shift) * bin_hz;
    // A Hann window halves the amplitude; the transform of a sine has half of it in either bin.
    let amplitude = power(peak).sqrt() * 4.0 / samples.len() as f64;
    if amplitude * amplitude / 2.0 < MIN_SHARE * total / samples.len() as f64 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "reports need no more than f32")]
    let found = Dominant { hz: hz as f32, level_dbfs: (20.0 * (amplitude / 32_768.0).log10()) as f32 };
    Some(found)
}

fn bin_at(hz: f64, bin_hz: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let bin = (hz / bin_hz) as usize;
    bin.max(1)
}

/// In-place radix-2 Fourier transform; the length must be a power of two.
fn transform(real: &mut [f64], imaginary: &mut [f64]) {
    let length = real.len();
    let mut target = 0;
    for index in 1..length {
        let mut bit = length >> 1;
        while target & bit != 0 {
            target ^= bit;
            bit >>= 1;
        }
        target |= bit;
        if index < target {
            real.swap(index, target);
            imaginary.swap(index, target);
        }
    }
    let mut size = 2;
    while size <= length {
        let (sine, cosine) = (-std::f64::consts::TAU / size as f64).sin_cos();
        for start in (0..length).step_by(size) {
            let (mut turn_re, mut turn_im) = (1.0, 0.0);
            for low in start..start + size / 2 {
                let high = low + size / 2;
                let re = real[high] * turn_re - imaginary[high] * turn_im;
                let im = real[high] * turn_im + imaginary[high] * turn_re;
                (real[high], imaginary[high]) = (real[low] - re, imaginary[low] - im);
                (real[low], imaginary[low]) = (real[low] + re, imaginary[low] + im);
                (turn_re, turn_im) = (turn_re * cosine - turn_im * sine, turn_re * sine + turn_im * cosine);
            }
        }
        size *= 2;
    }
}

/// What a [`SignalMeter`] heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignalReport {
    /// The strongest tone of the last half second.
    pub dominant: Option<Dominant>,
    /// RMS of the last half second, 0 = full-scale sine.
    pub level_dbfs: f32,
    /// The tone against everything else in the last half second, in dB.
    pub snr_db: Option<f32>,
    /// 10 ms blocks that fell more than 6 dB below the tone since it began (or since [`SignalMeter::reset`]).
    pub dropouts: u32,
    /// All 10 ms blocks since the tone began.
    pub blocks: u32,
    /// Frames fed since the meter was made or reset, sound or not.
    pub frames: u64,
}

/// Listens to a steady tone and tells how well it arrives.
///
/// Silence before the tone does not count; silence after it counts as dropouts, so read the report
/// while the tone still sounds.
#[derive(Debug, Clone, Default)]
pub struct SignalMeter {
    recent: VecDeque<i16>,
    /// RMS of the last blocks, for the level a block is compared with.
    levels: VecDeque<f32>,
    dropouts: u32,
    blocks: u32,
    frames: u64,
}

/// Samples kept for the frequency: half a second.
const WINDOW: usize = SAMPLE_RATE as usize / 2;
/// 10 ms.
const BLOCK: usize = SAMPLE_RATE as usize / 100;
/// Blocks whose median is the tone's level: half a second.
const LEVELS: usize = 50;
/// A tone has begun when a block is louder than this share of full scale: about −47 dBFS.
const ONSET: f32 = 0.003;

impl SignalMeter {
    /// A meter that has heard nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, as before a new measurement.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Listens to 20 ms.
    pub fn feed(&mut self, frame: &Frame) {
        self.frames += 1;
        self.recent.extend(frame);
        let excess = self.recent.len().saturating_sub(WINDOW);
        self.recent.drain(..excess);
        for block in frame.chunks_exact(BLOCK) {
            self.feed_block(rms(block));
        }
    }

    fn feed_block(&mut self, level: f32) {
        if self.levels.is_empty() && level < ONSET {
            return;
        }
        let usual = self.usual_level();
        // The first block may be half silence, so nothing is judged before there is something to compare with.
        if self.levels.len() >= 3 {
            self.blocks += 1;
            if level < usual / 2.0 {
                self.dropouts += 1;
                return;
            }
        }
        self.levels.push_back(level);
        if self.levels.len() > LEVELS {
            self.levels.pop_front();
        }
    }

    fn usual_level(&self) -> f32 {
        let mut sorted: Vec<f32> = self.levels.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }

    /// What was heard so far.
    pub fn report(&self) -> SignalReport {
        let samples: Vec<i16> = self.recent.iter().copied().collect();
        let dominant = dominant_frequency(&samples);
        SignalReport {
            dominant,
            level_dbfs: rms_dbfs(&samples),
            snr_db: dominant.map(|tone| signal_to_noise(&samples, tone.hz)),
            dropouts: self.dropouts,
            blocks: self.blocks,
            frames: self.frames,
        }
    }
}

/// Fits a sine of `hz` to every 50 ms and compares it with what is left over.
///
/// Short stretches are fitted one by one so that a jump of phase, which the ear hardly notices,
/// does not turn the whole half second into noise.
fn signal_to_noise(samples: &[i16], hz: f32) -> f32 {
    let omega = std::f64::consts::TAU * f64::from(hz) / f64::from(SAMPLE_RATE);
    let (mut signal, mut noise) = (0.0, 0.0);
    for part in samples.chunks_exact(5 * BLOCK) {
        // Least squares for a·cos + b·sin over the part.
        let (mut cc, mut ss, mut cs, mut xc, mut xs) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (index, &sample) in part.iter().enumerate() {
            let (sine, cosine) = (omega * index as f64).sin_cos();
            let sample = f64::from(sample);
            cc += cosine * cosine;
            ss += sine * sine;
            cs += cosine * sine;
            xc += sample * cosine;
            xs += sample * sine;
        }
        let determinant = cc * ss - cs * cs;
        if determinant.abs() < 1e-9 {
            continue;
        }
        let (a, b) = ((xc * ss - xs * cs) / determinant, (xs * cc - xc * cs) / determinant);
        for (index, &sample) in part.iter().enumerate() {
            let (sine, cosine) = (omega * index as f64).sin_cos();
            let fitted = a * cosine + b * sine;
            signal += fitted * fitted;
            noise += (f64::from(sample) - fitted).powi(2);
        }
    }
    #[expect(clippy::cast_possible_truncation, reason = "reports need no more than f32")]
    let ratio = (10.0 * (signal / noise.max(1e-9)).log10()) as f32;
    ratio.min(120.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::codec::SILENCE;
    use crate::signal::{Tone, TwoTone};

    #[test]
    fn pitch_and_level_are_exact() {
        for hz in [100.0, 437.3, 1_000.0, 3_333.3, 9_999.0] {
            let mut samples = vec![0; 9_600];
            Tone::new(hz, -20.0).fill(&mut samples);
            let found = dominant_frequency(&samples).unwrap();
            assert!((found.hz - hz).abs() < 0.5, "{hz} read as {}", found.hz);
            assert!((found.level_dbfs + 20.0).abs() < 0.3, "{hz}: {} dBFS", found.level_dbfs);
        }
    }

    #[test]
    fn silence_noise_and_scraps_have_no_pitch() {
        use rand::RngExt as _;
        assert_eq!(dominant_frequency(&[0; 9_600]), None);
        assert_eq!(dominant_frequency(&[1_000; 100]), None);
        let mut rng: rand::rngs::StdRng = rand::SeedableRng::seed_from_u64(7);
        let noise: Vec<i16> = (0..24_000).map(|_| rng.random_range(-8_000..8_000)).collect();
        assert_eq!(dominant_frequency(&noise), None);
    }

    #[test]
    fn a_clean_tone_has_no_dropouts() {
        let mut meter = SignalMeter::new();
        let mut tone = Tone::new(440.0, -12.0);
        (0..10).for_each(|_| meter.feed(&SILENCE));
        (0..100).for_each(|_| meter.feed(&tone.next_frame()));
        let report = meter.report();
        assert_eq!(report.dropouts, 0);
        assert!(report.blocks > 190, "{}", report.blocks);
        assert!((report.dominant.unwrap().hz - 440.0).abs() < 0.5);
        assert!(report.snr_db.unwrap() > 60.0);
        assert!((report.level_dbfs + 12.0).abs() < 0.1);
    }

    #[test]
    fn every_missing_10_ms_is_counted() {
        let mut meter = SignalMeter::new();
        let mut tone = Tone::new(440.0, -12.0);
        for index in 0..100 {
            let mut frame = tone.next_frame();
            if index % 20 == 10 {
                frame[..480].fill(0);
            }
            meter.feed(&frame);
        }
        assert_eq!(meter.report().dropouts, 5);
        (0..10).for_each(|_| meter.feed(&SILENCE));
        assert_eq!(meter.report().dropouts, 25);
        meter.reset();
        assert_eq!(meter.report().blocks, 0);
    }

    #[test]
    fn a_second_tone_shows_as_noise() {
        let mut meter = SignalMeter::new();
        let mut loud = Tone::new(440.0, -12.0);
        let mut soft = Tone::new(1_900.0, -32.0);
        for _ in 0..50 {
            let mut frame = loud.next_frame();
            frame.iter_mut().zip(soft.next_frame()).for_each(|(a, b)| *a += b);
            meter.feed(&frame);
        }
        let snr = meter.report().snr_db.unwrap();
        assert!((snr - 20.0).abs() < 1.0, "{snr}");
        let mut pair = TwoTone::new(440.0, 480.0, -12.0);
        let mut meter = SignalMeter::new();
        (0..50).for_each(|_| meter.feed(&pair.next_frame()));
        assert!(meter.report().snr_db.unwrap() < 6.0);
    }
}
