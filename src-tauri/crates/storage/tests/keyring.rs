//! A real GNOME Keyring on a session bus of its own, with a home folder of its own.
//!
//! A test starts `dbus-run-session`, in it this binary again with an ignored test, and that starts,
//! stops and locks the keyring as a desktop would.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use dialer_domain::ports::{SecretName, Vault as _, VaultError};
use dialer_storage::vault::OsVault;

pub(crate) const ACCOUNT: &str = "ACffffffffffffffffffffffffffffffff";
/// Longer than a busy machine needs for one answer.
pub(crate) const PATIENT: Duration = Duration::from_secs(60);
/// Between two looks at something that comes by itself.
const A_MOMENT: Duration = Duration::from_millis(20);
/// Opens the login keyring.
pub(crate) const PASSWORD: &str = "a password for tests";
const NAME: SecretName = SecretName::AuthToken;

/// What the bus lets programs do.
#[derive(Clone, Copy)]
pub(crate) enum Policy {
    Everything,
    /// Nobody may talk to the keychain, as in a sandbox.
    NotTheKeychain,
}

/// Runs the ignored test `child` on a session bus that starts no service by itself.
pub(crate) fn on_a_bus(child: &str, policy: Policy) {
    let home = tempfile::tempdir().unwrap();
    let denied = match policy {
        Policy::Everything => "",
        Policy::NotTheKeychain => r#"<deny send_destination="org.freedesktop.secrets"/>"#,
    };
    let configuration = home.path().join("bus.conf");
    std::fs::write(
        &configuration,
        format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/>
    {denied}
  </policy>
</busconfig>"#,
            home.path().display()
        ),
    )
    .unwrap();
    let mut command = Command::new("dbus-run-session");
    command
        .arg(format!("--config-file={}", configuration.display()))
        .arg("--")
        .arg(crate::child::this_binary());
    finish(command, child, home.path());
}

/// Runs the ignored test `child` with a bus address that leads nowhere, or with none.
pub(crate) fn without_a_bus(child: &str, address: Option<&str>) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(crate::child::this_binary());
    match address {
        Some(address) => command.env("DBUS_SESSION_BUS_ADDRESS", address),
        None => command.env_remove("DBUS_SESSION_BUS_ADDRESS"),
    };
    finish(command, child, home.path());
}

fn finish(mut command: Command, child: &str, home: &Path) {
    command
        .args(crate::child::arguments(child))
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        // Titles of dialogs are looked for by their English words.
        .env("LC_ALL", "C.UTF-8")
        .env_remove("LANGUAGE")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    let output = command.output().unwrap_or_else(|error| cannot_start("dbus-run-session", &error));
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

fn cannot_start(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "{program} could not be started ({error}). These tests need a session bus, a keyring and a screen: install the packages \
         dbus, gnome-keyring, xdotool and xvfb (Debian, Ubuntu: apt-get install dbus gnome-keyring xdotool xvfb)."
    )
}

/// A running GNOME Keyring; stopped when dropped.
pub(crate) struct Keyring {
    process: Child,
}

impl Keyring {
    /// Starts it and opens the login keyring with [`PASSWORD`], making that keyring if there is none.
    pub(crate) fn unlocked() -> Self {
        Self::start(Some(PASSWORD))
    }

    /// Starts it as after a login without password: what exists stays locked.
    pub(crate) fn locked() -> Self {
        Self::start(None)
    }

    fn start(password: Option<&str>) -> Self {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]).args(password.map(|_| "--unlock"));
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process =
            command.spawn().unwrap_or_else(|error| cannot_start("gnome-keyring-daemon", &error));
        // Closing the pipe ends the password.
        process.stdin.take().unwrap().write_all(password.unwrap_or_default().as_bytes()).unwrap();
        let keyring = Self { process };
        // It answers from the moment it owns its name on the bus.
        let until = Instant::now() + PATIENT;
        while let Err(VaultError::Missing(why)) = OsVault::with("Readiness", PATIENT).load(ACCOUNT, NAME) {
            assert!(Instant::now() < until, "the keyring did not come up: {why}");
            std::thread::sleep(A_MOMENT);
        }
        keyring
    }

    pub(crate) fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A screen on which the keyring can show its password dialog, and somebody who answers it.
