use super::{goertzel_power, rms};
use crate::codec::{FRAME_SAMPLES, Frame};

/// Row frequencies in Hz (ITU-T Q.23).
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
/// Column frequencies in Hz (ITU-T Q.23).
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// The two frequencies of a key in Hz, low group first (ITU-T Q.23).
pub fn dtmf_frequencies(digit: char) -> Option<(f32, f32)> {
    let digit = digit.to_ascii_uppercase();
    KEYS.iter().enumerate().find_map(|(row, keys)| {
        keys.iter().position(|&key| key == digit).map(|column| (ROWS[row], COLUMNS[column]))
    })
}

/// Block of the analysis: 20 ms, moved on by half its length.
const BLOCK: usize = FRAME_SAMPLES;
const HOP: usize = BLOCK / 2;
/// Weakest tone of a digit that counts, as a share of full scale: −40 dBFS.
const MIN_AMPLITUDE: f64 = 0.01 * 32_768.0;
/// Largest difference between the two tones in dB (ITU-T Q.24 asks for 4 to 8 by direction).
const MAX_TWIST_DB: f64 = 8.0;
/// How far the winner of a group must stand above the group's other tones, in dB.
const MIN_LEAD_DB: f64 = 6.0;
/// The two tones must carry this share of the block's power, or it is speech.
const MIN_SHARE: f64 = 0.7;
/// Equal blocks in a row that make a digit: 40 ms, the shortest tone Q.24 wants accepted.
const BLOCKS_ON: u32 = 3;
/// Blocks without the digit that end it, so that a repeated key counts again.
const BLOCKS_OFF: u32 = 3;

/// Hears DTMF digits in sound.
#[derive(Debug, Default, Clone)]
pub struct DtmfDetector {
    /// The second half of the previous block.
    tail: Vec<i16>,
    candidate: Option<char>,
    seen: u32,
    missed: u32,
    /// The digit that has been reported and still sounds.
    active: Option<char>,
}

impl DtmfDetector {
    /// A detector that has heard nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens to 20 ms. Answers with a digit once, when it has lasted about 40 ms.
    pub fn feed(&mut self, frame: &Frame) -> Option<char> {
        let mut samples = std::mem::take(&mut self.tail);
        samples.extend_from_slice(frame);
        let mut found = None;
        let mut start = 0;
        while start + BLOCK <= samples.len() {
            found = self.step(digit_in(&samples[start..start + BLOCK])).or(found);
            start += HOP;
        }
        samples.drain(..start);
        self.tail = samples;
        found
    }

    fn step(&mut self, heard: Option<char>) -> Option<char> {
        if self.active.is_some() {
            if heard == self.active {
                self.missed = 0;
            } else {
                self.missed += 1;
                if self.missed >= BLOCKS_OFF {
                    self.active = None;
                }
            }
        }
        if heard.is_some() && heard == self.candidate {
            self.seen += 1;
        } else {
            self.candidate = heard;
            self.seen = 1;
        }
        let digit = heard?;
        if self.seen >= BLOCKS_ON && self.active != heard {
            self.active = heard;
            self.missed = 0;
            return Some(digit);
        }
        None
    }
}

fn digit_in(block: &[i16]) -> Option<char> {
    let (row, row_power) = strongest(block, &ROWS)?;
    let (column, column_power) = strongest(block, &COLUMNS)?;
    let twist = 10.0 * (row_power / column_power).log10();
    let level = f64::from(rms(block)) * 32_768.0;
    // A sine of amplitude a has the power a²/2.
    let share = (row_power + column_power) / 2.0 / (level * level);
    (twist.abs() <= MAX_TWIST_DB && share >= MIN_SHARE).then_some(KEYS[row][column])
}

