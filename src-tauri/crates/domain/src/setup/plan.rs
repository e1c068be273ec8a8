//! The comparison itself.

use super::{Found, Record, Step, Undo, Wanted};

/// What to do so that `found` becomes `wanted`. `key_secret_kept` tells whether the vault has the secret
/// of the record's key. Nothing to do gives no steps.
pub fn plan(wanted: &Wanted, found: &Found, record: &Record, key_secret_kept: bool) -> Vec<Step> {
    let _ = (wanted, found, record, key_secret_kept);
    Vec::new()
}

/// What to do so that everything is as it was before.
pub fn undo(found: &Found, record: &Record, undo: Undo) -> Vec<Step> {
    let _ = (found, record, undo);
    Vec::new()
}
