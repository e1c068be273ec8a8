//! One leg of a call: the connection to one party, whoever that is.
//!
//! A leg's own task (of the SDK, or of a far end) moves it through its states and obeys
//! [`LegCommand`]s; the session that plays TwiML gives them and watches the states.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use dialer_domain::call::CallStatus;
use dialer_domain::sid::{CallSid, TwimlAppSid};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, mpsc, watch};

use super::end::End;
use super::recorder::recording_url;
use super::session::Start;
use crate::audio::PortId;
use crate::event::{DigitPath, Happening};
use crate::far_end::{Heard, Voice};
use crate::network::Network;
use crate::recording::Recording;
use crate::webhook::{StatusCallbacks, StatusDetail, call_form};

/// `Direction` of a leg. A call of our own SDK is `inbound` too: into Twilio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LegDirection {
    Inbound,
    OutboundDial,
    OutboundApi,
}

impl LegDirection {
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::OutboundDial => "outbound-dial",
            Self::OutboundApi => "outbound-api",
        }
    }
}

/// Who is at the other end of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Party {
    Sdk,
    FarEnd,
}

/// Where a leg stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LegState {
    Initiated,
    Ringing,
    Answered,
    Ended(End),
}

/// What a session wants of a leg.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LegCommand {
    /// Tell the party that it is ringing at the other end, with or without sound from there.
    Ring { early_media: bool },
    /// Take the call.
    Answer,
    /// A key was pressed by the other party.
    Digit(char, DigitPath),
    /// The party at this end is to press these keys; only far ends do.
    Press(String),
    /// End the leg.
    End(End),
}

/// A party speaks words that its script knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Utterance {
    Begun,
    Ended(String),
}

/// A leg as the rest of the program sees it.
pub(crate) struct Leg {
    pub(crate) sid: CallSid,
    pub(crate) parent: Option<CallSid>,
    pub(crate) direction: LegDirection,
    pub(crate) from: String,
    pub(crate) to: String,
    /// The TwiML App a call of the SDK came through.
    pub(crate) application_sid: Option<TwimlAppSid>,
    pub(crate) party: Party,
    commands: mpsc::UnboundedSender<LegCommand>,
    state: watch::Sender<LegState>,
    times: Mutex<Times>,
    digits: broadcast::Sender<(char, DigitPath)>,
    words: broadcast::Sender<Utterance>,
    redirects: mpsc::UnboundedSender<Start>,
    /// Waits for the session that plays documents on this leg.
    new_redirects: Mutex<Option<mpsc::UnboundedReceiver<Start>>>,
    /// Whether REST has taken the leg away from the parent that dialled it.
    on_its_own: watch::Sender<bool>,
    port: OnceLock<PortId>,
    /// Where others are joined with the leg, if not at its own place.
    joint: OnceLock<PortId>,
    /// The recording of its conversation, which is the parent's.
    recording: OnceLock<Arc<Recording>>,
    /// `SipCallId` of a leg to or from a SIP address.
    sip_call_id: Option<String>,
    ear: Mutex<Option<Ear>>,
    packets: AtomicU64,
    callbacks: Option<StatusCallbacks>,
}

/// What a far end hears, or has heard.
enum Ear {
    Listening(Arc<Mutex<Voice>>),
    /// Kept in place of the voice and its half second of sound.
    Past(Heard),
}

/// What a new leg is.
pub(crate) struct NewLeg {
    pub(crate) parent: Option<CallSid>,
    pub(crate) direction: LegDirection,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) application_sid: Option<TwimlAppSid>,
    pub(crate) party: Party,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    started_ms: i64,
    answered_ms: Option<i64>,
    ended_ms: Option<i64>,
    answered: Option<Instant>,
    ended: Option<Instant>,
}

