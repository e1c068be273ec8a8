//! The self-test: a call out and a call in, through the window's own actions, with the sound measured
//! at both ends.
//!
//! Everything on the way is what an agent's call uses: the page, the Voice SDK, a minted token, the
//! signed webhook, TwiML, RTP. Only the two sound devices are replaced, by a tone and a meter, so
//! that the test says the same on a computer without any.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dialer_domain::call::{CallDirection, CallOutcome};
use dialer_domain::call_log::CallLogEntry;
use dialer_domain::phone_number::E164;
use dialer_domain::sid::CallSid;
use dialer_media::devices::{AudioDevices, ToneDevices};
use dialer_simulator::{IncomingCall, Simulator, TalkScript};
use serde::Serialize;
use tokio::sync::watch;

use crate::api::{ActionRequest, LightState};
use crate::controller::View;
use crate::core::Core;
use crate::state::{CallPhase, LiveCall};

/// What the synthetic microphone hears, in Hz; far from the far end's tone and its harmonics.
const MICROPHONE_HZ: f32 = 1_000.0;
/// What the practice number that speaks a tone sends, in Hz.
const FAR_END_HZ: f32 = 440.0;
/// How far a measured frequency may be off, in Hz.
const TOLERANCE_HZ: f32 = 3.0;
/// Both tones are sent at −12 dBFS; what arrives much weaker did not come this way.
const QUIETEST_DBFS: f32 = -20.0;
/// Gaps of 10 ms allowed in one measurement: a tenth of it, which a computer busy with other work may
/// cost; a path that works has none.
const MAX_DROPOUTS: u32 = 20;
/// How long the sound is measured each way.
const MEASURE: Duration = Duration::from_secs(2);
/// Keys pressed in the call.
const DIGITS: &str = "159#";
/// How often something without an event of its own is looked at.
const POLL: Duration = Duration::from_millis(20);
/// Longest any stage may take before it counts as hung.
const LIMIT: Duration = Duration::from_secs(20);

/// The synthetic microphone and the metered loudspeaker.
#[derive(Clone)]
pub struct TestDevices(Arc<ToneDevices>);

impl Default for TestDevices {
    fn default() -> Self {
        Self(Arc::new(ToneDevices::new(MICROPHONE_HZ)))
    }
}

impl TestDevices {
    /// For the voice engine.
    pub fn devices(&self) -> Arc<dyn AudioDevices> {
        self.0.clone()
    }
}

/// One direction of sound, as heard where it arrives.
#[derive(Debug, Clone, Serialize)]
struct Heard {
    expected_hz: f32,
    heard_hz: Option<f32>,
    level_dbfs: f32,
    /// Gaps of 10 ms and more.
    dropouts: u32,
    seconds: f32,
}

impl Heard {
    fn check(&self, direction: &str) -> Result<(), String> {
        match self.heard_hz {
            Some(_) if self.dropouts > MAX_DROPOUTS => {
                Err(format!("{direction}: {} gaps of 10 ms in {:.1} s", self.dropouts, self.seconds))
            }
            Some(_) if self.level_dbfs < QUIETEST_DBFS => {
                Err(format!("{direction}: {:.0} dBFS is too quiet", self.level_dbfs))
            }
            Some(hz) if (hz - self.expected_hz).abs() <= TOLERANCE_HZ => Ok(()),
            Some(hz) => Err(format!("{direction}: expected {} Hz, heard {hz:.1} Hz", self.expected_hz)),
            None => Err(format!("{direction}: expected {} Hz, heard nothing", self.expected_hz)),
        }
    }
}

/// Sound both ways.
#[derive(Debug, Clone, Serialize)]
struct BothWays {
    far_end_hears: Heard,
    agent_hears: Heard,
}

/// One stage of the report.
#[derive(Debug, Clone, Serialize)]
struct Stage {
    name: &'static str,
    passed: bool,
    milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<serde_json::Value>,
}

/// What `--report` writes.
#[derive(Debug, Serialize)]
struct Report {
    passed: bool,
    version: &'static str,
    system: String,
    milliseconds: u64,
    stages: Vec<Stage>,
}

/// A stage's success: what was measured, if anything.
type Measured = Result<Option<serde_json::Value>, String>;

/// The self-test of one run.
pub struct SelfTest {
    core: Core,
    simulator: Simulator,
    devices: TestDevices,
    view: watch::Receiver<View>,
    stages: Vec<Stage>,
}

