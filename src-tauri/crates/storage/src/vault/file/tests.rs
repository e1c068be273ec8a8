#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed expectation in a test should panic")]

use chacha20poly1305::XNonce;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::format::{BLOCK, Cost};
use super::*;

const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// The cheapest there may be.
const CHEAP: Cost = Cost { memory_kib: 19 * 1_024, passes: 2, lanes: 1 };

fn passphrase(text: &str) -> SecretString {
    SecretString::from(text)
}

fn secrets(pairs: &[(&str, &str)]) -> Secrets {
    pairs.iter().map(|(name, secret)| ((*name).to_owned(), SecretString::from(*secret))).collect()
}

fn shown(secrets: &Secrets) -> Vec<(&str, &str)> {
    secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose_secret())).collect()
}

fn cheap_key() -> Key {
    Key::derive(CHEAP, std::array::from_fn(|n| u8::try_from(n).unwrap()), &passphrase("correct horse, Zoë"))
        .unwrap()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file with its checksum made to fit.
fn with_checksum(mut file: Vec<u8>) -> Vec<u8> {
    let end = file.len() - 32;
    let checksum = Sha256::digest(&file[..end]);
    file[end..].copy_from_slice(&checksum);
    file
}

/// The bytes were made with argon2-cffi 25.1 and PyNaCl 1.6 (libsodium) from the description in
/// `format.rs`.
#[test]
fn the_file_is_what_other_implementations_make_of_its_description() {
    let kept = secrets(&[("AC0/auth-token", "first"), ("AC0/tunnel-token", "second")]);
    let nonce = XNonce::from(std::array::from_fn::<u8, 24, _>(|n| u8::try_from(100 + n).unwrap()));
    let file = format::seal_with(&cheap_key(), &nonce, &kept).unwrap();
    assert_eq!(file.len(), 4_204);
    assert_eq!(
        hexadecimal(&file[..60]),
        "4b445641554c5401004c00000200000001000000000102030405060708090a0b0c0d0e0f\
         6465666768696a6b6c6d6e6f707172737475767778797a7b"
    );
    assert_eq!(hexadecimal(&file[60..76]), "2bbbe540efe6d614d95a775b705ed26b");
    assert_eq!(hexadecimal(&file[4_156..4_172]), "d8396ba58b93244d9914d31085fe44e0", "the tag");
    assert_eq!(
        hexadecimal(&Sha256::digest(&file)),
        "8c587846644724fcb29c61813b9fe78ba13cc1b9e17f4523849d9507d6624eac"
    );
    let read = format::open(&cheap_key(), &file).unwrap().unwrap();
    assert_eq!(shown(&read), [("AC0/auth-token", "first"), ("AC0/tunnel-token", "second")]);
}

#[test]
fn a_change_of_any_bit_is_noticed() {
    let key = cheap_key();
    let file = format::seal(&key, &secrets(&[("a", "secret")])).unwrap();
    for at in (0..80).chain(4_100..file.len()) {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            let damaged = format::open(&key, &changed);
            assert!(
                matches!(damaged, Err(VaultError::Damaged(_) | VaultError::FileFailed(_))),
                "byte {at}, bit {bit}: {:?}",
                damaged.map(|_| "opened")
            );
            if at < file.len() - 32 {
                let forged = format::open(&key, &with_checksum(changed));
                assert!(!matches!(forged, Ok(Some(_))), "byte {at}, bit {bit} with a fitting checksum");
            }
        }
    }
    for length in (0..file.len()).step_by(37).chain([59, 60, 61, file.len() - 1]) {
        assert!(matches!(format::open(&key, &file[..length]), Err(VaultError::Damaged(_))), "{length} bytes");
    }
    let longer = [&file[..], &[0; 48]].concat();
    assert!(matches!(format::open(&key, &longer), Err(VaultError::Damaged(_))));
    assert!(!matches!(format::open(&key, &with_checksum(longer)), Ok(Some(_))));
}

#[test]
fn a_cost_out_of_bounds_is_refused_before_anything_is_computed() {
    let file = format::seal(&cheap_key(), &Secrets::new()).unwrap();
    for (at, number) in [(8, 8_u32), (8, u32::MAX), (12, 1), (12, u32::MAX), (16, 0), (16, u32::MAX)] {
        let mut changed = file.clone();
        changed[at..at + 4].copy_from_slice(&number.to_le_bytes());
        let refused = Key::of_file(&with_checksum(changed), &passphrase("whatever"));
        assert!(matches!(refused, Err(VaultError::Damaged(_))), "{number} at {at}");
    }
    let mut newer = file;
    newer[7] = 2;
    let refused = Key::of_file(&newer, &passphrase("whatever")).map(drop);
    assert!(
        matches!(&refused, Err(VaultError::FileFailed(why)) if why.contains("newer version")),
        "{refused:?}"
    );
}

