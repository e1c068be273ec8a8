//! `dialer-server`: practice mode in a browser on this computer.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use dialer_engine::practice::{Practice, PracticeOptions, Sound};
use dialer_engine::stop;
use dialer_server::browser_host::{fresh_secret, serve};
use dialer_storage::folders::Folders;
use secrecy::ExposeSecret as _;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Serves the dialer to a browser on this computer, in practice mode.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Where the page and its commands are served; must be a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Where the practice Twilio listens; must be a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    simulator_listen: SocketAddr,

    /// Folder of the built UI.
    #[arg(long, value_name = "FOLDER", default_value = "ui/dist")]
    ui: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,str0m=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(arguments).await {
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

async fn run(arguments: Arguments) -> anyhow::Result<()> {
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
    let folders = Folders::throw_away().context("There is nowhere to keep the practice call log")?;
    let practice = Practice::start(PracticeOptions {
        call_log: folders.call_log(),
        simulator_listen: arguments.simulator_listen,
        sound: Sound::OfPage,
    })
    .await?;
    let secret = fresh_secret();
    let mut out = std::io::stdout();
    writeln!(out, "practice Twilio: {}", practice.simulator.base_url())?;
    writeln!(out, "open: http://{}/#secret={}", listener.local_addr()?, secret.expose_secret())?;
    out.flush()?;
    serve(listener, practice.core.clone(), secret, &arguments.ui, stop::asked()).await?;
    practice.shutdown().await;
    Ok(())
}
