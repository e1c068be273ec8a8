//! Doing the steps of a plan, one after the other, each told and each in the record.

use dialer_domain::account::NumberRouting;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number;
use dialer_domain::ports::SecretName;
use dialer_domain::setup::{Found, Made, Step, TunnelChoice};
use dialer_twilio::rest::{Client, RestError};

use super::{Job, Said};
use crate::api::{StepState, StepView};

/// The steps of one run, for the page.
pub(crate) struct Progress {
    job: Job,
    steps: Vec<StepView>,
}

impl Progress {
    pub(crate) fn new(job: Job) -> Self {
        Self { job, steps: Vec::new() }
    }

    /// Adds a step that is not begun.
    pub(crate) fn add(&mut self, id: impl Into<String>, title: impl Into<String>) {
        let id = id.into();
        // In a second round it is the same step once more.
        self.steps.retain(|step| step.id != id);
        self.steps.push(StepView { id, title: title.into(), state: StepState::Pending, note: None });
        self.tell();
    }

    /// Changes the step of that id.
    pub(crate) fn set(&mut self, id: &str, state: StepState, note: Option<String>) {
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == id) {
            step.state = state;
            step.note = note;
        }
        self.tell();
    }

    fn tell(&self) {
        self.job.say(Said::Steps(self.steps.clone()));
    }
}

/// Reads what plans are compared with.
pub(crate) async fn find(job: &Job, client: &Client) -> Result<Found, RestError> {
    Ok(Found {
        keys: job.patiently(|| client.keys()).await?,
        apps: job.patiently(|| client.applications()).await?,
        numbers: job.patiently(|| client.numbers()).await?,
    })
}

/// Why a step was not done.
pub(crate) enum NotDone {
    /// For the agent to act on.
    Failed(UserError),
    /// Twilio may have made something and its answer was lost: look again before making it once more.
    Unsure(RestError),
}

impl From<UserError> for NotDone {
    fn from(error: UserError) -> Self {
        Self::Failed(error)
    }
}

/// Does `steps` in order. The first that is not done ends it, told at its step.
pub(crate) async fn run(
    job: &Job,
    client: &Client,
    steps: Vec<Step>,
    progress: &mut Progress,
) -> Result<(), NotDone> {
    let named: Vec<(String, Step)> = steps.into_iter().map(|step| (id(&step), step)).collect();
    for (id, step) in &named {
        progress.add(id, title(step));
    }
    for (id, step) in named {
        progress.set(&id, StepState::Running, None);
        match perform(job, client, step).await {
            Ok(note) => progress.set(&id, StepState::Done, note),
            Err(NotDone::Failed(error)) => {
                progress.set(&id, StepState::Failed, Some(error.message.clone()));
                return Err(NotDone::Failed(error));
            }
            Err(NotDone::Unsure(error)) => {
                progress.set(&id, StepState::Waiting, Some(error.user_error().message));
                return Err(NotDone::Unsure(error));
            }
        }
    }
    Ok(())
}

/// Stable within a run: what is done, and to what.
fn id(step: &Step) -> String {
    match step {
        Step::DeleteLostKey { sid } => format!("delete-lost-key-{sid}"),
        Step::CreateKey { .. } => "create-key".into(),
        Step::AdoptApp { .. } => "adopt-app".into(),
        Step::CreateApp { .. } => "create-app".into(),
        Step::UpdateApp { .. } => "update-app".into(),
        Step::BindNumber { number, .. } => format!("bind-{number}"),
        Step::RestoreNumber { number, .. } => format!("restore-{number}"),
        Step::ForgetNumber { number, .. } => format!("forget-{number}"),
        Step::DeleteApp { sid } => format!("delete-app-{sid}"),
        Step::DeleteKey { .. } => "delete-key".into(),
    }
}

/// As words for the agent.
fn title(step: &Step) -> String {
    let read = phone_number::format;
    match step {
        Step::DeleteLostKey { .. } => "Delete a key of this computer whose secret was lost".into(),
        Step::CreateKey { .. } => "Make an API key for this computer".into(),
        Step::AdoptApp { .. } => "Take up this computer's TwiML App".into(),
        Step::CreateApp { .. } => "Make a TwiML App for this computer".into(),
        Step::UpdateApp { .. } => "Tell Twilio this computer's address".into(),
        Step::BindNumber { number, .. } => format!("Let {} ring here", read(number)),
        Step::RestoreNumber { number, .. } => format!("Put {} back as it was", read(number)),
        Step::ForgetNumber { number, .. } => {
            format!("Leave {} alone: it was changed at Twilio since", read(number))
        }
        Step::DeleteApp { .. } => "Delete a TwiML App of this computer".into(),
        Step::DeleteKey { .. } => "Delete this computer's API key".into(),
    }
}

