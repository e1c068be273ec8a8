//! `<Enqueue>` and `<Dial><Queue>`: waiting in a queue, and taking who has waited longest.
//!
//! Twilio's pages on the two: the document at `waitUrl` is asked for again and again, each time with the
//! place in the queue; `action` is requested once the caller has left the queue, after a conversation at
//! its end, after a redirect by REST at once (what it answers then plays no role). Where they are silent:
//! an empty `waitUrl` is silence, as in a conference; a `waitUrl` that cannot be had is `error`; whoever
//! dials a queue hears it ring until somebody is there; a whisper that cannot be had does not keep the two
//! apart; a caller who hangs up during one has hung up in the queue; and one whose taker is gone by its end
//! goes on as after a conversation.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::sid::{CallSid, QueueSid};
use dialer_twilio::webhook::Form;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;
use url::Url;

use super::dial::{Outcome, Parted, star};
use super::end::End;
use super::leg::{Leg, LegState, Party};
use super::scene::Scene;
use super::session::{Flow, Played, Session};
use crate::account::WebhookMethod;
use crate::audio::Pattern;
use crate::event::{AlertLevel, Happening, WebhookPurpose};
use crate::network::Network;
use crate::queue::{Bridge, Place, Taken, enter};
use crate::twiml::{Dial, Enqueue, QueueNoun};
use crate::webhook::{Conversation, Request};

/// A document over and over must not be asked for faster than it could be heard.
const SHORTEST_ROUND: Duration = Duration::from_millis(500);

/// How somebody left a queue: `QueueResult`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Result {
    Bridged,
    Error,
    HangUp,
    Leave,
    Redirected,
    RedirectedFromBridged,
    QueueFull,
}

impl Result {
    fn as_wire(self) -> &'static str {
        match self {
            Self::Bridged => "bridged",
            Self::Error => "error",
            Self::HangUp => "hangup",
            Self::Leave => "leave",
            Self::Redirected => "redirected",
            Self::RedirectedFromBridged => "redirected-from-bridged",
            Self::QueueFull => "queue-full",
        }
    }
}

/// Somebody in a queue. When dropped without having been told otherwise, the call was led elsewhere by
/// REST: `action` is told, and its answer is not waited for.
struct Waiting {
    network: Arc<Network>,
    conversation: Arc<Conversation>,
    call_sid: CallSid,
    queue: String,
    place: Place,
    action: Option<(Url, WebhookMethod)>,
    form: Form,
    result: Option<Result>,
}

impl Waiting {
    /// The parameters `action` gets.
    fn result_form(&self, mut form: Form, result: Result) -> Form {
        form.push("QueueResult", result.as_wire());
        form.push("QueueSid", self.place.queue_sid.as_str());
        form.push("QueueTime", seconds(self.place.waited()));
        form
    }

    /// The caller is in the queue no more.
    fn leave(&mut self, result: Result) {
        self.place.leave();
        if self.result.replace(result).is_none() {
            self.network.record(Happening::LeftQueue {
                call_sid: self.call_sid.clone(),
                queue: self.queue.clone(),
                result: result.as_wire().to_owned(),
            });
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let result = match self.result {
            None => Result::Redirected,
            Some(Result::RedirectedFromBridged) => Result::RedirectedFromBridged,
            Some(_) => return,
        };
        self.leave(result);
        let Some((url, method)) = self.action.take() else { return };
        let form = std::mem::take(&mut self.form);
        let form = self.result_form(form, result);
        let call_sid = self.call_sid.clone();
        let request = Request { purpose: WebhookPurpose::EnqueueAction, url, method, form, call_sid };
        let (network, conversation) = (Arc::clone(&self.network), Arc::clone(&self.conversation));
        self.network.spawn(async move {
            // What went wrong is in the log.
            let _ = conversation.ask(&network, request).await;
        });
    }
}

/// How waiting by a document ended.
enum Waited {
    Left,
    HungUp,
    Failed,
}

impl Session {
    pub(super) async fn enqueue(&self, enqueue: Enqueue, base: &Url) -> Flow {
        if !self.leg.answer().await {
            return Flow::Finish(self.leg.ended().await);
        }
        let action = enqueue.action.as_deref().and_then(|action| self.resolve(base, action));
        let action = action.map(|action| (action, enqueue.method));
        let Some(name) = enqueue.name.clone() else {
            return self.after_queue(action, Result::Error, None).await;
        };
        let Ok((place, taken)) = enter(&self.network, &name, &self.leg.sid, enqueue.max_queue_size) else {
            let text = format!("the queue “{name}” has reached its largest size");
            self.network.alert(&self.leg.sid, AlertLevel::Warning, 14_207, &text);
            return self.after_queue(action, Result::QueueFull, None).await;
        };
        self.network.record(Happening::Queued { call_sid: self.leg.sid.clone(), queue: name.clone() });
        let mut waiting = Waiting {
            network: Arc::clone(&self.network),
            conversation: Arc::clone(&self.conversation),
            call_sid: self.leg.sid.clone(),
            queue: name,
            place,
            action: action.clone(),
            form: self.form(self.leg.status()),
            result: None,
        };
        let result = tokio::select! {
            biased;
            Ok(bridge) = taken => self.bridge(&mut waiting, bridge).await,
            _ = self.leg.ended() => Result::HangUp,
            waited = self.wait(&enqueue, base, &waiting.place) => match waited {
                Waited::Left => Result::Leave,
                Waited::HungUp => Result::HangUp,
                Waited::Failed => Result::Error,
            },
        };
        self.quiet();
        waiting.leave(result);
        waiting.result = Some(result);
        let sid = waiting.place.queue_sid.clone();
        let waited = waiting.place.waited();
        drop(waiting);
        self.after_queue(action, result, Some((sid, waited))).await
    }