impl SelfTest {
    /// Prepares the test; `devices` must be what the voice engine was started with.
    pub fn new(core: Core, simulator: Simulator, devices: TestDevices) -> Self {
        let view = core.watch();
        Self { core, simulator, devices, view, stages: Vec::new() }
    }

    /// Runs every stage, prints a line for each, writes the report, and answers with the exit code.
    pub async fn run_and_report(mut self, file: Option<&Path>) -> i32 {
        let began = Instant::now();
        say("Self-test: a call out and a call in, with the sound measured at both ends.");
        // A stage that fails leaves nothing for the next to stand on, so the first failure ends the test.
        let passed = self.all_stages().await.is_ok();
        let report = Report {
            passed,
            version: env!("CARGO_PKG_VERSION"),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            milliseconds: millis(began.elapsed()),
            stages: self.stages,
        };
        say(if passed { "Self-test passed." } else { "Self-test FAILED." });
        if let Some(file) = file
            && let Err(problem) = write(&report, file)
        {
            say(&problem);
            return 1;
        }
        i32::from(!passed)
    }

    async fn all_stages(&mut self) -> Result<(), ()> {
        self.stage("ready", Self::ready).await?;
        self.stage("far end rings", Self::dial).await?;
        self.stage("far end answers", Self::answered).await?;
        self.stage("sound both ways, outgoing", Self::sound).await?;
        self.stage("keys heard by the far end", Self::keys).await?;
        self.stage("hang up", Self::hang_up).await?;
        self.stage("incoming call rings", Self::rung).await?;
        self.stage("answer", Self::answer).await?;
        self.stage("sound both ways, incoming", Self::sound).await?;
        self.stage("far end hangs up", Self::remote_hang_up).await?;
        self.stage("both calls in the log", Self::logged).await
    }

