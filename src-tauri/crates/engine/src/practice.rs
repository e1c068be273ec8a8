//! Practice mode: simulator, gateway, account and Controller, put together as a real account will be.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use dialer_domain::call::{CallEvent, SdkCallEvent};
use dialer_domain::dial_policy::RouteDecision;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number;
use dialer_domain::ports::{CallStore, CallStoreError, SecretName, SystemClock, Vault as _, VaultError};
use dialer_domain::sid::{AccountSid, TwimlAppSid};
use dialer_gateway::{AuthTokens, Calls, Gateway, GatewayOptions, RefusedWebhook, StartError};
use dialer_media::devices::AudioDevices;
use dialer_media::engine::{EngineOptions, VoiceEngine};
use dialer_simulator::{IncomingCall, PracticeAccount, Simulator, SimulatorOptions, TwimlApp};
use dialer_storage::call_log::{CallLogError, Opened, SqliteCallLog, set_aside_notice};
use dialer_storage::vault::MemoryVault;
use dialer_twilio::signature::WebhookKey;
use dialer_twilio::webhook::VoiceRequest;
use url::Url;

use crate::api::{FarEndView, NativeVoice, Notice, PracticeCall, PracticeView, SignallingView};
use crate::core::{Core, Parts, PracticeLine};
use crate::state::Account;

/// The identity of the practice agent.
const IDENTITY: &str = "practice_agent";
/// The TwiML App that practice calls ask.
const APP_NAME: &str = "Kennex Dialer practice";
/// The webhook server of practice mode takes any free port: nobody has to know it.
const LOOPBACK: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// The reason of a call whose end nobody saw.
const FORGOTTEN: &str = "The program ended during this call; how long it lasted is not known.";
/// How many of the newest rows are looked at for calls without an end.
const FORGOTTEN_LOOK: u32 = 50;
/// The practice numbers are in the United States.
const HOME_REGION: &str = "US";

/// What practice mode needs from outside.
pub struct PracticeOptions {
    /// The file of the call log.
    pub call_log: PathBuf,
    /// Where the simulator listens; port 0 lets the system choose.
    pub simulator_listen: std::net::SocketAddr,
    /// Who carries the sound.
    pub sound: Sound,
}

/// Who carries the sound of practice calls.
pub enum Sound {
    /// The page's own WebRTC.
    OfPage,
    /// The native voice engine with these devices, where the page has no WebRTC.
    NativeFallback(Arc<dyn AudioDevices>),
    /// The native voice engine with these devices, always.
    Native(Arc<dyn AudioDevices>),
}

impl Sound {
    fn split(self) -> (NativeVoice, Option<Arc<dyn AudioDevices>>) {
        match self {
            Self::OfPage => (NativeVoice::Absent, None),
            Self::NativeFallback(devices) => (NativeVoice::Fallback, Some(devices)),
            Self::Native(devices) => (NativeVoice::Always, Some(devices)),
        }
    }
}

/// Practice mode, running.
pub struct Practice {
    /// The way to the Controller.
    pub core: Core,
    /// The far side of every call.
    pub simulator: Simulator,
    gateway: Option<Gateway>,
}

