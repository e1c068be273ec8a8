//! Brings a log's schema up to this version's.

use rusqlite::{Connection, TransactionBehavior};

/// Each step once, in order. A step that has been released is never edited: add the next one.
const MIGRATIONS: &[&str] =
    &[include_str!("../../migrations/0001_calls.sql"), include_str!("../../migrations/0002_flows.sql")];

/// The schema version of this program, kept in SQLite's `user_version`.
pub(super) fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// Takes the steps that are missing after version `from`, each wholly or not at all.
pub(super) fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(from).unwrap_or(0);
    for (step, sql) in (1_i64..).zip(MIGRATIONS).skip(done) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", super::open::APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::MIGRATIONS;

    /// SHA-256 of each released step.
    const RELEASED: &[&str] = &[
        "5dca359b2091b2cf22a99d6124c020787c29ccd10e64acc4f494d45a8e532ba4",
        "e2be462cd645c8e3105a2068f3cbefdfc1b05860e446d559808a84cc95cca034",
    ];

    #[test]
    fn a_released_step_is_never_edited() {
        let hashes: Vec<String> = MIGRATIONS
            .iter()
            .map(|sql| {
                Sha256::digest(sql.replace("\r\n", "\n")).iter().map(|byte| format!("{byte:02x}")).collect()
            })
            .collect();
        assert_eq!(hashes, RELEASED, "logs in the field have run these: add a step instead of changing one");
    }
}
