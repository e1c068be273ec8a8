//! What can be reached at all: the routes of the documentation, by their methods, and nothing else.

use dialer_gateway::{Outcome, VOICE_PATH};

use crate::desk::{Answer, Desk, incoming};

/// The table in the crate's documentation: methods and path of every route.
fn documented() -> Vec<(Vec<String>, String)> {
    let rows = include_str!("../src/lib.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| {
        let (methods, rest) = row.split_once("` | `").unwrap();
        let path = rest.split_once("` |").unwrap().0.to_owned();
        (methods.split(", ").map(str::to_owned).collect(), path)
    })
    .collect()
}

/// The paths a row of the table stands for.
fn paths(pattern: &str) -> Vec<String> {
    let filled =
        |name: &str, values: &[&str]| values.iter().map(|value| pattern.replace(name, value)).collect();
    if pattern.contains("{purpose}") {
        filled("{purpose}", &["outgoing", "ring", "forward", "take-next"])
    } else if pattern.contains("{keys}/{attempt}") {
        filled("{keys}/{attempt}", &["start/1", "1/2", "123/9"])
    } else if pattern.contains("{name}") {
        filled("{name}", &["0123456789abcdef0123456789abcdef"])
    } else if pattern.contains("{nonce}") {
        filled("{nonce}", &["0123456789abcdef"])
    } else {
        assert!(!pattern.contains('{'), "{pattern}");
        vec![pattern.to_owned()]
    }
}

const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"];

/// Nothing that looks like a token or a key, in whatever part of the answer.
fn assert_no_secret(answer: &Answer, what: &str) {
    let headers = format!("{:?}", answer.headers);
    for text in [&headers, &answer.body] {
        for secret in ["eyJ", "token-of-this-test", "SK0", "secret"] {
            assert!(!text.contains(secret), "{what}: {text}");
        }
    }
}

#[tokio::test]
async fn the_documented_routes_answer_by_their_methods_only() {
    let desk = Desk::open_with(|options| options.max_refused_per_second = 10_000).await;
    let routes = documented();
    assert!(routes.len() >= 13);
    for (methods, pattern) in &routes {
        for (path, method) in paths(pattern).iter().flat_map(|path| METHODS.map(|method| (path, method))) {
            let what = format!("{method} {path}");
            let request = desk.client.request(method.parse().unwrap(), desk.local(path));
            let answer = Answer::of(request).await;
            assert_no_secret(&answer, &what);
            if !methods.iter().any(|allowed| allowed == method) {
                assert_eq!((answer.status, answer.body.as_str()), (405, ""), "{what}");
                assert_eq!(answer.headers["allow"], methods.join(", "), "{what}");
            } else if pattern.contains("{nonce}") {
                assert_eq!(answer.status, 200, "{what}");
            } else if pattern.contains("{name}") {
                assert_eq!(answer.status, 404, "{what}");
            } else {
                assert_eq!((answer.status, answer.body.as_str()), (403, ""), "{what}");
            }
        }
    }
    assert_eq!(desk.agent.asked(), 0);
}

/// Paths near the documented ones, and those that strangers try first.
fn elsewhere() -> Vec<String> {
    let near = documented().into_iter().flat_map(|(_, pattern)| paths(&pattern)).flat_map(|path| {
        let (folder, file) = path.rsplit_once('/').unwrap();
        [
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}%20"),
            format!("{path};x=1"),
            format!("{path}.json"),
            format!("{folder}//{file}"),
            format!("{folder}/./{file}"),
            format!("{folder}/x/../{file}"),
            format!("{folder}%2F{file}"),
            format!("{folder}%2f{file}"),
            format!("{folder}\\{file}"),
            format!("{folder}/%{:02x}{}", file.as_bytes()[0], &file[1..]),
            path[..path.len() - 1].to_owned(),
            path.to_uppercase(),
            format!("/v1{path}"),
        ]
    });
    let common = [
        "/",
        "/api",
        "/api/",
        "/api/calls",
        "/api/calls/",
        "/api/calls/token",
        "/token",
        "/api/token",
        "/healthz",
        "/readyz",
        "/metrics",
        "/.env",
        "/.git/config",
        "/admin",
        "/index.html",
        "/favicon.ico",
        "/robots.txt",
        "/.well-known/",
        "/.well-known/kennex-dialer/",
        "/.well-known/kennex-dialer/short",
        "/api/calls/sounds/",
        "/api/calls/sounds/..%2f..%2fetc%2fpasswd.wav",
        "/api/calls/dialled/",
        "/api/calls/dialled/nobody",
        "/api/calls/menu/start/0",
        "/api/calls/menu/start",
        "/api/calls/recording/RE1",
        "/sim",
        "/events",
        "/ws",
    ];
    near.chain(common.map(str::to_owned)).collect()
}

#[tokio::test]
async fn nothing_else_answers() {
    let desk = Desk::open().await;
    let mut asked = 0;
    for path in elsewhere() {
        // As it stands: a client would tidy it up.
        for method in ["GET", "POST", "OPTIONS"] {
            let sent = format!(
                "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            );
            let answer = desk.raw(sent.as_bytes()).await;
            let refused = answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400");
            assert!(refused, "{method} {path}: {answer}");
            assert!(answer.ends_with("\r\n\r\n"), "{method} {path}: {answer}");
            asked += 1;
        }
    }
    assert!(asked > 600);
    assert!(desk.count(Outcome::NotFound) > 500);
    assert_eq!(desk.agent.asked(), 0);
}

#[tokio::test]
async fn odd_forms_of_a_target_are_no_way_in() {
    let desk = Desk::open().await;
    for (line, status) in [
        ("CONNECT phone.example:443", "404"),
        ("OPTIONS *", "404"),
        ("GET http://else.example/", "404"),
        // A proxy's way of asking (RFC 9112 §3.2.2): the path counts, and who asks is still checked.
        (&format!("POST http://else.example{VOICE_PATH}"), "403"),
        (&format!("POST {VOICE_PATH}#fragment"), "403"),
        (&format!("POST {VOICE_PATH}?"), "403"),
        ("GET else", "404"),
        ("GET  ", "400"),
    ] {
        let sent = format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        let answer = desk.raw(sent.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{line}: {answer}");
    }
    assert_eq!(Answer::of(desk.signed_post(VOICE_PATH, &incoming())).await.status, 200);
}
