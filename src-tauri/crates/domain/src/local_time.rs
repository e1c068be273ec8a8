//! Times of the day as the agent's wall clock shows them. Whoever has a clock and a time zone converts.

use serde::{Deserialize, Serialize};

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
pub struct LocalDate {
    /// Such as 2026.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl LocalDate {
    /// Whether there is such a day.
    pub fn is_valid(self) -> bool {
        (1..=12).contains(&self.month) && (1..=days_of(self.year, self.month)).contains(&self.day)
    }

    /// The day before.
    #[must_use]
    pub fn day_before(self) -> Self {
        match (self.month, self.day) {
            (_, 2..) => Self { day: self.day - 1, ..self },
            (2.., _) => {
                let month = self.month - 1;
                Self { month, day: days_of(self.year, month), ..self }
            }
            (_, _) => Self { year: self.year.saturating_sub(1), month: 12, day: 31 },
        }
    }
}

fn days_of(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// A moment by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ts_rs::TS)]
pub struct LocalMoment {
    /// The day.
    pub date: LocalDate,
    /// 0 Monday to 6 Sunday.
    pub weekday: u8,
    /// Minutes since midnight, 0 to 1439.
    pub minute: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: u8, day: u8) -> LocalDate {
        LocalDate { year, month, day }
    }

    #[test]
    fn the_day_before_is_the_calendars() {
        for (day, before) in [
            (date(2026, 11, 23), date(2026, 11, 22)),
            (date(2026, 12, 1), date(2026, 11, 30)),
            (date(2027, 1, 1), date(2026, 12, 31)),
            (date(2026, 3, 1), date(2026, 2, 28)),
            (date(2028, 3, 1), date(2028, 2, 29)),
            (date(2100, 3, 1), date(2100, 2, 28)),
            (date(2000, 3, 1), date(2000, 2, 29)),
        ] {
            assert_eq!(day.day_before(), before);
            assert!(day.is_valid() && before.is_valid());
        }
    }

    #[test]
    fn days_that_are_not_in_the_calendar() {
        for day in
            [date(2026, 2, 29), date(2026, 13, 1), date(2026, 0, 1), date(2026, 4, 31), date(2026, 1, 0)]
        {
            assert!(!day.is_valid(), "{day:?}");
        }
    }
}
