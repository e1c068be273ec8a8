//! A practice Twilio.
mod account;
mod audio;
mod call;
mod control;
mod event;
mod far_end;
mod faults;
mod network;
mod operations;
mod pace;
mod scenario;
mod server;
mod signalling;
mod simulator;
mod twiml;
mod webhook;

pub use account::{OwnedNumber, PracticeAccount, TwimlApp, WebhookMethod};
pub use call::CallRecord;
pub use control::CONTROL_ROUTES;
pub use event::{AlertLevel, DigitPath, Happening, SimEvent, WebhookPurpose};
pub use far_end::{AnswerScript, FarEnd, FarEndScript, Heard, TalkScript, far_ends};
pub use faults::Faults;
pub use operations::{IncomingCall, OperationError};
pub use pace::{InvalidPace, Pace};
pub use scenario::{Scenario, ScenarioError};
pub use simulator::{Simulator, SimulatorOptions, StartError};
