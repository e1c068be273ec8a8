//! Signalling as the Voice SDK speaks it.

use dialer_domain::sid::CallSid;
use dialer_simulator::Simulator;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use super::{PATIENCE, Phone};

/// One signalling socket of one device.
pub(crate) struct Sdk {
    out: mpsc::UnboundedSender<Message>,
    frames: mpsc::UnboundedReceiver<Value>,
    /// Frames that were read while waiting for others.
    passed_over: Vec<Value>,
}

impl Sdk {
    pub(crate) async fn connect(simulator: &Simulator) -> Self {
        Self::try_connect(simulator).await.unwrap()
    }

    pub(crate) async fn try_connect(
        simulator: &Simulator,
    ) -> Result<Self, tokio_tungstenite::tungstenite::Error> {
        let url = format!("ws://{}/signal", simulator.signal_host());
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        let (mut sink, mut stream) = socket.split();
        let (out, mut outgoing) = mpsc::unbounded_channel::<Message>();
        let (incoming, frames) = mpsc::unbounded_channel();
        let echo = out.downgrade();
        tokio::spawn(async move {
            while let Some(message) = outgoing.recv().await {
                if sink.send(message).await.is_err() {
                    return;
                }
            }
            let _ = sink.close().await;
        });
        tokio::spawn(async move {
            while let Some(Ok(message)) = stream.next().await {
                let Message::Text(text) = message else { continue };
                if text.as_str() == "\n" {
                    if let Some(out) = echo.upgrade() {
                        let _ = out.send(Message::text("\n"));
                    }
                    let _ = incoming.send(json!({ "type": "heartbeat" }));
                } else {
                    let _ = incoming.send(serde_json::from_str(&text).unwrap());
                }
            }
            let _ = incoming.send(json!({ "type": "socket-closed" }));
        });
        Ok(Self { out, frames, passed_over: Vec::new() })
    }

    pub(crate) fn send(&self, kind: &str, payload: Value) {
        self.send_text(json!({ "type": kind, "version": "1.6", "payload": payload }).to_string());
    }

    pub(crate) fn send_text(&self, text: impl Into<String>) {
        let _ = self.out.send(Message::text(text.into()));
    }

    /// The payload of the next frame of this type.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        if let Some(index) = self.passed_over.iter().position(|frame| frame["type"] == kind) {
            return self.passed_over.remove(index)["payload"].take();
        }
        let waiting = async {
            loop {
                let mut frame = self.frames.recv().await.expect("the socket is open");
                if frame["type"] == kind {
                    return frame["payload"].take();
                }
                assert_ne!(frame["type"], "socket-closed", "closed while waiting for {kind}");
                self.passed_over.push(frame);
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(payload) => payload,
            Err(_) => panic!("no {kind} came, but {:?}", self.passed_over),
        }
    }

    /// Waits until the other side has closed the socket.
    pub(crate) async fn expect_close(&mut self) {
        let waiting = async {
            while let Some(frame) = self.frames.recv().await {
                if frame["type"] == "socket-closed" {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the socket closes");
    }

    /// Types of all frames read or waiting that nobody expected, heartbeats left out.
    pub(crate) fn unexpected(&mut self) -> Vec<String> {
        while let Ok(frame) = self.frames.try_recv() {
            self.passed_over.push(frame);
        }
        let kinds = self.passed_over.iter().map(|frame| frame["type"].as_str().unwrap().to_owned());
        kinds.filter(|kind| kind != "heartbeat").collect()
    }

    pub(crate) async fn listen(&mut self, token: &str, reconnect_timeout_s: u32) -> Value {
        self.send_listen(token, reconnect_timeout_s);
        self.expect("connected").await
    }

    pub(crate) fn send_listen(&self, token: &str, reconnect_timeout_s: u32) {
        let browser = json!({ "platform": "test", "userAgent": "test" });
        let info = json!({ "browser": browser, "p": "browser", "plugin": "rtc", "v": "2.18.5" });
        self.send(
            "listen",
            json!({ "browserinfo": info, "reconnectTimeout": reconnect_timeout_s, "token": token }),
        );
    }

    pub(crate) async fn register(&mut self) {
        self.send("register", json!({ "media": { "audio": true } }));
        self.expect("ready").await;
    }

    /// Invites as `device.connect({ params })` does; the phone's offer goes along.
    pub(crate) async fn invite(&self, phone: &Phone, params: &str) -> String {
        let temporary = format!("TJS{}", uuid::Uuid::new_v4());
        let twilio = if params.is_empty() { json!({}) } else { json!({ "params": params }) };
        self.send("invite", json!({ "callsid": temporary, "sdp": phone.offer().await, "twilio": twilio }));
        temporary
    }

    /// Waits for `answer`, applies it, and gives the CallSid and the reconnect token.
    pub(crate) async fn answered(&mut self, phone: &Phone) -> (CallSid, String) {
        let answer = self.expect("answer").await;
        phone.accept_answer(answer["sdp"].as_str().unwrap()).await;
        (call_sid(&answer), answer["reconnect"].as_str().unwrap().to_owned())
    }

    /// Waits for `invite` and answers it.
    pub(crate) async fn answer_invite(&mut self, phone: &Phone) -> Value {
        let invite = self.expect("invite").await;
        let sdp = phone.answer(invite["sdp"].as_str().unwrap()).await;
        self.send("answer", json!({ "callsid": invite["callsid"], "sdp": sdp }));
        invite
    }
}

pub(crate) fn call_sid(payload: &Value) -> CallSid {
    CallSid::parse(payload["callsid"].as_str().unwrap()).unwrap()
}
