//! Who carries the sound of calls.

use std::sync::Arc;

use dialer_media::api::VoiceEvent;
use dialer_media::devices::{AudioDevices, SystemDevices};
use dialer_media::engine::{EngineOptions, VoiceEngine};
use tokio::sync::mpsc;

use crate::api::NativeVoice;

/// Who carries the sound of calls.
#[derive(Clone)]
pub enum Sound {
    /// The page's own WebRTC.
    OfPage,
    /// The native voice engine with these devices, where the page has no WebRTC.
    NativeFallback(Arc<dyn AudioDevices>),
    /// The native voice engine with these devices, always.
    Native(Arc<dyn AudioDevices>),
}

/// A voice engine and what it says.
pub(crate) type Voice = (VoiceEngine, mpsc::UnboundedReceiver<VoiceEvent>);

impl Sound {
    /// This computer's devices for what is recorded outside a call: the page may be a browser's, but the program is
    /// on the agent's computer either way.
    pub(crate) fn devices(&self) -> Arc<dyn AudioDevices> {
        match self {
            Self::OfPage => Arc::new(SystemDevices),
            Self::NativeFallback(devices) | Self::Native(devices) => Arc::clone(devices),
        }
    }

    /// Starts the engine, where there is one.
    pub(crate) fn start(self) -> (NativeVoice, Option<Voice>) {
        let (use_it, devices) = match self {
            Self::OfPage => return (NativeVoice::Absent, None),
            Self::NativeFallback(devices) => (NativeVoice::Fallback, devices),
            Self::Native(devices) => (NativeVoice::Always, devices),
        };
        let (spoken, heard) = mpsc::unbounded_channel();
        (use_it, Some((VoiceEngine::start(EngineOptions::new(devices), spoken), heard)))
    }
}
