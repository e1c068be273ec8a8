//! REST as a client meets it that knows nothing but HTTP.

mod accounts;
mod calls;
mod faults;
mod numbers;
mod pages;
mod verification;

use dialer_simulator::Simulator;
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// Signs in to a simulator's REST surface.
#[derive(Clone)]
pub(crate) struct Rest {
    http: reqwest::Client,
    base: String,
    user: String,
    password: String,
    account: String,
}

impl Rest {
    /// With the account's SID and Auth Token.
    pub(crate) fn new(simulator: &Simulator) -> Self {
        let account = simulator.account();
        Self {
            http: reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            base: simulator.base_url(),
            user: account.account_sid.to_string(),
            password: account.auth_token.expose_secret().to_owned(),
            account: account.account_sid.to_string(),
        }
    }

    /// The same with other credentials.
    pub(crate) fn signed_in(&self, user: &str, password: &str) -> Self {
        Self { user: user.to_owned(), password: password.to_owned(), ..self.clone() }
    }

    /// The same at another address.
    pub(crate) fn through(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// The path of something below the account, such as `Keys.json`.
    pub(crate) fn of(&self, below: &str) -> String {
        format!("/api/2010-04-01/Accounts/{}/{below}", self.account)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.basic_auth(&self.user, Some(&self.password))
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request("GET", path)).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> (u16, Value) {
        read(self.request("POST", path).form(form)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        read(self.request("DELETE", path)).await
    }
}

/// Status and JSON body; null for an empty one.
async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() })
}

/// The status and Twilio's code of a refusal.
pub(crate) fn refusal((status, body): (u16, Value)) -> (u16, u64) {
    assert_eq!(body["status"], status, "{body}");
    assert!(body["message"].is_string() && body["more_info"].is_string(), "{body}");
    (status, body["code"].as_u64().unwrap())
}
