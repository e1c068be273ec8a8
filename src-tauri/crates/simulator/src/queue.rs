//! Queues: who waits in them, and who takes them out.
//!
//! A caller in a queue holds a [`Place`], which leaves the queue when it is dropped. Whoever takes the
//! caller hands over a [`Bridge`], and the two sessions arrange the rest between them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dialer_domain::sid::{CallSid, QueueSid};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use url::Url;

use crate::account::{SidSource, WebhookMethod};
use crate::call::{Start, redirect};
use crate::network::Network;
use crate::pace::Pace;

/// Most members of a queue nobody said more about. Twilio's page of `<Enqueue>` says 100 and allows 1000
/// to 5000 by REST; its older page of the REST resource says 100 too.
pub(crate) const USUAL_MAX_SIZE: usize = 100;
/// Keeps the SIDs of queues apart from those of calls, which must not depend on them.
const OWN_SEED: u64 = 0x7175_6575_6573;

/// A queue as it stands. Times are Unix milliseconds, spans simulated.
#[derive(Debug, Clone)]
pub(crate) struct QueueFacts {
    pub(crate) sid: QueueSid,
    pub(crate) friendly_name: String,
    pub(crate) max_size: usize,
    pub(crate) created_ms: i64,
    pub(crate) updated_ms: i64,
    /// Who waits, the longest first.
    pub(crate) members: Vec<MemberFacts>,
}

impl QueueFacts {
    /// How long those who wait have waited on average: `AvgQueueTime`, `average_wait_time`.
    pub(crate) fn average_wait(&self) -> Duration {
        let total: Duration = self.members.iter().map(|member| member.waited).sum();
        u32::try_from(self.members.len()).ok().and_then(|count| total.checked_div(count)).unwrap_or_default()
    }
}

/// One who waits. The place counts from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MemberFacts {
    pub(crate) call_sid: CallSid,
    pub(crate) position: usize,
    pub(crate) enqueued_ms: i64,
    pub(crate) waited: Duration,
}

/// Which member is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which<'a> {
    /// The one who has waited longest.
    Front,
    Call(&'a str),
}

/// How somebody is taken out of a queue to talk to somebody else.
pub(crate) struct Bridge {
    /// The call that takes them (`DequeingCallSid`).
    pub(crate) by: CallSid,
    /// A document for the one who waited, before the two are joined.
    pub(crate) whisper: Option<(Url, WebhookMethod)>,
    /// Turns `true` when the two may be joined; gone when the one who waited is.
    pub(crate) ready: watch::Sender<bool>,
    /// Done when the conversation is over.
    pub(crate) over: oneshot::Receiver<()>,
}

/// Somebody taken out of a queue. Without a [`Bridge`] they go back to nothing: their session ends it.
pub(crate) struct Taken {
    pub(crate) call_sid: CallSid,
    pub(crate) hand_over: oneshot::Sender<Bridge>,
}

/// A caller's place in a queue; leaves it when dropped.
pub(crate) struct Place {
    pub(crate) queue_sid: QueueSid,
    network: Arc<Network>,
    call_sid: CallSid,
    entered: Instant,
    /// Set when the caller is taken.
    left: Option<Instant>,
}

impl Place {
    /// How long the caller waited, or has waited so far, simulated.
    pub(crate) fn waited(&self) -> Duration {
        let until = self.left.unwrap_or_else(Instant::now);
        self.network.pace.simulated(until.saturating_duration_since(self.entered))
    }

    /// The caller waits no longer.
    pub(crate) fn leave(&mut self) {
        self.left.get_or_insert_with(Instant::now);
        self.network.queues.remove(&self.queue_sid, &self.call_sid);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.network.queues.remove(&self.queue_sid, &self.call_sid);
    }
}

struct Member {
    call_sid: CallSid,
    entered: Instant,
    entered_ms: i64,
    hand_over: oneshot::Sender<Bridge>,
}

struct Queue {
    sid: QueueSid,
    friendly_name: String,
    max_size: usize,
    created_ms: i64,
    updated_ms: i64,
    members: Vec<Member>,
}

impl Queue {
    fn facts(&self, pace: Pace) -> QueueFacts {
        let member = |(index, member): (usize, &Member)| MemberFacts {
            call_sid: member.call_sid.clone(),
            position: index + 1,
            enqueued_ms: member.entered_ms,
            waited: pace.simulated(member.entered.elapsed()),
        };
        QueueFacts {
            sid: self.sid.clone(),
            friendly_name: self.friendly_name.clone(),
            max_size: self.max_size,
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            members: self.members.iter().enumerate().map(member).collect(),
        }
    }
}

/// All queues of the account, oldest first.
pub(crate) struct Queues {
    sids: SidSource,
    pace: Pace,
    kept: Mutex<Vec<Queue>>,
    /// Told whenever somebody joins a queue.
    joined: watch::Sender<()>,
}

