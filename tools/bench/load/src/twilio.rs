//! The requests: Twilio's webhooks with its parameters and signature, forged ones, and the agent's
//! request for a token.
//!
//! The signature is made here from Twilio's description of it, not by the library under test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, ValueEnum};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::connection::Answer;

const VOICE_PATH: &str = "/api/calls/twiml";
const STATUS_PATH: &str = "/api/calls/status";
const TOKEN_PATH: &str = "/api/calls/token";
/// Who asks for tokens.
const AGENT: &str = "albert";
/// The last two digits of whom agents call; the others are those of our own number.
const CUSTOMER: u64 = 23;
/// What a leg goes through, as `CallStatus`; the place in the list is the `SequenceNumber`.
const LEG_EVENTS: [&str; 4] = ["initiated", "ringing", "in-progress", "completed"];

/// The account both servers are configured with. The values are those of no real account.
#[derive(Args, Clone)]
pub(crate) struct Twilio {
    /// The account's SID.
    #[arg(long, env = "TWILIO_ACCOUNT_SID")]
    account_sid: String,
    /// Signs webhooks.
    #[arg(long, env = "TWILIO_AUTH_TOKEN", hide_env_values = true)]
    auth_token: String,
    /// The TwiML App that calls of agents name.
    #[arg(long, env = "TWILIO_TWIML_APP_SID")]
    twiml_app_sid: String,
    /// The account's number.
    #[arg(long, env = "TWILIO_PHONE_NUMBER")]
    phone_number: String,
    /// The address Twilio believes it calls, which it signs.
    #[arg(long, env = "BACKEND_URL")]
    backend_url: String,
    /// Bearer for the token route, where it wants one.
    #[arg(long, env = "AGENT_API_TOKEN", hide_env_values = true)]
    agent_api_token: Option<String>,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A signed GET of the voice URL, for a caller.
    TwimlGet,
    /// A signed POST to the voice URL, for a caller.
    TwimlPost,
    /// A signed GET of the voice URL, for an agent who calls somebody.
    Outgoing,
    /// The same with a signature made without the Auth Token.
    TwimlForged,
    /// A signed status callback; four in a row are the events of one leg.
    Status,
    /// An agent's request for an access token.
    Token,
}

impl Kind {
    /// Whether `answer` is what a server should give.
    pub(crate) fn accepts(self, answer: &Answer<'_>) -> bool {
        match self {
            Self::TwimlGet | Self::TwimlPost | Self::Outgoing => {
                answer.status == 200 && contains(answer.body, b"<Dial ")
            }
            // 429 and 503: too many bad signatures at once to look at this one.
            Self::TwimlForged => matches!(answer.status, 403 | 429 | 503),
            Self::Status => answer.status == 204,
            Self::Token => answer.status == 200 && contains(answer.body, b"\"token\":\"eyJ"),
        }
    }
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|window| window == wanted)
}

impl Twilio {
    /// An account for measuring the tool itself, where nobody checks a signature.
    pub(crate) fn fictitious() -> Self {
        Self {
            account_sid: format!("AC{:032}", 1),
            auth_token: "0".repeat(32),
            twiml_app_sid: format!("AP{:032}", 1),
            phone_number: "+12025550100".into(),
            backend_url: "https://phone.example".into(),
            agent_api_token: None,
        }
    }

