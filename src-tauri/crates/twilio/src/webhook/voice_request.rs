//! The voice webhook: Twilio asks what a call should do.

use dialer_domain::call::{CallDirection, CallEvent, CallId};
use dialer_domain::call_flow::{Instruction, Purpose, VoiceQuery};
use dialer_domain::sid::{AccountSid, CallSid, TwimlAppSid};

use super::{Form, SipParameters, WebhookError, address, sid, whole};

/// The connect parameter by which the SDK's call and the webhook's call are known to be one: a
/// [`CallId`] in UUID form. Ours, not Twilio's.
pub const CALL_ID_PARAM: &str = "CallId";

/// A request to the voice URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceRequest {
    /// The account the call belongs to. Twilio always sends it.
    pub account_sid: Option<AccountSid>,
    /// The parent leg. Twilio always sends it; only requests composed by hand lack it.
    pub call_sid: Option<CallSid>,
    /// The TwiML App through which the call came, for calls of the SDK.
    pub application_sid: Option<TwimlAppSid>,
    /// The account's name for the caller: `client:…` for the SDK, otherwise what the network says. A SIP
    /// address is without its parameters.
    pub from: String,
    /// Which number was dialled, or which of ours was called; a SIP address for calls from a SIP domain.
    /// For calls of the SDK this is what the window passed, as it was passed, and may be anything.
    pub to: String,
    /// What Twilio tells of a call from a SIP domain.
    pub sip: Option<SipParameters>,
    /// [`CALL_ID_PARAM`], when it is a UUID.
    pub call_id: Option<CallId>,
    /// Twilio sent no `Direction`: see [`VoiceQuery::short_form`].
    pub short_form: bool,
    /// All parameters.
    pub form: Form,
}

impl VoiceRequest {
    /// Reads a form. Unknown parameters are kept in [`form`](Self::form); a `CallId` that is no
    /// UUID is taken for absent, since only the joining of two reports hangs on it.
    pub fn parse(form: Form) -> Result<Self, WebhookError> {
        // `Caller` repeats `From`, except that a connect parameter named `From` cannot replace it.
        let caller = address(&form, "Caller")?;
        let from = if caller.starts_with("client:") { caller } else { address(&form, "From")? };
        // How an agent wants a SIP address to be called is part of what they asked for.
        let to = if from.starts_with("client:") { whole(&form, "To")? } else { address(&form, "To")? };
        if from.is_empty() {
            return Err(WebhookError::Missing("From"));
        }
        Ok(Self {
            account_sid: sid(&form, "AccountSid")?,
            call_sid: sid(&form, "CallSid")?,
            application_sid: sid(&form, "ApplicationSid")?,
            from,
            to,
            sip: SipParameters::read(&form),
            call_id: form.get(CALL_ID_PARAM).and_then(|text| uuid::Uuid::try_parse(text).ok()).map(CallId),
            short_form: !form.has("Direction"),
            form,
        })
    }

    /// The part a routing decision reads.
    pub fn query(&self) -> VoiceQuery {
        VoiceQuery {
            from: self.from.clone(),
            to: self.to.clone(),
            call_id: self.call_id,
            short_form: self.short_form,
        }
    }

