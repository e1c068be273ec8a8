//! `dialer-server page`: the dialer in a browser on this computer.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use dialer_domain::ports::SystemClock;
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::sound::Sound;
use dialer_engine::stop;
use dialer_engine::twilio_at::TwilioAt;
use dialer_gateway::tunnel::TokioLauncher;
use dialer_server::browser_host::{fresh_secret, serve};
use dialer_storage::folders::Folders;
use dialer_storage::settings::{self, Settings};
use dialer_storage::vault::ChosenVault;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;

/// Serves the dialer to a browser on this computer. Without --data it practises, keeps nothing, and
/// never touches the keychain.
#[derive(Debug, Args)]
pub(crate) struct PageArguments {
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

pub(crate) async fn serve_page(arguments: PageArguments) -> anyhow::Result<()> {
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
