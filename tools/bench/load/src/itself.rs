//! The limit of the instrument: the tool against a server that does nothing. What measures as fast as
//! this is as fast as the tool, or faster.

use std::time::Duration;

use serde_json::{Value, json};

use crate::closed;
use crate::responder::Responder;
use crate::twilio::{Kind, Twilio};

const WARM_UP: Duration = Duration::from_millis(200);
const CONNECTIONS: usize = 16;

/// `busy`: the highest rate, over as many connections as a closed load has. `alone`: one request at a
/// time, whose latency is the least the tool can see.
pub(crate) fn measure(ahead: usize, seconds: Duration) -> anyhow::Result<Value> {
    let responder = Responder::start(1)?;
    let twilio = Twilio::fictitious();
    let closed = |seed, connections| {
        let load = closed::Load { kind: Kind::TwimlPost, connections, ahead, warm_up: WARM_UP, seconds };
        closed::measure(responder.address, &twilio, seed, &load)
    };
    Ok(json!({ "busy": closed(1, CONNECTIONS)?, "alone": closed(2, 1)? }))
}
