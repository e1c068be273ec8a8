//! The vault in use: the keychain, the encrypted file where there is none, and the way between them.

use std::path::{Path, PathBuf};

use dialer_domain::error::ErrorCode;
use dialer_domain::ports::{SecretName, Vault as _, VaultError, VaultKind};
use dialer_domain::setup::{Pending, Record};
use dialer_domain::sid::{AccountSid, ApiKeySid};
use dialer_storage::folders::Folders;
use dialer_storage::settings::Settings;
use dialer_storage::vault::{ChosenVault, OsVault, load_required, user_error};
use secrecy::{ExposeSecret as _, SecretString};

use crate::keyring::{Keyring, PATIENT, Policy, on_a_bus, without_a_bus};
use crate::settings::record;

/// Whose secrets there are, and what each is: those of the account in use and its key, and of an account
/// that was entered with a key of its own and has not been looked at yet.
fn all() -> [(String, SecretName); 6] {
    let (used, entered) = (record(), pending());
    let of_account = |account: &AccountSid, key: ApiKeySid| {
        [
            (account.to_string(), SecretName::AuthToken),
            (key.to_string(), SecretName::ApiKeySecret),
            (account.to_string(), SecretName::TunnelToken),
        ]
    };
    let [a, b, c] = of_account(&used.account.sid, used.key.unwrap());
    let [d, e, f] = of_account(&entered.account, entered.api_key.unwrap());
    [a, b, c, d, e, f]
}

fn pending() -> Pending {
    Pending {
        account: AccountSid::from_bytes([4; 16]),
        api_key: Some(ApiKeySid::from_bytes([5; 16])),
        phone_number: None,
        twiml_app: None,
        backend_url: None,
    }
}

/// Keeps secrets of all owners, each with a text of its own.
fn store_all(vault: &ChosenVault) {
    for (owner, name) in all() {
        vault.store(&owner, name, &secret_of(&owner, name).into()).unwrap();
    }
}

fn assert_all(vault: &ChosenVault) {
    for (owner, name) in all() {
        let kept = vault.load(&owner, name).unwrap();
        let kept = kept.as_ref().map(SecretString::expose_secret);
        assert_eq!(kept, Some(secret_of(&owner, name).as_str()), "{owner} {name:?}");
    }
}

fn secret_of(owner: &str, name: SecretName) -> String {
    format!("{} of {owner}", name.as_str())
}

/// Settings with two accounts, in `home`, and the vault they name.
fn start(home: &Path) -> (Settings, ChosenVault) {
    let folders = Folders::at(home.join("data")).unwrap();
    let (settings, _) = Settings::open(&folders).unwrap();
    settings
        .change(|saved| {
            saved.record = Some(record());
            saved.pending = Some(pending());
        })
        .unwrap();
    let vault = ChosenVault::with(OsVault::with("Kennex Dialer under test", PATIENT), &folders, &settings);
    (settings, vault)
}

fn home() -> PathBuf {
    PathBuf::from(std::env::var_os("HOME").unwrap())
}

fn account() -> String {
    let Record { account, .. } = record();
    account.sid.to_string()
}

fn passphrase() -> SecretString {
    SecretString::from("correct horse battery")
}

fn read(vault: &ChosenVault, name: SecretName) -> Option<String> {
    vault.load(&account(), name).unwrap().map(|secret| secret.expose_secret().to_owned())
}

#[test]
fn memory_needs_no_choice() {
    let vault = ChosenVault::memory();
    assert_eq!((vault.kind(), vault.file_possible()), (VaultKind::Memory, false));
    assert_eq!((vault.state(), vault.probe(), vault.unlock(&passphrase())), (Ok(()), Ok(()), Ok(())));
    vault.store(&account(), SecretName::AuthToken, &"kept".into()).unwrap();
    assert_eq!(read(&vault, SecretName::AuthToken).as_deref(), Some("kept"));
    assert!(vault.use_file(&passphrase()).is_err() && vault.use_keychain().is_err());
    assert_eq!(vault.kind(), VaultKind::Memory);
    vault.delete(&account(), SecretName::AuthToken).unwrap();
    let lost = load_required(&vault, &account(), SecretName::AuthToken).unwrap_err();
    assert_eq!(lost, VaultError::Changed("auth-token"));
    assert!(user_error(&lost).message.contains("Enter the Auth Token again"));
}

#[test]
fn without_a_keychain_the_encrypted_file_takes_its_place() {
    without_a_bus("chosen::child_has_no_keychain", None);
}

