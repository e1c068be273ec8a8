//! What must hold for every sequence of bytes, as functions that panic where it does not.
//!
//! The targets beside this crate call them with what libFuzzer makes up. The tests of `dialer-twilio` include
//! this file by its path and call them with what is kept in `seeds/`, so that what was found once stays found.

pub mod form;
pub mod link;
pub mod phone_number;
pub mod signature;
pub mod twiml;

/// The pieces of an input that is a text, between NUL characters.
fn pieces<const N: usize>(bytes: &[u8]) -> [&str; N] {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let mut pieces = text.splitn(N, '\0');
    [(); N].map(|()| pieces.next().unwrap_or_default())
}
