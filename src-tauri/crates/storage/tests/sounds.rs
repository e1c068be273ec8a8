//! The agent's recordings on a real disk.

use std::fs;

use dialer_domain::error::ErrorCode;
use dialer_domain::incoming::SoundName;
use dialer_storage::folders::Folders;
use dialer_storage::sounds::{LARGEST, NotWav, SoundError, Sounds};

/// A WAV file of so many bytes of samples, all alike: 8,000 of 16 bits a second, mono.
fn wav(bytes: u32, sample: u8) -> Vec<u8> {
    let mut wav = b"RIFF".to_vec();
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wav.extend(8_000_u32.to_le_bytes());
    wav.extend(16_000_u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(bytes.to_le_bytes());
    wav.resize(wav.len() + bytes as usize, sample);
    wav
}

struct Fresh {
    sounds: Sounds,
    folder: tempfile::TempDir,
}

impl Fresh {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { sounds: Sounds::new(&Folders::at(folder.path()).unwrap()), folder }
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path().join("sounds")).map_or(0, Iterator::count)
    }
}

fn unknown() -> SoundName {
    SoundName::parse(&"0".repeat(32)).unwrap()
}

#[test]
fn a_file_that_outgrew_what_is_kept_is_no_recording() {
    let fresh = Fresh::new();
    let kept = fresh.sounds.keep("Greeting", &wav(16_000, 1)).unwrap();
    let path = fresh.folder.path().join("sounds").join(kept.name.as_str()).with_extension("wav");
    // A hole in the file, so that no disk is filled.
    fs::File::options().write(true).open(path).unwrap().set_len(LARGEST as u64 + 1).unwrap();
    assert_eq!(fresh.sounds.read(&kept.name).unwrap(), None);
}

#[test]
fn a_recording_is_kept_listed_read_and_deleted() {
    let fresh = Fresh::new();
    assert_eq!(fresh.sounds.list().unwrap(), []);
    assert_eq!(fresh.sounds.read(&unknown()).unwrap(), None);
    let (greeting, music) = (wav(24_000, 1), wav(16_000, 2));
    let kept = fresh.sounds.keep(" Greeting ", &greeting).unwrap();
    assert_eq!((kept.label.as_str(), kept.duration_s), ("Greeting", 2));
    let also = fresh.sounds.keep("at night", &music).unwrap();
    assert_eq!(fresh.sounds.list().unwrap(), [also.clone(), kept.clone()], "by label");
    // Another copy of the program finds the same.
    let again = Sounds::new(&Folders::at(fresh.folder.path()).unwrap());
    assert_eq!(again.read(&kept.name).unwrap(), Some(greeting));
    fresh.sounds.delete(&kept.name).unwrap();
    fresh.sounds.delete(&kept.name).unwrap();
    fresh.sounds.delete(&unknown()).unwrap();
    assert_eq!(fresh.sounds.list().unwrap(), [also]);
    assert_eq!(again.read(&kept.name).unwrap(), None);
    assert_eq!(fresh.files(), 2, "nothing is left of the other one");
}

#[test]
fn a_name_is_the_beginning_of_the_contents_sha_256() {
    let fresh = Fresh::new();
    // By sha256sum over 44 bytes of header and two zero bytes.
    let kept = fresh.sounds.keep("Silence", &wav(2, 0)).unwrap();
    assert_eq!(kept.name.as_str(), "4aebda3a657a0d8f532d11ceacb16790");
}

#[test]
fn the_same_recording_is_kept_once_and_takes_the_new_label() {
    let fresh = Fresh::new();
    let first = fresh.sounds.keep("One", &wav(16_000, 1)).unwrap();
    let second = fresh.sounds.keep("Two", &wav(16_000, 1)).unwrap();
    assert_eq!(first.name, second.name);
    assert_eq!(fresh.sounds.list().unwrap(), [second]);
}

#[test]
fn what_cannot_be_kept_is_told_and_leaves_nothing() {
    let fresh = Fresh::new();
    let refused = |label: &str, wav: &[u8]| fresh.sounds.keep(label, wav).unwrap_err();
    let good = wav(16_000, 1);
    assert!(matches!(refused("", &good), SoundError::NoLabel));
    assert!(matches!(refused(" \n", &good), SoundError::NoLabel));
    assert!(matches!(refused(&"x".repeat(61), &good), SoundError::LongLabel));
    assert!(matches!(refused("MP3", b"ID3 and so on"), SoundError::NotWav(NotWav::Other)));
    assert!(matches!(refused("Cut", &good[..9_000]), SoundError::NotWav(NotWav::CutShort)));
    assert!(matches!(refused("Long", &wav(16_000 * 301, 1)), SoundError::NotWav(NotWav::TooLong)));
    let large = vec![0; LARGEST + 1];
    assert!(matches!(refused("Large", &large), SoundError::TooLarge));
    let told = refused("MP3", b"ID3").user_error();
    assert_eq!(told.code, ErrorCode::InvalidEntry);
    assert!(told.message.contains("WAV"), "{told}");
    assert_eq!(fresh.files(), 0);
}

#[test]
fn a_damaged_recording_is_not_played_and_a_lost_label_is_made_up_for() {
    let fresh = Fresh::new();
    let kept = fresh.sounds.keep("Greeting", &wav(16_000, 1)).unwrap();
    let file =
        |ending: &str| fresh.folder.path().join("sounds").join(kept.name.as_str()).with_extension(ending);
    fs::write(file("json"), "{").unwrap();
    let listed = fresh.sounds.list().unwrap();
    assert_eq!((listed[0].label.as_str(), listed[0].duration_s), ("Recording", 1));
    fs::write(file("wav"), wav(16_000, 2)).unwrap();
    assert_eq!(fresh.sounds.read(&kept.name).unwrap(), None);
    assert_eq!(fresh.sounds.list().unwrap(), []);
    // What has another name is none of ours.
    fs::write(fresh.folder.path().join("sounds").join("notes.wav"), "hello").unwrap();
    assert_eq!(fresh.sounds.list().unwrap(), []);
    // Keeping it again mends it.
    assert_eq!(fresh.sounds.keep("Greeting", &wav(16_000, 1)).unwrap(), kept);
    assert_eq!(fresh.sounds.read(&kept.name).unwrap(), Some(wav(16_000, 1)));
}

#[test]
fn a_folder_that_cannot_be_used_is_told() {
    let fresh = Fresh::new();
    fs::write(fresh.folder.path().join("sounds"), "in the way").unwrap();
    let error = fresh.sounds.keep("Greeting", &wav(16_000, 1)).unwrap_err();
    assert!(matches!(error, SoundError::Failed { .. }), "{error:?}");
    assert_eq!(error.user_error().code, ErrorCode::SettingsUnavailable);
    assert!(error.user_error().detail.is_some());
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let fresh = Fresh::new();
    fresh.sounds.keep("Greeting", &wav(16_000, 1)).unwrap();
    let folder = fresh.folder.path().join("sounds");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in fs::read_dir(&folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}
