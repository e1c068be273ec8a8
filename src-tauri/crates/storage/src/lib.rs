//! Call log in SQLite and secrets in the keychain
