//! Puts the program together and runs it until the window is closed.

use std::sync::Arc;

use anyhow::Context as _;
use dialer_domain::ports::SystemClock;
use dialer_engine::phone::{Phone, PhoneOptions};
use dialer_engine::self_test::{SelfTest, TestDevices};
use dialer_engine::sound::Sound;
use dialer_engine::stop;
use dialer_engine::twilio_at::TwilioAt;
use dialer_media::devices::SystemDevices;
use dialer_storage::folders::Folders;
use dialer_storage::settings::{self, Settings};
use dialer_storage::vault::ChosenVault;
use tauri::{App, Manager as _};
use tokio::runtime::Runtime;

use crate::arguments::Arguments;
use crate::backend::{Backend, start_failure};
use crate::tunnel_program::ShellLauncher;
use crate::{commands, display, events, window};

/// Exit code of a window that could only say why the program did not start.
const START_FAILED: u8 = 2;

/// Runs the app; answers with its exit code.
pub(crate) fn launch(arguments: &Arguments) -> anyhow::Result<u8> {
    display::check()?;
    if let Some(file) = &arguments.report {
        std::fs::write(file, "").with_context(|| {
            format!(
                "The report cannot be written to {}. Name a file in a folder you may write to",
                file.display()
            )
        })?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("The program could not start its background tasks")?;
    tauri::async_runtime::set(runtime.handle().clone());
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_shell::init())
        .invoke_handler(tauri::generate_handler![commands::host, commands::restart])
        .setup(|app| window::open(app).map(drop).map_err(Into::into))
        .build(tauri::generate_context!())
        .context("The window could not be opened")?;
    let (sound, test_devices) = sound(arguments.self_test);
    let twilio = match &arguments.twilio {
        None => TwilioAt::Twilio,
        Some(url) => TwilioAt::simulator(url.clone()).context("--twilio")?,
    };
    let launcher = ShellLauncher::new(app.handle().clone());
    match runtime.block_on(start(arguments, twilio, sound, launcher)) {
        Ok(phone) => run(&runtime, app, phone, test_devices, arguments),
        // Whoever started it from a script reads the error stream; an agent looks at the window.
        Err(error) if arguments.scripted() => Err(error),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the program could not start");
            app.manage(Backend::Failed(start_failure(&error)));
            show(app);
            Ok(START_FAILED)
        }
    }
}

async fn start(
    arguments: &Arguments,
    twilio: TwilioAt,
    sound: Sound,
    launcher: ShellLauncher,
) -> anyhow::Result<Phone> {
    let scripted = arguments.scripted();
    let folders = if scripted { Folders::throw_away() } else { Folders::of_user() }?;
    let (settings, set_aside) = Settings::open(&folders)?;
    let vault = if scripted { ChosenVault::memory() } else { ChosenVault::of(&folders, &settings) };
    Phone::start(PhoneOptions {
        folders,
        settings,
        settings_notice: set_aside.map(|set_aside| settings::set_aside_notice(&set_aside)),
        vault: Arc::new(vault),
        launcher: Arc::new(launcher),
        sound,
        twilio,
        simulator_listen: arguments.simulator_listen,
        webhook_listen: arguments.webhook_listen,
        clock: Arc::new(SystemClock),
    })
    .await
}

fn run(
    runtime: &Runtime,
    app: App,
    phone: Phone,
    test_devices: Option<TestDevices>,
    arguments: &Arguments,
) -> anyhow::Result<u8> {
    let simulator = phone.simulator();
    if let (Some(file), Some(simulator)) = (&arguments.simulator_address_file, &simulator) {
        std::fs::write(file, simulator.signal_host()).with_context(|| {
            format!("The simulator's address could not be written to {}. Name a file in a folder you may write to", file.display())
        })?;
    }
    let handle = app.handle().clone();
    runtime.spawn(events::forward(phone.subscribe(), handle.clone()));
    let asked = handle.clone();
    runtime.spawn(async move {
        stop::asked().await;
        asked.exit(0);
    });
    if let (Some(devices), Some(simulator)) = (test_devices, simulator) {
        let test = SelfTest::new(phone.core(), simulator, devices);
        let report = arguments.report.clone();
        runtime.spawn(async move {
            let code = test.run_and_report(report.as_deref()).await;
            handle.exit(code);
        });
    }
    app.manage(Backend::Running(phone.clone()));
    let code = show(app);
    runtime.block_on(phone.shutdown());
    Ok(code)
}

/// The computer's own sound devices where the webview has no WebRTC; in a self-test a tone and a meter,
/// which need no hardware.
fn sound(self_test: bool) -> (Sound, Option<TestDevices>) {
    if self_test {
        let devices = TestDevices::default();
        (Sound::Native(devices.devices()), Some(devices))
    } else {
        (Sound::NativeFallback(Arc::new(SystemDevices)), None)
    }
}

/// Shows the window until it is closed; answers with the exit code.
fn show(app: App) -> u8 {
    let code = app.run_return(|app, event| {
        if let tauri::RunEvent::ExitRequested { .. } = event {
            for window in app.webview_windows().values() {
                let _ = window.hide();
            }
        }
    });
    u8::try_from(code).unwrap_or(1)
}
