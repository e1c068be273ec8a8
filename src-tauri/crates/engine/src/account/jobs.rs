//! Set-up, disconnecting, and verifying a caller id.

use std::time::Duration;

use dialer_domain::account::{AppSettings, VerifiedCallerId};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::{self, Choices, TunnelChoice, Undo, Wanted};
use dialer_domain::sid::AccountSid;
use dialer_gateway::tunnel::TunnelState;
use dialer_twilio::rest;
use url::Url;

use super::entered::Secrets;
use super::public_line::PublicLine;
use super::steps::{self, Progress};
use super::{Job, Said};
use crate::api::{CallerIdCheck, CallerIdCheckState, StepState};

/// A plan that is still not empty after this many rounds will not become so.
const ROUNDS: usize = 3;
/// Whom to ask about a caller id: Twilio rings for up to a minute and waits for six digits.
const CALLER_ID_PATIENCE: Duration = Duration::from_secs(150);
/// How often.
const CALLER_ID_LOOK: Duration = Duration::from_secs(2);
/// The step of the public address.
const LINE: &str = "line";
/// The step of reading what is there.
const READ: &str = "read";

/// Opens the line of a connected account.
pub(crate) async fn open_line(job: Job, account: AccountSid, choice: TunnelChoice) {
    let opened = async {
        let token = job.shared.secret(&account, SecretName::AuthToken).await?;
        PublicLine::open(&job.shared, &account, token, choice, job.watcher()).await
    };
    match opened.await {
        Ok(line) => {
            job.say(Said::LineOpened(line));
            job.say(Said::LineReady);
        }
        Err(error) => job.say(Said::Failed(error)),
    }
}

/// Keeps `secrets` and makes Twilio what `choices` say. `line` is the one in use, if it can stay.
pub(crate) async fn set_up(
    job: Job,
    account: AccountSid,
    choices: Choices,
    secrets: Secrets,
    line: Option<PublicLine>,
) {
    let done = async {
        job.keep_secrets(&account, secrets).await?;
        run_set_up(&job, &account, &choices, line).await
    };
    match done.await {
        Ok(()) => job.say(Said::SetUp),
        Err(error) => job.say(Said::Failed(error)),
    }
}

async fn run_set_up(
    job: &Job,
    account: &AccountSid,
    choices: &Choices,
    line: Option<PublicLine>,
) -> Result<(), UserError> {
    let token = job.shared.secret(account, SecretName::AuthToken).await?;
    let client = job.shared.client_with_token(account, token.clone())?;
    let mut progress = Progress::new(job.clone());
    progress.add(LINE, steps::line_title(&choices.tunnel));
    progress.add(READ, "Read what the account has");
    progress.set(LINE, StepState::Running, None);
    let line = match line {
        Some(line) => line,
        None => PublicLine::open(&job.shared, account, token, choices.tunnel.clone(), job.watcher())
            .await
            .inspect_err(|error| progress.set(LINE, StepState::Failed, Some(error.message.clone())))?,
    };
    // Handed over at once: whatever happens to this job, the line has an owner that closes it.
    let watch = line.watch();
    job.say(Said::LineOpened(line));
    let base = public_address(watch, &mut progress).await?;
    progress.set(LINE, StepState::Done, Some(base.to_string()));
    for _ in 0..ROUNDS {
        progress.set(READ, StepState::Running, None);
        let found = steps::find(job, &client).await.map_err(|error| error.user_error())?;
        progress.set(READ, StepState::Done, None);
        let record = job.shared.record()?;
        let key_kept = job.shared.secret_if_any(account, SecretName::ApiKeySecret).await?.is_some();
        let plan = setup::plan(&wanted(job, choices, &base), &found, &record, key_kept);
        if plan.is_empty() {
            let published = base.to_string();
            return job
                .shared
                .save(move |saved| {
                    saved.pending = None;
                    if let Some(record) = &mut saved.record {
                        record.published = Some(published);
                        record.complete = true;
                    }
                })
                .await;
        }
        steps::run(job, &client, account, plan, &mut progress).await?;
    }
    Err(UserError::new(
        ErrorCode::TwilioFailed,
        "Twilio's settings keep changing while they are being set. If someone else is working on this account, wait until they are done, then try again.",
    ))
}

/// What the app and the numbers should be.
fn wanted(job: &Job, choices: &Choices, base: &Url) -> Wanted {
    let saved = job.shared.saved();
    let (voice, status) = super::public_line::urls(base);
    Wanted {
        ring: choices.ring.clone(),
        app: AppSettings {
            friendly_name: saved.installation.resource_name(),
            voice_url: Some(voice),
            voice_method: Some("POST".into()),
            voice_fallback_url: Some(choices.fallback_url.clone().unwrap_or_default()),
            voice_fallback_method: Some("POST".into()),
            status_callback: Some(status),
            status_callback_method: Some("POST".into()),
        },
        installation: saved.installation,
    }
}

