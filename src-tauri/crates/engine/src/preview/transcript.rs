//! What happens in a preview, as lines for the agent in the caller's own time.

use std::time::Duration;

use dialer_domain::call::CallStatus;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::sid::CallSid;
use dialer_simulator::{Happening, SimEvent, Simulator};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::playing::Ask;
use super::{Live, PACE, Rehearsal};
use crate::api::{PreviewLine, PreviewWho};

/// How long the end of the preview listens on after the last thing it waited for.
const LAST_WORDS: Duration = Duration::from_millis(1_500);
/// What somebody who waits hears.
const MUSIC: &str = "Music.";

/// The caller's own time: ringing goes by faster here than it does for a caller.
#[derive(Default)]
struct CallersTime {
    /// When the last thing happened, in Unix milliseconds.
    last_ms: Option<i64>,
    /// Milliseconds since the call began, as the caller would count them.
    passed_ms: i64,
    ringing: bool,
}

impl CallersTime {
    fn advance(&mut self, at_ms: i64) {
        let real_ms = (at_ms - self.last_ms.unwrap_or(at_ms)).max(0);
        self.passed_ms += if self.ringing { real_ms * i64::from(PACE) } else { real_ms };
        self.last_ms = Some(at_ms);
    }

    fn seconds(&self) -> u32 {
        u32::try_from(self.passed_ms / 1_000).unwrap_or(u32::MAX)
    }
}

/// What happened so far.
pub(super) struct Transcript {
    lines: Vec<PreviewLine>,
    time: CallersTime,
    call: CallSid,
    keys: Vec<char>,
    taken: usize,
    /// The menu waits for a key, or plays what there is to press.
    waits: bool,
    /// A key is waited for, and the caller has not yet heard what for.
    asked: bool,
    /// The agent's recordings, as far as the rules name them.
    own_sounds: Vec<String>,
    live: Live,
}

/// Whether to listen on.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    /// What there is to see has been seen.
    Leave,
}

impl Transcript {
    /// Nothing has happened yet. `keys` are pressed one for each page of the menu; `-` lets one pass.
    pub(super) fn new(call: CallSid, keys: Vec<char>, own_sounds: Vec<String>, live: Live) -> Self {
        Self {
            lines: Vec::new(),
            time: CallersTime::default(),
            call,
            keys,
            taken: 0,
            waits: false,
            asked: false,
            own_sounds,
            live,
        }
    }

    /// All that happened.
    pub(super) fn into_lines(self) -> Vec<PreviewLine> {
        self.lines
    }

    /// Listens until there is no more to see, or it is stopped.
    pub(super) async fn follow(
        &mut self,
        simulator: &Simulator,
        mut events: Receiver<SimEvent>,
        rehearsal: &Rehearsal,
    ) {
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                asked = self.live.asked.recv() => match asked {
                    Some(Ask::Press { key, reply }) => {
                        // Whoever asked may be gone.
                        let _ = reply.send(self.press_now(key, simulator, rehearsal));
                        continue;
                    }
                    Some(Ask::Stop) => {
                        self.tell(PreviewWho::Call, "Stopped.");
                        return;
                    }
                    None => {
                        // No event: whoever listens now waits for the lines of the next preview.
                        let text = "Stopped, because another preview was begun.".into();
                        self.lines.push(PreviewLine { at_s: self.time.seconds(), who: PreviewWho::Call, text });
                        return;
                    }
                },
            };
            let event = match event {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            self.time.advance(event.at_ms);
            for (who, text) in rehearsal.take_told() {
                self.tell(who, text);
            }
            if self.take(&event, simulator, rehearsal) == Then::Leave {
                tokio::time::sleep(LAST_WORDS).await;
                return;
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most of what happens at a Twilio is no part of a preview"
    )]
    fn take(&mut self, event: &SimEvent, simulator: &Simulator, rehearsal: &Rehearsal) -> Then {
        match &event.what {
            Happening::Spoken { call_sid, text } if *call_sid == self.call => {
                self.tell(PreviewWho::Heard, text.clone());
                self.press(simulator, rehearsal);
            }
            Happening::Played { call_sid, url } if *call_sid == self.call => {
                let own = self.own_sounds.iter().any(|name| url.contains(name.as_str()));
                self.tell(PreviewWho::Heard, if own { "Your recording." } else { MUSIC });
                self.press(simulator, rehearsal);
            }
            Happening::Gathering { call_sid } if *call_sid == self.call => {
                self.asked = true;
                self.waits = true;
            }
            Happening::Gathered { call_sid, digits, .. } if *call_sid == self.call && !digits.is_empty() => {
                self.waits = false;
            }
            Happening::Gathered { call_sid, digits, .. } if *call_sid == self.call && digits.is_empty() => {
                self.waits = false;
                self.tell(PreviewWho::Caller, "Presses no key.");
            }
            Happening::RecordingStarted { call_sid, .. } if *call_sid == self.call => {
                self.tell(PreviewWho::Caller, "Leaves a message and hangs up.");
                return Then::Leave;
            }
            Happening::Queued { call_sid, .. } if *call_sid == self.call => {
                self.tell(PreviewWho::Call, "The caller waits until you take the call.");
            }
            Happening::LegStatus { call_sid, status, .. } if *call_sid == self.call && status.is_final() => {
                self.tell(PreviewWho::Call, "The call is over.");
                return Then::Leave;
            }
            Happening::LegStatus { parent_call_sid: Some(parent), status, .. } if *parent == self.call => {
                return self.rang(*status);
            }
            _ => {}
        }
        // Whoever waits hears the same over and over: once is enough.
        let heard_music = self.lines.last().is_some_and(|line| line.text == MUSIC);
        if heard_music { Then::Leave } else { Then::GoOn }
    }

