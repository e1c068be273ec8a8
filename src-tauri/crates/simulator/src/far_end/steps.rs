//! A far end that does one thing after the other: waits, listens for the beep, speaks, presses keys.

use std::collections::VecDeque;
use std::time::Duration;

use dialer_media::codec::{FRAME_MS, FRAME_SAMPLES, Frame, SAMPLE_RATE, SILENCE};

use super::script::{KeyPath, Step, seconds};
use super::voice::Noticed;
use crate::audio::{BEEP_HZ, Pattern, Player, is_silent};
use crate::event::DigitPath;
use crate::pace::Pace;

/// So many frames of a beep are one: 200 ms, shorter than any beep and longer than a note of a prompt is
/// likely to have its pitch.
const BEEP_FRAMES: u32 = 10;
/// This much silence after something was heard stands for a beep that was switched off: 4 s.
const NO_BEEP_FRAMES: u32 = 200;
/// Level of a tone said.
const TONE_LEVEL_DBFS: f32 = -12.0;

/// Does the steps of a script in turn.
pub(super) struct Steps {
    left: VecDeque<Step>,
    doing: Doing,
    pace: Pace,
    /// Begin anew after the last.
    again: Option<VecDeque<Step>>,
}

enum Doing {
    /// Frames of silence still to come.
    Wait(u64),
    /// Listens for a beep.
    Listen(BeepDetector),
    /// Says something, known words or not.
    Say(Box<Player>, Option<String>),
    Nothing,
}

impl Steps {
    pub(super) fn new(steps: &[Step], again: bool, pace: Pace) -> Self {
        let left: VecDeque<Step> = steps.iter().cloned().collect();
        // Steps that take no time could go round for ever within one frame.
        let lasting = left.iter().any(|step| !matches!(step, Step::HangUp | Step::Press { .. }));
        let again = (again && lasting).then(|| left.clone());
        Self { left, doing: Doing::Nothing, pace, again }
    }

    /// Listens to 20 ms.
    pub(super) fn hear(&mut self, frame: &Frame) {
        if let Doing::Listen(detector) = &mut self.doing
            && detector.hears_end(frame)
        {
            self.doing = Doing::Nothing;
        }
    }

    /// Says 20 ms, and notes what others should know.
    pub(super) fn speak(&mut self, noticed: &mut Vec<Noticed>) -> Frame {
        for _ in 0..=self.left.len() + 1 {
            match &mut self.doing {
                Doing::Wait(0) | Doing::Nothing => {
                    if !self.next(noticed) {
                        return SILENCE;
                    }
                }
                Doing::Wait(frames) => {
                    *frames -= 1;
                    return SILENCE;
                }
                Doing::Listen(_) => return SILENCE,
                Doing::Say(player, words) => match player.next_frame() {
                    Some(frame) => return frame,
                    None => {
                        if let Some(words) = words.take() {
                            noticed.push(Noticed::Spoke(words));
                        }
                        self.doing = Doing::Nothing;
                    }
                },
            }
        }
        SILENCE
    }

    /// Begins the next step; `false` when there is none.
    fn next(&mut self, noticed: &mut Vec<Noticed>) -> bool {
        if self.left.is_empty() {
            let Some(again) = &self.again else {
                self.doing = Doing::Nothing;
                return false;
            };
            self.left = again.clone();
        }
        let Some(step) = self.left.pop_front() else { return false };
        self.doing = match step {
            Step::Wait { s } => Doing::Wait(self.frames(seconds(s))),
            Step::AwaitBeep => Doing::Listen(BeepDetector::new()),
            Step::Say { text } => {
                noticed.push(Noticed::Speaks);
                Doing::Say(Box::new(Player::new(Pattern::speech(&text), 1)), Some(text))
            }
            Step::Tone { hz, for_s } => {
                let ms = u32::try_from(seconds(for_s).as_millis()).unwrap_or(u32::MAX);
                let tone = Pattern::tone(hz.clamp(20.0, 20_000.0), TONE_LEVEL_DBFS, ms);
                Doing::Say(Box::new(Player::new(tone, 1)), None)
            }
            Step::Press { digits, via: KeyPath::InBand } => {
                Doing::Say(Box::new(Player::new(Pattern::digits(&digits), 1)), None)
            }
            Step::Press { digits, via: KeyPath::TelephoneEvent } => {
                let keys = digits.chars().filter(|digit| !matches!(digit, 'w' | 'W'));
                noticed.extend(keys.map(|key| Noticed::Pressed(key, DigitPath::TelephoneEvent)));
                Doing::Nothing
            }
            Step::HangUp => {
                noticed.push(Noticed::HangsUp);
                Doing::Nothing
            }
        };
        true
    }

    /// Frames of a simulated span.
    fn frames(&self, simulated: Duration) -> u64 {
        u64::try_from(self.pace.real(simulated).as_millis()).unwrap_or(u64::MAX) / FRAME_MS
    }
}

/// Hears when a beep is over.
struct BeepDetector {
    beep: u32,
    /// Something was heard, and then so many frames of silence.
    heard: bool,
    silent: u32,
}

