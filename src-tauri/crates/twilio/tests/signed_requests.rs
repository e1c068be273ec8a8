//! Made-up requests: every genuine one is accepted, every other one refused.
//!
//! Twenty thousand of each in an ordinary run; `./dev test` makes a million (`GENERATED_CASES`).

use std::collections::BTreeMap;

use dialer_twilio::signature::SignatureError;

use crate::generated::signed_request::Request;
use crate::generated::tampering::{Change, tamper};
use crate::generated::{cases, random};

#[test]
fn every_genuine_request_is_accepted_and_every_other_refused() {
    let cases = cases(20_000);
    let threads = std::thread::available_parallelism().map_or(1, |n| u64::try_from(n.get()).unwrap());
    let running: Vec<_> = (0..threads)
        .map(|first| {
            std::thread::spawn(move || {
                let mut changes: BTreeMap<Change, u64> = BTreeMap::new();
                for index in (first..cases).step_by(usize::try_from(threads).unwrap()) {
                    *changes.entry(check(index)).or_default() += 1;
                }
                changes
            })
        })
        .collect();
    let mut changes: BTreeMap<Change, u64> = BTreeMap::new();
    for thread in running {
        for (change, times) in thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            *changes.entry(change).or_default() += times;
        }
    }
    let rarest = changes.values().min().copied().unwrap_or_default();
    assert!(changes.len() == 9 && rarest > cases / 100, "every kind of change was tried: {changes:?}");
}

/// Makes one request, signs it, changes it, and says what was changed.
fn check(index: u64) -> Change {
    let random = &mut random(index);
    let request = Request::any(random);
    let signature = request.sign();
    assert_eq!(request.check(&signature), Ok(()), "case {index}: {request:?}");
    let (change, changed, signature) = tamper(random, &request, &signature);
    let answer = changed.check(&signature);
    // Another algorithm is announced truthfully here, and the signature is of the first.
    let refused = matches!(answer, Err(SignatureError::Mismatch | SignatureError::BodyHash));
    assert!(refused, "case {index}, {change:?}: {answer:?}\n{request:?}\n{changed:?}");
    change
}
