//! Dates of the product APIs, and the dates of filters.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::refusal::Refusal;

/// Unix milliseconds as `2026-11-23T10:00:00Z`.
pub(crate) fn iso(at_ms: i64) -> String {
    moment(at_ms).and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// The day of Unix milliseconds, `2026-11-23`, in UTC.
pub(crate) fn day(at_ms: i64) -> String {
    let format = format_description!("[year]-[month]-[day]");
    moment(at_ms).and_then(|time| time.format(format).ok()).unwrap_or_default()
}

/// Whole seconds, as Twilio's dates have them.
fn moment(at_ms: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(at_ms.div_euclid(1000)).ok()
}

/// The span a filter's text names in Unix milliseconds, from and up to: a whole day for a date, a
/// second for a moment of RFC 3339.
pub(crate) fn span(name: &str, text: &str) -> Result<(i64, i64), Refusal> {
    let day = format!("{text}T00:00:00Z");
    let (moment, length_ms) = match OffsetDateTime::parse(&day, &Rfc3339) {
        Ok(start) => (start, 86_400_000),
        Err(_) => {
            let moment = OffsetDateTime::parse(text, &Rfc3339);
            (moment.map_err(|_| Refusal::bad(20_001, format!("{name} is not a date")))?, 1000)
        }
    };
    let start = moment.unix_timestamp().saturating_mul(1000);
    Ok((start, start + length_ms))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        assert_eq!(iso(1_767_225_600_999), "2026-01-01T00:00:00Z");
        assert_eq!(day(1_767_225_600_999), "2026-01-01");
        let start = 1_767_225_600_000;
        assert_eq!(span("StartDate", "2026-01-01").unwrap(), (start, start + 86_400_000));
        assert_eq!(span("StartDate", "2026-01-01T00:00:05Z").unwrap(), (start + 5_000, start + 6_000));
        assert_eq!(span("StartDate", "yesterday").unwrap_err().code, 20_001);
    }
}
