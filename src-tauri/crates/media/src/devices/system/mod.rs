//! The computer's own devices, through cpal.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(target_os = "windows")]
mod windows;
#[cfg(target_os = "windows")]
use windows as platform;

use std::sync::mpsc;
use std::thread::Thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{ErrorKind, FromSample, Sample, SampleFormat, SizedSample, StreamConfig};

use super::{AudioDevices, Capture, DEFAULT_DEVICE, DeviceError, Playout};
use crate::api::{AudioDevice, DeviceKind};
use crate::codec::SAMPLE_RATE;

/// A device that does not start in this time is taken as broken.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// The computer's microphones and loudspeakers.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDevices;

impl AudioDevices for SystemDevices {
    fn list(&self) -> Result<Vec<AudioDevice>, DeviceError> {
        let host = platform::host()?;
        let mut found = Vec::new();
        for kind in [DeviceKind::Microphone, DeviceKind::Speaker] {
            let devices = all(&host, kind)?;
            if !devices.is_empty() {
                let label = "System default".to_owned();
                found.push(AudioDevice { id: DEFAULT_DEVICE.into(), label, kind });
            }
            for device in devices {
                if let (Ok(id), Ok(description)) = (device.id(), device.description()) {
                    found.push(AudioDevice {
                        id: id.to_string(),
                        label: description.name().to_owned(),
                        kind,
                    });
                }
            }
        }
        Ok(found)
    }

    fn open_capture(&self, id: &str, wake: Thread) -> Result<Capture, DeviceError> {
        let device = find(id, DeviceKind::Microphone)?;
        let (config, format) = choose(&device, DeviceKind::Microphone)?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the rest are exotic, and new ones may come")]
        match format {
            SampleFormat::F32 => capture::<f32>(&device, config, wake),
            SampleFormat::I16 => capture::<i16>(&device, config, wake),
            SampleFormat::I32 => capture::<i32>(&device, config, wake),
            SampleFormat::U8 => capture::<u8>(&device, config, wake),
            other => Err(unknown_format(DeviceKind::Microphone, other)),
        }
    }

    fn open_playout(&self, id: &str, wake: Thread) -> Result<Playout, DeviceError> {
        let device = find(id, DeviceKind::Speaker)?;
        let (config, format) = choose(&device, DeviceKind::Speaker)?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the rest are exotic, and new ones may come")]
        match format {
            SampleFormat::F32 => playout::<f32>(&device, config, wake),
            SampleFormat::I16 => playout::<i16>(&device, config, wake),
            SampleFormat::I32 => playout::<i32>(&device, config, wake),
            SampleFormat::U8 => playout::<u8>(&device, config, wake),
            other => Err(unknown_format(DeviceKind::Speaker, other)),
        }
    }
}

fn unknown_format(kind: DeviceKind, format: SampleFormat) -> DeviceError {
    DeviceError::Failed { kind, detail: format!("its sample format is {format}") }
}

/// All devices of a kind, without those that only repeat what a loudspeaker plays.
fn all(host: &cpal::Host, kind: DeviceKind) -> Result<Vec<cpal::Device>, DeviceError> {
    let devices = host.devices().map_err(|error| device_error(kind, &error))?;
    Ok(devices
        .filter(|device| match kind {
            DeviceKind::Microphone => device.supports_input() && !platform::is_loopback(device),
            DeviceKind::Speaker => device.supports_output(),
        })
        .collect())
}

fn find(id: &str, kind: DeviceKind) -> Result<cpal::Device, DeviceError> {
    let host = platform::host()?;
    let device = if id == DEFAULT_DEVICE {
        match kind {
            // Without a microphone, some systems name a loudspeaker's echo as the default source.
            DeviceKind::Microphone => {
                host.default_input_device().filter(|device| !platform::is_loopback(device))
            }
            DeviceKind::Speaker => host.default_output_device(),
        }
    } else {
        all(&host, kind)?.into_iter().find(|device| device.id().is_ok_and(|known| known.to_string() == id))
    };
    device.ok_or(match kind {
        DeviceKind::Microphone => DeviceError::NoMicrophone,
        DeviceKind::Speaker => DeviceError::NoSpeaker,
    })
}