/// A leg for people and programs outside. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The leg.
    pub call_sid: CallSid,
    /// Its parent leg.
    pub parent_call_sid: Option<CallSid>,
    /// Where it comes from: a number or `client:…`.
    pub from: String,
    /// Where it goes to.
    pub to: String,
    /// Where it stands.
    pub status: CallStatus,
    /// When it began.
    pub started_at_ms: i64,
    /// When it was answered.
    pub answered_at_ms: Option<i64>,
    /// When it ended.
    pub ended_at_ms: Option<i64>,
    /// Simulated seconds from answer to end, once ended.
    pub duration_s: Option<u32>,
}

impl Leg {
    /// A leg in its first state, known to the network, and the commands its task must obey.
    /// `first` is `Ringing` for a parent and `Initiated` for a dialled leg.
    pub(crate) fn begin(
        network: &Arc<Network>,
        new: NewLeg,
        first: LegState,
        callbacks: impl FnOnce(&CallSid) -> Option<StatusCallbacks>,
    ) -> (Arc<Self>, mpsc::UnboundedReceiver<LegCommand>) {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (redirects, new_redirects) = mpsc::unbounded_channel();
        let sid = network.sids.call();
        let callbacks = callbacks(&sid);
        let sip = [&new.from, &new.to]
            .iter()
            .any(|address| address.starts_with("sip:") || address.starts_with("sips:"));
        let sip_call_id = sip.then(|| format!("{}@practice", sid.as_str().to_ascii_lowercase()));
        let leg = Arc::new(Self {
            sid,
            parent: new.parent,
            direction: new.direction,
            from: new.from,
            to: new.to,
            application_sid: new.application_sid,
            party: new.party,
            commands,
            state: watch::Sender::new(first.clone()),
            times: Mutex::new(Times {
                started_ms: network.now_ms(),
                answered_ms: None,
                ended_ms: None,
                answered: None,
                ended: None,
            }),
            digits: broadcast::channel(64).0,
            words: broadcast::channel(64).0,
            redirects,
            new_redirects: Mutex::new(Some(new_redirects)),
            on_its_own: watch::Sender::new(false),
            port: OnceLock::new(),
            joint: OnceLock::new(),
            recording: OnceLock::new(),
            sip_call_id,
            ear: Mutex::new(None),
            packets: AtomicU64::new(0),
            callbacks,
        });
        network.add_leg(&leg);
        leg.announce(network, &first);
        (leg, receiver)
    }

