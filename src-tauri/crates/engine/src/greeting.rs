//! A greeting in the agent's own voice: a microphone is recorded outside a call, listened to, and then kept or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_media::api::{AudioDevice, DeviceKind};
use dialer_media::devices::{AudioDevices, DeviceError};
use dialer_media::recording::{RECORDED_RATE, Recorded, Recorder, wav};
use dialer_media::signal::rms;
use tokio::sync::{Mutex, Notify, oneshot};

use crate::api::{GreetingProgress, PageId, RecordedGreeting};
use crate::controller::View;
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
    /// Held until the microphone is closed: some can be opened only once.
    recording: Arc<Mutex<Option<Recording>>>,
    begun: Arc<AtomicU32>,
}

/// A recording that was begun and not asked for yet.
struct Recording {
    id: u32,
    recorder: Recorder,
}

impl Greeting {
    pub(crate) fn new(devices: Arc<dyn AudioDevices>) -> Self {
        Self { devices, recording: Arc::default(), begun: Arc::default() }
    }

    /// The microphones there are.
    pub(crate) async fn microphones(&self) -> Result<Vec<AudioDevice>, UserError> {
        let devices = Arc::clone(&self.devices);
        let listed = blocking(move || devices.list().map_err(|error| told(&error))).await?;
        Ok(listed.into_iter().filter(|device| device.kind == DeviceKind::Microphone).collect())
    }

    /// Begins to record, and gives the number of the recording. One that was begun before and not asked for is given
    /// up. A call gets the microphone for itself: while there is one nothing begins, and what is being recorded ends
    /// with the first sign of it. It also ends when another page comes, and when `progress` says by `false` that
    /// nobody listens to it any more: nobody would see that the microphone is open.
    pub(crate) async fn start(
        &self,
        core: &Core,
        microphone: String,
        progress: impl Fn(GreetingProgress) -> bool + Send + 'static,
    ) -> Result<u32, UserError> {
        let mut views = core.watch();
        let page = free(&views.borrow_and_update())?;
        let mut recording = Arc::clone(&self.recording).lock_owned().await;
        let (devices, begun) = (Arc::clone(&self.devices), Arc::clone(&self.begun));
        blocking(move || {
            if let Some(Recording { recorder, .. }) = recording.take() {
                drop(recorder.finish());
            }
            // That may have taken seconds.
            if free(&views.borrow_and_update())? != page {
                return Err(UserError::new(ErrorCode::Busy, "The page was loaded anew. Press Record again."));
            }
            let id = begun.fetch_add(1, Ordering::Relaxed) + 1;
            let (interrupted, alone) = (Arc::<AtomicBool>::default(), Arc::<Notify>::default());
            let (going, over) = oneshot::channel::<()>();
            let (why, nobody) = (Arc::clone(&interrupted), Arc::clone(&alone));
            let heard = move |Recorded { at_ms, level, over, error }: Recorded| {
                // Goes when the recording goes.
                let _going = &going;
                let call = || in_call("The recording ended because a call began.");
                let interrupted = over && why.load(Ordering::Relaxed);
                let error = error.as_ref().map(told).or_else(|| interrupted.then(call));
                if !progress(GreetingProgress { recording: id, at_ms, level, over, error }) {
                    nobody.notify_one();
                }
            };
            let recorder = Recorder::start(devices, microphone, LONGEST, heard).map_err(|error| {
                UserError::new(ErrorCode::Internal, "The recording could not be started. Try again.")
                    .with_detail(error.to_string())
            })?;
            let stop = recorder.stop();
            *recording = Some(Recording { id, recorder });
            tokio::spawn(async move {
                tokio::select! {
                    turned = views.wait_for(|view| !view.calls.is_empty() || view.page != page) => {
                        let call = turned.is_ok_and(|view| view.page == page);
                        interrupted.store(call, Ordering::Relaxed);
                    }
                    () = alone.notified() => {}
                    _ = over => return,
                }
                stop.let_go();
            });
            Ok(id)
        })
        .await
    }

    /// Ends the recording `id` and gives it.
    pub(crate) async fn finish(&self, id: u32) -> Result<RecordedGreeting, UserError> {
        let mut recording = Arc::clone(&self.recording).lock_owned().await;
        blocking(move || {
            let Recording { recorder, .. } =
                recording.take_if(|recording| recording.id == id).ok_or_else(|| {
                    UserError::new(ErrorCode::InvalidEntry, "Nothing is being recorded. Press Record first.")
                })?;
            let samples = recorder.finish();
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

/// The page that is there, unless there is a call.
fn free(view: &View) -> Result<Option<PageId>, UserError> {
    if view.calls.is_empty() {
        Ok(view.page)
    } else {
        Err(in_call("Record your greeting when the call is over."))
    }
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