    async fn stage<F>(&mut self, name: &'static str, work: F) -> Result<(), ()>
    where
        F: AsyncFnOnce(&mut Self) -> Measured,
    {
        let began = Instant::now();
        let outcome = match tokio::time::timeout(LIMIT, work(self)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(format!("nothing happened for {} s", LIMIT.as_secs())),
        };
        let milliseconds = millis(began.elapsed());
        let (measured, problem) = match outcome {
            Ok(measured) => (measured, None),
            Err(problem) => (None, Some(problem)),
        };
        let passed = problem.is_none();
        say(&format!(
            "{:>6} ms  {}  {name}{}",
            milliseconds,
            if passed { "ok  " } else { "FAIL" },
            problem.as_deref().map(|text| format!(": {text}")).unwrap_or_default()
        ));
        self.stages.push(Stage { name, passed, milliseconds, problem, measured });
        if passed { Ok(()) } else { Err(()) }
    }

    async fn ready(&mut self) -> Measured {
        self.wait(|view| {
            view.lights.calls_out.state == LightState::Ready
                && view.lights.calls_in.state == LightState::Ready
        })
        .await?;
        Ok(None)
    }

    async fn dial(&mut self) -> Measured {
        self.core.act(ActionRequest::Dial { number: self.tone_number()?.to_string() });
        self.wait_for_call(|call| matches!(call.phase, CallPhase::Ringing | CallPhase::Connected)).await?;
        Ok(None)
    }

    async fn answered(&mut self) -> Measured {
        self.wait_for_call(|call| call.phase == CallPhase::Connected).await?;
        Ok(None)
    }

    async fn keys(&mut self) -> Measured {
        let call = self.call_sid()?;
        self.core.act(ActionRequest::SendDigits { digits: DIGITS.into() });
        loop {
            let digits = self.simulator.heard(&call).map(|heard| heard.dtmf).unwrap_or_default();
            if digits == DIGITS {
                return Ok(Some(serde_json::json!({ "digits": digits })));
            }
            if !DIGITS.starts_with(&digits) {
                return Err(format!("pressed {DIGITS}, the far end heard {digits}"));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn hang_up(&mut self) -> Measured {
        self.core.act(ActionRequest::HangUp);
        self.wait(|view| view.calls.is_empty()).await?;
        Ok(None)
    }

    async fn rung(&mut self) -> Measured {
        let from = self.tone_number()?;
        self.simulator.place_incoming(&IncomingCall::from_number(from)).map_err(|error| error.to_string())?;
        self.wait_for_call(|call| call.phase == CallPhase::Incoming).await?;
        Ok(None)
    }

    async fn answer(&mut self) -> Measured {
        self.core.act(ActionRequest::Answer);
        self.answered().await
    }

    async fn remote_hang_up(&mut self) -> Measured {
        let call = self.call_sid()?;
        self.simulator.hang_up(&call).map_err(|error| error.to_string())?;
        self.wait(|view| view.calls.is_empty()).await?;
        Ok(None)
    }

    async fn sound(&mut self) -> Measured {
        let call = self.call_sid()?;
        let both = self.measure(&call).await?;
        both.far_end_hears.check("from the microphone to the far end")?;
        both.agent_hears.check("from the far end to the loudspeaker")?;
        serde_json::to_value(&both).map(Some).map_err(|error| error.to_string())
    }

    async fn measure(&self, call: &CallSid) -> Result<BothWays, String> {
        let far_end = || self.simulator.heard(call).ok_or_else(|| "the far end is gone".to_owned());
        // The page may know of the answer before the far end has begun to listen.
        let both_hear = || {
            far_end().is_ok_and(|heard| heard.dominant_hz.is_some())
                && self.devices.0.playout_report().dominant.is_some()
        };
        while !both_hear() {
            tokio::time::sleep(POLL).await;
        }
        let (before, began) = (far_end()?, Instant::now());
        self.devices.0.reset_meter();
        tokio::time::sleep(MEASURE).await;
        let (after, agent, seconds) =
            (far_end()?, self.devices.0.playout_report(), began.elapsed().as_secs_f32());
        Ok(BothWays {
            far_end_hears: Heard {
                expected_hz: MICROPHONE_HZ,
                heard_hz: after.dominant_hz,
                level_dbfs: after.level_dbfs,
                dropouts: after.dropouts.saturating_sub(before.dropouts),
                seconds,
            },
            agent_hears: Heard {
                expected_hz: FAR_END_HZ,
                heard_hz: agent.dominant.map(|tone| tone.hz),
                level_dbfs: agent.level_dbfs,
                dropouts: agent.dropouts,
                seconds,
            },
        })
    }

    async fn logged(&mut self) -> Measured {
        loop {
            let entries = self.entries().await?;
            let done = |direction| {
                entries.iter().any(|entry| {
                    entry.direction == direction
                        && entry.outcome == Some(CallOutcome::Answered)
                        && entry.legs.len() == 2
                        && entry.legs.iter().all(|leg| leg.status.is_final())
                })
            };
            if entries.len() == 2 && done(CallDirection::Outgoing) && done(CallDirection::Incoming) {
                let rows: Vec<_> = entries
                    .iter()
                    .map(|e| serde_json::json!({ "direction": e.direction, "outcome": e.outcome, "seconds": e.duration_s }))
                    .collect();
                return Ok(Some(serde_json::json!(rows)));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn entries(&self) -> Result<Vec<CallLogEntry>, String> {
        let store = Arc::clone(self.core.store());
        tokio::task::spawn_blocking(move || store.list(None, 10))
            .await
            .map_err(|error| error.to_string())?
            .map(|page| page.entries)
            .map_err(|error| error.to_string())
    }

    fn tone_number(&self) -> Result<E164, String> {
        dialer_simulator::far_ends()
            .into_iter()
            .find(|far_end| {
                far_end.script.talk == TalkScript::Tone { hz: FAR_END_HZ }
                    && far_end.script.hang_up_after_s.is_none()
            })
            .map(|far_end| far_end.number)
            .ok_or_else(|| "no practice number speaks a steady tone".to_owned())
    }

    fn call_sid(&self) -> Result<CallSid, String> {
        self.view
            .borrow()
            .calls
            .first()
            .and_then(|call| call.call_sid.clone())
            .ok_or_else(|| "the call is gone".to_owned())
    }

    async fn wait(&mut self, mut met: impl FnMut(&View) -> bool) -> Result<(), String> {
        self.view.wait_for(|view| met(view)).await.map(drop).map_err(|_| "the program is closing".to_owned())
    }

    async fn wait_for_call(&mut self, mut met: impl FnMut(&LiveCall) -> bool) -> Result<(), String> {
        self.wait(|view| view.calls.iter().any(&mut met)).await
    }
}

fn write(report: &Report, file: &Path) -> Result<(), String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    std::fs::write(file, text + "\n")
        .map_err(|error| format!("The report could not be written to {}: {error}", file.display()))
}

/// The self-test's lines are its product, so they go to standard output; a closed pipe is no failure.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
