//! Calls that REST places, ends and redirects.
//!
//! A parent that is redirected leaves its `<Dial>`, whose legs are hung up. A dialled leg that is
//! redirected lives on with the new document, and its parent goes on to `action`, which is told of a
//! completed dial without a duration (Twilio's pages on modifying calls in progress). Redirecting a
//! leg that is not answered yet is refused with 21220, which is a guess.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use tokio::sync::mpsc;

use super::end::End;
use super::leg::{Leg, LegCommand, LegDirection, LegState, NewLeg, Party};
use super::session::{Session, Start};
use crate::account::TwimlApp;
use crate::far_end::pick_up;
use crate::network::Network;
use crate::signalling::{Invitation, ring_devices};
use crate::webhook::StatusCallbacks;

/// Twilio rings five seconds longer than it is told.
const EXTRA_RINGING: Duration = Duration::from_secs(5);

/// A call to place.
pub(crate) struct NewCall {
    pub(crate) from: String,
    pub(crate) to: Called,
    /// How long it may ring, simulated.
    pub(crate) timeout: Duration,
    /// What it goes by when it is answered: an app, or addresses in place of one.
    pub(crate) app: TwimlApp,
    /// A document in place of the first one.
    pub(crate) start: Option<Start>,
}

/// Whom REST can call.
pub(crate) enum Called {
    /// A telephone.
    Number(String),
    /// The devices of an identity, with parameters for them.
    Client(String, Vec<(String, String)>),
}

/// Places a call and plays its documents once it is answered.
pub(crate) fn call_out(
    network: &Arc<Network>,
    call: NewCall,
    callbacks: impl FnOnce(&CallSid) -> Option<StatusCallbacks>,
) -> Arc<Leg> {
    let (leg, commands) = begin(network, &call.from, &call.to, callbacks);
    ring(network, &leg, commands, call.to);
    let session = Session::new(Arc::clone(network), Arc::clone(&leg), call.app, Vec::new());
    let (waiting, timeout) = (Arc::clone(&leg), network.pace.real(call.timeout + EXTRA_RINGING));
    network.spawn(async move {
        match tokio::time::timeout(timeout, waiting.decided()).await {
            Ok(true) => session.run_from(call.start).await,
            Ok(false) => session.report_end(),
            Err(_) => {
                waiting.end(End::NoAnswer).await;
                session.report_end();
            }
        }
    });
    leg
}

/// A telephone call without documents: its leg, and what rings the number after `delay`, simulated.
pub(crate) fn ring_later(
    network: &Arc<Network>,
    from: &str,
    number: &E164,
    delay: Duration,
) -> (Arc<Leg>, impl Future<Output = ()> + Send + 'static) {
    let to = Called::Number(number.as_str().to_owned());
    let (leg, commands) = begin(network, from, &to, |_| None);
    let (network, ringing) = (Arc::clone(network), Arc::clone(&leg));
    (leg, async move {
        network.pace.sleep(delay).await;
        ring(&network, &ringing, commands, to);
    })
}

type Commands = mpsc::UnboundedReceiver<LegCommand>;

fn begin(
    network: &Arc<Network>,
    from: &str,
    to: &Called,
    callbacks: impl FnOnce(&CallSid) -> Option<StatusCallbacks>,
) -> (Arc<Leg>, Commands) {
    let (to, party) = match to {
        Called::Number(number) => (number.clone(), Party::FarEnd),
        Called::Client(identity, _) => (format!("client:{identity}"), Party::Sdk),
    };
    let new = NewLeg {
        parent: None,
        direction: LegDirection::OutboundApi,
        from: from.to_owned(),
        to,
        application_sid: None,
        party,
    };
    Leg::begin(network, new, LegState::Initiated, callbacks)
}

fn ring(network: &Arc<Network>, leg: &Arc<Leg>, commands: Commands, to: Called) {
    let (task_network, leg) = (Arc::clone(network), Arc::clone(leg));
    match to {
        Called::Number(number) => {
            let script = network.script(&number);
            network.spawn(pick_up(task_network, leg, commands, script));
        }
        Called::Client(identity, parameters) => {
            let invitation = Invitation { identity, parameters, attested: false };
            network.spawn(ring_devices(task_network, leg, commands, invitation));
        }
    }
}

/// Gives a leg another document; `false` if it is dialled and not answered yet.
pub(crate) fn redirect(network: &Arc<Network>, leg: &Arc<Leg>, start: Start) -> bool {
    // A session plays documents on the leg, or is about to.
    if leg.parent.is_none() || leg.is_on_its_own() || leg.has_session() {
        leg.redirect(start);
        return true;
    }
    if leg.state() != LegState::Answered {
        return false;
    }
    leg.leave_parent();
    if let Some(port) = leg.port() {
        network.switch.part(port);
    }
    let session = Session::new(Arc::clone(network), Arc::clone(leg), TwimlApp::default(), Vec::new());
    network.spawn(session.run_from(Some(start)));
    true
}

/// Ends a leg as REST does, and says how.
pub(crate) fn end(leg: &Leg) -> End {
    let end = if leg.state() == LegState::Answered { End::Completed } else { End::Canceled };
    leg.command(LegCommand::End(end));
    end
}
