//! What all parts of the simulator share: the account, the legs, the sockets, the switch, the log.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dialer_domain::ports::Clock;
use dialer_domain::sid::CallSid;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::account::{PracticeAccount, Resources, SidSource};
use crate::alert::Alerts;
use crate::audio::Switch;
use crate::call::{Conferences, Leg};
use crate::event::{AlertLevel, EventLog, Happening, WebhookPurpose};
use crate::far_end::{FarEndScript, script_for};
use crate::faults::{CallbackFailure, CallbackFault, Faults, RestFault};
use crate::pace::Pace;
use crate::queue::Queues;
use crate::recording::Recordings;
use crate::signalling::{Registry, SdkRoutes};
use crate::webhook::{Cache, Clients, HeldCallbacks};

/// Legs remembered after their end, so that a long-running simulator does not grow.
const LEGS_KEPT: usize = 1_000;

pub(crate) struct Network {
    pub(crate) account: PracticeAccount,
    pub(crate) sids: SidSource,
    pub(crate) pace: Pace,
    pub(crate) webhook_time_limit: Duration,
    /// Where the gateway's media sockets are bound.
    pub(crate) media_address: IpAddr,
    pub(crate) http: reqwest::Client,
    /// For webhooks that are sent with another patience than usual.
    pub(crate) clients: Clients,
    pub(crate) cache: Cache,
    /// Callbacks that faults hold back.
    pub(crate) held: HeldCallbacks,
    pub(crate) switch: Arc<Switch>,
    pub(crate) registry: Registry,
    pub(crate) sdk_routes: SdkRoutes,
    pub(crate) log: EventLog,
    pub(crate) alerts: Alerts,
    pub(crate) recordings: Recordings,
    pub(crate) queues: Queues,
    pub(crate) conferences: Conferences,
    /// `http://127.0.0.1:PORT`, for the addresses of recordings.
    pub(crate) base_url: String,
    clock: Arc<dyn Clock>,
    resources: Mutex<Resources>,
    scripts: Mutex<HashMap<String, FarEndScript>>,
    faults: watch::Sender<Faults>,
    legs: Mutex<Legs>,
    tasks: Mutex<JoinSet<()>>,
    sockets: AtomicU64,
    stopping: watch::Sender<bool>,
}

#[derive(Default)]
struct Legs {
    by_sid: HashMap<CallSid, Arc<Leg>>,
    /// Oldest first.
    order: VecDeque<CallSid>,
}

/// What a network is made of.
pub(crate) struct NetworkParts {
    pub(crate) account: PracticeAccount,
    pub(crate) sids: SidSource,
    pub(crate) seed: u64,
    pub(crate) resources: Resources,
    pub(crate) scripts: HashMap<String, FarEndScript>,
    pub(crate) faults: Faults,
    pub(crate) pace: Pace,
    pub(crate) webhook_time_limit: Duration,
    /// Where the gateway's media sockets are bound.
    pub(crate) media_address: IpAddr,
    pub(crate) http: reqwest::Client,
    pub(crate) switch: Arc<Switch>,
    pub(crate) clock: Arc<dyn Clock>,
    /// `http://127.0.0.1:PORT`: where REST is.
    pub(crate) base_url: String,
}

impl Network {
    pub(crate) fn new(parts: NetworkParts) -> Arc<Self> {
        Arc::new(Self {
            account: parts.account,
            sids: parts.sids,
            pace: parts.pace,
            webhook_time_limit: parts.webhook_time_limit,
            media_address: parts.media_address,
            http: parts.http,
            clients: Clients::default(),
            cache: Cache::default(),
            held: HeldCallbacks::default(),
            switch: parts.switch,
            registry: Registry::default(),
            sdk_routes: SdkRoutes::default(),
            log: EventLog::new(),
            alerts: Alerts::new(parts.seed),
            recordings: Recordings::new(parts.seed),
            queues: Queues::new(parts.seed, parts.pace),
            conferences: Conferences::new(parts.seed),
            base_url: parts.base_url,
            clock: parts.clock,
            resources: Mutex::new(parts.resources),
            scripts: Mutex::new(parts.scripts),
            faults: watch::Sender::new(parts.faults),
            legs: Mutex::default(),
            tasks: Mutex::new(JoinSet::new()),
            sockets: AtomicU64::new(1),
            stopping: watch::Sender::new(false),
        })
    }

