//! What monitoring reads, in Prometheus' text format.

use std::fmt::Write as _;

use dialer_gateway::Gateway;

use super::desk::CloudDesk;
use super::tally::Refused;

/// The content type of [`text`].
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The figures as they stand.
pub(super) fn text(gateway: &Gateway, desk: &CloudDesk, tokens: u64, log_healthy: bool) -> String {
    let (agents, waiting) = desk.counts();
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "# HELP dialer_{name} {help}\n# TYPE dialer_{name} gauge\ndialer_{name} {value}");
    };
    gauge("agents_signed_in", "Agents whose access token is good.", agents as u64);
    gauge("queue_waiting", "Callers who wait in the queue.", u64::from(waiting));
    gauge("call_log_healthy", "1 while the call log can be written.", u64::from(log_healthy));
    let _ = writeln!(
        text,
        "# HELP dialer_tokens_issued_total Access tokens given out.\n# TYPE dialer_tokens_issued_total counter\n\
         dialer_tokens_issued_total {tokens}"
    );
    let _ = writeln!(
        text,
        "# HELP dialer_calls_refused_total Calls, and wishes to call, that were refused, by reason.\n\
         # TYPE dialer_calls_refused_total counter"
    );
    for why in Refused::ALL {
        let _ = writeln!(
            text,
            "dialer_calls_refused_total{{reason=\"{}\"}} {}",
            why.as_str(),
            desk.tally.how_many_refused(why)
        );
    }
    let _ = writeln!(
        text,
        "# HELP dialer_call_events_lost_total Events that the call log had no room for; Twilio is asked later.\n\
         # TYPE dialer_call_events_lost_total counter\n\
         dialer_call_events_lost_total {}",
        desk.tally.lost_events()
    );
    let counts = gateway.counts();
    let _ = writeln!(
        text,
        "# HELP dialer_webhooks_total Requests to the listener for Twilio, by route and what became of them.\n\
         # TYPE dialer_webhooks_total counter"
    );
    for count in &counts.requests {
        let _ = writeln!(
            text,
            "dialer_webhooks_total{{route=\"{}\",outcome=\"{}\"}} {}",
            count.route,
            count.outcome.as_str(),
            count.requests
        );
    }
    let _ = writeln!(
        text,
        "# HELP dialer_connections_evicted_total Connections closed to make room for others.\n\
         # TYPE dialer_connections_evicted_total counter\n\
         dialer_connections_evicted_total {}",
        counts.connections_evicted
    );
    text
}
