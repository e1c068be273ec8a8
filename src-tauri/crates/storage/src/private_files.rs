//! Files and folders that only their owner may read: the call log says who telephoned whom.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::set_aside::beside;

#[cfg(unix)]
use by_mode as system;
#[cfg(not(unix))]
use by_place as system;

/// Creates `folder` and what is missing above it.
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    system::create_folder(folder)
}

/// Creates an empty folder among the temporary files, removed when the value is dropped.
pub(crate) fn create_temporary_folder(prefix: &str) -> io::Result<TempDir> {
    system::create_temporary_folder(prefix)
}

/// Opens `file` for writing, creating it if it is missing.
pub(crate) fn create_file(file: &Path) -> io::Result<File> {
    system::create_file(file)
}

/// How long [`lock`] waits for the file that another process holds, and how often it looks.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PERIOD: Duration = Duration::from_millis(10);

/// Opens `file` and locks it for as long as it stays open. The system releases the lock when the process
/// ends, however it ends.
///
/// A lock is waited for a moment: an earlier run of the program may be about to end, and a process that is
/// just being started has a copy of every lock of the one that starts it.
pub(crate) fn lock(file: &Path) -> Result<File, TryLockError> {
    let opened = create_file(file).map_err(TryLockError::Error)?;
    let until = Instant::now() + LOCK_PATIENCE;
    loop {
        match opened.try_lock() {
            Ok(()) => return Ok(opened),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(LOCK_PERIOD),
            Err(error) => return Err(error),
        }
    }
}

/// Replaces `file` by one that holds `bytes`, or makes it. Whatever happens, and if the power fails, the
/// file holds the old bytes or the new ones; when this returns without an error, the new ones, which
/// also outlast a power failure where the file system can promise that.
pub(crate) fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_by(file, bytes, system::sync_folder)
}

fn replace_by(file: &Path, bytes: &[u8], sync_folder: fn(&Path) -> io::Result<()>) -> io::Result<()> {
    // One process at a time writes here, so one name will do; what a killed one left is overwritten.
    let new = beside(file, ".new");
    let written = write_through(&new, bytes).and_then(|()| fs::rename(&new, file));
    if written.is_err() {
        // A full disk gets its space back; a file that stays does no harm.
        let _ = fs::remove_file(&new);
        return written;
    }
    // The file says the new from here on, so this is no failure whatever comes.
    // A name alone is one in the folder the program was started in.
    let here = |folder| if folder == Path::new("") { Path::new(".") } else { folder };
    match file.parent().map(here).map_or(Ok(()), sync_folder) {
        // EINVAL and ENOTSUP: the file system has no such thing as syncing a folder.
        Err(error) if !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            tracing::warn!(%error, "a file was written, but its folder could not be synced to the disk");
        }
        _ => {}
    }
    Ok(())
}

fn write_through(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut opened = create_file(file)?;
    opened.set_len(0)?;
    opened.write_all(bytes)?;
    opened.sync_all()
}

/// Unix: by permission bits.
#[cfg(unix)]
mod by_mode {
    use std::fs::{DirBuilder, File, OpenOptions, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;

    use tempfile::TempDir;

    pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    pub(super) fn create_temporary_folder(prefix: &str) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(prefix).permissions(Permissions::from_mode(0o700)).tempdir()
    }

    pub(super) fn create_file(file: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file)
    }

    /// Makes a rename in the folder last.
    pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

/// Windows: the user's profile, where the folders are, is closed to other users already.
#[cfg(not(unix))]
mod by_place {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::path::Path;

    use tempfile::TempDir;

    pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).create(folder)
    }

    pub(super) fn create_temporary_folder(prefix: &str) -> io::Result<TempDir> {
        tempfile::Builder::new().prefix(prefix).tempdir()
    }

    pub(super) fn create_file(file: &Path) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).open(file)
    }

    /// NTFS keeps its own journal of names.
    pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed expectation in a test should panic")]

    use super::*;

    #[test]
    fn what_was_renamed_is_written_whatever_the_folder_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("settings.json");
        let syncs: [fn(&Path) -> io::Result<()>; 4] = [
            system::sync_folder,
            |_| Err(io::ErrorKind::InvalidInput.into()),
            |_| Err(io::ErrorKind::Unsupported.into()),
            |_| Err(io::Error::other("the disk does not answer")),
        ];
        for (n, sync) in syncs.into_iter().enumerate() {
            let text = format!("the text number {n}");
            replace_by(&file, text.as_bytes(), sync).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_system_that_cannot_sync_a_folder_says_so_in_these_kinds() {
        for (errno, kind) in [(22, io::ErrorKind::InvalidInput), (95, io::ErrorKind::Unsupported)] {
            assert_eq!(io::Error::from_raw_os_error(errno).kind(), kind);
        }
        // /proc is one that cannot.
        let answer = system::sync_folder(Path::new("/proc")).map_err(|error| error.kind());
        assert_eq!(answer, Err(io::ErrorKind::InvalidInput));
    }
}
