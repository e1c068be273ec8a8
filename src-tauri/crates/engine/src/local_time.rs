//! The wall clock, in the computer's time zone or in a named one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dialer_domain::local_time::{LocalDate, LocalMoment};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A moment, by the clock and by the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// When its day began in the computer's own zone, in Unix milliseconds.
    pub midnight_ms: i64,
    /// By the wall clock of the zone asked for.
    pub local: LocalMoment,
}

/// The moment `now_ms` (Unix milliseconds) with the wall clock of `zone`, an IANA name. The computer's own
/// zone stands for none, and for one that is not known.
pub fn moment(now_ms: i64, zone: Option<&str>) -> Moment {
    let system = system();
    let named = zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| system.clone());
    let timestamp = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let midnight = timestamp.to_zoned(system).start_of_day();
    Moment {
        now_ms,
        midnight_ms: midnight.map_or(now_ms, |midnight| midnight.timestamp().as_millisecond()),
        local: local(&timestamp.to_zoned(named)),
    }
}

fn local(at: &Zoned) -> LocalMoment {
    LocalMoment {
        date: LocalDate {
            year: i32::from(at.year()),
            month: at.month().unsigned_abs(),
            day: at.day().unsigned_abs(),
        },
        weekday: at.weekday().to_monday_zero_offset().unsigned_abs(),
        minute: u16::from(at.hour().unsigned_abs()) * 60 + u16::from(at.minute().unsigned_abs()),
    }
}

/// How long the computer's own zone is believed: one who travels changes it.
const BELIEVED_FOR: Duration = Duration::from_secs(300);

/// The computer's own zone, possibly without its name. To find that, jiff opens the file of every zone there
/// is; the rules of the zone are in one.
fn system() -> TimeZone {
    static KNOWN: Mutex<Option<(Instant, TimeZone)>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, zone)) = known.as_ref().filter(|(read, _)| read.elapsed() < BELIEVED_FOR) {
        return zone.clone();
    }
    let zone = of_file().unwrap_or_else(TimeZone::system);
    *known = Some((Instant::now(), zone.clone()));
    zone
}

/// The zone as Linux and macOS keep it, unless the environment names another.
fn of_file() -> Option<TimeZone> {
    if !cfg!(unix) || std::env::var_os("TZ").is_some() {
        return None;
    }
    let rules = std::fs::read("/etc/localtime").ok()?;
    TimeZone::tzif("", &rules).ok()
}

/// The computer's own zone, by its IANA name; `UTC` where it does not tell.
pub fn own_zone() -> String {
    TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}

/// Every zone, by its IANA name.
pub fn zones() -> Vec<String> {
    let mut zones: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    zones.sort();
    zones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_of_a_zone_follows_its_summer_time() {
        // 2026-11-23 16:30 UTC, a Monday; and 2026-07-01 22:30 UTC, a Wednesday.
        let winter = moment(1_795_451_400_000, Some("Europe/Berlin")).local;
        assert_eq!((winter.weekday, winter.minute), (0, 17 * 60 + 30));
        assert_eq!(winter.date, LocalDate { year: 2026, month: 11, day: 23 });
        let summer = moment(1_782_945_000_000, Some("Europe/Berlin")).local;
        assert_eq!((summer.weekday, summer.minute), (3, 30), "past midnight there");
        assert_eq!(summer.date, LocalDate { year: 2026, month: 7, day: 2 });
    }

    #[test]
    fn an_unknown_zone_is_the_computers_own() {
        assert_eq!(moment(0, Some("Nowhere/Atlantis")), moment(0, None));
        assert!(zones().contains(&"Europe/Berlin".to_owned()));
    }

    #[test]
    fn the_own_zone_is_that_of_its_file() {
        for now_ms in [1_795_451_400_000, 1_782_945_000_000] {
            let timestamp = Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            let by_name = local(&timestamp.to_zoned(TimeZone::system()));
            assert_eq!(moment(now_ms, None).local, by_name);
        }
    }

    #[test]
    fn midnight_lies_within_the_last_day() {
        let now = moment(1_795_451_400_000, None);
        assert!((0..=25 * 3_600_000).contains(&(now.now_ms - now.midnight_ms)));
    }
}
