//! Status callbacks of one leg.
//!
//! Each waits for the answer to the one before, so that without injected faults they arrive in
//! order; Twilio promises no order, which the faults can show.

use std::sync::Arc;

use dialer_domain::call::CallStatus;
use dialer_domain::sid::CallSid;
use dialer_twilio::webhook::Form;
use tokio::sync::mpsc;
use url::Url;

use super::fetch::{Conversation, Request};
use super::form::{StatusDetail, add_status};
use crate::account::WebhookMethod;
use crate::event::{Happening, WebhookPurpose};
use crate::network::Network;
use crate::twiml::CallbackEvent;

/// Where and when to report a leg.
pub(crate) struct StatusCallbacks {
    events: Vec<CallbackEvent>,
    queue: mpsc::UnboundedSender<Notice>,
}

enum Notice {
    Status {
        form: Form,
        at_ms: i64,
        detail: StatusDetail,
    },
    /// The leg has ended, whether or not that was to be reported.
    Over,
}

impl StatusCallbacks {
    /// Callbacks to `url`; they are sent from a task that ends with the leg.
    pub(crate) fn start(
        network: &Arc<Network>,
        call_sid: CallSid,
        url: Url,
        method: WebhookMethod,
        events: Vec<CallbackEvent>,
    ) -> Self {
        let (queue, notices) = mpsc::unbounded_channel();
        let conversation = Arc::new(Conversation::new());
        let sender = Sender { network: Arc::clone(network), call_sid, url, method, conversation };
        network.spawn(sender.run(notices));
        Self { events, queue }
    }

    /// Reports that the leg reached `status`, if that was asked for. `form` is the call's form.
    pub(crate) fn report(&self, status: CallStatus, form: Form, at_ms: i64, detail: StatusDetail) {
        let event = match status {
            CallStatus::Initiated => CallbackEvent::Initiated,
            CallStatus::Ringing => CallbackEvent::Ringing,
            CallStatus::InProgress => CallbackEvent::Answered,
            CallStatus::Completed
            | CallStatus::Busy
            | CallStatus::NoAnswer
            | CallStatus::Canceled
            | CallStatus::Failed => CallbackEvent::Completed,
            CallStatus::Queued => return,
        };
        // The task is gone only while the simulator shuts down.
        if self.events.contains(&event) {
            let _ = self.queue.send(Notice::Status { form, at_ms, detail });
        }
        if status.is_final() {
            let _ = self.queue.send(Notice::Over);
        }
    }
}

struct Sender {
    network: Arc<Network>,
    call_sid: CallSid,
    url: Url,
    method: WebhookMethod,
    conversation: Arc<Conversation>,
}

impl Sender {
    async fn run(self, mut notices: mpsc::UnboundedReceiver<Notice>) {
        let mut sequence = 0;
        let mut held: Vec<Form> = Vec::new();
        while let Some(Notice::Status { mut form, at_ms, detail }) = notices.recv().await {
            add_status(&mut form, sequence, at_ms, &detail);
            sequence += 1;
            held.push(form);
            if !self.network.faults().reorder_status_callbacks {
                self.release(&mut held).await;
            }
        }
        self.release(&mut held).await;
    }

    /// Held ones leave last first; without the fault there is just the one.
    async fn release(&self, held: &mut Vec<Form>) {
        while let Some(form) = held.pop() {
            self.send(form).await;
        }
    }

    async fn send(&self, form: Form) {
        let faults = self.network.faults();
        if faults.drop_status_callbacks {
            self.network.record(Happening::Webhook {
                purpose: WebhookPurpose::StatusCallback,
                call_sid: self.call_sid.clone(),
                url: self.url.to_string(),
                status: None,
                call_status: form.get("CallStatus").map(str::to_owned),
            });
            return;
        }
        let times = if faults.duplicate_status_callbacks { 2 } else { 1 };
        for _ in 0..times {
            let request = Request {
                purpose: WebhookPurpose::StatusCallback,
                url: self.url.clone(),
                method: self.method,
                form: form.clone(),
                call_sid: self.call_sid.clone(),
            };
            self.network.notify(&self.conversation, request).await;
        }
    }
}
