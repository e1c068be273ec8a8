//! One signalling socket, from `listen` to its end.
//!
//! What is known of Twilio's behaviour comes from the Voice SDK's side (voice-sdk 2.18.5,
//! `pstream.ts`, `device.ts`, `wstransport.ts`). Not known, and chosen here: a refused token leaves
//! the socket open for the next `listen`; a token that runs out gets `error` 31205 and, if the device
//! was registered, `offline`, while a call in progress goes on; a `register` with a token that does
//! not allow incoming calls gets `error` 31201.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use dialer_domain::sid::{ApiKeySid, CallSid};
use dialer_twilio::access_token::{SigningKey, VerifiedToken, verify};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::caller::{Invite, error, place_call};
use super::frame::{self, CallMessage, FromSdk, HEARTBEAT};
use super::leg::hangup;
use super::registry::{SdkInput, SdkRequest, SocketHandle, ToSocket};
use crate::account::KeyClass;
use crate::event::Happening;
use crate::network::Network;

/// The SDK drops a socket after 15 s of silence; trial servers sent every 3 to 5 s.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(4);
/// `messagetype` of the SDK's call messages.
const USER_DEFINED_MESSAGE: &str = "user-defined-message";
/// Largest content of a call message, in bytes of JSON: our choice; the true limit is not documented.
const LARGEST_MESSAGE: usize = 10_000;

/// Serves a socket to its end.
pub(crate) async fn serve(network: Arc<Network>, websocket: WebSocket) {
    let id = network.next_socket();
    let (sink, stream) = websocket.split();
    let (out, frames) = mpsc::unbounded_channel();
    let socket = SocketHandle { id, out };
    network.registry.add(socket.clone());
    network.record(Happening::SocketOpened { socket: id });
    let (broken, writer_gone) = oneshot::channel::<()>();
    let writer_network = Arc::clone(&network);
    network.spawn(async move {
        write(writer_network, sink, frames).await;
        drop(broken);
    });
    let mut session = Session {
        network: Arc::clone(&network),
        socket: socket.clone(),
        token: None,
        expired: false,
        registered: false,
        keep_for: Duration::ZERO,
    };
    session.read(stream, writer_gone).await;
    network.registry.remove(id);
    session.unregister();
    if let Some(token) = &session.token {
        network.sdk_routes.socket_lost(&socket, token.identity.as_str(), session.keep_for);
    }
    network.record(Happening::SocketClosed { socket: id });
}

