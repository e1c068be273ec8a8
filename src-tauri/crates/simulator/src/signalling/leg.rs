//! An SDK leg that is being set up or is up: its frames, its media, its losses and returns.

use std::future::pending;
use std::sync::Arc;

use dialer_media::transport::PeerEvent;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::media::{Media, MediaError};
use super::registry::{SdkInput, SdkRequest, SocketHandle};
use crate::audio::{Arriving, Pattern, PortId};
use crate::call::{End, Leg, LegCommand, LegState};
use crate::event::{DigitPath, Happening};
use crate::network::Network;

/// The payload of `hangup`.
pub(crate) fn hangup(callsid: &str, error: Option<(u32, &str)>) -> Value {
    match error {
        Some((code, message)) => json!({ "callsid": callsid, "error": { "code": code, "message": message } }),
        None => json!({ "callsid": callsid }),
    }
}

/// One SDK leg over one gateway peer.
pub(crate) struct SdkLeg {
    network: Arc<Network>,
    leg: Arc<Leg>,
    /// Where frames go; another one after a reconnection.
    socket: SocketHandle,
    /// What the SDK calls the leg until it has been told the CallSid.
    temporary: Option<String>,
    media: Media,
    port: PortId,
    arriving: Arriving,
    /// What the SDK must show to take the call up again.
    reconnect_token: String,
    /// When a lost socket ends the call.
    lost: Option<Instant>,
}

enum Next {
    GoOn,
    Over(End),
}

impl SdkLeg {
    /// Puts the leg, whose media is agreed on, on the switch. Whoever speaks to it may begin then.
    pub(crate) async fn plug_in(
        network: Arc<Network>,
        leg: Arc<Leg>,
        socket: SocketHandle,
        media: Media,
    ) -> Result<Self, MediaError> {
        let (line, arriving) = media.line().await?;
        let port = network.switch.add(Box::new(line));
        leg.set_port(port);
        let reconnect_token = uuid::Uuid::new_v4().simple().to_string();
        Ok(Self { network, leg, socket, temporary: None, media, port, arriving, reconnect_token, lost: None })
    }

    /// Says that the SDK placed this call and knows it by `temporary`.
    #[must_use]
    pub(crate) fn placed(mut self, temporary: String) -> Self {
        self.temporary = Some(temporary);
        self
    }

    /// Says that an invitation with this token was sent, so it must stay good.
    #[must_use]
    pub(crate) fn invited(mut self, reconnect_token: String) -> Self {
        self.reconnect_token = reconnect_token;
        self
    }

    /// Whether the SDK still has the call on this socket. It takes a `ringing` or `answer` for any
    /// call it has there (voice-sdk 2.18.5, `call.ts:1169`), so none may come after its hang-up.
    fn is_wanted(&self) -> bool {
        self.network.sdk_routes.is_on(self.leg.sid.as_str(), self.socket.id)
    }

    /// Answers to the SDK with our description; also the reply to a reconnection.
    pub(crate) fn send_answer(&mut self) {
        self.temporary = None;
        if !self.is_wanted() {
            return;
        }
        let payload = json!({
            "callsid": self.leg.sid,
            "sdp": self.media.sdp,
            "reconnect": self.reconnect_token,
        });
        self.socket.send("answer", &payload);
    }

    /// Serves the leg to its end. A leg that was answered on the way here (an incoming call) enters
    /// the answered state at once.
    pub(crate) async fn converse(
        mut self,
        mut commands: mpsc::UnboundedReceiver<LegCommand>,
        mut inputs: mpsc::UnboundedReceiver<SdkInput>,
    ) {
        if self.temporary.is_none() {
            self.leg.enter(&self.network, LegState::Answered);
        }
        let end = self.serve(&mut commands, &mut inputs).await;
        self.network.switch.remove(self.port);
        self.leg.enter(&self.network, LegState::Ended(end));
        self.media.peer.close().await;
    }

    async fn serve(
        &mut self,
        commands: &mut mpsc::UnboundedReceiver<LegCommand>,
        inputs: &mut mpsc::UnboundedReceiver<SdkInput>,
    ) -> End {
        let mut has_media = true;
        loop {
            let lost = self.lost;
            let given_up = async {
                match lost {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => {
                        if let Next::Over(end) = self.obey(command) {
                            return end;
                        }
                    }
                    None => return End::Completed,
                },
                Some(input) = inputs.recv() => {
                    if let Next::Over(end) = self.take(input).await {
                        return end;
                    }
                }
                event = self.media.events.recv(), if has_media => match event {
                    Some(event) => self.media_event(event),
                    None => has_media = false,
                },
                () = given_up => return self.end_by_sdk(),
            }
        }
    }

