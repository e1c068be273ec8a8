//! The same core without a window: serves the UI to a browser on this computer
