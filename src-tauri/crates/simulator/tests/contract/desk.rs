//! A simulator behind the proxy, and clients of it.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::sid::ApiKeySid;
use dialer_twilio::rest::{BaseUrls, Client, ClientOptions, Credentials, Pause, RestError};
use secrecy::SecretString;
use url::Url;

use super::proxy::Proxy;
use crate::bench::Bench;

pub(crate) struct Desk {
    pub(crate) bench: Bench,
    pub(crate) proxy: Proxy,
    /// Signs with the Auth Token.
    pub(crate) owner: Client,
    /// Signs with a Standard key.
    pub(crate) key: Client,
}

impl Desk {
    pub(crate) async fn start() -> Self {
        let bench = Bench::start().await;
        let proxy = Proxy::start(bench.simulator.base_url()).await;
        let account = bench.simulator.account();
        let owner = client(
            &proxy.url,
            Credentials::AuthToken {
                account: account.account_sid.clone(),
                token: account.auth_token.clone(),
            },
        );
        let key = client(
            &proxy.url,
            Credentials::ApiKey {
                account: account.account_sid,
                key: account.api_key_sid,
                secret: account.api_key_secret,
            },
        );
        Self { bench, proxy, owner, key }
    }

    /// A client that signs with another key.
    pub(crate) fn with_key(&self, key: ApiKeySid, secret: SecretString) -> Client {
        let account = self.owner.account_sid().clone();
        client(&self.proxy.url, Credentials::ApiKey { account, key, secret })
    }

    pub(crate) async fn stop(self) {
        self.bench.stop().await;
    }
}

/// A client that does not wait between tries.
pub(crate) fn client(url: &Url, credentials: Credentials) -> Client {
    let options = ClientOptions { pause: Arc::new(NoPause), ..ClientOptions::default() };
    Client::new(BaseUrls::simulator(url).unwrap(), credentials, options).unwrap()
}

struct NoPause;

#[async_trait::async_trait]
impl Pause for NoPause {
    async fn pause(&self, _duration: Duration) {}
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, RestError>) -> Option<u32> {
    result.unwrap_err().code()
}
