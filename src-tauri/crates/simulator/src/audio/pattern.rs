//! Sounds made of tones: prompts, ringback, digits, a voicemail greeting.

use std::collections::VecDeque;

use dialer_media::codec::{FRAME_SAMPLES, Frame, SAMPLE_RATE};
use dialer_media::signal::{Tone, TwoTone, dtmf_frequencies};

/// Level of each digit's tones.
const DIGIT_LEVEL_DBFS: f32 = -10.0;
/// Level of prompts: gentle.
const PROMPT_LEVEL_DBFS: f32 = -20.0;
/// The beep before a message, a tone no prompt is made of.
pub(crate) const BEEP_HZ: f32 = 1_000.0;
/// How long a digit sounds and how long the gap after it is: what the Voice SDK asks of a DTMF sender
/// is 160 and 70 ms (voice-sdk 2.18.5, `rtc/peerconnection.ts`).
const DIGIT_MS: u32 = 160;
const DIGIT_GAP_MS: u32 = 80;
/// Notes a spoken prompt is made of, a pentatonic scale: distinct from every telephone signal.
const NOTES_HZ: [f32; 5] = [523.3, 587.3, 659.3, 784.0, 880.0];

/// One stretch of a pattern.
#[derive(Debug, Clone, PartialEq)]
struct Segment {
    kind: SegmentKind,
    ms: u32,
}

#[derive(Debug, Clone, PartialEq)]
enum SegmentKind {
    Silence,
    Tone {
        hz: f32,
        level_dbfs: f32,
    },
    TwoTone {
        low_hz: f32,
        high_hz: f32,
        level_dbfs: f32,
    },
    /// Recorded sound at 48 kHz.
    Samples(Vec<i16>),
}

/// A finite sound.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Pattern(Vec<Segment>);

impl Pattern {
    /// Recorded sound, 48 kHz mono.
    pub(crate) fn recording(samples: Vec<i16>) -> Self {
        let ms = u32::try_from(samples.len() / (SAMPLE_RATE as usize / 1000)).unwrap_or(u32::MAX);
        Self(vec![Segment { kind: SegmentKind::Samples(samples), ms }])
    }

    /// What stands for speech: one note per word, its length by the word's, so that a long sentence
    /// sounds long and two different sentences sound different.
    pub(crate) fn speech(text: &str) -> Self {
        let mut segments = Vec::new();
        for word in text.split_whitespace() {
            let letters = word.chars().count();
            let sum: usize = word.chars().map(|letter| letter as usize).sum();
            let hz = NOTES_HZ[sum % NOTES_HZ.len()];
            // About 70 ms a letter: the pace of calm speech.
            let ms = u32::try_from(letters.clamp(2, 12) * 70).unwrap_or(140);
            segments.push(Segment { kind: SegmentKind::Tone { hz, level_dbfs: PROMPT_LEVEL_DBFS }, ms });
            let pause = if word.ends_with(['.', '!', '?', ',', ';', ':']) { 250 } else { 60 };
            segments.push(Segment { kind: SegmentKind::Silence, ms: pause });
        }
        Self(segments)
    }

    /// What stands for music or a recording that is not fetched.
    pub(crate) fn tune() -> Self {
        let mut segments = Vec::new();
        for step in [0_usize, 2, 4, 2, 3, 1, 0, 4] {
            let kind = SegmentKind::Tone { hz: NOTES_HZ[step], level_dbfs: PROMPT_LEVEL_DBFS };
            segments.push(Segment { kind, ms: 350 });
            segments.push(Segment { kind: SegmentKind::Silence, ms: 50 });
        }
        Self(segments)
    }

    /// One cadence of North American ringback: 440 + 480 Hz, 2 s on, 4 s off.
    pub(crate) fn ringback() -> Self {
        let kind = SegmentKind::TwoTone { low_hz: 440.0, high_hz: 480.0, level_dbfs: PROMPT_LEVEL_DBFS };
        Self(vec![Segment { kind, ms: 2000 }, Segment { kind: SegmentKind::Silence, ms: 4000 }])
    }

    /// The tones of `digits`; `w` and `W` are pauses of 0.5 and 1 s (TwiML `sendDigits`), other
    /// characters are skipped.
    pub(crate) fn digits(digits: &str) -> Self {
        let mut segments = Vec::new();
        for digit in digits.chars() {
            match digit {
                'w' => segments.push(Segment { kind: SegmentKind::Silence, ms: 500 }),
                'W' => segments.push(Segment { kind: SegmentKind::Silence, ms: 1000 }),
                _ => {
                    let Some((low_hz, high_hz)) = dtmf_frequencies(digit) else { continue };
                    let kind = SegmentKind::TwoTone { low_hz, high_hz, level_dbfs: DIGIT_LEVEL_DBFS };
                    segments.push(Segment { kind, ms: DIGIT_MS });
                    segments.push(Segment { kind: SegmentKind::Silence, ms: DIGIT_GAP_MS });
                }
            }
        }
        Self(segments)
    }

    /// What a conference hears when somebody enters, and leaves.
    pub(crate) fn conference_enter() -> Self {
        Self::beeps([500.0, 750.0])
    }

    pub(crate) fn conference_leave() -> Self {
        Self::beeps([750.0, 500.0])
    }

    fn beeps(tones_hz: [f32; 2]) -> Self {
        let beep = |hz| Segment { kind: SegmentKind::Tone { hz, level_dbfs: PROMPT_LEVEL_DBFS }, ms: 200 };
        Self(tones_hz.map(beep).to_vec())
    }

    /// The beep after which one speaks.
    pub(crate) fn beep() -> Self {
        Self(vec![Segment {
            kind: SegmentKind::Tone { hz: BEEP_HZ, level_dbfs: PROMPT_LEVEL_DBFS },
            ms: 500,
        }])
    }

