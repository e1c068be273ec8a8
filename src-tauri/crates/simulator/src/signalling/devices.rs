//! Ringing the devices of a client identity.
//!
//! Every device registered when the ringing begins gets an `invite` with its own media offer and the
//! same CallSid; the first to answer wins and the others get `cancel`. How Twilio rings several
//! devices of one identity is not documented in this detail. That one device's refusal leaves the
//! others ringing, and that the call counts as declined once all have refused, are our choices; a
//! refusal reaches the caller as `busy`, as reported from the field. With no device registered the
//! caller hears it ring until the timeout, as at Twilio.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::caller::custom_parameters;
use super::leg::{SdkLeg, hangup};
use super::media::Media;
use super::registry::{SdkInput, SdkRequest, SocketHandle};
use crate::call::{End, Leg, LegCommand, LegState};
use crate::network::Network;
use crate::webhook::API_VERSION;

/// Whom to ring and what to tell.
pub(crate) struct Invitation {
    pub(crate) identity: String,
    pub(crate) parameters: Vec<(String, String)>,
    /// Whether the caller's number is attested (`StirStatus`); practice numbers are.
    pub(crate) attested: bool,
}

struct Device {
    socket: SocketHandle,
    media: Media,
}

/// Rings until a device answers and serves the call then; or until the leg is ended.
pub(crate) async fn ring_devices(
    network: Arc<Network>,
    leg: Arc<Leg>,
    mut commands: mpsc::UnboundedReceiver<LegCommand>,
    invitation: Invitation,
) {
    let (sender, mut inputs) = mpsc::unbounded_channel();
    network.sdk_routes.open(leg.sid.as_str(), &invitation.identity, None, sender);
    let reconnect_token = uuid::Uuid::new_v4().simple().to_string();
    let devices = invite_all(&network, &leg, &invitation, &reconnect_token).await;
    leg.enter(&network, LegState::Ringing);
    match wait_for_answer(&network, &leg, devices, &reconnect_token, &mut commands, &mut inputs).await {
        Ok(Answered { device, forwarded }) => {
            network.sdk_routes.place_on(leg.sid.as_str(), device.socket.id);
            let Device { socket, media } = device;
            match SdkLeg::plug_in(Arc::clone(&network), Arc::clone(&leg), socket.clone(), media).await {
                Ok(sdk) => {
                    let mut sdk = sdk.invited(reconnect_token);
                    if forwarded {
                        sdk.send_answer();
                    }
                    sdk.converse(commands, inputs).await;
                }
                Err(problem) => {
                    tracing::warn!(call = %leg.sid, %problem, "the leg has no sound");
                    let error = Some((53_402, "The media description cannot be used"));
                    socket.send("hangup", &hangup(leg.sid.as_str(), error));
                    leg.enter(
                        &network,
                        LegState::Ended(End::Failed { sip_code: 488, error_code: Some(53_402) }),
                    );
                }
            }
        }
        Err(end) => leg.enter(&network, LegState::Ended(end)),
    }
    network.sdk_routes.close(leg.sid.as_str());
}

async fn invite_all(
    network: &Network,
    leg: &Leg,
    invitation: &Invitation,
    reconnect_token: &str,
) -> Vec<Device> {
    let mut devices = Vec::new();
    for socket in network.registry.devices_of(&invitation.identity) {
        match Media::offer(network).await {
            Ok(media) => {
                let parameters = parameters(network, leg, invitation);
                let payload = json!({
                    "callsid": leg.sid,
                    "sdp": media.sdp,
                    "parameters": parameters,
                    "reconnect": reconnect_token,
                });
                socket.send("invite", &payload);
                devices.push(Device { socket, media });
            }
            Err(problem) => tracing::warn!(call = %leg.sid, %problem, "no media for an invitation"),
        }
    }
    devices
}