    /// Writes request `number` of a run into `request`, replacing what is there.
    pub(crate) fn write(&self, kind: Kind, seed: u64, number: u64, request: &mut Vec<u8>) {
        request.clear();
        match kind {
            Kind::TwimlGet => self.get(&self.incoming(seed, number), request),
            Kind::Outgoing => self.get(&self.outgoing(seed, number), request),
            Kind::TwimlPost => {
                let form = self.incoming(seed, number);
                let signature = self.sign(VOICE_PATH, &form);
                post_form(request, VOICE_PATH, &signature, &form);
            }
            Kind::TwimlForged => {
                // As long as a real one, and another each time.
                let mut bytes = [0; 20];
                bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
                post_form(request, VOICE_PATH, &STANDARD.encode(bytes), &self.incoming(seed, number));
            }
            Kind::Status => {
                let form = self.status(seed, number);
                let signature = self.sign(STATUS_PATH, &form);
                post_form(request, STATUS_PATH, &signature, &form);
            }
            Kind::Token => {
                let body = format!("{{\"agentId\":\"{AGENT}\"}}");
                let bearer = self
                    .agent_api_token
                    .iter()
                    .map(|token| ("authorization", format!("Bearer {token}")))
                    .collect::<Vec<_>>();
                head(request, &format!("POST {TOKEN_PATH}"), &bearer);
                finish(request, "application/json", body.as_bytes());
            }
        }
    }

    /// The number beside ours that ends in these two digits: whose ours is reserved for fiction, is as well.
    fn neighbour(&self, last: u64) -> String {
        let area = self.phone_number.get(..self.phone_number.len().saturating_sub(2)).unwrap_or_default();
        format!("{area}{last:02}")
    }

    fn get(&self, form: &[(&str, String)], request: &mut Vec<u8>) {
        let target = format!("{VOICE_PATH}?{}", encoded(form));
        let signature = self.sign(&target, &[]);
        head(request, &format!("GET {target}"), &signed(&signature));
        request.extend_from_slice(b"\r\n");
    }

    /// What Twilio tells of a caller. Load is made of callers: of them there can be many at a time, while an
    /// agent has a call or two.
    fn incoming(&self, seed: u64, number: u64) -> Vec<(&'static str, String)> {
        let caller = self.neighbour(1 + number % 99);
        let place = |name, value: &str| (name, value.to_owned());
        vec![
            ("AccountSid", self.account_sid.clone()),
            ("ApiVersion", "2010-04-01".into()),
            ("CallSid", call_sid(seed, number)),
            ("CallStatus", "ringing".into()),
            ("Called", self.phone_number.clone()),
            place("CalledCity", ""),
            place("CalledCountry", "US"),
            place("CalledState", "DC"),
            place("CalledZip", ""),
            ("Caller", caller.clone()),
            place("CallerCity", "WASHINGTON"),
            place("CallerCountry", "US"),
            place("CallerState", "DC"),
            place("CallerZip", "20005"),
            ("Direction", "inbound".into()),
            ("From", caller),
            place("FromCity", "WASHINGTON"),
            place("FromCountry", "US"),
            place("FromState", "DC"),
            place("FromZip", "20005"),
            ("To", self.phone_number.clone()),
            place("ToCity", ""),
            place("ToCountry", "US"),
            place("ToState", "DC"),
            place("ToZip", ""),
        ]
    }

    /// What Twilio tells of a call that the Voice SDK placed, each time another agent's.
    fn outgoing(&self, seed: u64, number: u64) -> Vec<(&'static str, String)> {
        let caller = format!("client:agent_{seed:x}_{number:x}");
        vec![
            ("AccountSid", self.account_sid.clone()),
            ("ApiVersion", "2010-04-01".into()),
            ("ApplicationSid", self.twiml_app_sid.clone()),
            ("CallSid", call_sid(seed, number)),
            ("CallStatus", "ringing".into()),
            ("Called", String::new()),
            ("Caller", caller.clone()),
            ("Direction", "inbound".into()),
            ("From", caller),
            ("To", self.neighbour(CUSTOMER)),
        ]
    }

