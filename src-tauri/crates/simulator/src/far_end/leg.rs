//! A far end's leg: ringing, answering, talking, hanging up, as its script says.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_media::codec::Frame;
use tokio::sync::mpsc;

use super::script::{AnswerScript, FarEndScript, seconds};
use super::voice::{Noticed, Voice};
use crate::audio::Line;
use crate::call::{End, Leg, LegCommand, LegState, Utterance};
use crate::event::{DigitPath, Happening};
use crate::network::Network;

/// From dialling to the first ring, in simulated time.
const POST_DIAL_DELAY: Duration = Duration::from_millis(200);

type Commands = mpsc::UnboundedReceiver<LegCommand>;

/// A far end that is called.
pub(crate) async fn pick_up(
    network: Arc<Network>,
    leg: Arc<Leg>,
    mut commands: Commands,
    script: FarEndScript,
) {
    match ring(&network, &leg, &mut commands, &script.answer).await {
        Some(end) => leg.enter(&network, LegState::Ended(end)),
        None => talk(&network, &leg, &mut commands, &script).await,
    }
}

/// A far end that calls.
pub(crate) async fn call_in(
    network: Arc<Network>,
    leg: Arc<Leg>,
    mut commands: Commands,
    script: FarEndScript,
) {
    let out_of_patience = async {
        match script.patience_s {
            Some(patience) => network.pace.sleep(seconds(patience)).await,
            None => pending().await,
        }
    };
    let answered_or_end = async {
        loop {
            match commands.recv().await {
                Some(LegCommand::Answer) => return None,
                Some(LegCommand::End(end)) => return Some(end),
                Some(LegCommand::Ring { .. } | LegCommand::Digit(..) | LegCommand::Press(_)) => {}
                None => return Some(End::Canceled),
            }
        }
    };
    let end = tokio::select! {
        end = answered_or_end => end,
        () = out_of_patience => Some(End::Canceled),
    };
    match end {
        Some(end) => leg.enter(&network, LegState::Ended(end)),
        None => talk(&network, &leg, &mut commands, &script).await,
    }
}

/// Until the call is up (`None`) or over.
async fn ring(network: &Network, leg: &Leg, commands: &mut Commands, answer: &AnswerScript) -> Option<End> {
    let (rings_for, then) = match *answer {
        AnswerScript::Answer { after_s } => (Some(seconds(after_s)), None),
        AnswerScript::Decline { after_s } => (Some(seconds(after_s)), Some(End::Declined)),
        AnswerScript::Ring => (None, None),
        AnswerScript::Busy => (Some(Duration::ZERO), Some(End::Busy)),
        AnswerScript::Fail { sip_code, error_code } => {
            (Some(Duration::ZERO), Some(End::Failed { sip_code, error_code: Some(error_code) }))
        }
    };
    let script = async {
        network.pace.sleep(POST_DIAL_DELAY).await;
        if rings_for != Some(Duration::ZERO) {
            leg.enter(network, LegState::Ringing);
        }
        match rings_for {
            Some(span) => network.pace.sleep(span).await,
            None => pending().await,
        }
        then
    };
    tokio::select! {
        then = script => then,
        end = given_up(commands) => Some(end),
    }
}

/// Waits until the session ends the leg.
async fn given_up(commands: &mut Commands) -> End {
    loop {
        match commands.recv().await {
            Some(LegCommand::End(end)) => return end,
            Some(
                LegCommand::Ring { .. } | LegCommand::Answer | LegCommand::Digit(..) | LegCommand::Press(_),
            ) => {}
            None => return End::Canceled,
        }
    }
}

/// The conversation, from the answer to the end.
async fn talk(network: &Network, leg: &Leg, commands: &mut Commands, script: &FarEndScript) {
    let voice = Arc::new(Mutex::new(Voice::new(&script.talk, network.pace)));
    let (noticed, mut notices) = mpsc::unbounded_channel();
    let port = network.switch.add(Box::new(VoiceLine { voice: Arc::clone(&voice), noticed }));
    leg.listen_with(Arc::clone(&voice));
    leg.set_port(port);
    leg.enter(network, LegState::Answered);
    let hang_up = async {
        match script.hang_up_after_s {
            Some(after) => network.pace.sleep(seconds(after)).await,
            None => pending().await,
        }
    };
    tokio::pin!(hang_up);
    let lock = || voice.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        tokio::select! {
            command = commands.recv() => match command {
                Some(LegCommand::Digit(digit, via)) => {
                    lock().digit(digit, via);
                    network.record(Happening::Digit { call_sid: leg.sid.clone(), digit, via });
                }
                Some(LegCommand::Press(digits)) => lock().press(&digits),
                Some(LegCommand::Ring { .. } | LegCommand::Answer) => {}
                Some(LegCommand::End(_)) | None => break,
            },
            Some(notice) = notices.recv() => match notice {
                Noticed::Heard(digit) => {
                    let (call_sid, via) = (leg.sid.clone(), DigitPath::InBand);
                    network.record(Happening::Digit { call_sid, digit, via });
                }
                Noticed::Pressed(digit, via) => leg.pressed(digit, via),
                Noticed::Speaks => leg.speaks(Utterance::Begun),
                Noticed::Spoke(text) => {
                    network.record(Happening::Said { call_sid: leg.sid.clone(), text: text.clone() });
                    leg.speaks(Utterance::Ended(text));
                }
                Noticed::HangsUp => break,
            },
            () = &mut hang_up => break,
        }
    }
    network.switch.remove(port);
    leg.stop_listening();
    leg.enter(network, LegState::Ended(End::Completed));
}

/// The far end's place at the switch.
struct VoiceLine {
    voice: Arc<Mutex<Voice>>,
    noticed: mpsc::UnboundedSender<Noticed>,
}

impl VoiceLine {
    fn with_voice<T>(&self, use_it: impl FnOnce(&mut Voice) -> T) -> T {
        let mut voice = self.voice.lock().unwrap_or_else(PoisonError::into_inner);
        let result = use_it(&mut voice);
        for notice in voice.take_noticed() {
            // The leg's task is gone only when the line is about to be.
            let _ = self.noticed.send(notice);
        }
        result
    }
}

impl Line for VoiceLine {
    fn speak(&mut self) -> Frame {
        self.with_voice(Voice::speak)
    }

    fn hear(&mut self, frame: &Frame) {
        self.with_voice(|voice| voice.hear(frame));
    }
}
