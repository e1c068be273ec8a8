//! What a far end says and hears, 20 ms at a time. No clock, no network: it is driven by the switch.

use std::collections::VecDeque;

use dialer_media::codec::{Frame, SILENCE};
use dialer_media::signal::{DtmfDetector, SignalMeter, Tone};
use serde::{Deserialize, Serialize};

use super::script::TalkScript;
use super::steps::Steps;
use crate::audio::{Pattern, Player};
use crate::event::DigitPath;
use crate::pace::Pace;

/// How much later the echo comes: 0.4 s, clearly apart from sidetone.
const ECHO_FRAMES: usize = 20;
/// The echo is this share of what was heard.
const ECHO_GAIN: f32 = 0.8;
/// Level of the steady tone.
const TONE_LEVEL_DBFS: f32 = -12.0;
/// A called person takes this long before pressing keys: 1 s.
const FRAMES_BEFORE_DIGITS: u32 = 50;

/// What a far end has heard since the call came up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// Frequency of the strongest tone of the last half second.
    pub dominant_hz: Option<f32>,
    /// RMS level of the last half second; a full-scale sine is 0, silence −120.
    pub level_dbfs: f32,
    /// 10 ms gaps in a steady tone since it began.
    pub dropouts: u32,
    /// Frames of 20 ms listened to.
    pub frames: u64,
    /// RTP packets received from the SDK's leg.
    pub packets: u64,
    /// Digits in the order heard, however they travelled.
    pub dtmf: String,
}

/// What a far end did or heard that others should know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Noticed {
    /// It recognised a key in what it heard.
    Heard(char),
    /// It pressed a key.
    Pressed(char, DigitPath),
    /// It began to speak words that its script knows.
    Speaks,
    /// It has spoken them.
    Spoke(String),
    /// It wants no more.
    HangsUp,
}

/// One far end in conversation.
pub(crate) struct Voice {
    talk: Talk,
    meter: SignalMeter,
    detector: DtmfDetector,
    dtmf: String,
    /// Digit tones to say, before anything else.
    pressing: Option<Player>,
    /// Recognises the keys in what it says.
    own_keys: DtmfDetector,
    noticed: Vec<Noticed>,
}

enum Talk {
    Echo(VecDeque<Frame>),
    Tone(Box<Tone>),
    Play(Player),
    SendDigits { wait: u32, player: Player },
    Silence,
    ReadDigits,
    Steps(Steps),
}

impl Voice {
    pub(crate) fn new(script: &TalkScript, pace: Pace) -> Self {
        let talk = match script {
            TalkScript::Echo => Talk::Echo(VecDeque::new()),
            TalkScript::Tone { hz } => {
                Talk::Tone(Box::new(Tone::new(hz.clamp(20.0, 20_000.0), TONE_LEVEL_DBFS)))
            }
            TalkScript::Silence => Talk::Silence,
            TalkScript::Voicemail => Talk::Play(Player::new(Pattern::voicemail_greeting(), 1)),
            TalkScript::SendDigits { digits } => Talk::SendDigits {
                wait: FRAMES_BEFORE_DIGITS,
                player: Player::new(Pattern::digits(digits), 1),
            },
            TalkScript::ReadDigits => Talk::ReadDigits,
            TalkScript::Steps { steps, again } => Talk::Steps(Steps::new(steps, *again, pace)),
        };
        Self {
            talk,
            meter: SignalMeter::new(),
            detector: DtmfDetector::new(),
            dtmf: String::new(),
            pressing: None,
            own_keys: DtmfDetector::new(),
            noticed: Vec::new(),
        }
    }

    /// Listens to 20 ms.
    pub(crate) fn hear(&mut self, frame: &Frame) {
        self.meter.feed(frame);
        if let Some(digit) = self.detector.feed(frame) {
            self.digit(digit, DigitPath::InBand);
        }
        match &mut self.talk {
            Talk::Echo(delayed) => delayed.push_back(*frame),
            Talk::Steps(steps) => steps.hear(frame),
            Talk::Tone(_) | Talk::Play(_) | Talk::SendDigits { .. } | Talk::Silence | Talk::ReadDigits => {}
        }
    }

    /// Takes a digit that came beside the sound.
    pub(crate) fn digit(&mut self, digit: char, via: DigitPath) {
        self.dtmf.push(digit);
        if via == DigitPath::InBand {
            self.noticed.push(Noticed::Heard(digit));
        }
        if matches!(self.talk, Talk::ReadDigits) {
            self.press(&digit.to_string());
        }
    }

    /// Says the tones of `digits` before anything else.
    pub(crate) fn press(&mut self, digits: &str) {
        let tones = Pattern::digits(digits);
        match &mut self.pressing {
            Some(player) => player.append(tones),
            None => self.pressing = Some(Player::new(tones, 1)),
        }
    }

    /// What happened since the last call of this.
    pub(crate) fn take_noticed(&mut self) -> Vec<Noticed> {
        std::mem::take(&mut self.noticed)
    }

    /// Says 20 ms. Keys count when they can be recognised in it, whoever listens.
    pub(crate) fn speak(&mut self) -> Frame {
        let frame = self.next_frame();
        if let Some(digit) = self.own_keys.feed(&frame) {
            self.noticed.push(Noticed::Pressed(digit, DigitPath::InBand));
        }
        frame
    }

