//! Amounts of money as Twilio bills them.

use serde::{Deserialize, Serialize};

/// An amount in one currency. Twilio's prices have four to five decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Money {
    /// Millionths of the unit.
    #[ts(type = "number")]
    pub micros: u64,
    /// ISO 4217 code such as `USD`.
    pub currency: String,
}
