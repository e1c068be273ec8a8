//! The parameters Twilio sends about a call.
//!
//! Names and presence as captured from real requests (the reference on webhooks, "What reaches our
//! voice URL"): a call of the SDK has `ApplicationSid`, an empty `Called` and no geographic
//! parameters; a telephone call has all of them, most of them empty.

use std::time::Duration;

use dialer_domain::call::CallStatus;
use dialer_domain::sid::RecordingSid;
use dialer_twilio::webhook::Form;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use crate::call::Leg;

/// `ApiVersion` of every request.
pub(crate) const API_VERSION: &str = "2010-04-01";

/// What a status callback says beyond the call itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct StatusDetail {
    /// From answer to end; only of an ended leg that had been answered.
    pub(crate) talked: Option<Duration>,
    /// SIP response of a leg that could not be connected.
    pub(crate) sip_code: Option<u16>,
    /// Twilio's code for the same.
    pub(crate) error_code: Option<u32>,
    /// `SipCallId` of a leg to or from a SIP address.
    pub(crate) sip_call_id: Option<String>,
    /// Address, SID and seconds of the recording of an ended leg's conversation.
    pub(crate) recording: Option<(String, RecordingSid, u32)>,
}

/// The standard parameters of `leg` with the given `CallStatus`.
pub(crate) fn call_form(account_sid: &str, leg: &Leg, status: CallStatus) -> Form {
    let mut form = Form::new();
    form.push("AccountSid", account_sid);
    form.push("ApiVersion", API_VERSION);
    form.push("CallSid", leg.sid.as_str());
    form.push("CallStatus", status.as_wire());
    form.push("Direction", leg.direction.as_wire());
    form.push("From", &*leg.from);
    form.push("To", &*leg.to);
    form.push("Caller", &*leg.from);
    match &leg.application_sid {
        Some(sid) => {
            form.push("ApplicationSid", sid.as_str());
            form.push("Called", "");
        }
        None => form.push("Called", &*leg.to),
    }
    if let Some(parent) = &leg.parent {
        form.push("ParentCallSid", parent.as_str());
    }
    for (side, legacy, address) in [("From", "Caller", &leg.from), ("To", "Called", &leg.to)] {
        if address.starts_with('+') && leg.application_sid.is_none() {
            geography(&mut form, side, address);
            geography(&mut form, legacy, address);
        }
    }
    form
}

/// `…City`, `…State`, `…Zip`, `…Country`. What Twilio does not know it sends empty.
fn geography(form: &mut Form, side: &str, number: &str) {
    let (state, country) = match number {
        number if number.starts_with("+1202") => ("DC", "US"),
        number if number.starts_with("+1") => ("", "US"),
        _ => ("", ""),
    };
    for (what, value) in [("City", ""), ("State", state), ("Zip", ""), ("Country", country)] {
        form.push(format!("{side}{what}"), value);
    }
}

/// Adds what makes a status callback of a call's form. `sequence` counts the callbacks of the leg
/// from 0; `at_ms` is Unix milliseconds.
pub(crate) fn add_status(form: &mut Form, sequence: u32, at_ms: i64, detail: &StatusDetail) {
    form.push("Timestamp", rfc2822(at_ms));
    form.push("CallbackSource", "call-progress-events");
    form.push("SequenceNumber", sequence.to_string());
    if let Some(talked) = detail.talked {
        let seconds = talked.as_secs_f64().round();
        form.push("CallDuration", format!("{seconds:.0}"));
        // Whole minutes begun, the unit of billing; a legacy parameter.
        form.push("Duration", format!("{:.0}", (seconds / 60.0).ceil()));
    }
    if let Some(id) = &detail.sip_call_id {
        form.push("SipCallId", &**id);
    }
    if let Some((url, sid, seconds)) = &detail.recording {
        form.push("RecordingUrl", &**url);
        form.push("RecordingSid", sid.as_str());
        form.push("RecordingDuration", seconds.to_string());
    }
    if let Some(code) = detail.sip_code {
        form.push("SipResponseCode", code.to_string());
    }
    if let Some(code) = detail.error_code {
        form.push("ErrorCode", code.to_string());
        form.push("ErrorMessage", "The call could not be connected");
    }
}

/// Unix milliseconds as `Mon, 23 Nov 2026 10:00:00 +0000`.
pub(crate) fn rfc2822(at_ms: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000))
        .ok()
        .and_then(|time| time.format(&Rfc2822).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_2822() {
        assert_eq!(rfc2822(1_767_225_600_999), "Thu, 01 Jan 2026 00:00:00 +0000");
    }

    #[test]
    fn durations_are_seconds_and_begun_minutes() {
        let mut form = Form::new();
        add_status(
            &mut form,
            3,
            0,
            &StatusDetail { talked: Some(Duration::from_millis(61_400)), ..StatusDetail::default() },
        );
        assert_eq!(form.get("CallDuration"), Some("61"));
        assert_eq!(form.get("Duration"), Some("2"));
        assert_eq!(form.get("SequenceNumber"), Some("3"));
        assert_eq!(form.get("CallbackSource"), Some("call-progress-events"));
    }
}