    fn next_frame(&mut self) -> Frame {
        if let Some(player) = &mut self.pressing {
            match player.next_frame() {
                Some(frame) => {
                    // What would have been echoed meanwhile is not made up for, or each key would
                    // make the echo later for the rest of the call.
                    if let Talk::Echo(delayed) = &mut self.talk
                        && delayed.len() > ECHO_FRAMES
                    {
                        delayed.pop_front();
                    }
                    return frame;
                }
                None => self.pressing = None,
            }
        }
        match &mut self.talk {
            Talk::Echo(delayed) if delayed.len() > ECHO_FRAMES => {
                delayed.pop_front().map_or(SILENCE, |frame| scaled(&frame, ECHO_GAIN))
            }
            Talk::Tone(tone) => tone.next_frame(),
            Talk::Play(player) => player.next_frame().unwrap_or(SILENCE),
            Talk::SendDigits { wait, player } => match wait.checked_sub(1) {
                Some(less) => {
                    *wait = less;
                    SILENCE
                }
                None => player.next_frame().unwrap_or(SILENCE),
            },
            Talk::Steps(steps) => steps.speak(&mut self.noticed),
            Talk::Echo(_) | Talk::Silence | Talk::ReadDigits => SILENCE,
        }
    }

    /// What it has heard, to be measured elsewhere.
    pub(crate) fn hearing(&self) -> Hearing {
        Hearing { meter: self.meter.clone(), dtmf: self.dtmf.clone() }
    }
}

/// A copy of what a far end has heard.
pub(crate) struct Hearing {
    meter: SignalMeter,
    dtmf: String,
}

impl Hearing {
    /// Measures it; `packets` is counted by the network, not here.
    pub(crate) fn report(self) -> Heard {
        let report = self.meter.report();
        Heard {
            dominant_hz: report.dominant.map(|dominant| dominant.hz),
            level_dbfs: report.level_dbfs,
            dropouts: report.dropouts,
            frames: report.frames,
            packets: 0,
            dtmf: self.dtmf,
        }
    }
}

fn scaled(frame: &Frame, gain: f32) -> Frame {
    #[expect(clippy::cast_possible_truncation, reason = "a gain below 1 keeps a sample within i16")]
    let quieter = frame.map(|sample| (f32::from(sample) * gain) as i16);
    quieter
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use dialer_media::signal::{dominant_frequency, rms};

    fn say(voice: &mut Voice, frames: usize) -> Vec<i16> {
        (0..frames).flat_map(|_| voice.speak()).collect()
    }

    #[test]
    fn an_echo_comes_back_later_and_quieter() {
        let mut voice = Voice::new(&TalkScript::Echo, Pace::REAL);
        let mut tone = Tone::new(1_000.0, -10.0);
        let mut said = Vec::new();
        for _ in 0..60 {
            voice.hear(&tone.next_frame());
            said.extend(voice.speak());
        }
        assert!(rms(&said[..19 * 960]) < 0.001, "silent for 0.4 s");
        let late = &said[30 * 960..];
        assert!((dominant_frequency(late).unwrap().hz - 1_000.0).abs() < 3.0);
    }

    #[test]
    fn pressing_keys_does_not_make_the_echo_later() {
        let mut voice = Voice::new(&TalkScript::Echo, Pace::REAL);
        voice.press("123");
        while voice.pressing.is_some() {
            voice.hear(&SILENCE);
            voice.speak();
        }
        let mut delay = 0;
        voice.hear(&[10_000; dialer_media::codec::FRAME_SAMPLES]);
        while rms(&voice.speak()) < 0.1 {
            voice.hear(&SILENCE);
            delay += 1;
            assert!(delay <= ECHO_FRAMES, "the echo is late");
        }
        assert_eq!(delay, ECHO_FRAMES);
    }

    #[test]
    fn keys_it_presses_can_be_recognised() {
        let mut voice = Voice::new(&TalkScript::SendDigits { digits: "1234#".into() }, Pace::REAL);
        let mut detector = DtmfDetector::new();
        let heard: String = (0..200).filter_map(|_| detector.feed(&voice.speak())).collect();
        assert_eq!(heard, "1234#");
        let pressed = "1234#".chars().map(|key| Noticed::Pressed(key, DigitPath::InBand));
        assert_eq!(voice.take_noticed(), pressed.collect::<Vec<_>>(), "it knows its own keys");
    }

    #[test]
    fn a_digit_is_confirmed_by_its_tones_however_it_came() {
        let mut voice = Voice::new(&TalkScript::ReadDigits, Pace::REAL);
        voice.digit('5', DigitPath::Signalling);
        let said = say(&mut voice, 20);
        let mut detector = DtmfDetector::new();
        let heard: String =
            said.chunks_exact(960).filter_map(|frame| detector.feed(frame.try_into().unwrap())).collect();
        assert_eq!(heard, "5");
        assert_eq!(voice.hearing().report().dtmf, "5");
    }

    #[test]
    fn in_band_digits_are_heard() {
        let mut voice = Voice::new(&TalkScript::Silence, Pace::REAL);
        let mut player = Player::new(Pattern::digits("7*"), 1);
        while let Some(frame) = player.next_frame() {
            voice.hear(&frame);
        }
        assert_eq!(voice.hearing().report().dtmf, "7*");
        assert_eq!(voice.take_noticed(), [Noticed::Heard('7'), Noticed::Heard('*')]);
    }
}
