//! What we sign and accept, and what Twilio's packages do.

use dialer_twilio::signature::{HmacAlgorithm, SignatureError};
use serde_json::{Value, json};
use url::Url;

use super::package::{BOTH, Package};
use crate::generated::signed_request::{Address, Body, Request, SignedPort};
use crate::generated::tampering::tamper;
use crate::generated::{cases, random};

const CASES: u64 = 20_000;

/// The part of a question that tells of the request. Node knows nothing of shared keys.
fn question(what: &str, request: &Request, url: &str) -> Value {
    let mut question = json!({
        "do": what,
        "secret": request.secret,
        "algorithm": request.shared.map(HmacAlgorithm::as_wire),
        "url": url,
    });
    match &request.body {
        Body::None => question["params"] = json!([]),
        Body::Form(pairs) => question["params"] = json!(pairs),
        Body::Json(text) => question["body"] = json!(text),
    }
    question
}

fn check(request: &Request, signature: &str) -> Value {
    let mut question = question("check", request, &request.url.text());
    question["signature"] = json!(signature);
    question
}

/// Requests that `package` can be asked about.
fn requests(package: Package) -> impl Iterator<Item = (u64, Request)> {
    let all = (0..cases(CASES)).map(move |index| (index, Request::any(&mut random(index))));
    all.filter_map(move |(index, mut request)| match package {
        Package::Python => Some((index, request)),
        Package::Node => {
            request.shared = None;
            sorts_alike(&request).then_some((index, request))
        }
    })
}

/// Whether the parameters stand in the same order by characters and by UTF-16 units, as JavaScript has it:
/// U+E000 to U+FFFF come before what lies beyond, or after.
fn sorts_alike(request: &Request) -> bool {
    let Body::Form(pairs) = &request.body else { return true };
    let (mut ours, mut theirs) = (pairs.clone(), pairs.clone());
    ours.sort();
    theirs.sort_by_key(|(name, value)| [name, value].map(|text| text.encode_utf16().collect::<Vec<_>>()));
    ours == theirs
}

#[test]
#[ignore = "needs Twilio's packages: ./dev cross-check"]
fn what_we_sign_they_accept() {
    for package in BOTH {
        let questions = requests(package).map(|(_, request)| check(&request, &request.sign())).collect();
        for ((index, request), answer) in requests(package).zip(package.ask(questions)) {
            assert_eq!(answer["valid"], true, "{package:?}, case {index}: {request:?}: {answer}");
        }
    }
}

#[test]
#[ignore = "needs Twilio's packages: ./dev cross-check"]
fn what_they_sign_we_accept() {
    for package in BOTH {
        let questions =
            requests(package).map(|(_, request)| question("sign", &request, &request.signed_url())).collect();
        for ((index, request), answer) in requests(package).zip(package.ask(questions)) {
            let signature = answer["signature"].as_str().unwrap_or_else(|| panic!("{package:?}: {answer}"));
            assert_eq!(request.check(signature), Ok(()), "{package:?}, case {index}: {request:?}");
            assert_eq!(request.sign(), signature, "{package:?}, case {index}");
        }
    }
}

#[test]
#[ignore = "needs Twilio's packages: ./dev cross-check"]
fn what_was_tampered_with_all_refuse() {
    for package in BOTH {
        let tampered: Vec<_> = requests(package)
            .map(|(index, request)| {
                let (change, mut changed, signature) = tamper(&mut random(index), &request, &request.sign());
                if package == Package::Node {
                    // What it cannot be told was not changed for it; the request is one of another secret then.
                    if changed.shared.take().is_some() {
                        changed.secret.push('0');
                    }
                }
                (index, change, request, changed, signature)
            })
            .collect();
        let questions = tampered.iter().map(|(.., changed, signature)| check(changed, signature)).collect();
        let mut lenient = 0;
        for ((index, change, request, changed, signature), answer) in
            tampered.iter().zip(package.ask(questions))
        {
            let told = || format!("{package:?}, case {index}, {change:?}: {request:?} {changed:?}: {answer}");
            assert!(changed.check(signature).is_err(), "{}", told());
            let accepted = answer["valid"] != false;
            assert!(!accepted || package == Package::Node && is_rewritten(&changed.url), "{}", told());
            lenient += u64::from(accepted);
        }
        assert!(lenient <= tampered.len() as u64 / 1_000, "{package:?} accepts {lenient}");
    }
}

