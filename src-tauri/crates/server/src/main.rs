//! `dialer-server`: the server that Twilio calls and agents get their tokens from; with `page`, the
//! dialer in a browser on this computer.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use dialer_domain::ports::SystemClock;
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::sound::Sound;
use dialer_engine::stop;
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::tunnel::TokioLauncher;
use dialer_server::browser_host::{fresh_secret, serve};
use dialer_server::cloud::config::Config;
use dialer_server::cloud::{Cloud, health};
use dialer_storage::folders::Folders;
use dialer_storage::settings::{self, Settings};
use dialer_storage::vault::ChosenVault;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Answers Twilio's webhooks and gives agents their access tokens.
///
/// The account is told by the environment: TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, TWILIO_API_KEY,
/// TWILIO_API_SECRET, TWILIO_PHONE_NUMBER, TWILIO_TWIML_APP_SID, BACKEND_URL (the address Twilio calls),
/// AGENT_API_TOKEN (what agents show). Further: DATABASE_URL (an SQLite file), REQUIRE_INTENT=1 (connect
/// only calls that were asked for), RULES_FILE (what calls may do, as JSON), TWILIO_AUTH_TOKEN_SECONDARY,
/// TWILIO_WEBHOOK_KEY_ID, TWILIO_WEBHOOK_KEY_SECRET, TWILIO_WEBHOOK_KEY_ALGORITHM, WEBHOOKS_PER_SECOND (200),
/// TOKENS_PER_MINUTE (10, for each agent). Each secret may be in a file named by the same name with _FILE.
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
    Page(PageArguments),
}

/// Serves the dialer to a browser on this computer. Without --data it practises, keeps nothing, and
/// never touches the keychain.
#[derive(Debug, Args)]
struct PageArguments {
    /// Where the page and its commands are served; must be a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Where the practice Twilio listens; must be a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    simulator_listen: SocketAddr,

    /// Keep call log, settings and account in this folder, and secrets in the keychain.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// Work with a simulator of Twilio at this address instead of the real Twilio, to try out what
    /// connecting an account does. A loopback address such as http://127.0.0.1:4000.
    #[arg(long, value_name = "URL")]
    twilio: Option<url::Url>,

    /// Where the webhook server listens. By default port 3002 where a proxy or a named tunnel has to
    /// know it, and any free port otherwise.
    #[arg(long, value_name = "ADDRESS")]
    webhook_listen: Option<SocketAddr>,

    /// Folder of the built UI.
    #[arg(long, value_name = "FOLDER", default_value = "ui/dist")]
    ui: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,str0m=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match arguments.command {
        Some(Command::Page(page)) => serve_page(page).await,
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

async fn serve_page(arguments: PageArguments) -> anyhow::Result<()> {
    anyhow::ensure!(
        arguments.listen.ip().is_loopback(),
        "--listen must be a loopback address such as 127.0.0.1:3003: whoever reaches this port can place calls"
    );
    anyhow::ensure!(
        arguments.ui.join("index.html").is_file(),
        "{} holds no built UI. Run `npm ci && npm run build` in ui/, or name the folder with --ui",
        arguments.ui.display()
    );
    let listener = TcpListener::bind(arguments.listen).await.with_context(|| {
        format!("{} is taken by another program. Choose another with --listen", arguments.listen)
    })?;
    let folders = match &arguments.data {
        Some(folder) => Folders::at(folder),
        None => Folders::throw_away(),
    }?;
    let (settings, set_aside) = Settings::open(&folders)?;
    let vault = match &arguments.data {
        Some(_) => ChosenVault::of(&folders, &settings),
        None => ChosenVault::memory(),
    };
    let phone = Phone::start(PhoneOptions {
        folders,
        settings,
        settings_notice: set_aside.map(|set_aside| settings::set_aside_notice(&set_aside)),
        vault: Arc::new(vault),
        launcher: Arc::new(TokioLauncher),
        sound: Sound::OfPage,
        twilio: arguments.twilio.map_or(Ok(TwilioAt::Twilio), TwilioAt::simulator)?,
        simulator_listen: arguments.simulator_listen,
        webhook_listen: arguments.webhook_listen,
        clock: Arc::new(SystemClock),
    })
    .await?;
    let secret = fresh_secret();
    let mut out = std::io::stdout();
    if let Some(simulator) = phone.simulator() {
        writeln!(out, "practice Twilio: {}", simulator.base_url())?;
    }
    writeln!(out, "open: http://{}/#secret={}", listener.local_addr()?, secret.expose_secret())?;
    out.flush()?;
    serve(listener, phone.clone(), secret, &arguments.ui, stop::asked()).await?;
    phone.shutdown().await;
    Ok(())
}
