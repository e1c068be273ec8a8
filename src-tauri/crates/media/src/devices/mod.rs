//! Microphones and loudspeakers, real and synthetic.
//!
//! A device runs on a thread of its own and meets the engine in a lock-free ring of mono samples at
//! the device's own rate; the engine converts. Opening takes up to two seconds, so it happens on a
//! thread of its own too.

mod system;
mod tone;

use std::sync::mpsc;
use std::thread::Thread;

pub use system::SystemDevices;
pub use tone::ToneDevices;

use crate::api::{AudioDevice, DeviceKind};

/// The id that follows the system's choice.
pub const DEFAULT_DEVICE: &str = "default";

/// Why a device cannot be used, as a sentence with the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The computer's sound system does not answer.
    #[error("The sound system of this computer does not answer ({detail}). {cure}")]
    NoSoundSystem {
        /// The system's own words.
        detail: String,
        /// What to do on this operating system.
        cure: &'static str,
    },
    /// There is no microphone.
    #[error(
        "No microphone was found, so the other side cannot hear you. Connect one; it is used as soon as it is there."
    )]
    NoMicrophone,
    /// There is no loudspeaker.
    #[error(
        "No loudspeaker or headset was found, so you cannot hear the other side. Connect one; it is used as soon as it is there."
    )]
    NoSpeaker,
    /// The operating system forbids the use.
    #[error("This program may not use the {}. Allow it in the system's privacy settings; it is tried again every few seconds.", noun(*.0))]
    Forbidden(DeviceKind),
    /// Another program holds the device.
    #[error("The {} is in use by another program. Close that program's call or choose another device; it is tried again every few seconds.", noun(*.0))]
    Busy(DeviceKind),
    /// It was there and is no longer.
    #[error("The {} was disconnected. Connect it again or choose another; it is used as soon as it is there.", noun(*.0))]
    Lost(DeviceKind),
    /// Anything else.
    #[error("The {} could not be opened ({detail}). Choose another device in the system's sound settings.", noun(*kind))]
    Failed {
        /// Which device.
        kind: DeviceKind,
        /// The system's own words.
        detail: String,
    },
}

fn noun(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Microphone => "microphone",
        DeviceKind::Speaker => "loudspeaker",
    }
}

/// A running microphone. Dropping it stops it.
pub struct Capture {
    /// Samples per second of the ring.
    pub sample_rate: u32,
    /// What it has heard, mono. When the engine falls behind, the newest samples are lost.
    pub samples: rtrb::Consumer<i16>,
    /// Troubles after the start; the device is as good as gone after one.
    pub faults: mpsc::Receiver<DeviceError>,
    /// Keeps the device running.
    pub keep: Box<dyn Send>,
}

/// A running loudspeaker. Dropping it stops it.
pub struct Playout {
    /// Samples per second of the ring.
    pub sample_rate: u32,
    /// What it is to play, mono. When the ring runs dry it plays silence.
    pub samples: rtrb::Producer<i16>,
    /// Troubles after the start; the device is as good as gone after one.
    pub faults: mpsc::Receiver<DeviceError>,
    /// Keeps the device running.
    pub keep: Box<dyn Send>,
}

/// Where sound comes from and goes to.
pub trait AudioDevices: Send + Sync + 'static {
    /// The devices there are, each kind beginning with [`DEFAULT_DEVICE`] if there is any. May take seconds.
    fn list(&self) -> Result<Vec<AudioDevice>, DeviceError>;

    /// Starts a microphone. `wake` is unparked whenever samples have come. May take seconds.
    fn open_capture(&self, id: &str, wake: Thread) -> Result<Capture, DeviceError>;

    /// Starts a loudspeaker. `wake` is unparked whenever samples have been played. May take seconds.
    fn open_playout(&self, id: &str, wake: Thread) -> Result<Playout, DeviceError>;
}