/// Whether twilio-node, which tries the address as `URL` and `querystring` would write it when the one that came
/// does not fit, may accept what is signed for another spelling: `?k` is `?k=` to it.
fn is_rewritten(url: &Address) -> bool {
    let text = url.text();
    let odd = |query: &String| {
        let pairs: Vec<_> = query.split('&').map(|pair| pair.split_once('=')).collect();
        let plain = |text: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
        };
        let mut names: Vec<_> = pairs.iter().flatten().map(|(name, _)| *name).collect();
        names.sort_unstable();
        pairs.iter().any(|pair| pair.is_none_or(|(name, value)| !plain(name) || !plain(value)))
            || names.windows(2).any(|two| two[0] == two[1])
    };
    Url::parse(&text).is_ok_and(|parsed| parsed.as_str() != text) || url.query.as_ref().is_some_and(odd)
}

fn plain(url: Address) -> Request {
    Request {
        secret: "12345".into(),
        shared: None,
        url,
        port: SignedPort::AsConfiguredOrImplied,
        body: Body::None,
    }
}

fn address(path: &str, query: Option<&str>) -> Address {
    Address {
        scheme: "https",
        user: String::new(),
        host: "phone.example".into(),
        port: None,
        path: path.into(),
        query: query.map(Into::into),
    }
}

/// Where the packages disagree with each other, and which of them we follow.
#[test]
#[ignore = "needs Twilio's packages: ./dev cross-check"]
fn where_the_packages_differ_we_are_as_strict_as_the_stricter() {
    let lower = plain(address("/x", None));
    let mut upper = lower.clone();
    upper.url.host = "PHONE.example".into();
    let spaced = plain(address("/x", Some("k=a%20b")));
    let plus = plain(address("/x", Some("k=a+b")));
    let quote = plain(address("/x", Some("k='")));
    let escaped = plain(address("/x", Some("k=%27")));
    // Node tries other spellings of an address. Signed, received, whether Python and Node accept it.
    let cases =
        [(&lower, &upper, false, true), (&spaced, &plus, false, true), (&escaped, &quote, false, true)];
    for (signed, received, python, node) in cases {
        let signature = signed.sign();
        assert_eq!(received.check(&signature), Err(SignatureError::Mismatch), "{received:?}");
        for (package, expected) in [(Package::Python, python), (Package::Node, node)] {
            let answer = package.ask(vec![check(received, &signature)]);
            assert_eq!(answer[0]["valid"], expected, "{package:?}: {received:?}");
        }
    }
    // JavaScript sorts halves of characters.
    let mut repeated = plain(address("/x", None));
    repeated.body = Body::Form(vec![("k".into(), "\u{FF01}".into()), ("k".into(), "🙂".into())]);
    assert!(!sorts_alike(&repeated));
    let signature = repeated.sign();
    for (package, expected) in [(Package::Python, true), (Package::Node, false)] {
        assert_eq!(package.ask(vec![check(&repeated, &signature)])[0]["valid"], expected, "{package:?}");
    }
    // Python takes a password for a port.
    let mut credentials = plain(address("/x", None));
    credentials.url.user = "user:password@".into();
    credentials.url.port = Some(8443);
    credentials.port = SignedPort::None;
    let signature = credentials.sign();
    assert_eq!(credentials.check(&signature), Ok(()));
    for (package, expected) in [(Package::Python, false), (Package::Node, true)] {
        assert_eq!(package.ask(vec![check(&credentials, &signature)])[0]["valid"], expected, "{package:?}");
    }
}