    /// A steady tone of so many milliseconds.
    pub(crate) fn tone(hz: f32, level_dbfs: f32, ms: u32) -> Self {
        Self(vec![Segment { kind: SegmentKind::Tone { hz, level_dbfs }, ms }])
    }

    /// A greeting in tones and the beep after which one speaks.
    pub(crate) fn voicemail_greeting() -> Self {
        let mut pattern =
            Self::speech("Nobody can take your call now. Please leave a message after the beep.");
        pattern.0.extend(Self::beep().0);
        pattern
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|segment| segment.ms == 0)
    }
}

/// Plays a pattern frame by frame.
pub(crate) struct Player {
    pattern: Pattern,
    /// Repetitions still to come after this one; `None` for without end.
    more: Option<u32>,
    waiting: VecDeque<Segment>,
    current: Option<(Generator, usize)>,
}

enum Generator {
    Silence,
    Tone(Tone),
    TwoTone(TwoTone),
    Samples(std::vec::IntoIter<i16>),
}

impl Player {
    /// Plays `pattern` `loops` times; 0 means without end, as in TwiML.
    pub(crate) fn new(pattern: Pattern, loops: u32) -> Self {
        // An empty pattern without end would never produce a frame nor finish.
        let more = if pattern.is_empty() { Some(0) } else { loops.checked_sub(1) };
        Self { waiting: pattern.0.clone().into(), pattern, more, current: None }
    }

    /// Adds more to play after what is there; only for patterns played once.
    pub(crate) fn append(&mut self, pattern: Pattern) {
        self.waiting.extend(pattern.0);
    }

    /// The next 20 ms, or `None` when all has been played. The last frame is filled up with silence.
    pub(crate) fn next_frame(&mut self) -> Option<Frame> {
        let mut frame = [0; FRAME_SAMPLES];
        let mut filled = 0;
        while filled < FRAME_SAMPLES {
            let Some((generator, left)) = self.current.as_mut().filter(|(_, left)| *left > 0) else {
                match self.next_segment() {
                    Some(next) => self.current = Some(next),
                    None => break,
                }
                continue;
            };
            let count = (*left).min(FRAME_SAMPLES - filled);
            let part = &mut frame[filled..filled + count];
            match generator {
                Generator::Silence => part.fill(0),
                Generator::Tone(tone) => tone.fill(part),
                Generator::TwoTone(tones) => tones.fill(part),
                Generator::Samples(samples) => part.fill_with(|| samples.next().unwrap_or(0)),
            }
            *left -= count;
            filled += count;
        }
        (filled > 0).then_some(frame)
    }

    fn next_segment(&mut self) -> Option<(Generator, usize)> {
        loop {
            if let Some(segment) = self.waiting.pop_front() {
                let samples = segment.ms as usize * (SAMPLE_RATE as usize / 1000);
                let generator = match segment.kind {
                    SegmentKind::Silence => Generator::Silence,
                    SegmentKind::Tone { hz, level_dbfs } => Generator::Tone(Tone::new(hz, level_dbfs)),
                    SegmentKind::TwoTone { low_hz, high_hz, level_dbfs } => {
                        Generator::TwoTone(TwoTone::new(low_hz, high_hz, level_dbfs))
                    }
                    SegmentKind::Samples(samples) => Generator::Samples(samples.into_iter()),
                };
                return Some((generator, samples));
            }
            match &mut self.more {
                None => {}
                Some(0) => return None,
                Some(more) => *more -= 1,
            }
            self.waiting = self.pattern.0.clone().into();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use dialer_media::signal::{DtmfDetector, dominant_frequency, rms_dbfs};

    fn all(mut player: Player) -> Vec<i16> {
        std::iter::from_fn(|| player.next_frame()).flatten().collect()
    }

    #[test]
    fn digits_are_recognised() {
        let mut detector = DtmfDetector::new();
        let mut player = Player::new(Pattern::digits("0123456789*#ABCD"), 1);
        let heard: String =
            std::iter::from_fn(|| player.next_frame()).filter_map(|frame| detector.feed(&frame)).collect();
        assert_eq!(heard, "0123456789*#ABCD");
    }

    #[test]
    fn longer_text_sounds_longer_and_is_audible() {
        let (short, long) = (
            all(Player::new(Pattern::speech("Hello."), 1)),
            all(Player::new(Pattern::speech("Hello, this is a rather longer sentence."), 1)),
        );
        assert!(long.len() > 3 * short.len());
        assert!(rms_dbfs(&long) > -30.0);
        let mut detector = DtmfDetector::new();
        assert!(
            long.chunks_exact(960).all(|frame| detector.feed(frame.try_into().unwrap()).is_none()),
            "no prompt may be taken for a key"
        );
    }

    #[test]
    fn loops_are_counted_and_nothing_without_end_is_endless_silence() {
        let once = all(Player::new(Pattern::digits("5"), 1)).len();
        assert_eq!(once, 12 * 960);
        assert_eq!(all(Player::new(Pattern::digits("5"), 3)).len(), 3 * once);
        assert!(all(Player::new(Pattern::default(), 0)).is_empty());
        let mut endless = Player::new(Pattern::tune(), 0);
        assert!((0..10_000).all(|_| endless.next_frame().is_some()));
    }

    #[test]
    fn the_beep_ends_the_greeting() {
        let greeting = all(Player::new(Pattern::voicemail_greeting(), 1));
        let end = &greeting[greeting.len() - 12_000..];
        assert!((dominant_frequency(end).unwrap().hz - 1_000.0).abs() < 10.0);
    }
}
