//! A running simulator and the handle to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::phone_number::E164;
use dialer_domain::ports::{Clock, SystemClock};
use dialer_domain::sid::{AccountSid, ApiKeySid, CallSid, TwimlAppSid};
use secrecy::SecretString;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

use crate::account::{
    AccountSettings, Application, KeyClass, Number, NumberSettings, OwnedNumber, PracticeAccount, Resources,
    SidSource, TwimlApp, open_account,
};
use crate::audio::Switch;
use crate::call::CallRecord;
use crate::event::SimEvent;
use crate::far_end::{ACCOUNT_NUMBERS, FarEnd, FarEndScript, Heard, far_ends};
use crate::faults::Faults;
use crate::listener::{Connection, CuttableListener};
use crate::network::{Network, NetworkParts};
use crate::operations::{IncomingCall, OperationError};
use crate::pace::Pace;
use crate::scenario::{Scenario, ScenarioNumber};
use crate::server;
use crate::webhook::client;

/// Twilio gives a webhook this long in all.
const WEBHOOK_TIME_LIMIT: Duration = Duration::from_secs(15);
/// Two tries of five seconds each lie within it.
const WEBHOOK_CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// Keeps the SIDs of things few tests look at apart from the others, which stay as they were.
const OTHER_SEED: u64 = 0x6f74_6865_7273;
/// How long a stop waits for sockets and requests to end in order.
const STOP_LIMIT: Duration = Duration::from_secs(2);

/// How to start a [`Simulator`].
#[derive(Clone)]
pub struct SimulatorOptions {
    /// Where REST, signalling and the control API are served; a loopback address. Port 0 picks a
    /// free one.
    pub listen: SocketAddr,
    /// What SIDs follow from. Equal seeds give equal SIDs, those of calls included, so a call log that
    /// outlives the simulator needs a new one each time; the default is random.
    pub seed: u64,
    /// Applications, numbers, far ends and faults to start with.
    pub scenario: Option<Scenario>,
    /// How fast simulated time runs.
    pub pace: Pace,
    /// How long a webhook may take in all, in real time; Twilio's 15 s by default.
    pub webhook_time_limit: Duration,
    /// Where the media sockets are bound, and what the gateway's descriptions name. The loopback
    /// address serves the native voice engine; a browser that keeps off loopback needs an address
    /// of this computer's network.
    pub media_address: IpAddr,
    /// Wall-clock time, for tokens and timestamps.
    pub clock: Arc<dyn Clock>,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            listen: SocketAddr::new(loopback, 0),
            seed: rand::random(),
            scenario: None,
            pace: Pace::REAL,
            webhook_time_limit: WEBHOOK_TIME_LIMIT,
            media_address: loopback,
            clock: Arc::new(SystemClock),
        }
    }
}

impl std::fmt::Debug for SimulatorOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatorOptions")
            .field("listen", &self.listen)
            .field("seed", &self.seed)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program has the port.
    #[error("Port {} on {} is taken by another program. Stop that program, or choose another port.", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// The address belongs to the network, where strangers could place calls.
    #[error(
        "{0} can be reached from the network. The practice Twilio listens on loopback addresses only, such as 127.0.0.1."
    )]
    NotLoopback(IpAddr),
    /// The address cannot be listened on for another reason.
    #[error("Cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The operating system gave no thread, or the HTTP client could not be set up.
    #[error("The practice Twilio could not be set up: {0}")]
    SetUp(String),
}

/// A handle to a running simulator; clones name the same one. It stops with [`Simulator::shutdown`]
/// or when the last handle is dropped.
#[derive(Clone)]
pub struct Simulator {
    running: Arc<Running>,
}

