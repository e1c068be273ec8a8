//! Set-up, disconnecting, and verifying a caller id.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use dialer_domain::account::{AppSettings, VerifiedCallerId};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number::{self, E164};
use dialer_domain::ports::SecretName;
use dialer_domain::setup::{self, Choices, Found, Record, TunnelChoice, Undo, Wanted};
use dialer_domain::sid::AccountSid;
use dialer_gateway::tunnel::TunnelState;
use dialer_twilio::rest::{self, Client};
use tokio::sync::watch;
use url::Url;

use super::entered::Secrets;
use super::public_line::PublicLine;
use super::signing;
use super::steps::{self, NotDone, Progress};
use super::{Job, PATIENCE, Said};
use crate::api::{CallerIdCheck, CallerIdCheckState, StepState};
use crate::core::blocking;
use crate::routing::Keys;

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
/// The step of what requests are signed with.
const SIGN: &str = "sign";

/// Opens the line of a connected account.
pub(crate) async fn open_line(job: Job, account: AccountSid, choice: TunnelChoice) {
    let opened = async {
        let token = job.shared.secret(account.as_str(), SecretName::AuthToken).await?;
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

/// The line in use: how its tunnel stands, and what requests through it may be signed with.
pub(crate) type OpenLine = (watch::Receiver<TunnelState>, Arc<Keys>);

/// Keeps `secrets` and makes Twilio what `choices` say. `line` is the one in use, if it can stay.
pub(crate) async fn set_up(
    job: Job,
    account: AccountSid,
    choices: Choices,
    secrets: Secrets,
    line: Option<OpenLine>,
) {
    let done = async {
        job.keep_secrets(secrets).await?;
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
    line: Option<OpenLine>,
) -> Result<(), UserError> {
    let mut progress = Progress::new(job.clone());
    progress.add(LINE, steps::line_title(&choices.tunnel));
    progress.add(READ, "Read what the account has");
    progress.set(LINE, StepState::Running, None);
    let opened = async {
        let token = job.shared.secret(account.as_str(), SecretName::AuthToken).await?;
        let client = job.shared.client_with_token(account, token.clone())?;
        let line = match line {
            Some(line) => line,
            None => {
                let choice = choices.tunnel.clone();
                let line = PublicLine::open(&job.shared, account, token, choice, job.watcher()).await?;
                let open = (line.watch(), line.keys());
                job.say(Said::LineOpened(line));
                open
            }
        };
        Ok::<_, UserError>((client, line))
    };
    let (client, (watch, keys)) = opened
        .await
        .inspect_err(|error| progress.set(LINE, StepState::Failed, Some(error.message.clone())))?;
    let base = public_address(watch, &mut progress).await?;
    progress.set(LINE, StepState::Done, Some(base.to_string()));
    // From here on a webhook can be answered, if only by saying that the phone is being set up.
    job.serve_as(base.clone());
    sign(job, keys, &base, &mut progress).await?;
    let mut rounds = 0;
    let mut wait = PATIENCE.0;
    loop {
        let found = read(job, &client, &mut progress).await?;
        let record = job.shared.record()?;
        let key_kept = match &record.key {
            Some(key) => job.shared.secret_if_any(key.as_str(), SecretName::ApiKeySecret).await?.is_some(),
            None => false,
        };
        let plan = setup::plan(&wanted(job, choices, &base), &found, &record, key_kept);
        if plan.is_empty() {
            return finish(job, &base).await;
        }
        if rounds == ROUNDS {
            return Err(UserError::new(
                ErrorCode::TwilioFailed,
                "Twilio's settings keep changing while they are being set. If someone else is working on this account, wait until they are done, then try again.",
            ));
        }
        match steps::run(job, &client, plan, &mut progress).await {
            Ok(()) => rounds += 1,
            Err(NotDone::Unsure(error)) => wait = job.wait(&error, wait).await,
            Err(NotDone::Failed(error)) => return Err(error),
        }
    }
}

/// Where the phone demands a key of its own, requests to the address must be signed with it before there are any;
/// where that was given up, with the Auth Token.
async fn sign(job: &Job, keys: Arc<Keys>, base: &Url, progress: &mut Progress) -> Result<(), UserError> {
    let wanted = job.shared.record()?.signing.is_some_and(|signing| signing.wanted);
    settle(job, Some(keys), wanted.then_some(base), progress).await
}

/// Has requests to `address` signed with this computer's key, or without one all requests with the Auth Token.
async fn settle(
    job: &Job,
    keys: Option<Arc<Keys>>,
    address: Option<&Url>,
    progress: &mut Progress,
) -> Result<(), UserError> {
    if job.shared.record()?.signing.is_none() {
        return Ok(());
    }
    progress.add(
        SIGN,
        match address {
            Some(_) => "Have requests to this address signed with this computer's own key",
            None => "Have Twilio sign its requests with the Auth Token again",
        },
    );
    let signer = job.signer(keys);
    let mut wait = PATIENCE.0;
    loop {
        progress.set(SIGN, StepState::Running, None);
        let done = async {
            let client = job.shared.client_for_webhooks().await?;
            match address {
                Some(address) => signer.demand(&client, address).await,
                None => signer.withdraw(&client).await,
            }
        };
        match done.await.map_err(signing::NotDone::told) {
            Ok(()) => break,
            Err((error, true)) => {
                progress.set(SIGN, StepState::Waiting, Some(error.message.clone()));
                wait = job.wait_out(error.message, wait).await;
            }
            Err((error, false)) => {
                progress.set(SIGN, StepState::Failed, Some(error.message.clone()));
                return Err(error);
            }
        }
    }
    progress.set(SIGN, StepState::Done, None);
    Ok(())
}

/// What was wanted is so.
async fn finish(job: &Job, base: &Url) -> Result<(), UserError> {
    let published = base.to_string();
    job.shared
        .save(move |saved| {
            saved.pending = None;
            if let Some(record) = &mut saved.record {
                record.published = Some(published);
                if let Some(wanted) = record.wanted.take() {
                    record.choices = Some(wanted);
                }
                record.complete = true;
            }
        })
        .await
}

async fn read(job: &Job, client: &Client, progress: &mut Progress) -> Result<Found, UserError> {
    progress.set(READ, StepState::Running, None);
    let found = steps::find(job, client)
        .await
        .map_err(|error| error.user_error())
        .inspect_err(|error| progress.set(READ, StepState::Failed, Some(error.message.clone())))?;
    progress.set(READ, StepState::Done, None);
    Ok(found)
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
            // One that was entered at Twilio by hand stays.
            voice_fallback_url: choices.fallback_url.clone(),
            voice_fallback_method: choices.fallback_url.as_ref().map(|_| "POST".into()),
            status_callback: Some(status),
            status_callback_method: Some("POST".into()),
        },
        installation: saved.installation,
    }
}

/// Waits until Twilio can reach this computer; what is wrong meanwhile stands at the step.
async fn public_address(
    mut watch: watch::Receiver<TunnelState>,
    progress: &mut Progress,
) -> Result<Url, UserError> {
    loop {
        let state = watch.borrow_and_update().clone();
        match state {
            TunnelState::Up { url, .. } => return Ok(url),
            // It is tried again by itself.
            TunnelState::Open { reason, until_ms: Some(_) } => {
                progress.set(LINE, StepState::Waiting, Some(reason.message));
            }
            TunnelState::Open { reason, until_ms: None } => {
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

/// Puts everything back and forgets the account. `keys` are those of the line, while there is one.
pub(crate) async fn disconnect(job: Job, account: AccountSid, undo: Undo, keys: Option<Arc<Keys>>) {
    let done = async {
        run_undo(&job, &account, undo, keys).await?;
        forget(&job, &account).await
    };
    match done.await {
        Ok(()) => job.say(Said::Disconnected(None)),
        Err(error) => job.say(Said::Failed(error)),
    }
}

async fn run_undo(
    job: &Job,
    account: &AccountSid,
    undo: Undo,
    keys: Option<Arc<Keys>>,
) -> Result<(), UserError> {
    let mut progress = Progress::new(job.clone());
    settle(job, keys, None, &mut progress).await?;
    progress.add(READ, "Read what the account has");
    let client = job
        .shared
        .owner(account)
        .await
        .inspect_err(|error| progress.set(READ, StepState::Failed, Some(error.message.clone())))?;
    let found = read(job, &client, &mut progress).await?;
    let (installation, record) = (job.shared.saved().installation, job.shared.record()?);
    let plan = setup::disconnect(&installation, &found, &record, undo);
    match steps::run(job, &client, plan, &mut progress).await {
        Ok(()) => Ok(()),
        Err(NotDone::Failed(error)) => Err(error),
        Err(NotDone::Unsure(error)) => Err(error.user_error()),
    }
}

/// Forgets the account here without putting anything back at Twilio. What its numbers said before is
/// written to a file first: it is the only copy.
pub(crate) async fn forget_account(job: Job, account: AccountSid) {
    let done = async {
        let record = job.shared.record()?;
        let remark = if record.numbers.is_empty() {
            None
        } else {
            let (shared, numbers) = (Arc::clone(&job.shared), record.numbers.clone());
            Some(blocking(move || shared.keep_numbers(&numbers)).await?)
        };
        forget(&job, &account).await?;
        Ok::<_, UserError>(left_behind(&job, &record, remark))
    };
    match done.await {
        Ok(remark) => job.say(Said::Disconnected(Some(remark))),
        Err(error) => job.say(Said::Failed(error)),
    }
}

fn left_behind(job: &Job, record: &Record, file: Option<PathBuf>) -> UserError {
    let name = job.shared.saved().installation.resource_name();
    let numbers: Vec<String> =
        record.numbers.iter().map(|bound| phone_number::format(&bound.number)).collect();
    let message = match file {
        Some(file) => format!(
            "The account was forgotten here. At Twilio {} still point here; what they said before is in {}. Look for “{name}” in Twilio's Console.",
            numbers.join(", "),
            file.display()
        ),
        None => format!(
            "The account was forgotten here. Look for “{name}” in Twilio's Console and delete what is left of it."
        ),
    };
    UserError::new(ErrorCode::TwilioFailed, message)
}

async fn forget(job: &Job, account: &AccountSid) -> Result<(), UserError> {
    for name in [SecretName::AuthToken, SecretName::TunnelToken] {
        job.shared.forget_secret(account.as_str(), name).await?;
    }
    job.signer(None).forget().await?;
    if let Some(key) = job.shared.saved().record.and_then(|record| record.key) {
        job.shared.forget_secret(key.as_str(), SecretName::ApiKeySecret).await?;
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