    /// `action` takes over; without it the document goes on, unless the caller is gone. A document that
    /// hung up ends the call all the same.
    async fn after_queue(
        &self,
        action: Option<(Url, WebhookMethod)>,
        result: Result,
        of: Option<(QueueSid, Duration)>,
    ) -> Flow {
        let ended = match self.leg.state() {
            LegState::Ended(end) => Some(end),
            LegState::Initiated | LegState::Ringing | LegState::Answered => {
                (result == Result::HangUp).then_some(End::Completed)
            }
        };
        if let (Some(end), LegState::Answered) = (ended, self.leg.state()) {
            self.leg.end(end).await;
        }
        let Some((action, method)) = action else { return ended.map_or(Flow::Next, Flow::Finish) };
        let mut form = self.form(self.leg.status());
        form.push("QueueResult", result.as_wire());
        if let Some((sid, waited)) = of {
            form.push("QueueSid", sid.as_str());
            form.push("QueueTime", seconds(waited));
        }
        if let Some(end) = ended {
            // A failure is in the log; there is nobody left to tell.
            let _ = self.ask(WebhookPurpose::EnqueueAction, action, method, form).await;
            return Flow::Finish(end);
        }
        self.go(WebhookPurpose::EnqueueAction, action, method, form).await
    }

    /// Music and documents for one who waits.
    async fn wait(&self, enqueue: &Enqueue, base: &Url, place: &Place) -> Waited {
        let url = match enqueue.wait_url.as_deref() {
            None => {
                self.network.record(Happening::Played { call_sid: self.leg.sid.clone(), url: String::new() });
                let _ = self.sound(Pattern::tune(), 0).await;
                return Waited::HungUp;
            }
            Some("") => {
                self.leg.ended().await;
                return Waited::HungUp;
            }
            Some(text) => match self.resolve(base, text) {
                Some(url) => url,
                None => return Waited::Failed,
            },
        };
        loop {
            let round = Instant::now() + SHORTEST_ROUND;
            let form = self.wait_form(place);
            let asked = self.ask(WebhookPurpose::QueueWait, url.clone(), enqueue.wait_method, form).await;
            let Ok(content) = asked else { return Waited::Failed };
            let (document, from) = self.as_sound(content);
            match self.play_on(document, from, Scene::QueueWait).await {
                Played::Out => tokio::time::sleep_until(round).await,
                Played::Left => return Waited::Left,
                Played::Finished(_) => return Waited::HungUp,
            }
        }
    }

    fn wait_form(&self, place: &Place) -> Form {
        let mut form = self.form(self.leg.status());
        form.push("QueueSid", place.queue_sid.as_str());
        form.push("QueueTime", seconds(place.waited()));
        if let Some(queue) = self.network.queues.get(place.queue_sid.as_str()) {
            let mine = queue.members.iter().find(|member| member.call_sid == self.leg.sid);
            form.push("QueuePosition", mine.map_or(0, |member| member.position).to_string());
            form.push("AvgQueueTime", seconds(queue.average_wait()));
            form.push("CurrentQueueSize", queue.members.len().to_string());
            form.push("MaxQueueSize", queue.max_size.to_string());
        }
        form
    }

