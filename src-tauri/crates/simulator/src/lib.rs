//! The practice Twilio: signalling, TwiML, signed webhooks and far ends with real sound, on one
//! loopback port and without a Twilio account.
//!
//! It stands behind practice mode, the tests and the self-test, and is a program of its own
//! (`dialer-simulator`). The code that talks to it is the code that talks to Twilio; only addresses
//! and secrets differ. [`Simulator::start`] gives a handle; the same can be asked over HTTP:
//! [`CONTROL_ROUTES`] lists the control API, which web pages cannot use.
//!
//! | path | serves |
//! | --- | --- |
//! | `/signal` | the Voice SDK's signalling (WebSocket) |
//! | `/api/…`, `/voice/…`, `/monitor/…`, `/pricing/…`, `/lookups/…`, `/iam/…`, `/accounts/…`, `/webhooks/…`, `/insights/…` | REST: what Twilio serves at `https://api.twilio.com` and so on; of Insights, nothing yet |
//! | `/sim/…` | the control API |
//! | all else | Twilio's JSON for "not found" (20404) |
//!
//! # What it does as Twilio does
//!
//! Each module names its sources. In short: access tokens are verified in full; an SDK call asks the
//! voice URL of the token's TwiML App, plays the TwiML it gets (`Say`, `Play`, `Pause`, `Gather`,
//! `Record`, `Enqueue` and `Leave`, `Dial` with `Number`, `Client`, `Sip`, `Queue`, `Conference` and
//! `Application`, `Start` and `Stop` of a `Recording`, `Hangup`, `Reject`, `Redirect`) and reports every
//! leg by signed status callbacks; what is recorded can be had as WAV files by REST; media is RTP to an
//! ICE-lite peer whose description looks like that of Twilio's gateway; a call outlives its signalling socket for as long as the SDK asked. REST shows and changes
//! the same account that calls go by, with Twilio's classes of credentials, codes and pages
//! (`rest/mod.rs` says what is documented and what is guessed); the account may be a trial, suspended
//! or closed ([`AccountSettings`]), and [`Faults`] spoil requests, calls, callbacks and the clock.
//! Webhooks are asked as patiently as their addresses say (`webhook/overrides.rs`) and signed with the
//! Auth Token, or with a shared key where the account has a rule for that.
//!
//! # What is different
//!
//! - Speech is a pattern of notes whose length follows the text; recordings that are not WAV files on
//!   this computer are a tune. Nothing is fetched from elsewhere.
//! - Skipped with a warning (12200): `Connect`, `Pay`, `Refer`, `Sms`, `Stream` and what belongs to
//!   TaskRouter. Answering machines are not detected.
//! - Only what the script of a far end speaks is understood as words (`<Gather input="speech">`,
//!   transcriptions); nobody listens to a microphone.
//! - SIP goes nowhere: the user part of an address names a practice number (`call/place.rs`).
//! - Where Twilio's behaviour is not known, the module's documentation says what was chosen: which
//!   error an unanswered call ends with (`call/end.rs`), several devices of one identity
//!   (`signalling/devices.rs`), expired tokens and messages (`signalling/socket.rs`), over-long
//!   parameters (`signalling/caller.rs`), the result of several failed legs (`call/dial.rs`), ends of
//!   waiting in a queue (`call/enqueue.rs`), failed whispers (`call/whisper.rs`).
//!
//! # Practice numbers
//!
//! `+1 202 555 01xx`, reserved for fiction; [`far_ends`] has the table and `--help` prints it. Every
//! other number the account may call rings for two seconds, answers and echoes; premium numbers, and
//! a few countries until they are switched on, it may not (13227). A call *from* a practice number behaves,
//! once answered, as that number does when called.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use dialer_simulator::{IncomingCall, Simulator, SimulatorOptions, TwimlApp};
//!
//! let simulator = Simulator::start(SimulatorOptions::default()).await?;
//! let account = simulator.account();
//! let app = simulator.create_application(TwimlApp {
//!     voice_url: Some("http://127.0.0.1:3002/api/calls/twiml".parse()?),
//!     ..TwimlApp::default()
//! });
//! simulator.bind_number(&account.numbers[0], Some(app))?;
//! let call = simulator.place_incoming(&IncomingCall::from_number("+12025550101".to_owned().try_into()?))?;
//! println!("{:?}", simulator.heard(&call));
//! simulator.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod account;
mod alert;
mod audio;
mod call;
mod control;
mod event;
mod far_end;
mod faults;
mod listener;
mod network;
mod operations;
mod pace;
mod queue;
mod recording;
mod rest;
mod scenario;
mod server;
mod signalling;
mod simulator;
mod twiml;
mod webhook;

pub use account::{
    AccountSettings, KeyClass, NumberSettings, OwnedNumber, PracticeAccount, TwimlApp, WebhookMethod,
};
pub use call::CallRecord;
pub use control::CONTROL_ROUTES;
pub use event::{AlertLevel, DigitPath, Happening, SimEvent, WebhookPurpose};
pub use far_end::{
    AnswerScript, CallerScript, FarEnd, FarEndScript, Heard, KeyPath, Step, TalkScript, far_ends,
};
pub use faults::{CallbackFailure, CallbackFault, Faults, RestFailure, RestFault};
pub use operations::{IncomingCall, OperationError};
pub use pace::{InvalidPace, Pace};
pub use scenario::{Scenario, ScenarioError, ScenarioNumber};
pub use simulator::{Simulator, SimulatorOptions, StartError};
