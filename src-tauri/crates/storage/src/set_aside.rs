//! Names for files that are kept because they cannot be used.

use std::fs;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

/// Why a file is kept, as its name says it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Because {
    /// It could not be read.
    Damaged,
    /// It belongs to another computer.
    Copied,
}

/// `calls.damaged-20261123T101500Z.sqlite` for `calls.sqlite`, numbered where that is taken; `endings`
/// are those of the files that belong together.
pub(crate) fn free_name(path: &Path, because: Because, endings: &[&str], now_ms: i64) -> PathBuf {
    let because = match because {
        Because::Damaged => "damaged",
        Because::Copied => "copied",
    };
    let now =
        OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    // These fields can always be written; an empty time would still leave a free name.
    let time =
        now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
    let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, extension) = (part(path.file_stem()), part(path.extension()));
    let is_taken =
        |path: &Path| endings.iter().any(|ending| fs::symlink_metadata(beside(path, ending)).is_ok());
    let mut number = 1;
    let mut name = format!("{stem}.{because}-{time}");
    loop {
        let free = path.with_file_name(&name).with_added_extension(&extension);
        if !is_taken(&free) {
            return free;
        }
        number += 1;
        name = format!("{stem}.{because}-{time}-{number}");
    }
}

/// The path with more at its end.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
