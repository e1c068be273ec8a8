//! Requests as Twilio sends and signs them.

use dialer_twilio::signature::{HmacAlgorithm, SignatureHeaders, SignedBody, WebhookKey, settings, sign};
use dialer_twilio::signature::{SignatureError, validate};
use dialer_twilio::webhook::Form;
use rand::RngExt as _;
use rand::rngs::StdRng;
use secrecy::SecretString;

use super::text;

/// A request, before it is signed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) secret: String,
    /// `None` for the Auth Token.
    pub(crate) shared: Option<HmacAlgorithm>,
    pub(crate) url: Address,
    /// Which port the signer wrote.
    pub(crate) port: SignedPort,
    pub(crate) body: Body,
}

/// The parts of a URL, unescaped by nobody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Address {
    pub(crate) scheme: &'static str,
    /// With its `@`, or empty.
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// Begins with a slash, or is empty.
    pub(crate) path: String,
    /// Without its `?`; never empty.
    pub(crate) query: Option<String>,
}

/// "sig generation on back end is inconsistent", say the official packages, about ports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SignedPort {
    None,
    AsConfiguredOrImplied,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// A GET: its parameters are in the query.
    None,
    Form(Vec<(String, String)>),
    /// Signed by its hash in the query.
    Json(String),
}

const NAMES: [&str; 16] = [
    "AccountSid",
    "ApiVersion",
    "CallSid",
    "CallStatus",
    "Called",
    "Caller",
    "Digits",
    "Direction",
    "From",
    "FromCity",
    "FromZip",
    "To",
    "ToState",
    "SipHeader_X-Tag",
    "CallId",
    "a[b]",
];
const UNRESERVED: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
const QUERY_PIECES: [&str; 12] = ["%20", "+", "%C3%A9", "%2F", "/", ":", "@", "!", "*", "(", ",", "'"];

impl Request {
    pub(crate) fn any(random: &mut StdRng) -> Self {
        let mut url = Address::any(random);
        let body = match random.random_range(0..10) {
            0 => Body::None,
            1 => {
                let body = format!("{{\"text\":{:?}}}", text::any(random));
                // The hash is the last parameter or the only one.
                let plain = url.query.take().map(|query| format!("{query}&")).unwrap_or_default();
                url.query = Some(format!("{plain}bodySHA256={}", sha256(&body)));
                Body::Json(body)
            }
            _ => Body::Form(pairs(random)),
        };
        if body == Body::None && random.random_bool(0.8) {
            url.query =
                Some(pairs(random).into_iter().collect::<Form>().encode()).filter(|query| !query.is_empty());
        }
        let port = if random.random() { SignedPort::None } else { SignedPort::AsConfiguredOrImplied };
        let shared = match random.random_range(0..6) {
            0 => Some(HmacAlgorithm::Sha1),
            1 => Some(HmacAlgorithm::Sha256),
            _ => None,
        };
        Self { secret: text::of(random, "0123456789abcdef", 32..33), shared, url, port, body }
    }

    pub(crate) fn key(&self) -> WebhookKey {
        let secret = SecretString::from(self.secret.clone());
        match self.shared {
            None => WebhookKey::AuthToken(secret),
            Some(algorithm) => WebhookKey::SharedKey { id: "key_1".into(), algorithm, secret },
        }
    }

    /// The address that Twilio signed.
    pub(crate) fn signed_url(&self) -> String {
        match self.port {
            SignedPort::None => self.url.with_port(None),
            SignedPort::AsConfiguredOrImplied => self.url.with_port(Some(self.url.some_port())),
        }
    }