    /// Somebody takes this caller: a whisper, then the conversation, which the other side leads.
    async fn bridge(&self, waiting: &mut Waiting, bridge: Bridge) -> Result {
        waiting.leave(Result::Bridged);
        // From here on a redirect by REST leads away from a conversation.
        waiting.result = Some(Result::RedirectedFromBridged);
        self.quiet();
        if let Some((url, method)) = bridge.whisper {
            let mut form = self.form(self.leg.status());
            form.push("QueueSid", waiting.place.queue_sid.as_str());
            form.push("QueueTime", seconds(waiting.place.waited()));
            form.push("DequeingCallSid", bridge.by.as_str());
            if let Ok(content) = self.ask(WebhookPurpose::Whisper, url, method, form).await {
                let (document, from) = self.as_sound(content);
                if let Played::Finished(_) = self.play_on(document, from, Scene::QueueWhisper).await {
                    return Result::HangUp;
                }
            }
        }
        bridge.ready.send_replace(true);
        tokio::select! {
            // The other side is done, or gone.
            _ = bridge.over => Result::Bridged,
            _ = self.leg.ended() => Result::Bridged,
        }
    }

    /// Takes who has waited longest, or waits for somebody for as long as `<Dial>` lets things ring.
    pub(super) async fn take_from_queue(&self, dial: &Dial, noun: &QueueNoun, base: &Url) -> Outcome {
        if self.network.queues.named(&noun.name).is_none() {
            let text = format!("<Queue>: there is no queue “{}”", noun.name);
            self.network.alert(&self.leg.sid, AlertLevel::Warning, 12_200, &text);
            return Outcome::nobody(End::Failed { sip_code: 404, error_code: None });
        }
        let whisper = noun
            .whisper
            .as_ref()
            .and_then(|whisper| self.resolve(base, &whisper.url).map(|url| (url, whisper.method)));
        self.let_it_ring(Party::FarEnd);
        let mut keys = self.leg.keys();
        let joined = async {
            tokio::select! {
                joined = self.next_in_queue(dial, noun, &whisper) => joined.ok_or(End::NoAnswer),
                _ = self.leg.ended() => Err(End::Canceled),
                () = star(&mut keys, dial.hangup_on_star) => Err(End::Canceled),
            }
        }
        .await;
        self.quiet();
        let (other, mut here, over) = match joined {
            Ok(joined) => joined,
            Err(end) => return Outcome::nobody(end),
        };
        // There is no leg of whose ringing a recording could begin.
        let recorded = self.record_dial(dial, base, false).or_else(|| self.record_dial(dial, base, true));
        // The other's session keeps its end until the other leaves.
        let left = async { while here.changed().await.is_ok() {} };
        let talk = self.talk(&other, dial, &mut keys, left).await;
        let recording = recorded.as_ref().map(|recorded| Arc::clone(&recorded.0));
        drop((over, recorded));
        let bridged = talk.is_some();
        let talked = talk.and_then(|(parted, span)| (parted == Parted::Over).then_some(span));
        let mut outcome = Outcome::talked(&other, talked, bridged);
        outcome.recording = recording;
        outcome
    }

    /// The next caller who is ready to be joined, what tells of their going, and what tells them the end;
    /// `None` if nobody came in time. What is whispered to a caller takes its own time.
    async fn next_in_queue(
        &self,
        dial: &Dial,
        noun: &QueueNoun,
        whisper: &Option<(Url, WebhookMethod)>,
    ) -> Option<(Arc<Leg>, watch::Receiver<bool>, oneshot::Sender<()>)> {
        let mut joined = self.network.queues.joined();
        let deadline = Instant::now() + self.network.pace.real(dial.timeout);
        loop {
            joined.borrow_and_update();
            while let Some(Taken { call_sid, hand_over }) = self.network.queues.take(&noun.name) {
                let Some(leg) = self.network.leg(&call_sid) else { continue };
                let (ready, mut is_ready) = watch::channel(false);
                let (over, is_over) = oneshot::channel();
                let by = self.leg.sid.clone();
                let bridge = Bridge { by, whisper: whisper.clone(), ready, over: is_over };
                // Who has gone meanwhile, or goes during the whisper, is followed by the next.
                if hand_over.send(bridge).is_ok() && is_ready.wait_for(|ready| *ready).await.is_ok() {
                    return Some((leg, is_ready, over));
                }
            }
            // The sender lives as long as the simulator.
            let _ = tokio::time::timeout_at(deadline, joined.changed()).await.ok()?;
        }
    }
}

/// A span as Twilio writes it: whole seconds.
fn seconds(span: Duration) -> String {
    span.as_secs().to_string()
}