/// Waits until Twilio can reach this computer; what is wrong meanwhile stands at the step.
async fn public_address(
    mut watch: tokio::sync::watch::Receiver<TunnelState>,
    progress: &mut Progress,
) -> Result<Url, UserError> {
    loop {
        let state = watch.borrow_and_update().clone();
        match state {
            TunnelState::Up { url, .. } => return Ok(url),
            TunnelState::Open { reason } => {
                progress.set(LINE, StepState::Failed, Some(reason.message.clone()));
                return Err(reason);
            }
            TunnelState::Off | TunnelState::Starting => progress.set(LINE, StepState::Running, None),
            TunnelState::Verifying { url } => {
                progress.set(LINE, StepState::Running, Some(format!("Checking that {url} leads here")));
            }
            TunnelState::Degraded { reason, .. } | TunnelState::Backoff { reason, .. } => {
                progress.set(LINE, StepState::Waiting, Some(reason.message));
            }
        }
        if watch.changed().await.is_err() {
            return Err(UserError::new(
                ErrorCode::TunnelFailed,
                "The way to this computer was closed. Try again.",
            ));
        }
    }
}

/// Puts everything back and forgets the account.
pub(crate) async fn disconnect(job: Job, account: AccountSid, undo: Undo) {
    let undone = run_undo(&job, &account, undo).await;
    let remark = match undone {
        Ok(()) => None,
        // Nobody can sign in any more to put anything back; the account would be stuck here for ever.
        Err(error) if matches!(error.code, ErrorCode::CredentialsRefused | ErrorCode::AccountNotActive) => {
            Some(left_behind(&job, error))
        }
        Err(error) => return job.say(Said::Failed(error)),
    };
    match forget(&job, &account).await {
        Ok(()) => job.say(Said::Disconnected(remark)),
        Err(error) => job.say(Said::Failed(error)),
    }
}

async fn run_undo(job: &Job, account: &AccountSid, undo: Undo) -> Result<(), UserError> {
    let client = job.shared.owner(account).await?;
    let mut progress = Progress::new(job.clone());
    progress.add(READ, "Read what the account has");
    progress.set(READ, StepState::Running, None);
    let found = steps::find(job, &client)
        .await
        .map_err(|error| error.user_error())
        .inspect_err(|error| progress.set(READ, StepState::Failed, Some(error.message.clone())))?;
    progress.set(READ, StepState::Done, None);
    let (installation, record) = (job.shared.saved().installation, job.shared.record()?);
    let mut plan = setup::left_over(&installation, &found, &record, undo);
    plan.extend(setup::undo(&found, &record, undo));
    steps::run(job, &client, account, plan, &mut progress).await
}

fn left_behind(job: &Job, error: UserError) -> UserError {
    let saved = job.shared.saved();
    let numbers: Vec<String> = saved
        .record
        .iter()
        .flat_map(|record| &record.numbers)
        .map(|bound| phone_number::format(&bound.number))
        .collect();
    let numbers = if numbers.is_empty() { "No number was".into() } else { numbers.join(", ") };
    UserError::new(
        error.code,
        format!(
            "The account was forgotten here, but nothing could be put back at Twilio, because it refuses the sign-in. Still pointed here: {numbers}. Look for “{}” in Twilio's Console.",
            saved.installation.resource_name()
        ),
    )
    .with_detail(error.message)
}

async fn forget(job: &Job, account: &AccountSid) -> Result<(), UserError> {
    for name in [SecretName::AuthToken, SecretName::ApiKeySecret, SecretName::TunnelToken] {
        job.shared.forget_secret(account, name).await?;
    }
    job.shared
        .save(|saved| {
            saved.record = None;
            saved.pending = None;
        })
        .await
}

/// Has Twilio call `number` and tells how it goes.
pub(crate) async fn verify_caller_id(job: Job, account: AccountSid, number: E164) {
    let mut check = CallerIdCheck {
        formatted: phone_number::format(&number),
        number,
        code: None,
        state: CallerIdCheckState::Asking,
        error: None,
    };
    job.say(Said::CallerIdCheck(check.clone()));
    match run_verification(&job, &account, &mut check).await {
        Ok(verified) => {
            check.state = CallerIdCheckState::Verified;
            job.say(Said::CallerIds(verified));
        }
        Err(error) => {
            check.state = CallerIdCheckState::Failed;
            check.error = Some(error);
        }
    }
    check.code = None;
    job.say(Said::CallerIdCheck(check));
}

async fn run_verification(
    job: &Job,
    account: &AccountSid,
    check: &mut CallerIdCheck,
) -> Result<Vec<VerifiedCallerId>, UserError> {
    let client = job.shared.owner(account).await?;
    let validation = client
        .validate_caller_id(&rest::CallerIdCheck {
            number: check.number.clone(),
            friendly_name: check.formatted.clone(),
            delay_s: 0,
            status_callback: None,
        })
        .await
        .map_err(|error| error.user_error())?;
    check.code = Some(validation.code);
    check.state = CallerIdCheckState::Calling;
    job.say(Said::CallerIdCheck(check.clone()));
    let looks = async {
        loop {
            tokio::time::sleep(CALLER_ID_LOOK).await;
            let verified = client.caller_ids().await;
            if let Ok(verified) = verified
                && verified.iter().any(|one| one.number == check.number)
            {
                return verified;
            }
        }
    };
    tokio::time::timeout(CALLER_ID_PATIENCE, looks).await.map_err(|_| {
        UserError::new(
            ErrorCode::InvalidEntry,
            "The number was not verified: the call was not answered, or the code was not keyed in. Try again with the telephone at hand.",
        )
    })
}