/// Does one step and records it: what it replaces before, what it makes after. A crash between the two
/// is mended by the next plan.
async fn perform(job: &Job, client: &Client, step: Step) -> Result<Option<String>, NotDone> {
    let was = if let Step::ForgetNumber { sid, .. } = &step {
        job.shared.record()?.numbers.into_iter().find(|bound| bound.sid == *sid)
    } else {
        None
    };
    let before = step.clone();
    job.shared.save_record(move |record| record.before_step(&before)).await?;
    let (made, note) = do_at_twilio(job, client, &step).await?;
    let deleted = if let Step::DeleteKey { sid } | Step::DeleteLostKey { sid } = &step {
        Some(sid.clone())
    } else {
        None
    };
    job.shared.save_record(move |record| record.after_step(&step, made)).await?;
    if let Some(key) = deleted {
        job.shared.forget_secret(key.as_str(), SecretName::ApiKeySecret).await?;
    }
    Ok(note.or_else(|| was.map(|bound| before_note(&bound.before))))
}

/// The step itself: what Twilio made in it, and what the agent should know.
async fn do_at_twilio(
    job: &Job,
    client: &Client,
    step: &Step,
) -> Result<(Option<Made>, Option<String>), NotDone> {
    let told = |error: RestError| NotDone::Failed(error.user_error());
    // To make something twice would leave one of the two behind.
    let made = |error: RestError| if error.passing() { NotDone::Unsure(error) } else { told(error) };
    match step {
        Step::CreateKey { friendly_name } => {
            let key = client.create_key(friendly_name).await.map_err(made)?;
            // The secret first: a record of a key without its secret would be believed.
            job.shared.keep_secret(key.sid.as_str(), SecretName::ApiKeySecret, key.secret).await?;
            return Ok((Some(Made::Key(key.sid)), None));
        }
        Step::CreateApp { settings } => {
            let app = client.create_application(settings).await.map_err(made)?;
            return Ok((Some(Made::App(app.sid)), None));
        }
        Step::UpdateApp { sid, settings } => {
            job.patiently(|| client.update_application(sid, settings)).await.map_err(told)?;
        }
        Step::BindNumber { sid, before, .. } => {
            let app = job.shared.record()?.app.ok_or_else(|| {
                UserError::new(ErrorCode::Internal, "This computer has no TwiML App yet. Run set-up again.")
            })?;
            job.patiently(|| client.bind_number(sid, &app)).await.map_err(told)?;
            return Ok((None, Some(before_note(before))));
        }
        Step::RestoreNumber { sid, to, .. } => {
            job.patiently(|| client.restore_number(sid, to)).await.map_err(told)?;
            return Ok((None, restored_note(to)));
        }
        Step::DeleteApp { sid } => {
            gone_is_done(job.patiently(|| client.delete_application(sid)).await).map_err(told)?;
        }
        Step::DeleteLostKey { sid } | Step::DeleteKey { sid } => {
            gone_is_done(job.patiently(|| client.delete_key(sid)).await).map_err(told)?;
        }
        // These are about the record alone.
        Step::AdoptApp { .. } | Step::ForgetNumber { .. } => {}
    }
    Ok((None, None))
}

/// Where the calls of a number went.
fn before_note(before: &NumberRouting) -> String {
    let set = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    let was = set(&before.trunk_sid)
        .map(|sid| format!("the SIP trunk {sid}"))
        .or_else(|| set(&before.voice_application_sid).map(|sid| format!("the TwiML App {sid}")))
        .or_else(|| set(&before.voice_url));
    match was {
        Some(was) => format!("Before it rang here its calls went to {was}."),
        None => "Before it rang here its calls went nowhere.".into(),
    }
}

/// Deleting what is gone already has succeeded.
fn gone_is_done(answer: Result<(), RestError>) -> Result<(), RestError> {
    match answer {
        Err(RestError::Refused { status: 404, .. }) => Ok(()),
        answer => answer,
    }
}

fn restored_note(to: &NumberRouting) -> Option<String> {
    let empty = |value: &Option<String>| value.as_ref().is_none_or(String::is_empty);
    let nowhere = empty(&to.trunk_sid) && empty(&to.voice_application_sid) && empty(&to.voice_url);
    nowhere.then(|| "Its calls went nowhere before, and do again.".into())
}

/// What opening the public address is called, by provider.
pub(crate) fn line_title(choice: &TunnelChoice) -> String {
    match choice {
        TunnelChoice::Fixed { url } => format!("Prove that {url} leads to this computer"),
        TunnelChoice::CloudflaredNamed { .. } | TunnelChoice::CloudflaredQuick { .. } => {
            "Open a way here with cloudflared".into()
        }
        TunnelChoice::Ngrok { .. } => "Open a way here with ngrok".into(),
        TunnelChoice::Ssh { destination, .. } => format!("Open a way here through {destination}"),
        TunnelChoice::Command { program, .. } => format!("Open a way here with {program}"),
    }
}
