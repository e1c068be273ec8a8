//! The people at the other end: what practice numbers do when called, and how they sound.

mod leg;
mod script;
mod steps;
mod table;
mod voice;

pub(crate) use leg::{call_in, pick_up};
pub use script::{AnswerScript, CallerScript, FarEndScript, KeyPath, Step, TalkScript};
pub(crate) use table::{ACCOUNT_NUMBERS, script_for};
pub use table::{FarEnd, far_ends};
pub use voice::Heard;
pub(crate) use voice::Voice;
