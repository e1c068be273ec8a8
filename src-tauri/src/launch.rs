//! Puts the program together and runs it until the window is closed.

use std::sync::Arc;

use anyhow::Context as _;
use dialer_domain::ports::{SecretName, Vault as _};
use dialer_engine::core::Core;
use dialer_engine::practice::{self, Practice, PracticeOptions, Sound};
use dialer_engine::self_test::{SelfTest, TestDevices};
use dialer_engine::stop;
use dialer_media::devices::SystemDevices;
use dialer_storage::folders::Folders;
use dialer_storage::vault::OsVault;
use tauri::Manager as _;
use tokio::runtime::Runtime;

use crate::arguments::Arguments;
use crate::backend::{Backend, start_failure};
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
    let folders = if arguments.scripted() { Folders::throw_away() } else { Folders::of_user() }?;
    let (sound, test_devices) = sound(arguments.self_test);
    let started = runtime.block_on(Practice::start(PracticeOptions {
        call_log: folders.call_log(),
        simulator_listen: arguments.simulator_listen,
        sound,
    }));
    match started {
        Ok(practice) => run(&runtime, practice, test_devices, arguments),
        // Whoever started it from a script reads the error stream; an agent looks at the window.
        Err(error) if arguments.scripted() => Err(error),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the program could not start");
            show(Backend::Failed(start_failure(&error)), None, arguments)?;
            Ok(START_FAILED)
        }
    }
}

fn run(
    runtime: &Runtime,
    practice: Practice,
    test_devices: Option<TestDevices>,
    arguments: &Arguments,
) -> anyhow::Result<u8> {
    if let Some(file) = &arguments.simulator_address_file {
        std::fs::write(file, practice.simulator.signal_host()).with_context(|| {
            format!("The simulator's address could not be written to {}. Name a file in a folder you may write to", file.display())
        })?;
    }
    let core = practice.core.clone();
    if !arguments.scripted() {
        runtime.spawn(look_for_keychain(core.clone()));
    }
    let test = test_devices.map(|devices| SelfTest::new(core.clone(), practice.simulator.clone(), devices));
    let code = show(Backend::Running(core), test, arguments);
    runtime.block_on(practice.shutdown());
    code
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

/// An account that cannot exist: asking for its secret shows whether the keychain answers, without
/// unlocking anything.
const NOBODY: &str = "nobody";

/// Tells the agent early, once, when an account could not be kept on this computer.
async fn look_for_keychain(core: Core) {
    let looked = tokio::task::spawn_blocking(|| OsVault::new().load(NOBODY, SecretName::AuthToken)).await;
    if let Ok(Err(error)) = looked {
        tracing::warn!(%error, "the keychain cannot be used");
        core.raise(practice::keychain_notice(&error));
    }
}

/// Shows the window until it is closed.
fn show(backend: Backend, test: Option<SelfTest>, arguments: &Arguments) -> anyhow::Result<u8> {
    let report = arguments.report.clone();
    let core = match &backend {
        Backend::Running(core) => Some(core.clone()),
        Backend::Failed(_) => None,
    };
    let app = tauri::Builder::default()
        .manage(backend)
        .invoke_handler(tauri::generate_handler![commands::host, commands::restart])
        .setup(move |app| {
            let handle = app.handle().clone();
            if let Some(core) = core {
                tauri::async_runtime::spawn(events::forward(core, handle.clone()));
            }
            let asked = handle.clone();
            tauri::async_runtime::spawn(async move {
                stop::asked().await;
                asked.exit(0);
            });
            window::open(app)?;
            if let Some(test) = test {
                tauri::async_runtime::spawn(async move {
                    let code = test.run_and_report(report.as_deref()).await;
                    handle.exit(code);
                });
            }
            Ok(())
        })
        .build(tauri::generate_context!())
        .context("The window could not be opened")?;
    let code = app.run_return(|app, event| {
        if let tauri::RunEvent::ExitRequested { .. } = event {
            for window in app.webview_windows().values() {
                let _ = window.hide();
            }
        }
    });
    Ok(u8::try_from(code).unwrap_or(1))
}
