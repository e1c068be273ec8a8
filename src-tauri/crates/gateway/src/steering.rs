//! The webhooks that steer a call: Twilio asks what to do, and is told by a document.

use axum::body::Bytes;
use axum::response::Response;
use dialer_domain::call::{CallEvent, CallStatus};
use dialer_domain::call_flow::{Happened, Instruction, QueueResult};
use dialer_domain::incoming::Music;
use dialer_domain::sid::CallSid;
use dialer_twilio::webhook::{
    DialAction, Form, GatherAction, QueueAction, QueueWait, RecordAction, VoiceRequest, WebhookError,
};
use tokio::time::Instant;

use crate::answer::twiml;
use crate::counts::Outcome;
use crate::document::{Surroundings, document, no_decision, not_understood};
use crate::public_base::Addresses;
use crate::route::{Question, Route};
use crate::server::Shared;
use crate::sound::length_ms;
use crate::verification::Signed;

/// Asks what the call should do and writes the answer down, by `deadline` whatever happens. A repetition
/// gets the same document.
pub(crate) async fn answer(
    shared: &Shared,
    question: &Question,
    signed: Signed,
    deadline: Instant,
) -> (Outcome, Response) {
    let now_ms = shared.clock.now_ms();
    let route = Route::from(question.clone());
    let (names, form) = signed.open(&route);
    let asked = match Asked::read(question, form, now_ms) {
        Ok(asked) => asked,
        Err(reason) => {
            tracing::warn!(%reason, route = route.kind().pattern(), "a webhook was not understood; the caller was told so");
            return (Outcome::Accepted, twiml(not_understood().to_xml().into()));
        }
    };
    let outcome = shared.documents.outcome(&names, now_ms);
    let write = outcome.get_or_init(|| written(shared, &asked));
    // What came slowly leaves less time to decide, and the caller hears something all the same.
    let deadline = deadline.min(Instant::now() + shared.answer_within);
    match tokio::time::timeout_at(deadline, write).await {
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
    /// Reads a request. One about a call under way is understood as far as its address tells, if its
    /// parameters do not: whoever has come that far is not cut off because of them.
    fn read(question: &Question, form: Form, now_ms: i64) -> Result<Self, WebhookError> {
        // Beside each reading what goes for it when there is none.
        let (told, least) = match question {
            Question::Voice => return Ok(Self { request: VoiceRequest::parse(form)?, after: None }),
            Question::Dialled(purpose) => (
                DialAction::parse(&form, *purpose)
                    .map(|action| (Some(action.event(now_ms)), action.happened())),
                Happened::Dialled { purpose: *purpose, status: CallStatus::Failed },
            ),
            Question::Menu(place) => (
                GatherAction::parse(&form, place.clone()).map(|action| (None, action.happened())),
                Happened::Pressed { place: place.clone(), key: None },
            ),
            Question::Message => (
                RecordAction::parse(&form).map(|action| (action.event(now_ms), action.happened())),
                Happened::MessageTaken,
            ),
            Question::Wait => (
                QueueWait::parse(&form).map(|wait| (Some(wait.event(now_ms)), wait.happened())),
                // Nobody knows for how long; nobody must wait for ever.
                Happened::Waiting { position: 1, waited_s: u32::MAX },
            ),
            Question::LeftQueue => (
                QueueAction::parse(&form).map(|action| (Some(action.event(now_ms)), action.happened())),
                Happened::LeftQueue { result: QueueResult::Error },
            ),
        };
        let in_part = |reason: &WebhookError| {
            let route = Route::from(question.clone());
            tracing::warn!(%reason, route = route.kind().pattern(), "a webhook was understood in part; the call goes on");
        };
        let after = told.inspect_err(in_part).unwrap_or((None, least));
        let somebody = somebody(&form);
        let request =
            VoiceRequest::parse(form).inspect_err(in_part).or_else(|_| VoiceRequest::parse(somebody))?;
        Ok(Self { request, after: Some(after) })
    }
}

/// What is certain of a call under way, whatever else `form` says of it.
fn somebody(form: &Form) -> Form {
    let call = form.get("CallSid").filter(|sid| CallSid::parse(sid).is_ok());
    let known = Form::new()
        .with("Direction", "inbound")
        .with("CallStatus", CallStatus::InProgress.as_wire())
        .with("From", "anonymous");
    call.into_iter().fold(known, |form, sid| form.with("CallSid", sid))
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
            let around = Surroundings {
                addresses,
                queue: &shared.queue,
                tune: shared.tune.name(),
                music_ms: music_ms(shared, &instruction).await,
            };
            document(&instruction, &asked.request, &around)
        }
        None => no_decision(),
    };
    document.to_xml().into()
}

/// How long the agent's own music for those who wait lasts, in milliseconds, where that is what they hear.
async fn music_ms(shared: &Shared, instruction: &Instruction) -> Option<u64> {
    let Instruction::Wait { music: Music::Recording { sound }, .. } = instruction else { return None };
    length_ms(&shared.calls.sound(sound).await?)
}
