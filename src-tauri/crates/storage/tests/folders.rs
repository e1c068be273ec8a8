//! Where files are kept.

use std::fs;

use dialer_storage::folders::{FolderError, Folders};

#[test]
fn the_users_folder_is_named_for_the_app_and_the_build() {
    let home = tempfile::tempdir().unwrap();
    let output = crate::child::command("folders::child_tells_its_folder")
        .env("XDG_DATA_HOME", home.path().join("data"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    if cfg!(target_os = "linux") {
        let expected = home.path().join("data/com.kennex.dialer.debug");
        assert!(told.contains(&format!("folder={}\n", expected.display())), "{told}");
        assert!(expected.is_dir());
        assert!(told.contains(&format!("log={}\n", expected.join("calls.sqlite").display())), "{told}");
        assert_private(&expected);
    }
}

#[test]
#[ignore = "part of the test above, in another environment"]
fn child_tells_its_folder() {
    use std::io::Write as _;
    let folders = Folders::of_user().unwrap();
    writeln!(
        std::io::stdout(),
        "\nfolder={}\nlog={}",
        folders.data().display(),
        folders.call_log().display()
    )
    .unwrap();
}

#[test]
fn practice_leaves_nothing_behind() {
    let (one, other) = (Folders::throw_away().unwrap(), Folders::throw_away().unwrap());
    assert_ne!(one.data(), other.data());
    assert_private(one.data());
    fs::write(one.call_log(), "practice").unwrap();
    let (gone, stays) = (one.data().to_owned(), other.data().to_owned());
    drop(one);
    assert!(!gone.exists() && stays.exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("a-file");
    fs::write(&file, "").unwrap();
    let error = Folders::at(file.join("below")).unwrap_err();
    assert!(matches!(error, FolderError::NotCreated { .. }));
    assert!(error.to_string().contains("could not be created. Check"), "{error}");
}

#[cfg(unix)]
fn assert_private(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[cfg(not(unix))]
fn assert_private(folder: &std::path::Path) {
    assert!(folder.is_dir());
}
