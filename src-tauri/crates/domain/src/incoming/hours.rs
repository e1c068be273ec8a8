//! Opening hours, asked.

use super::{Hours, Span};
use crate::local_time::{LocalDate, LocalMoment};

/// Minutes of a day.
pub(super) const DAY: u16 = 1440;

impl Span {
    /// Whether it goes on past midnight. One that ends when it begins lasts a whole day.
    pub fn passes_midnight(self) -> bool {
        self.to <= self.from
    }

    /// The minutes of its own day, from and to.
    pub(super) fn today(self) -> (u16, u16) {
        (self.from, if self.passes_midnight() { DAY } else { self.to })
    }

    /// How many minutes of the next day it takes; 0 for one that ends on its own day.
    pub(super) fn tomorrow(self) -> u16 {
        if self.passes_midnight() { self.to } else { 0 }
    }
}

impl Hours {
    /// Whether callers are welcome at `moment` (in [`zone`](Self::zone)).
    ///
    /// A span that goes on past midnight belongs to the day it begins on: a party that lasts until two
    /// lasts until two, though the next day is a holiday, and what a holiday's own evening begins goes
    /// on into the day after. In the night when clocks are changed, the clock on the wall counts.
    pub fn is_open(&self, moment: LocalMoment) -> bool {
        let minute = moment.minute;
        let begun_today = self.spans_of(moment.date, moment.weekday).iter().any(|span| {
            let (from, to) = span.today();
            (from..to).contains(&minute)
        });
        let begun_yesterday = || {
            let weekday = (moment.weekday + 6) % 7;
            self.spans_of(moment.date.day_before(), weekday).iter().any(|span| minute < span.tomorrow())
        };
        begun_today || begun_yesterday()
    }

    fn spans_of(&self, date: LocalDate, weekday: u8) -> &[Span] {
        match self.exceptions.iter().find(|exception| exception.date == date) {
            Some(exception) => &exception.spans,
            None => self.week.get(usize::from(weekday)).map_or(&[], Vec::as_slice),
        }
    }
}
