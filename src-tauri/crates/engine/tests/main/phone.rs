//! The page's part of a call, without a page: the Voice SDK's signalling (voice-sdk 2.18.5,
//! `pstream.ts`) spoken by hand, over the same commands the page uses.

use dialer_domain::call::{CallDirection, CallId, SdkCallEvent};
use dialer_domain::sid::CallSid;
use dialer_engine::api::{
    CallPermit, CallReport, Commands as _, DeviceReport, DeviceState, PageId, SignallingView,
};
use dialer_engine::core::Core;
use dialer_media::api::{CodecName, PeerConfig, PeerId, SdpType};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const CODECS: [CodecName; 2] = [CodecName::Opus, CodecName::Pcmu];

/// A registered phone.
pub(crate) struct Phone {
    core: Core,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A call that is up, or about to be.
pub(crate) struct Call {
    pub(crate) id: CallId,
    pub(crate) sid: CallSid,
    peer: PeerId,
    direction: CallDirection,
    other: String,
}

impl Phone {
    pub(crate) async fn register(core: Core) -> Self {
        let snapshot = core.snapshot(PageId(uuid::Uuid::new_v4())).await.unwrap();
        let SignallingView::Practice { host } = snapshot.signalling else { panic!("practice mode only") };
        let token = core.issue_access_token().await.unwrap().token;
        let (socket, _) = connect_async(format!("ws://{host}/signal")).await.unwrap();
        let mut phone = Self { core, socket };
        let browser = json!({ "p": "browser", "plugin": "rtc", "v": "2.18.5", "browser": { "platform": "test", "userAgent": "test" } });
        phone.send("listen", json!({ "browserinfo": browser, "reconnectTimeout": 30, "token": token })).await;
        phone.expect("connected").await;
        phone.send("register", json!({ "media": { "audio": true } })).await;
        phone.expect("ready").await;
        phone.core.report_device(DeviceReport { state: DeviceState::Registered, error: None }).await.unwrap();
        phone
    }

    pub(crate) async fn call(&mut self, to: &str) -> Call {
        let id = CallId(uuid::Uuid::new_v4());
        let permit = self.core.prepare_call(id, to.to_owned(), None, false).await.unwrap();
        assert_eq!(permit, CallPermit::Go { to: to.to_owned() });
        self.connect(id, to).await
    }

    /// What the SDK does, whether or not the call may be placed.
    pub(crate) async fn connect(&mut self, id: CallId, to: &str) -> Call {
        let mut call = Call {
            id,
            sid: CallSid::from_bytes([0; 16]),
            peer: self.core.voice_create(PeerConfig::default()).await.unwrap(),
            direction: CallDirection::Outgoing,
            other: to.to_owned(),
        };
        self.report(&call, None, SdkCallEvent::Dialing).await;
        let offer = self.core.voice_create_offer(call.peer, CODECS.to_vec(), false).await.unwrap();
        self.core.voice_set_local(call.peer, SdpType::Offer, offer.clone()).await.unwrap();
        let params = format!("To={}&CallId={id}", to.replace('+', "%2B"));
        let temporary = format!("TJS{}", uuid::Uuid::new_v4());
        self.send("invite", json!({ "callsid": temporary, "sdp": offer, "twilio": { "params": params } }))
            .await;
        // Whoever is taken out of a queue does not ring.
        let (mut kind, mut answer) = self.expect_any(&["ringing", "answer"]).await;
        call.sid = CallSid::parse(answer["callsid"].as_str().unwrap()).unwrap();
        if kind == "ringing" {
            self.report(&call, Some(&call.sid), SdkCallEvent::Ringing).await;
            (kind, answer) = self.expect_any(&["answer"]).await;
        }
        assert_eq!(kind, "answer");
        let sdp = answer["sdp"].as_str().unwrap().to_owned();
        self.core.voice_set_remote(call.peer, SdpType::Answer, sdp).await.unwrap();
        self.report(&call, Some(&call.sid), SdkCallEvent::Accepted).await;
        call
    }

    pub(crate) async fn answer(&mut self) -> Call {
        let invite = self.expect("invite").await;
        let parameters = &invite["parameters"];
        let call = Call {
            id: CallId(uuid::Uuid::new_v4()),
            sid: CallSid::parse(invite["callsid"].as_str().unwrap()).unwrap(),
            peer: self.core.voice_create(PeerConfig::default()).await.unwrap(),
            direction: CallDirection::Incoming,
            other: parameters["From"].as_str().unwrap().to_owned(),
        };
        self.report(&call, Some(&call.sid), SdkCallEvent::Incoming).await;
        let offer = invite["sdp"].as_str().unwrap().to_owned();
        self.core.voice_set_remote(call.peer, SdpType::Offer, offer).await.unwrap();
        let answer = self.core.voice_create_answer(call.peer, CODECS.to_vec()).await.unwrap();
        self.core.voice_set_local(call.peer, SdpType::Answer, answer.clone()).await.unwrap();
        self.send("answer", json!({ "callsid": call.sid.as_str(), "sdp": answer })).await;
        self.report(&call, Some(&call.sid), SdkCallEvent::Accepted).await;
        call
    }

    pub(crate) async fn hang_up(&mut self, call: &Call) {
        self.send("hangup", json!({ "callsid": call.sid.as_str() })).await;
        self.report(call, Some(&call.sid), SdkCallEvent::HungUp).await;
        self.over(call).await;
    }

    pub(crate) async fn remote_hang_up(&mut self, call: &Call) {
        self.expect("hangup").await;
        self.over(call).await;
    }

    async fn over(&mut self, call: &Call) {
        self.core.voice_close(call.peer).await.unwrap();
        self.report(call, Some(&call.sid), SdkCallEvent::Ended).await;
    }

    async fn report(&self, call: &Call, sid: Option<&CallSid>, what: SdkCallEvent) {
        let report = CallReport {
            call: call.id,
            direction: call.direction,
            call_sid: sid.cloned(),
            parent_call_sid: None,
            peer: call.other.clone(),
            our_number: None,
            what,
        };
        self.core.report_call(report).await.unwrap();
    }

    async fn send(&mut self, kind: &str, payload: Value) {
        let frame = json!({ "type": kind, "version": "1.6", "payload": payload });
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The payload of the next frame of this kind.
    async fn expect(&mut self, kind: &str) -> Value {
        self.expect_any(&[kind]).await.1
    }

    /// Kind and payload of the next frame of one of these kinds; others are passed over, heartbeats echoed.
    async fn expect_any(&mut self, kinds: &[&str]) -> (String, Value) {
        loop {
            let message = self.socket.next().await.expect("the socket stays open").unwrap();
            let Message::Text(text) = message else { continue };
            if text.as_str() == "\n" {
                self.socket.send(Message::text("\n")).await.unwrap();
                continue;
            }
            let frame: Value = serde_json::from_str(&text).unwrap();
            assert!(frame["type"] != "error", "the simulator refused: {frame}");
            let kind = frame["type"].as_str().unwrap();
            if kinds.contains(&kind) {
                return (kind.to_owned(), frame["payload"].clone());
            }
        }
    }
}
