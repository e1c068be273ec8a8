//! The webhooks that steer a call: Twilio asks what to do, and is told by a document.

use axum::body::Bytes;
use axum::response::Response;
use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::{Happened, Instruction};
use dialer_twilio::webhook::{
    DialAction, Form, GatherAction, QueueAction, QueueWait, RecordAction, VoiceRequest, WebhookError,
};

use crate::answer::twiml;
use crate::counts::Outcome;
use crate::document::{Surroundings, document, no_decision, not_understood};
use crate::public_base::Addresses;
use crate::route::{Question, Route};
use crate::server::Shared;
use crate::verification::Signed;

/// Asks what the call should do and writes the answer down. A repetition gets the same document.
pub(crate) async fn answer(shared: &Shared, question: &Question, signed: Signed) -> (Outcome, Response) {
    let now_ms = shared.clock.now_ms();
    let route = Route::from(question.clone());
    let names = signed.names(&route, None);
    let asked = match Asked::read(question, signed.form, now_ms) {
        Ok(asked) => asked,
        Err(reason) => {
            tracing::warn!(%reason, route = route.kind().pattern(), "a webhook was not understood; the caller was told so");
            return (Outcome::Accepted, twiml(not_understood().to_xml().into()));
        }
    };
    let outcome = shared.documents.outcome(&names, now_ms);
    let write = outcome.get_or_init(|| written(shared, &asked));
    match tokio::time::timeout(shared.answer_within, write).await {
        Ok(document) => (Outcome::Accepted, twiml(document.clone())),
        Err(_) => {
            tracing::error!("no decision about a call within the time; the caller was asked to try again");
            (Outcome::TimedOut, twiml(no_decision().to_xml().into()))
        }
    }
}

/// What Twilio asks.
struct Asked {
    request: VoiceRequest,
    /// For a call that is going already: what to note, and what came of the last instruction.
    after: Option<(Option<CallEvent>, Happened)>,
}

impl Asked {
    fn read(question: &Question, form: Form, now_ms: i64) -> Result<Self, WebhookError> {
        let after = match question {
            Question::Voice => None,
            Question::Dialled(purpose) => {
                let action = DialAction::parse(&form, *purpose)?;
                Some((Some(action.event(now_ms)), action.happened()))
            }
            Question::Menu(place) => Some((None, GatherAction::parse(&form, place.clone())?.happened())),
            Question::Message => {
                let action = RecordAction::parse(&form)?;
                Some((action.event(now_ms), action.happened()))
            }
            Question::Wait => {
                let wait = QueueWait::parse(&form)?;
                Some((Some(wait.event(now_ms)), wait.happened()))
            }
            Question::LeftQueue => {
                let action = QueueAction::parse(&form)?;
                Some((Some(action.event(now_ms)), action.happened()))
            }
        };
        Ok(Self { request: VoiceRequest::parse(form)?, after })
    }
}

async fn written(shared: &Shared, asked: &Asked) -> Bytes {
    let request = asked.request.clone();
    let instruction = match &asked.after {
        None => shared.calls.begin(request).await,
        Some((event, happened)) => {
            if let Some(event) = event {
                shared.calls.happened(event.clone()).await;
            }
            shared.calls.go_on(request, happened.clone()).await
        }
    };
    if matches!(instruction, Instruction::TurnAway { .. }) {
        tracing::warn!("a call from a client identity that is not this phone's was turned away");
    }
    // There was an address when the signature was checked, and addresses are replaced, not taken away.
    let document = match shared.public_base.current().map(Addresses::new) {
        Some(addresses) => {
            let around = Surroundings { addresses, queue: &shared.queue, tune: shared.tune.name() };
            document(&instruction, &asked.request, &around)
        }
        None => no_decision(),
    };
    document.to_xml().into()
}