impl Practice {
    /// Starts the simulator, the webhook server and the Controller, and points the one at the other.
    pub async fn start(options: PracticeOptions) -> anyhow::Result<Self> {
        let simulator = Simulator::start(SimulatorOptions {
            listen: options.simulator_listen,
            ..SimulatorOptions::default()
        })
        .await?;
        let (store, set_aside) = open_call_log(options.call_log).await?;
        let practice = simulator.account();
        let vault = MemoryVault::default();
        keep_secrets(&vault, &practice)?;
        let (native_voice, devices) = options.sound.split();
        let voice = devices.map(|devices| {
            let (spoken, heard) = tokio::sync::mpsc::unbounded_channel();
            (VoiceEngine::start(EngineOptions::new(devices), spoken), heard)
        });
        let app_sid =
            simulator.create_application(TwimlApp { friendly_name: APP_NAME.into(), ..TwimlApp::default() });
        let account = account(&simulator, &practice, app_sid.clone())?;
        let core = Core::start(Parts {
            account,
            vault: Arc::new(vault),
            store,
            clock: Arc::new(SystemClock),
            voice,
            native_voice,
            practice: Some(Arc::new(simulator.clone())),
        });
        if let Some(notice) = set_aside {
            core.raise(notice);
        }
        let gateway = match open_gateway(&core, &simulator, &practice, &app_sid).await {
            Ok(gateway) => Some(gateway),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the webhook server could not start");
                core.webhooks_changed(Err(webhooks_missing(&error)));
                None
            }
        };
        Ok(Self { core, simulator, gateway })
    }

    /// Ends the simulator, then the webhook server, so that the last callbacks still find it, then the log.
    pub async fn shutdown(self) {
        self.simulator.shutdown().await;
        if let Some(gateway) = self.gateway {
            gateway.shutdown().await;
        }
        self.core.shutdown().await;
    }
}

/// Opens the webhook server and points the practice account's app and numbers at it.
async fn open_gateway(
    core: &Core,
    simulator: &Simulator,
    practice: &PracticeAccount,
    app_sid: &TwimlAppSid,
) -> anyhow::Result<Gateway> {
    let gateway = Gateway::start(
        GatewayOptions::new(LOOPBACK),
        Arc::new(Tokens { account: practice.account_sid.clone(), keys: keys(practice) }),
        Arc::new(Routing(core.clone())),
    )
    .await?;
    // The tunnel provider `direct`: Twilio is on this computer, so the loopback address is public to it.
    let base =
        Url::parse(&format!("http://{}", gateway.local_addr())).context("the webhook server's address")?;
    gateway.set_public_base(base);
    let app = TwimlApp {
        voice_url: gateway.voice_url(),
        status_callback: gateway.status_callback_url(),
        friendly_name: APP_NAME.into(),
        ..TwimlApp::default()
    };
    simulator.update_application(app_sid, app)?;
    for number in &practice.numbers {
        simulator.bind_number(number, Some(app_sid.clone()))?;
    }
    Ok(gateway)
}

fn webhooks_missing(error: &anyhow::Error) -> UserError {
    let (code, message) = match error.downcast_ref::<StartError>() {
        Some(start @ StartError::PortInUse(_)) => (ErrorCode::PortInUse, start.to_string()),
        Some(start @ StartError::Listen { .. }) => (ErrorCode::Internal, start.to_string()),
        None => {
            let message = "The part of the program that Twilio calls could not start. Restart the program.";
            (ErrorCode::Internal, message.into())
        }
    };
    UserError::new(code, message).with_detail(format!("{error:#}"))
}

fn account(
    simulator: &Simulator,
    practice: &PracticeAccount,
    twiml_app_sid: TwimlAppSid,
) -> anyhow::Result<Account> {
    let far_ends = dialer_simulator::far_ends()
        .into_iter()
        .map(|far_end| FarEndView {
            formatted: phone_number::format(&far_end.number),
            number: far_end.number,
            does: far_end.does,
        })
        .collect();
    Ok(Account {
        agent_name: "Practice".into(),
        identity: ClientIdentity::parse(IDENTITY).context("the practice identity")?,
        account_sid: practice.account_sid.clone(),
        api_key_sid: practice.api_key_sid.clone(),
        twiml_app_sid,
        caller_id: practice.numbers.first().cloned(),
        home_region: HOME_REGION.into(),
        signalling: SignallingView::Practice { host: simulator.signal_host() },
        practice: Some(PracticeView { far_ends }),
    })
}

fn keep_secrets(vault: &MemoryVault, practice: &PracticeAccount) -> anyhow::Result<()> {
    let owner = practice.account_sid.as_str();
    vault.store(owner, SecretName::AuthToken, &practice.auth_token)?;
    vault.store(owner, SecretName::ApiKeySecret, &practice.api_key_secret)?;
    Ok(())
}