    /// Presses the next key, once the page of the menu is heard: before that it would not be played.
    fn press(&mut self, simulator: &Simulator, rehearsal: &Rehearsal) {
        if !std::mem::take(&mut self.asked) {
            return;
        }
        let key = self.keys.get(self.taken).copied();
        self.taken += 1;
        if let Some(key) = key.filter(char::is_ascii_digit) {
            // What a caller hears who presses it is played all the same, and the line below says why.
            let _ = self.press_key(key, simulator, rehearsal);
        }
    }

    /// Presses a key now, for whoever watches.
    fn press_now(
        &mut self,
        key: char,
        simulator: &Simulator,
        rehearsal: &Rehearsal,
    ) -> Result<(), UserError> {
        let refuse = |text: &str| Err(UserError::new(ErrorCode::InvalidEntry, text));
        if !matches!(key, '0'..='9' | '*' | '#') {
            return refuse("A telephone has no such key: it has 0 to 9, * and #.");
        }
        if !self.waits {
            return refuse(
                "No menu waits for a key just now, so a caller who pressed one would change nothing.",
            );
        }
        self.press_key(key, simulator, rehearsal)
    }

    fn press_key(
        &mut self,
        key: char,
        simulator: &Simulator,
        rehearsal: &Rehearsal,
    ) -> Result<(), UserError> {
        self.asked = false;
        self.waits = false;
        self.tell(PreviewWho::Caller, format!("Presses {key}."));
        // A caller who is gone presses nothing.
        let _ = simulator.press(&self.call, &key.to_string());
        if rehearsal.has_key(key) {
            return Ok(());
        }
        let text = format!("This menu has no key {key}. The caller hears what follows a wrong key.");
        self.tell(PreviewWho::Call, text.clone());
        Err(UserError::new(ErrorCode::InvalidEntry, text))
    }

    fn rang(&mut self, status: CallStatus) -> Then {
        self.time.ringing = matches!(status, CallStatus::Initiated | CallStatus::Ringing);
        match status {
            CallStatus::InProgress => {
                self.tell(PreviewWho::Agent, "The call is answered. You speak with each other.");
                Then::Leave
            }
            CallStatus::NoAnswer => {
                self.tell(PreviewWho::Agent, "Nobody answers.");
                Then::GoOn
            }
            CallStatus::Queued
            | CallStatus::Initiated
            | CallStatus::Ringing
            | CallStatus::Completed
            | CallStatus::Busy
            | CallStatus::Canceled
            | CallStatus::Failed => Then::GoOn,
        }
    }

    fn tell(&mut self, who: PreviewWho, text: impl Into<String>) {
        let line = PreviewLine { at_s: self.time.seconds(), who, text: text.into() };
        (self.live.heard)(line.clone());
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ringing_counts_as_long_as_it_is_for_the_caller() {
        let mut time = CallersTime::default();
        time.advance(1_000_000);
        time.advance(1_002_000);
        assert_eq!(time.seconds(), 2, "sound takes its time");
        time.ringing = true;
        time.advance(1_005_125);
        assert_eq!(time.seconds(), 27, "25 s of ringing go by in 3,125 ms");
        time.ringing = false;
        time.advance(1_006_000);
        assert_eq!(time.seconds(), 27);
        time.advance(1_006_125);
        assert_eq!(time.seconds(), 28);
    }
}
