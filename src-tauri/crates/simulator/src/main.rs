//! `dialer-simulator`: the practice Twilio as a program of its own.
//!
//! Exit codes: 0 after Ctrl-C, 1 when it fails while running, 2 when it cannot start.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use dialer_simulator::{Pace, Scenario, Simulator, SimulatorOptions, far_ends};
use secrecy::ExposeSecret as _;
use tracing_subscriber::EnvFilter;

/// A practice Twilio on this computer: point the Voice SDK, or a webhook server, at it and call.
#[derive(Debug, Parser)]
#[command(name = "dialer-simulator", version)]
struct Arguments {
    /// Where to listen; loopback addresses only
    #[arg(long, default_value = "127.0.0.1:4010", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// What the SIDs follow from, so that runs can be compared; random if absent. Secrets never follow from it
    #[arg(long)]
    seed: Option<u64>,
    /// JSON file with applications, numbers, the state of the account, far ends and faults to start with
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// How fast simulated time runs; sound stays in real time
    #[arg(long, default_value = "1", value_parser = pace)]
    pace: Pace,
    /// Address the media is sent from; a browser that keeps off loopback needs one of the network
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    media_address: IpAddr,
    /// Print the account's throw-away secrets
    #[arg(long)]
    print_secrets: bool,
    /// Write the account with its throw-away secrets to a file only you can read
    #[arg(long, visible_alias = "reveal-secrets", value_name = "FILE")]
    secrets_file: Option<PathBuf>,
}

fn pace(text: &str) -> Result<Pace, String> {
    let factor = text.parse().map_err(|_| "the pace is a number, such as 1 for real time".to_owned())?;
    Pace::times(factor).map_err(|error| error.to_string())
}

/// The far ends and the control API, for the end of `--help`.
fn after_help() -> String {
    let mut text =
        String::from("Far ends by number (any other number rings for 2 s, answers and echoes you):\n");
    for far_end in far_ends() {
        text.push_str(&format!("  {}  {}\n", far_end.number, far_end.does));
    }
    text.push_str("\nControl API (JSON; not for web pages):\n");
    for (route, what) in dialer_simulator::CONTROL_ROUTES {
        text.push_str(&format!("  {route:<44} {what}\n"));
    }
    text
}

#[tokio::main]
async fn main() -> ExitCode {
    let matches = Arguments::command().after_help(after_help()).get_matches();
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed { code, sentence }) => {
            // Nothing is left to tell it to if standard error is closed.
            let _ = writeln!(std::io::stderr(), "{sentence}");
            ExitCode::from(code)
        }
    }
}

/// Why the program ends early.
struct Failed {
    code: u8,
    sentence: String,
}

fn cannot_start(sentence: impl std::fmt::Display) -> Failed {
    Failed { code: 2, sentence: sentence.to_string() }
}

async fn run(arguments: Arguments) -> Result<(), Failed> {
    let scenario = match &arguments.scenario {
        Some(path) => {
            let shown = path.display();
            let json = std::fs::read_to_string(path)
                .map_err(|error| cannot_start(format!("The scenario {shown} cannot be read: {error}")))?;
            let scenario = Scenario::parse(&json)
                .map_err(|error| cannot_start(format!("The scenario {shown} is not usable: {error}")))?;
            Some(scenario)
        }
        None => None,
    };
    let defaults = SimulatorOptions::default();
    let options = SimulatorOptions {
        listen: arguments.listen,
        seed: arguments.seed.unwrap_or(defaults.seed),
        scenario,
        pace: arguments.pace,
        media_address: arguments.media_address,
        ..defaults
    };
    let simulator = Simulator::start(options).await.map_err(cannot_start)?;
    if let Some(path) = &arguments.secrets_file {
        write_secrets(path, &simulator).map_err(|error| {
            cannot_start(format!("The file {} cannot be written: {error}", path.display()))
        })?;
    }
    let introduced =
        std::io::stdout().write_all(introduction(&simulator, arguments.print_secrets).as_bytes());
    if let Err(error) = introduced {
        tracing::warn!(%error, "standard output cannot be written");
    }
    tokio::signal::ctrl_c()
        .await
        .map_err(|error| Failed { code: 1, sentence: format!("Ctrl-C cannot be waited for: {error}") })?;
    simulator.shutdown().await;
    Ok(())
}

fn introduction(simulator: &Simulator, with_secrets: bool) -> String {
    let account = simulator.account();
    let mut text = format!(
        "Practice Twilio: none of this reaches a real telephone.\n\
         Base URL:      {}\n\
         Signalling:    ws://{}/signal\n\
         Account SID:   {}\n\
         API key SID:   {}\n",
        simulator.base_url(),
        simulator.signal_host(),
        account.account_sid,
        account.api_key_sid,
    );
    if with_secrets {
        text.push_str(&format!(
            "Auth Token:    {}\nAPI secret:    {}\n",
            account.auth_token.expose_secret(),
            account.api_key_secret.expose_secret(),
        ));
    } else {
        text.push_str("Secrets:       shown with --print-secrets, or written with --secrets-file FILE\n");
    }
    for owned in simulator.numbers() {
        let app = owned.application_sid.map_or_else(|| "no application".to_owned(), |sid| sid.to_string());
        text.push_str(&format!("Number:        {}  ({app})\n", owned.number));
    }
    text.push_str("Ctrl-C stops it.\n");
    text
}

/// Writes account and secrets as JSON, readable by its owner alone.
fn write_secrets(path: &std::path::Path, simulator: &Simulator) -> std::io::Result<()> {
    let account = simulator.account();
    let (test_account, test_token) = simulator.test_credentials();
    let json = serde_json::json!({
        "account_sid": account.account_sid,
        "auth_token": account.auth_token.expose_secret(),
        "api_key_sid": account.api_key_sid,
        "api_key_secret": account.api_key_secret.expose_secret(),
        "test_account_sid": test_account,
        "test_auth_token": test_token.expose_secret(),
    });
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // The mode above counts for a new file only.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    file.write_all(json.to_string().as_bytes())
}
