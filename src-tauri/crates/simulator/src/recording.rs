//! Recordings: what was said, at 8 kHz as Twilio keeps it, and what became of each.
//!
//! A [`Recording`] is fed by the switch, or by whoever mixes a conference, until it is stopped; then it
//! is settled: trimmed, and completed or absent. Sound lives in memory and is given up from the oldest
//! on when there is too much of it. A recording that would last longer than an hour is stopped then.

mod tape;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dialer_domain::sid::{CallSid, ConferenceSid, RecordingSid};
use dialer_media::codec::{Frame, SILENCE};
use tokio::sync::watch;

use crate::account::SidSource;
use crate::twiml::Track;
use tape::Tape;

/// Samples in a second of a recording (Twilio's WAV files have 8 kHz, 16 bits).
pub(crate) const RECORDING_RATE: u32 = 8_000;
/// Longest recording, in samples: one hour.
const LONGEST: usize = RECORDING_RATE as usize * 3_600;
/// How many recordings are kept; older ones are forgotten.
const KEPT: usize = 500;
/// How many samples are kept in all: 256 MB.
const SAMPLES_KEPT: usize = 128 * 1024 * 1024;
/// A shorter recording is absent (twilio.com/docs/api/errors/16101 names no limit; ours is 100 ms).
const SHORTEST: usize = RECORDING_RATE as usize / 10;
/// "Voice Recording: Unavailable because duration is too short", "… because recording is silent".
const TOO_SHORT: u32 = 16_101;
const SILENT: u32 = 16_102;
/// Keeps the SIDs of recordings apart from those of calls, which must not depend on them.
const OWN_SEED: u64 = 0x7461_7065_7321;

/// `RecordingSource`: what started a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingSource {
    DialVerb,
    RecordVerb,
    Conference,
    StartCallRecordingTwiml,
    StartCallRecordingApi,
}

impl RecordingSource {
    /// As Twilio writes it. `<Start><Recording>` has no value of its own on Twilio's pages; its
    /// libraries' word for recordings begun in a call is used.
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::DialVerb => "DialVerb",
            Self::RecordVerb => "RecordVerb",
            Self::Conference => "Conference",
            Self::StartCallRecordingTwiml => "StartCallRecordingTwiML",
            Self::StartCallRecordingApi => "StartCallRecordingAPI",
        }
    }
}

/// Where a recording stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordingStatus {
    InProgress,
    Paused(PauseBehavior),
    /// Stopped, and not settled yet.
    Processing,
    Completed,
    /// There is none after all, and the code that says why.
    Absent(u32),
}

impl RecordingStatus {
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::InProgress => "in-progress",
            Self::Paused(_) => "paused",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Absent(_) => "absent",
        }
    }

    /// Whether more may be recorded.
    pub(crate) fn is_live(self) -> bool {
        matches!(self, Self::InProgress | Self::Paused(_))
    }
}

/// What is recorded during a pause (`PauseBehavior`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PauseBehavior {
    Skip,
    Silence,
}

/// What a new recording is.
#[derive(Debug, Clone)]
pub(crate) struct NewRecording {
    /// The call, of two legs the parent; of a conference the participant it began with, if any.
    pub(crate) call_sid: Option<CallSid>,
    pub(crate) conference_sid: Option<ConferenceSid>,
    pub(crate) source: RecordingSource,
    /// Each side in a channel of its own; counts only for both tracks.
    pub(crate) dual: bool,
    pub(crate) track: Track,
    /// Without the silence at both ends.
    pub(crate) trim: bool,
    /// For `<Stop>`.
    pub(crate) name: Option<String>,
    /// Unix milliseconds.
    pub(crate) now_ms: i64,
}

/// One recording.
pub(crate) struct Recording {
    pub(crate) sid: RecordingSid,
    pub(crate) of: NewRecording,
    status: watch::Sender<RecordingStatus>,
    tape: Mutex<Tape>,
}

