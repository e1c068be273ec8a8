//! Files and folders that only their owner may read: the call log says who telephoned whom.

use std::fs::File;
use std::io;
use std::path::Path;

use tempfile::TempDir;

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
}