impl BeepDetector {
    fn new() -> Self {
        Self { beep: 0, heard: false, silent: 0 }
    }

    fn hears_end(&mut self, frame: &Frame) -> bool {
        if is_beep(frame) {
            self.beep += 1;
            return false;
        }
        if self.beep >= BEEP_FRAMES {
            return true;
        }
        self.beep = 0;
        if is_silent(frame) {
            self.silent += 1;
        } else {
            self.heard = true;
            self.silent = 0;
        }
        self.heard && self.silent >= NO_BEEP_FRAMES
    }
}

/// Whether most of what is heard is the beep's tone: the Goertzel algorithm at its one frequency.
fn is_beep(frame: &Frame) -> bool {
    let coefficient = 2.0 * (std::f32::consts::TAU * BEEP_HZ / SAMPLE_RATE as f32).cos();
    let (mut last, mut before, mut energy) = (0.0_f32, 0.0_f32, 0.0_f32);
    for sample in frame {
        let sample = f32::from(*sample);
        energy += sample * sample;
        (last, before) = (coefficient * last - before + sample, last);
    }
    let tone = last * last + before * before - coefficient * last * before;
    // A pure tone of amplitude a has tone = (a·n/2)² and energy = a²·n/2.
    !is_silent(frame) && tone > 0.8 * energy * FRAME_SAMPLES as f32 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use dialer_media::signal::{DtmfDetector, Tone};

    fn run(steps: &mut Steps, frames: usize) -> (Vec<Frame>, Vec<Noticed>) {
        let mut noticed = Vec::new();
        let said = (0..frames).map(|_| steps.speak(&mut noticed)).collect();
        (said, noticed)
    }

    #[test]
    fn a_message_is_left_after_the_beep_and_not_before() {
        let script = [Step::AwaitBeep, Step::Say { text: "Hello there.".into() }, Step::HangUp];
        let mut steps = Steps::new(&script, false, Pace::REAL);
        let mut greeting = Player::new(Pattern::voicemail_greeting(), 1);
        let mut noticed = Vec::new();
        while let Some(frame) = greeting.next_frame() {
            assert_eq!(steps.speak(&mut noticed), SILENCE);
            steps.hear(&frame);
        }
        assert_eq!(noticed, []);
        steps.hear(&SILENCE);
        let (said, noticed) = run(&mut steps, 200);
        assert!(!is_silent(&said[0]), "it speaks at once");
        assert_eq!(noticed, [Noticed::Speaks, Noticed::Spoke("Hello there.".into()), Noticed::HangsUp]);
    }

    #[test]
    fn without_a_beep_a_pause_is_waited_for() {
        let mut steps = Steps::new(&[Step::AwaitBeep, Step::HangUp], false, Pace::REAL);
        let mut tone = Tone::new(600.0, -20.0);
        (0..400).for_each(|_| steps.hear(&SILENCE));
        assert_eq!(run(&mut steps, 1).1, [], "nobody has said anything yet");
        steps.hear(&tone.next_frame());
        (0..200).for_each(|_| steps.hear(&SILENCE));
        assert_eq!(run(&mut steps, 1).1, [Noticed::HangsUp]);
    }

    #[test]
    fn keys_come_as_tones_or_beside_the_sound_after_their_time() {
        let script = [
            Step::Wait { s: 2.0 },
            Step::Press { digits: "1#".into(), via: KeyPath::InBand },
            Step::Press { digits: "2".into(), via: KeyPath::TelephoneEvent },
        ];
        let mut steps = Steps::new(&script, false, Pace::REAL);
        let mut detector = DtmfDetector::new();
        let (said, noticed) = run(&mut steps, 200);
        assert!(said[..100].iter().all(|frame| is_silent(frame)), "two seconds");
        let heard: String = said.iter().filter_map(|frame| detector.feed(frame)).collect();
        assert_eq!(heard, "1#");
        assert_eq!(noticed, [Noticed::Pressed('2', DigitPath::TelephoneEvent)]);
    }

    #[test]
    fn a_script_can_go_round_but_not_without_time() {
        let press = Step::Press { digits: "5".into(), via: KeyPath::TelephoneEvent };
        let mut round = Steps::new(&[Step::Wait { s: 0.1 }, press.clone()], true, Pace::REAL);
        assert!(run(&mut round, 50).1.len() > 3);
        let mut mad = Steps::new(&[press], true, Pace::REAL);
        assert_eq!(run(&mut mad, 50).1.len(), 1);
        let mut idle = Steps::new(&[Step::Wait { s: 0.0 }], true, Pace::REAL);
        assert_eq!(run(&mut idle, 50).0.len(), 50);
    }

    #[test]
    fn the_beep_is_told_from_notes_and_keys() {
        let mut beep = Player::new(Pattern::beep(), 1);
        assert!(beep.next_frame().is_some_and(|frame| is_beep(&frame)));
        for pattern in [Pattern::tune(), Pattern::digits("0123456789*#"), Pattern::ringback()] {
            let mut player = Player::new(pattern, 1);
            while let Some(frame) = player.next_frame() {
                assert!(!is_beep(&frame));
            }
        }
    }
}
