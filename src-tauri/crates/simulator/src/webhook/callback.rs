//! Requests that tell of something, and what faults make of them on their way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::{mpsc, oneshot};

use super::fetch::{Conversation, Request, without_password};
use crate::event::{AlertLevel, Happening, WebhookPurpose};
use crate::faults::CallbackFailure;
use crate::network::Network;

/// What a fault has in store for one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fate {
    pub(crate) lost: bool,
    pub(crate) twice: bool,
    pub(crate) delay: Duration,
    hold: Option<u64>,
}

impl Fate {
    /// Whether it may be overtaken.
    fn is_late(&self) -> bool {
        self.hold.is_some() || !self.delay.is_zero()
    }

    /// Waits until the request may leave. The request is under way for as long as the answer lives.
    pub(crate) async fn wait(&self, network: &Network, request: &Request) -> Option<mpsc::Sender<()>> {
        let turn = match self.hold {
            Some(seed) => {
                let turn = network.held.enter(seed, request);
                network.record(Happening::WebhookHeld {
                    purpose: request.purpose,
                    call_sid: request.call_sid.clone(),
                    url: without_password(&request.url).to_string(),
                });
                // The rule may have gone since it decided about this one.
                network.release_callbacks();
                turn.await.ok()
            }
            None => None,
        };
        tokio::time::sleep(self.delay).await;
        turn
    }
}

/// Callbacks that faults hold back, and how many of each kind chance has decided about.
#[derive(Default)]
pub(crate) struct HeldCallbacks(Mutex<Held>);

#[derive(Default)]
struct Held {
    waiting: Vec<Waiting>,
    /// By call and purpose.
    decided: HashMap<String, u64>,
}

struct Waiting {
    seed: u64,
    purpose: WebhookPurpose,
    url: String,
    /// What tells it apart from others, whenever it came.
    name: String,
    go: oneshot::Sender<mpsc::Sender<()>>,
}

impl HeldCallbacks {
    /// Holds a request back. Its turn comes with what tells how long it is under way.
    fn enter(&self, seed: u64, request: &Request) -> oneshot::Receiver<mpsc::Sender<()>> {
        let (go, turn) = oneshot::channel();
        let name = format!(
            "{} {} {} {}",
            request.call_sid,
            request.url,
            request.form.get("SequenceNumber").unwrap_or_default(),
            request.form.get("RecordingStatus").unwrap_or_default(),
        );
        let waiting = Waiting { seed, purpose: request.purpose, url: request.url.to_string(), name, go };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).waiting.push(waiting);
        turn
    }

    /// Forgets what chance has decided, so that the same begins anew.
    pub(crate) fn begin_anew(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).decided.clear();
    }

    /// Which callback of its kind in its call a request is, from 0.
    fn count(&self, request: &Request) -> u64 {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.decided.entry(format!("{} {:?}", request.call_sid, request.purpose)).or_default();
        *count += 1;
        *count - 1
    }

    /// Those that `holds` no longer, in the order their seed draws.
    fn released(
        &self,
        holds: impl Fn(WebhookPurpose, &str) -> bool,
    ) -> Vec<oneshot::Sender<mpsc::Sender<()>>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (staying, mut leaving): (Vec<_>, Vec<_>) = std::mem::take(&mut held.waiting)
            .into_iter()
            .partition(|waiting| holds(waiting.purpose, &waiting.url));
        held.waiting = staying;
        // The order must not depend on which came first.
        leaving.sort_by(|one, other| one.name.cmp(&other.name));
        let seed = leaving.first().map_or(0, |first| first.seed);
        leaving.shuffle(&mut StdRng::seed_from_u64(seed));
        leaving.into_iter().map(|waiting| waiting.go).collect()
    }
}