impl Recording {
    fn new(sid: RecordingSid, of: NewRecording) -> Self {
        let tape = Mutex::new(Tape::new(if of.dual && of.track == Track::Both { 2 } else { 1 }));
        Self { sid, of, status: watch::Sender::new(RecordingStatus::InProgress), tape }
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn status(&self) -> RecordingStatus {
        *self.status.borrow()
    }

    /// Waits until nothing more is recorded.
    pub(crate) async fn stopped(&self) {
        // The sender is this very recording's.
        let _ = self.status.subscribe().wait_for(|status| !status.is_live()).await;
    }

    /// How many channels the sound has.
    pub(crate) fn channels(&self) -> usize {
        self.tape().channels()
    }

    /// How long it is. Sound is in real time, whatever the pace.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.tape().length() as f64 / f64::from(RECORDING_RATE))
    }

    /// `RecordingDuration`: whole seconds.
    pub(crate) fn duration_s(&self) -> u32 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most one hour")]
        let seconds = self.duration().as_secs_f64().round() as u32;
        seconds
    }

    /// Records 20 ms: what the party said (inbound to Twilio) and what it heard (outbound). `false` when
    /// nothing more is wanted.
    pub(crate) fn feed(&self, said: &Frame, heard: &Frame) -> bool {
        let status = self.status();
        let (said, heard) = match status {
            RecordingStatus::InProgress => (said, heard),
            RecordingStatus::Paused(PauseBehavior::Silence) => (&SILENCE, &SILENCE),
            RecordingStatus::Paused(PauseBehavior::Skip) => return true,
            RecordingStatus::Processing | RecordingStatus::Completed | RecordingStatus::Absent(_) => {
                return false;
            }
        };
        let mut tape = self.tape();
        match (self.of.track, tape.channels()) {
            (Track::Inbound, _) => tape.record(&[*said]),
            (Track::Outbound, _) => tape.record(&[*heard]),
            (Track::Both, 1) => {
                let mut both = *said;
                both.iter_mut()
                    .zip(heard)
                    .for_each(|(sample, other)| *sample = sample.saturating_add(*other));
                tape.record(&[both]);
            }
            (Track::Both, _) => tape.record(&[*said, *heard]),
        }
        let full = tape.length() >= LONGEST;
        drop(tape);
        if full {
            self.stop();
        }
        !full
    }

    /// Goes on, or pauses; `false` if it has been stopped.
    pub(crate) fn set_live(&self, status: RecordingStatus) -> bool {
        let mut live = false;
        self.status.send_if_modified(|known| {
            live = known.is_live() && status.is_live();
            if live {
                *known = status;
            }
            live
        });
        live
    }

    /// Records nothing more. A recording that was stopped stays so.
    pub(crate) fn stop(&self) {
        self.status.send_if_modified(|known| {
            let live = known.is_live();
            if live {
                *known = RecordingStatus::Processing;
            }
            live
        });
    }

    /// Trims what was recorded, once it has stopped, and tells whether anybody spoke.
    pub(crate) fn cut(&self) -> bool {
        self.stop();
        self.tape().cut(self.of.trim).spoken
    }

    /// Decides what has become of a stopped recording: a silent one is absent if silence was to be
    /// trimmed, and if it is somebody's message.
    pub(crate) fn settle(&self) -> RecordingStatus {
        if self.status() != RecordingStatus::Processing {
            return self.status();
        }
        let cut = self.tape().cut(self.of.trim);
        let message = self.of.source == RecordingSource::RecordVerb;
        let settled = if cut.length < SHORTEST {
            RecordingStatus::Absent(TOO_SHORT)
        } else if !cut.spoken && (self.of.trim || message) {
            RecordingStatus::Absent(SILENT)
        } else {
            RecordingStatus::Completed
        };
        self.status.send_replace(settled);
        settled
    }

    /// The file, once there is one. Two channels can be asked for as one; one never gives two.
    pub(crate) fn wav(&self, channels: Option<usize>) -> Option<Vec<u8>> {
        if self.status() != RecordingStatus::Completed {
            return None;
        }
        self.tape().wav(channels)
    }
}

/// What was said in a recording, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TranscriptionText {
    /// `TR…`.
    pub(crate) sid: String,
    pub(crate) recording_sid: RecordingSid,
    /// Absent when the transcription failed.
    pub(crate) text: Option<String>,
    /// Unix milliseconds.
    pub(crate) at_ms: i64,
}

