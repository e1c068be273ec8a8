//! What callers hear while they wait: a small tune of our own, composed here and made when first asked
//! for.
//!
//! Four bars of broken chords over a soft bass, in C: gentle enough to be heard twenty times. All
//! fundamentals lie between 130 and 1,050 Hz, so that a telephone line carries the tune whole, and what
//! rings on past the end is laid under the beginning, so that repeating it leaves no gap.

use std::f32::consts::TAU;

use bytes::Bytes;

/// Samples per second: what a telephone carries.
const RATE: usize = 8_000;
/// Samples of a quarter note: 60 in a minute.
const QUARTER: usize = RATE;
/// Samples in all: four bars of four quarters.
const LENGTH: usize = 16 * QUARTER;
/// The loudest sample: 12 dB below full scale.
const PEAK: f32 = 0.25;

/// A bar: its bass note and the eight eighths above it, in MIDI note numbers (60 is middle C, 69 is 440 Hz).
const BARS: [(u8, [u8; 8]); 4] = [
    (48, [60, 67, 72, 76, 79, 76, 72, 67]),
    (57, [64, 69, 72, 76, 81, 76, 72, 69]),
    (53, [60, 65, 69, 72, 77, 76, 72, 69]),
    (55, [62, 67, 71, 74, 79, 74, 71, 67]),
];

/// The tune as a WAV file: 8 kHz, one channel, 16 bits; 16 seconds.
pub(crate) fn wav() -> Bytes {
    let samples = compose();
    let data_length = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let rate = u32::try_from(RATE).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    // RIFF, as in Microsoft's "Multimedia Programming Interface and Data Specifications 1.0".
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + data_length).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * 2).to_le_bytes());
    file.extend_from_slice(&2_u16.to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data_length.to_le_bytes());
    for sample in samples {
        file.extend_from_slice(&sample.to_le_bytes());
    }
    Bytes::from(file)
}

fn compose() -> Vec<i16> {
    let mut sound = vec![0.0_f32; LENGTH];
    for (bar, (bass, eighths)) in BARS.iter().enumerate() {
        let begin = bar * 4 * QUARTER;
        add(&mut sound, begin, *bass, 0.5, 4.0);
        for (eighth, note) in eighths.iter().enumerate() {
            // The first of each half bar a little louder: that makes a pulse.
            let loudness = if eighth % 4 == 0 { 0.6 } else { 0.45 };
            add(&mut sound, begin + eighth * QUARTER / 2, *note, loudness, 1.6);
        }
    }
    let loudest = sound.iter().fold(f32::MIN_POSITIVE, |most, sample| most.max(sample.abs()));
    let scale = PEAK * f32::from(i16::MAX) / loudest;
    #[allow(clippy::cast_possible_truncation, reason = "a quarter of full scale at most")]
    sound.iter().map(|sample| (sample * scale) as i16).collect()
}

/// Adds a plucked note: a quick attack, then fading away for `seconds`. What goes past the end goes on at
/// the beginning.
#[allow(clippy::cast_precision_loss, reason = "some ten thousand samples")]
fn add(sound: &mut [f32], begin: usize, note: u8, loudness: f32, seconds: f32) {
    let frequency = 440.0 * 2.0_f32.powf((f32::from(note) - 69.0) / 12.0);
    let length = seconds * RATE as f32;
    let attack = RATE as f32 / 50.0;
    for at in 0..length as usize {
        let time = at as f32;
        // Ends at nothing, so that no click is heard.
        let fading = (-4.0 * time / length).exp() * (1.0 - time / length);
        let envelope = loudness * (time / attack).min(1.0) * fading;
        let turn = TAU * frequency * time / RATE as f32;
        let wave = turn.sin() + 0.25 * (2.0 * turn).sin() + 0.08 * (3.0 * turn).sin();
        let place = (begin + at) % sound.len();
        sound[place] += envelope * wave;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn number(file: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
    }

    #[test]
    fn the_file_is_what_it_says() {
        let file = wav();
        assert_eq!((&file[..4], &file[8..16], &file[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
        assert_eq!(number(&file, 4) as usize, file.len() - 8);
        assert_eq!(number(&file, 40) as usize, file.len() - 44);
        assert_eq!((number(&file, 24), number(&file, 28)), (8_000, 16_000));
        assert_eq!(file.len(), 44 + 16 * 8_000 * 2);
        assert!(file.len() < 300_000);
    }

    #[test]
    fn it_is_soft_never_silent_and_goes_round_without_a_click() {
        let samples = compose();
        let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
        assert!((7_000..=8_192).contains(&loudest), "{loudest}");
        for second in samples.chunks(RATE) {
            let energy = second.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
            let level = (energy / f64::from(8_000)).sqrt();
            assert!(level > 300.0, "{level}");
        }
        let mean = samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / 128_000.0;
        assert!(mean.abs() < 20.0, "{mean}");
        let steps = samples.windows(2).map(|pair| (i32::from(pair[1]) - i32::from(pair[0])).abs());
        let across = i32::from(samples[0]) - i32::from(*samples.last().unwrap());
        assert!(across.abs() <= steps.max().unwrap());
    }
}