#[test]
#[ignore = "part of the test above, without a bus"]
fn child_has_no_keychain() {
    let (settings, vault) = start(&home());
    assert_eq!(vault.kind(), VaultKind::Keychain);
    assert!(!vault.file_possible(), "the keychain was not asked yet");
    assert!(matches!(vault.probe(), Err(VaultError::Missing(_))));
    assert!(matches!(vault.state(), Err(VaultError::Missing(_))), "it remembers");
    assert!(vault.file_possible());

    let short = vault.use_file(&"short".into()).unwrap_err();
    assert_eq!(user_error(&short).code, ErrorCode::InvalidEntry);
    assert_eq!(vault.kind(), VaultKind::Keychain, "nothing has changed");
    vault.use_file(&passphrase()).unwrap();
    assert_eq!((vault.kind(), vault.state(), vault.file_possible()), (VaultKind::File, Ok(()), false));
    store_all(&vault);
    drop((settings, vault));

    // After a restart it is locked until the passphrase is given, and chooses no other place by itself.
    let (settings, vault) = start(&home());
    assert_eq!(vault.kind(), VaultKind::File);
    assert_eq!((vault.state(), vault.probe()), (Err(VaultError::FileLocked), Err(VaultError::FileLocked)));
    let locked = load_required(&vault, &account(), SecretName::AuthToken).map(drop);
    assert_eq!(locked, Err(VaultError::FileLocked));
    assert_eq!(vault.unlock(&"not the passphrase".into()), Err(VaultError::WrongPassphrase));
    vault.unlock(&passphrase()).unwrap();
    assert_all(&vault);
    assert!(matches!(vault.use_keychain(), Err(VaultError::Missing(_))), "there is none to move to");
    assert_eq!((vault.kind(), vault.state()), (VaultKind::File, Ok(())));
    drop((settings, vault));

    // Choosing the file again with the file in use is unlocking it.
    let (settings, vault) = start(&home());
    assert_eq!(vault.use_file(&"not the passphrase".into()), Err(VaultError::WrongPassphrase));
    vault.use_file(&passphrase()).unwrap();
    assert!(read(&vault, SecretName::AuthToken).is_some());

    // A file that is gone is told, and begun anew with the next passphrase.
    std::fs::remove_file(home().join("data/vault.bin")).unwrap();
    assert!(matches!(vault.probe(), Err(VaultError::FileMissing(_))));
    vault.unlock(&"another passphrase".into()).unwrap();
    let lost = load_required(&vault, &account(), SecretName::AuthToken).map(drop);
    assert_eq!(lost, Err(VaultError::Changed("auth-token")));

    // A file left from an earlier choice, with another passphrase, is kept and not used.
    settings.change(|saved| saved.vault = VaultKind::Keychain).unwrap();
    drop((settings, vault));
    let (_settings, vault) = start(&home());
    assert!(vault.probe().is_err());
    vault.use_file(&"yet another one".into()).unwrap();
    assert_eq!(vault.state(), Ok(()));
    let files: Vec<String> = std::fs::read_dir(home().join("data"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("vault."))
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
}

#[test]
fn a_file_whose_passphrase_is_lost_can_be_given_up() {
    without_a_bus("chosen::child_gives_up_the_file", None);
}

#[test]
#[ignore = "part of the test above, without a bus"]
fn child_gives_up_the_file() {
    let file = home().join("data/vault.bin");
    let choose_file = |vault: &ChosenVault| {
        assert!(vault.probe().is_err());
        vault.use_file(&passphrase()).unwrap();
        vault.store(&account(), SecretName::AuthToken, &"kept".into()).unwrap();
    };
    let (settings, vault) = start(&home());
    vault.give_up_file().unwrap();
    assert_eq!((vault.kind(), vault.state()), (VaultKind::Keychain, Ok(())), "there was none to give up");
    choose_file(&vault);
    drop((settings, vault));

    let (settings, vault) = start(&home());
    assert_eq!(vault.state(), Err(VaultError::FileLocked));
    let in_the_way = home().join("data/settings.json.new");
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(vault.give_up_file(), Err(VaultError::FileFailed(_))));
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!((vault.kind(), vault.state()), (VaultKind::File, Err(VaultError::FileLocked)));
    vault.unlock(&passphrase()).unwrap();
    assert_eq!(read(&vault, SecretName::AuthToken).as_deref(), Some("kept"), "nothing has changed");

    vault.give_up_file().unwrap();
    assert_eq!((vault.kind(), settings.get().vault), (VaultKind::Keychain, VaultKind::Keychain));
    assert!(!file.exists());
    assert!(matches!(vault.probe(), Err(VaultError::Missing(_))), "the keychain is asked again");

    // What cannot be deleted is left: it is given up all the same.
    choose_file(&vault);
    assert_eq!(read(&vault, SecretName::AuthToken).as_deref(), Some("kept"));
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    vault.give_up_file().unwrap();
    assert_eq!((vault.kind(), settings.get().vault), (VaultKind::Keychain, VaultKind::Keychain));
    assert!(file.is_dir());
}

