//! A greeting in the agent's own voice: a microphone is recorded outside a call, listened to, and then kept or not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_media::api::{AudioDevice, DeviceKind};
use dialer_media::devices::{AudioDevices, DeviceError};
use dialer_media::recording::{RECORDED_RATE, Recorded, Recorder, wav};
use dialer_media::signal::rms;

use crate::api::{GreetingProgress, RecordedGreeting};
use crate::core::{Core, blocking};

/// Nobody listens to a longer greeting.
const LONGEST: Duration = Duration::from_secs(60);
/// A room at rest is below this, as a share of full scale (−46 dB); a voice is far above it.
const QUIET: f32 = 0.005;
/// Over how many samples a voice must be heard: a fifth of a second.
const STRETCH: usize = RECORDED_RATE as usize / 5;

/// The greeting that is being recorded, if there is one.
pub(crate) struct Greeting {
    devices: Arc<dyn AudioDevices>,
    recording: Arc<Mutex<Option<Recording>>>,
}

/// A recording that was begun and not asked for yet.
struct Recording {
    recorder: Recorder,
    /// A call began and took the microphone.
    interrupted: Arc<AtomicBool>,
}

impl Greeting {
    pub(crate) fn new(devices: Arc<dyn AudioDevices>) -> Self {
        Self { devices, recording: Arc::default() }
    }

    /// The microphones there are.
    pub(crate) async fn microphones(&self) -> Result<Vec<AudioDevice>, UserError> {
        let devices = Arc::clone(&self.devices);
        let listed = blocking(move || devices.list().map_err(|error| told(&error))).await?;
        Ok(listed.into_iter().filter(|device| device.kind == DeviceKind::Microphone).collect())
    }

    /// Begins to record. One that was begun before and not asked for is given up. A call gets the microphone for
    /// itself: while there is one nothing begins, and what is being recorded ends with the first sign of it.
    pub(crate) fn start(
        &self,
        core: &Core,
        microphone: String,
        progress: impl Fn(GreetingProgress) + Send + 'static,
    ) -> Result<(), UserError> {
        let mut calls = core.watch();
        if !calls.borrow_and_update().calls.is_empty() {
            return Err(in_call("Record your greeting when the call is over."));
        }
        let interrupted = Arc::<AtomicBool>::default();
        let why = Arc::clone(&interrupted);
        let heard = move |Recorded { at_ms, level, over, error }: Recorded| {
            let call = || in_call("The recording ended because a call began.");
            let interrupted = over && why.load(Ordering::Relaxed);
            let error = error.as_ref().map(told).or_else(|| interrupted.then(call));
            progress(GreetingProgress { at_ms, level, over, error });
        };
        let mut recording = lock(&self.recording);
        // The microphone of the one before is let go of first.
        *recording = None;
        let recorder =
            Recorder::start(Arc::clone(&self.devices), microphone, LONGEST, heard).map_err(|error| {
                UserError::new(ErrorCode::Internal, "The recording could not be started. Try again.")
                    .with_detail(error.to_string())
            })?;
        *recording = Some(Recording { recorder, interrupted });
        drop(recording);
        let recording = Arc::downgrade(&self.recording);
        tokio::spawn(async move {
            let call = tokio::time::timeout(LONGEST, calls.wait_for(|view| !view.calls.is_empty())).await;
            // Whatever is recorded by then, this one or one begun since.
            if matches!(call, Ok(Ok(_)))
                && let Some(recording) = recording.upgrade()
                && let Some(Recording { recorder, interrupted }) = &*lock(&recording)
            {
                interrupted.store(true, Ordering::Relaxed);
                recorder.let_go();
            }
        });
        Ok(())
    }

    /// Ends the recording and gives it.
    pub(crate) async fn finish(&self) -> Result<RecordedGreeting, UserError> {
        let recording = lock(&self.recording).take().ok_or_else(|| {
            UserError::new(ErrorCode::InvalidEntry, "Nothing is being recorded. Press Record first.")
        })?;
        blocking(move || {
            let samples = recording.recorder.finish();
            if samples.is_empty() {
                return Err(UserError::new(
                    ErrorCode::MicrophoneMissing,
                    "The microphone gave no sound. Choose another one, or check it in the system's sound settings.",
                ));
            }
            let duration_ms =
                u32::try_from(samples.len() as u64 * 1_000 / u64::from(RECORDED_RATE)).unwrap_or(u32::MAX);
            let heard = samples.chunks(STRETCH).any(|stretch| rms(stretch) > QUIET);
            Ok(RecordedGreeting { wav_base64: STANDARD.encode(wav(&samples)), duration_ms, heard })
        })
        .await
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    // A recording is whole after any panic.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_call(what: &str) -> UserError {
    UserError::new(ErrorCode::Busy, format!("The call has the microphone for itself. {what}"))
}

/// For whoever records: the sentences of [`DeviceError`] speak of a call that goes on.
fn told(error: &DeviceError) -> UserError {
    let message = match error {
        DeviceError::NoSoundSystem { .. } => {
            "The sound system of this computer does not answer. Start it (on Linux that is PipeWire with pipewire-pulse, or PulseAudio), then record again."
        }
        DeviceError::NoMicrophone | DeviceError::NoSpeaker => {
            "No microphone was found. Connect one, then record again, or add a WAV file."
        }
        DeviceError::Forbidden(_) => {
            "This program may not use the microphone. Allow it in the system's privacy settings, then record again."
        }
        DeviceError::Busy(_) => {
            "The microphone is in use by another program. Close that program's call or choose another microphone, then record again."
        }
        DeviceError::Lost(_) => {
            "The microphone was disconnected. Connect it again or choose another one, then record again."
        }
        DeviceError::Failed { .. } => {
            "The microphone could not be opened. Choose another one, then record again."
        }
    };
    UserError::new(ErrorCode::MicrophoneMissing, message).with_detail(error.to_string())
}
