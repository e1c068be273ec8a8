//! The one list of what a user interface can ask and be told.
//!
//! Two hosts carry it: the Tauri window over IPC and a browser over loopback HTTP. Both call
//! [`dispatch`], so a command declared here exists in both, with the same types, and
//! `ui/src/host/bindings.ts` is written from this file by a test (`tests/bindings.rs`).

use dialer_domain::call::{CallDirection, CallId, SdkCallEvent};
use dialer_domain::call_log::{CallLogEntry, CallLogPage};
use dialer_domain::error::UserError;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use dialer_media::api::VoiceEvent;
use serde::{Deserialize, Serialize};

pub use account::{
    AccountCommands, AccountPhase, AccountStatus, CallerIdCheck, CallerIdCheckState, ConnectedView,
    CountryView, CredentialView, DisconnectView, ImportReport, Inventory, NumberView, ProgramView,
    RestoredView, SigningState, SigningView, StepState, StepView, TunnelLight, TunnelView, VaultView,
    VerifiedNumberView,
};

use crate::phone::Phone;

/// Names one load of the page: a random UUID it makes for itself. A snapshot for another page than the
/// last tells that the last is gone, and with it the Voice SDK that carried its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[ts(type = "string")]
pub struct PageId(pub uuid::Uuid);

/// Everything a freshly loaded page needs; events keep it current afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Snapshot {
    /// Who the agent is, for the header.
    pub agent: AgentView,
    /// Where the SDK must connect.
    pub signalling: SignallingView,
    /// Whether a native voice engine stands behind the SDK in this host.
    pub native_voice: NativeVoice,
    /// The two lights.
    pub lights: Lights,
    /// Standing notices, oldest first.
    pub notices: Vec<Notice>,
    /// Practice mode: numbers to try.
    pub practice: Option<PracticeView>,
    /// First page of the call log.
    pub call_log: CallLogPage,
    /// Whether the agent does not want to be disturbed.
    pub do_not_disturb: bool,
    /// Who waits in the queue.
    pub queue: QueueView,
}

/// When the native voice engine carries the sound instead of the page's own WebRTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum NativeVoice {
    /// There is none here: the page must have WebRTC of its own.
    Absent,
    /// Where the page has no WebRTC.
    Fallback,
    /// Even where it has: the self-test, whose sound devices only the engine has.
    Always,
}

/// Who the agent is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct AgentView {
    /// Shown in the header.
    pub name: String,
    /// The SDK identity.
    pub identity: String,
    /// Shown to called parties.
    pub caller_id: Option<E164>,
    /// The caller id in national or international format for reading.
    pub caller_id_formatted: Option<String>,
    /// Numbers that may be shown to called parties.
    pub caller_ids: Vec<CallerIdOption>,
}

/// A number that may be shown to called parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CallerIdOption {
    /// The number.
    pub number: E164,
    /// For reading.
    pub formatted: String,
}

/// Where the SDK must connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SignallingView {
    /// The real Twilio.
    Twilio {
        /// Edge names in order of preference; `roaming` by default.
        edges: Vec<String>,
    },
    /// The practice Twilio on this computer.
    Practice {
        /// `127.0.0.1:PORT`; the SDK insists on `wss:`, so the page rewrites exactly this host to `ws:`.
        host: String,
    },
}

/// The two lights of the header; they fail separately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Lights {
    /// Whether calls can be placed.
    pub calls_out: Light,
    /// Whether calls can be received.
    pub calls_in: Light,
}

/// One light.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Light {
    /// Colour and word.
    pub state: LightState,
    /// Why it is not ready, as a sentence with the cure.
    pub reason: Option<String>,
    /// What the button beside the reason does, where the program can help.
    pub repair: Option<Repair>,
}

/// What the button beside a reason does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum Repair {
    /// Try the tunnel again now.
    RestartTunnel,
    /// Choose another way for Twilio to reach this computer.
    ChangeTunnel,
    /// Run set-up again: it finds what is missing at Twilio and mends only that.
    RunSetUp,
    /// Pick the numbers that ring and the one that is shown.
    ChooseNumbers,
    /// Enter the account's new Auth Token.
    EnterAuthToken,
    /// Ask the keychain again, or enter the passphrase.
    UnlockVault,
}

/// What a light says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum LightState {
    /// Green.
    Ready,
    /// Grey: starting.
    Starting,
    /// Amber: was ready, comes back by itself.
    Reconnecting,
    /// Amber: needs the agent.
    NotReachable,
}

/// A standing message for the agent, until the cause is gone or it is dismissed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Notice {
    /// Names the cause: a new notice of the same id replaces the old one.
    pub id: String,
    /// What it is about.
    pub error: UserError,
    /// Whether the agent may dismiss it.
    pub dismissible: bool,
}

