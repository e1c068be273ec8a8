//! A greeting in the agent's own voice, from the microphone to the file that callers hear.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dialer_domain::call::SdkCallEvent;
use dialer_domain::error::ErrorCode;
use dialer_domain::ports::SystemClock;
use dialer_engine::api::{Commands as _, GreetingProgress, HostEvent, PageId, RulesCommands as _};
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::sound::Sound;
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::tunnel::TokioLauncher;
use dialer_media::api::{AudioDevice, DeviceKind};
use dialer_media::codec::SAMPLE_RATE;
use dialer_media::devices::{AudioDevices, Capture, DEFAULT_DEVICE, DeviceError, Playout, ToneDevices};
use dialer_media::recording::RECORDED_RATE;
use dialer_media::resample::Resampler;
use dialer_media::signal::SignalMeter;
use dialer_storage::folders::Folders;
use dialer_storage::settings::Settings;
use dialer_storage::vault::ChosenVault;
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc;

use crate::computer::report;

const LIMIT: Duration = Duration::from_secs(30);

async fn phone(folder: &Path, devices: Arc<dyn AudioDevices>) -> Phone {
    let folders = Folders::at(folder).unwrap();
    let (settings, _) = Settings::open(&folders).unwrap();
    Phone::start(PhoneOptions {
        folders,
        settings,
        settings_notice: None,
        vault: Arc::new(ChosenVault::memory()),
        launcher: Arc::new(TokioLauncher),
        sound: Sound::Native(devices),
        twilio: TwilioAt::Twilio,
        simulator_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        webhook_listen: None,
        clock: Arc::new(SystemClock),
    })
    .await
    .unwrap()
}

async fn until(
    events: &mut Receiver<HostEvent>,
    wanted: impl Fn(&GreetingProgress) -> bool,
) -> GreetingProgress {
    let seen = async {
        loop {
            if let HostEvent::GreetingProgressed(progress) = events.recv().await.unwrap()
                && wanted(&progress)
            {
                return progress;
            }
        }
    };
    tokio::time::timeout(LIMIT, seen).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_microphone_hears_becomes_a_recording_that_callers_hear() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path(), Arc::new(ToneDevices::new(440.0))).await;
    let mut events = phone.subscribe();
    let microphones = phone.microphones().await.unwrap();
    assert!(microphones.iter().all(|device| device.kind == DeviceKind::Microphone) && microphones.len() == 1);
    let recording = phone.record_greeting(microphones[0].id.clone()).await.unwrap();
    let progress = until(&mut events, |progress| progress.at_ms > 1_500).await;
    assert_eq!(progress.recording, recording);
    assert!(progress.level > 0.1 && !progress.over && progress.error.is_none(), "{progress:?}");
    let recorded = phone.finish_greeting(recording).await.unwrap();
    assert!(recorded.heard && recorded.duration_ms > 1_500, "{}", recorded.duration_ms);
    assert!(phone.finish_greeting(recording).await.is_err(), "it is given once");

    let kept = phone.add_sound("My greeting".into(), recorded.wav_base64).await.unwrap();
    let stored = std::fs::read(folder.path().join("sounds").join(kept.name.as_str()).with_extension("wav"));
    let stored = stored.unwrap();
    assert_eq!(STANDARD.encode(&stored), phone.sound(kept.name.clone()).await.unwrap().wav_base64);
    let samples: Vec<i16> =
        stored[44..].chunks_exact(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]])).collect();
    let (mut meter, mut at_48) = (SignalMeter::new(), Vec::new());
    Resampler::new(RECORDED_RATE, SAMPLE_RATE).process(&samples, &mut at_48);
    at_48.as_chunks().0.iter().for_each(|frame| meter.feed(frame));
    let dominant = meter.report().dominant.unwrap();
    assert!((dominant.hz - 440.0).abs() < 3.0 && (dominant.level_dbfs + 12.0).abs() < 2.0, "{dominant:?}");
    phone.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_has_the_microphone_for_itself() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path(), Arc::new(ToneDevices::new(440.0))).await;
    let mut events = phone.subscribe();
    let recording = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
    until(&mut events, |progress| progress.at_ms > 200).await;
    phone.core().report_call(report(SdkCallEvent::Accepted)).await.unwrap();
    let over = until(&mut events, |progress| progress.over).await;
    assert!(over.error.unwrap().message.contains("because a call began"));
    let refused = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Busy);
    assert!(phone.finish_greeting(recording).await.unwrap().duration_ms > 200, "what there was is not lost");
    phone.core().report_call(report(SdkCallEvent::Ended)).await.unwrap();
    let core = phone.core();
    core.watch().wait_for(|view| view.calls.is_empty()).await.unwrap();
    phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
    phone.shutdown().await;
}

/// A computer without a microphone.
struct Deaf;

