//! What is sent again and what is not, how answers are told from what is none, and Twilio's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dialer_domain::sid::ApiKeySid;
use dialer_twilio::rest::{
    BaseUrls, CallUpdate, Client, ClientOptions, Credentials, RestError, UnreachableCause,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use super::bench::{ACCOUNT, Recorder, Response, Standing, TOKEN, answer, client, json, owner, refusal};

const BALANCE: &str =
    r#"{"account_sid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","balance":"14.25","currency":"USD"}"#;
const KEY: &str = r#"{"sid":"SKaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","friendly_name":"x","secret":"once-shown"}"#;

#[tokio::test]
async fn the_account_signs_by_basic() {
    let recorder = Recorder::start(|_, _| json(200, BALANCE)).await;
    let balance = recorder.client().0.balance().await.unwrap();
    assert_eq!((balance.amount.as_str(), balance.currency.as_str()), ("14.25", "USD"));
    let sent = recorder.seen()[0].authorization.clone().unwrap();
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{ACCOUNT}:{TOKEN}"));
    assert_eq!(sent, format!("Basic {expected}"));
}

#[tokio::test]
async fn too_many_requests_are_sent_again_after_the_time_asked_for() {
    let recorder = Recorder::start(|number, _| match number {
        0 => {
            let mut answer = refusal(429, 20429);
            answer.headers_mut().insert("retry-after", "7".parse().unwrap());
            answer
        }
        1 => refusal(503, 20503),
        _ => json(201, KEY),
    })
    .await;
    let (client, pauses) = recorder.client();
    client.create_key("x").await.unwrap();
    let pauses = pauses.asked();
    assert_eq!(pauses[0], Duration::from_secs(7));
    assert!((180..=220).contains(&pauses[1].as_millis()), "{pauses:?}");
    assert_eq!((pauses.len(), recorder.count()), (2, 3));
}

#[tokio::test]
async fn patience_ends() {
    let recorder = Recorder::start(|_, _| refusal(429, 20429)).await;
    let (client, pauses) = recorder.client();
    let error = client.balance().await.unwrap_err();
    assert_eq!(error, RestError::TooManyRequests { retry_after: None });
    assert!(error.passing());
    assert_eq!((recorder.count(), pauses.asked().len()), (5, 4));
}

#[tokio::test]
async fn after_a_server_error_only_what_is_repeatable_is_repeated() {
    let call = "CAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap();
    let recorder = Recorder::start(|_, _| refusal(500, 20500)).await;
    let client = recorder.client().0;
    let asked = |before: usize| recorder.count() - before;

    let error = client.create_key("x").await.unwrap_err();
    assert_eq!(error, RestError::Server { status: 500, code: Some(20500), message: "words".into() });
    assert_eq!(asked(0), 1, "a second key would have a secret nobody knows");
    client.balance().await.unwrap_err();
    assert_eq!(asked(1), 5);
    client.update_call(&call, &CallUpdate::Complete).await.unwrap_err();
    assert_eq!(asked(6), 5);
}

#[tokio::test]
async fn another_servers_503_or_429_does_not_let_a_key_be_made_twice() {
    for status in [503, 429] {
        let recorder = Recorder::start(move |number, _| match number {
            0 => answer(status, "text/html", "<h1>The gateway is busy</h1>"),
            _ => json(201, KEY),
        })
        .await;
        let client = recorder.client().0;
        assert!(client.create_key("x").await.unwrap_err().passing());
        assert_eq!(recorder.count(), 1, "the first request may have made one");
    }
    let recorder = Recorder::start(move |number, _| match number {
        0 => answer(503, "text/html", "<h1>The gateway is busy</h1>"),
        _ => json(200, BALANCE),
    })
    .await;
    recorder.client().0.balance().await.unwrap();
    assert_eq!(recorder.count(), 2, "reading does no harm");
}

#[tokio::test]
async fn what_an_earlier_try_deleted_counts_as_deleted() {
    let key = ApiKeySid::parse("SKaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    for (first, code, deleted) in
        [(500, 20500, true), (503, 0, true), (503, 20503, false), (429, 20429, false), (404, 20404, false)]
    {
        let recorder = Recorder::start(move |number, _| match number {
            0 => refusal(first, code),
            _ => refusal(404, 20404),
        })
        .await;
        let answer = recorder.client().0.delete_key(&key).await;
        assert_eq!(answer.is_ok(), deleted, "{first}: {answer:?}");
        assert_eq!(answer.is_err_and(|error| error.is_not_found()), !deleted, "{first}");
    }
}

#[tokio::test]
async fn what_is_refused_is_asked_once() {
    let recorder = Recorder::start(|_, _| refusal(401, 20003)).await;
    let error = recorder.client().0.account().await.unwrap_err();
    assert_eq!((error.code(), error.passing()), (Some(20003), false));
    assert_eq!(recorder.count(), 1);
}

#[tokio::test]
async fn a_key_does_not_ask_for_what_it_may_not_have() {
    let recorder = Recorder::start(|_, _| json(200, BALANCE)).await;
    let key = Credentials::ApiKey {
        account: ACCOUNT.parse().unwrap(),
        key: ApiKeySid::parse("SKaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap(),
        secret: TOKEN.into(),
    };
    let base = BaseUrls::simulator(&recorder.url).unwrap();
    let client = Client::new(base, key, ClientOptions::default()).unwrap();
    for error in [
        client.account().await.unwrap_err(),
        client.keys().await.unwrap_err(),
        client.create_key("x").await.unwrap_err(),
    ] {
        assert!(matches!(error, RestError::WrongKeyClass { .. }), "{error}");
    }
    assert_eq!(recorder.count(), 0);
    client.balance().await.unwrap();
    assert!(recorder.seen()[0].authorization.as_ref().unwrap().starts_with("Basic U0t"), "SK…");
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let recorder = Recorder::start(|number, _| {
        if number == 0 { json(201, KEY) } else { json(200, "{\"secret\":\"once-shown\",\"sid\":5}") }
    })
    .await;
    let client = recorder.client().0;
    let made = client.create_key("x").await.unwrap();
    let misread = client.create_key("x").await.unwrap_err();
    let shown = format!("{client:?} {:?} {made:?} {misread:?} {misread}", owner());
    assert!(!shown.contains(TOKEN) && !shown.contains("once-shown"), "{shown}");
    assert!(matches!(misread, RestError::Malformed { .. }));
}

#[tokio::test]
async fn twilios_clock_is_read_from_its_answers_only() {
    let dated = |mut answer: Response| {
        answer.headers_mut().insert("date", "Tue, 29 Sep 2026 12:00:00 GMT".parse().unwrap());
        answer
    };
    let recorder = Recorder::start(move |number, _| {
        dated(if number == 0 { answer(200, "text/html", "<p>Welcome</p>") } else { json(200, BALANCE) })
    })
    .await;
    // Seven minutes behind.
    let clock = Arc::new(Standing(1_790_683_200_000 - 420_000));
    let (client, _) = client(&recorder.url, ClientOptions { clock, ..ClientOptions::default() });
    client.balance().await.unwrap_err();
    assert_eq!(client.clock_offset_ms(), None, "a stranger's clock says nothing");
    client.balance().await.unwrap();
    assert_eq!(client.clock_offset_ms(), Some(420_500));
}

#[tokio::test]
async fn four_requests_are_under_way_at_a_time() {
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let waiting = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let recorder = Recorder::serve(listener, {
        let (gate, waiting, most) = (gate.clone(), waiting.clone(), most.clone());
        move |_, _| {
            let (gate, waiting, most) = (gate.clone(), waiting.clone(), most.clone());
            let arrived = arrived.clone();
            Box::pin(async move {
                let now = waiting.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                arrived.send(()).unwrap();
                gate.acquire().await.unwrap().forget();
                waiting.fetch_sub(1, Ordering::SeqCst);
                json(200, BALANCE)
            })
        }
    });
    let (client, _) = recorder.client();
    let asking: Vec<_> = (0..10)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.balance().await })
        })
        .collect();
    for _ in 0..4 {
        arrivals.recv().await.unwrap();
    }
    // One leaves, one more comes; and so on to the end.
    for _ in 4..10 {
        gate.add_permits(1);
        arrivals.recv().await.unwrap();
    }
    gate.add_permits(4);
    for answer in asking {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

/// Reads one request per connection, writes `answer`, and closes.
async fn breaking(answer: &'static str) -> (Url, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(connection.read_u8().await.unwrap());
            }
            counting.fetch_add(1, Ordering::SeqCst);
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, count)
}