struct Running {
    network: Arc<Network>,
    address: SocketAddr,
    far_ends: Vec<FarEnd>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.network.begin_stop();
        self.network.abort_tasks();
        if let Some(serving) = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take() {
            serving.abort();
        }
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("address", &self.running.address).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Starts a simulator on the current tokio runtime.
    pub async fn start(options: SimulatorOptions) -> Result<Self, StartError> {
        if !options.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(options.listen.ip()));
        }
        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            if error.kind() == std::io::ErrorKind::AddrInUse {
                StartError::PortInUse(options.listen)
            } else {
                StartError::Listen(options.listen, error)
            }
        })?;
        let address = listener.local_addr().map_err(|error| StartError::Listen(options.listen, error))?;
        let network = build(options, address)?;
        let router = server::router(Arc::clone(&network));
        let stopping = network.stopping();
        let serving = tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<Connection>();
            let listener = CuttableListener(listener);
            if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopping).await {
                tracing::error!(%error, "the practice Twilio stopped serving");
            }
        });
        tracing::info!(%address, "the practice Twilio is running");
        let running = Running { network, address, far_ends: far_ends(), serving: Mutex::new(Some(serving)) };
        Ok(Self { running: Arc::new(running) })
    }

    /// Ends all calls and sockets and frees the port. A second call does nothing.
    pub async fn shutdown(&self) {
        let network = &self.running.network;
        network.begin_stop();
        // Sockets say goodbye by themselves; one that does not is cut off with the tasks.
        let _ = tokio::time::timeout(STOP_LIMIT, network.registry.emptied()).await;
        network.end_tasks().await;
        let serving = self.running.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut serving) = serving
            && tokio::time::timeout(STOP_LIMIT, &mut serving).await.is_err()
        {
            serving.abort();
        }
    }

    fn network(&self) -> &Arc<Network> {
        &self.running.network
    }

    /// `http://127.0.0.1:PORT`: where REST and the control API are.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.running.address)
    }

    /// `127.0.0.1:PORT`: the host for the Voice SDK; the socket is at `/signal`.
    pub fn signal_host(&self) -> String {
        self.running.address.to_string()
    }

    /// The practice account, secrets included: its Auth Token and numbers as they are now, and the key
    /// it began with.
    pub fn account(&self) -> PracticeAccount {
        let resources = self.network().resources();
        PracticeAccount {
            auth_token: resources.auth_token.clone(),
            numbers: resources.numbers.iter().map(|owned| owned.number.clone()).collect(),
            ..self.network().account.clone()
        }
    }

    /// The account's test credentials, which REST refuses with 20008.
    pub fn test_credentials(&self) -> (AccountSid, SecretString) {
        let resources = self.network().resources();
        (resources.test_account.clone(), resources.test_auth_token.clone())
    }

    /// The state of the account.
    pub fn account_settings(&self) -> AccountSettings {
        self.network().settings()
    }

    /// Sets the state of the account.
    pub fn set_account(&self, settings: AccountSettings) {
        self.network().set_settings(settings);
    }

    /// Makes an API key: its SID and secret.
    pub fn create_key(&self, class: KeyClass, friendly_name: &str) -> (ApiKeySid, SecretString) {
        let key = self.network().create_key(class, friendly_name.to_owned(), serde_json::Value::Null);
        (key.sid, key.secret)
    }

    /// The account's numbers and the applications behind them.
    pub fn numbers(&self) -> Vec<OwnedNumber> {
        self.network().resources().numbers.iter().map(Number::owned).collect()
    }

    /// Gives the account one more number.
    pub fn add_number(&self, number: &E164, settings: &NumberSettings) -> Result<(), OperationError> {
        self.network().add_number(number, settings)
    }

    /// Sets a number up anew, whatever it said before.
    pub fn set_up_number(&self, number: &E164, settings: &NumberSettings) -> Result<(), OperationError> {
        self.network().set_up_number(number, settings)
    }

    /// Takes a number away.
    pub fn remove_number(&self, number: &E164) -> Result<(), OperationError> {
        self.network().remove_number(number)
    }

    /// How a number is set up.
    pub fn number_settings(&self, number: &E164) -> Option<NumberSettings> {
        self.network().resources().number_mut(number).map(|owned| owned.settings())
    }

    /// Makes a TwiML App of somebody else's account.
    pub fn create_foreign_application(&self, app: TwimlApp) -> TwimlAppSid {
        self.network().create_foreign_application(app)
    }

    /// Makes a TwiML App.
    pub fn create_application(&self, app: TwimlApp) -> TwimlAppSid {
        self.network().create_application(app)
    }

    /// Replaces what an app says.
    pub fn update_application(&self, sid: &TwimlAppSid, app: TwimlApp) -> Result<(), OperationError> {
        self.network().update_application(sid, app)
    }

    /// Sets or clears the app that answers for a number (`VoiceApplicationSid`).
    pub fn bind_number(&self, number: &E164, application: Option<TwimlAppSid>) -> Result<(), OperationError> {
        self.network().bind_number(number, application)
    }

    /// Someone calls one of the account's numbers. Answers with the caller's leg, the parent.
    pub fn place_incoming(&self, call: &IncomingCall) -> Result<CallSid, OperationError> {
        self.network().place_incoming(call)
    }

    /// The practice numbers and what they do.
    pub fn far_ends(&self) -> &[FarEnd] {
        &self.running.far_ends
    }

    /// Scripts a number, in place of what the table says.
    pub fn set_far_end(&self, number: &E164, script: FarEndScript) {
        self.network().set_script(number.as_str().to_owned(), script);
    }

    /// Events from now on. A subscriber that falls far behind misses some; the log has them.
    pub fn subscribe(&self) -> broadcast::Receiver<SimEvent> {
        self.network().log.subscribe()
    }

    /// Events whose number is above `number`, oldest first; 0 for all that are kept (10 000).
    pub fn events_since(&self, number: u64) -> Vec<SimEvent> {
        self.network().log.since(number)
    }

    /// What the far end in a call has heard so far; any leg of the call names it. `None` if no far
    /// end has answered.
    pub fn heard(&self, call_sid: &CallSid) -> Option<Heard> {
        self.network().heard(call_sid)
    }

    /// All legs remembered (1000), oldest first.
    pub fn calls(&self) -> Vec<CallRecord> {
        self.network().calls()
    }

    /// The party of a leg hangs up: a far end by its own will, an SDK as if by REST.
    pub fn hang_up(&self, call_sid: &CallSid) -> Result<(), OperationError> {
        self.network().hang_up(call_sid)
    }

    /// The far end of a leg presses keys, `0-9A-D*#`, `w` and `W` wait.
    pub fn press(&self, call_sid: &CallSid, digits: &str) -> Result<(), OperationError> {
        self.network().press(call_sid, digits)
    }

    /// Identities that can be rung now, each once per device.
    pub fn registered(&self) -> Vec<String> {
        self.network().registry.registered()
    }

    /// Breaks all signalling sockets without a word, as a failing network does.
    pub fn cut_signalling(&self) {
        self.network().registry.cut_all();
    }

    /// The faults that are on.
    pub fn faults(&self) -> Faults {
        self.network().faults()
    }

    /// Replaces the faults that are on.
    pub fn set_faults(&self, faults: Faults) {
        self.network().set_faults(faults);
    }
}

