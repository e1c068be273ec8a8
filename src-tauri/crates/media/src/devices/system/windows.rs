//! Windows: WASAPI.

use crate::devices::DeviceError;

/// The system's choice; WASAPI's shared mode is 10 ms.
pub(super) const BUFFER: cpal::BufferSize = cpal::BufferSize::Default;

pub(super) fn host() -> Result<cpal::Host, DeviceError> {
    Ok(cpal::default_host())
}

pub(super) fn no_sound_system(error: &cpal::Error) -> DeviceError {
    DeviceError::NoSoundSystem {
        detail: error.to_string(),
        cure: "Start the service “Windows Audio” or restart the computer.",
    }
}

/// WASAPI offers loudspeakers as sources only on request.
pub(super) fn is_loopback(_device: &cpal::Device) -> bool {
    false
}