#[test]
fn the_usual_cost_is_above_what_is_recommended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.bin");
    FileVault::create(&path, &passphrase("a passphrase")).unwrap();
    let file = fs::read(&path).unwrap();
    let number = |at: usize| u32::from_le_bytes(std::array::from_fn(|n| file[at + n]));
    assert!(number(8) > CHEAP.memory_kib && number(12) > CHEAP.passes && number(16) >= CHEAP.lanes);
}

#[test]
fn it_is_locked_until_the_passphrase_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.bin");
    let short = FileVault::create(&path, &passphrase("seven77")).map(drop);
    assert_eq!(short, Err(VaultError::ShortPassphrase(PASSPHRASE_MIN)));
    assert!(!path.exists());
    let vault = FileVault::create(&path, &passphrase("eight888")).unwrap();
    vault.store(ACCOUNT, SecretName::AuthToken, &"first".into()).unwrap();
    vault.store(ACCOUNT, SecretName::AuthToken, &"newer".into()).unwrap();
    vault.store(ACCOUNT, SecretName::TunnelToken, &"other".into()).unwrap();
    let again = FileVault::create(&path, &passphrase("eight888")).map(drop);
    assert!(matches!(again, Err(VaultError::FileFailed(_))), "one that exists is never overwritten");

    let vault = FileVault::at(&path);
    assert_eq!(vault.state(), Err(VaultError::FileLocked));
    for refused in [
        vault.load(ACCOUNT, SecretName::AuthToken).map(drop),
        vault.store(ACCOUNT, SecretName::AuthToken, &"thief's".into()),
        vault.delete(ACCOUNT, SecretName::AuthToken),
    ] {
        assert_eq!(refused, Err(VaultError::FileLocked));
    }
    assert_eq!(vault.unlock(&passphrase("eight889")), Err(VaultError::WrongPassphrase));
    assert_eq!(vault.state(), Err(VaultError::FileLocked));
    vault.unlock(&passphrase("eight888")).unwrap();
    let read = |name| vault.load(ACCOUNT, name).unwrap().map(|secret| secret.expose_secret().to_owned());
    assert_eq!(read(SecretName::AuthToken).as_deref(), Some("newer"));
    assert_eq!(read(SecretName::ApiKeySecret), None);
    vault.delete(ACCOUNT, SecretName::AuthToken).unwrap();
    vault.delete(ACCOUNT, SecretName::AuthToken).unwrap();
    assert_eq!(read(SecretName::AuthToken), None);
    assert_eq!(read(SecretName::TunnelToken).as_deref(), Some("other"));
    vault.lock();
    assert_eq!(vault.state(), Err(VaultError::FileLocked));
}

#[test]
fn another_passphrase_takes_the_place_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.bin");
    let vault = FileVault::create(&path, &passphrase("the first one")).unwrap();
    vault.store(ACCOUNT, SecretName::AuthToken, &"kept".into()).unwrap();
    let other = FileVault::at(&path);
    other.unlock(&passphrase("the first one")).unwrap();

    let wrong = vault.change_passphrase(&passphrase("not the first"), &passphrase("the second one"));
    assert_eq!(wrong, Err(VaultError::WrongPassphrase));
    let short = vault.change_passphrase(&passphrase("the first one"), &passphrase("2nd"));
    assert_eq!(short, Err(VaultError::ShortPassphrase(PASSPHRASE_MIN)));
    vault.change_passphrase(&passphrase("the first one"), &passphrase("the second one")).unwrap();
    assert!(vault.load(ACCOUNT, SecretName::AuthToken).unwrap().is_some(), "it stays unlocked");

    assert_eq!(
        other.state(),
        Err(VaultError::FileLocked),
        "whoever had the old key needs the new passphrase"
    );
    assert_eq!(other.unlock(&passphrase("the first one")), Err(VaultError::WrongPassphrase));
    other.unlock(&passphrase("the second one")).unwrap();
    assert!(other.load(ACCOUNT, SecretName::AuthToken).unwrap().is_some());
}

