//! Proof that a public URL leads to this very process, and not to an error page of the tunnel, an
//! interstitial, or another computer that holds the name.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Where the proof is asked for; the nonce follows.
pub const PROOF_PATH: &str = "/.well-known/kennex-dialer/";

/// Nonces that are answered, in characters.
const NONCE_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// Answers and checks nonces with a key that this process made for itself and tells nobody.
#[derive(Clone)]
pub struct Proof {
    mac: Hmac<Sha256>,
}

impl Proof {
    pub(crate) fn new() -> Self {
        let key: [u8; 64] = rand::random();
        Self { mac: Hmac::<Sha256>::new(&key.into()) }
    }

    /// A fresh nonce: 128 random bits in 22 characters.
    pub fn nonce(&self) -> String {
        URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
    }

    /// Whether `answer`, fetched from [`PROOF_PATH`] and `nonce`, was given by this process. Space
    /// around the answer is forgiven.
    pub fn matches(&self, nonce: &str, answer: &str) -> bool {
        let Ok(answer) = URL_SAFE_NO_PAD.decode(answer.trim()) else {
            return false;
        };
        is_nonce(nonce) && self.mac.clone().chain_update(nonce).verify_slice(&answer).is_ok()
    }

    /// The answer to `nonce`, which must [be one](is_nonce).
    pub(crate) fn answer(&self, nonce: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.mac.clone().chain_update(nonce).finalize().into_bytes())
    }
}

impl std::fmt::Debug for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proof(<key>)")
    }
}

/// Whether `text` has the form of a nonce; nothing else is answered or recognised.
pub(crate) fn is_nonce(text: &str) -> bool {
    NONCE_LENGTH.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_process_that_answered_recognises_the_answer() {
        let (ours, theirs) = (Proof::new(), Proof::new());
        let nonce = ours.nonce();
        let answer = ours.answer(&nonce);
        assert!(ours.matches(&nonce, &format!("{answer}\n")));
        assert!(!theirs.matches(&nonce, &answer));
        assert!(!ours.matches(&ours.nonce(), &answer));
        assert!(!ours.matches(&nonce, ""));
        assert!(!ours.matches(&nonce, "<html>"));
    }

    #[test]
    fn nonces_differ_and_odd_ones_are_none() {
        let proof = Proof::new();
        assert_ne!(proof.nonce(), proof.nonce());
        let long = "a".repeat(65);
        for odd in ["", "short", "sixteen chars ok", "äaaaaaaaaaaaaaaaaa", long.as_str()] {
            assert!(!is_nonce(odd) && !proof.matches(odd, &proof.answer(odd)), "{odd}");
        }
    }
}
