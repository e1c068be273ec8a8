//! The core without a window.
//!
//! | module | serves |
//! | --- | --- |
//! | [`cloud`] | Twilio and any number of agents, from a computer that is always on |
//! | `browser_host` | the UI to a browser on this computer, whose own WebRTC carries the sound |

#[cfg(feature = "page")]
pub mod browser_host;
pub mod cloud;