    pub(crate) fn signed_body(&self) -> SignedBody<'_> {
        match &self.body {
            Body::None => SignedBody::Form(&[]),
            Body::Form(pairs) => SignedBody::Form(pairs),
            Body::Json(text) => SignedBody::Raw(text.as_bytes()),
        }
    }

    /// Our signature.
    pub(crate) fn sign(&self) -> String {
        sign(&self.key(), &self.signed_url(), self.signed_body())
    }

    /// Our verdict, on the request as it comes off the wire.
    pub(crate) fn check(&self, signature: &str) -> Result<(), SignatureError> {
        let key = self.key();
        let settings = settings(&key);
        let headers = SignatureHeaders { signature: Some(signature), settings: settings.as_deref() };
        let received;
        let body = match &self.body {
            Body::Form(pairs) => {
                let sent: Form = pairs.iter().cloned().collect();
                received = Form::parse(sent.encode().as_bytes());
                SignedBody::Form(received.pairs())
            }
            Body::None | Body::Json(_) => self.signed_body(),
        };
        validate(&key, headers, &self.url.text(), body)
    }

    /// What the signature of this request may be of, as Twilio's documentation puts it: the address, then every
    /// name and value, sorted.
    pub(crate) fn readings(&self) -> [String; 2] {
        let mut pairs = match &self.body {
            Body::Form(pairs) => pairs.clone(),
            Body::None | Body::Json(_) => Vec::new(),
        };
        pairs.sort();
        pairs.dedup();
        let parameters: String = pairs.into_iter().flat_map(|(name, value)| [name, value]).collect();
        [None, Some(self.url.some_port())].map(|port| format!("{}{parameters}", self.url.with_port(port)))
    }

    /// Whether the body is the one whose hash the address names.
    pub(crate) fn hash_fits(&self) -> bool {
        let Body::Json(body) = &self.body else { return true };
        let query = self.url.query.as_deref().unwrap_or_default();
        let hash = query.rsplit_once("bodySHA256=").map(|(_, hash)| hash);
        hash == Some(&sha256(body))
    }
}

impl Address {
    fn any(random: &mut StdRng) -> Self {
        let scheme = if random.random_bool(0.9) { "https" } else { "http" };
        let port = random.random_bool(0.3).then(|| {
            if random.random_bool(0.4) {
                if scheme == "https" { 443 } else { 80 }
            } else {
                random.random_range(1..u16::MAX)
            }
        });
        // With both, twilio-python takes the password for the port.
        let user = if port.is_none() && random.random_bool(0.1) {
            format!("{}:{}@", text::of(random, UNRESERVED, 1..6), text::of(random, UNRESERVED, 1..6))
        } else {
            String::new()
        };
        let host = format!(
            "{}.{}",
            text::of(random, "abcdefghijklmnopqrstuvwxyz0123456789", 1..12),
            text::one(random, &["example", "trycloudflare.com", "ngrok-free.app"])
        );
        let mut path = String::new();
        for _ in 0..random.random_range(0..4) {
            path.push('/');
            path.push_str(&text::of(random, UNRESERVED, 0..8));
            if random.random_bool(0.1) {
                path.push_str(text::one(random, &["%20", "%C3%A9", ":", "@", "'", "(", "+"]));
            }
        }
        Self { scheme, user, host, port, path, query: random.random_bool(0.3).then(|| query(random)) }
    }

    /// As Twilio has it, and as the gateway puts it together.
    pub(crate) fn text(&self) -> String {
        self.with_port(self.port)
    }

    fn with_port(&self, port: Option<u16>) -> String {
        let Self { scheme, user, host, path, .. } = self;
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{user}{host}{port}{path}{query}")
    }

    fn some_port(&self) -> u16 {
        self.port.unwrap_or(if self.scheme == "https" { 443 } else { 80 })
    }
}

fn query(random: &mut StdRng) -> String {
    let mut query = text::of(random, UNRESERVED, 1..6);
    for _ in 0..random.random_range(0..5) {
        query.push_str(text::one(random, &["=", "&", "k=", "&v="]));
        query.push_str(&text::of(random, UNRESERVED, 0..6));
        if random.random_bool(0.3) {
            query.push_str(text::one(random, &QUERY_PIECES));
        }
    }
    query
}

/// Parameters with repetitions and empty values. Names have no characters beyond U+D7FF, among which
/// twilio-node sorts otherwise than Twilio.
fn pairs(random: &mut StdRng) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for _ in 0..random.random_range(0..12) {
        let name = match random.random_range(0..8) {
            0 => text::of(random, "abcXYZ019_-.", 1..20),
            1 => text::one(random, &["имя", "Ünïcode", "a b", "名", "=", ""]).to_owned(),
            _ => text::one(random, &NAMES).to_owned(),
        };
        let times = if random.random_bool(0.1) { random.random_range(2..4) } else { 1 };
        for _ in 0..times {
            pairs.push((name.clone(), value(random)));
        }
        if random.random_bool(0.05) {
            pairs.extend(pairs.last().cloned());
        }
    }
    pairs
}

fn value(random: &mut StdRng) -> String {
    match random.random_range(0..6) {
        0 => String::new(),
        1 => format!("+1202555{:04}", random.random_range(0..10_000)),
        2 => format!("CA{}", text::of(random, "0123456789abcdef", 32..33)),
        3 => format!("client:{}", text::of(random, "abc_019", 1..12)),
        _ => text::any(random),
    }
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}
