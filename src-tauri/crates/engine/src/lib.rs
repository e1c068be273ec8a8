//! The Controller: one task owns all state; generic over the ports; knows no Tauri.

pub mod api;