    /// What the call log should hold about the request, once decided at `at_ms` (Unix
    /// milliseconds); `None` for a request without a `CallSid` and for a call that was turned away,
    /// which is nobody's but the stranger's.
    pub fn routed(&self, instruction: &Instruction, at_ms: i64) -> Option<CallEvent> {
        let call_sid = self.call_sid.clone()?;
        let (outgoing, caller_id, refusal) = match instruction {
            Instruction::TurnAway { .. } => return None,
            Instruction::Connect(connect) => {
                let outgoing = matches!(connect.purpose, Purpose::Outgoing | Purpose::TakeNext);
                (outgoing, connect.caller_id.as_ref().map(|number| number.as_str().to_owned()), None)
            }
            Instruction::Refuse { reason, .. } => {
                (self.from.starts_with("client:"), None, Some(reason.clone()))
            }
            Instruction::Menu { .. }
            | Instruction::Voicemail { .. }
            | Instruction::Enqueue { .. }
            | Instruction::Wait { .. }
            | Instruction::LeaveQueue
            | Instruction::Tell { .. }
            | Instruction::Decline
            | Instruction::HangUp => (false, None, None),
        };
        let our_number =
            if outgoing { caller_id } else { Some(self.to.clone()).filter(|number| !number.is_empty()) };
        Some(CallEvent::Routed {
            call_sid,
            direction: if outgoing { CallDirection::Outgoing } else { CallDirection::Incoming },
            peer: if outgoing { self.to.clone() } else { self.from.clone() },
            our_number,
            at_ms,
            refusal,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use dialer_domain::call_flow::Connect;
    use dialer_domain::destination::Destination;
    use dialer_domain::identity::ClientIdentity;
    use dialer_domain::phone_number::E164;

    use super::*;

    const SID: &str = "CAcccccccccccccccccccccccccccccccc";

    fn connect(to: Destination, caller_id: Option<&str>, purpose: Purpose) -> Instruction {
        Instruction::Connect(Connect {
            to: vec![to],
            caller_id: caller_id.map(|number| E164::parse_strict(number).unwrap()),
            ring_s: 25,
            time_limit_s: 60,
            purpose,
        })
    }

    fn from_sdk() -> Form {
        // The parameters of a captured request of the SDK, in their order.
        Form::new()
            .with("AccountSid", "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
            .with("ApiVersion", "2010-04-01")
            .with("ApplicationSid", "APbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
            .with("CallSid", SID)
            .with("CallStatus", "ringing")
            .with("Called", "")
            .with("Caller", "client:agent_1")
            .with("Direction", "inbound")
            .with("From", "client:agent_1")
            .with("To", "+12025550123")
            .with("CallId", "67e55044-10b1-426f-9247-bb680e5fe0c8")
    }

    #[test]
    fn a_call_of_the_sdk() {
        let request = VoiceRequest::parse(from_sdk()).unwrap();
        assert_eq!(request.call_sid.as_ref().unwrap().as_str(), SID);
        let query = request.query();
        assert_eq!(
            (query.from.as_str(), query.to.as_str(), query.short_form),
            ("client:agent_1", "+12025550123", false)
        );
        assert_eq!(query.call_id.unwrap().to_string(), "67e55044-10b1-426f-9247-bb680e5fe0c8");
        let decision = connect(
            Destination::Number(E164::parse_strict("+12025550123").unwrap()),
            Some("+12025550100"),
            Purpose::Outgoing,
        );
        let CallEvent::Routed { direction, peer, our_number, at_ms, refusal, .. } =
            request.routed(&decision, 5).unwrap()
        else {
            panic!("a routed call");
        };
        assert_eq!(direction, CallDirection::Outgoing);
        assert_eq!(
            (peer.as_str(), our_number.as_deref(), at_ms, refusal),
            ("+12025550123", Some("+12025550100"), 5, None)
        );
    }

    #[test]
    fn a_call_from_the_network() {
        let form = Form::new()
            .with("CallSid", SID)
            .with("Direction", "inbound")
            .with("From", "+12025550123")
            .with("Caller", "+12025550123")
            .with("FromCity", "")
            .with("To", "+12025550100")
            .with("SomethingNew", "1");
        let request = VoiceRequest::parse(form).unwrap();
        assert_eq!(request.form.get("SomethingNew"), Some("1"));
        let agent = Destination::Client(ClientIdentity::parse("agent_1").unwrap());
        let decision = connect(agent, None, Purpose::Ring);
        let CallEvent::Routed { direction, peer, our_number, .. } = request.routed(&decision, 5).unwrap()
        else {
            panic!("a routed call");
        };
        assert_eq!(direction, CallDirection::Incoming);
        assert_eq!((peer.as_str(), our_number.as_deref()), ("+12025550123", Some("+12025550100")));
    }

    #[test]
    fn a_call_from_a_sip_domain() {
        let form = Form::new()
            .with("CallSid", SID)
            .with("Direction", "inbound")
            .with("From", "sip:desk@agents.sip.twilio.com;transport=TLS;user=phone")
            .with("To", "sip:100@agents.sip.twilio.com?x-tag=1")
            .with("SipDomain", "agents.sip.twilio.com");
        let request = VoiceRequest::parse(form).unwrap();
        assert_eq!(request.sip.as_ref().unwrap().domain, "agents.sip.twilio.com");
        let query = request.query();
        assert_eq!(query.from, "sip:desk@agents.sip.twilio.com");
        let agent = Destination::Client(ClientIdentity::parse("agent_1").unwrap());
        let CallEvent::Routed { direction, peer, our_number, .. } =
            request.routed(&connect(agent, None, Purpose::Ring), 5).unwrap()
        else {
            panic!("a routed call");
        };
        assert_eq!(direction, CallDirection::Incoming);
        assert_eq!(peer, "sip:desk@agents.sip.twilio.com");
        assert_eq!(our_number.as_deref(), Some("sip:100@agents.sip.twilio.com"));
        let long = format!("sip:desk@example.com;tag={}", "1".repeat(300));
        let request = VoiceRequest::parse(Form::new().with("From", long)).unwrap();
        assert_eq!(request.from, "sip:desk@example.com", "only a name is measured");
        let placed =
            Form::new().with("From", "client:agent_1").with("To", "sip:desk@example.com;transport=tls");
        assert_eq!(VoiceRequest::parse(placed).unwrap().to, "sip:desk@example.com;transport=tls");
    }

    #[test]
    fn a_refusal_keeps_its_reason_and_the_number_called() {
        let refuse = Instruction::Refuse { spoken: "No.".into(), reason: "Because.".into() };
        let incoming = Form::new()
            .with("CallSid", SID)
            .with("Direction", "inbound")
            .with("From", "+12025550123")
            .with("To", "+12025550100");
        for (form, expected) in [(incoming, Some("+12025550100")), (from_sdk(), None)] {
            let event = VoiceRequest::parse(form).unwrap().routed(&refuse, 5).unwrap();
            let CallEvent::Routed { our_number, refusal, .. } = event else { panic!("a routed call") };
            assert_eq!(our_number.as_deref(), expected);
            assert_eq!(refusal.as_deref(), Some("Because."));
        }
    }

    #[test]
    fn a_call_that_was_turned_away_is_none_of_the_agents() {
        let request = VoiceRequest::parse(from_sdk()).unwrap();
        assert_eq!(request.routed(&Instruction::TurnAway { spoken: String::new() }, 5), None);
    }

    #[test]
    fn a_connect_parameter_cannot_pose_as_the_caller() {
        let posed = Form::new()
            .with("Caller", "client:agent_2")
            .with("From", "client:agent_1")
            .with("Direction", "inbound");
        assert_eq!(VoiceRequest::parse(posed).unwrap().from, "client:agent_2");
    }

    #[test]
    fn the_short_form_has_no_direction() {
        let short = VoiceRequest::parse(Form::parse(b"To=%2B12025550123&From=%2B12025550100")).unwrap();
        assert!(short.query().short_form);
        assert_eq!(
            short.routed(&Instruction::Refuse { spoken: String::new(), reason: String::new() }, 0),
            None
        );
    }

    #[test]
    fn bad_forms_are_told_apart() {
        let long = "1".repeat(256);
        for (form, expected) in [
            (Form::new(), WebhookError::Missing("From")),
            (Form::new().with("From", ""), WebhookError::Missing("From")),
            (Form::new().with("From", "+1").with("CallSid", "CA1"), WebhookError::Malformed("CallSid")),
            (Form::new().with("From", "+1").with("AccountSid", SID), WebhookError::Malformed("AccountSid")),
            (Form::new().with("From", "+1").with("To", long), WebhookError::Malformed("To")),
            (Form::new().with("From", "+1\u{0}"), WebhookError::Malformed("From")),
        ] {
            assert_eq!(VoiceRequest::parse(form), Err(expected));
        }
        let no_uuid = VoiceRequest::parse(Form::new().with("From", "+1").with("CallId", "7")).unwrap();
        assert_eq!(no_uuid.call_id, None);
    }
}
