//! What the client logs: never a secret, and no number at INFO or above.

use std::io::Write;
use std::sync::{Arc, Mutex};

use dialer_domain::phone_number::E164;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, fmt};

use super::bench::{Recorder, TOKEN, json, refusal};

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
        let captured = self.clone();
        fmt::layer().with_ansi(false).with_writer(move || captured.clone())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// The subscriber is the whole process's, set here alone; the other tests of this binary only add to
/// what must be clean.
#[tokio::test]
async fn no_secret_is_logged_and_no_number_for_everyone() {
    let (everything, ordinary) = (Captured::default(), Captured::default());
    let subscriber = tracing_subscriber::registry()
        .with(everything.layer().with_filter(LevelFilter::TRACE))
        .with(ordinary.layer().with_filter(LevelFilter::INFO));
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let account = r#"{"sid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","friendly_name":"x","type":"Full",
        "status":"active","auth_token":"told-in-the-answer"}"#;
    let key = r#"{"sid":"SKaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","secret":"told-in-the-answer"}"#;
    let recorder = Recorder::start(move |number, _| match number {
        0 => refusal(503, 20503),
        1 => json(200, account),
        2 => json(201, key),
        _ => refusal(400, 21211),
    })
    .await;
    let client = recorder.client().0;
    client.account().await.unwrap();
    client.create_key("x").await.unwrap();
    let number = E164::parse_strict("+12025550123").unwrap();
    client.voice_price(&number, None).await.unwrap_err();

    let all = everything.text();
    assert!(all.contains("sending again") && all.contains("answered"), "the capture sees the client: {all}");
    // The token is sent in base64, behind "Basic ".
    for secret in [TOKEN, "told-in-the-answer", "Basic "] {
        assert!(!all.contains(secret), "{secret} is in the log");
    }
    assert!(!ordinary.text().contains("2025550123"), "{}", ordinary.text());
}
