//! Trying the rules: a call is played against a simulator of its own, through a webhook server of its
//! own, and what happens is told line by line.
//!
//! The caller is a far end of the simulator, and everything the caller hears is what the simulator played.
//! The agent's phone and numbers that calls are passed on to are far ends as well, so nobody is rung.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dialer_domain::call::{CallEvent, CallStatus};
use dialer_domain::call_flow::{
    self, Agents, Connect, Happened, Instruction, Permission, Purpose, Rules, Situation,
};
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::{Outlook, Spent};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::incoming::SoundName;
use dialer_domain::local_time::LocalMoment;
use dialer_domain::phone_number::{self, E164};
use dialer_domain::sid::CallSid;
use dialer_gateway::{Calls, Gateway, GatewayOptions, RefusedWebhook};
use dialer_simulator::{
    AnswerScript, FarEndScript, Happening, IncomingCall, Pace, SimEvent, Simulator, SimulatorOptions,
    TalkScript, TwimlApp,
};
use dialer_storage::sounds::Sounds;
use dialer_twilio::webhook::VoiceRequest;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use url::Url;

use crate::api::{PreviewAgent, PreviewLine, PreviewScript, PreviewWho};
use crate::core::read_sound;
use crate::routing::Keys;

/// How much faster ringing and waiting go by; sound does not.
const PACE: f64 = 8.0;
/// The longest preview; a call that goes on is left there.
const LONGEST: Duration = Duration::from_secs(60);
/// How long the end of the preview listens on after the last thing it waited for.
const LAST_WORDS: Duration = Duration::from_millis(1_500);
/// The caller; a number reserved for fiction.
const CALLER: &str = "+12025550101";
/// What somebody who waits hears.
const MUSIC: &str = "Music.";
/// What a caller shows who hides their number (the digits spell ANONYMOUS).
const HIDDEN: &str = "+266696687";
/// Stands for the agent's phone and for numbers that calls are passed on to.
const ANSWERS: &str = "+12025550198";
const NEVER_ANSWERS: &str = "+12025550199";

/// Plays a call and tells what happens.
pub(crate) async fn play(
    sounds: Sounds,
    rules: Rules,
    script: PreviewScript,
    local: LocalMoment,
) -> Result<Vec<PreviewLine>, UserError> {
    let failed = |error: &dyn std::fmt::Display| {
        UserError::new(ErrorCode::Internal, "The preview could not be played. Try again.")
            .with_detail(error.to_string())
    };
    let pace = Pace::times(PACE).map_err(|error| failed(&error))?;
    let simulator = Simulator::start(SimulatorOptions { pace, ..SimulatorOptions::default() })
        .await
        .map_err(|error| failed(&error))?;
    let played = Stage { sounds, rules, script, local }.play(&simulator).await;
    simulator.shutdown().await;
    played.map_err(|error| failed(&format!("{error:#}")))
}

struct Stage {
    sounds: Sounds,
    rules: Rules,
    script: PreviewScript,
    local: LocalMoment,
}

impl Stage {
    async fn play(self, simulator: &Simulator) -> anyhow::Result<Vec<PreviewLine>> {
        let account = simulator.account();
        let own = account.numbers.first().cloned().ok_or_else(|| anyhow::anyhow!("no practice number"))?;
        let rehearsal = Arc::new(Rehearsal {
            sounds: self.sounds,
            situation: situation(&self.script, &own, self.local)?,
            rules: self.rules,
            answers: self.script.agent_answers,
            told: Mutex::default(),
        });
        for (number, answer) in
            [(ANSWERS, AnswerScript::Answer { after_s: 4.0 }), (NEVER_ANSWERS, AnswerScript::Ring)]
        {
            let script =
                FarEndScript { answer, talk: TalkScript::Silence, hang_up_after_s: None, patience_s: None };
            simulator.set_far_end(&E164::parse_strict(number)?, script);
        }
        let gateway = Gateway::start(
            GatewayOptions::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            Arc::new(Keys::new(account.account_sid.clone(), Some(account.auth_token.clone()))),
            Arc::clone(&rehearsal) as Arc<dyn Calls>,
        )
        .await?;
        gateway.set_public_base(Url::parse(&format!("http://{}", gateway.local_addr()))?);
        let app = simulator.create_application(TwimlApp {
            voice_url: gateway.voice_url(),
            status_callback: gateway.status_callback_url(),
            ..TwimlApp::default()
        });
        simulator.bind_number(&own, Some(app))?;
        let events = simulator.subscribe();
        let from = E164::parse_strict(if self.script.hidden_number { HIDDEN } else { CALLER })?;
        let call = simulator.place_incoming(&IncomingCall::from_number(from).to(own))?;
        let keys = self.script.keys.chars().collect();
        let own_sounds = own_sounds(&rehearsal.rules);
        let mut transcript =
            Transcript { lines: Vec::new(), began_ms: None, call, keys, taken: 0, asked: false, own_sounds };
        // A call that goes on beyond that, such as one in a queue, has shown what there is to see.
        let _ = tokio::time::timeout(LONGEST, transcript.follow(simulator, events, &rehearsal)).await;
        let _ = simulator.hang_up(&transcript.call);
        gateway.shutdown().await;
        Ok(transcript.lines)
    }
}