    /// Moves on to `state` and tells everybody; a leg that has ended stays ended, and one that was
    /// answered ends as completed whatever the reason.
    pub(crate) fn enter(&self, network: &Network, state: LegState) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match (&*self.state.borrow(), state) {
            (LegState::Ended(_), _) => return,
            (LegState::Answered, LegState::Ended(_)) => LegState::Ended(End::Completed),
            (LegState::Answered, _) => return,
            (LegState::Ringing, LegState::Initiated | LegState::Ringing) => return,
            (_, new) => new,
        };
        match &state {
            LegState::Answered => {
                times.answered_ms = Some(network.now_ms());
                times.answered = Some(Instant::now());
            }
            LegState::Ended(_) => {
                times.ended_ms = Some(network.now_ms());
                times.ended = Some(Instant::now());
            }
            LegState::Initiated | LegState::Ringing => {}
        }
        drop(times);
        // The log comes between change and notice: who reads of a state finds the leg in it, and who
        // was waiting for it finds it in the log.
        self.state.send_if_modified(|known| {
            known.clone_from(&state);
            false
        });
        self.announce(network, &state);
        self.state.send_modify(|_| {});
    }

    fn announce(&self, network: &Network, state: &LegState) {
        let status = status_of(state);
        network.record(Happening::LegStatus {
            call_sid: self.sid.clone(),
            parent_call_sid: self.parent.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            status,
        });
        if let Some(callbacks) = &self.callbacks {
            let form = call_form(network.account.account_sid.as_str(), self, status);
            callbacks.report(status, form, network.now_ms(), self.detail(network, state));
        }
    }

    /// What a status callback about `state` says beyond the call.
    pub(crate) fn detail(&self, network: &Network, state: &LegState) -> StatusDetail {
        let mut detail = StatusDetail { sip_call_id: self.sip_call_id.clone(), ..StatusDetail::default() };
        if let LegState::Ended(end) = state {
            detail.sip_code = self.sip_call_id.as_ref().map(|_| end.sip_code());
            detail.recording = self.recording.get().map(|recording| {
                let url = recording_url(network, recording);
                (url, recording.sid.clone(), recording.duration_s())
            });
            if *end == End::Completed {
                detail.talked = Some(self.talked(network));
            }
            if let End::Failed { sip_code, error_code } = end {
                detail.sip_code = Some(*sip_code);
                detail.error_code = *error_code;
            }
        }
        detail
    }

    /// Simulated time from answer to end, or to now.
    pub(crate) fn talked(&self, network: &Network) -> std::time::Duration {
        let times = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.answered.map_or(std::time::Duration::ZERO, |answered| {
            let end = times.ended.unwrap_or_else(Instant::now);
            network.pace.simulated(end.saturating_duration_since(answered))
        })
    }

    pub(crate) fn state(&self) -> LegState {
        self.state.borrow().clone()
    }

    pub(crate) fn status(&self) -> CallStatus {
        status_of(&self.state.borrow())
    }

    pub(crate) fn watch(&self) -> watch::Receiver<LegState> {
        self.state.subscribe()
    }

    /// Waits for the leg's end.
    pub(crate) async fn ended(&self) -> End {
        let mut state = self.watch();
        loop {
            if let LegState::Ended(end) = *state.borrow_and_update() {
                return end;
            }
            if state.changed().await.is_err() {
                return End::Completed;
            }
        }
    }

    /// Waits until the leg is answered (`true`) or over.
    pub(crate) async fn decided(&self) -> bool {
        let mut state = self.watch();
        loop {
            match *state.borrow_and_update() {
                LegState::Answered => return true,
                LegState::Ended(_) => return false,
                LegState::Initiated | LegState::Ringing => {}
            }
            if state.changed().await.is_err() {
                return false;
            }
        }
    }

    /// Gives the leg another document; its session takes it up.
    pub(crate) fn redirect(&self, start: Start) {
        // A session that is just ending needs no other document.
        let _ = self.redirects.send(start);
    }

    /// Whether a session plays documents on the leg.
    pub(crate) fn has_session(&self) -> bool {
        self.new_redirects.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Where redirects arrive; `None` if a session listens there already.
    pub(crate) fn take_redirects(&self) -> Option<mpsc::UnboundedReceiver<Start>> {
        self.new_redirects.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The leg belongs to its parent's `<Dial>` no longer.
    pub(crate) fn leave_parent(&self) {
        self.on_its_own.send_replace(true);
    }

    pub(crate) fn is_on_its_own(&self) -> bool {
        *self.on_its_own.borrow()
    }

    /// Waits until the leg has left its parent.
    pub(crate) async fn left_parent(&self) {
        // The sender is this very leg's.
        let _ = self.on_its_own.subscribe().wait_for(|left| *left).await;
    }

    /// When it began, was answered and ended, in Unix milliseconds.
    pub(crate) fn moments(&self) -> (i64, Option<i64>, Option<i64>) {
        let times = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        (times.started_ms, times.answered_ms, times.ended_ms)
    }

    /// Asks the leg's task for something. A leg that has ended needs nothing more.
    pub(crate) fn command(&self, command: LegCommand) {
        let _ = self.commands.send(command);
    }

    /// Answers the call and waits until it is answered; `false` if it ended instead.
    pub(crate) async fn answer(&self) -> bool {
        self.command(LegCommand::Answer);
        self.decided().await
    }

    /// Ends the leg and waits for the end.
    pub(crate) async fn end(&self, end: End) {
        self.command(LegCommand::End(end));
        self.ended().await;
    }

    /// The leg's place at the switch, once it has one.
    pub(crate) fn port(&self) -> Option<PortId> {
        self.port.get().copied()
    }

    pub(crate) fn set_port(&self, port: PortId) {
        // A leg gets one place at the switch; a second would be a defect the first one survives.
        let _ = self.port.set(port);
    }

    /// Where others are joined with the leg.
    pub(crate) fn joint(&self) -> Option<PortId> {
        self.joint.get().or_else(|| self.port.get()).copied()
    }

    pub(crate) fn set_joint(&self, port: PortId) {
        // As with its own place, a second would be a defect the first one survives.
        let _ = self.joint.set(port);
    }

    /// The leg's conversation is recorded; of several recordings the first counts.
    pub(crate) fn set_recording(&self, recording: &Arc<Recording>) {
        let _ = self.recording.set(Arc::clone(recording));
    }

    pub(crate) fn sip_call_id(&self) -> Option<&str> {
        self.sip_call_id.as_deref()
    }

    /// `SipCallId` and final response of a leg to a SIP address.
    pub(crate) fn sip_result(&self) -> Option<(String, u16)> {
        let code = match self.state() {
            LegState::Ended(end) => end.sip_code(),
            LegState::Initiated | LegState::Ringing | LegState::Answered => 200,
        };
        self.sip_call_id.clone().map(|id| (id, code))
    }

    pub(crate) fn listen_with(&self, voice: Arc<Mutex<Voice>>) {
        *self.ear.lock().unwrap_or_else(PoisonError::into_inner) = Some(Ear::Listening(voice));
    }

    /// The far end listens no longer; what it has heard stays.
    pub(crate) fn stop_listening(&self) {
        let heard = self.heard();
        *self.ear.lock().unwrap_or_else(PoisonError::into_inner) = heard.map(Ear::Past);
    }

    pub(crate) fn count_packet(&self) {
        self.packets.fetch_add(1, Ordering::Relaxed);
    }

    /// RTP packets that came from the party.
    pub(crate) fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// What the party has heard, if it is a far end that was answered.
    pub(crate) fn heard(&self) -> Option<Heard> {
        let hearing = match &*self.ear.lock().unwrap_or_else(PoisonError::into_inner) {
            None => return None,
            Some(Ear::Past(heard)) => return Some(heard.clone()),
            // Measuring takes long enough to be heard as a gap, so it is done on a copy.
            Some(Ear::Listening(voice)) => voice.lock().unwrap_or_else(PoisonError::into_inner).hearing(),
        };
        Some(hearing.report())
    }

    /// The party pressed a key.
    pub(crate) fn pressed(&self, digit: char, via: DigitPath) {
        // Nobody may be interested.
        let _ = self.digits.send((digit, via));
    }

    /// The party speaks.
    pub(crate) fn speaks(&self, utterance: Utterance) {
        // Nobody may be interested.
        let _ = self.words.send(utterance);
    }

    /// What the party says from now on.
    pub(crate) fn words(&self) -> broadcast::Receiver<Utterance> {
        self.words.subscribe()
    }

    /// Keys the party presses from now on.
    pub(crate) fn keys(&self) -> broadcast::Receiver<(char, DigitPath)> {
        self.digits.subscribe()
    }

    pub(crate) fn record(&self, network: &Network) -> CallRecord {
        let times = *self.times.lock().unwrap_or_else(PoisonError::into_inner);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a call fit")]
        let duration_s = times.ended.map(|_| self.talked(network).as_secs_f64().round() as u32);
        CallRecord {
            call_sid: self.sid.clone(),
            parent_call_sid: self.parent.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            status: self.status(),
            started_at_ms: times.started_ms,
            answered_at_ms: times.answered_ms,
            ended_at_ms: times.ended_ms,
            duration_s,
        }
    }
}

fn status_of(state: &LegState) -> CallStatus {
    match state {
        LegState::Initiated => CallStatus::Initiated,
        LegState::Ringing => CallStatus::Ringing,
        LegState::Answered => CallStatus::InProgress,
        LegState::Ended(end) => end.status(),
    }
}
