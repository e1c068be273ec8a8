//! What the log must never hold: a secret, a token, or a caller's number at INFO or above.

use std::io::Write;
use std::sync::{Arc, Mutex};

use secrecy::ExposeSecret as _;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::computer::Computer;
use crate::phone::Phone;
use crate::practice_call::{complete, logged, practice};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Captured {
    fn layer<S>(&self) -> impl tracing_subscriber::Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    {
        let writer = self.clone();
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// The subscriber is the whole process's, because the tasks under test run on every thread; the
/// other tests of this binary only add to what must be clean.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_number_is_logged() {
    use tracing_subscriber::Layer as _;
    use tracing_subscriber::filter::LevelFilter;
    let everything = Captured::default();
    let ordinary = Captured::default();
    let subscriber = tracing_subscriber::registry()
        .with(everything.layer().with_filter(LevelFilter::TRACE))
        .with(ordinary.layer().with_filter(LevelFilter::INFO));
    tracing::subscriber::set_global_default(subscriber).expect("this is the only test that sets one");

    let folder = tempfile::tempdir().unwrap();
    let (practice, _devices) = practice(folder.path()).await;
    let account = practice.simulator.account();
    let mut phone = Phone::register(practice.core.clone()).await;
    let call = phone.call("+12025550131").await;
    phone.remote_hang_up(&call).await;
    logged(&practice, complete).await;
    practice.shutdown().await;
    let mut computer = Computer::with_a_twilio().await;
    computer.connect().await;
    let mut secrets = computer.secrets();
    computer.disconnect().await;
    secrets
        .extend([account.auth_token, account.api_key_secret].map(|secret| secret.expose_secret().to_owned()));

    let all = everything.text();
    assert!(all.contains("TRACE") || all.contains("DEBUG"), "the capture sees the lower levels");
    assert!(all.contains("the tunnel is up"), "the capture sees the connecting of an account");
    for secret in &secrets {
        assert!(!all.contains(secret), "a secret is in the log");
    }
    // HTTP Basic is base64 of the account and its token.
    assert!(!all.contains("Basic "), "a sign-in is in the log");
    // Every JWT begins with the base64 of `{"`.
    let jwt = all.lines().find(|line| line.contains("eyJ"));
    assert!(jwt.is_none(), "a token is in the log: {}", jwt.unwrap_or_default());
    let number = ordinary.text().lines().find(|line| line.contains("2025550131")).map(str::to_owned);
    assert!(number.is_none(), "a number is in the log: {}", number.unwrap_or_default());
}
