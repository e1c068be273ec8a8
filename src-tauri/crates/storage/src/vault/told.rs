//! What the agent is told when a secret cannot be had or kept.

use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::ports::VaultError;

use super::keychain;

/// What happened and what to do, for this system; the technical text is the detail.
pub fn user_error(error: &VaultError) -> UserError {
    let words = &keychain::WORDS;
    let message = match error {
        VaultError::Missing(_) => words.missing,
        VaultError::Locked(_) => words.locked,
        VaultError::Denied(_) => words.denied,
        VaultError::TimedOut(_) => words.timed_out,
        VaultError::Failed(_) => words.failed,
        VaultError::Changed(_) => {
            "A saved secret is no longer there: it was deleted, or the keychain is another one than before. Enter the \
             Auth Token again; the program makes itself a new key."
        }
        VaultError::FileNotOffered => {
            "The encrypted file is only for a Linux computer whose keychain does not answer. Keep the sign-in in the \
             keychain."
        }
        VaultError::FileLocked => {
            "The encrypted file with the sign-in is locked. Enter its passphrase to go on."
        }
        VaultError::FileMissing(_) => {
            "The encrypted file with the sign-in is gone. Put it back, or choose a passphrase for a new one and enter the \
             Auth Token again."
        }
        VaultError::FileFailed(_) => {
            "The encrypted file with the sign-in cannot be read or written. Check that you own the file and its folder \
             and that the disk is not full, then try again."
        }
        VaultError::WrongPassphrase => {
            "This passphrase does not open the encrypted file. Try again. Nobody can recover a forgotten one: then move \
             the file away, choose a new passphrase and enter the Auth Token again."
        }
        VaultError::ShortPassphrase(_) => {
            "The passphrase is too short. Choose one of at least 8 characters, better several words."
        }
        VaultError::Damaged(_) => {
            "The encrypted file with the sign-in is damaged. Put back a copy of it, or move it away, choose a passphrase \
             for a new one and enter the Auth Token again."
        }
    };
    let code = match error {
        VaultError::ShortPassphrase(_) | VaultError::FileNotOffered => ErrorCode::InvalidEntry,
        VaultError::Missing(_)
        | VaultError::Locked(_)
        | VaultError::Denied(_)
        | VaultError::TimedOut(_)
        | VaultError::Failed(_)
        | VaultError::Changed(_)
        | VaultError::FileLocked
        | VaultError::FileMissing(_)
        | VaultError::FileFailed(_)
        | VaultError::WrongPassphrase
        | VaultError::Damaged(_) => ErrorCode::KeychainUnavailable,
    };
    UserError::new(code, message).with_detail(error.to_string())
}

/// The words of one system's keychain.
pub(super) struct Words {
    pub(super) missing: &'static str,
    pub(super) locked: &'static str,
    pub(super) denied: &'static str,
    pub(super) timed_out: &'static str,
    pub(super) failed: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_has_its_own_sentence_and_cure() {
        let errors = [
            VaultError::Missing("m".into()),
            VaultError::Locked("l".into()),
            VaultError::Denied("d".into()),
            VaultError::TimedOut(60),
            VaultError::Failed("f".into()),
            VaultError::Changed("auth-token"),
            VaultError::FileNotOffered,
            VaultError::FileLocked,
            VaultError::FileMissing("vault.bin".into()),
            VaultError::FileFailed("f".into()),
            VaultError::WrongPassphrase,
            VaultError::ShortPassphrase(8),
            VaultError::Damaged("d".into()),
        ];
        let told: Vec<UserError> = errors.iter().map(user_error).collect();
        for (error, told) in errors.iter().zip(&told) {
            assert_eq!(told.detail, Some(error.to_string()));
            assert!(
                told.message.matches(". ").count() >= 1 && told.message.ends_with('.'),
                "{}",
                told.message
            );
        }
        for (n, one) in told.iter().enumerate() {
            assert!(told[n + 1..].iter().all(|other| other.message != one.message));
        }
        let minimum = super::super::file::PASSPHRASE_MIN.to_string();
        assert!(user_error(&VaultError::ShortPassphrase(8)).message.contains(&minimum));
    }
}
