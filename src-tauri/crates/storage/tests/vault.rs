//! Secrets in a real GNOME Keyring on a session bus of its own, with a home folder of its own.
//!
//! Each test starts `dbus-run-session`, in it this binary again with one of the tests named
//! `child_…`, and that starts, stops and locks the keyring as a desktop would.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dialer_domain::ports::{SecretName, Vault as _, VaultError};
use dialer_storage::vault::{OsVault, SERVICE};
use secrecy::ExposeSecret as _;

const ACCOUNT: &str = "ACffffffffffffffffffffffffffffffff";
const NAME: SecretName = SecretName::AuthToken;
/// Longer than a busy machine needs for one answer.
const PATIENT: Duration = Duration::from_secs(60);

/// What the bus lets programs do.
#[derive(Clone, Copy)]
enum Policy {
    Everything,
    /// Nobody may talk to the keychain, as in a sandbox.
    NotTheKeychain,
}

/// Runs the ignored test `child` on a session bus that starts no service by itself.
fn on_a_bus(child: &str, policy: Policy) {
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
fn without_a_bus(child: &str, address: Option<&str>) {
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
        .args(crate::child::arguments(&format!("vault::{child}")))
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env_remove("XDG_DATA_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY");
    let output = command.output().unwrap_or_else(|error| cannot_start("dbus-run-session", &error));
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

fn cannot_start(program: &str, error: &std::io::Error) -> ! {
    panic!(
        "{program} could not be started ({error}). These tests need a session bus and a keyring: install the packages \
         dbus and gnome-keyring (Debian, Ubuntu: apt-get install dbus gnome-keyring)."
    )
}

/// A running GNOME Keyring; stopped when dropped.
struct Keyring {
    process: Child,
}

impl Keyring {
    /// Starts it and opens the login keyring with a password, making that keyring if there is none.
    fn unlocked() -> Self {
        Self::start(Some("a password for tests"))
    }

    /// Starts it as after a login without password: what exists stays locked.
    fn locked() -> Self {
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
            std::thread::sleep(Duration::from_millis(20));
        }
        keyring
    }

    fn signal(&self, signal: &str) {
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

fn vault() -> OsVault {
    OsVault::with(SERVICE, PATIENT)
}

fn read(vault: &OsVault) -> Result<Option<String>, VaultError> {
    Ok(vault.load(ACCOUNT, NAME)?.map(|secret| secret.expose_secret().to_owned()))
}

#[test]
fn secrets_stay_across_a_restart_of_the_keyring() {
    on_a_bus("child_keeps_secrets", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_keeps_secrets() {
    let keyring = Keyring::unlocked();
    let vault = vault();
    assert_eq!(read(&vault), Ok(None));
    vault.delete(ACCOUNT, NAME).unwrap();
    vault.store(ACCOUNT, NAME, &"first, Zoë".into()).unwrap();
    vault.store(ACCOUNT, SecretName::ApiKeySecret, &"another".into()).unwrap();
    vault.store(ACCOUNT, NAME, &"second, Zoë".into()).unwrap();
    assert_eq!(read(&vault).unwrap().as_deref(), Some("second, Zoë"));
    assert_eq!(read(&OsVault::with("Kennex Dialer of another build", PATIENT)), Ok(None));

    drop(keyring);
    let gone = read(&vault);
    assert!(matches!(gone, Err(VaultError::Missing(_))), "{gone:?}");
    let _keyring = Keyring::unlocked();
    assert_eq!(read(&vault).unwrap().as_deref(), Some("second, Zoë"), "the same vault finds the new keyring");
    vault.delete(ACCOUNT, NAME).unwrap();
    assert_eq!(read(&vault), Ok(None));
    assert!(vault.load(ACCOUNT, SecretName::ApiKeySecret).unwrap().is_some());
}

#[test]
fn a_locked_keyring_is_told() {
    on_a_bus("child_finds_it_locked", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_finds_it_locked() {
    let keyring = Keyring::unlocked();
    let vault = vault();
    vault.store(ACCOUNT, NAME, &"kept".into()).unwrap();
    drop(keyring);

    let keyring = Keyring::locked();
    for answer in [
        read(&vault).map(drop),
        vault.store(ACCOUNT, NAME, &"new".into()),
        vault.store(ACCOUNT, SecretName::ApiKeySecret, &"new".into()),
        vault.delete(ACCOUNT, NAME),
    ] {
        assert!(matches!(answer, Err(VaultError::Locked(_))), "{answer:?}");
    }
    drop(keyring);

    let _keyring = Keyring::unlocked();
    assert_eq!(read(&vault).unwrap().as_deref(), Some("kept"), "nothing was changed meanwhile");
}

#[test]
fn a_keyring_that_was_never_set_up_is_told() {
    on_a_bus("child_finds_no_default_keyring", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_finds_no_default_keyring() {
    let _keyring = Keyring::locked();
    assert_eq!(read(&vault()), Ok(None));
    let answer = vault().store(ACCOUNT, NAME, &"new".into());
    assert!(matches!(answer, Err(VaultError::Locked(_))), "{answer:?}");
}

#[test]
fn an_absent_keyring_is_told_and_found_once_it_starts() {
    on_a_bus("child_finds_no_keyring_at_first", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_finds_no_keyring_at_first() {
    let vault = vault();
    for answer in
        [read(&vault).map(drop), vault.store(ACCOUNT, NAME, &"new".into()), vault.delete(ACCOUNT, NAME)]
    {
        assert!(matches!(answer, Err(VaultError::Missing(_))), "{answer:?}");
    }
    let _keyring = Keyring::unlocked();
    vault.store(ACCOUNT, NAME, &"new".into()).unwrap();
    assert_eq!(read(&vault).unwrap().as_deref(), Some("new"));
}

#[test]
fn an_absent_bus_is_told() {
    let nowhere: PathBuf = tempfile::tempdir().unwrap().path().join("no-bus");
    without_a_bus("child_finds_no_bus", Some(&format!("unix:path={}", nowhere.display())));
    without_a_bus("child_finds_no_bus", Some("no address at all"));
    without_a_bus("child_finds_no_bus", None);
}

#[test]
#[ignore = "part of the test above, without a bus"]
fn child_finds_no_bus() {
    let answer = read(&vault());
    assert!(matches!(answer, Err(VaultError::Missing(_))), "{answer:?}");
}

#[test]
fn a_bus_that_forbids_the_keychain_is_told() {
    on_a_bus("child_is_denied", Policy::NotTheKeychain);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_is_denied() {
    let _keyring = Keyring::unlocked();
    for answer in [read(&vault()).map(drop), vault().store(ACCOUNT, NAME, &"new".into())] {
        assert!(matches!(answer, Err(VaultError::Denied(_))), "{answer:?}");
    }
}

#[test]
fn a_keyring_that_hangs_is_told_in_time_and_works_again_afterwards() {
    on_a_bus("child_finds_it_hanging", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_finds_it_hanging() {
    let keyring = Keyring::unlocked();
    vault().store(ACCOUNT, NAME, &"kept".into()).unwrap();
    let vault = OsVault::with(SERVICE, Duration::from_secs(1));
    keyring.signal("-STOP");
    assert_eq!(read(&vault), Err(VaultError::TimedOut(1)));
    assert_eq!(vault.delete(ACCOUNT, NAME), Err(VaultError::TimedOut(1)), "withdrawn before it was begun");
    keyring.signal("-CONT");
    let until = Instant::now() + PATIENT;
    let secret = loop {
        match read(&vault) {
            Err(VaultError::TimedOut(_)) if Instant::now() < until => {}
            answer => break answer,
        }
    };
    assert_eq!(secret.unwrap().as_deref(), Some("kept"));
}