#[test]
fn secrets_move_to_the_file_and_back() {
    on_a_bus("chosen::child_moves_secrets", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_moves_secrets() {
    let keyring = Keyring::unlocked();
    let (settings, vault) = start(&home());
    vault.probe().unwrap();
    store_all(&vault);
    let keychain = OsVault::with("Kennex Dialer under test", PATIENT);
    // While the keychain answers, the file is not to be had.
    assert_eq!(vault.use_file(&passphrase()), Err(VaultError::FileNotOffered));
    assert_eq!((vault.kind(), home().join("data/vault.bin").exists()), (VaultKind::Keychain, false));
    drop(keyring);
    let keyring = Keyring::locked();
    assert!(matches!(vault.probe(), Err(VaultError::Locked(_))));
    drop(keyring);
    let keyring = Keyring::unlocked();
    vault.use_file(&passphrase()).unwrap();
    assert_eq!(settings.get().vault, VaultKind::File);
    assert_all(&vault);
    for (owner, name) in all() {
        assert!(keychain.load(&owner, name).unwrap().is_none(), "nothing stays in two places");
    }

    // A choice that cannot be saved is none: the keychain has again what it had.
    let (old_owner, old_name) = &all()[0];
    keychain.store(old_owner, *old_name, &"an old one".into()).unwrap();
    let in_the_way = home().join("data/settings.json.new");
    std::fs::create_dir(&in_the_way).unwrap();
    assert!(matches!(vault.use_keychain(), Err(VaultError::FileFailed(_))));
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(
        (vault.kind(), vault.state(), settings.get().vault),
        (VaultKind::File, Ok(()), VaultKind::File)
    );
    assert_all(&vault);
    for (owner, name) in all() {
        let kept = keychain.load(&owner, name).unwrap();
        let expected = (owner == *old_owner && name == *old_name).then_some("an old one");
        assert_eq!(kept.as_ref().map(SecretString::expose_secret), expected, "{owner} {name:?}");
    }

    vault.use_keychain().unwrap();
    assert_eq!((vault.kind(), settings.get().vault), (VaultKind::Keychain, VaultKind::Keychain));
    assert!(!home().join("data/vault.bin").exists());
    assert_all(&vault);

    // A keychain that fails gives nothing out: the file begins empty, and what is in the keychain stays.
    drop(keyring);
    assert!(matches!(vault.probe(), Err(VaultError::Missing(_))));
    vault.use_file(&passphrase()).unwrap();
    let lost = load_required(&vault, &account(), SecretName::AuthToken).map(drop);
    assert_eq!(lost, Err(VaultError::Changed("auth-token")));
    let _keyring = Keyring::unlocked();
    assert!(keychain.load(&account(), SecretName::AuthToken).unwrap().is_some());
}

#[test]
fn a_locked_keychain_is_found_again_once_it_is_unlocked() {
    on_a_bus("chosen::child_waits_for_the_keychain", Policy::Everything);
}

#[test]
#[ignore = "part of the test above, on a bus of its own"]
fn child_waits_for_the_keychain() {
    let keyring = Keyring::unlocked();
    let (_settings, vault) = start(&home());
    vault.store(&account(), SecretName::AuthToken, &"kept".into()).unwrap();
    drop(keyring);
    let keyring = Keyring::locked();
    assert!(matches!(vault.probe(), Err(VaultError::Locked(_))));
    assert!(vault.file_possible());
    drop(keyring);
    let _keyring = Keyring::unlocked();
    assert!(vault.state().is_err(), "nobody has asked again");
    vault.probe().unwrap();
    assert_eq!((vault.state(), vault.file_possible()), (Ok(()), false));
    assert_eq!(read(&vault, SecretName::AuthToken).as_deref(), Some("kept"));
}

#[test]
fn a_crash_shows_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let output = crate::child::command("chosen::child_panics_with_secrets")
        .env("HOME", home.path())
        .env("RUST_BACKTRACE", "full")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("XDG_RUNTIME_DIR", home.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("ended on purpose: ChosenVault"), "{told}");
    for secret in ["hidden-token", "correct horse"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
#[ignore = "the process of the test above"]
fn child_panics_with_secrets() {
    let (settings, vault) = start(&home());
    let memory = ChosenVault::memory();
    assert!(vault.probe().is_err());
    vault.use_file(&passphrase()).unwrap();
    for vault in [&vault, &memory] {
        vault.store(&account(), SecretName::AuthToken, &"hidden-token".into()).unwrap();
    }
    let loaded = vault.load(&account(), SecretName::AuthToken);
    let wrong = vault.unlock(&"correct horse but wrong".into());
    panic!("ended on purpose: {vault:?} {memory:?} {settings:?} {loaded:?} {wrong:?} {:?}", passphrase());
}
