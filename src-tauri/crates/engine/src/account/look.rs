//! Reading the account at Twilio.

use dialer_domain::account::{AccountFacts, AccountStanding, OwnedNumber, TwimlApp, VerifiedCallerId};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::identity::ClientIdentity;
use dialer_domain::ports::SecretName;
use dialer_domain::setup::Record;
use dialer_domain::sid::{AccountSid, ApiKeySid, TwimlAppSid};
use dialer_twilio::rest::{Balance, Client, CountryPermission, RestError};

use super::entered::{Entry, Secrets};
use super::{Job, Said};

/// A clock that is further off than this makes access tokens that Twilio refuses (their `nbf` leaves 30 s).
const CLOCK_TOLERANCE_MS: i64 = 60_000;

/// What was read.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    pub(crate) facts: AccountFacts,
    pub(crate) numbers: Vec<OwnedNumber>,
    pub(crate) verified: Vec<VerifiedCallerId>,
    pub(crate) apps: Vec<TwimlApp>,
    /// Absent where the account does not tell.
    pub(crate) balance: Option<Balance>,
    /// Absent where the account does not tell.
    pub(crate) countries: Option<Vec<CountryPermission>>,
    pub(crate) remarks: Vec<String>,
}

/// Keeps `secrets`, reads the account whose Auth Token is in the vault then, and begins its record.
pub(crate) async fn look(job: Job, entry: Entry, secrets: Secrets) {
    match looked(&job, &entry, secrets).await {
        Ok(looked) => job.say(Said::Looked(Box::new(looked))),
        Err(error) => {
            if error.code == ErrorCode::CredentialsRefused && job.shared.saved().record.is_none() {
                forget_refused(&job, &entry.account).await;
            }
            job.say(Said::Failed(error));
        }
    }
}

/// A pair that Twilio does not know is not kept: the next start would ask with it again.
async fn forget_refused(job: &Job, account: &AccountSid) {
    let forgotten = async {
        job.shared.forget_secret(account.as_str(), SecretName::AuthToken).await?;
        job.shared.save(|saved| saved.pending = None).await
    };
    match forgotten.await {
        Ok(()) => job.say(Said::SecretsForgotten),
        Err(error) => tracing::warn!(%error, "a refused Auth Token could not be removed from the vault"),
    }
}

async fn looked(job: &Job, entry: &Entry, secrets: Secrets) -> Result<Looked, UserError> {
    job.keep_secrets(secrets).await?;
    let client = job.shared.owner(&entry.account).await?;
    let told = |error: RestError| error.user_error();
    let facts = job.patiently(|| client.account()).await.map_err(told)?;
    must_be_active(facts.standing)?;
    must_agree_on_the_time(client.clock_offset_ms())?;
    let numbers = job.patiently(|| client.numbers()).await.map_err(told)?;
    let verified = job.patiently(|| client.caller_ids()).await.map_err(told)?;
    let apps = job.patiently(|| client.applications()).await.map_err(told)?;
    let balance = job.patiently(|| client.balance()).await.ok();
    let countries = job.patiently(|| client.country_permissions()).await.ok();
    let mut remarks = Vec::new();
    if let Some(sid) = &entry.twiml_app
        && let Some(remark) = app_remark(sid, &apps)
    {
        remarks.push(remark);
    }
    let key = match &entry.api_key {
        None => None,
        Some(key) => match try_key(job, &entry.account, key).await? {
            Ok(()) => Some(key.clone()),
            Err(remark) => {
                remarks.push(remark);
                None
            }
        },
    };
    begin_record(job, facts.clone(), key).await?;
    Ok(Looked { facts, numbers, verified, apps, balance, countries, remarks })
}

/// A suspended account places no calls, and its numbers do not ring.
pub(crate) fn must_be_active(standing: AccountStanding) -> Result<(), UserError> {
    let message = match standing {
        AccountStanding::Active => return Ok(()),
        AccountStanding::Suspended => {
            "Twilio has suspended this account, usually because its balance is used up. Pay it up in Twilio's Console, then try again."
        }
        AccountStanding::Closed => "This account was closed and cannot be used again. Enter another one.",
    };
    Err(UserError::new(ErrorCode::AccountNotActive, message))
}

