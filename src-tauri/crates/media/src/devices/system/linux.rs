//! Linux: the PulseAudio protocol, which PipeWire speaks too.
//!
//! ALSA's `default` is not used: on a desktop it leads to the same server through a plugin that
//! costs more, delays more, and can spin (measured; see the architecture notes on sound).

use cpal::traits::DeviceTrait as _;

use crate::devices::DeviceError;

/// 10 ms, honoured by the server: it converts whatever the hardware does.
pub(super) const BUFFER: cpal::BufferSize = cpal::BufferSize::Fixed(480);

pub(super) fn host() -> Result<cpal::Host, DeviceError> {
    cpal::host_from_id(cpal::HostId::PulseAudio).map_err(|error| no_sound_system(&error))
}

pub(super) fn no_sound_system(error: &cpal::Error) -> DeviceError {
    DeviceError::NoSoundSystem {
        detail: error.to_string(),
        cure: "Start PipeWire (with pipewire-pulse) or PulseAudio; the call goes on without sound until then.",
    }
}

/// Each loudspeaker has a "monitor" that looks like a microphone.
pub(super) fn is_loopback(device: &cpal::Device) -> bool {
    device.id().is_ok_and(|id| id.to_string().ends_with(".monitor"))
}