fn keys(practice: &PracticeAccount) -> Arc<[WebhookKey]> {
    Arc::from([WebhookKey::AuthToken(practice.auth_token.clone())])
}

/// Opens the call log; a damaged one has been set aside, which the agent is told.
async fn open_call_log(file: PathBuf) -> anyhow::Result<(Arc<dyn CallStore>, Option<Notice>)> {
    let Opened { log, set_aside } = tokio::task::spawn_blocking(move || {
        let opened = SqliteCallLog::open(&file)?;
        // A full disk must not keep the agent from calling; the rows wait for the next start.
        if let Err(error) = end_forgotten_calls(&opened.log) {
            tracing::warn!(%error, "calls of an earlier run could not be ended in the log");
        }
        Ok::<_, CallLogError>(opened)
    })
    .await??;
    let notice = set_aside.map(|path| Notice {
        id: "call-log-set-aside".into(),
        error: set_aside_notice(&path),
        dismissible: true,
    });
    Ok((Arc::new(log), notice))
}

/// A program that was killed in a call never wrote its end. It is written now, at the last moment
/// known, so that no row claims for ever to be a call in progress.
fn end_forgotten_calls(log: &SqliteCallLog) -> Result<(), CallStoreError> {
    for entry in
        log.list(None, FORGOTTEN_LOOK)?.entries.into_iter().filter(|entry| entry.ended_at_ms.is_none())
    {
        let event = CallEvent::Sdk {
            direction: entry.direction,
            call_sid: None,
            parent_call_sid: None,
            peer: entry.peer,
            our_number: None,
            what: SdkCallEvent::Failed { code: 0, message: FORGOTTEN.into() },
            at_ms: entry.answered_at_ms.unwrap_or(entry.started_at_ms),
        };
        log.record(Some(entry.id), event)?;
    }
    Ok(())
}

/// What to tell when no account could be kept on this computer. Practice mode works all the same.
pub fn keychain_notice(error: &VaultError) -> Notice {
    Notice { id: "keychain".into(), error: dialer_storage::vault::user_error(error), dismissible: true }
}

impl PracticeLine for Simulator {
    fn place_incoming(&self, call: PracticeCall) -> Result<(), UserError> {
        Simulator::place_incoming(self, &IncomingCall { from: call.from, to: None }).map(drop).map_err(
            |error| {
                UserError::new(
                    ErrorCode::CallFailed,
                    "The practice call could not be placed. Try again in a moment.",
                )
                .with_detail(error.to_string())
            },
        )
    }
}

/// The practice account's signing keys.
struct Tokens {
    account: AccountSid,
    keys: Arc<[WebhookKey]>,
}

#[async_trait::async_trait]
impl AuthTokens for Tokens {
    async fn keys(&self, account: Option<&AccountSid>) -> Option<Arc<[WebhookKey]>> {
        account.is_none_or(|account| *account == self.account).then(|| Arc::clone(&self.keys))
    }
}

/// Id of the notice that stands while Twilio's requests are refused.
const WEBHOOK_REFUSED: &str = "webhook-refused";

/// Hands the gateway's questions to the Controller.
struct Routing(Core);

#[async_trait::async_trait]
impl Calls for Routing {
    async fn route(&self, request: VoiceRequest) -> RouteDecision {
        self.0.route(request).await.unwrap_or_else(|error| RouteDecision::Refuse {
            spoken: "This phone is closing. Please try again later.".into(),
            reason: error.message,
        })
    }

    async fn leg_status(&self, event: CallEvent) {
        self.0.leg_status(event);
    }

    fn webhook_refused(&self, refused: RefusedWebhook) {
        if let Some(error) = refused.user_error() {
            self.0.raise(Notice { id: WEBHOOK_REFUSED.into(), error, dismissible: true });
        }
    }

    fn webhook_accepted(&self) {
        self.0.clear(WEBHOOK_REFUSED);
    }
}
