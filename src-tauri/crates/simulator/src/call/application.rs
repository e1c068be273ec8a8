//! `<Dial><Application>`: another TwiML App is dialled, and its documents are heard by the caller.
//!
//! The dialled leg is a call of its own whose voice is what its documents play (TwiML `<Application>`: `To`
//! is the app's SID or the parent's `To`, `From` the parent's; parameters come with the prefix `Param_`).
//! The name of the parameter for `customerId` is a guess from that of the attribute. An app of another
//! account can be dialled only if it allows it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use dialer_media::codec::{Frame, SILENCE};
use dialer_media::signal::DtmfDetector;
use serde_json::Value;
use tokio::sync::mpsc;
use url::Url;

use super::dial::Outcome;
use super::end::End;
use super::leg::{Leg, LegCommand, LegDirection, LegState, NewLeg, Party};
use super::place::{Child, Commands};
use super::session::Session;
use crate::account::Application;
use crate::audio::Line;
use crate::event::{AlertLevel, DigitPath};
use crate::network::Network;
use crate::twiml::{ApplicationNoun, Dial};

/// Most frames on their way through a trunk: 200 ms.
const MOST_UNDER_WAY: usize = 10;

impl Session {
    pub(super) async fn dial_application(&self, dial: &Dial, noun: &ApplicationNoun, base: &Url) -> Outcome {
        let own = &self.network.account.account_sid;
        let open = |app: &&Application| {
            app.owner == *own || app.shown()["public_application_connect_enabled"] == Value::Bool(true)
        };
        let app = self.network.resources().application(&noun.sid).filter(open).map(Application::routing);
        let Some(app) = app.filter(|app| app.voice_url.is_some()) else {
            let text = "<Application>: there is no such TwiML App with a voice URL that may be dialled";
            self.network.alert(&self.leg.sid, AlertLevel::Error, 21_218, text);
            return Outcome::nobody(End::Failed { sip_code: 404, error_code: Some(21_218) });
        };
        let caller_id = dial.caller_id.clone().filter(|id| !id.is_empty());
        let new = NewLeg {
            parent: Some(self.leg.sid.clone()),
            direction: LegDirection::OutboundDial,
            from: caller_id.unwrap_or_else(|| self.leg.from.clone()),
            to: if noun.copy_parent_to { self.leg.to.clone() } else { noun.sid.to_string() },
            application_sid: Some(noun.sid.clone()),
            party: Party::FarEnd,
        };
        let (leg, commands) = self.begin_leg(new, &noun.callbacks, base);
        let customer = noun.customer_id.clone().unwrap_or_else(|| own.to_string());
        let mut params = vec![("CustomerId".to_owned(), customer)];
        params.extend(noun.parameters.iter().map(|(name, value)| (format!("Param_{name}"), value.clone())));
        self.network.spawn(serve(Arc::clone(&self.network), Arc::clone(&leg), commands));
        self.network.spawn(Session::new(Arc::clone(&self.network), Arc::clone(&leg), app, params).run());
        self.ring_and_join_one(Child { leg, send_digits: None, whisper: None }, dial, base).await
    }
}

/// The dialled leg: documents are played at one end of a trunk, the caller is joined with the other.
async fn serve(network: Arc<Network>, leg: Arc<Leg>, mut commands: Commands) {
    let (toward_app, toward_caller) = (Way::default(), Way::default());
    let (pressed, mut in_band) = mpsc::unbounded_channel();
    let detector = Some((DtmfDetector::new(), pressed));
    let app_end = TrunkEnd { from: toward_app.clone(), to: toward_caller.clone(), detector };
    let caller_end = TrunkEnd { from: toward_caller, to: toward_app, detector: None };
    let ends = [network.switch.add(Box::new(app_end)), network.switch.add(Box::new(caller_end))];
    leg.set_port(ends[0]);
    leg.set_joint(ends[1]);
    leg.enter(&network, LegState::Ringing);
    let end = loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(LegCommand::Answer) => leg.enter(&network, LegState::Answered),
                Some(LegCommand::Digit(digit, via)) => leg.pressed(digit, via),
                Some(LegCommand::Ring { .. } | LegCommand::Press(_)) => {}
                Some(LegCommand::End(end)) => break end,
                None => break End::Completed,
            },
            Some(digit) = in_band.recv() => leg.pressed(digit, DigitPath::InBand),
        }
    };
    ends.into_iter().for_each(|end| network.switch.remove(end));
    leg.enter(&network, LegState::Ended(end));
}

/// What is under way in one direction.
#[derive(Clone, Default)]
struct Way(Arc<Mutex<VecDeque<Frame>>>);

impl Way {
    fn put(&self, frame: &Frame) {
        let mut frames = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        frames.push_back(*frame);
        if frames.len() > MOST_UNDER_WAY {
            frames.pop_front();
        }
    }

    fn take(&self) -> Frame {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(SILENCE)
    }
}

/// One end of a trunk: says what was heard at the other.
struct TrunkEnd {
    from: Way,
    to: Way,
    /// Keys in the caller's sound, for the documents.
    detector: Option<(DtmfDetector, mpsc::UnboundedSender<char>)>,
}

impl Line for TrunkEnd {
    fn speak(&mut self) -> Frame {
        let frame = self.from.take();
        if let Some((detector, pressed)) = &mut self.detector
            && let Some(digit) = detector.feed(&frame)
        {
            // The leg's task is gone only when the line is about to be.
            let _ = pressed.send(digit);
        }
        frame
    }

    fn hear(&mut self, frame: &Frame) {
        self.to.put(frame);
    }
}
