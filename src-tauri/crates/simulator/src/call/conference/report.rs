//! Conference callbacks.
//!
//! Names and parameters: Twilio's page on `<Conference>`, `statusCallbackEvent`. What speakers do
//! (`speaker`) is not reported.

use std::sync::Arc;

use dialer_domain::sid::CallSid;
use dialer_twilio::webhook::Form;
use tokio::sync::mpsc;

use super::party::{ConferenceCallbacks, Left, Party};
use super::room::{Ended, Room};
use crate::event::WebhookPurpose;
use crate::network::Network;
use crate::twiml::ConferenceEvent;
use crate::webhook::{Conversation, Request, rfc2822};

/// What can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Start,
    End,
    Join,
    Leave(Left),
    Mute(bool),
    Hold(bool),
    Modify,
    /// The address of what was announced.
    AnnouncementEnd(String),
    AnnouncementFail(String),
}

impl Event {
    fn class(&self) -> ConferenceEvent {
        match self {
            Self::Start => ConferenceEvent::Start,
            Self::End => ConferenceEvent::End,
            Self::Join => ConferenceEvent::Join,
            Self::Leave(_) => ConferenceEvent::Leave,
            Self::Mute(_) => ConferenceEvent::Mute,
            Self::Hold(_) => ConferenceEvent::Hold,
            Self::Modify => ConferenceEvent::Modify,
            Self::AnnouncementEnd(_) | Self::AnnouncementFail(_) => ConferenceEvent::Announcement,
        }
    }

    fn as_wire(&self) -> &'static str {
        match self {
            Self::Start => "conference-start",
            Self::End => "conference-end",
            Self::Join => "participant-join",
            Self::Leave(_) => "participant-leave",
            Self::Mute(true) => "participant-mute",
            Self::Mute(false) => "participant-unmute",
            Self::Hold(true) => "participant-hold",
            Self::Hold(false) => "participant-unhold",
            Self::Modify => "participant-modify",
            Self::AnnouncementEnd(_) => "announcement-end",
            Self::AnnouncementFail(_) => "announcement-fail",
        }
    }
}

/// Sends a conference's callbacks one after the other.
pub(crate) struct Reports {
    callbacks: ConferenceCallbacks,
    about: Form,
    sequence: u32,
    queue: mpsc::UnboundedSender<Request>,
}

impl Reports {
    pub(super) fn start(network: &Arc<Network>, room: &Room, callbacks: ConferenceCallbacks) -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel();
        let sender = Arc::clone(network);
        network.spawn(async move {
            let conversation = Arc::new(Conversation::new());
            while let Some(request) = waiting.recv().await {
                sender.notify(&conversation, request).await;
            }
        });
        let about = Form::new()
            .with("ConferenceSid", room.sid.as_str())
            .with("FriendlyName", room.name.clone())
            .with("AccountSid", network.account.account_sid.as_str());
        Self { callbacks, about, sequence: 0, queue }
    }

    /// Tells of an event, if that was asked for; every event counts.
    pub(super) fn add(
        &mut self,
        network: &Network,
        event: &Event,
        call_sid: &CallSid,
        party: Option<&Party>,
        ended: Option<&Ended>,
    ) {
        self.sequence += 1;
        if !self.callbacks.events.contains(&event.class()) {
            return;
        }
        let mut form = self.about.clone();
        form.push("SequenceNumber", self.sequence.to_string());
        form.push("Timestamp", rfc2822(network.now_ms()));
        form.push("StatusCallbackEvent", event.as_wire());
        if let Some(party) = party.filter(|_| !matches!(event, Event::Start | Event::End)) {
            form.push("CallSid", party.leg.sid.as_str());
            for (name, is) in [
                ("Muted", party.muted),
                ("Hold", party.hold.is_some()),
                ("Coaching", party.coaches.is_some()),
                ("EndConferenceOnExit", party.end_on_exit),
                ("StartConferenceOnEnter", party.start_on_enter),
            ] {
                form.push(name, is.to_string());
            }
            if let Some(label) = &party.label {
                form.push("ParticipantLabel", label.clone());
            }
            if let Some(coached) = &party.coaches {
                form.push("CallSidToCoach", coached.as_str());
            }
        }
        match (event, party) {
            (Event::Leave(why), Some(party)) => {
                form.push("ParticipantCallStatus", party.leg.status().as_wire());
                form.push("ReasonParticipantLeft", why.as_wire());
            }
            (Event::AnnouncementEnd(url) | Event::AnnouncementFail(url), _) => {
                form.push("AnnounceUrl", url.clone());
            }
            (Event::End, _) => {
                if let Some(ended) = ended {
                    form.push("ReasonConferenceEnded", ended.reason);
                    if let Some((sid, label)) = &ended.by {
                        form.push("CallSidEndingConference", sid.as_str());
                        if let Some(label) = label {
                            form.push("ParticipantLabelEndingConference", label.clone());
                        }
                    }
                }
            }
            _ => {}
        }
        let request = Request {
            purpose: WebhookPurpose::ConferenceCallback,
            url: self.callbacks.url.clone(),
            method: self.callbacks.method,
            form,
            call_sid: call_sid.clone(),
        };
        // The task is gone only while the simulator shuts down.
        let _ = self.queue.send(request);
    }
}
