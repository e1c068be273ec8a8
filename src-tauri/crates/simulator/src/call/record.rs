//! `<Record>`: a message of the caller.
//!
//! Twilio's page on the verb: the recording ends by silence, by a key, by its length, or with the call;
//! then `action` is requested, the document's own address by default. Of a recording in which nobody spoke
//! nothing is told, and the document goes on. A call of the Voice SDK is recorded for 600 s at most.
//! Silence and length are those of the sound, so they are in real time whatever the pace.

use std::sync::Arc;
use std::time::Duration;

use dialer_media::codec::{FRAME_MS, Frame};
use tokio::sync::{broadcast, oneshot};
use url::Url;

use super::leg::{LegState, Party, Utterance};
use super::recorder::{RecordingCallbacks, follow, recording_url, transcribe};
use super::session::{Flow, Session};
use crate::audio::{Pattern, Tap, is_silent};
use crate::event::WebhookPurpose;
use crate::recording::{NewRecording, Recording, RecordingSource};
use crate::twiml::{Record, Track};

/// Longest recording of a call of the Voice SDK (TwiML `<Record>`).
const LONGEST_OF_SDK: Duration = Duration::from_secs(600);

/// What ended a recording.
enum Ended {
    /// Silence, or its length.
    Itself,
    Key(char),
    HangUp,
}

impl Session {
    pub(super) async fn record(&self, record: Record, base: &Url) -> Flow {
        // Twilio asks the document again by default, which one that was given with a request has not.
        let Some(action) = self.resolve(base, record.action.as_deref().unwrap_or_default()) else {
            return Flow::Finish(self.apologise().await);
        };
        if record.play_beep {
            match self.sound(Pattern::beep(), 1).await {
                Flow::Next => {}
                taken @ (Flow::Go(..) | Flow::Leave | Flow::Finish(_)) => return taken,
            }
        } else if !self.leg.answer().await {
            return Flow::Finish(self.leg.ended().await);
        }
        let Some(port) = self.leg.port() else { return Flow::Next };
        let (mut keys, mut words) = (self.leg.keys(), self.leg.words());
        let longest = if self.leg.party == Party::Sdk { LONGEST_OF_SDK } else { Duration::MAX };
        let recording = self.network.recordings.create(NewRecording {
            call_sid: Some(self.leg.sid.clone()),
            conference_sid: None,
            source: RecordingSource::RecordVerb,
            dual: false,
            track: Track::Inbound,
            trim: record.trim,
            name: None,
            now_ms: self.network.now_ms(),
        });
        let (tap, over) =
            MessageTap::new(Arc::clone(&recording), record.max_length.min(longest), record.timeout);
        self.network.switch.tap(port, Box::new(tap));
        let callbacks = RecordingCallbacks::of(&record.callbacks, base);
        follow(&self.network, &recording, self.leg.sid.clone(), callbacks);
        // Also when REST leads the call elsewhere, which drops what runs here.
        let stop = Stop(Arc::clone(&recording));
        let ended = tokio::select! {
            biased;
            key = finishing(&mut keys, &record.finish_on_key) => Ended::Key(key),
            // The tap goes when the line does.
            _ = self.leg.ended() => Ended::HangUp,
            Ok(()) = over => Ended::Itself,
        };
        drop(stop);
        let spoke = recording.cut();
        if let Some(wanted) = record.transcription.as_ref().filter(|_| spoke)
            && let Some(url) = wanted.callback.as_deref().and_then(|url| self.resolve(base, url))
        {
            let words = said(&mut words);
            let form = self.form(self.leg.status());
            transcribe(&self.network, &self.leg, &recording, words, form, (url, record.method));
        }
        if !spoke {
            return match self.leg.state() {
                LegState::Ended(end) => Flow::Finish(end),
                LegState::Initiated | LegState::Ringing | LegState::Answered => Flow::Next,
            };
        }
        let mut form = self.form(self.leg.status());
        form.push("RecordingUrl", recording_url(&self.network, &recording));
        form.push("RecordingSid", recording.sid.as_str());
        form.push("RecordingDuration", recording.duration_s().to_string());
        match ended {
            Ended::Itself => {}
            Ended::Key(key) => form.push("Digits", key.to_string()),
            Ended::HangUp => form.push("Digits", "hangup"),
        }
        if let LegState::Ended(end) = self.leg.state() {
            // A failure is in the log; there is nobody left to tell.
            let _ = self.ask(WebhookPurpose::RecordAction, action, record.method, form).await;
            return Flow::Finish(end);
        }
        self.go(WebhookPurpose::RecordAction, action, record.method, form).await
    }
}