/// Writes frames and heartbeats until the socket is cut, fails, or the simulator stops.
async fn write(
    network: Arc<Network>,
    mut sink: SplitSink<WebSocket, Message>,
    mut frames: mpsc::UnboundedReceiver<ToSocket>,
) {
    let mut heartbeat = tokio::time::interval(HEARTBEAT_INTERVAL);
    heartbeat.reset();
    let stopping = network.stopping();
    tokio::pin!(stopping);
    loop {
        let text = tokio::select! {
            frame = frames.recv() => match frame {
                Some(ToSocket::Frame(text)) => text,
                Some(ToSocket::Cut) | None => return,
            },
            _ = heartbeat.tick() => {
                if network.faults().withhold_heartbeats {
                    continue;
                }
                HEARTBEAT.to_owned()
            }
            () = &mut stopping => {
                let goodbye = CloseFrame { code: close_code::AWAY, reason: "the simulator stops".into() };
                // The other side may be gone already.
                let _ = sink.send(Message::Close(Some(goodbye))).await;
                return;
            }
        };
        tokio::time::sleep(Duration::from_millis(network.faults().delay_signalling_ms)).await;
        if sink.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}

/// The key `sid` if tokens can be signed with it: one of the account's, which must be active, and not a
/// restricted one (twilio.com/docs/iam/api-keys/restricted-api-keys).
fn signing_key(network: &Network, sid: &ApiKeySid) -> Option<SigningKey> {
    let resources = network.resources();
    let key = resources.key(sid).filter(|key| key.class != KeyClass::Restricted)?;
    let account_sid = network.account.account_sid.clone();
    resources.is_active().then(|| SigningKey { account_sid, secret: key.secret.clone() })
}

struct Session {
    network: Arc<Network>,
    socket: SocketHandle,
    token: Option<VerifiedToken>,
    /// The token was good once and has run out.
    expired: bool,
    registered: bool,
    /// How long calls outlive the socket: `reconnectTimeout` of the newest `listen`.
    keep_for: Duration,
}

impl Session {
    async fn read(&mut self, mut stream: SplitStream<WebSocket>, mut writer_gone: oneshot::Receiver<()>) {
        loop {
            let expiry = self.time_to_expiry();
            let run_out = async {
                match expiry {
                    Some(span) => tokio::time::sleep(span).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                message = stream.next() => match message {
                    Some(Ok(Message::Text(text))) => self.frame(&text),
                    Some(Ok(Message::Binary(_))) => self.refuse_frame("binary frames are not part of the protocol"),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                },
                _ = &mut writer_gone => return,
                () = run_out => self.token_ran_out(),
            }
        }
    }

    fn time_to_expiry(&self) -> Option<Duration> {
        let token = self.token.as_ref().filter(|_| !self.expired)?;
        let left_ms = token.expires_at_s.saturating_mul(1000).saturating_sub(self.network.twilio_now_ms());
        Some(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)))
    }

    fn frame(&mut self, text: &str) {
        if text == HEARTBEAT {
            return;
        }
        match frame::read(text) {
            Ok(frame) => self.obey(frame),
            Err(problem) => self.refuse_frame(&problem.to_string()),
        }
    }

    fn refuse_frame(&self, reason: &str) {
        self.socket.send("error", &error(31_100, &format!("Malformed request: {reason}")));
        self.network.record(Happening::FrameRefused { socket: self.socket.id, reason: reason.to_owned() });
    }

    fn obey(&mut self, frame: FromSdk) {
        match frame {
            FromSdk::Listen { token, reconnect_timeout } => self.listen(&token, reconnect_timeout),
            FromSdk::Register { audio: true } => self.register(),
            FromSdk::Register { audio: false } => {
                self.unregister();
                self.socket.send("offline", &json!({}));
            }
            FromSdk::Invite { callsid, sdp, params } => match self.good_token() {
                Ok(token) => {
                    let token = token.clone();
                    place_call(&self.network, &self.socket, &token, Invite { callsid, sdp, params });
                }
                Err(refusal) => self.socket.send("hangup", &hangup(&callsid, Some(refusal))),
            },
            FromSdk::Reconnect { callsid, sdp, token } => {
                self.pass_or_end(&callsid, SdkRequest::Reconnect { token, sdp });
            }
            FromSdk::Answer { callsid, sdp } => self.pass_or_end(&callsid, SdkRequest::Answer { sdp }),
            FromSdk::Reinvite { callsid, sdp } => self.pass_or_end(&callsid, SdkRequest::Reinvite { sdp }),
            // These three may cross the end of the call on the wire; then there is nothing to do.
            FromSdk::Dtmf { callsid, digits } => drop(self.pass(&callsid, SdkRequest::Dtmf { digits })),
            FromSdk::Hangup { callsid } => drop(self.pass(&callsid, SdkRequest::Hangup)),
            FromSdk::Reject { callsid } => drop(self.pass(&callsid, SdkRequest::Reject)),
            FromSdk::Message(message) => self.message(&message),
        }
    }

    fn listen(&mut self, token: &str, reconnect_timeout: Duration) {
        let network = Arc::clone(&self.network);
        let checked =
            verify(token, network.twilio_now_ms().div_euclid(1000), |key| signing_key(&network, key));
        let token = match checked {
            Ok(token) => token,
            Err(refusal) => {
                self.refuse_token(refusal.signalling_code(), &refusal.to_string());
                return;
            }
        };
        if self.registered && self.token.as_ref().is_some_and(|old| old.identity != token.identity) {
            self.unregister();
        }
        let ttl = token.expires_at_s.saturating_sub(network.twilio_now_ms().div_euclid(1000));
        self.socket.send(
            "connected",
            &json!({
                "region": "US_EAST_VIRGINIA",
                "edge": "ashburn",
                "home": "us1",
                "gateway": "practice",
                "token": { "identity": token.identity, "ttl": ttl },
            }),
        );
        network.record(Happening::TokenAccepted {
            socket: self.socket.id,
            identity: token.identity.to_string(),
        });
        self.keep_for = reconnect_timeout;
        self.expired = false;
        self.token = Some(token);
    }

    fn refuse_token(&self, code: u32, reason: &str) {
        self.socket.send("error", &error(code, reason));
        let reason = reason.to_owned();
        self.network.record(Happening::TokenRefused { socket: self.socket.id, code, reason });
    }

    fn token_ran_out(&mut self) {
        self.expired = true;
        self.refuse_token(31_205, "the token has expired");
        if self.registered {
            self.unregister();
            self.socket.send("offline", &json!({}));
        }
    }

    /// The token, if it is good now, or what to answer instead.
    fn good_token(&self) -> Result<&VerifiedToken, (u32, &'static str)> {
        match &self.token {
            Some(_) if self.expired => Err((31_205, "the token has expired")),
            Some(token) if signing_key(&self.network, &token.key_sid).is_none() => Err((
                31_203,
                "the API key of the token does not exist any more, or the account is not active",
            )),
            Some(token) => Ok(token),
            None => Err((31_201, "Not authorized: no access token was accepted")),
        }
    }

    fn register(&mut self) {
        let token = match self.good_token() {
            Ok(token) => token,
            Err((code, text)) => return self.socket.send("error", &error(code, text)),
        };
        if !token.incoming {
            let text = "Not authorized: the token does not allow incoming calls";
            return self.socket.send("error", &error(31_201, text));
        }
        let identity = token.identity.to_string();
        // The SDK registers again every 30 s and expects no answer then; one does no harm.
        if !self.registered {
            self.registered = true;
            self.network.registry.register(self.socket.id, Some(identity.clone()));
            self.network.record(Happening::Registered { socket: self.socket.id, identity });
        }
        self.socket.send("ready", &json!({}));
    }

    fn unregister(&mut self) {
        if std::mem::take(&mut self.registered) {
            self.network.registry.register(self.socket.id, None);
            let identity = self.token.as_ref().map(|token| token.identity.to_string()).unwrap_or_default();
            self.network.record(Happening::Unregistered { socket: self.socket.id, identity });
        }
    }

    fn pass(&self, callsid: &str, request: SdkRequest) -> bool {
        // A call outlives its token, so an expired one still speaks for its calls.
        let Some(token) = &self.token else { return false };
        let input = SdkInput { socket: self.socket.clone(), request };
        self.network.sdk_routes.pass(callsid, token.identity.as_str(), input)
    }

    /// Passes a request on, or tells the SDK that the call is over: it ended while its socket was lost.
    fn pass_or_end(&self, callsid: &str, request: SdkRequest) {
        if !self.pass(callsid, request) {
            self.socket.send("hangup", &hangup(callsid, None));
        }
    }

    /// A user-defined message: acknowledged and logged. At Twilio it goes to the subscribers of the
    /// call's messages, which are set up by REST.
    fn message(&self, message: &CallMessage) {
        let refuse = |code: u32, text: &str| {
            let mut payload = error(code, text);
            payload["callsid"] = json!(message.callsid);
            payload["voiceeventsid"] = json!(message.voiceeventsid);
            self.socket.send("error", &payload);
        };
        let content = message.content.to_string();
        let known = CallSid::parse(&message.callsid).ok().and_then(|sid| self.network.leg(&sid));
        let Some(leg) = known.filter(|leg| !leg.status().is_final()) else {
            return refuse(31_404, "Not Found: there is no such call");
        };
        if message.messagetype != USER_DEFINED_MESSAGE {
            return refuse(31_210, "Call Message Event Type is invalid");
        }
        if content.len() > LARGEST_MESSAGE {
            return refuse(31_212, "Call Message payload size exceeds the limit");
        }
        self.network.record(Happening::MessageReceived {
            call_sid: leg.sid.clone(),
            message_type: message.messagetype.clone(),
            content,
        });
        self.socket.send(
            "ack",
            &json!({ "acktype": "message", "callsid": message.callsid, "voiceeventsid": message.voiceeventsid }),
        );
    }
}
