//! From starting a server to its first good answer.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use crate::connections::Connections;
use crate::twilio::{Kind, Twilio};

/// Longer than any server here needs, even unoptimized on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Short beside what is measured.
const BETWEEN_TRIES: Duration = Duration::from_micros(200);

/// A started program, ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only if it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `program` and asks the voice URL until it answers with a document.
pub(crate) fn measure(
    server: SocketAddr,
    twilio: &Twilio,
    seed: u64,
    program: &[String],
) -> anyhow::Result<Value> {
    let (name, arguments) = program.split_first().context("no program was named")?;
    let mut command = Command::new(name);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut request = Vec::new();
    let start = Instant::now();
    let mut running = Running(command.spawn().with_context(|| format!("{name} could not be started"))?);
    let mut connections = Connections::new(server)?;
    let connection = connections.add();
    for number in 0.. {
        twilio.write(Kind::Outgoing, seed, number, &mut request);
        connections.ask(connection, &request, Instant::now());
        let mut good = None;
        while good.is_none() {
            connections.look(BETWEEN_TRIES, |_, outcome, _| {
                good = Some(outcome.is_ok_and(|answer| Kind::Outgoing.accepts(&answer)));
            })?;
            if let Some(status) = running.0.try_wait()? {
                bail!("{name} ended instead of answering: {status}");
            }
        }
        if good == Some(true) {
            break;
        }
        if start.elapsed() > PATIENCE {
            bail!("{name} gave no good answer within a minute");
        }
        thread::sleep(BETWEEN_TRIES);
    }
    Ok(json!({ "startUpMs": start.elapsed().as_secs_f64() * 1e3 }))
}