/// Practice mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct PracticeView {
    /// Numbers to call and what they do.
    pub far_ends: Vec<FarEndView>,
}

/// One practice number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct FarEndView {
    /// Whom to dial.
    pub number: E164,
    /// For reading.
    pub formatted: String,
    /// What happens, such as "Answers and echoes you".
    pub does: String,
}

/// A live access token. It goes to the SDK and nowhere else.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct AccessTokenView {
    /// The JWT.
    pub token: String,
    /// Whom it names.
    pub identity: String,
    /// Unix milliseconds.
    #[ts(type = "number")]
    pub expires_at_ms: i64,
}

impl std::fmt::Debug for AccessTokenView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessTokenView")
            .field("token", &"<redacted>")
            .field("identity", &self.identity)
            .field("expires_at_ms", &self.expires_at_ms)
            .finish()
    }
}

/// What the SDK's `Device` is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct DeviceReport {
    /// Twilio's device state, plus `reconnecting` while the SDK's socket is down after a success.
    pub state: DeviceState,
    /// The error that came with it, when one did.
    pub error: Option<SdkError>,
}

/// States of the SDK's `Device`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// Not registered.
    Unregistered,
    /// Registering.
    Registering,
    /// Can be rung.
    Registered,
    /// The socket was lost and the SDK is trying again.
    Reconnecting,
    /// Gone.
    Destroyed,
}

/// An error of the SDK.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct SdkError {
    /// Twilio's code; 0 when the SDK gave none.
    pub code: u32,
    /// The SDK's text, for the log.
    pub message: String,
}

/// What the UI tells about one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CallReport {
    /// Our name of the call; the UI makes it (UUID v4) when a call begins.
    pub call: CallId,
    /// Who started it.
    pub direction: CallDirection,
    /// The agent leg, once known.
    pub call_sid: Option<CallSid>,
    /// The parent leg, from the `parent` parameter of an incoming call.
    pub parent_call_sid: Option<CallSid>,
    /// The other party.
    pub peer: String,
    /// Which of our numbers was called, for an incoming call (`called` parameter).
    pub our_number: Option<String>,
    /// What happened.
    pub what: SdkCallEvent,
}

/// An incoming practice call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct PracticeCall {
    /// Who calls: one of the practice numbers, whose behaviour it then has once answered.
    pub from: E164,
}

/// Something the agent asked for outside the window (tray, command line, self-test). The UI runs it
/// through its action table, exactly as a button would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ActionRequest {
    /// Place a call.
    Dial {
        /// As typed.
        number: String,
    },
    /// Answer the ringing call.
    Answer,
    /// Decline the ringing call.
    Decline,
    /// End the call.
    HangUp,
    /// Toggle the microphone.
    ToggleMute,
    /// Press keys in a call.
    SendDigits {
        /// `0-9*#`.
        digits: String,
    },
}

/// What the UI is told without asking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "event", content = "data", rename_all = "snake_case")]
pub enum HostEvent {
    /// The header changed.
    AgentChanged(AgentView),
    /// The lights changed.
    LightsChanged(Lights),
    /// The list of notices changed.
    NoticesChanged(Vec<Notice>),
    /// One row of the log is new or changed.
    CallLogChanged(CallLogEntry),
    /// Two rows proved to be one call: the named one is gone.
    CallLogRemoved(CallId),
    /// The agent wants to be disturbed again, or no more.
    DoNotDisturbChanged(bool),
    /// Somebody came into the queue, or left it.
    QueueChanged(QueueView),
    /// The rules were changed.
    RulesChanged,
    /// The preview of the rules goes on.
    PreviewLineAdded(PreviewLine),
    /// A greeting is being recorded.
    GreetingProgressed(GreetingProgress),
    /// Fetch a token and give it to the SDK.
    TokenRenewalDue,
    /// Run an action.
    ActionRequested(ActionRequest),
    /// How the Twilio account stands.
    AccountChanged(Box<AccountStatus>),
    /// The phone now works with another account, or with none: the page must load itself anew, because
    /// the SDK is bound to what it was started with.
    PhoneChanged,
    /// The native voice engine speaks.
    Voice(VoiceEvent),
}