/// 48 kHz mono if the device has it, else 48 kHz as it comes, else the device's own choice.
fn choose(device: &cpal::Device, kind: DeviceKind) -> Result<(StreamConfig, SampleFormat), DeviceError> {
    let failed = |error: cpal::Error| device_error(kind, &error);
    let (usual, ranges): (_, Vec<_>) = match kind {
        DeviceKind::Microphone => (
            device.default_input_config().map_err(failed)?,
            device.supported_input_configs().map_err(failed)?.collect(),
        ),
        DeviceKind::Speaker => (
            device.default_output_config().map_err(failed)?,
            device.supported_output_configs().map_err(failed)?.collect(),
        ),
    };
    let preferred = ranges
        .into_iter()
        .filter(|range| range.channels() == 1 || range.channels() == usual.channels())
        .filter(|range| matches!(range.sample_format(), SampleFormat::F32 | SampleFormat::I16))
        .filter_map(|range| range.try_with_sample_rate(SAMPLE_RATE))
        .min_by_key(|config| (config.channels(), config.sample_format() != SampleFormat::F32));
    let chosen = preferred.unwrap_or(usual);
    let config = StreamConfig {
        channels: chosen.channels(),
        sample_rate: chosen.sample_rate(),
        buffer_size: platform::BUFFER,
    };
    Ok((config, chosen.sample_format()))
}

/// Half a second between the device and the engine.
fn ring(config: &StreamConfig) -> (rtrb::Producer<i16>, rtrb::Consumer<i16>) {
    rtrb::RingBuffer::new((config.sample_rate / 2).max(1) as usize)
}

fn capture<T>(device: &cpal::Device, config: StreamConfig, wake: Thread) -> Result<Capture, DeviceError>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let kind = DeviceKind::Microphone;
    let (mut producer, samples) = ring(&config);
    let (fault, faults) = mpsc::channel();
    let channels = usize::from(config.channels.max(1));
    let callback = move |data: &[T], _: &cpal::InputCallbackInfo| {
        for across in data.chunks_exact(channels) {
            let sum: f32 = across.iter().map(|sample| f32::from_sample(*sample)).sum();
            // The engine is far behind if the ring is full; the newest samples go.
            let _ = producer.push(i16::from_sample(sum / channels as f32));
        }
        wake.unpark();
    };
    let stream = device
        .build_input_stream::<T, _, _>(config, callback, report_to(fault, kind), Some(OPEN_TIMEOUT))
        .and_then(|stream| stream.play().map(|()| stream))
        .map_err(|error| device_error(kind, &error))?;
    Ok(Capture { sample_rate: config.sample_rate, samples, faults, keep: Box::new(stream) })
}

fn playout<T>(device: &cpal::Device, config: StreamConfig, wake: Thread) -> Result<Playout, DeviceError>
where
    T: SizedSample + FromSample<i16>,
{
    let kind = DeviceKind::Speaker;
    let (samples, mut consumer) = ring(&config);
    let (fault, faults) = mpsc::channel();
    let channels = usize::from(config.channels.max(1));
    let callback = move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
        for across in data.chunks_mut(channels) {
            across.fill(T::from_sample(consumer.pop().unwrap_or(0)));
        }
        wake.unpark();
    };
    let stream = device
        .build_output_stream::<T, _, _>(config, callback, report_to(fault, kind), Some(OPEN_TIMEOUT))
        .and_then(|stream| stream.play().map(|()| stream))
        .map_err(|error| device_error(kind, &error))?;
    Ok(Playout { sample_rate: config.sample_rate, samples, faults, keep: Box::new(stream) })
}

/// Passes on the troubles that end a stream; late buffers and the like are not worth a word to the agent.
fn report_to(fault: mpsc::Sender<DeviceError>, kind: DeviceKind) -> impl FnMut(cpal::Error) + Send + 'static {
    move |error| {
        tracing::debug!(%error, ?kind, "a sound device reported");
        if matches!(
            error.kind(),
            ErrorKind::DeviceNotAvailable | ErrorKind::StreamInvalidated | ErrorKind::BackendError
        ) {
            // The engine may have let go of the device already.
            let _ = fault.send(DeviceError::Lost(kind));
        }
    }
}

fn device_error(kind: DeviceKind, error: &cpal::Error) -> DeviceError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's kinds are open-ended")]
    match error.kind() {
        ErrorKind::HostUnavailable => platform::no_sound_system(error),
        ErrorKind::PermissionDenied => DeviceError::Forbidden(kind),
        ErrorKind::DeviceBusy => DeviceError::Busy(kind),
        ErrorKind::DeviceNotAvailable => DeviceError::Lost(kind),
        _ => DeviceError::Failed { kind, detail: error.to_string() },
    }
}