/// Stops a recording when dropped.
struct Stop(Arc<Recording>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The first key among `finish_on_key`.
async fn finishing(keys: &mut super::dial::Keys, finish_on_key: &str) -> char {
    loop {
        match super::dial::next_key(keys).await {
            Some((key, _)) if finish_on_key.contains(key) => return key,
            Some(_) => {}
            None => std::future::pending().await,
        }
    }
}

/// All words that were spoken to their end so far.
fn said(words: &mut broadcast::Receiver<Utterance>) -> String {
    let mut all = Vec::new();
    loop {
        match words.try_recv() {
            Ok(Utterance::Ended(text)) => all.push(text),
            Ok(Utterance::Begun) | Err(broadcast::error::TryRecvError::Lagged(_)) => {}
            Err(_) => return all.join(" "),
        }
    }
}

/// Feeds a message to its recording, and tells when it is over.
struct MessageTap {
    recording: Arc<Recording>,
    /// Frames it may still last.
    left: u64,
    /// Frames of silence that end it, and how many there were.
    silence: Option<u64>,
    silent: u64,
    over: Option<oneshot::Sender<()>>,
}

impl MessageTap {
    fn new(
        recording: Arc<Recording>,
        longest: Duration,
        silence: Option<Duration>,
    ) -> (Self, oneshot::Receiver<()>) {
        let frames = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX) / FRAME_MS;
        let (over, is_over) = oneshot::channel();
        let silence = silence.map(frames);
        (Self { recording, left: frames(longest).max(1), silence, silent: 0, over: Some(over) }, is_over)
    }
}

impl Tap for MessageTap {
    fn take(&mut self, said: &Frame, heard: &Frame) -> bool {
        let more = self.recording.feed(said, heard);
        self.left -= 1;
        self.silent = if is_silent(said) { self.silent + 1 } else { 0 };
        let over = !more || self.left == 0 || self.silence.is_some_and(|limit| self.silent >= limit);
        if over {
            self.recording.stop();
            if let Some(tell) = self.over.take() {
                // Whoever waits may have gone on by a key in this very moment.
                let _ = tell.send(());
            }
        }
        !over
    }
}

impl Drop for MessageTap {
    fn drop(&mut self) {
        self.recording.stop();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use crate::recording::Recordings;
    use dialer_media::codec::SILENCE;
    use dialer_media::signal::Tone;

    fn recording() -> Arc<Recording> {
        Recordings::new(1).create(NewRecording {
            call_sid: None,
            conference_sid: None,
            source: RecordingSource::RecordVerb,
            dual: false,
            track: Track::Inbound,
            trim: true,
            name: None,
            now_ms: 0,
        })
    }

    #[test]
    fn a_message_ends_by_silence_after_the_last_word() {
        let recording = recording();
        let second = Duration::from_secs(1);
        let (mut tap, mut over) = MessageTap::new(Arc::clone(&recording), second * 60, Some(second));
        let mut tone = Tone::new(500.0, -12.0);
        for _ in 0..3 {
            (0..49).for_each(|_| assert!(tap.take(&SILENCE, &SILENCE)));
            assert!(tap.take(&tone.next_frame(), &SILENCE), "a word starts the silence anew");
        }
        assert!((0..49).all(|_| tap.take(&SILENCE, &SILENCE)));
        assert!(over.try_recv().is_err());
        assert!(!tap.take(&SILENCE, &SILENCE));
        assert_eq!(over.try_recv(), Ok(()));
        assert!(recording.cut(), "somebody spoke");
    }

    #[test]
    fn a_message_ends_at_its_longest_and_silence_is_none() {
        let recording = recording();
        let (mut tap, mut over) = MessageTap::new(Arc::clone(&recording), Duration::from_secs(1), None);
        assert!((0..49).all(|_| tap.take(&SILENCE, &SILENCE)));
        assert!(!tap.take(&SILENCE, &SILENCE));
        assert_eq!(over.try_recv(), Ok(()));
        assert!(!recording.cut(), "nobody spoke");
    }
}
