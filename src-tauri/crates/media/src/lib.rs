//! The native voice engine: what stands behind the Voice SDK where the webview has no WebRTC.

pub mod api;
