//! Frames of the signalling protocol.
//!
//! Text JSON `{"type","version","payload"}` with version 1.6 (voice-sdk 2.18.5, `pstream.ts:8`); a
//! heartbeat is the text `"\n"` alone, sent by the server and echoed (`wstransport.ts:465`).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

/// The protocol version both sides write.
const VERSION: &str = "1.6";
/// The heartbeat in both directions.
pub(crate) const HEARTBEAT: &str = "\n";
/// The SDK asks for at most this (`device.ts`, `reconnectTimeout: min(…, 30)`).
const LONGEST_RECONNECT_TIMEOUT_S: f64 = 30.0;

/// A frame from the SDK.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum FromSdk {
    Listen { token: String, reconnect_timeout: Duration },
    Register { audio: bool },
    Invite { callsid: String, sdp: String, params: String },
    Reconnect { callsid: String, sdp: String, token: String },
    Answer { callsid: String, sdp: String },
    Reinvite { callsid: String, sdp: String },
    Dtmf { callsid: String, digits: String },
    Hangup { callsid: String },
    Reject { callsid: String },
    Message(CallMessage),
}

/// A user-defined message about a call.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct CallMessage {
    pub(crate) callsid: String,
    #[serde(default)]
    pub(crate) content: Value,
    #[serde(default)]
    pub(crate) messagetype: String,
    #[serde(default)]
    pub(crate) voiceeventsid: String,
}

/// Why a frame cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the frame is no JSON object with a type: {0}")]
    NotAFrame(String),
    #[error("the payload of “{kind}” is malformed: {problem}")]
    Payload { kind: String, problem: String },
    #[error("“{0}” is no message of the Voice SDK")]
    Unknown(String),
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    payload: Value,
}

#[derive(Deserialize)]
struct Listen {
    token: String,
    #[serde(default, rename = "reconnectTimeout")]
    reconnect_timeout: f64,
}

#[derive(Deserialize)]
struct Register {
    media: RegisterMedia,
}

#[derive(Deserialize)]
struct RegisterMedia {
    #[serde(default)]
    audio: bool,
}

#[derive(Deserialize)]
struct Invite {
    callsid: String,
    sdp: String,
    reconnect: Option<String>,
    #[serde(default)]
    twilio: InviteTwilio,
}

#[derive(Deserialize, Default)]
struct InviteTwilio {
    #[serde(default)]
    params: String,
}

#[derive(Deserialize)]
struct WithSdp {
    callsid: String,
    sdp: String,
}

#[derive(Deserialize)]
struct OfCall {
    callsid: String,
}

#[derive(Deserialize)]
struct Dtmf {
    callsid: String,
    dtmf: String,
}

/// Reads a frame.
pub(crate) fn read(text: &str) -> Result<FromSdk, FrameError> {
    let frame: Envelope =
        serde_json::from_str(text).map_err(|error| FrameError::NotAFrame(error.to_string()))?;
    let kind = frame.kind;
    Ok(match kind.as_str() {
        "listen" => {
            let Listen { token, reconnect_timeout } = payload(&kind, frame.payload)?;
            let seconds = reconnect_timeout.clamp(0.0, LONGEST_RECONNECT_TIMEOUT_S);
            FromSdk::Listen { token, reconnect_timeout: Duration::from_secs_f64(seconds) }
        }
        "register" => {
            let Register { media } = payload(&kind, frame.payload)?;
            FromSdk::Register { audio: media.audio }
        }
        "invite" => {
            let Invite { callsid, sdp, reconnect, twilio } = payload(&kind, frame.payload)?;
            match reconnect {
                Some(token) => FromSdk::Reconnect { callsid, sdp, token },
                None => FromSdk::Invite { callsid, sdp, params: twilio.params },
            }
        }
        "answer" => {
            let WithSdp { callsid, sdp } = payload(&kind, frame.payload)?;
            FromSdk::Answer { callsid, sdp }
        }
        "reinvite" => {
            let WithSdp { callsid, sdp } = payload(&kind, frame.payload)?;
            FromSdk::Reinvite { callsid, sdp }
        }
        "dtmf" => {
            let Dtmf { callsid, dtmf } = payload(&kind, frame.payload)?;
            FromSdk::Dtmf { callsid, digits: dtmf }
        }
        "hangup" => FromSdk::Hangup { callsid: payload::<OfCall>(&kind, frame.payload)?.callsid },
        "reject" => FromSdk::Reject { callsid: payload::<OfCall>(&kind, frame.payload)?.callsid },
        "message" => FromSdk::Message(payload(&kind, frame.payload)?),
        _ => return Err(FrameError::Unknown(kind)),
    })
}

fn payload<T: serde::de::DeserializeOwned>(kind: &str, payload: Value) -> Result<T, FrameError> {
    serde_json::from_value(payload)
        .map_err(|error| FrameError::Payload { kind: kind.to_owned(), problem: error.to_string() })
}

/// Writes a frame.
pub(crate) fn write(kind: &str, payload: &Value) -> String {
    json!({ "type": kind, "version": VERSION, "payload": payload }).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn reads_what_the_sdk_sends() {
        assert_eq!(
            read(
                r#"{"type":"listen","version":"1.6","payload":{"browserinfo":{},"reconnectTimeout":99,"token":"t"}}"#
            ),
            Ok(FromSdk::Listen { token: "t".into(), reconnect_timeout: Duration::from_secs(30) })
        );
        assert_eq!(
            read(r#"{"type":"invite","version":"1.6","payload":{"callsid":"TJSx","sdp":"v=0","twilio":{}}}"#),
            Ok(FromSdk::Invite { callsid: "TJSx".into(), sdp: "v=0".into(), params: String::new() })
        );
        assert!(matches!(
            read(r#"{"type":"invite","payload":{"callsid":"CAx","sdp":"v=0","reconnect":"r","twilio":{}}}"#),
            Ok(FromSdk::Reconnect { .. })
        ));
        assert_eq!(
            read(r#"{"type":"hangup","payload":{"callsid":"CAx","message":"bye"}}"#),
            Ok(FromSdk::Hangup { callsid: "CAx".into() })
        );
    }

    #[test]
    fn refuses_the_malformed_by_kind() {
        for text in ["", "\n\n", "[]", "{}", "{\"type\":1}", "\"listen\"", "{\"type\":\"listen\""] {
            assert!(matches!(read(text), Err(FrameError::NotAFrame(_))), "{text:?}");
        }
        for text in [
            r#"{"type":"listen"}"#,
            r#"{"type":"listen","payload":{"token":5}}"#,
            r#"{"type":"invite","payload":{"callsid":"x"}}"#,
            r#"{"type":"register","payload":{"media":true}}"#,
            r#"{"type":"dtmf","payload":{"callsid":"x"}}"#,
            r#"{"type":"message","payload":[]}"#,
        ] {
            assert!(matches!(read(text), Err(FrameError::Payload { .. })), "{text:?}");
        }
        assert_eq!(read(r#"{"type":"roger","payload":{}}"#), Err(FrameError::Unknown("roger".into())));
    }

    #[test]
    fn writes_the_version() {
        assert_eq!(write("ready", &json!({})), r#"{"payload":{},"type":"ready","version":"1.6"}"#);
    }
}
