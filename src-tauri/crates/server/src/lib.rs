//! The same core without a window: serves the UI to a browser on this computer.
//!
//! The browser has WebRTC of its own, so this is how the UI's second sound path is used and tested.
//! Issue by issue the headless binary grows towards the cloud; today it serves practice mode.

pub mod browser_host;
