//! The native voice engine: what stands behind the Voice SDK where the webview has no WebRTC.
//!
//! | module | holds |
//! | --- | --- |
//! | [`api`] | what the user interface's `RTCPeerConnection` replacement says and hears |
//! | [`codec`] | Opus and PCMU; all sound inside is 48 kHz mono in frames of 20 ms |
//! | [`devices`] | microphones and loudspeakers, real and synthetic |
//! | [`engine`] | connections with a microphone and a loudspeaker, behind the `voice_*` commands |
//! | [`jitter`] | packets in as the network brings them, frames out every 20 ms |
//! | [`recording`] | a microphone recorded outside a call |
//! | [`resample`] | sample-rate conversion |
//! | [`signal`] | tones, DTMF and the instruments that measure them |
//! | [`transport`] | one audio peer over UDP: ICE, DTLS-SRTP, RTP, telephone events |

pub mod api;
pub mod codec;
pub mod devices;
pub mod engine;
pub mod jitter;
pub mod recording;
pub mod resample;
pub mod signal;
pub mod transport;