fn parameters(network: &Network, leg: &Leg, invitation: &Invitation) -> Value {
    let mut parameters = json!({
        "CallSid": leg.sid,
        "From": leg.from,
        "To": leg.to,
        "AccountSid": network.account.account_sid,
        "ApiVersion": API_VERSION,
        "Direction": "inbound",
        "Params": custom_parameters(&invitation.parameters),
    });
    if invitation.attested {
        parameters["StirStatus"] = json!("TN-Validation-Passed-A");
    }
    parameters
}

struct Answered {
    device: Device,
    /// Taken by a device that was not invited, with a connect token: it waits for our answer.
    forwarded: bool,
}

async fn wait_for_answer(
    network: &Network,
    leg: &Leg,
    mut devices: Vec<Device>,
    reconnect_token: &str,
    commands: &mut mpsc::UnboundedReceiver<LegCommand>,
    inputs: &mut mpsc::UnboundedReceiver<SdkInput>,
) -> Result<Answered, End> {
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(LegCommand::End(end)) => {
                    cancel(leg, devices).await;
                    return Err(end);
                }
                Some(LegCommand::Ring { .. } | LegCommand::Answer | LegCommand::Digit(..) | LegCommand::Press(_)) => {}
                None => return Err(End::Canceled),
            },
            Some(SdkInput { socket, request }) = inputs.recv() => match request {
                SdkRequest::Answer { sdp } => {
                    let Some(device) = take(&mut devices, &socket) else { continue };
                    match device.media.peer.accept_answer(sdp).await {
                        Ok(()) => {
                            cancel(leg, devices).await;
                            return Ok(Answered { device, forwarded: false });
                        }
                        Err(problem) => {
                            tracing::warn!(call = %leg.sid, %problem, "a device's answer cannot be used");
                            let error = Some((31_100, "Malformed request: the SDP cannot be used"));
                            socket.send("hangup", &hangup(leg.sid.as_str(), error));
                            device.media.peer.close().await;
                        }
                    }
                }
                SdkRequest::Reject | SdkRequest::Hangup => {
                    if let Some(device) = take(&mut devices, &socket) {
                        device.media.peer.close().await;
                        if devices.is_empty() {
                            return Err(End::Busy);
                        }
                    }
                }
                SdkRequest::Reconnect { token, sdp } => {
                    match forwarded(network, leg, socket, &token, reconnect_token, &sdp).await {
                        Some(device) => {
                            cancel(leg, devices).await;
                            return Ok(Answered { device, forwarded: true });
                        }
                        None => continue,
                    }
                }
                SdkRequest::SocketLost { .. } => {
                    if let Some(device) = take(&mut devices, &socket) {
                        device.media.peer.close().await;
                    }
                }
                SdkRequest::Dtmf { .. } | SdkRequest::Reinvite { .. } => {}
            },
        }
    }
}

fn take(devices: &mut Vec<Device>, socket: &SocketHandle) -> Option<Device> {
    let index = devices.iter().position(|device| device.socket.id == socket.id)?;
    Some(devices.swap_remove(index))
}

/// A device takes the call with the connect token of one that was invited: its description is an
/// offer (voice-sdk 2.18.5, `device.ts`, `connectToken`).
async fn forwarded(
    network: &Network,
    leg: &Leg,
    socket: SocketHandle,
    token: &str,
    expected: &str,
    offer: &str,
) -> Option<Device> {
    let refusal = if network.sdk_routes.occupies(socket.id) {
        (31_486, "Busy Here: a call is up on this connection")
    } else if token != expected {
        (31_209, "The reconnect token is not that of the call")
    } else {
        match Media::answer(network, offer).await {
            Ok(media) => return Some(Device { socket, media }),
            Err(problem) => {
                tracing::warn!(call = %leg.sid, %problem, "a forwarded call's offer cannot be used");
                (31_100, "Malformed request: the SDP cannot be used")
            }
        }
    };
    socket.send("hangup", &hangup(leg.sid.as_str(), Some(refusal)));
    None
}

/// Tells the devices that ring in vain.
async fn cancel(leg: &Leg, devices: Vec<Device>) {
    for device in devices {
        device.socket.send("cancel", &json!({ "callsid": leg.sid }));
        device.media.peer.close().await;
    }
}
