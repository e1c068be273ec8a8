//! What the tests stand on: a simulator, a webhook server, and a phone that speaks as the SDK does.

mod phone;
mod sdk;
mod webhooks;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dialer_domain::sid::{CallSid, TwimlAppSid};
use dialer_simulator::{Happening, Pace, SimEvent, Simulator, SimulatorOptions, TwimlApp};
use dialer_twilio::access_token::AccessToken;
use secrecy::ExposeSecret as _;

pub(crate) use phone::Phone;
pub(crate) use sdk::{Sdk, call_sid};
pub(crate) use webhooks::{Answer, Received, Webhooks};

/// Long enough for the slowest machine; every wait ends with what it waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const OUR_NUMBER: &str = "+12025550190";

/// A simulator with one app whose webhooks a [`Webhooks`] answers.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) webhooks: Webhooks,
    pub(crate) app: TwimlAppSid,
}

impl Bench {
    /// At a pace where ringing takes moments; the sound of the far ends is in real time.
    pub(crate) async fn start() -> Self {
        Self::start_with(SimulatorOptions { pace: Pace::times(20.0).unwrap(), ..SimulatorOptions::default() })
            .await
    }

    pub(crate) async fn start_with(options: SimulatorOptions) -> Self {
        let simulator = Simulator::start(options).await.unwrap();
        let webhooks = Webhooks::start(&simulator).await;
        let app = simulator.create_application(TwimlApp {
            voice_url: Some(webhooks.url("/voice")),
            status_callback: Some(webhooks.url("/parent")),
            ..TwimlApp::default()
        });
        let number = simulator.account().numbers.first().unwrap().clone();
        simulator.bind_number(&number, Some(app.clone())).unwrap();
        Self { simulator, webhooks, app }
    }

    /// A token for both directions.
    pub(crate) fn token(&self, identity: &str) -> String {
        let token = self.new_token(identity).incoming(true).outgoing(self.app.clone());
        self.sign(&token)
    }

    pub(crate) fn new_token(&self, identity: &str) -> AccessToken {
        let account = self.simulator.account();
        AccessToken::new(account.account_sid, account.api_key_sid, identity).unwrap()
    }

    pub(crate) fn sign(&self, token: &AccessToken) -> String {
        let secret = self.simulator.account().api_key_secret;
        token.sign(now_ms(), &secret).unwrap().jwt.expose_secret().to_owned()
    }

    /// A connected and registered SDK.
    pub(crate) async fn agent(&self, identity: &str) -> Sdk {
        let mut sdk = Sdk::connect(&self.simulator).await;
        sdk.listen(&self.token(identity), 0).await;
        sdk.register().await;
        sdk
    }

    /// What the webhook `/voice` answers: dial a number as the product does, but with patience.
    pub(crate) fn dial_number(&self, number: &str) {
        self.dial_number_for(number, 600);
    }

    pub(crate) fn dial_number_for(&self, number: &str, timeout_s: u32) {
        let leg = self.webhooks.url("/leg");
        self.webhooks.answer(
            "/voice",
            Answer::twiml(&format!(
                "<Dial callerId=\"{OUR_NUMBER}\" answerOnBridge=\"true\" timeout=\"{timeout_s}\">\
                 <Number statusCallback=\"{leg}\" statusCallbackEvent=\"initiated ringing answered completed\">{number}</Number></Dial>"
            )),
        );
    }

    /// What the webhook `/voice` answers: ring a device as the product does, but with patience.
    pub(crate) fn ring_client(&self, identity: &str) {
        let leg = self.webhooks.url("/leg");
        self.webhooks.answer(
            "/voice",
            Answer::twiml(&format!(
                "<Dial answerOnBridge=\"true\" timeout=\"600\">\
                 <Client statusCallback=\"{leg}\" statusCallbackEvent=\"initiated ringing answered completed\">\
                 <Identity>{identity}</Identity><Parameter name=\"called\" value=\"{OUR_NUMBER}\"/></Client></Dial>"
            )),
        );
    }

    /// The first event that `wanted` accepts, past or to come.
    pub(crate) async fn event(&self, wanted: impl Fn(&Happening) -> bool) -> SimEvent {
        let mut live = self.simulator.subscribe();
        let seen = self.simulator.events_since(0).into_iter().find(|event| wanted(&event.what));
        if let Some(event) = seen {
            return event;
        }
        let coming = async {
            loop {
                let event = live.recv().await.unwrap();
                if wanted(&event.what) {
                    return event;
                }
            }
        };
        match tokio::time::timeout(PATIENCE, coming).await {
            Ok(event) => event,
            Err(_) => panic!("the event did not come; there were: {:#?}", self.simulator.events_since(0)),
        }
    }

    /// Waits for an alert of this code.
    pub(crate) async fn alert(&self, wanted: u32) {
        self.event(|what| matches!(what, Happening::Alert { code, .. } if *code == wanted)).await;
    }

    /// Codes of all alerts so far.
    pub(crate) fn alerts(&self) -> Vec<u32> {
        let code = |event: SimEvent| {
            if let Happening::Alert { code, .. } = event.what { Some(code) } else { None }
        };
        self.simulator.events_since(0).into_iter().filter_map(code).collect()
    }

    /// Waits until what the far end in a call hears satisfies `enough`.
    pub(crate) async fn heard(
        &self,
        call: &CallSid,
        enough: impl Fn(&dialer_simulator::Heard) -> bool,
    ) -> dialer_simulator::Heard {
        let listening = async {
            loop {
                if let Some(heard) = self.simulator.heard(call).filter(&enough) {
                    return heard;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, listening).await {
            Ok(heard) => heard,
            Err(_) => panic!("the far end heard only {:?}", self.simulator.heard(call)),
        }
    }

    pub(crate) async fn stop(self) {
        self.simulator.shutdown().await;
        assert!(self.webhooks.all_signed(), "every webhook is signed so that it validates");
    }
}

pub(crate) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}
