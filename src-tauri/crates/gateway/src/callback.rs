//! The webhooks that only tell: of legs, recordings, transcriptions and conferences. Nothing said in
//! return has any meaning to Twilio, so it is nothing; an empty document to whom the agent takes out of the
//! queue, who would otherwise hear what the document says.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dialer_domain::call::CallEvent;
use dialer_twilio::twiml;
use dialer_twilio::webhook::{
    ConferenceCallback, Form, QueueWhisper, RecordingCallback, StatusCallback, TranscriptionCallback,
    WebhookError,
};

use crate::answer;
use crate::counts::Outcome;
use crate::replay::Name;
use crate::route::{Report, Route};
use crate::server::Shared;
use crate::verification::Signed;

/// Passes on what Twilio tells, once.
pub(crate) async fn answer(shared: &Shared, report: Report, signed: Signed) -> (Outcome, Response) {
    let now_ms = shared.clock.now_ms();
    let route = Route::from(report);
    let taken = (Outcome::Accepted, received(report));
    let (mut names, form) = signed.open(&route);
    let told = match Told::read(report, form, now_ms) {
        Ok(told) => told,
        Err(reason) => {
            // Twilio posts more kinds of callback to an address than the one it was given for, and may
            // add some.
            tracing::debug!(%reason, route = route.kind().pattern(), "a callback that tells of nothing known");
            return taken;
        }
    };
    let Some(event) = told.event else { return taken };
    // Twilio may tell the same thing twice in different words.
    names.push(Name::of(&[&route.path(), "event", &told.name]));
    let outcome = shared.told.outcome(&names, now_ms);
    let tell = outcome.get_or_init(|| shared.calls.happened(event));
    match tokio::time::timeout(shared.answer_within, tell).await {
        Ok(()) => taken,
        Err(_) => {
            tracing::error!("a callback was not taken in within the time");
            match report {
                // The two are connected all the same.
                Report::Taken => (Outcome::TimedOut, received(report)),
                Report::Status | Report::Recording | Report::Transcription | Report::Conference => {
                    (Outcome::TimedOut, StatusCode::SERVICE_UNAVAILABLE.into_response())
                }
            }
        }
    }
}

/// What is said in return.
fn received(report: Report) -> Response {
    match report {
        Report::Taken => answer::twiml(twiml::Response::new().to_xml().into()),
        Report::Status | Report::Recording | Report::Transcription | Report::Conference => {
            StatusCode::NO_CONTENT.into_response()
        }
    }
}

/// What Twilio tells.
struct Told {
    /// Names what it is about, the same in every repetition and in no other callback.
    name: String,
    /// For the call log, if it is about a leg.
    event: Option<CallEvent>,
}

impl Told {
    fn read(report: Report, form: Form, now_ms: i64) -> Result<Self, WebhookError> {
        Ok(match report {
            Report::Recording => {
                let callback = RecordingCallback::parse(&form)?;
                let name = format!("{}|{:?}", callback.recording_sid, callback.status);
                Self { name, event: callback.event(now_ms) }
            }
            Report::Transcription => {
                let callback = TranscriptionCallback::parse(&form)?;
                let name = format!("{}|{}", callback.recording_sid, callback.text.is_empty());
                Self { name, event: Some(callback.event(now_ms)) }
            }
            Report::Conference => {
                let callback = ConferenceCallback::parse(&form)?;
                let ConferenceCallback { conference_sid, what, call_sid, sequence, timestamp_ms, .. } =
                    &callback;
                let name = format!("{conference_sid}|{what}|{call_sid:?}|{sequence:?}|{timestamp_ms:?}");
                Self { name, event: callback.event(now_ms) }
            }
            Report::Taken => {
                let whisper = QueueWhisper::parse(&form)?;
                let name = format!("{}|{}", whisper.call_sid, whisper.agent_sid);
                Self { name, event: Some(whisper.event(now_ms)) }
            }
            Report::Status => {
                let callback = StatusCallback::parse(form)?;
                let name =
                    format!("{}|{}|{:?}", callback.call_sid, callback.status.as_wire(), callback.sequence);
                Self { name, event: Some(callback.event(now_ms)) }
            }
        })
    }
}
