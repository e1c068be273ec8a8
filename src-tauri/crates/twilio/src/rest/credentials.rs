//! Who asks: the account itself, or one of its keys.

use dialer_domain::sid::{AccountSid, ApiKeySid};
use secrecy::SecretString;

/// What a request is signed in with, by HTTP Basic.
#[derive(Clone)]
pub enum Credentials {
    /// The account's Auth Token, which may ask for everything.
    AuthToken {
        /// The account.
        account: AccountSid,
        /// Its primary or secondary Auth Token.
        token: SecretString,
    },
    /// A Standard API key, which may ask for everything but the account itself and its keys.
    ApiKey {
        /// The account.
        account: AccountSid,
        /// The key.
        key: ApiKeySid,
        /// Its secret.
        secret: SecretString,
    },
}

/// Which of the two, for an error that means different things for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// [`Credentials::AuthToken`].
    AuthToken,
    /// [`Credentials::ApiKey`].
    ApiKey,
}

impl Credentials {
    /// The account whose resources are asked for.
    pub fn account(&self) -> &AccountSid {
        match self {
            Self::AuthToken { account, .. } | Self::ApiKey { account, .. } => account,
        }
    }

    /// Which of the two.
    pub fn kind(&self) -> CredentialKind {
        match self {
            Self::AuthToken { .. } => CredentialKind::AuthToken,
            Self::ApiKey { .. } => CredentialKind::ApiKey,
        }
    }

    /// User name and password of HTTP Basic.
    pub(crate) fn basic(&self) -> (&str, &SecretString) {
        match self {
            Self::AuthToken { account, token } => (account.as_str(), token),
            Self::ApiKey { key, secret, .. } => (key.as_str(), secret),
        }
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials({:?} of {})", self.kind(), self.account())
    }
}