impl Queues {
    pub(crate) fn new(seed: u64, pace: Pace) -> Self {
        Self {
            sids: SidSource::new(seed ^ OWN_SEED),
            pace,
            kept: Mutex::default(),
            joined: watch::Sender::new(()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Queue>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queue of this name, made if there is none; `max_size` counts only for a new one.
    pub(crate) fn create(&self, name: &str, max_size: Option<usize>, now_ms: i64) -> QueueFacts {
        let mut kept = self.kept();
        if let Some(queue) = kept.iter().find(|queue| queue.friendly_name == name) {
            return queue.facts(self.pace);
        }
        let queue = Queue {
            sid: self.sids.queue(),
            friendly_name: name.to_owned(),
            max_size: max_size.unwrap_or(USUAL_MAX_SIZE),
            created_ms: now_ms,
            updated_ms: now_ms,
            members: Vec::new(),
        };
        let facts = queue.facts(self.pace);
        kept.push(queue);
        facts
    }

    /// Renames or resizes a queue; `None` if there is no such queue.
    pub(crate) fn update(
        &self,
        sid: &str,
        name: Option<&str>,
        max_size: Option<usize>,
        now_ms: i64,
    ) -> Option<QueueFacts> {
        let mut kept = self.kept();
        let queue = kept.iter_mut().find(|queue| queue.sid.as_str() == sid)?;
        if let Some(name) = name {
            name.clone_into(&mut queue.friendly_name);
        }
        queue.max_size = max_size.unwrap_or(queue.max_size);
        queue.updated_ms = now_ms;
        Some(queue.facts(self.pace))
    }

    /// Deletes an empty queue; `Some(false)` if somebody waits in it.
    pub(crate) fn delete(&self, sid: &str) -> Option<bool> {
        let mut kept = self.kept();
        let index = kept.iter().position(|queue| queue.sid.as_str() == sid)?;
        let empty = kept[index].members.is_empty();
        if empty {
            kept.remove(index);
        }
        Some(empty)
    }

    pub(crate) fn list(&self) -> Vec<QueueFacts> {
        self.kept().iter().map(|queue| queue.facts(self.pace)).collect()
    }

    pub(crate) fn get(&self, sid: &str) -> Option<QueueFacts> {
        self.kept().iter().find(|queue| queue.sid.as_str() == sid).map(|queue| queue.facts(self.pace))
    }

    pub(crate) fn named(&self, name: &str) -> Option<QueueFacts> {
        self.kept().iter().find(|queue| queue.friendly_name == name).map(|queue| queue.facts(self.pace))
    }

    /// One who waits.
    pub(crate) fn member(&self, sid: &str, which: Which<'_>) -> Option<MemberFacts> {
        let members = self.get(sid)?.members;
        members.into_iter().find(|member| match which {
            Which::Front => true,
            Which::Call(call_sid) => member.call_sid.as_str() == call_sid,
        })
    }

    /// Takes out who has waited longest.
    pub(crate) fn take(&self, name: &str) -> Option<Taken> {
        let mut kept = self.kept();
        let queue = kept.iter_mut().find(|queue| queue.friendly_name == name)?;
        // Who has gone in this very moment is passed over.
        while !queue.members.is_empty() {
            let member = queue.members.remove(0);
            if !member.hand_over.is_closed() {
                return Some(Taken { call_sid: member.call_sid, hand_over: member.hand_over });
            }
        }
        None
    }

    /// Changes whenever somebody joins any queue.
    pub(crate) fn joined(&self) -> watch::Receiver<()> {
        self.joined.subscribe()
    }

    fn remove(&self, sid: &QueueSid, call_sid: &CallSid) {
        if let Some(queue) = self.kept().iter_mut().find(|queue| queue.sid == *sid) {
            queue.members.retain(|member| member.call_sid != *call_sid);
        }
    }
}

/// The queue has no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// Puts a call at the end of the queue of this name, which is made if there is none. What comes with the
/// place tells that somebody takes the caller.
pub(crate) fn enter(
    network: &Arc<Network>,
    name: &str,
    call_sid: &CallSid,
    max_size: Option<usize>,
) -> Result<(Place, oneshot::Receiver<Bridge>), QueueFull> {
    let now_ms = network.now_ms();
    let facts = network.queues.create(name, max_size, now_ms);
    let (hand_over, taken) = oneshot::channel();
    let entered = Instant::now();
    {
        let mut kept = network.queues.kept();
        let queue = kept.iter_mut().find(|queue| queue.sid == facts.sid).ok_or(QueueFull)?;
        if queue.members.len() >= max_size.unwrap_or(queue.max_size).min(queue.max_size) {
            return Err(QueueFull);
        }
        queue.members.push(Member { call_sid: call_sid.clone(), entered, entered_ms: now_ms, hand_over });
    }
    network.queues.joined.send_replace(());
    let (network, call_sid) = (Arc::clone(network), call_sid.clone());
    Ok((Place { queue_sid: facts.sid, network, call_sid, entered, left: None }, taken))
}

/// Gives a member another document, as REST does, which takes the call out of the queue. The member as
/// it was, or `None` if there is none.
pub(crate) fn dequeue(
    network: &Arc<Network>,
    queue_sid: &str,
    which: Which<'_>,
    start: Start,
) -> Option<MemberFacts> {
    let member = network.queues.member(queue_sid, which)?;
    let leg = network.leg(&member.call_sid)?;
    redirect(network, &leg, start).then_some(member)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_queue_is_made_once_and_only_an_empty_one_goes() {
        let queues = Queues::new(1, Pace::REAL);
        let made = queues.create("support", None, 5);
        assert_eq!((made.max_size, made.created_ms, made.members.len()), (100, 5, 0));
        assert_eq!(queues.create("support", Some(3), 9).sid, made.sid);
        let sid = made.sid.as_str();
        assert_eq!(queues.update(sid, Some("sales"), Some(2), 10).unwrap().friendly_name, "sales");
        assert!(queues.named("support").is_none() && queues.named("sales").is_some());
        assert_eq!(queues.get(sid).unwrap().max_size, 2);
        assert_eq!(queues.get(sid).unwrap().average_wait(), Duration::ZERO);
        assert!(queues.take("sales").is_none() && queues.member(sid, Which::Front).is_none());
        assert_eq!((queues.delete(sid), queues.delete(sid)), (Some(true), None));
    }
}
