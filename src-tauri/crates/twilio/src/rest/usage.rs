//! What was used and what it cost.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::client::Client;
use super::error::RestError;
use super::request::Request;

/// A stretch of time Twilio adds up by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsagePeriod {
    /// Since midnight, UTC.
    Today,
    /// The day before.
    Yesterday,
    /// Since the first of the month.
    ThisMonth,
    /// The month before.
    LastMonth,
    /// Since the account was opened.
    AllTime,
}

/// What one category came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UsageRecord {
    /// Such as `totalprice` or `calls-outbound`.
    pub category: Option<String>,
    /// In English.
    pub description: Option<String>,
    /// Such as the number of calls.
    pub count: Option<String>,
    /// Such as `calls`.
    pub count_unit: Option<String>,
    /// Such as the number of minutes.
    pub usage: Option<String>,
    /// Such as `minutes`.
    pub usage_unit: Option<String>,
    /// A decimal number.
    #[serde(deserialize_with = "decimal")]
    pub price: Option<String>,
    /// ISO 4217, in small letters.
    pub price_unit: Option<String>,
    /// First day, `YYYY-MM-DD`.
    pub start_date: Option<String>,
    /// Last day.
    pub end_date: Option<String>,
}

/// Twilio's specification says number, its example is a text.
fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

impl Client {
    /// What was used in `period`, in one category or in each.
    pub async fn usage_records(
        &self,
        category: Option<&str>,
        period: UsagePeriod,
    ) -> Result<Vec<UsageRecord>, RestError> {
        let period = match period {
            UsagePeriod::Today => "Today",
            UsagePeriod::Yesterday => "Yesterday",
            UsagePeriod::ThisMonth => "ThisMonth",
            UsagePeriod::LastMonth => "LastMonth",
            UsagePeriod::AllTime => "AllTime",
        };
        let request = Request::get(self.path(&["Usage", "Records", period])).query("Category", category);
        self.list(request, "usage_records", None).await
    }
}
