//! Records a microphone outside a call: a greeting in the agent's own voice.
//!
//! What is kept is 16 kHz mono, more than a telephone carries and a third of what the engine works with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use crate::api::DeviceKind;
use crate::devices::{AudioDevices, Capture, DeviceError};
use crate::resample::Resampler;
use crate::signal::rms;

/// Samples a second of what is kept.
pub const RECORDED_RATE: u32 = 16_000;

/// Between two levels.
const LEVELS: Duration = Duration::from_millis(100);
/// A microphone that gives nothing for so long is as good as gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// How far a recording is.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Milliseconds that are kept.
    pub at_ms: u32,
    /// Root mean square of the last tenth of a second, as a share of full scale.
    pub level: f32,
    /// No more is recorded: it was stopped, is as long as it may be, or the microphone failed.
    pub over: bool,
    /// Why the microphone failed.
    pub error: Option<DeviceError>,
}

/// A recording. Dropping it lets go of the microphone, a moment later.
pub struct Recorder {
    stop: Stop,
    kept: Arc<Mutex<Vec<i16>>>,
    thread: Option<JoinHandle<()>>,
}

/// Ends a recording from anywhere, also once it is over.
#[derive(Clone)]
pub struct Stop {
    wanted: Arc<AtomicBool>,
    thread: Thread,
}

impl Stop {
    /// Has the recording let go of the microphone; what was recorded is kept for [`Recorder::finish`].
    pub fn let_go(&self) {
        self.wanted.store(true, Ordering::Relaxed);
        self.thread.unpark();
    }
}

impl Recorder {
    /// Begins to record the microphone `id`, which may take seconds to open, for `longest` at most. `told` hears how
    /// far it is about ten times a second, and last that it is over.
    pub fn start(
        devices: Arc<dyn AudioDevices>,
        id: String,
        longest: Duration,
        told: impl Fn(Recorded) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (wanted, kept) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Vec<i16>>>::default());
        let mut desk = Desk {
            stop: Arc::clone(&wanted),
            kept: Arc::clone(&kept),
            most: usize::try_from(longest.as_millis()).unwrap_or(usize::MAX).saturating_mul(PER_MS),
            told: Box::new(told),
        };
        let thread = thread::Builder::new().name("record-microphone".into()).spawn(move || {
            let failed = desk.record(&*devices, &id).err();
            desk.tell(0.0, true, failed);
        })?;
        let stop = Stop { wanted, thread: thread.thread().clone() };
        Ok(Self { stop, kept, thread: Some(thread) })
    }

    /// Stops, waits until the microphone is closed, and gives what was recorded: 16-bit samples, mono, at
    /// [`RECORDED_RATE`]. May take a moment: call it from a blocking task.
    pub fn finish(mut self) -> Vec<i16> {
        self.stop.let_go();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of a recording had panicked");
        }
        std::mem::take(&mut *lock(&self.kept))
    }

    /// What ends it from elsewhere.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.let_go();
    }
}

/// Samples in a millisecond of what is kept.
const PER_MS: usize = RECORDED_RATE as usize / 1_000;

struct Desk {
    stop: Arc<AtomicBool>,
    kept: Arc<Mutex<Vec<i16>>>,
    /// Samples.
    most: usize,
    told: Box<dyn Fn(Recorded) + Send>,
}