/// The tone of a group that stands out, with its squared amplitude.
fn strongest(block: &[i16], group: &[f32; 4]) -> Option<(usize, f64)> {
    let powers = group.map(|hz| goertzel_power(block, hz, 48_000.0));
    let (best, power) = powers.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let lead = 10_f64.powf(MIN_LEAD_DB / 10.0);
    let alone = powers.iter().enumerate().all(|(index, other)| index == best || other * lead <= power);
    (alone && power.sqrt() >= MIN_AMPLITUDE).then_some((best, power))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use crate::signal::{Tone, TwoTone};

    /// `parts` of (sound, milliseconds), cut into frames; `None` is silence.
    fn listen(parts: &[(Option<char>, usize)], level: f32) -> String {
        let mut samples = Vec::new();
        for &(digit, ms) in parts {
            let mut part = vec![0; ms * 48];
            if let Some(digit) = digit {
                TwoTone::dtmf(digit, level).unwrap().fill(&mut part);
            }
            samples.extend(part);
        }
        hear(&samples)
    }

    fn hear(samples: &[i16]) -> String {
        let mut detector = DtmfDetector::new();
        samples.as_chunks::<FRAME_SAMPLES>().0.iter().filter_map(|frame| detector.feed(frame)).collect()
    }

    #[test]
    fn every_key_is_told_apart() {
        for digit in "0123456789*#ABCD".chars() {
            assert_eq!(listen(&[(None, 33), (Some(digit), 100), (None, 100)], -10.0), digit.to_string());
        }
    }

    #[test]
    fn keys_survive_the_codecs() {
        use crate::codec::{CodecName, Decoder, Encoder};
        for codec in [CodecName::Opus, CodecName::Pcmu] {
            let (mut encoder, mut decoder) = (Encoder::new(codec).unwrap(), Decoder::new(codec).unwrap());
            let mut sound = Vec::new();
            for digit in "159#0*D".chars() {
                let mut tone = TwoTone::dtmf(digit, -10.0).unwrap();
                for index in 0..9 {
                    let frame = if index < 5 { tone.next_frame() } else { crate::codec::SILENCE };
                    decoder.decode(&encoder.encode(&frame).unwrap(), &mut sound).unwrap();
                }
            }
            assert_eq!(hear(&sound), "159#0*D", "{codec:?}");
        }
    }

    #[test]
    fn repeated_keys_count_and_long_ones_do_not() {
        assert_eq!(
            listen(
                &[
                    (Some('1'), 100),
                    (None, 70),
                    (Some('1'), 100),
                    (None, 70),
                    (Some('2'), 100),
                    (Some('3'), 100),
                    (None, 60)
                ],
                -20.0
            ),
            "1123"
        );
        assert_eq!(listen(&[(Some('7'), 2_000), (None, 100)], -20.0), "7");
        // A hole of 10 ms is no new key.
        assert_eq!(listen(&[(Some('7'), 100), (None, 10), (Some('7'), 100), (None, 100)], -20.0), "7");
    }

    #[test]
    fn short_clicks_quiet_tones_and_single_tones_are_no_digits() {
        assert_eq!(listen(&[(None, 40), (Some('5'), 20), (None, 100)], -10.0), "");
        assert_eq!(listen(&[(Some('5'), 200), (None, 100)], -50.0), "");
        let mut single = vec![0; 9_600];
        Tone::new(941.0, -6.0).fill(&mut single);
        assert_eq!(hear(&single), "");
    }

    #[test]
    fn unequal_tones_are_accepted_up_to_the_twist_limit() {
        let mix = |difference: f32| {
            let (mut low, mut high) = (vec![0; 9_600], vec![0; 9_600]);
            Tone::new(770.0, -10.0).fill(&mut low);
            Tone::new(1_336.0, -10.0 - difference).fill(&mut high);
            let sum: Vec<i16> = low.iter().zip(&high).map(|(a, b)| a.saturating_add(*b)).collect();
            hear(&sum)
        };
        assert_eq!(mix(6.0), "5");
        assert_eq!(mix(14.0), "");
    }
}