pub(crate) struct Screen {
    server: Child,
    prompter: Child,
    display: String,
}

impl Screen {
    /// Starts an X server without a monitor, and on it GNOME's program for password dialogs.
    pub(crate) fn with_dialogs() -> Self {
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| cannot_start("Xvfb", &error));
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        let display = format!(":{}", number.trim());
        let prompter = Command::new(prompter())
            .env("DISPLAY", &display)
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| cannot_start("gcr-prompter", &error));
        let screen = Self { server, prompter, display };
        // A keyring that finds no such program gives up at once.
        let bus = zbus::blocking::Connection::session().unwrap();
        let names = zbus::blocking::fdo::DBusProxy::new(&bus).unwrap();
        let until = Instant::now() + PATIENT;
        while !names.name_has_owner("org.gnome.keyring.SystemPrompter".try_into().unwrap()).unwrap() {
            assert!(Instant::now() < until, "the program for password dialogs did not come up");
            std::thread::sleep(A_MOMENT);
        }
        screen
    }

    /// Waits for the dialog that asks for the keyring's password.
    pub(crate) fn wait_for_dialog(&self) -> Dialog<'_> {
        let until = Instant::now() + PATIENT;
        loop {
            if let Some(window) = self.dialog() {
                return Dialog { screen: self, window };
            }
            assert!(Instant::now() < until, "no dialog came up");
            std::thread::sleep(A_MOMENT);
        }
    }

    /// The window of the dialog, if there is one.
    fn dialog(&self) -> Option<String> {
        let found = self.robot(&["search", "--onlyvisible", "--name", "Unlock"]);
        String::from_utf8(found.stdout).unwrap().lines().next().map(str::to_owned)
    }

    fn robot(&self, arguments: &[&str]) -> Output {
        Command::new("xdotool")
            .args(arguments)
            .env("DISPLAY", &self.display)
            .output()
            .unwrap_or_else(|error| cannot_start("xdotool", &error))
    }
}

/// The keyring's password dialog.
pub(crate) struct Dialog<'a> {
    screen: &'a Screen,
    window: String,
}

impl Dialog<'_> {
    pub(crate) fn enter(self, password: &str) {
        // What an earlier attempt left in the field goes first.
        self.press_until_closed(&[&["key", "ctrl+a", "BackSpace"], &["type", password], &["key", "Return"]]);
    }

    pub(crate) fn cancel(self) {
        self.press_until_closed(&[&["key", "Escape"]]);
    }

    /// A dialog that has just come up may lose keys, so they are pressed again until it is gone.
    fn press_until_closed(&self, keys: &[&[&str]]) {
        let until = Instant::now() + PATIENT;
        while Instant::now() < until {
            // Without a window manager nobody gives it the keyboard.
            self.screen.robot(&["windowfocus", &self.window]);
            for keys in keys {
                self.screen.robot(keys);
            }
            let again = Instant::now() + Duration::from_secs(2);
            while Instant::now() < again {
                if self.screen.dialog().is_none_or(|window| window != self.window) {
                    return;
                }
                std::thread::sleep(A_MOMENT);
            }
        }
        panic!("the dialog did not close");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for process in [&mut self.prompter, &mut self.server] {
            // The prompter may have ended by itself: it does so when nobody asks for a while.
            let _ = process.kill();
            process.wait().unwrap();
        }
    }
}

/// Where the system has GNOME's program for password dialogs.
fn prompter() -> String {
    let service = "/usr/share/dbus-1/services/org.gnome.keyring.SystemPrompter.service";
    let text = std::fs::read_to_string(service).unwrap_or_else(|error| cannot_start("gcr-prompter", &error));
    text.lines().find_map(|line| line.strip_prefix("Exec=")).unwrap().to_owned()
}
