//! A call the SDK places.

use std::sync::Arc;

use dialer_twilio::access_token::VerifiedToken;
use serde_json::json;
use tokio::sync::mpsc;

use super::leg::{SdkLeg, hangup};
use super::media::Media;
use super::registry::{SdkInput, SocketHandle};
use crate::account::{Application, TwimlApp};
use crate::call::{End, Leg, LegDirection, LegState, NewLeg, Party, Session};
use crate::network::Network;

/// Longest `params` text. Twilio refuses over-long ones with 31103; a total near 800 bytes is
/// commonly quoted, the true limit is not documented.
const LONGEST_PARAMS: usize = 800;

/// Why a call is not placed: an error code for the SDK and its text.
struct Refusal(u32, &'static str);

/// What an `invite` says.
pub(crate) struct Invite {
    /// The SDK's temporary id, `TJS…`.
    pub(crate) callsid: String,
    pub(crate) sdp: String,
    pub(crate) params: String,
}

/// Places a call, or ends it with the error that says why not.
///
/// The codes: 31201 when the token does not allow calls, 31001 for an app that does not exist, 31404
/// for an app without voice URL (the SDK's documented meaning), 31103 for over-long parameters,
/// 31486 for a second call on one socket: the SDK does not tell calls of one socket apart
/// (voice-sdk 2.18.5, `call.ts:1169`), so a `ringing` for it would destroy the first.
pub(crate) fn place_call(
    network: &Arc<Network>,
    socket: &SocketHandle,
    token: &VerifiedToken,
    invite: Invite,
) {
    let app = match check(network, socket, token, &invite) {
        Ok(app) => app,
        Err(Refusal(code, text)) => {
            socket.send("hangup", &hangup(&invite.callsid, Some((code, text))));
            return;
        }
    };
    let params = parameters(token, &invite.params);
    let to = params.iter().find(|(name, _)| name == "To").map(|(_, value)| value.clone()).unwrap_or_default();
    let new = NewLeg {
        parent: None,
        direction: LegDirection::Inbound,
        from: token.identity.address(),
        to,
        application_sid: token.outgoing_application.clone(),
        party: Party::Sdk,
    };
    let (leg, commands) = Leg::begin(network, new, LegState::Ringing, |_| None);
    let (sender, inputs) = mpsc::unbounded_channel::<SdkInput>();
    let identity = token.identity.as_str();
    for id in [invite.callsid.as_str(), leg.sid.as_str()] {
        network.sdk_routes.open(id, identity, Some(socket.id), sender.clone());
    }
    let (task_network, socket) = (Arc::clone(network), socket.clone());
    network.spawn(async move {
        let network = task_network;
        let temporary = invite.callsid.clone();
        let set_up = async {
            let media = Media::answer(&network, &invite.sdp).await?;
            SdkLeg::plug_in(Arc::clone(&network), Arc::clone(&leg), socket.clone(), media).await
        };
        match set_up.await {
            Ok(sdk) => {
                let session = Session::new(Arc::clone(&network), Arc::clone(&leg), app, params);
                network.spawn(session.run());
                sdk.placed(temporary.clone()).converse(commands, inputs).await;
            }
            Err(problem) => {
                tracing::warn!(call = %leg.sid, %problem, "the SDK's offer cannot be used");
                socket.send(
                    "hangup",
                    &hangup(&temporary, Some((31_100, "Malformed request: the SDP cannot be used"))),
                );
                leg.enter(&network, LegState::Ended(End::Failed { sip_code: 488, error_code: Some(31_100) }));
            }
        }
        network.sdk_routes.close(&temporary);
        network.sdk_routes.close(leg.sid.as_str());
    });
}

fn check(
    network: &Network,
    socket: &SocketHandle,
    token: &VerifiedToken,
    invite: &Invite,
) -> Result<TwimlApp, Refusal> {
    if network.sdk_routes.occupies(socket.id) {
        return Err(Refusal(31_486, "Busy Here: a call is up on this connection"));
    }
    if invite.params.len() > LONGEST_PARAMS {
        return Err(Refusal(31_103, "Invalid request: the parameters are too long"));
    }
    let Some(sid) = &token.outgoing_application else {
        return Err(Refusal(31_201, "Not authorized: the token has no outgoing grant"));
    };
    let own = |app: &&Application| app.owner == network.account.account_sid;
    let Some(app) = network.resources().application(sid).filter(own).map(Application::routing) else {
        return Err(Refusal(31_001, "Application Not Found"));
    };
    if app.voice_url.is_none() {
        return Err(Refusal(31_404, "Not Found: the application has no voice URL"));
    }
    Ok(app)
}

/// The parameters for the webhook: the token's first, then those of `connect()` whose names the token
/// does not use. Which of two equal names wins at Twilio is not documented; the token's cannot be
/// forged by the page, so they win here.
fn parameters(token: &VerifiedToken, params: &str) -> Vec<(String, String)> {
    let mut all = token.outgoing_params.clone();
    for (name, value) in form_urlencoded::parse(params.as_bytes()).into_owned() {
        if !all.iter().any(|(known, _)| *known == name) {
            all.push((name, value));
        }
    }
    all
}

/// The parameters an incoming call carries to the SDK, as one urlencoded text (`device.ts`,
/// `queryToJson`).
pub(crate) fn custom_parameters(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The payload of `error`.
pub(crate) fn error(code: u32, message: &str) -> serde_json::Value {
    json!({ "error": { "code": code, "message": message } })
}
