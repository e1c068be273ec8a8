//! Plays Twilio under load, for `./dev bench gateway`. One command is one measurement; its outcome is
//! one JSON object on standard output.
//!
//! | command | measures |
//! | --- | --- |
//! | `start-up` | from starting a server to its first good answer |
//! | `closed` | each of some connections asks again as soon as it is answered: how much, how fast |
//! | `open` | genuine webhooks that come when they come, beside a flood of forged ones |
//!
//! Every request has a CallSid and a signature of its own, so no answer can come from a memory of
//! earlier ones. What an answer should be is checked for each.

mod closed;
mod connection;
mod latency;
mod open;
mod start_up;
mod twilio;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::twilio::{Kind, Twilio};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Where the server listens.
    #[arg(long, value_name = "ADDRESS")]
    server: SocketAddr,

    /// Part of every CallSid. Two runs against one server must differ in it.
    #[arg(long)]
    seed: u64,

    #[command(flatten)]
    twilio: Twilio,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts a server, waits for its first good answer, and ends it.
    StartUp {
        /// The program and its arguments.
        #[arg(required = true, last = true)]
        program: Vec<String>,
    },
    /// Keeps a number of connections busy.
    Closed {
        /// What is asked.
        #[arg(long)]
        kind: Kind,
        /// How many connections.
        #[arg(long, default_value_t = 16)]
        connections: usize,
        /// How long before measuring begins, in seconds.
        #[arg(long, default_value = "1", value_parser = seconds)]
        warm_up: Duration,
        /// How long is measured, in seconds.
        #[arg(long, default_value = "3", value_parser = seconds)]
        seconds: Duration,
    },
    /// Sends genuine voice webhooks at random moments, beside forged ones at an even pace.
    Open {
        /// Genuine webhooks a second, on average.
        #[arg(long, default_value_t = 50)]
        genuine: u32,
        /// Forged webhooks a second.
        #[arg(long, default_value_t = 0)]
        forged: u32,
        /// How many connections the forged ones use.
        #[arg(long, default_value_t = 64)]
        forged_connections: usize,
        /// How long, in seconds.
        #[arg(long, default_value = "5", value_parser = seconds)]
        seconds: Duration,
    },
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "bench-load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { server, seed, twilio, command } = arguments;
    let outcome = match command {
        Command::StartUp { program } => start_up::measure(server, &twilio, seed, &program)?,
        Command::Closed { kind, connections, warm_up, seconds } => {
            let load = closed::Load { kind, connections, warm_up, seconds };
            closed::measure(server, &twilio, seed, &load)?
        }
        Command::Open { genuine, forged, forged_connections, seconds } => {
            let load = open::Load { genuine, forged, forged_connections, seconds };
            open::measure(server, &twilio, seed, &load)?
        }
    };
    writeln!(std::io::stdout(), "{outcome}")?;
    Ok(())
}