    fn obey(&mut self, command: LegCommand) -> Next {
        match command {
            LegCommand::Ring { early_media } => {
                let mut payload = json!({ "callsid": self.leg.sid });
                if early_media {
                    payload["sdp"] = json!(self.media.sdp);
                }
                if self.temporary.take().is_some() && self.is_wanted() {
                    self.socket.send("ringing", &payload);
                }
            }
            LegCommand::Answer => {
                if self.leg.state() != LegState::Answered {
                    self.send_answer();
                    self.leg.enter(&self.network, LegState::Answered);
                }
            }
            // A key the other party pressed is heard as its tones: what Twilio's gateway sends to an
            // SDK is not documented.
            LegCommand::Digit(digit, _) => {
                self.network.switch.play_next(self.port, Pattern::digits(&digit.to_string()));
            }
            LegCommand::Press(_) => {}
            LegCommand::End(end) => {
                self.hang_up(end);
                return Next::Over(end);
            }
        }
        Next::GoOn
    }

    /// Tells the SDK that the call is over; an error says why only if it was never up.
    fn hang_up(&self, end: End) {
        self.network.sdk_routes.vacate(self.leg.sid.as_str());
        let callsid = self.temporary.as_deref().unwrap_or(self.leg.sid.as_str());
        let error = if self.leg.state() == LegState::Answered { None } else { end.signalling_error() };
        self.socket.send("hangup", &hangup(callsid, error));
    }

    /// How the leg ends when the SDK's side ended it.
    fn end_by_sdk(&self) -> End {
        if self.leg.state() == LegState::Answered { End::Completed } else { End::Canceled }
    }

    async fn take(&mut self, input: SdkInput) -> Next {
        match input.request {
            SdkRequest::Hangup | SdkRequest::Reject => return Next::Over(self.end_by_sdk()),
            SdkRequest::Dtmf { digits } => {
                // `w` asks for half a second of waiting; digits that do not travel as sound need none.
                for digit in digits.chars().filter(|digit| matches!(digit, '0'..='9' | '*' | '#')) {
                    self.leg.pressed(digit, DigitPath::Signalling);
                }
            }
            SdkRequest::Reinvite { sdp } => self.renegotiate(&sdp).await,
            SdkRequest::Reconnect { token, .. } => self.reconnect(input.socket, &token),
            SdkRequest::SocketLost { keep_for } if input.socket.id == self.socket.id => {
                // Before the answer the SDK has no token to come back with, and gives the call up.
                if keep_for.is_zero() || self.leg.state() != LegState::Answered {
                    return Next::Over(self.end_by_sdk());
                }
                self.lost = Some(Instant::now() + keep_for);
            }
            // The socket is one the call has left, or the device answered twice.
            SdkRequest::SocketLost { .. } | SdkRequest::Answer { .. } => {}
        }
        Next::GoOn
    }

    /// ICE restart: a new offer in the same call.
    async fn renegotiate(&mut self, offer: &str) {
        match self.media.renegotiate(offer).await {
            Ok(()) => {
                if self.is_wanted() {
                    self.socket.send("answer", &json!({ "callsid": self.leg.sid, "sdp": self.media.sdp }));
                }
                self.network.record(Happening::LegRenegotiated { call_sid: self.leg.sid.clone() });
            }
            Err(problem) => {
                tracing::warn!(call = %self.leg.sid, %problem, "the new offer cannot be used");
                let mut payload = super::caller::error(31_100, "Malformed request: the SDP cannot be used");
                payload["callsid"] = json!(self.leg.sid);
                self.socket.send("error", &payload);
            }
        }
    }

    /// The SDK is back, on another socket or after a new token on the same. Media goes on as it is;
    /// the description in the reply is not applied by the SDK.
    fn reconnect(&mut self, socket: SocketHandle, token: &str) {
        if token != self.reconnect_token {
            let error = Some((31_209, "The reconnect token is not that of the call"));
            socket.send("hangup", &hangup(self.leg.sid.as_str(), error));
            return;
        }
        self.network.sdk_routes.place_on(self.leg.sid.as_str(), socket.id);
        self.socket = socket;
        self.lost = None;
        self.send_answer();
        self.network.record(Happening::LegReconnected { call_sid: self.leg.sid.clone() });
    }

    fn media_event(&mut self, event: PeerEvent) {
        match event {
            PeerEvent::Audio { packet, .. } => {
                self.leg.count_packet();
                self.arriving.push(packet);
            }
            PeerEvent::TelephoneEvent(digit) => self.leg.pressed(digit, DigitPath::TelephoneEvent),
            // The SDK judges its connection itself and restarts ICE or hangs up.
            PeerEvent::Ice(_) | PeerEvent::Connection(_) | PeerEvent::RemoteClosed => {}
        }
    }
}
