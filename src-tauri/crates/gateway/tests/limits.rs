//! Too much, too slow, too many.

use std::time::Duration;

use dialer_gateway::{Outcome, PROOF_PATH, STATUS_PATH, VOICE_PATH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::desk::{Answer, BASE, Desk, THEIRS, incoming, leg, outgoing, read_to_end, signature};
use crate::routes::spoken;

fn head(length: &str) -> String {
    format!(
        "POST {VOICE_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         X-Twilio-Signature: forged\r\n\
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
    let desk = Desk::open_with(|options| options.header_timeout = PATIENCE).await;
    let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    stream.write_all(format!("POST {VOICE_PATH} HTTP/1.1\r\nHost:").as_bytes()).await.unwrap();
    until_begun(&desk).await;
    pass(PATIENCE * 2).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    still_serves(&desk).await;
}

/// Longer than any stall of the computer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets time pass at one stroke.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

const ASK: &[u8] = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";

/// A connection on which a request was answered.
async fn idling(desk: &Desk) -> TcpStream {
    let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    stream.write_all(ASK).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 404"));
    stream
}

#[tokio::test]
async fn a_connection_may_idle_longer_than_a_head_may_take() {
    let desk = Desk::open_with(|options| {
        options.header_timeout = PATIENCE;
        options.idle_timeout = PATIENCE * 60;
    })
    .await;
    let mut stream = idling(&desk).await;
    for _ in 0..3 {
        pass(PATIENCE * 2).await;
        stream.write_all(ASK).await.unwrap();
        assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 404"));
    }
}

#[tokio::test]
async fn a_connection_does_not_idle_for_ever() {
    let desk = Desk::open_with(|options| options.idle_timeout = PATIENCE).await;
    let mut stream = idling(&desk).await;
    pass(PATIENCE * 2).await;
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_body_that_comes_late_leaves_time_for_a_sentence() {
    let desk = Desk::open_with(|options| {
        (options.answer_within, options.request_timeout) = (PATIENCE, PATIENCE);
    })
    .await;
    let held = desk.agent.gate.acquire().await.unwrap();
    let (form, mut stream) = (incoming(), TcpStream::connect(desk.gateway.local_addr()).await.unwrap());
    let (begun, rest) = form.encode().split_at_checked(9).map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let head = format!(
        "POST {VOICE_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Twilio-Signature: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{begun}",
        signature(BASE, VOICE_PATH, &form),
        begun.len() + rest.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    until_begun(&desk).await;
    pass(PATIENCE / 2).await;
    stream.write_all(rest.as_bytes()).await.unwrap();
    desk.agent.until_asked(1).await;
    pass(PATIENCE * 3 / 4).await;
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Please try again later"), "{answer}");
    assert_eq!(desk.count(Outcome::TimedOut), 1);
    drop(held);
}

/// Returns when the server has seen what was sent to it: it has answered what was sent later.
async fn until_begun(desk: &Desk) {
    assert_eq!(Answer::of(desk.unsigned_post(VOICE_PATH, &incoming())).await.status, 403);
}

#[tokio::test]
async fn a_sound_that_is_being_fetched_is_fetched_whole() {
    let desk = Desk::open_with(|options| {
        (options.max_in_flight, options.max_connections) = (1, 2);
        (options.idle_timeout, options.request_timeout) = (PATIENCE, PATIENCE * 60);
    })
    .await;
    let name = dialer_domain::incoming::SoundName::from_bytes([7; 16]);
    // More than the system keeps for a connection.
    let length = 64 * 1024 * 1024;
    desk.agent.sounds.lock().unwrap().insert(name.clone(), bytes::Bytes::from(vec![0; length]));
    let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    let ask = format!("GET /api/calls/sounds/{}.wav HTTP/1.1\r\nHost: x\r\n\r\n", name.as_str());
    stream.write_all(ask.as_bytes()).await.unwrap();
    assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    let mut others = Vec::new();
    for _ in 0..5 {
        others.push(idling(&desk).await);
    }
    pass(PATIENCE * 2).await;
    let mut taken = vec![0; length];
    stream.read_exact(&mut taken).await.unwrap();
    // Then it idles like any other.
    pass(PATIENCE * 2).await;
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
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
async fn a_connection_beyond_the_limit_takes_the_place_of_one_that_idles() {
    let desk = Desk::open_with(|options| {
        (options.max_in_flight, options.max_connections) = (1, 2);
        options.header_timeout = Duration::from_secs(3600);
    })
    .await;
    let ask = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    let connect = || TcpStream::connect(desk.gateway.local_addr());
    let mut idle = connect().await.unwrap();
    idle.write_all(ask).await.unwrap();
    read_head(&mut idle).await;
    let held = desk.agent.gate.acquire().await.unwrap();
    let first = async {
        // Twilio's request is being answered on the second connection.
        let answer = Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await;
        assert_eq!(answer.status, 200);
    };
    let others = async {
        desk.agent.until_asked(1).await;
        for _ in 0..5 {
            let mut other = connect().await.unwrap();
            other.write_all(ask).await.unwrap();
            assert!(read_head(&mut other).await.starts_with("HTTP/1.1 404"));
        }
        assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "the first to go");
        drop(held);
    };
    tokio::join!(first, others);
    assert!(desk.gateway.counts().connections_evicted >= 1);
}

#[tokio::test]
async fn connections_that_say_nothing_do_not_lock_twilio_out() {
    let desk = Desk::open_with(|options| {
        (options.max_in_flight, options.max_connections) = (4, 8);
        options.header_timeout = Duration::from_secs(3600);
    })
    .await;
    let mut silent = Vec::new();
    for at in 0..40 {
        let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
        // Some say nothing, some not enough, some promise a body that never comes.
        let said = [String::new(), format!("POST {VOICE_PATH} HT"), head("Content-Length: 9")];
        // Those made room for already may refuse to listen.
        let _ = stream.write_all(said[at % said.len()].as_bytes()).await;
        silent.push(stream);
    }
    still_serves(&desk).await;
    assert!(desk.gateway.counts().connections_evicted >= 32);
}

#[tokio::test]
async fn a_reader_who_takes_nothing_is_given_up() {
    let desk = Desk::open_with(|options| options.request_timeout = Duration::from_millis(200)).await;
    let name = dialer_domain::incoming::SoundName::from_bytes([7; 16]);
    // More than the system keeps for a connection.
    let sound = bytes::Bytes::from(vec![0; 64 * 1024 * 1024]);
    desk.agent.sounds.lock().unwrap().insert(name.clone(), sound.clone());
    let mut stream = TcpStream::connect(desk.gateway.local_addr()).await.unwrap();
    let ask = format!("GET /api/calls/sounds/{}.wav HTTP/1.1\r\nHost: x\r\n\r\n", name.as_str());
    stream.write_all(ask.as_bytes()).await.unwrap();
    while !is_let_go(&sound, &desk) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut taken = Vec::new();
    let _ = stream.read_to_end(&mut taken).await;
    assert!(taken.len() < sound.len());
}

/// Whether `sound` was asked for and no connection holds it any more.
fn is_let_go(sound: &bytes::Bytes, desk: &Desk) -> bool {
    if desk.count(Outcome::Accepted) == 0 {
        return false;
    }
    desk.agent.sounds.lock().unwrap().clear();
    sound.is_unique()
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

#[tokio::test]
async fn heads_are_limited_in_number_and_length() {
    let desk = Desk::open().await;
    let many: String = (0..65).map(|at| format!("X-{at}: 1\r\n")).collect();
    let long = format!("X-Long: {}\r\n", "a".repeat(20_000));
    for headers in [many, long] {
        let sent = format!("POST {VOICE_PATH} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = desk.raw(sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let path = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    let answer = desk.raw(path.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    still_serves(&desk).await;
}

#[tokio::test]
async fn parameters_are_limited_in_number() {
    let desk = Desk::open().await;
    let many = |count: usize| (0..count).fold(incoming(), |form, at| form.with(format!("P{at}"), "1"));
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &many(600))).await.status, 413);
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &many(400))).await.status, 200);
    assert_eq!(desk.count(Outcome::TooLarge), 1);
}

#[tokio::test]
async fn a_length_told_in_two_ways_is_believed_in_one_only() {
    let desk = Desk::open().await;
    // Whoever read the announced length would take the rest for a second request.
    let smuggled = format!("GET {PROOF_PATH}0123456789abcdef HTTP/1.1\r\nHost: x\r\n\r\n");
    let body = format!("0\r\n\r\n{smuggled}");
    let both = format!("Content-Length: {}\r\nTransfer-Encoding: chunked", body.len());
    let answer = desk.raw(format!("{}{body}", head(&both)).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    let twice = "Content-Length: 0\r\nContent-Length: 5";
    let answer = desk.raw(head(twice).as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(desk.agent.asked(), 0);
}

#[tokio::test]
async fn requests_in_one_go_are_answered_in_their_order() {
    let desk = Desk::open().await;
    let form = incoming();
    let post = |signature: &str, close: &str| {
        let body = form.encode();
        format!(
            "POST {VOICE_PATH} HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: {signature}\r\n{close}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let good = signature(BASE, VOICE_PATH, &form);
    let nowhere = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
    let sent = [post(&good, ""), post("forged", ""), nowhere.into(), post(&good, "Connection: close\r\n")];
    let answer = desk.raw(sent.concat().as_bytes()).await;
    let heads = answer.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    let statuses: Vec<_> = heads.map(|status| &status[..3]).collect();
    assert_eq!(statuses, ["200", "403", "404", "200"], "{answer}");
}

#[tokio::test]
async fn too_many_signed_requests_in_a_second_are_turned_away() {
    let desk = Desk::open_with(|options| options.max_signed_per_second = 3).await;
    let status =
        async |sequence| Answer::of(desk.signed_post(STATUS_PATH, &leg("ringing", sequence))).await.status;
    for sequence in 0..3 {
        assert_eq!(status(sequence).await, 204);
    }
    assert_eq!(status(3).await, 429);
    desk.clock.set(334);
    assert_eq!(status(3).await, 204);
    assert_eq!(desk.agent.event_count(), 4);
    assert_eq!((desk.count(Outcome::Accepted), desk.count(Outcome::Limited)), (4, 1));
}

#[tokio::test]
async fn what_was_too_much_or_too_slow_is_counted() {
    let desk = Desk::open_with(|options| {
        options.max_in_flight = 1;
        options.answer_within = Duration::from_millis(50);
        options.request_timeout = Duration::from_millis(500);
    })
    .await;
    desk.raw(format!("{}F", head("Content-Length: 100")).as_bytes()).await;
    desk.raw(head("Content-Length: 100000").as_bytes()).await;
    let _held = desk.agent.gate.acquire().await.unwrap();
    Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await;
    let counts = desk.gateway.counts();
    assert_eq!((counts.of(Outcome::TimedOut), counts.of(Outcome::TooLarge)), (2, 1));
    assert!(counts.requests.iter().all(|count| count.route == VOICE_PATH), "{counts:?}");
}
