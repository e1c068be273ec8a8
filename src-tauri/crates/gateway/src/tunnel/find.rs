//! Where tunnel programs are on this computer.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use dialer_domain::error::{ErrorCode, UserError};

/// A program that can bring a tunnel up, found on this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledProgram {
    /// `cloudflared`, `ngrok` or `ssh`.
    pub name: &'static str,
    /// Where it is.
    pub path: PathBuf,
}

/// Which of `cloudflared`, `ngrok` and `ssh` this computer has. Looks at the disk; blocks shortly.
pub fn installed() -> Vec<InstalledProgram> {
    ["cloudflared", "ngrok", "ssh"]
        .into_iter()
        .filter_map(|name| find_program(name).map(|path| InstalledProgram { name, path }))
        .collect()
}

/// Looks for a program of that name on `PATH`, then where installers of this system put such programs:
/// a program opened from a desktop often gets a shorter `PATH` than a terminal. Blocks shortly.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    find_in(name, std::env::split_paths(&path).chain(usual_places(|name| std::env::var_os(name))))
}

/// The program to start: `chosen` if given, otherwise the one found under `name`.
pub(crate) fn program_path(chosen: Option<&str>, name: &str) -> Result<PathBuf, UserError> {
    let Some(chosen) = chosen else {
        return find_program(name).ok_or_else(|| {
            missing(format!(
                "The program {name} was not found. Install it, or enter where it is under Change on the Account page."
            ))
        });
    };
    // A bare name is looked for as a shell would; anything else must say where it is by itself.
    if Path::new(chosen).components().count() == 1 {
        find_program(chosen).ok_or_else(|| {
            missing(format!("The program {chosen} was not found. Install it, or enter its whole path."))
        })
    } else if !Path::new(chosen).is_absolute() {
        Err(missing(format!("{chosen} is not a whole path. Enter the program with all folders it is in.")))
    } else if is_program(Path::new(chosen)) {
        Ok(PathBuf::from(chosen))
    } else {
        Err(missing(format!("There is no program at {chosen}, or it may not be run. Choose another one.")))
    }
}

fn missing(message: String) -> UserError {
    UserError::new(ErrorCode::TunnelFailed, message)
}

fn find_in(name: &str, folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    let file = format!(
        "{name}{}",
        if name.ends_with(std::env::consts::EXE_SUFFIX) { "" } else { std::env::consts::EXE_SUFFIX }
    );
    // A relative entry would make the answer depend on where the program was started.
    folders
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&file))
        .find(|path| is_program(path))
}

/// Where installers put programs, given the environment.
fn usual_places(environment: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let below = |variable: &str, folders: &[&str]| -> Vec<PathBuf> {
        let base = environment(variable).map(PathBuf::from);
        base.map(|base| folders.iter().map(|folder| base.join(folder)).collect()).unwrap_or_default()
    };
    if cfg!(windows) {
        [
            below("ProgramFiles", &["cloudflared", "ngrok", "OpenSSH"]),
            below("ProgramFiles(x86)", &["cloudflared", "ngrok"]),
            below("LOCALAPPDATA", &["Microsoft\\WinGet\\Links", "Microsoft\\WindowsApps", "ngrok"]),
            below("ProgramData", &["chocolatey\\bin"]),
            below("USERPROFILE", &["scoop\\shims"]),
            below("SystemRoot", &["System32\\OpenSSH"]),
        ]
        .concat()
    } else {
        let mut places = below("HOME", &[".local/bin", "bin", "go/bin"]);
        let common = ["/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin", "/snap/bin", "/usr/bin"];
        places.extend(common.map(PathBuf::from));
        places
    }
}

/// Whether there is a file that may be run.
#[cfg(unix)]
pub(crate) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Whether there is a file.
#[cfg(not(unix))]
pub(crate) fn is_program(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn program(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        std::fs::write(&path, "").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn the_first_folder_that_has_it_wins() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let wanted = program(b.path(), "tunneller");
        let folders = || [PathBuf::from("relative"), a.path().to_owned(), b.path().to_owned()].into_iter();
        assert_eq!(find_in("tunneller", folders()), Some(wanted));
        let wanted = program(a.path(), "tunneller");
        assert_eq!(find_in("tunneller", folders()), Some(wanted));
        assert_eq!(find_in("no-such-tunneller", folders()), None);
    }

    #[cfg(unix)]
    #[test]
    fn what_may_not_be_run_and_folders_are_no_programs() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("text"), "").unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        assert_eq!(find_in("text", [folder.path().to_owned()].into_iter()), None);
        assert_eq!(find_in("sub", [folder.path().to_owned()].into_iter()), None);
    }

    #[test]
    fn a_chosen_program_is_taken_or_the_sentence_says_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = program(folder.path(), "tunneller");
        assert_eq!(program_path(path.to_str(), "ngrok"), Ok(path.clone()));
        for (chosen, says) in [
            (folder.path().join("gone").to_str().unwrap(), "no program at"),
            ("folder/tunneller", "not a whole path"),
            ("no-such-tunneller", "was not found"),
        ] {
            let error = program_path(Some(chosen), "ngrok").unwrap_err();
            assert!(error.message.contains(says), "{}", error.message);
        }
        let error = program_path(None, "no-such-tunneller").unwrap_err();
        assert!(error.message.contains("no-such-tunneller was not found"), "{}", error.message);
    }

    #[test]
    fn installers_places_come_from_the_environment() {
        let places = usual_places(|name| matches!(name, "HOME" | "ProgramFiles").then(|| "/base".into()));
        assert!(places.iter().any(|place| place.starts_with("/base")));
        assert!(usual_places(|_| None).iter().all(|place| place.is_absolute()));
    }
}
