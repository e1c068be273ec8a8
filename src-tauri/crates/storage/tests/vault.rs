//! Secrets in the system's keychain, here a real GNOME Keyring.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use dialer_domain::ports::{SecretName, Vault as _, VaultError};
use dialer_storage::vault::{OsVault, SERVICE, load_required};
use secrecy::ExposeSecret as _;

use crate::keyring::{ACCOUNT, Keyring, PASSWORD, PATIENT, Policy, Screen, on_a_bus, without_a_bus};

const NAME: SecretName = SecretName::AuthToken;

fn vault() -> OsVault {
    OsVault::with(SERVICE, PATIENT)
}

fn read(vault: &OsVault) -> Result<Option<String>, VaultError> {
    Ok(vault.load(ACCOUNT, NAME)?.map(|secret| secret.expose_secret().to_owned()))
}

#[test]
fn secrets_stay_across_a_restart_of_the_keyring() {
    on_a_bus("vault::child_keeps_secrets", Policy::Everything);
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
    vault.store(ACCOUNT, SecretName::TunnelToken, &"a third".into()).unwrap();
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
    for (name, kept) in [(SecretName::ApiKeySecret, "another"), (SecretName::TunnelToken, "a third")] {
        assert_eq!(vault.load(ACCOUNT, name).unwrap().unwrap().expose_secret(), kept);
    }
}

#[test]
fn a_locked_keyring_is_told() {
    on_a_bus("vault::child_finds_it_locked", Policy::Everything);
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
    on_a_bus("vault::child_finds_no_default_keyring", Policy::Everything);
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
    on_a_bus("vault::child_finds_no_keyring_at_first", Policy::Everything);
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
    without_a_bus("vault::child_finds_no_bus", Some(&format!("unix:path={}", nowhere.display())));
    without_a_bus("vault::child_finds_no_bus", Some("no address at all"));
    without_a_bus("vault::child_finds_no_bus", None);
}

#[test]
#[ignore = "part of the test above, without a bus"]
fn child_finds_no_bus() {
    let answer = read(&vault());
    assert!(matches!(answer, Err(VaultError::Missing(_))), "{answer:?}");
}

#[test]
fn a_bus_that_forbids_the_keychain_is_told() {
    on_a_bus("vault::child_is_denied", Policy::NotTheKeychain);
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
    on_a_bus("vault::child_finds_it_hanging", Policy::Everything);
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

#[test]
fn a_keyring_that_is_unlocked_while_questions_wait_answers_them() {
    on_a_bus("vault::child_is_unlocked_by_its_dialog", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_is_unlocked_by_its_dialog() {
    let keyring = Keyring::unlocked();
    vault().store(ACCOUNT, NAME, &"kept".into()).unwrap();
    drop(keyring);

    let screen = Screen::with_dialogs();
    let _keyring = Keyring::locked();
    let vault = vault();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| read(&vault));
        let dialog = screen.wait_for_dialog();
        assert!(!asked.is_finished(), "the question waits for the dialog");
        dialog.cancel();
        let answer = asked.join().unwrap();
        assert!(matches!(answer, Err(VaultError::Locked(_))), "{answer:?}");

        let asked = scope.spawn(|| read(&vault));
        let dialog = screen.wait_for_dialog();
        // A second question waits behind the first, and shows no second dialog.
        let behind = scope.spawn(|| vault.store(ACCOUNT, SecretName::TunnelToken, &"new".into()));
        dialog.enter(PASSWORD);
        assert_eq!(asked.join().unwrap().unwrap().as_deref(), Some("kept"));
        behind.join().unwrap().unwrap();
    });
    assert!(vault.load(ACCOUNT, SecretName::TunnelToken).unwrap().is_some());
}

#[test]
fn a_keyring_that_was_replaced_is_told_from_one_that_was_never_used() {
    on_a_bus("vault::child_finds_another_keyring", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_finds_another_keyring() {
    let keyring = Keyring::unlocked();
    let vault = vault();
    vault.store(ACCOUNT, NAME, &"kept".into()).unwrap();
    assert_eq!(load_required(&vault, ACCOUNT, NAME).unwrap().expose_secret(), "kept");
    drop(keyring);

    let keyrings = std::path::Path::new(&std::env::var_os("HOME").unwrap()).join(".local/share/keyrings");
    std::fs::remove_dir_all(keyrings).unwrap();
    let _keyring = Keyring::unlocked();
    assert_eq!(read(&vault), Ok(None));
    let answer = load_required(&vault, ACCOUNT, NAME).map(drop);
    assert_eq!(answer, Err(VaultError::Changed("auth-token")));
    vault.store(ACCOUNT, NAME, &"entered again".into()).unwrap();
    assert_eq!(load_required(&vault, ACCOUNT, NAME).unwrap().expose_secret(), "entered again");
}
