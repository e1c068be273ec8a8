//! What callers get while this computer cannot be reached: Twilio asks another address then.

use std::time::Duration;

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::SecretName;
use url::Url;

use crate::api::FallbackView;
use crate::phone::Phone;

/// How long the address may take to answer; Twilio gives it 15 seconds.
const PATIENCE: Duration = Duration::from_secs(5);
/// The most that is read of the answer, in bytes.
const ENOUGH: usize = 64 * 1024;
/// Where TwiML Bins are. They are Twilio's own, and asking them without a signature tells nothing.
const TWIML_BINS: &str = "handler.twilio.com";

impl Phone {
    /// What is there, and what is wrong with it.
    pub(crate) async fn looked_at_fallback(&self) -> Result<FallbackView, UserError> {
        let rules = self.core().rules().await?;
        let url = self.fallback_url();
        let problem = match &url {
            None => None,
            Some(url) => problem(url).await,
        };
        Ok(FallbackView { document: dialer_gateway::fallback_document(&rules.incoming), url, problem })
    }

    /// Writes the address to this computer's app, then to the disk.
    pub(crate) async fn use_fallback(&self, url: Option<String>) -> Result<(), UserError> {
        let url = url.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
        if let Some(url) = &url {
            checked(url).map_err(|message| UserError::new(ErrorCode::InvalidEntry, message))?;
        }
        let shared = self.shared();
        let record = shared.record()?;
        if let (Some(app), Some(key)) = (&record.app, &record.key) {
            let secret = shared.secret(key.as_str(), SecretName::ApiKeySecret).await?;
            let client = shared.client_with_key(&record.account.sid, key, secret)?;
            let mut settings = client.application(app).await.map_err(|error| error.user_error())?.settings;
            // An empty text is how Twilio is told to forget an address.
            settings.voice_fallback_url = Some(url.clone().unwrap_or_default());
            client.update_application(app, &settings).await.map_err(|error| error.user_error())?;
        }
        shared
            .save_record(move |record| {
                if let Some(choices) = &mut record.choices {
                    choices.fallback_url = url;
                }
            })
            .await
    }
}

fn checked(url: &str) -> Result<Url, String> {
    let url = Url::parse(url)
        .map_err(|_| "This is no address. It looks like https://handler.twilio.com/twiml/EH….".to_owned())?;
    let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        // A simulator on this computer.
        "http" if local => Ok(url),
        _ => Err("The address must begin with https://, or callers could be listened in on.".into()),
    }
}

/// What is wrong with the address, as a sentence with the cure.
async fn problem(url: &str) -> Option<String> {
    let url = match checked(url) {
        Ok(url) => url,
        Err(problem) => return Some(problem),
    };
    if url.host_str() == Some(TWIML_BINS) {
        return (!url.path().starts_with("/twiml/EH")).then(|| {
            "This is no TwiML Bin: its address ends in /twiml/ and a name that begins with EH.".into()
        });
    }
    match tokio::time::timeout(PATIENCE, fetch(url)).await {
        Ok(Ok(document)) if document.contains("<Response") => None,
        Ok(Ok(_)) => Some("What is at this address is no TwiML document. Twilio could not play it.".into()),
        Ok(Err(why)) => Some(format!("This address does not answer as it should: {why}")),
        Err(_) => Some("This address does not answer in time. Twilio would give up.".into()),
    }
}

async fn fetch(url: Url) -> Result<String, String> {
    let mut response = reqwest::get(url).await.map_err(|error| error.without_url().to_string())?;
    if !response.status().is_success() {
        return Err(format!("it says {}.", response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url().to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > ENOUGH {
            break;
        }
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_twiml_bin_is_known_by_its_address() {
        assert_eq!(problem(&format!("https://{TWIML_BINS}/twiml/EH0123")).await, None);
        for (url, said) in [
            ("https://handler.twilio.com/", "no TwiML Bin"),
            ("http://example.com/fallback", "https"),
            ("fallback", "no address"),
            ("http://127.0.0.1:1/", "does not answer"),
        ] {
            assert!(problem(url).await.is_some_and(|problem| problem.contains(said)), "{url}");
        }
    }
}