fn situation(script: &PreviewScript, own: &E164, local: LocalMoment) -> anyhow::Result<Situation> {
    Ok(Situation {
        agents: Agents::One {
            identity: ClientIdentity::parse("preview")?,
            reachable: script.agent != PreviewAgent::Offline,
        },
        busy: script.agent == PreviewAgent::Busy,
        do_not_disturb: script.agent == PreviewAgent::DoNotDisturb,
        local: script.at.unwrap_or(local),
        app: None,
        waiting: 0,
        permission: Permission::Missing,
        outlook: Outlook {
            home_region: phone_number::region(own).unwrap_or_default(),
            caller_id: Some(own.clone()),
            usable_caller_ids: vec![own.clone()],
            owned_numbers: vec![own.clone()],
            calls_under_way: 0,
            forwards_under_way: 0,
            spent: Spent::default(),
            prices: BTreeMap::new(),
            confirmed: false,
        },
    })
}

/// The names of recordings in the rules. They are long and random, so their text is enough to find them by.
fn own_sounds(rules: &Rules) -> Vec<String> {
    let text = serde_json::to_string(rules).unwrap_or_default();
    text.split('"').filter(|word| SoundName::parse(word).is_ok()).map(str::to_owned).collect()
}

/// The rules at work, with far ends in place of everybody who would be rung.
struct Rehearsal {
    sounds: Sounds,
    rules: Rules,
    situation: Situation,
    answers: bool,
    /// What was decided and is not in the transcript yet.
    told: Mutex<Vec<(PreviewWho, String)>>,
}

impl Rehearsal {
    fn tell(&self, who: PreviewWho, text: impl Into<String>) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push((who, text.into()));
    }

    fn take_told(&self) -> Vec<(PreviewWho, String)> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn stage(&self, instruction: Instruction) -> Instruction {
        match instruction {
            Instruction::Connect(connect) => Instruction::Connect(self.connect(connect)),
            Instruction::Voicemail { .. } => {
                self.tell(PreviewWho::Call, "The caller can leave a message.");
                instruction
            }
            Instruction::Enqueue { .. } => {
                self.tell(PreviewWho::Call, "The caller is put in the queue.");
                instruction
            }
            Instruction::Decline => {
                self.tell(PreviewWho::Call, "The caller hears the busy tone. The call is not answered.");
                instruction
            }
            Instruction::Menu { .. }
            | Instruction::Wait { .. }
            | Instruction::LeaveQueue
            | Instruction::Tell { .. }
            | Instruction::HangUp
            | Instruction::Refuse { .. }
            | Instruction::TurnAway { .. } => instruction,
        }
    }

    fn connect(&self, connect: Connect) -> Connect {
        let (line, answers) = match (connect.purpose, connect.to.first()) {
            (Purpose::Forward, Some(Destination::Number(number))) => {
                (format!("The call is passed on to {}.", phone_number::format(number)), true)
            }
            _ => (format!("Your phone rings, for up to {} seconds.", connect.ring_s), self.answers),
        };
        self.tell(PreviewWho::Call, line);
        let stand_in = E164::parse_strict(if answers { ANSWERS } else { NEVER_ANSWERS });
        Connect { to: stand_in.into_iter().map(Destination::Number).collect(), ..connect }
    }
}

#[async_trait]
impl Calls for Rehearsal {
    async fn begin(&self, request: VoiceRequest) -> Instruction {
        self.stage(call_flow::begin(&request.query(), &self.rules, &self.situation))
    }

    async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Instruction {
        self.stage(call_flow::go_on(&request.query(), &happened, &self.rules, &self.situation))
    }

    async fn happened(&self, _event: CallEvent) {}

    async fn sound(&self, name: &SoundName) -> Option<Bytes> {
        read_sound(self.sounds.clone(), name.clone()).await
    }