/// Access tokens carry this computer's time, and Twilio refuses those of the future and of the past.
fn must_agree_on_the_time(offset_ms: Option<i64>) -> Result<(), UserError> {
    let Some(offset_ms) = offset_ms.filter(|offset| offset.abs() > CLOCK_TOLERANCE_MS) else { return Ok(()) };
    let minutes = (offset_ms.unsigned_abs() + 30_000) / 60_000;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let direction = if offset_ms > 0 { "slow" } else { "fast" };
    Err(UserError::new(
        ErrorCode::TokenRejected,
        format!(
            "This computer's clock is {minutes} {unit} {direction}, and Twilio refuses calls from it. Let the system set the time by itself, then try again."
        ),
    ))
}

fn app_remark(sid: &TwimlAppSid, apps: &[TwimlApp]) -> Option<String> {
    Some(match apps.iter().find(|app| app.sid == *sid) {
        Some(app) => format!(
            "Your TwiML App “{}” stays as it is: this computer gets one of its own, so that nothing that uses yours changes.",
            app.settings.friendly_name
        ),
        None => "The TwiML App you entered is not in this account. It is not needed: this computer gets one of its own.".into(),
    })
}

/// Whether an entered key works; the inner error is a remark for the agent, who gets a new key instead.
async fn try_key(job: &Job, account: &AccountSid, key: &ApiKeySid) -> Result<Result<(), String>, UserError> {
    let Some(secret) = job.shared.secret_if_any(key.as_str(), SecretName::ApiKeySecret).await? else {
        return Ok(Err(
            "The API key was entered without its secret, so this computer gets a new key of its own.".into(),
        ));
    };
    let client: Client = job.shared.client_with_key(account, key, secret)?;
    match job.patiently(|| client.probe()).await {
        Ok(()) => Ok(Ok(())),
        Err(RestError::Refused { .. }) => Ok(Err(
            "Twilio refuses the API key you entered: it was deleted, or its secret is another one. This computer gets a new key of its own.".into(),
        )),
        Err(error) => Err(error.user_error()),
    }
}

/// The record begins with what is known; a repeated look keeps what set-up has done since.
async fn begin_record(job: &Job, facts: AccountFacts, key: Option<ApiKeySid>) -> Result<(), UserError> {
    let identity = format!("agent_{}", job.shared.saved().installation.id);
    let identity = ClientIdentity::parse(&identity).map_err(|error| {
        UserError::new(ErrorCode::Internal, "This installation's id is damaged. Reinstall the program.")
            .with_detail(error.to_string())
    })?;
    job.shared
        .save(move |saved| match &mut saved.record {
            Some(record) if record.account.sid == facts.sid => {
                record.account = facts;
                if record.key.is_none() {
                    record.key = key;
                    record.key_is_ours = false;
                }
            }
            record => {
                *record = Some(Record {
                    account: facts,
                    identity,
                    choices: None,
                    key,
                    key_is_ours: false,
                    app: None,
                    numbers: Vec::new(),
                    published: None,
                    signing: None,
                    wanted: None,
                    undoing: None,
                    complete: false,
                });
            }
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_clock_is_named_with_its_direction() {
        assert_eq!(must_agree_on_the_time(None), Ok(()));
        assert_eq!(must_agree_on_the_time(Some(-59_000)), Ok(()));
        let told = |offset| must_agree_on_the_time(Some(offset)).map_err(|error| error.message);
        assert!(told(7 * 60_000).is_err_and(|text| text.contains("7 minutes slow")));
        assert!(told(-61_000).is_err_and(|text| text.contains("1 minute fast")));
    }

    #[test]
    fn only_an_active_account_goes_on() {
        assert!(must_be_active(AccountStanding::Active).is_ok());
        assert!(must_be_active(AccountStanding::Suspended).is_err());
        assert!(must_be_active(AccountStanding::Closed).is_err());
    }
}
