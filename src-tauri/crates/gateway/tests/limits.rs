//! Too much, too slow, too many.

use std::time::Duration;

use dialer_gateway::{STATUS_PATH, VOICE_PATH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::desk::{Answer, Desk, THEIRS, incoming, leg, outgoing, read_to_end};
use crate::routes::spoken;

fn head(length: &str) -> String {
    format!(
        "POST {VOICE_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{length}\r\n\r\n"
    )
}

async fn still_serves(desk: &Desk) {
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await.status, 200);
}

#[tokio::test]
async fn a_megabyte_is_refused_before_it_is_read() {
    let desk = Desk::open().await;
    let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    stream.write_all(head("Content-Length: 1048576").as_bytes()).await.unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");
    // The rest may or may not find anybody listening.
    let _ = stream.write_all(&vec![b'a'; 1_048_576]).await;
    still_serves(&desk).await;
}

#[tokio::test]
async fn a_body_without_announced_length_is_cut_off_at_the_limit() {
    let desk = Desk::open().await;
    let chunk = |length: usize| format!("{length:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(length));
    let over = desk.raw(format!("{}{}", head("Transfer-Encoding: chunked"), chunk(65_537)).as_bytes()).await;
    assert!(over.starts_with("HTTP/1.1 413"), "{over}");
    let within =
        desk.raw(format!("{}{}", head("Transfer-Encoding: chunked"), chunk(65_536)).as_bytes()).await;
    assert!(within.starts_with("HTTP/1.1 403"), "{within}");
}

#[tokio::test]
async fn a_body_that_breaks_off_has_no_effect() {
    let desk = Desk::open().await;
    let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    stream
        .write_all(format!("{}From=client%3Aagent_1", head("Content-Length: 100")).as_bytes())
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(desk.agent.asked(), 0);
    still_serves(&desk).await;
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    let desk = Desk::open_with(|options| options.request_timeout = Duration::from_millis(100)).await;
    let answer = desk.raw(format!("{}F", head("Content-Length: 100")).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert_eq!(desk.agent.asked(), 0);
}

#[tokio::test]
async fn a_slow_head_is_given_up() {
    let desk = Desk::open_with(|options| options.header_timeout = Duration::from_millis(100)).await;
    let answer = desk.raw(format!("POST {VOICE_PATH} HTTP/1.1\r\nHost:").as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    still_serves(&desk).await;
}

#[tokio::test]
async fn an_agent_who_hangs_does_not_leave_the_caller_in_silence() {
    let desk = Desk::open_with(|options| options.answer_within = Duration::from_millis(50)).await;
    let _held = desk.agent.gate.acquire().await.unwrap();
    for form in [incoming(), outgoing(THEIRS)] {
        let answer = Answer::of(desk.signed_post(VOICE_PATH, &form)).await;
        assert!(spoken(&answer).contains("Please try again later"));
    }
}

#[tokio::test]
async fn beyond_the_limit_signed_requests_are_turned_away_and_strangers_still_refused() {
    let desk = Desk::open_with(|options| options.max_in_flight = 1).await;
    let held = desk.agent.gate.acquire().await.unwrap();
    let first_form = incoming();
    let first = Answer::of(desk.signed_post(VOICE_PATH, &first_form));
    let meanwhile = async {
        desk.agent.until_asked(1).await;
        assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await.status, 503);
        assert_eq!(Answer::of(desk.unsigned_post(VOICE_PATH, &incoming())).await.status, 403);
        drop(held);
    };
    let (first, ()) = tokio::join!(first, meanwhile);
    assert_eq!(first.status, 200);
    assert_eq!(Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", 1))).await.status, 204);
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_place() {
    let desk = Desk::open_with(|options| {
        options.max_connections = 1;
        options.header_timeout = Duration::from_secs(3600);
    })
    .await;
    let ask = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut first = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    first.write_all(ask).await.unwrap();
    read_head(&mut first).await;
    let mut second = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    second.write_all(ask).await.unwrap();
    // While the first is served again and again, a second that had a place would be served too.
    for _ in 0..20 {
        first.write_all(ask).await.unwrap();
        read_head(&mut first).await;
    }
    let early = second.try_read(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(early, Err(std::io::ErrorKind::WouldBlock), "the only place is taken");
    drop(first);
    assert!(read_head(&mut second).await.starts_with("HTTP/1.1 404"));
}

/// Reads an answer that has no body.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let desk = Desk::open().await;
    for bytes in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET\r\n\r\n", b"\r\n\r\n\0\0\r\n\r\n"]
    {
        let answer = desk.raw(bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
    }
    still_serves(&desk).await;
}
