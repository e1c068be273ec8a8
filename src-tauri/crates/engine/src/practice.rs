//! Practice mode: simulator, gateway, account and Controller, put together as a real account will be.

use std::sync::Arc;

use anyhow::Context as _;
use dialer_domain::call_flow::Rules;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::phone_number;
use dialer_domain::ports::{SecretName, SystemClock, Vault as _};
use dialer_domain::sid::TwimlAppSid;
use dialer_gateway::{Gateway, GatewayOptions, StartError};
use dialer_simulator::{IncomingCall, PracticeAccount, Simulator, SimulatorOptions, TwimlApp};
use dialer_storage::sounds::Sounds;
use dialer_storage::vault::MemoryVault;
use tokio::sync::broadcast;
use url::Url;

use crate::api::{FarEndView, HostEvent, PracticeCall, PracticeView, SignallingView};
use crate::call_log::CallLog;
use crate::core::{Core, Parts, PracticeLine};
use crate::routing::{Keys, Routing};
use crate::sound::Sound;
use crate::state::{Account, Line};
use crate::twilio_at::TwilioAt;

/// The identity of the practice agent.
const IDENTITY: &str = "practice_agent";
/// The TwiML App that practice calls ask.
const APP_NAME: &str = "Kennex Dialer practice";
/// The webhook server of practice mode takes any free port: nobody has to know it.
const LOOPBACK: std::net::SocketAddr =
    std::net::SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
/// The practice numbers are in the United States.
const HOME_REGION: &str = "US";

/// What practice mode needs from outside.
pub struct PracticeOptions {
    /// Where calls are logged.
    pub call_log: CallLog,
    /// Where the simulator listens; port 0 lets the system choose.
    pub simulator_listen: std::net::SocketAddr,
    /// What calls may do.
    pub rules: Rules,
    /// The agent's recordings that callers hear, where there can be any.
    pub sounds: Option<Sounds>,
    /// Who carries the sound.
    pub sound: Sound,
    /// Where everything the UI is told goes.
    pub events: broadcast::Sender<HostEvent>,
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
        let practice = simulator.account();
        let vault = MemoryVault::default();
        keep_secrets(&vault, &practice)?;
        let (native_voice, voice) = options.sound.start();
        let app_sid =
            simulator.create_application(TwimlApp { friendly_name: APP_NAME.into(), ..TwimlApp::default() });
        let account = account(&simulator, &practice, app_sid.clone())?;
        let core = Core::start(Parts {
            account,
            line: Line::Open,
            vault: Arc::new(vault),
            store: options.call_log.store,
            clock: Arc::new(SystemClock),
            voice,
            native_voice,
            practice: Some(Arc::new(simulator.clone())),
            rules: options.rules,
            sounds: options.sounds,
            twilio: TwilioAt::simulator(Url::parse(simulator.base_url().as_ref())?)?,
            events: options.events,
        });
        if let Some(notice) = options.call_log.notice {
            core.raise(notice);
        }
        let gateway = match open_gateway(&core, &simulator, &practice, &app_sid).await {
            Ok(gateway) => Some(gateway),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the webhook server could not start");
                core.line_changed(Line::Closed(webhooks_missing(&error), None));
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
        Arc::new(Keys::new(practice.account_sid.clone(), Some(practice.auth_token.clone()))),
        Arc::new(Routing::to(core.clone())),
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
        caller_ids: practice.numbers.clone(),
        owned_numbers: practice.numbers.clone(),
        rings: true,
        home_region: HOME_REGION.into(),
        signalling: SignallingView::Practice { host: simulator.signal_host() },
        practice: Some(PracticeView { far_ends }),
    })
}

fn keep_secrets(vault: &MemoryVault, practice: &PracticeAccount) -> anyhow::Result<()> {
    vault.store(practice.account_sid.as_str(), SecretName::AuthToken, &practice.auth_token)?;
    vault.store(practice.api_key_sid.as_str(), SecretName::ApiKeySecret, &practice.api_key_secret)?;
    Ok(())
}

impl PracticeLine for Simulator {
    fn place_incoming(&self, call: PracticeCall) -> Result<(), UserError> {
        Simulator::place_incoming(self, &IncomingCall::from_number(call.from)).map(drop).map_err(|error| {
            UserError::new(
                ErrorCode::CallFailed,
                "The practice call could not be placed. Try again in a moment.",
            )
            .with_detail(error.to_string())
        })
    }
}