fn cause(error: &RestError) -> UnreachableCause {
    let RestError::Unreachable { cause, .. } = error else { panic!("{error}") };
    *cause
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_once() {
    let (url, count) =
        breaking("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{\"bal")
            .await;
    let (client, _) = client(&url, ClientOptions::default());
    assert_eq!(cause(&client.balance().await.unwrap_err()), UnreachableCause::Interrupted);
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert_eq!(
        cause(&client.delete_key(&"SKaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".parse().unwrap()).await.unwrap_err()),
        UnreachableCause::Interrupted
    );
    assert_eq!(count.load(Ordering::SeqCst), 4);
    client.create_key("x").await.unwrap_err();
    assert_eq!(count.load(Ordering::SeqCst), 5, "what may have made a key is not sent again");
}

#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let options = ClientOptions { timeout: Duration::from_millis(50), ..ClientOptions::default() };
    let (client, pauses) = client(&url, options);
    assert_eq!(cause(&client.create_key("x").await.unwrap_err()), UnreachableCause::Timeout);
    assert_eq!(pauses.asked().len(), 0);
    assert_eq!(cause(&client.balance().await.unwrap_err()), UnreachableCause::Timeout);
    assert_eq!(pauses.asked().len(), 1);
}

#[tokio::test]
async fn nobody_there_and_not_encrypted_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (nobody, pauses) =
        client(&Url::parse(&format!("http://{address}")).unwrap(), ClientOptions::default());
    assert_eq!(cause(&nobody.create_key("x").await.unwrap_err()), UnreachableCause::Connect);
    assert_eq!(pauses.asked().len(), 1, "nothing was sent, so it may be tried again");

    let recorder = Recorder::start(|_, _| json(200, BALANCE)).await;
    let secure = recorder.url.as_str().replace("http:", "https:");
    let (plain, _) = client(&Url::parse(&secure).unwrap(), ClientOptions::default());
    let error = plain.balance().await.unwrap_err();
    assert_eq!(cause(&error), UnreachableCause::Tls, "{error}");
    assert_eq!(recorder.count(), 0);
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_ends_it() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    let serving = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        // It fails when the client turns away.
        while connection.is_handshaking() && connection.complete_io(&mut socket).is_ok() {}
        connection.is_handshaking()
    });
    let (client, pauses) = client(&url, ClientOptions::default());
    let error = client.balance().await.unwrap_err();
    assert_eq!(cause(&error), UnreachableCause::Tls, "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    let told = error.user_error().message;
    assert!(told.contains("clock") && told.contains("sign-in page") && told.contains("proxy"), "{told}");
    assert!(pauses.asked().is_empty(), "it would end the same way again");
    assert!(serving.join().unwrap(), "no request was sent");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_it() {
    let recorder = Recorder::start(|_, _| json(200, &" ".repeat(9 * 1024 * 1024))).await;
    let error = recorder.client().0.balance().await.unwrap_err();
    assert!(matches!(&error, RestError::Malformed { detail } if detail.contains("longer")), "{error}");
}

#[tokio::test]
async fn an_address_of_ipv6_will_do() {
    let listener = match TcpListener::bind("[::1]:0").await {
        Ok(listener) => listener,
        // Containers often have no IPv6 at all, not even loopback.
        Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable => return,
        Err(error) => panic!("{error}"),
    };
    let recorder = Recorder::serve(listener, |_, _| Box::pin(async { json(200, BALANCE) }));
    recorder.client().0.balance().await.unwrap();
}
