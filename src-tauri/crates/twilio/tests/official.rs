//! Signatures and TwiML against Twilio's own packages for Python and Node, over made-up inputs.
//!
//! Ignored in an ordinary run, because it needs those packages: `./dev cross-check` installs them, says by
//! `TWILIO_PYTHON` which Python has them, and runs these tests.

mod documents;
mod package;
mod signatures;
