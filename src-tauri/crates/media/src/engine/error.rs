use crate::devices::DeviceError;
use crate::transport::TransportError;

/// Why a `voice_*` command failed.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// The connection was closed or never existed.
    #[error("there is no voice connection {0}; it may have been closed")]
    UnknownPeer(u32),
    /// The commands came in an order that W3C forbids.
    #[error("{0}")]
    OutOfOrder(&'static str),
    /// No codec was asked for.
    #[error("a call needs a codec: ask for Opus or PCMU")]
    NoCodec,
    /// Keys cannot travel with the sound of this call; send them by signalling.
    #[error("this call cannot carry key tones with its sound; they must go by signalling")]
    NoTelephoneEvents,
    /// The network part failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The sound thread could not be started.
    #[error("the sound of the call could not be started ({0}). Close other programs and call again.")]
    Thread(#[from] std::io::Error),
    /// The program is shutting down.
    #[error("the voice engine has stopped")]
    Stopped,
}