    fn webhook_refused(&self, refused: RefusedWebhook) {
        tracing::error!(?refused, "the preview refused its own request");
    }

    fn webhook_accepted(&self) {}
}

/// What happened so far.
struct Transcript {
    lines: Vec<PreviewLine>,
    began_ms: Option<i64>,
    call: CallSid,
    keys: Vec<char>,
    taken: usize,
    /// A key is waited for, and the caller has not yet heard what for.
    asked: bool,
    /// The agent's recordings, as far as the rules name them.
    own_sounds: Vec<String>,
}

/// Whether to listen on.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    /// What there is to see has been seen.
    Leave,
}

impl Transcript {
    async fn follow(&mut self, simulator: &Simulator, mut events: Receiver<SimEvent>, rehearsal: &Rehearsal) {
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return,
            };
            self.began_ms.get_or_insert(event.at_ms);
            for (who, text) in rehearsal.take_told() {
                self.add(event.at_ms, who, text);
            }
            if self.take(&event, simulator) == Then::Leave {
                tokio::time::sleep(LAST_WORDS).await;
                return;
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most of what happens at a Twilio is no part of a preview"
    )]
    fn take(&mut self, event: &SimEvent, simulator: &Simulator) -> Then {
        let at_ms = event.at_ms;
        match &event.what {
            Happening::Spoken { call_sid, text } if *call_sid == self.call => {
                self.add(at_ms, PreviewWho::Heard, text.clone());
                self.press(at_ms, simulator);
            }
            Happening::Played { call_sid, url } if *call_sid == self.call => {
                let own = self.own_sounds.iter().any(|name| url.contains(name.as_str()));
                self.add(at_ms, PreviewWho::Heard, if own { "Your recording." } else { MUSIC });
                self.press(at_ms, simulator);
            }
            Happening::Gathering { call_sid } if *call_sid == self.call => self.asked = true,
            Happening::Gathered { call_sid, digits, .. } if *call_sid == self.call && digits.is_empty() => {
                self.add(at_ms, PreviewWho::Caller, "Presses no key.");
            }
            Happening::RecordingStarted { call_sid, .. } if *call_sid == self.call => {
                self.add(at_ms, PreviewWho::Caller, "Leaves a message and hangs up.");
                return Then::Leave;
            }
            Happening::Queued { call_sid, .. } if *call_sid == self.call => {
                self.add(at_ms, PreviewWho::Call, "The caller waits until you take the call.");
            }
            Happening::LegStatus { call_sid, status, .. } if *call_sid == self.call && status.is_final() => {
                self.add(at_ms, PreviewWho::Call, "The call is over.");
                return Then::Leave;
            }
            Happening::LegStatus { parent_call_sid: Some(parent), status, .. } if *parent == self.call => {
                return self.rang(at_ms, *status);
            }
            _ => {}
        }
        // Whoever waits hears the same over and over: once is enough.
        let heard_music = self.lines.last().is_some_and(|line| line.text == MUSIC);
        if heard_music { Then::Leave } else { Then::GoOn }
    }

    /// Presses the next key, once the page of the menu is heard: before that it would not be played.
    fn press(&mut self, at_ms: i64, simulator: &Simulator) {
        if !std::mem::take(&mut self.asked) {
            return;
        }
        let key = self.keys.get(self.taken).copied();
        self.taken += 1;
        if let Some(key) = key.filter(char::is_ascii_digit) {
            self.add(at_ms, PreviewWho::Caller, format!("Presses {key}."));
            // A caller who is gone presses nothing.
            let _ = simulator.press(&self.call, &key.to_string());
        }
    }

    fn rang(&mut self, at_ms: i64, status: CallStatus) -> Then {
        match status {
            CallStatus::InProgress => {
                self.add(at_ms, PreviewWho::Agent, "The call is answered. You speak with each other.");
                Then::Leave
            }
            CallStatus::NoAnswer => {
                self.add(at_ms, PreviewWho::Agent, "Nobody answers.");
                Then::GoOn
            }
            CallStatus::Queued
            | CallStatus::Initiated
            | CallStatus::Ringing
            | CallStatus::Completed
            | CallStatus::Busy
            | CallStatus::Canceled
            | CallStatus::Failed => Then::GoOn,
        }
    }

    fn add(&mut self, at_ms: i64, who: PreviewWho, text: impl Into<String>) {
        let began_ms = self.began_ms.unwrap_or(at_ms);
        let at_s = u32::try_from((at_ms - began_ms).max(0) / 1_000).unwrap_or(u32::MAX);
        self.lines.push(PreviewLine { at_s, who, text: text.into() });
    }
}
