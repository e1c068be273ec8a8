//! Trying the rules: a call is played against a simulator of its own, through a webhook server of its
//! own, and what happens is told line by line, as it happens. Whoever plays it may press keys meanwhile, and stop.
//!
//! The caller is a far end of the simulator, and everything the caller hears is what the simulator played.
//! The agent's phone and numbers that calls are passed on to are far ends as well, so nobody is rung.
//!
//! | module | holds |
//! | --- | --- |
//! | `playing` | the preview that is being played, for whoever stops it or presses a key |
//! | `transcript` | what happens, as lines in the caller's own time |

mod playing;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::{
    self, Agents, Connect, Happened, Instruction, MenuPlace, Permission, Purpose, Rules, Situation,
};
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::{Outlook, Spent};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::incoming::{Chosen, Prompt, SoundName};
use dialer_domain::local_time::LocalMoment;
use dialer_domain::phone_number::{self, E164};
use dialer_gateway::{Calls, Gateway, GatewayOptions, RefusedWebhook};
use dialer_simulator::{
    AnswerScript, FarEndScript, IncomingCall, Pace, Simulator, SimulatorOptions, TalkScript, TwimlApp,
};
use dialer_storage::sounds::Sounds;
use dialer_twilio::webhook::VoiceRequest;
use tokio::sync::mpsc;
use url::Url;

use crate::api::{PreviewAgent, PreviewLine, PreviewScript, PreviewWho};
use crate::core::read_sound;
use crate::routing::Keys;

pub(crate) use playing::{Ask, Playing};

use transcript::Transcript;

/// How much faster ringing goes by; sound does not, nor the time a menu waits for a key.
const PACE: u32 = 8;
/// The longest preview; a call that goes on is left there.
const LONGEST: Duration = Duration::from_secs(180);
/// The caller; a number reserved for fiction.
const CALLER: &str = "+12025550101";
/// What a caller shows who hides their number (the digits spell ANONYMOUS).
const HIDDEN: &str = "+266696687";
/// Stands for the agent's phone and for numbers that calls are passed on to.
const ANSWERS: &str = "+12025550198";
const NEVER_ANSWERS: &str = "+12025550199";

/// How a preview is watched and steered while it is played.
pub(crate) struct Live {
    /// Told of each line as it happens.
    pub(crate) heard: Box<dyn Fn(PreviewLine) + Send + Sync>,
    /// What is asked of it meanwhile.
    pub(crate) asked: mpsc::UnboundedReceiver<Ask>,
}

/// Plays a call and tells what happens, as it happens and once more at the end.
pub(crate) async fn play(
    sounds: Sounds,
    rules: Rules,
    script: PreviewScript,
    local: LocalMoment,
    live: Live,
) -> Result<Vec<PreviewLine>, UserError> {
    let failed = |error: &dyn std::fmt::Display| {
        UserError::new(ErrorCode::Internal, "The preview could not be played. Try again.")
            .with_detail(error.to_string())
    };
    let pace = Pace::times(f64::from(PACE)).map_err(|error| failed(&error))?;
    let simulator = Simulator::start(SimulatorOptions { pace, ..SimulatorOptions::default() })
        .await
        .map_err(|error| failed(&error))?;
    let played = Stage { sounds, rules, script, local }.play(&simulator, live).await;
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
    async fn play(self, simulator: &Simulator, live: Live) -> anyhow::Result<Vec<PreviewLine>> {
        let account = simulator.account();
        let own = account.numbers.first().cloned().ok_or_else(|| anyhow::anyhow!("no practice number"))?;
        let rehearsal = Arc::new(Rehearsal {
            sounds: self.sounds,
            situation: situation(&self.script, &own, self.local)?,
            rules: self.rules,
            answers: self.script.agent_answers,
            told: Mutex::default(),
            page: Mutex::default(),
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
        let mut transcript = Transcript::new(call.clone(), keys, own_sounds(&rehearsal.rules), live);
        // A call that goes on beyond that, such as one in a queue, has shown what there is to see.
        let _ = tokio::time::timeout(LONGEST, transcript.follow(simulator, events, &rehearsal)).await;
        let _ = simulator.hang_up(&call);
        gateway.shutdown().await;
        Ok(transcript.into_lines())
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
    /// The keys that the page of the menu has which is played.
    page: Mutex<BTreeSet<char>>,
}

impl Rehearsal {
    fn tell(&self, who: PreviewWho, text: impl Into<String>) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push((who, text.into()));
    }

    fn take_told(&self) -> Vec<(PreviewWho, String)> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the page of the menu that is played has that key.
    fn has_key(&self, key: char) -> bool {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).contains(&key)
    }

    /// A menu waits as long as in life: there must be time to press a key.
    fn menu(&self, place: MenuPlace, prompt: Prompt, wait_s: u32) -> Instruction {
        let mut page = Some(&self.rules.incoming.menu);
        for key in &place.keys {
            page = page.and_then(|page| match &page.choices.get(key)?.then {
                Chosen::Page { page } => Some(page),
                Chosen::Answer { .. } => None,
            });
        }
        let keys = page.into_iter().flat_map(|page| page.choices.keys().map(|key| key.digit())).collect();
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = keys;
        Instruction::Menu { place, prompt, wait_s: wait_s.saturating_mul(PACE) }
    }

    fn stage(&self, instruction: Instruction) -> Instruction {
        match instruction {
            Instruction::Menu { place, prompt, wait_s } => self.menu(place, prompt, wait_s),
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
            Instruction::Wait { .. }
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
