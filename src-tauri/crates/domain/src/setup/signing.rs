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
    /// Whether Twilio was, or was about to be, asked for a change of rules, which spreads for a while. Recorded
    /// before it is asked: the answer can be lost.
    #[serde(default)]
    pub changing: bool,
    /// That change, by the id of its operation, once Twilio has answered.
    pub spreading: Option<String>,
}

impl Signing {
    /// Wanted, and nothing done for it.
    pub fn begin() -> Self {
        Self { wanted: true, ..Self::default() }
    }

    /// Another key is to take the place of the one there is. Where one is being replaced already that goes on: the
    /// one that follows it may sign by now, and must be believed.
    pub fn replace(&mut self) {
        if self.replaced.is_none() {
            self.replaced = self.key.take();
        }
    }

    /// A change of rules may still be spreading.
    pub fn is_changing(&self) -> bool {
        self.changing || self.spreading.is_some()
    }

    /// It signs, alone, and nothing is left to do.
    pub fn is_settled(&self) -> bool {
        self.wanted && self.demanded && self.key.is_some() && self.replaced.is_none() && !self.is_changing()
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
    fn replacing_twice_keeps_both_keys_of_which_one_signs() {
        let mut signing = Signing { key: Some("first".into()), demanded: true, ..Signing::begin() };
        signing.replace();
        signing.key = Some("may sign by now".into());
        signing.replace();
        assert_eq!(signing.keys().collect::<Vec<_>>(), ["may sign by now", "first"]);
    }

    #[test]
    fn a_change_is_not_over_before_twilio_has_answered() {
        let settled = Signing { key: Some("first".into()), demanded: true, ..Signing::begin() };
        assert!(!Signing { changing: true, ..settled.clone() }.is_settled());
        assert!(!Signing { spreading: Some("operation".into()), ..settled }.is_settled());
    }
}
