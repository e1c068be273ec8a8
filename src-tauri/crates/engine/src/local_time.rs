//! The wall clock, in the computer's time zone or in a named one.

use std::path::Path;
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
    // The environment may name another than the file, and not every system has such a file.
    let file = if cfg!(unix) && std::env::var_os("TZ").is_none() { of_file(Path::new(FILE)) } else { None };
    let zone = file.unwrap_or_else(TimeZone::system);
    *known = Some((Instant::now(), zone.clone()));
    zone
}

/// Where Linux and macOS keep the rules of the computer's zone.
const FILE: &str = "/etc/localtime";

/// The zone whose rules (TZif, RFC 8536) are in a file.
fn of_file(file: &Path) -> Option<TimeZone> {
    TimeZone::tzif("", &std::fs::read(file).ok()?).ok()
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
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::process::Command;

    use super::*;

    /// 2026-11-23 16:30 UTC.
    const AFTERNOON: i64 = 1_795_451_400_000;

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
    fn the_rules_of_a_zone_are_read_from_its_file() {
        // RFC 8536 §3: a header, one time type and its name, twice, then the rule for the time after the table.
        let header = |version: u8| {
            let mut header = b"TZif".to_vec();
            header.push(version);
            header.extend([0; 15]);
            for count in [0_u32, 0, 0, 0, 1, 6] {
                header.extend(count.to_be_bytes());
            }
            header
        };
        let east = [&19_800_i32.to_be_bytes()[..], &[0, 0], b"+0530\0"].concat();
        let file = [&header(b'2')[..], &east, &header(b'2'), &east, b"\n<+0530>-5:30\n"].concat();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("localtime");
        assert_eq!(of_file(&path), None);
        std::fs::write(&path, file).unwrap();
        let there = Timestamp::from_millisecond(AFTERNOON).unwrap().to_zoned(of_file(&path).unwrap());
        assert_eq!(local(&there).minute, 22 * 60);
        std::fs::write(&path, "Asia/Kolkata").unwrap();
        assert_eq!(of_file(&path), None);
    }

    #[test]
    fn the_own_zone_is_that_of_the_file_unless_the_environment_names_another() {
        for (zone, wanted) in [(Some("Asia/Kolkata"), "22:00"), (None, "the file's")] {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child.args(["--exact", "local_time::tests::the_own_zone", "--ignored", "--nocapture"]);
            child.env_remove("TZ").env("WANTED", wanted).envs(zone.map(|zone| ("TZ", zone)));
            let output = child.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && text.contains("1 passed"), "{wanted}: {text}");
        }
    }

    #[test]
    #[ignore = "needs an environment of its own; \
                the_own_zone_is_that_of_the_file_unless_the_environment_names_another makes one"]
    fn the_own_zone() {
        let now = moment(AFTERNOON, None).local;
        if std::env::var("WANTED").unwrap() == "22:00" {
            assert_eq!(now.minute, 22 * 60);
        } else {
            let file = of_file(Path::new(FILE)).unwrap_or_else(TimeZone::system);
            let there = Timestamp::from_millisecond(AFTERNOON).unwrap().to_zoned(file);
            assert_eq!(now, local(&there));
        }
    }

    #[test]
    fn midnight_lies_within_the_last_day() {
        let now = moment(1_795_451_400_000, None);
        assert!((0..=25 * 3_600_000).contains(&(now.now_ms - now.midnight_ms)));
    }
}