/// The network a simulator starts with.
fn build(options: SimulatorOptions, address: SocketAddr) -> Result<Arc<Network>, StartError> {
    let sids = SidSource::new(options.seed);
    let scenario = options.scenario.unwrap_or_default();
    let numbers = scenario.numbers.unwrap_or_else(|| {
        let usual = ACCOUNT_NUMBERS.iter().filter_map(|number| E164::parse_strict(number).ok());
        usual.map(|number| (number, ScenarioNumber::default())).collect()
    });
    let account = open_account(&sids, numbers.keys().cloned().collect());
    let now_ms = options.clock.now_ms();
    let mut resources = Resources::open(&account, &SidSource::new(options.seed ^ OTHER_SEED), now_ms);
    let mut names = BTreeMap::new();
    let own = scenario.applications.into_iter().map(|app| (app, account.account_sid.clone()));
    let foreign = scenario.foreign_applications.into_iter().map(|app| (app, sids.account()));
    for ((name, app), owner) in own.chain(foreign) {
        let sid = sids.application();
        names.insert(name.clone(), sid.clone());
        let friendly_name = if app.friendly_name.is_empty() { name } else { app.friendly_name.clone() };
        let mut new = Application::new(sid, owner, now_ms);
        new.say(&TwimlApp { friendly_name, ..app }, now_ms);
        resources.applications.push(new);
    }
    for (number, settings) in numbers {
        let sid = sids.number();
        let new = match settings {
            ScenarioNumber::Application(name) => {
                let mut new = Number::new(sid, number, &NumberSettings::default(), now_ms);
                new.bind(name.and_then(|name| names.get(&name)), now_ms);
                new
            }
            ScenarioNumber::Settings(settings) => Number::new(sid, number, &settings, now_ms),
        };
        resources.numbers.push(new);
    }
    let http = client(WEBHOOK_CONNECT_LIMIT, None).map_err(|error| StartError::SetUp(error.to_string()))?;
    let switch = Switch::start().map_err(|error| StartError::SetUp(error.to_string()))?;
    let scripts = scenario.far_ends.into_iter().map(|(number, script)| (number.as_str().to_owned(), script));
    let network = Network::new(NetworkParts {
        account,
        seed: options.seed,
        sids,
        resources,
        scripts: scripts.collect(),
        faults: scenario.faults,
        pace: options.pace,
        webhook_time_limit: options.webhook_time_limit,
        media_address: options.media_address,
        http,
        switch,
        clock: options.clock,
        base_url: format!("http://{address}"),
    });
    network.set_settings(scenario.account);
    Ok(network)
}
