//! The voice webhook: Twilio asks what a call should do.

use dialer_domain::call::{CallDirection, CallEvent, CallId};
use dialer_domain::call_flow::{Instruction, Purpose, VoiceQuery, with_plus};
use dialer_domain::destination::Destination;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::{AccountSid, CallSid, TwimlAppSid};

use super::{Form, WebhookError, address, demanded_sid, sid, whole};

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
    /// The account's name for the caller: `client:…` for the SDK, otherwise what the network says; empty for
    /// a caller of whom it says nothing. A SIP address is without its parameters.
    pub from: String,
    /// Which number was dialled, or which of ours was called; a SIP address for calls from a SIP domain.
    /// For calls of the SDK this is what the window passed, as it was passed, and may be anything.
    pub to: String,
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
        let call_sid =
            if form.get("CallSid").is_some() { Some(demanded_sid(&form, "CallSid")?) } else { None };
        if from.is_empty() && call_sid.is_none() {
            return Err(WebhookError::Missing("From"));
        }
        Ok(Self {
            account_sid: sid(&form, "AccountSid"),
            call_sid,
            application_sid: sid(&form, "ApplicationSid"),
            from,
            to,
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
            placed_by_account: self
                .form
                .get("Direction")
                .is_some_and(|direction| direction.starts_with("outbound")),
            forwarded_from: self.form.get("ForwardedFrom").map(str::to_owned),
            app: self.application_sid.clone(),
        }
    }

    /// What the call log should hold about the request, once decided at `at_ms` (Unix
    /// milliseconds); `None` for a request without a `CallSid` and for a call that was turned away,
    /// which is nobody's but the stranger's.
    pub fn routed(&self, instruction: &Instruction, at_ms: i64) -> Option<CallEvent> {
        let call_sid = self.call_sid.clone()?;
        match instruction {
            Instruction::TurnAway { .. } => return None,
            Instruction::Connect(connect) => match connect.purpose {
                Purpose::Outgoing | Purpose::TakeNext => {
                    let to = connect.to.first().map(Destination::address).unwrap_or_default();
                    return Some(placed(call_sid, to, connect.caller_id.as_ref(), at_ms, None));
                }
                Purpose::Ring | Purpose::Forward => (),
            },
            // Only calls that go out are refused.
            Instruction::Refuse { reason, .. } => {
                return Some(placed(call_sid, with_plus(&self.to), None, at_ms, Some(reason.clone())));
            }
            Instruction::Menu { .. }
            | Instruction::Voicemail { .. }
            | Instruction::Enqueue { .. }
            | Instruction::Wait { .. }
            | Instruction::LeaveQueue
            | Instruction::Tell { .. }
            | Instruction::Decline
            | Instruction::HangUp => (),
        }
        Some(CallEvent::Routed {
            call_sid,
            direction: CallDirection::Incoming,
            peer: self.from.clone(),
            our_number: Some(self.to.clone()).filter(|number| !number.is_empty()),
            at_ms,
            refusal: None,
        })
    }
}

fn placed(
    call_sid: CallSid,
    to: String,
    caller_id: Option<&E164>,
    at_ms: i64,
    refusal: Option<String>,
) -> CallEvent {
    CallEvent::Routed {
        call_sid,
        direction: CallDirection::Outgoing,
        peer: to,
        our_number: caller_id.map(|number| number.as_str().to_owned()),
        at_ms,
        refusal,
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
    fn the_row_says_what_was_decided_not_what_was_asked() {
        let short = Form::parse(b"To=+12025550123&From=+12025550100").with("CallSid", SID);
        let request = VoiceRequest::parse(short).unwrap();
        assert_eq!(request.to, " 12025550123", "a plus sign that was not escaped");
        let number = Destination::Number(E164::parse_strict("+12025550123").unwrap());
        let refuse = Instruction::Refuse { spoken: "No.".into(), reason: "Because.".into() };
        for (instruction, ours, why) in [
            (connect(number, Some("+12025550100"), Purpose::Outgoing), Some("+12025550100"), None),
            (refuse, None, Some("Because.")),
        ] {
            let CallEvent::Routed { direction, peer, our_number, refusal, .. } =
                request.routed(&instruction, 5).unwrap()
            else {
                panic!("a routed call");
            };
            assert_eq!((direction, peer.as_str()), (CallDirection::Outgoing, "+12025550123"));
            assert_eq!((our_number.as_deref(), refusal.as_deref()), (ours, why));
        }
    }

    #[test]
    fn who_placed_the_call_and_by_which_way_it_came() {
        let query = |form: Form| VoiceRequest::parse(form).unwrap().query();
        let sdk = query(from_sdk());
        assert_eq!(sdk.app, TwimlAppSid::parse("APbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb").ok());
        assert!(!sdk.placed_by_account && sdk.forwarded_from.is_none());
        let call = |direction| {
            query(Form::new().with("CallSid", SID).with("From", "+12025550123").with("Direction", direction))
        };
        assert!(!call("inbound").placed_by_account);
        assert!(call("outbound-api").placed_by_account && call("outbound-dial").placed_by_account);
        let diverted = Form::new().with("From", "+12025550123").with("ForwardedFrom", "+12025550177");
        assert_eq!(query(diverted).forwarded_from.as_deref(), Some("+12025550177"));
    }

    #[test]
    fn a_caller_of_whom_nothing_is_known_is_a_caller() {
        for form in [Form::new(), Form::new().with("From", "")] {
            let request = VoiceRequest::parse(form.with("CallSid", SID).with("Direction", "inbound"));
            assert_eq!(request.unwrap().query().from, "");
        }
    }

    #[test]
    fn a_name_that_is_none_of_twilios_ends_no_call() {
        let odd = Form::new()
            .with("CallSid", SID)
            .with("From", "+12025550123")
            .with("AccountSid", SID)
            .with("ApplicationSid", "AP1");
        let request = VoiceRequest::parse(odd).unwrap();
        assert_eq!((request.account_sid, request.application_sid), (None, None));
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
            (Form::new().with("From", "+1").with("To", long), WebhookError::Malformed("To")),
            (Form::new().with("From", "+1\u{0}"), WebhookError::Malformed("From")),
        ] {
            assert_eq!(VoiceRequest::parse(form), Err(expected));
        }
        let no_uuid = VoiceRequest::parse(Form::new().with("From", "+1").with("CallId", "7")).unwrap();
        assert_eq!(no_uuid.call_id, None);
    }
}
