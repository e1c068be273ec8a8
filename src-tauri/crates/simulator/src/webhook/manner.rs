//! How a webhook is signed and sent: by the Auth Token and Twilio's defaults, unless the account has
//! a rule for the address, and unless the address itself says otherwise.
//!
//! Whether a rule's connection settings or an address's own overrides win is not documented; here
//! the address does.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dialer_twilio::signature::WebhookKey;
use rand::RngExt as _;
use url::Url;

use super::overrides::Patience;
use crate::network::Network;

/// A client for requests within this computer.
pub(crate) fn client(connect: Duration, read: Option<Duration>) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(connect)
        .user_agent("TwilioProxy/1.1 (practice)");
    match read {
        Some(read) => builder.read_timeout(read).build(),
        None => builder.build(),
    }
}

/// Clients by how patiently they connect and read: the library has both in the client.
#[derive(Default)]
pub(crate) struct Clients(Mutex<HashMap<(Duration, Duration), reqwest::Client>>);

impl Network {
    pub(crate) fn http_with(&self, patience: &Patience) -> reqwest::Result<reqwest::Client> {
        let usual = Patience::default();
        if (patience.connect, patience.read) == (usual.connect, usual.read) {
            return Ok(self.http.clone());
        }
        let mut clients = self.clients.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&(patience.connect, patience.read)) {
            return Ok(known.clone());
        }
        let new = client(patience.connect, Some(patience.read))?;
        clients.insert((patience.connect, patience.read), new.clone());
        Ok(new)
    }

    /// What a webhook to `url` is signed with, and how patiently it is sent.
    pub(crate) fn webhook_manner(&self, url: &Url) -> (WebhookKey, Patience) {
        let resources = self.resources();
        let draw = rand::rng().random_range(0..100);
        let (key, patience) = resources.webhooks.of(url, draw);
        let key = key.unwrap_or_else(|| WebhookKey::AuthToken(resources.auth_token.clone()));
        (key, patience.overridden(url))
    }
}
