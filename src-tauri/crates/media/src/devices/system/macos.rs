//! macOS: Core Audio.

use crate::devices::DeviceError;

/// The system's choice; Core Audio's default is about 10 ms.
pub(super) const BUFFER: cpal::BufferSize = cpal::BufferSize::Default;

pub(super) fn host() -> Result<cpal::Host, DeviceError> {
    Ok(cpal::default_host())
}

pub(super) fn no_sound_system(error: &cpal::Error) -> DeviceError {
    DeviceError::NoSoundSystem {
        detail: error.to_string(),
        cure: "Restart the computer, or run “sudo killall coreaudiod” in the Terminal.",
    }
}

/// Core Audio has none of its own.
pub(super) fn is_loopback(_device: &cpal::Device) -> bool {
    false
}
