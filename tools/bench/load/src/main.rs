//! Plays Twilio under load, for `./dev bench gateway`. One command is one measurement; its outcome is
//! one JSON object on standard output.
//!
//! | command | measures |
//! | --- | --- |
//! | `start-up` | from starting a server to its first good answer |
//! | `closed` | each of some connections asks again as soon as it is answered: how much |
//! | `paced` | one kind of request at a fixed rate, at random moments: how fast |
//! | `open` | genuine webhooks that come when they come, beside a flood of forged ones |
//! | `self` | the tool itself, against a server that does nothing |
//!
//! One thread keeps all connections and never sleeps while it measures; it wants a processor to itself.
//! Every request has a CallSid and a signature of its own, so no answer can come from a memory of
//! earlier ones. What an answer should be is checked for each.

mod closed;
mod connection;
mod connections;
mod itself;
mod latency;
mod open;
mod paced;
mod requests;
mod responder;
mod schedule;
mod start_up;
mod twilio;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::twilio::{Kind, Twilio};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Whom a load is for.
#[derive(Args)]
struct Target {
    /// Where the server listens.
    #[arg(long, value_name = "ADDRESS")]
    server: SocketAddr,

    /// Part of every CallSid. Two runs against one server must differ in it.
    #[arg(long)]
    seed: u64,

    #[command(flatten)]
    twilio: Twilio,
}

#[derive(Subcommand)]
enum Command {
    /// Starts a server, waits for its first good answer, and ends it.
    StartUp {
        #[command(flatten)]
        target: Target,
        /// The program and its arguments.
        #[arg(required = true, last = true)]
        program: Vec<String>,
    },
    /// Keeps a number of connections busy.
    Closed {
        #[command(flatten)]
        target: Target,
        /// What is asked.
        #[arg(long)]
        kind: Kind,
        /// How many connections.
        #[arg(long, default_value_t = 16)]
        connections: usize,
        /// How many requests are made before the first is sent; those that are wanted beyond are made
        /// while the load runs, which costs the tool several microseconds each. A thousand take 1 MB.
        #[arg(long, default_value_t = 200_000)]
        ahead: usize,
        /// How long before measuring begins, in seconds.
        #[arg(long, default_value = "1", value_parser = seconds)]
        warm_up: Duration,
        /// How long is measured, in seconds.
        #[arg(long, default_value = "3", value_parser = seconds)]
        seconds: Duration,
    },
    /// Sends requests of one kind at random moments, over as many connections as that takes.
    Paced {
        #[command(flatten)]
        target: Target,
        /// What is asked.
        #[arg(long)]
        kind: Kind,
        /// Requests a second, on average.
        #[arg(long)]
        rate: u32,
        /// How long before measuring begins, in seconds.
        #[arg(long, default_value = "1", value_parser = seconds)]
        warm_up: Duration,
        /// How long is measured, in seconds.
        #[arg(long, default_value = "3", value_parser = seconds)]
        seconds: Duration,
    },
    /// Sends genuine voice webhooks at random moments, beside forged ones at an even pace.
    Open {
        #[command(flatten)]
        target: Target,
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
    /// Measures this tool against a server in a thread of its own that only answers.
    #[command(name = "self")]
    Itself {
        /// How many requests are made before the first is sent.
        #[arg(long, default_value_t = 200_000)]
        ahead: usize,
        /// How long, in seconds.
        #[arg(long, default_value = "1", value_parser = seconds)]
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
    let outcome = match arguments.command {
        Command::StartUp { target: Target { server, seed, twilio }, program } => {
            start_up::measure(server, &twilio, seed, &program)?
        }
        Command::Closed { target, kind, connections, ahead, warm_up, seconds } => {
            let Target { server, seed, twilio } = target;
            let load = closed::Load { kind, connections, ahead, warm_up, seconds };
            closed::measure(server, &twilio, seed, &load)?
        }
        Command::Paced { target: Target { server, seed, twilio }, kind, rate, warm_up, seconds } => {
            let load = paced::Load { kind, rate, warm_up, seconds };
            paced::measure(server, &twilio, seed, &load)?
        }
        Command::Open { target, genuine, forged, forged_connections, seconds } => {
            let Target { server, seed, twilio } = target;
            let load = open::Load { genuine, forged, forged_connections, seconds };
            open::measure(server, &twilio, seed, &load)?
        }
        Command::Itself { ahead, seconds } => itself::measure(ahead, seconds)?,
    };
    writeln!(std::io::stdout(), "{outcome}")?;
    Ok(())
}
