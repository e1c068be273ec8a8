//! What callers hear is fetched like any file in the web.

use bytes::Bytes;
use dialer_domain::incoming::SoundName;
use dialer_gateway::Outcome;
use reqwest::Method;

use crate::desk::{Desk, under_way};
use crate::routes::response_of;

fn target(name: &SoundName) -> String {
    format!("/api/calls/sounds/{}.wav", name.as_str())
}

/// The status, the headers and the body of an unsigned request, which may be no text.
async fn fetched(
    desk: &Desk,
    method: Method,
    target: &str,
    known: Option<&str>,
) -> (u16, reqwest::header::HeaderMap, Bytes) {
    let request = desk.client.request(method, desk.local(target));
    let request = known.into_iter().fold(request, |request, tag| request.header("If-None-Match", tag));
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, headers, response.bytes().await.unwrap())
}

#[tokio::test]
async fn a_sound_is_fetched_unsigned_and_kept() {
    let desk = Desk::open().await;
    let name = SoundName::from_bytes([0xab; 16]);
    let sound = Bytes::from(vec![7; 100_000]);
    desk.agent.sounds.lock().unwrap().insert(name.clone(), sound.clone());
    let (status, headers, body) = fetched(&desk, Method::GET, &target(&name), None).await;
    assert_eq!((status, body), (200, sound));
    assert_eq!(headers["content-type"], "audio/wav");
    assert_eq!(headers["cache-control"], "public, max-age=86400, immutable");
    let tag = headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(tag, "\"abababababababababababababababab\"");

    let (status, headers, body) = fetched(&desk, Method::HEAD, &target(&name), None).await;
    assert_eq!((status, headers["content-length"].to_str().unwrap(), body.len()), (200, "100000", 0));
    for known in [tag.as_str(), "*", "\"x\", W/\"abababababababababababababababab\""] {
        let (status, headers, body) = fetched(&desk, Method::GET, &target(&name), Some(known)).await;
        assert_eq!((status, body.len()), (304, 0), "{known}");
        assert_eq!(headers["etag"], tag);
    }
    let (status, ..) = fetched(&desk, Method::GET, &target(&name), Some("\"x\"")).await;
    assert_eq!(status, 200);
    assert_eq!(desk.agent.asked(), 0);
}

#[tokio::test]
async fn a_name_that_is_none_is_404() {
    let desk = Desk::open().await;
    let (status, _, body) =
        fetched(&desk, Method::GET, &target(&SoundName::from_bytes([1; 16])), Some("*")).await;
    assert_eq!((status, body.len()), (404, 0));
    assert_eq!(desk.count(Outcome::NotFound), 1);
}

/// Where the tune is, as the document of somebody who waits says.
async fn tune(desk: &Desk) -> String {
    let form = under_way(&[("QueuePosition", "1")]);
    let answer = crate::desk::Answer::of(desk.signed_post("/api/calls/queue/wait", &form)).await;
    let document = roxmltree::Document::parse(response_of(&answer)).unwrap();
    let play = document.descendants().find(|node| node.has_tag_name("Play")).unwrap();
    play.text().unwrap().strip_prefix(crate::desk::BASE).unwrap().to_owned()
}

#[tokio::test]
async fn the_tune_has_another_name_in_every_process() {
    let (desk, other) = (Desk::open().await, Desk::open().await);
    let name = tune(&desk).await;
    let (status, headers, body) = fetched(&desk, Method::GET, &name, None).await;
    assert_eq!((status, &body[..4]), (200, &b"RIFF"[..]));
    assert_eq!(headers["content-type"], "audio/wav");
    assert!(body.len() < 300_000);
    assert_eq!(fetched(&desk, Method::GET, &name, None).await.2, body);
    assert_eq!(fetched(&other, Method::GET, &name, None).await.0, 404);
    assert_ne!(tune(&other).await, name);
}
