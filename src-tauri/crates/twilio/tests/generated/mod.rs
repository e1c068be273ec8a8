//! Inputs made up by a generator that can be told to make the same ones again.

pub(crate) mod document;
pub(crate) mod signed_request;
pub(crate) mod tampering;
pub(crate) mod text;

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// The randomness of case `index`. `GENERATED_SEED` makes other cases than the usual ones.
pub(crate) fn random(index: u64) -> StdRng {
    StdRng::seed_from_u64(seed() ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// How many cases to make: `GENERATED_CASES`, or so many.
pub(crate) fn cases(usually: u64) -> u64 {
    number("GENERATED_CASES").unwrap_or(usually)
}

fn seed() -> u64 {
    number("GENERATED_SEED").unwrap_or(0)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}