/// Declares commands once: a trait of them, their dispatch by name and their lines in the TypeScript interface.
macro_rules! commands {
    ($(#[doc = $trait_doc:literal])* trait $trait:ident; $( $(#[doc = $doc:literal])* $name:ident ( $($arg:ident : $ty:ty),* ) -> $ret:ty; )*) => {
        $(#[doc = $trait_doc])*
        #[async_trait::async_trait]
        pub trait $trait: Send + Sync {
            $( $(#[doc = $doc])* async fn $name(&self, $($arg: $ty),*) -> Result<$ret, UserError>; )*
        }

        /// Runs the command `name` with `arguments`, a JSON object keyed by argument name; `None` if it is
        /// not one of these.
        pub(super) async fn dispatch<C: $trait + ?Sized>(
            commands: &C,
            name: &str,
            arguments: &serde_json::Value,
        ) -> Option<Result<serde_json::Value, UserError>> {
            match name {
                $( stringify!($name) => {
                    #[derive(Deserialize)]
                    struct Arguments { $($arg: $ty),* }
                    Some(async {
                        let Arguments { $($arg),* } = Arguments::deserialize(arguments).map_err(malformed)?;
                        let answer = commands.$name($($arg),*).await?;
                        serde_json::to_value(answer).map_err(malformed)
                    }.await)
                } )*
                _ => None,
            }
        }

        /// The lines of the TypeScript interface.
        pub(super) fn interface(config: &ts_rs::Config, text: &mut String) {
            use ts_rs::TS as _;
            $(
                $( text.push_str(concat!("  /**", $doc, " */\n")); )*
                text.push_str(concat!("  ", stringify!($name), "(args: {"));
                $( text.push_str(&format!(" {}: {};", stringify!($arg), <$ty>::name(config))); )*
                text.push_str(&format!(" }}): Promise<{}>;\n", command_return::<$ret>(config)));
            )*
        }

        pub(super) fn visit_types(types: &mut Types<'_>) {
            $( $( types.add::<$ty>(); )* types.add::<$ret>(); )*
        }
    };
}

mod account;
mod calls;
mod rules;

pub use calls::Commands;
pub use rules::{
    CallPermit, CountryOption, FallbackView, GreetingProgress, PreviewAgent, PreviewLine, PreviewScript,
    PreviewWho, QueueView, RecordedGreeting, RecordingAudio, RulesCommands, RulesView, SoundView, SpentView,
    WaitingView,
};

/// Runs the command `name` with `arguments`, a JSON object keyed by argument name.
pub async fn dispatch(
    phone: &Phone,
    name: &str,
    arguments: serde_json::Value,
) -> Result<serde_json::Value, UserError> {
    if let Some(answer) = calls::dispatch(&phone.core(), name, &arguments).await {
        return answer;
    }
    if let Some(answer) = rules::dispatch(phone, name, &arguments).await {
        return answer;
    }
    account::dispatch(phone, name, &arguments).await.unwrap_or_else(|| {
        Err(UserError::new(
            dialer_domain::error::ErrorCode::Internal,
            format!("This version of the program has no command “{name}”."),
        ))
    })
}

/// Collects the declarations of a type and of everything it is made of, each once, by name.
struct Types<'a> {
    config: &'a ts_rs::Config,
    declarations: std::collections::BTreeMap<String, String>,
}

impl Types<'_> {
    fn add<T: ts_rs::TS + 'static + ?Sized>(&mut self) {
        // Only types with a declaration of their own have an output path; `Vec<T>` and the like do not.
        if T::output_path().is_some() {
            let name = T::ident(self.config);
            if self.declarations.contains_key(&name) {
                return;
            }
            let docs = T::docs().unwrap_or_default();
            self.declarations.insert(name, format!("{docs}export {}\n", T::decl(self.config)));
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
    }
}

impl ts_rs::TypeVisitor for Types<'_> {
    fn visit<T: ts_rs::TS + 'static + ?Sized>(&mut self) {
        self.add::<T>();
    }
}

/// The text of `ui/src/host/bindings.ts`.
pub fn typescript() -> String {
    let config = ts_rs::Config::new();
    let mut types = Types { config: &config, declarations: std::collections::BTreeMap::new() };
    calls::visit_types(&mut types);
    account::visit_types(&mut types);
    rules::visit_types(&mut types);
    types.add::<HostEvent>();
    types.add::<UserError>();
    let mut text = String::from(
        "// Written from src-tauri/crates/engine/src/api.rs by its test `bindings`. Do not edit.\n\n",
    );
    for declaration in types.declarations.values() {
        text.push_str(declaration);
    }
    text.push('\n');
    text.push_str("export interface Commands {\n");
    calls::interface(&config, &mut text);
    account::interface(&config, &mut text);
    rules::interface(&config, &mut text);
    text.push_str("}\n");
    text
}

fn malformed(error: serde_json::Error) -> UserError {
    UserError::new(
        dialer_domain::error::ErrorCode::Internal,
        "The window and the program disagree about a command. Restart the program; if it stays, report it.",
    )
    .with_detail(error.to_string())
}

/// `()` is `null` in JSON; nobody reads it, so the interface says `void`.
fn command_return<T: ts_rs::TS + 'static>(config: &ts_rs::Config) -> String {
    if std::any::TypeId::of::<T>() == std::any::TypeId::of::<()>() { "void".into() } else { T::name(config) }
}
