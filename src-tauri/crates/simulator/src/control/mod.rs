//! The control API under `/sim`: the same as the in-process handle, as JSON over HTTP.
//!
//! See the crate's documentation for the table of routes.

mod guard;
mod routes;

pub(crate) use routes::router;

/// Every route of the control API and what it does; bodies and answers are JSON.
pub const CONTROL_ROUTES: [(&str, &str); 22] = [
    ("GET  /sim/account", "the account's SIDs, numbers and state, without secrets"),
    (
        "PUT  /sim/account",
        "changes its state: {\"kind\": \"trial\", \"standing\": \"suspended\", \"balance\": …, \"verified\": […]}",
    ),
    ("GET  /sim/state", "all applications, numbers, caller ids and keys as REST shows them"),
    ("GET  /sim/applications", "the TwiML Apps"),
    ("POST /sim/applications", "makes one: {\"voice_url\": …, \"status_callback\": …}; answers {\"sid\"}"),
    ("PUT  /sim/applications/{sid}", "replaces one"),
    ("POST /sim/foreign-applications", "makes one of another account"),
    (
        "PUT  /sim/numbers/{number}",
        "binds a number: {\"application_sid\": … or null}; or sets it up: {\"voice\": …, \"routing\": {…}}",
    ),
    ("POST /sim/numbers/{number}", "gives the account one more number, set up likewise"),
    ("DELETE /sim/numbers/{number}", "takes a number away"),
    ("GET  /sim/registrations", "the identities that can be rung"),
    (
        "POST /sim/incoming",
        "a telephone calls: {\"from\": …, \"to\": …, \"script\": {\"steps\": […]}, \"from_sip\": …}; answers {\"call_sid\"}",
    ),
    ("GET  /sim/calls", "all legs remembered"),
    ("GET  /sim/calls/{sid}/heard", "what the far end of a call has heard"),
    ("POST /sim/calls/{sid}/hangup", "the party of a leg hangs up: {}"),
    ("POST /sim/calls/{sid}/digits", "the far end of a leg presses keys: {\"digits\": \"12#\"}"),
    ("GET  /sim/events?since=N&wait_ms=M", "events above N; waits up to M ms for one"),
    ("GET  /sim/faults", "the faults that are on"),
    (
        "PUT  /sim/faults",
        "replaces them; {\"rest\": [{\"path_contains\": …, \"then\": {\"does\": \"hold_before\"}}]} is for REST",
    ),
    ("GET  /sim/far-ends", "the practice numbers"),
    ("PUT  /sim/far-ends/{number}", "scripts a number: {\"answer\": …, \"talk\": …}"),
    ("POST /sim/signalling/cut", "breaks all signalling sockets: {}"),
];
