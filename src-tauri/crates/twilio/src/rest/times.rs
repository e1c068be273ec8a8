//! Times as the two kinds of API write them.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Reads RFC 2822 (the API of 2010, and HTTP's `Date`) or ISO 8601 (the products'), as Unix
/// milliseconds.
pub(crate) fn unix_ms(text: &str) -> Option<i64> {
    let time =
        OffsetDateTime::parse(text, &Rfc2822).or_else(|_| OffsetDateTime::parse(text, &Rfc3339)).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Writes ISO 8601 in UTC, whole seconds, as filters take it; `None` outside the years of four digits.
pub(crate) fn iso(unix_ms: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(unix_ms.div_euclid(1000)).ok()?.format(&Rfc3339).ok()
}

/// For a field that holds a time, null or, at times, something else: only a time is kept.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.as_deref().and_then(unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_are_read_and_one_is_written() {
        let expected = Some(1_790_683_200_000);
        assert_eq!(unix_ms("Tue, 29 Sep 2026 12:00:00 +0000"), expected);
        assert_eq!(unix_ms("Tue, 29 Sep 2026 12:00:00 GMT"), expected);
        assert_eq!(unix_ms("2026-09-29T12:00:00Z"), expected);
        assert_eq!(unix_ms("2026-09-29T14:00:00.000+02:00"), expected);
        assert_eq!(unix_ms("yesterday"), None);
        assert_eq!(iso(1_790_683_200_999).as_deref(), Some("2026-09-29T12:00:00Z"));
        assert_eq!(iso(i64::MAX), None);
    }
}