impl AudioDevices for Deaf {
    fn list(&self) -> Result<Vec<AudioDevice>, DeviceError> {
        Ok(Vec::new())
    }
    fn open_capture(&self, _: &str, _: std::thread::Thread) -> Result<Capture, DeviceError> {
        Err(DeviceError::NoMicrophone)
    }
    fn open_playout(&self, _: &str, _: std::thread::Thread) -> Result<Playout, DeviceError> {
        Err(DeviceError::NoSpeaker)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_microphone_there_is_a_sentence_with_the_cure() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path(), Arc::new(Deaf)).await;
    let mut events = phone.subscribe();
    let recording = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
    let error = until(&mut events, |progress| progress.over).await.error.unwrap();
    assert_eq!(error.code, ErrorCode::MicrophoneMissing);
    assert!(error.message.contains("Connect one") && error.message.contains("WAV"), "{}", error.message);
    assert_eq!(phone.finish_greeting(recording).await.unwrap_err().code, ErrorCode::MicrophoneMissing);
    phone.shutdown().await;
}

/// A microphone that only one at a time can open.
struct Exclusive {
    microphone: ToneDevices,
    open: Arc<AtomicBool>,
    closed: mpsc::UnboundedSender<()>,
}

impl Exclusive {
    fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<()>) {
        let (closed, closings) = mpsc::unbounded_channel();
        let microphone = ToneDevices::new(440.0);
        (Arc::new(Self { microphone, open: Arc::default(), closed }), closings)
    }
}

/// Closes the microphone when it goes.
struct Opened {
    open: Arc<AtomicBool>,
    closed: mpsc::UnboundedSender<()>,
    _microphone: Box<dyn Send>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.open.store(false, Ordering::SeqCst);
        // The test may be over.
        let _ = self.closed.send(());
    }
}

impl AudioDevices for Exclusive {
    fn list(&self) -> Result<Vec<AudioDevice>, DeviceError> {
        self.microphone.list()
    }
    fn open_capture(&self, id: &str, wake: std::thread::Thread) -> Result<Capture, DeviceError> {
        if self.open.swap(true, Ordering::SeqCst) {
            return Err(DeviceError::Busy(DeviceKind::Microphone));
        }
        let capture = self.microphone.open_capture(id, wake)?;
        let keep =
            Opened { open: Arc::clone(&self.open), closed: self.closed.clone(), _microphone: capture.keep };
        Ok(Capture { keep: Box::new(keep), ..capture })
    }
    fn open_playout(&self, id: &str, wake: std::thread::Thread) -> Result<Playout, DeviceError> {
        self.microphone.open_playout(id, wake)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_recording_that_was_given_up_is_told_apart_from_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let (microphone, _closings) = Exclusive::new();
    let phone = phone(folder.path(), microphone).await;
    let mut events = phone.subscribe();
    let mut first = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
    until(&mut events, |progress| progress.at_ms > 100).await;
    for _ in 0..5 {
        // At once: what is still open of the one before must not make the microphone busy.
        let second = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(until(&mut events, |progress| progress.over).await.recording, first);
        let heard = until(&mut events, |progress| progress.recording == second && progress.at_ms > 100).await;
        assert!(!heard.over && heard.error.is_none(), "{heard:?}");
        let gone = phone.finish_greeting(first).await.unwrap_err();
        assert_eq!(gone.code, ErrorCode::InvalidEntry, "that would be the end of the second");
        first = second;
    }
    assert!(phone.finish_greeting(first).await.unwrap().heard);
    phone.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_microphone_is_closed_when_another_page_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (microphone, mut closings) = Exclusive::new();
    let phone = phone(folder.path(), microphone).await;
    let mut events = phone.subscribe();
    let page = |number| PageId(uuid::Uuid::from_u128(number));
    phone.core().snapshot(page(1)).await.unwrap();
    phone.core().watch().wait_for(|view| view.page == Some(page(1))).await.unwrap();
    let recording = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
    until(&mut events, |progress| progress.at_ms > 100).await;
    // The same page again, as after a gap in its events.
    phone.core().snapshot(page(1)).await.unwrap();
    assert!(!until(&mut events, |progress| progress.at_ms > 400).await.over);
    phone.core().snapshot(page(2)).await.unwrap();
    let over = until(&mut events, |progress| progress.over).await;
    assert!(over.recording == recording && over.at_ms < 60_000 && over.error.is_none(), "{over:?}");
    tokio::time::timeout(LIMIT, closings.recv()).await.unwrap().unwrap();
    phone.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_microphone_is_closed_when_nobody_listens_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (microphone, mut closings) = Exclusive::new();
    let phone = phone(folder.path(), microphone).await;
    let mut events = phone.subscribe();
    let recording = phone.record_greeting(DEFAULT_DEVICE.into()).await.unwrap();
    until(&mut events, |progress| progress.at_ms > 100).await;
    drop(events);
    tokio::time::timeout(LIMIT, closings.recv()).await.unwrap().unwrap();
    let kept = phone.finish_greeting(recording).await.unwrap();
    assert!(kept.duration_ms < 60_000, "{}", kept.duration_ms);
    phone.shutdown().await;
}
