//! How long the supervisor waits for what.

use std::time::Duration;

/// The supervisor's periods. Where they come from: measurements and the providers' own limits; the
/// comments say which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods {
    /// How long a program may take from its start to a proven address. 30 s: a temporary address of
    /// Cloudflare takes 6 to 7 s, and then its name has to get around.
    pub start_deadline: Duration,
    /// How long a program whose address is known beforehand, and that says nothing when it is ready,
    /// gets before the address is asked. 2 s.
    pub settle: Duration,
    /// Pauses before the attempts to prove an address; the last one repeats. 1, 2, 4 s.
    pub verify_pauses: [Duration; 3],
    /// Between two probes of an address of the agent's own. 15 s.
    pub probe: Duration,
    /// The same while a call is up. 5 s.
    pub probe_in_call: Duration,
    /// Between two probes of a temporary address of Cloudflare. 30 s.
    pub probe_quick: Duration,
    /// Between two probes through ngrok. 300 s, because the free plan counts them: 20 000 requests a
    /// month.
    pub probe_ngrok: Duration,
    /// After a probe that failed. 5 s.
    pub probe_after_miss: Duration,
    /// How long a probe may take. 4 s.
    pub probe_timeout: Duration,
    /// Between two questions to the program's own interface while it starts. 0.5 s.
    pub agent_starting: Duration,
    /// The same while it is up. 5 s.
    pub agent: Duration,
    /// How long a program that says it is reconnecting is left alone. 45 s.
    pub reconnect: Duration,
    /// The first pause after a failure doubles with every further one. 1 s.
    pub backoff_base: Duration,
    /// The longest pause after a failure. 60 s.
    pub backoff_cap: Duration,
    /// As `backoff_base`, for temporary addresses of Cloudflare, whose making is rate limited. 15 s.
    pub backoff_base_quick: Duration,
    /// As `backoff_cap`, for temporary addresses of Cloudflare. 10 min.
    pub backoff_cap_quick: Duration,
    /// After being up so long, earlier failures are forgotten. 120 s.
    pub steady: Duration,
    /// Five failures within this time are too many. 10 min.
    pub breaker_window: Duration,
    /// How long after too many failures another attempt is made. 10 min.
    pub breaker_rest: Duration,
    /// How long after a program of ours was up the provider may still take its session for alive. 60 s:
    /// ngrok's agents give a sign of life every 10 s, and are missed after a few.
    pub linger: Duration,
    /// A program that ends sooner than this has not begun to work. 2 s.
    pub flash: Duration,
    /// Changes of the network restart nothing more often than this. 30 s.
    pub network_settle: Duration,
    /// How often it is seen whether there is a way to the internet again, while there is none. 3 s: it
    /// costs a look at the routing table.
    pub way_out: Duration,
    /// How long a program may take to end before it is given up. 5 s.
    pub end: Duration,
}

impl Default for Periods {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            start_deadline: seconds(30),
            settle: seconds(2),
            verify_pauses: [seconds(1), seconds(2), seconds(4)],
            probe: seconds(15),
            probe_in_call: seconds(5),
            probe_quick: seconds(30),
            probe_ngrok: seconds(300),
            probe_after_miss: seconds(5),
            probe_timeout: seconds(4),
            agent_starting: Duration::from_millis(500),
            agent: seconds(5),
            reconnect: seconds(45),
            backoff_base: seconds(1),
            backoff_cap: seconds(60),
            backoff_base_quick: seconds(15),
            backoff_cap_quick: seconds(600),
            steady: seconds(120),
            breaker_window: seconds(600),
            breaker_rest: seconds(600),
            linger: seconds(60),
            flash: seconds(2),
            network_settle: seconds(30),
            way_out: seconds(3),
            end: seconds(5),
        }
    }
}