    /// Unix milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    pub(crate) fn record(&self, what: Happening) {
        self.log.record(self.now_ms(), what);
    }

    pub(crate) fn alert(&self, call_sid: &CallSid, level: AlertLevel, code: u32, text: &str) {
        tracing::info!(call = %call_sid, code, ?level, "alert");
        self.alerts.keep(self.now_ms(), call_sid, level, code, text);
        self.record(Happening::Alert { code, level, call_sid: call_sid.clone(), text: text.to_owned() });
    }

    pub(crate) fn resources(&self) -> MutexGuard<'_, Resources> {
        self.resources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> Faults {
        self.faults.borrow().clone()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.faults.send_replace(faults);
        self.held.begin_anew();
        self.release_callbacks();
    }

    /// What happens to a callback by the rule for it, which counts it from now on.
    pub(crate) fn take_callback_fault(&self, purpose: WebhookPurpose, url: &str) -> Option<CallbackFailure> {
        let mut taken = None;
        self.faults.send_if_modified(|faults| {
            let fitting = |fault: &&mut CallbackFault| fault.times != Some(0) && fault.fits(purpose, url);
            if let Some(fault) = faults.callbacks.iter_mut().find(fitting) {
                taken = Some(fault.then.clone());
                fault.times = fault.times.map(|times| times.saturating_sub(1));
            }
            // Nobody waits for rules of callbacks to be used up.
            false
        });
        taken
    }

    /// The rule for a REST request, which counts for it from now on.
    pub(crate) fn take_rest_fault(&self, method: &str, path: &str) -> Option<RestFault> {
        let mut taken = None;
        self.faults.send_if_modified(|faults| {
            let fitting = |fault: &&mut RestFault| fault.times != Some(0) && fault.fits(method, path);
            if let Some(fault) = faults.rest.iter_mut().find(fitting) {
                taken = Some(fault.clone());
                fault.times = fault.times.map(|times| times.saturating_sub(1));
            }
            // Requests that are held wait for rules to go, not for them to be used.
            false
        });
        taken
    }

    /// Waits until no rule of this kind is there for a REST request any more.
    pub(crate) async fn released(&self, method: &str, path: &str, holds: impl Fn(&RestFault) -> bool) {
        let free =
            |faults: &Faults| !faults.rest.iter().any(|fault| holds(fault) && fault.fits(method, path));
        // The sender is this very network's.
        let _ = self.faults.subscribe().wait_for(|faults| free(faults)).await;
    }

    /// What time Twilio thinks it is, in Unix milliseconds.
    pub(crate) fn twilio_now_ms(&self) -> i64 {
        self.now_ms().saturating_add(self.faults.borrow().date_offset_ms)
    }

    /// What the far end with this number does.
    pub(crate) fn script(&self, number: &str) -> FarEndScript {
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        scripts.get(number).cloned().unwrap_or_else(|| script_for(number))
    }

    pub(crate) fn set_script(&self, number: String, script: FarEndScript) {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).insert(number, script);
    }

    pub(crate) fn add_leg(&self, leg: &Arc<Leg>) {
        let mut legs = self.legs.lock().unwrap_or_else(PoisonError::into_inner);
        legs.by_sid.insert(leg.sid.clone(), Arc::clone(leg));
        legs.order.push_back(leg.sid.clone());
        if legs.order.len() > LEGS_KEPT {
            // A leg that is still up among the oldest keeps working; it is only no longer listed.
            if let Some(oldest) = legs.order.pop_front() {
                legs.by_sid.remove(&oldest);
            }
        }
    }

    pub(crate) fn leg(&self, sid: &CallSid) -> Option<Arc<Leg>> {
        self.legs.lock().unwrap_or_else(PoisonError::into_inner).by_sid.get(sid).cloned()
    }

    /// All legs remembered, oldest first.
    pub(crate) fn legs(&self) -> Vec<Arc<Leg>> {
        let legs = self.legs.lock().unwrap_or_else(PoisonError::into_inner);
        legs.order.iter().filter_map(|sid| legs.by_sid.get(sid).cloned()).collect()
    }

    pub(crate) fn next_socket(&self) -> u64 {
        self.sockets.fetch_add(1, Ordering::Relaxed)
    }

    /// Runs a task that ends with the simulator at the latest.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // Forget the finished ones, or the set would grow with every call.
        while tasks.try_join_next().is_some() {}
        if !*self.stopping.borrow() {
            tasks.spawn(task);
        }
    }

    /// Done when the simulator stops.
    pub(crate) fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.subscribe();
        async move {
            // Without a sender there is no simulator any more.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }

    /// Tells everybody to stop, without waiting.
    pub(crate) fn begin_stop(&self) {
        self.stopping.send_replace(true);
        self.switch.stop();
    }

    /// Ends all tasks without waiting for them to be gone.
    pub(crate) fn abort_tasks(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Ends all tasks.
    pub(crate) async fn end_tasks(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}
