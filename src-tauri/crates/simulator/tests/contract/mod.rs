//! The contract between the REST client and Twilio, kept from both sides: the real client talks to the
//! real simulator, and every request and every answer is held against Twilio's OpenAPI files.
//!
//! What the files themselves get wrong is listed in `looseness.rs` beside the code that reads them.

mod account;
mod beyond;
mod calls;
mod countries;
mod desk;
mod failures;
mod numbers;
mod proxy;
mod rooms;
mod shared_keys;
#[path = "../../../twilio/tests/specification/mod.rs"]
#[allow(dead_code, reason = "the examples are for the client's own tests")]
mod specification;

use std::collections::BTreeSet;

use desk::Desk;
use proxy::Exchange;

#[tokio::test]
async fn both_sides_keep_to_twilios_specification() {
    let desk = Desk::start().await;
    account::walk(&desk).await;
    numbers::walk(&desk).await;
    calls::walk(&desk).await;
    rooms::walk(&desk).await;
    countries::walk(&desk).await;

    let files = specification::load();
    let mut deviations = BTreeSet::new();
    let mut refused: BTreeSet<String> =
        specification::operations(&files).into_iter().map(|(name, _)| name).collect();
    let all = refused.clone();
    let mut asked = BTreeSet::new();
    // The sound of a recording is a file; the specification has resources only.
    let resources = desk.proxy.seen().into_iter().filter(|seen| !seen.sent.path.ends_with(".wav"));
    for Exchange { sent, status, content_type, body } in resources {
        let operation = specification::find(&files, &sent).unwrap_or_else(|| panic!("unknown: {sent:?}"));
        let name = format!("{} {}", sent.method, operation.template);
        let found = operation
            .check_request(&sent)
            .into_iter()
            .chain(operation.check_answer(status, &content_type, &body))
            .filter(|found| !specification::tolerated(found));
        deviations.extend(found.map(|found| format!("{name} ({status}): {found}")));
        if status < 300 {
            refused.remove(&name);
        }
        asked.insert(name);
    }
    let shown = deviations.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(deviations.is_empty(), "{} deviations:\n{shown}", deviations.len());
    assert_eq!(asked, all, "every operation was asked for");
    assert!(refused.is_empty(), "no success was seen of {refused:?}");
    desk.stop().await;
}
