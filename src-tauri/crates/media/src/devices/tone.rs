use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::{AudioDevices, Capture, DEFAULT_DEVICE, DeviceError, Playout};
use crate::api::{AudioDevice, DeviceKind};
use crate::codec::{FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, SILENCE};
use crate::signal::{SignalMeter, SignalReport, Tone};

/// Level of the tone a synthetic microphone hears.
const LEVEL_DBFS: f32 = -12.0;
/// Room between the device and the engine: a quarter of a second.
const RING: usize = SAMPLE_RATE as usize / 4;

/// A microphone that hears one tone and a loudspeaker that measures what it plays: the self-test's
/// ears and mouth, which need no hardware.
///
/// The loudspeaker plays what is there and waits when nothing is, instead of playing a hole: what its
/// meter counts as a dropout came with the sound, not from a busy computer.
#[derive(Debug)]
pub struct ToneDevices {
    capture_hz: f32,
    meter: Arc<Mutex<SignalMeter>>,
}

impl ToneDevices {
    /// Devices whose microphone hears a sine of `capture_hz` at −12 dBFS.
    pub fn new(capture_hz: f32) -> Self {
        Self { capture_hz, meter: Arc::new(Mutex::new(SignalMeter::new())) }
    }

    /// What the loudspeaker has played since the last [`ToneDevices::reset_meter`].
    pub fn playout_report(&self) -> SignalReport {
        // The analysis takes a while, and the loudspeaker must not wait for it.
        let meter = lock(&self.meter).clone();
        meter.report()
    }

    /// Starts a new measurement.
    pub fn reset_meter(&self) {
        lock(&self.meter).reset();
    }
}

fn lock(meter: &Mutex<SignalMeter>) -> std::sync::MutexGuard<'_, SignalMeter> {
    // A meter is good after any panic: it holds plain numbers.
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AudioDevices for ToneDevices {
    fn list(&self) -> Result<Vec<AudioDevice>, DeviceError> {
        Ok([(DeviceKind::Microphone, "Test tone"), (DeviceKind::Speaker, "Test meter")]
            .map(|(kind, label)| AudioDevice { id: DEFAULT_DEVICE.into(), label: label.into(), kind })
            .into())
    }

    fn open_capture(&self, _id: &str, wake: Thread) -> Result<Capture, DeviceError> {
        let (mut producer, samples) = rtrb::RingBuffer::new(RING);
        let mut tone = Tone::new(self.capture_hz, LEVEL_DBFS);
        let keep = every_20_ms(DeviceKind::Microphone, move || {
            for sample in tone.next_frame() {
                // A full ring means that nobody listens any more.
                let _ = producer.push(sample);
            }
            wake.unpark();
        })?;
        Ok(Capture { sample_rate: SAMPLE_RATE, samples, faults: keep.faults, keep: Box::new(keep.guard) })
    }

    fn open_playout(&self, _id: &str, wake: Thread) -> Result<Playout, DeviceError> {
        let (samples, mut consumer) = rtrb::RingBuffer::new(RING);
        let meter = Arc::clone(&self.meter);
        let keep = every_20_ms(DeviceKind::Speaker, move || {
            if consumer.slots() >= FRAME_SAMPLES {
                let mut frame = SILENCE;
                frame.fill_with(|| consumer.pop().unwrap_or(0));
                lock(&meter).feed(&frame);
            }
            wake.unpark();
        })?;
        Ok(Playout { sample_rate: SAMPLE_RATE, samples, faults: keep.faults, keep: Box::new(keep.guard) })
    }
}

struct Running {
    guard: StopOnDrop,
    faults: mpsc::Receiver<DeviceError>,
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A thread that acts once for each 20 ms that pass, catching up after a delay.
fn every_20_ms(kind: DeviceKind, mut act: impl FnMut() + Send + 'static) -> Result<Running, DeviceError> {
    let stop = Arc::new(AtomicBool::new(false));
    let (fault, faults) = mpsc::channel();
    let stopped = Arc::clone(&stop);
    let body = move || {
        // Synthetic devices have no faults; the sender lives as long as the device does.
        let _fault = fault;
        let mut due = Instant::now();
        while !stopped.load(Ordering::Relaxed) {
            let now = Instant::now();
            if now < due {
                thread::sleep(due - now);
                continue;
            }
            act();
            due += Duration::from_millis(FRAME_MS);
        }
    };
    thread::Builder::new()
        .name("test-tone".into())
        .spawn(body)
        .map_err(|error| DeviceError::Failed { kind, detail: error.to_string() })?;
    Ok(Running { guard: StopOnDrop(stop), faults })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn what_the_microphone_hears_the_meter_measures() {
        let devices = ToneDevices::new(660.0);
        let mut capture = devices.open_capture(DEFAULT_DEVICE, thread::current()).unwrap();
        let mut playout = devices.open_playout(DEFAULT_DEVICE, thread::current()).unwrap();
        while devices.playout_report().frames < 30 {
            while playout.samples.slots() > 0
                && let Ok(sample) = capture.samples.pop()
            {
                playout.samples.push(sample).unwrap();
            }
            thread::park_timeout(Duration::from_millis(20));
        }
        let report = devices.playout_report();
        assert!((report.dominant.unwrap().hz - 660.0).abs() < 1.0, "{report:?}");
        assert_eq!(report.dropouts, 0);
        devices.reset_meter();
        assert!(devices.playout_report().frames < 30);
    }
}
