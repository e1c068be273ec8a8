//! A gateway with an agent behind it, and Twilio's hand in front.

use std::collections::{BTreeMap, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::{self, Agents, Happened, Instruction, Permission, Rules, Situation};
use dialer_domain::dial_policy::{Outlook, Spent};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::incoming::SoundName;
use dialer_domain::local_time::{LocalDate, LocalMoment};
use dialer_domain::phone_number::E164;
use dialer_domain::ports::Clock;
use dialer_domain::sid::AccountSid;
use dialer_gateway::{AuthTokens, Calls, Gateway, GatewayOptions, Outcome, RefusedWebhook};
use dialer_twilio::signature::{SignedBody, WebhookKey, sign};
use dialer_twilio::webhook::{Form, VoiceRequest};
use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

pub(crate) const BASE: &str = "https://phone.example";
pub(crate) const ACCOUNT: &str = "AC00000000000000000000000000000001";
pub(crate) const CALL: &str = "CA00000000000000000000000000000001";
pub(crate) const OURS: &str = "+12025550100";
pub(crate) const THEIRS: &str = "+12025550123";
pub(crate) const PRIMARY: &str = "primary-token-of-this-test";
pub(crate) const SECONDARY: &str = "secondary-token-of-this-test";

/// Time as the test sets it.
#[derive(Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn set(&self, now_ms: i64) {
        self.0.store(now_ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What the account signs with: its tokens, the second as while they are being changed; nothing while they
/// are locked.
pub(crate) struct Tokens {
    keys: Mutex<Arc<[WebhookKey]>>,
}

impl Tokens {
    fn new() -> Self {
        Self { keys: Mutex::new(Arc::new([key(PRIMARY), key(SECONDARY)])) }
    }

    pub(crate) fn lock(&self) {
        self.replace([]);
    }

    pub(crate) fn unlock(&self) {
        self.replace([key(PRIMARY), key(SECONDARY)]);
    }

    pub(crate) fn replace<const N: usize>(&self, keys: [WebhookKey; N]) {
        *self.keys.lock().unwrap() = Arc::new(keys);
    }
}

#[async_trait]
impl AuthTokens for Tokens {
    async fn keys(&self, account: Option<&AccountSid>) -> Option<Arc<[WebhookKey]>> {
        if account.is_some_and(|account| account.as_str() != ACCOUNT) {
            return None;
        }
        Some(Arc::clone(&self.keys.lock().unwrap()))
    }
}

pub(crate) fn key(token: &str) -> WebhookKey {
    WebhookKey::AuthToken(SecretString::from(token))
}

/// The agent's side: the real rules, and a record of everything that was heard.
pub(crate) struct Agent {
    pub(crate) rules: Mutex<Rules>,
    pub(crate) situation: Mutex<Situation>,
    pub(crate) sounds: Mutex<HashMap<SoundName, Bytes>>,
    pub(crate) events: Mutex<Vec<CallEvent>>,
    pub(crate) refused: Mutex<Vec<RefusedWebhook>>,
    /// How often refusals were told to be over.
    pub(crate) accepted: AtomicUsize,
    pub(crate) asked: AtomicUsize,
    /// Permits to answer; a test that takes them away makes the agent hang.
    pub(crate) gate: Semaphore,
}

#[async_trait]
impl Calls for Agent {
    async fn begin(&self, request: VoiceRequest) -> Instruction {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.acquire().await.unwrap();
        let (rules, situation) = (self.rules.lock().unwrap(), self.situation.lock().unwrap());
        let instruction = call_flow::begin(&request.query(), &rules, &situation);
        self.events.lock().unwrap().extend(request.routed(&instruction, 0));
        instruction
    }

    async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Instruction {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.acquire().await.unwrap();
        let (rules, situation) = (self.rules.lock().unwrap(), self.situation.lock().unwrap());
        call_flow::go_on(&request.query(), &happened, &rules, &situation)
    }

    async fn happened(&self, event: CallEvent) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.acquire().await.unwrap();
        self.events.lock().unwrap().push(event);
    }

    async fn sound(&self, name: &SoundName) -> Option<Bytes> {
        self.sounds.lock().unwrap().get(name).cloned()
    }

    fn webhook_refused(&self, refused: RefusedWebhook) {
        self.refused.lock().unwrap().push(refused);
    }

    fn webhook_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
    }
}

impl Agent {
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn event_count(&self) -> usize {
        self.events.lock().unwrap().len()
    }

    /// Waits until the agent has been asked `times` times in all.
    pub(crate) async fn until_asked(&self, times: usize) {
        while self.asked() < times {
            tokio::task::yield_now().await;
        }
    }
}

/// An answer as a client sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }
}

