use crate::codec::{Frame, SAMPLE_RATE, SILENCE};
use crate::resample::to_sample;

/// A sine that goes on without a step in phase from one frame to the next.
#[derive(Debug, Clone)]
pub struct Tone {
    /// In turns, 0 to 1.
    phase: f64,
    /// Turns per sample.
    step: f64,
    /// Peak, in sample units.
    amplitude: f64,
}

impl Tone {
    /// A sine of `hz` at `level_dbfs` (0 = full scale), for 48 kHz.
    pub fn new(hz: f32, level_dbfs: f32) -> Self {
        Self::at_rate(hz, level_dbfs, SAMPLE_RATE)
    }

    /// The same for any sample rate.
    pub fn at_rate(hz: f32, level_dbfs: f32, sample_rate: u32) -> Self {
        Self {
            phase: 0.0,
            step: f64::from(hz) / f64::from(sample_rate),
            amplitude: 32_767.0 * 10_f64.powf(f64::from(level_dbfs) / 20.0),
        }
    }

    /// The next sample, before rounding.
    fn advance(&mut self) -> f64 {
        let value = (std::f64::consts::TAU * self.phase).sin() * self.amplitude;
        self.phase = (self.phase + self.step).fract();
        value
    }

    /// Fills `samples` with the next stretch of sound.
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            *sample = round(self.advance());
        }
    }

    /// The next 20 ms.
    pub fn next_frame(&mut self) -> Frame {
        let mut frame = SILENCE;
        self.fill(&mut frame);
        frame
    }
}

/// Two sines at once, such as a DTMF digit or a ringing tone.
#[derive(Debug, Clone)]
pub struct TwoTone {
    low: Tone,
    high: Tone,
}

impl TwoTone {
    /// Sines of `low_hz` and `high_hz`, each at `level_dbfs`; keep it at −6 or below.
    pub fn new(low_hz: f32, high_hz: f32, level_dbfs: f32) -> Self {
        Self { low: Tone::new(low_hz, level_dbfs), high: Tone::new(high_hz, level_dbfs) }
    }

    /// The sound of a key, `0-9`, `*`, `#` or `A-D`; `None` for any other character.
    pub fn dtmf(digit: char, level_dbfs: f32) -> Option<Self> {
        let (low, high) = super::dtmf_frequencies(digit)?;
        Some(Self::new(low, high, level_dbfs))
    }

    /// Fills `samples` with the next stretch of sound.
    pub fn fill(&mut self, samples: &mut [i16]) {
        for sample in samples {
            *sample = round(self.low.advance() + self.high.advance());
        }
    }

    /// The next 20 ms.
    pub fn next_frame(&mut self) -> Frame {
        let mut frame = SILENCE;
        self.fill(&mut frame);
        frame
    }
}

fn round(value: f64) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "to_sample limits the range")]
    let sample = to_sample(value as f32);
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_join_without_a_step() {
        let mut whole = vec![0; 4_800];
        Tone::new(437.0, -3.0).fill(&mut whole);
        let mut tone = Tone::new(437.0, -3.0);
        let frames: Vec<i16> = (0..5).flat_map(|_| tone.next_frame()).collect();
        assert_eq!(frames, whole);
    }

    #[test]
    fn only_keys_have_a_sound() {
        assert!(TwoTone::dtmf('5', -6.0).is_some());
        assert!(TwoTone::dtmf('w', -6.0).is_none());
        assert_eq!(TwoTone::dtmf('1', 0.0).map(|mut tone| tone.next_frame().contains(&i16::MAX)), Some(true));
    }
}
