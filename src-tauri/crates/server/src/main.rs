//! `dialer-server`: the server that Twilio calls and agents get their tokens from; with `page`, the
//! dialer in a browser on this computer.

#[cfg(feature = "page")]
mod page;

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use dialer_domain::ports::SystemClock;
use dialer_engine::stop;
use dialer_server::cloud::config::Config;
use dialer_server::cloud::{Cloud, health};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Answers Twilio's webhooks and gives agents their access tokens.
///
/// The account is told by the environment: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY,
/// TWILIO_API_SECRET, TWILIO_PHONE_NUMBER, TWILIO_TWIML_APP_SID, BACKEND_URL (the address Twilio calls),
/// AGENT_API_TOKEN (what agents show). Further: DATABASE_URL (an SQLite file), REQUIRE_INTENT=1 (connect
/// only calls that were asked for), RULES_FILE (what calls may do, as JSON), TWILIO_AUTH_TOKEN_SECONDARY,
/// TWILIO_WEBHOOK_KEY_ID, TWILIO_WEBHOOK_KEY_SECRET, TWILIO_WEBHOOK_KEY_ALGORITHM, WEBHOOKS_PER_SECOND (200),
/// TOKENS_PER_MINUTE (10, for each agent), MOST_CALLS (100, outgoing ones at a time), TWILIO_SIMULATOR (a simulator of
/// Twilio on this computer, asked in its place). Each secret may be in a file named by the same name with _FILE.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Where Twilio's webhooks are taken; a proxy or tunnel brings them here.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3002")]
    listen: SocketAddr,

    /// Where agents get tokens and monitoring asks. Never on the internet.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3003")]
    agent_listen: SocketAddr,

    /// Ask the server at --agent-listen whether it is ready, and exit with 0 if so.
    #[arg(long)]
    health: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the dialer to a browser on this computer.
    #[cfg(feature = "page")]
    Page(page::PageArguments),
}

/// Threads that serve; a phone system has few requests a second, and a container few processes.
const WORKERS: usize = 4;
/// Threads for files and the log.
const BLOCKING: usize = 16;

fn main() -> ExitCode {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(start());
            // A file that cannot be written has been waited for as long as is good.
            runtime.shutdown_background();
            ended
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "dialer-server: no threads can be started: {error}");
            ExitCode::from(2)
        }
    }
}

async fn start() -> ExitCode {
    let arguments = Arguments::parse();
    let colours = std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt::layer().with_ansi(colours).with_writer(std::io::stderr);
    tracing_subscriber::registry().with(log).with(log_filter()).init();
    let done = match arguments.command {
        #[cfg(feature = "page")]
        Some(Command::Page(page)) => page::serve_page(page).await,
        #[cfg(not(feature = "page"))]
        Some(command) => match command {},
        None if arguments.health => health::check(arguments.agent_listen).await,
        None => serve_cloud(arguments.listen, arguments.agent_listen).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut out = std::io::stderr();
            let _ = writeln!(out, "dialer-server: {error}");
            for cause in error.chain().skip(1) {
                let _ = writeln!(out, "  because: {cause}");
            }
            ExitCode::from(2)
        }
    }
}

/// What is logged: by RUST_LOG, such as `info,dialer_gateway=debug`.
fn log_filter() -> Targets {
    let asked = std::env::var("RUST_LOG").ok().filter(|asked| !asked.is_empty());
    asked.and_then(|asked| asked.parse().ok()).unwrap_or_else(|| {
        Targets::new().with_default(LevelFilter::INFO).with_target("str0m", LevelFilter::WARN)
    })
}

async fn serve_cloud(listen: SocketAddr, agent_listen: SocketAddr) -> anyhow::Result<()> {
    let config = Config::from_environment()?;
    let base = config.backend_url.clone();
    let cloud = Cloud::start(config, listen, agent_listen, Arc::new(SystemClock)).await?;
    let mut out = std::io::stdout();
    writeln!(out, "Twilio: {base} must lead to http://{}", cloud.local_addr())?;
    writeln!(out, "agents: http://{}", cloud.agent_addr())?;
    out.flush()?;
    cloud.run(stop::asked()).await
}