#[test]
fn a_missing_or_damaged_file_is_told_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.bin");
    let vault = FileVault::create(&path, &passphrase("a passphrase")).unwrap();
    vault.store(ACCOUNT, SecretName::AuthToken, &"kept".into()).unwrap();
    let sound = fs::read(&path).unwrap();

    fs::remove_file(&path).unwrap();
    assert!(matches!(vault.state(), Err(VaultError::FileMissing(_))));
    assert!(matches!(vault.unlock(&passphrase("a passphrase")), Err(VaultError::FileMissing(_))));

    let mut damaged = sound.clone();
    damaged[2_000] ^= 1;
    for content in [&damaged[..], &sound[..100], b"", b"KDVAULT", b"something else"] {
        fs::write(&path, content).unwrap();
        for answer in [
            vault.unlock(&passphrase("a passphrase")),
            vault.store(ACCOUNT, SecretName::AuthToken, &"new".into()),
            vault.change_passphrase(&passphrase("a passphrase"), &passphrase("another one")),
        ] {
            assert!(matches!(answer, Err(VaultError::Damaged(_))), "{answer:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    fs::write(&path, &sound).unwrap();
    vault.unlock(&passphrase("a passphrase")).unwrap();
    assert!(vault.load(ACCOUNT, SecretName::AuthToken).unwrap().is_some());

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(vault.state(), Err(VaultError::FileFailed(_))));
}

#[test]
fn the_file_shows_nothing_of_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.bin");
    let vault = FileVault::create(&path, &passphrase("a passphrase")).unwrap();
    let empty = fs::metadata(&path).unwrap().len();
    let mut last = fs::read(&path).unwrap();
    for secret in ["s", "a-secret-that-would-be-seen", &"long".repeat(200)] {
        vault.store(ACCOUNT, SecretName::AuthToken, &secret.into()).unwrap();
        let file = fs::read(&path).unwrap();
        assert_eq!(u64::try_from(file.len()).unwrap(), empty, "its length does not tell");
        for text in ["would-be-seen", "longlong", ACCOUNT, "auth-token", "a passphrase"] {
            assert!(!file.windows(text.len()).any(|part| part == text.as_bytes()), "{text}");
        }
        assert_ne!(file[36..60], last[36..60], "no nonce is used twice");
        last = file;
    }
    let huge = "x".repeat(BLOCK);
    vault.store(ACCOUNT, SecretName::AuthToken, &huge.as_str().into()).unwrap();
    let grown = fs::metadata(&path).unwrap().len();
    assert_eq!(grown - empty, u64::try_from(BLOCK).unwrap());
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(left, ["vault.bin"], "nothing else is left");
    assert_private(&path);
}

#[cfg(unix)]
fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(not(unix))]
fn assert_private(path: &Path) {
    assert!(path.is_file());
}

#[test]
fn printing_it_shows_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let vault = FileVault::create(folder.path().join("vault.bin"), &passphrase("a passphrase")).unwrap();
    vault.store(ACCOUNT, SecretName::AuthToken, &"hidden-token".into()).unwrap();
    let key = vault.key();
    let bytes = key.as_ref().map(Key::bytes_for_test).unwrap();
    drop(key);
    let told = format!("{vault:?} {:?}", vault.load(ACCOUNT, SecretName::AuthToken));
    for secret in ["hidden-token", "a passphrase", &hexadecimal(&bytes), &format!("{bytes:?}")] {
        assert!(!told.contains(secret), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_kept_comes_back(pairs in proptest::collection::btree_map(".{0,40}", ".{0,300}", 0..12)) {
        let key = cheap_key_once();
        let kept: Secrets =
            pairs.iter().map(|(name, secret)| (name.clone(), SecretString::from(secret.as_str()))).collect();
        let file = format::seal(key, &kept).unwrap();
        prop_assert_eq!((file.len() - 60 - 16 - 32) % BLOCK, 0);
        let read = format::open(key, &file).unwrap().unwrap();
        prop_assert_eq!(shown(&read), shown(&kept));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        header in any::<bool>(),
    ) {
        let bytes = if header { [b"KDVAULT\x01".as_slice(), &bytes].concat() } else { bytes };
        let bytes = if bytes.len() > 40 { with_checksum(bytes) } else { bytes };
        prop_assert!(!matches!(format::open(cheap_key_once(), &bytes), Ok(Some(_))));
    }
}

fn cheap_key_once() -> &'static Key {
    static KEY: std::sync::OnceLock<Key> = std::sync::OnceLock::new();
    KEY.get_or_init(cheap_key)
}