impl Desk {
    fn record(&mut self, devices: &dyn AudioDevices, id: &str) -> Result<(), DeviceError> {
        let wake: Thread = thread::current();
        let Capture { sample_rate, mut samples, faults, keep: _keep } = devices.open_capture(id, wake)?;
        let mut resampler = Resampler::new(sample_rate, RECORDED_RATE);
        let (mut new, mut since) = (Vec::new(), Vec::new());
        let (mut heard_at, mut tell_at) = (Instant::now(), Instant::now());
        loop {
            let now = Instant::now();
            let count = samples.slots();
            if count > 0
                && let Ok(chunk) = samples.read_chunk(count)
            {
                heard_at = now;
                let (first, second) = chunk.as_slices();
                resampler.process(first, &mut new);
                resampler.process(second, &mut new);
                chunk.commit_all();
            }
            since.extend_from_slice(&new);
            let full = {
                let mut kept = lock(&self.kept);
                let room = self.most.saturating_sub(kept.len()).min(new.len());
                kept.extend(new.drain(..room));
                kept.len() >= self.most
            };
            new.clear();
            if full || self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            if let Ok(fault) = faults.try_recv() {
                return Err(fault);
            }
            if now.duration_since(heard_at) > PATIENCE {
                return Err(DeviceError::Lost(DeviceKind::Microphone));
            }
            if now >= tell_at {
                self.tell(rms(&since), false, None);
                since.clear();
                tell_at = now + LEVELS;
            }
            // The microphone unparks the thread when it has something.
            thread::park_timeout(LEVELS);
        }
    }

    fn tell(&self, level: f32, over: bool, error: Option<DeviceError>) {
        let at_ms = u32::try_from(lock(&self.kept).len() / PER_MS).unwrap_or(u32::MAX);
        (self.told)(Recorded { at_ms, level, over, error });
    }
}

fn lock(kept: &Mutex<Vec<i16>>) -> std::sync::MutexGuard<'_, Vec<i16>> {
    // Samples are samples after any panic.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A WAV file of 16-bit samples, mono, at [`RECORDED_RATE`] (RIFF, as in Microsoft's "Multimedia Programming
/// Interface and Data Specifications 1.0").
pub fn wav(samples: &[i16]) -> Vec<u8> {
    let length = u32::try_from(samples.len() * 2).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(44 + samples.len() * 2);
    file.extend(b"RIFF");
    file.extend(length.saturating_add(36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend(1_u16.to_le_bytes());
    file.extend(1_u16.to_le_bytes());
    file.extend(RECORDED_RATE.to_le_bytes());
    file.extend((RECORDED_RATE * 2).to_le_bytes());
    file.extend(2_u16.to_le_bytes());
    file.extend(16_u16.to_le_bytes());
    file.extend(b"data");
    file.extend(length.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::sync::mpsc::channel;

    use super::*;
    use crate::codec::SAMPLE_RATE;
    use crate::devices::ToneDevices;
    use crate::signal::SignalMeter;

    #[test]
    fn a_recording_is_as_long_as_it_may_be_and_holds_what_was_heard() {
        let (tell, told) = channel();
        let devices = Arc::new(ToneDevices::new(440.0));
        let longest = Duration::from_millis(700);
        let recorder =
            Recorder::start(devices, "default".into(), longest, move |now| tell.send(now).unwrap()).unwrap();
        let all: Vec<Recorded> = told.iter().collect();
        let last = all.last().unwrap();
        assert_eq!((last.at_ms, last.over, &last.error), (700, true, &None));
        assert!(all.iter().any(|now| !now.over && now.level > 0.1), "{all:?}");
        let samples = recorder.finish();
        assert_eq!(samples.len(), 700 * PER_MS);
        let mut meter = SignalMeter::new();
        let mut at_48 = Vec::new();
        Resampler::new(RECORDED_RATE, SAMPLE_RATE).process(&samples, &mut at_48);
        at_48.as_chunks().0.iter().for_each(|frame| meter.feed(frame));
        let report = meter.report();
        let dominant = report.dominant.unwrap();
        assert!((dominant.hz - 440.0).abs() < 3.0 && (dominant.level_dbfs + 12.0).abs() < 2.0, "{report:?}");
    }

    #[test]
    fn stopping_keeps_what_there_is() {
        let (tell, told) = channel();
        let devices = Arc::new(ToneDevices::new(440.0));
        let recorder = Recorder::start(devices, "default".into(), Duration::from_secs(60), move |now| {
            tell.send(now).unwrap();
        })
        .unwrap();
        while told.recv().unwrap().at_ms < 200 {}
        let samples = recorder.finish();
        assert!((200 * PER_MS..10_000 * PER_MS).contains(&samples.len()), "{}", samples.len());
        assert!(told.iter().last().unwrap().over);
    }
}