impl Network {
    /// What happens to a request; `steers` if its answer is a document.
    pub(crate) fn fate(&self, request: &Request, steers: bool) -> Fate {
        match self.take_callback_fault(request.purpose, request.url.as_str()) {
            None => Fate::default(),
            Some(CallbackFailure::Lose) => Fate { lost: true, ..Fate::default() },
            Some(CallbackFailure::Duplicate) => Fate { twice: true, ..Fate::default() },
            Some(CallbackFailure::Delay { ms }) => {
                Fate { delay: Duration::from_millis(ms), ..Fate::default() }
            }
            Some(CallbackFailure::Hold { seed }) => Fate { hold: Some(seed), ..Fate::default() },
            Some(CallbackFailure::Random { seed, lose_percent, duplicate_percent, delay_up_to_ms }) => {
                let name = format!("{} {:?} {}", request.call_sid, request.purpose, self.held.count(request));
                let mut chance = StdRng::seed_from_u64(seed ^ fnv(&name));
                let mut is = |percent: u8| chance.random_range(0..100) < percent;
                Fate {
                    lost: is(lose_percent) && !steers,
                    twice: is(duplicate_percent),
                    delay: Duration::from_millis(chance.random_range(0..=delay_up_to_ms)),
                    hold: None,
                }
            }
        }
    }

    /// Lets callbacks go that no rule holds any more, each when the one before has been answered.
    pub(crate) fn release_callbacks(&self) {
        let faults = self.faults();
        let holds = |purpose, url: &str| {
            let rule = faults.callbacks.iter().find(|rule| rule.fits(purpose, url));
            rule.is_some_and(|rule| matches!(rule.then, CallbackFailure::Hold { .. }))
        };
        let leaving = self.held.released(holds);
        if leaving.is_empty() {
            return;
        }
        self.spawn(async move {
            for go in leaving {
                let (under_way, mut over) = mpsc::channel(1);
                // Whoever waited may have ended with its call.
                if go.send(under_way).is_ok() {
                    over.recv().await;
                }
            }
        });
    }

    /// Sends a callback. It is waited for, so that callbacks sent one after the other arrive in
    /// order, unless a fault has made it late.
    ///
    /// What Twilio's debugger says of a bad one: 15002 when nobody answers a status callback and 15003
    /// for another answer than 2xx (Twilio's pages on status callbacks; the codes' texts come from its
    /// error list); for the other kinds, which are no call progress events, the code of the failure
    /// and 11200. An answer with something in it that is no document has the code of that (12100, 12102,
    /// 12300). All are warnings: a callback steers nothing.
    pub(crate) async fn notify(self: &Arc<Self>, conversation: &Arc<Conversation>, request: Request) {
        let fate = self.fate(&request, false);
        if fate.is_late() {
            let (network, conversation) = (Arc::clone(self), Arc::clone(conversation));
            self.spawn(async move { network.send_callback(&conversation, request, fate).await });
        } else {
            self.send_callback(conversation, request, fate).await;
        }
    }

    async fn send_callback(&self, conversation: &Conversation, request: Request, fate: Fate) {
        let _under_way = fate.wait(self, &request).await;
        if fate.lost {
            self.record(Happening::Webhook {
                purpose: request.purpose,
                call_sid: request.call_sid.clone(),
                url: without_password(&request.url).to_string(),
                status: None,
                call_status: request.form.get("CallStatus").map(str::to_owned),
            });
            return;
        }
        let progress = request.purpose == WebhookPurpose::StatusCallback;
        let call_sid = request.call_sid.clone();
        let times = if fate.twice { 2 } else { 1 };
        let (code, text) = match conversation.tell(self, request, times).await {
            Ok((200..=299, None)) => return,
            Ok((200..=299, Some(problem))) => {
                let text = format!("The callback's answer is no document: {}", problem.text);
                (problem.code, text)
            }
            Ok((status, _)) => {
                let text = format!("The callback was answered with HTTP {status}");
                (if progress { 15_003 } else { 11_200 }, text)
            }
            Err(failure) => {
                let text = format!("The callback was not answered: {}", failure.text);
                (if progress { 15_002 } else { failure.code }, text)
            }
        };
        self.alert(&call_sid, AlertLevel::Warning, code, &text);
    }
}

/// FNV-1a of 64 bits: the same on every machine and in every version.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
