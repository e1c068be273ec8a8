//! Transcriptions, of the account and of a recording. They can be read, not deleted.

use axum::http::Method;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, ok};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::recording::TranscriptionText;
use crate::webhook::{API_VERSION, rfc2822};

/// `Transcriptions.json`, or that of a recording, which must be there.
pub(crate) fn list(ask: &Ask, recording: Option<&str>) -> Answer {
    only_get(ask)?;
    if let Some(sid) = recording {
        ask.network.recordings.get(sid).ok_or_else(|| ask.not_found())?;
    }
    let all = ask.network.recordings.transcriptions();
    let wanted = |known: &&TranscriptionText| recording.is_none_or(|sid| known.recording_sid.as_str() == sid);
    page_2010(ask, "transcriptions", all.iter().rev().filter(wanted).map(|known| show(ask, known)).collect())
}

/// `Transcriptions/{TR}.json`, or below a recording.
pub(crate) fn one(ask: &Ask, sid: &str, recording: Option<&str>) -> Answer {
    only_get(ask)?;
    let all = ask.network.recordings.transcriptions();
    let of_recording =
        |known: &TranscriptionText| recording.is_none_or(|sid| known.recording_sid.as_str() == sid);
    let known = all.iter().find(|known| known.sid == sid && of_recording(known));
    ok(show(ask, known.ok_or_else(|| ask.not_found())?))
}

fn only_get(ask: &Ask) -> Result<(), Refusal> {
    if ask.method == Method::GET { Ok(()) } else { Err(Refusal::method_not_allowed()) }
}

fn show(ask: &Ask, known: &TranscriptionText) -> Value {
    let account = &ask.network.account.account_sid;
    let recording = ask.network.recordings.get(known.recording_sid.as_str());
    json!({
        "sid": known.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "recording_sid": known.recording_sid,
        "status": if known.text.is_some() { "completed" } else { "failed" },
        "transcription_text": known.text,
        "type": "fast",
        "duration": recording.map(|recording| recording.duration_s().to_string()),
        "price": null,
        "price_unit": "USD",
        "date_created": rfc2822(known.at_ms),
        "date_updated": rfc2822(known.at_ms),
        "uri": format!("/{API_VERSION}/Accounts/{account}/Transcriptions/{}.json", known.sid),
    })
}