    /// What Twilio tells of a leg that `<Dial>` called.
    fn status(&self, seed: u64, number: u64) -> Vec<(&'static str, String)> {
        let legs = LEG_EVENTS.len() as u64;
        let (call, event) = (number / legs, number % legs);
        // A modulus of four fits every index.
        let status = LEG_EVENTS[event as usize];
        let mut form = vec![
            ("AccountSid", self.account_sid.clone()),
            ("ApiVersion", "2010-04-01".into()),
            ("CallSid", call_sid(seed, call)),
            ("CallStatus", status.into()),
            ("CallbackSource", "call-progress-events".into()),
            ("Called", self.neighbour(CUSTOMER)),
            ("Caller", self.phone_number.clone()),
            ("Direction", "outbound-dial".into()),
            ("From", self.phone_number.clone()),
            ("ParentCallSid", call_sid(!seed, call)),
            ("SequenceNumber", event.to_string()),
            ("Timestamp", "Mon, 23 Nov 2026 12:00:00 +0000".into()),
            ("To", self.neighbour(CUSTOMER)),
        ];
        if status == "completed" {
            form.push(("CallDuration", "42".into()));
            form.push(("Duration", "1".into()));
        }
        form
    }

    /// `X-Twilio-Signature` of a request to `target` with the parameters `form` in its body.
    fn sign(&self, target: &str, form: &[(&str, String)]) -> String {
        let mut sorted: Vec<_> = form.iter().collect();
        sorted.sort_unstable();
        // HMAC takes a key of any length.
        #[allow(clippy::expect_used, reason = "the error type is shared with ciphers of a fixed key length")]
        let mut mac = Hmac::<Sha1>::new_from_slice(self.auth_token.as_bytes()).expect("any length");
        mac.update(self.backend_url.trim_end_matches('/').as_bytes());
        mac.update(target.as_bytes());
        for (name, value) in sorted {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

fn call_sid(seed: u64, number: u64) -> String {
    format!("CA{seed:016x}{number:016x}")
}

fn encoded(form: &[(&str, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

fn signed(signature: &str) -> [(&'static str, String); 1] {
    [("x-twilio-signature", signature.to_owned())]
}

/// Request line and headers, without the empty line behind them. The agent is Twilio's own.
fn head(request: &mut Vec<u8>, line: &str, headers: &[(&str, String)]) {
    request.extend_from_slice(line.as_bytes());
    request
        .extend_from_slice(b" HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: TwilioProxy/1.1\r\naccept: */*\r\n");
    for (name, value) in headers {
        request.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
}

fn post_form(request: &mut Vec<u8>, path: &str, signature: &str, form: &[(&str, String)]) {
    head(request, &format!("POST {path}"), &signed(signature));
    finish(request, "application/x-www-form-urlencoded; charset=UTF-8", encoded(form).as_bytes());
}

fn finish(request: &mut Vec<u8>, content_type: &str, body: &[u8]) {
    let headers = format!("content-type: {content_type}\r\ncontent-length: {}\r\n\r\n", body.len());
    request.extend_from_slice(headers.as_bytes());
    request.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example in the tests of Twilio's Java, Python and Node libraries.
    #[test]
    fn the_signature_is_the_one_twilios_libraries_expect() {
        let form = [
            ("CallSid", "CA1234567890ABCDE".to_owned()),
            ("Caller", "+14158675309".to_owned()),
            ("Digits", "1234".to_owned()),
            ("From", "+14158675309".to_owned()),
            ("To", "+18005551212".to_owned()),
        ];
        let twilio = Twilio {
            auth_token: "12345".into(),
            backend_url: "https://mycompany.com".into(),
            ..Twilio::fictitious()
        };
        let signature = twilio.sign("/myapp.php?foo=1&bar=2", &form);
        assert_eq!(signature, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    }

    #[test]
    fn four_status_callbacks_are_one_leg() {
        let twilio = Twilio::fictitious();
        let sid = |number| twilio.status(7, number)[2].1.clone();
        assert_eq!(sid(0), sid(3));
        assert_ne!(sid(3), sid(4));
        assert_eq!(sid(0).len(), 34);
    }

    #[test]
    fn a_forged_request_differs_only_in_its_signature() {
        let twilio = Twilio::fictitious();
        let (mut genuine, mut forged) = (Vec::new(), Vec::new());
        twilio.write(Kind::TwimlPost, 1, 2, &mut genuine);
        twilio.write(Kind::TwimlForged, 1, 2, &mut forged);
        assert_eq!(genuine.len(), forged.len());
        assert_ne!(genuine, forged);
    }
}
