//! Whether Twilio signs its requests to this computer with a key of this computer's own.

use serde::{Deserialize, Serialize};

/// What is wanted of a shared key, and how far it was brought. It names keys; what they sign with is in the
/// vault. Absent from the record where the Auth Token signs and nothing is left to undo.
///
/// Every step that changes what Twilio signs with stands here before it is begun, so that a program that was
/// killed anywhere goes on, or goes back, and never believes less than Twilio signs with or more than it must.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signing {
    /// Whether a shared key is to sign; `false` while that is being undone.
    pub wanted: bool,
    /// Whether a request is believed only if a shared key signed it. From here on the Auth Token signs nothing.
    pub demanded: bool,
    /// Twilio's id of the key that signs, or is to. Recorded once what it signs with is in the vault under it.
    pub key: Option<String>,
    /// The key it takes the place of, good until no request is signed with it any more.
    pub replaced: Option<String>,
    /// The public address whose requests it signs.
    pub address: Option<String>,
    /// A change of rules that Twilio is still spreading, by the id of its operation.
    pub spreading: Option<String>,
}

impl Signing {
    /// Wanted, and nothing done for it.
    pub fn begin() -> Self {
        Self { wanted: true, ..Self::default() }
    }

    /// Another key is to take the place of the one there is.
    pub fn replace(&mut self) {
        // A key that was to be replaced already stays the one; whatever came after it never signed.
        if self.replaced.is_none() {
            self.replaced = self.key.take();
        }
        self.key = None;
    }

    /// It signs, alone, and nothing is left to do.
    pub fn is_settled(&self) -> bool {
        self.wanted
            && self.demanded
            && self.key.is_some()
            && self.replaced.is_none()
            && self.spreading.is_none()
    }

    /// The keys whose signatures are believed, the one that signs first.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.key.iter().chain(&self.replaced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_replaced_by_one_that_is_not_made_yet() {
        let mut signing = Signing { key: Some("first".into()), demanded: true, ..Signing::begin() };
        assert!(signing.is_settled());
        signing.replace();
        assert_eq!(signing.keys().collect::<Vec<_>>(), ["first"]);
        signing.key = Some("second".into());
        assert_eq!(signing.keys().collect::<Vec<_>>(), ["second", "first"]);
        assert!(!signing.is_settled());
    }

    #[test]
    fn replacing_twice_keeps_the_key_that_signs() {
        let mut signing = Signing { key: Some("first".into()), demanded: true, ..Signing::begin() };
        signing.replace();
        signing.key = Some("never signed".into());
        signing.replace();
        assert_eq!(signing.keys().collect::<Vec<_>>(), ["first"]);
    }
}