pub(crate) struct Desk {
    pub(crate) gateway: Gateway,
    pub(crate) agent: Arc<Agent>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) client: reqwest::Client,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::open_with(|_| ()).await
    }

    pub(crate) async fn open_with(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let desk = Self::open_without_base(change).await;
        desk.gateway.set_public_base(BASE.parse().unwrap());
        desk
    }

    pub(crate) async fn open_without_base(change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let clock = Arc::new(TestClock::default());
        let agent = Arc::new(Agent {
            rules: Mutex::default(),
            situation: Mutex::new(situation()),
            sounds: Mutex::default(),
            events: Mutex::default(),
            refused: Mutex::default(),
            accepted: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            gate: Semaphore::new(1),
        });
        let mut options = GatewayOptions::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        options.clock = clock.clone();
        change(&mut options);
        let tokens = Arc::new(Tokens::new());
        let gateway = Gateway::start(options, tokens.clone(), agent.clone()).await.unwrap();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(300)).build().unwrap();
        Self { gateway, agent, tokens, clock, client }
    }

    /// Where the server really is, behind the public address.
    pub(crate) fn local(&self, target: &str) -> String {
        format!("http://{}{target}", self.gateway.local_addr())
    }

    /// A POST as Twilio makes it.
    pub(crate) fn signed_post(&self, path: &str, form: &Form) -> reqwest::RequestBuilder {
        self.unsigned_post(path, form).header("X-Twilio-Signature", signature(BASE, path, form))
    }

    pub(crate) fn unsigned_post(&self, path: &str, form: &Form) -> reqwest::RequestBuilder {
        self.client
            .post(self.local(path))
            .header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
            .body(form.encode())
    }

    /// How many requests had `outcome` so far.
    pub(crate) fn count(&self, outcome: Outcome) -> u64 {
        self.gateway.counts().of(outcome)
    }

    /// Sends bytes as they are and reads the answer until the server closes.
    pub(crate) async fn raw(&self, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.gateway.local_addr()).await.unwrap();
        stream.write_all(sent).await.unwrap();
        read_to_end(&mut stream).await
    }
}

/// An agent at the desk, on a Monday at noon.
fn situation() -> Situation {
    let ours = E164::parse_strict(OURS).unwrap();
    Situation {
        agents: Agents::One { identity: ClientIdentity::parse("agent_1").unwrap(), reachable: true },
        app: None,
        busy: false,
        do_not_disturb: false,
        local: LocalMoment { date: LocalDate { year: 2026, month: 11, day: 23 }, weekday: 0, minute: 720 },
        waiting: 0,
        permission: Permission::NotAsked,
        outlook: Outlook {
            home_region: "US".to_owned(),
            caller_id: Some(ours.clone()),
            usable_caller_ids: vec![ours.clone()],
            owned_numbers: vec![ours],
            calls_under_way: 0,
            forwards_under_way: 0,
            spent: Spent::default(),
            prices: BTreeMap::new(),
            confirmed: false,
        },
    }
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A server that closes with unread bytes resets the connection after its answer.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

pub(crate) fn signature(base: &str, target: &str, form: &Form) -> String {
    signature_by(&key(PRIMARY), base, target, form)
}

pub(crate) fn signature_by(key: &WebhookKey, base: &str, target: &str, form: &Form) -> String {
    sign(key, &format!("{base}{target}"), SignedBody::Form(form.pairs()))
}

/// The agent dials `to`.
pub(crate) fn outgoing(to: &str) -> Form {
    Form::new()
        .with("AccountSid", ACCOUNT)
        .with("ApplicationSid", "AP00000000000000000000000000000001")
        .with("ApiVersion", "2010-04-01")
        .with("CallSid", CALL)
        .with("CallStatus", "ringing")
        .with("Called", "")
        .with("Caller", "client:agent_1")
        .with("Direction", "inbound")
        .with("From", "client:agent_1")
        .with("To", to)
        .with("CallId", "67e55044-10b1-426f-9247-bb680e5fe0c8")
}

/// Somebody calls our number.
pub(crate) fn incoming() -> Form {
    Form::new()
        .with("AccountSid", ACCOUNT)
        .with("CallSid", CALL)
        .with("CallStatus", "ringing")
        .with("Direction", "inbound")
        .with("Caller", THEIRS)
        .with("From", THEIRS)
        .with("FromCity", "")
        .with("Called", OURS)
        .with("To", OURS)
}

/// The far leg of an outgoing call got to `status`.
pub(crate) fn leg(status: &str, sequence: u32) -> Form {
    Form::new()
        .with("AccountSid", ACCOUNT)
        .with("CallSid", "CA00000000000000000000000000000002")
        .with("ParentCallSid", CALL)
        .with("CallStatus", status)
        .with("Direction", "outbound-dial")
        .with("From", OURS)
        .with("To", THEIRS)
        .with("ToCity", "")
        .with("Timestamp", "Sat, 21 Nov 2026 10:00:00 +0000")
        .with("SequenceNumber", sequence.to_string())
}

/// What Twilio sends of the caller's leg when it asks how to go on, and what is to be added to that.
pub(crate) fn under_way(more: &[(&str, &str)]) -> Form {
    let form: Form = incoming()
        .pairs()
        .iter()
        .map(|(name, value)| {
            let value = if name == "CallStatus" { "in-progress" } else { value };
            (name.clone(), value.to_owned())
        })
        .collect();
    more.iter().fold(form, |form, (name, value)| form.with(*name, *value))
}