/// All recordings of the account, oldest first.
pub(crate) struct Recordings {
    sids: SidSource,
    kept: Mutex<VecDeque<Arc<Recording>>>,
    transcriptions: Mutex<VecDeque<TranscriptionText>>,
}

impl Recordings {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            sids: SidSource::new(seed ^ OWN_SEED),
            kept: Mutex::default(),
            transcriptions: Mutex::default(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Recording>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one; what it records is for the caller to feed.
    pub(crate) fn create(&self, of: NewRecording) -> Arc<Recording> {
        let recording = Arc::new(Recording::new(self.sids.recording(), of));
        let mut kept = self.kept();
        kept.push_back(Arc::clone(&recording));
        let mut samples: usize = kept.iter().map(|kept| kept.tape().samples()).sum();
        while (kept.len() > KEPT || samples > SAMPLES_KEPT)
            && kept.front().is_some_and(|oldest| !oldest.status().is_live())
        {
            if let Some(oldest) = kept.pop_front() {
                samples = samples.saturating_sub(oldest.tape().samples());
            }
        }
        recording
    }

    pub(crate) fn get(&self, sid: &str) -> Option<Arc<Recording>> {
        self.kept().iter().find(|recording| recording.sid.as_str() == sid).cloned()
    }

    /// All that there are, oldest first.
    pub(crate) fn list(&self) -> Vec<Arc<Recording>> {
        self.kept().iter().cloned().collect()
    }

    /// The one that a call is being recorded by: `Twilio.CURRENT`.
    pub(crate) fn current(&self, call_sid: &CallSid) -> Option<Arc<Recording>> {
        let live = |recording: &&Arc<Recording>| {
            recording.of.call_sid.as_ref() == Some(call_sid)
                && recording.of.conference_sid.is_none()
                && recording.status().is_live()
        };
        self.kept().iter().rev().find(live).cloned()
    }

    /// The file of a completed recording, with as many channels as it has or as are asked for.
    pub(crate) fn wav(&self, sid: &str, channels: Option<usize>) -> Option<Vec<u8>> {
        self.get(sid)?.wav(channels)
    }

    /// Keeps what was said in a recording.
    pub(crate) fn transcribe(
        &self,
        recording_sid: RecordingSid,
        text: Option<String>,
        at_ms: i64,
    ) -> TranscriptionText {
        let new = TranscriptionText { sid: self.sids.other("TR"), recording_sid, text, at_ms };
        let mut kept = self.transcriptions.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(new.clone());
        if kept.len() > KEPT {
            kept.pop_front();
        }
        new
    }

    /// All transcriptions, oldest first.
    pub(crate) fn transcriptions(&self) -> Vec<TranscriptionText> {
        self.transcriptions.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Forgets one; `false` if there is none.
    pub(crate) fn delete(&self, sid: &str) -> bool {
        let mut kept = self.kept();
        let index = kept.iter().position(|recording| recording.sid.as_str() == sid);
        match index.and_then(|index| kept.remove(index)) {
            Some(recording) => {
                recording.stop();
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;
    use crate::audio::{decode_wav, encode_wav};
    use dialer_media::signal::{Tone, dominant_frequency};

    fn new(dual: bool, track: Track, trim: bool) -> NewRecording {
        NewRecording {
            call_sid: None,
            conference_sid: None,
            source: RecordingSource::DialVerb,
            dual,
            track,
            trim,
            name: None,
            now_ms: 0,
        }
    }

    fn hz(wav: &[u8], channel: usize, channels: usize) -> f32 {
        // Each channel as a file of its own, so that the reader's first channel is the wanted one.
        let samples: Vec<i16> = wav[44..]
            .chunks_exact(2)
            .map(|b| i16::from_le_bytes([b[0], b[1]]))
            .skip(channel)
            .step_by(channels)
            .collect();
        let decoded = decode_wav(&encode_wav(RECORDING_RATE, &[&samples])).unwrap();
        dominant_frequency(&decoded[4_800..]).unwrap().hz
    }

    #[test]
    fn two_sides_are_two_channels_or_one_mix() {
        let recordings = Recordings::new(1);
        for (track, dual, expected) in [
            (Track::Both, true, vec![500.0, 900.0]),
            (Track::Inbound, true, vec![500.0]),
            (Track::Outbound, false, vec![900.0]),
        ] {
            let recording = recordings.create(new(dual, track, false));
            let (mut said, mut heard) = (Tone::new(500.0, -12.0), Tone::new(900.0, -12.0));
            for _ in 0..50 {
                assert!(recording.feed(&said.next_frame(), &heard.next_frame()));
            }
            assert_eq!(recording.wav(None), None, "not before it is settled");
            recording.stop();
            assert!(!recording.feed(&SILENCE, &SILENCE));
            assert_eq!(recording.settle(), RecordingStatus::Completed);
            assert_eq!(recording.duration_s(), 1);
            let wav = recordings.wav(recording.sid.as_str(), None).unwrap();
            for (channel, wanted) in expected.iter().enumerate() {
                assert!((hz(&wav, channel, expected.len()) - wanted).abs() < 5.0, "{track:?} {channel}");
            }
            assert_eq!(recording.wav(Some(2)).is_some(), expected.len() == 2, "one channel never gives two");
            assert!(recording.wav(Some(1)).is_some());
        }
    }

    #[test]
    fn silence_is_trimmed_and_nothing_else_is_absent() {
        let recordings = Recordings::new(1);
        let recording = recordings.create(new(false, Track::Both, true));
        let mut tone = Tone::new(500.0, -12.0);
        for frame in 0..150 {
            let said = if (50..100).contains(&frame) { tone.next_frame() } else { SILENCE };
            recording.feed(&said, &SILENCE);
        }
        recording.stop();
        assert_eq!(recording.settle(), RecordingStatus::Completed);
        assert_eq!(recording.duration_s(), 1);
        for (trimmed, frames, expected) in [
            (true, 50, RecordingStatus::Absent(16_102)),
            (true, 2, RecordingStatus::Absent(16_101)),
            (false, 50, RecordingStatus::Completed),
        ] {
            let silent = recordings.create(new(false, Track::Both, trimmed));
            for _ in 0..frames {
                silent.feed(&SILENCE, &SILENCE);
            }
            silent.stop();
            assert_eq!(silent.settle(), expected);
        }
    }

    /// A second of a tone.
    fn say(recording: &Recording, tone: &mut Tone) {
        for _ in 0..50 {
            recording.feed(&tone.next_frame(), &SILENCE);
        }
    }

    #[test]
    fn a_pause_is_skipped_or_silent() {
        let recordings = Recordings::new(1);
        for (behavior, length) in [(PauseBehavior::Skip, 1), (PauseBehavior::Silence, 2)] {
            let recording = recordings.create(new(false, Track::Both, false));
            let mut tone = Tone::new(500.0, -12.0);
            say(&recording, &mut tone);
            assert!(recording.set_live(RecordingStatus::Paused(behavior)));
            say(&recording, &mut tone);
            assert!(recording.set_live(RecordingStatus::InProgress));
            recording.stop();
            assert!(!recording.set_live(RecordingStatus::InProgress), "stopped is stopped");
            assert_eq!((recording.duration_s(), recording.settle()), (length, RecordingStatus::Completed));
        }
    }

    #[test]
    fn the_newest_live_one_of_a_call_is_current() {
        let recordings = Recordings::new(1);
        let call: CallSid = "CA0123456789abcdef0123456789abcdef".parse().unwrap();
        let of_call = NewRecording { call_sid: Some(call.clone()), ..new(false, Track::Both, false) };
        let one = recordings.create(of_call.clone());
        let two = recordings.create(of_call);
        assert_eq!(recordings.current(&call).unwrap().sid, two.sid);
        two.stop();
        assert_eq!(recordings.current(&call).unwrap().sid, one.sid);
        assert!(recordings.delete(one.sid.as_str()) && !recordings.delete(one.sid.as_str()));
        assert!(recordings.current(&call).is_none());
        assert_eq!(recordings.list().len(), 1);
    }
}
