//! Settings on a real disk: kept, damaged, of another version, written by a program that is killed.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

use dialer_domain::account::{AccountFacts, AccountKind, AccountStanding, NumberRouting};
use dialer_domain::call_flow::Rules;
use dialer_domain::error::ErrorCode;
use dialer_domain::identity::ClientIdentity;
use dialer_domain::incoming::{
    Answer, Choice, Chosen, Exception, Hours, MenuKey, Music, Prompt, SoundName, Span,
};
use dialer_domain::local_time::LocalDate;
use dialer_domain::money::Money;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::{Clock, VaultKind};
use dialer_domain::setup::{BoundNumber, Pending, Record};
use dialer_domain::sid::{AccountSid, ApiKeySid, PhoneNumberSid};
use dialer_storage::folders::Folders;
use dialer_storage::settings::{Computer, Saved, SetAside, Settings, SettingsError, set_aside_notice};

const FOLDER: &str = "DIALER_TEST_SETTINGS";

/// A clock that stands still.
struct At(i64);

impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

const NOON: At = At(1_795_435_200_000);

/// A computer with this mark.
fn computer(mark: Option<&str>) -> Computer {
    Computer { name: "albert-laptop".into(), mark: mark.map(str::to_owned) }
}

fn open(folder: &Path) -> Result<Settings, SettingsError> {
    let (settings, set_aside) = open_on(folder, Some("here"))?;
    assert_eq!(set_aside, None);
    Ok(settings)
}

fn open_on(folder: &Path, mark: Option<&str>) -> Result<(Settings, Option<SetAside>), SettingsError> {
    Settings::open_by(&Folders::at(folder).unwrap(), &computer(mark), &NOON)
}

pub(crate) fn record() -> Record {
    Record {
        account: AccountFacts {
            sid: AccountSid::from_bytes([1; 16]),
            friendly_name: "Albert's".into(),
            kind: AccountKind::Trial,
            standing: AccountStanding::Active,
        },
        identity: ClientIdentity::parse("u_albert").unwrap(),
        choices: None,
        key: Some(ApiKeySid::from_bytes([2; 16])),
        key_is_ours: true,
        app: None,
        numbers: vec![BoundNumber {
            sid: PhoneNumberSid::from_bytes([3; 16]),
            number: E164::parse_strict("+12025550123").unwrap(),
            // An absent value and an empty text are different things and stay so.
            before: NumberRouting {
                voice_url: Some(String::new()),
                voice_fallback_url: Some("https://old.example/?a=\"ü\"&b".into()),
                ..NumberRouting::default()
            },
        }],
        published: None,
        signing: None,
        wanted: None,
        undoing: None,
        complete: false,
    }
}

fn pending() -> Pending {
    Pending {
        account: AccountSid::from_bytes([4; 16]),
        api_key: None,
        phone_number: None,
        twiml_app: None,
        backend_url: Some("https://phone.example.com".into()),
    }
}

#[test]
fn everything_is_there_again_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = open(folder.path()).unwrap();
    let first = settings.get();
    assert_eq!(first.installation.computer, "albert-laptop");
    assert_eq!(first.installation.id.len(), 8);
    assert!(first.installation.id.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!((first.vault, &first.record, &first.pending), (VaultKind::Keychain, &None, &None));

    let answer = settings.change(|saved| {
        saved.record = Some(record());
        saved.pending = Some(pending());
        saved.vault = VaultKind::File;
        "what the change says"
    });
    assert_eq!(answer.unwrap(), "what the change says");
    let expected =
        Saved { vault: VaultKind::File, pending: Some(pending()), record: Some(record()), ..first.clone() };
    assert_eq!(settings.clone().get(), expected);
    drop(settings);
    let settings = open(folder.path()).unwrap();
    assert_eq!(settings.get(), expected, "the installation's id stays, too");
    settings.change(|saved| saved.record = None).unwrap();
    drop(settings);
    assert_eq!(open(folder.path()).unwrap().get().record, None);

    let other = tempfile::tempdir().unwrap();
    assert_ne!(open(other.path()).unwrap().get().installation.id, first.installation.id);
    assert_private(&folder.path().join("settings.json"));
}

#[test]
fn the_name_of_the_computer_is_its_own() {
    let folders = Folders::throw_away().unwrap();
    let (settings, _) = Settings::open(&folders).unwrap();
    let told = std::process::Command::new("hostname").output().unwrap();
    assert_eq!(settings.get().installation.computer, String::from_utf8(told.stdout).unwrap().trim());
}

#[test]
fn one_program_at_a_time_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let settings = open(folder.path()).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, SettingsError::InUse { .. }), "{error:?}");
    assert!(error.user_error().message.contains("another copy of the program. Close that one"));
    let clone = settings.clone();
    drop(settings);
    assert!(open(folder.path()).is_err(), "a clone is the same settings");
    drop(clone);
    open(folder.path()).unwrap();
}

#[test]
fn damaged_settings_are_set_aside_whole_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    let settings = open(folder.path()).unwrap();
    settings.change(|saved| saved.record = Some(record())).unwrap();
    let id = settings.get().installation.id;
    drop(settings);
    let sound = fs::read_to_string(&path).unwrap();
    let cut = &sound[..sound.len() / 2];
    let wrong_sid = sound.replace("AC01010101", "XX01010101");
    let no_version = sound.replace("\"version\"", "\"edition\"");
    for (n, damaged) in ["", "{}", "null", "\u{0}\u{0}\u{0}", cut, &wrong_sid, &no_version].iter().enumerate()
    {
        fs::write(&path, damaged).unwrap();
        let (settings, set_aside) = open_on(folder.path(), Some("here")).unwrap();
        let Some(SetAside::Damaged(kept)) = &set_aside else { panic!("{damaged:?} was read: {set_aside:?}") };
        let number = if n == 0 { String::new() } else { format!("-{}", n + 1) };
        assert_eq!(
            kept.file_name().unwrap().to_str().unwrap(),
            format!("settings.damaged-20261123T120000Z{number}.json")
        );
        assert_eq!(fs::read_to_string(kept).unwrap(), **damaged, "nothing of it is lost");
        assert_eq!(settings.get().record, None);
        assert_ne!(settings.get().installation.id, id);
        let notice = set_aside_notice(set_aside.as_ref().unwrap());
        assert_eq!(notice.code, ErrorCode::SettingsSetAside);
        assert!(notice.message.contains("settings.damaged-2026") && notice.message.ends_with('.'));
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let (_, set_aside) = open_on(folder.path(), Some("here")).unwrap();
    assert!(set_aside.unwrap().file().is_dir(), "whatever stands in the way is kept");
}

#[test]
fn a_copy_on_another_computer_is_another_installation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    let settings = open(folder.path()).unwrap();
    settings.change(|saved| saved.record = Some(record())).unwrap();
    let original = settings.get();
    drop(settings);
    let bytes = fs::read(&path).unwrap();

    let (settings, set_aside) = open_on(folder.path(), Some("there")).unwrap();
    let Some(SetAside::Copied(kept)) = &set_aside else { panic!("{set_aside:?}") };
    assert_eq!(kept.file_name().unwrap().to_str(), Some("settings.copied-20261123T120000Z.json"));
    assert_eq!(fs::read(kept).unwrap(), bytes, "nothing of it is lost");
    assert_private(kept);
    assert_eq!(settings.get().record, None);
    assert_ne!(settings.get().installation.id, original.installation.id);
    let notice = set_aside_notice(set_aside.as_ref().unwrap());
    assert_eq!(notice.code, ErrorCode::SettingsSetAside);
    assert!(notice.message.starts_with("This is a copy of another computer's settings"), "{notice}");
    assert!(notice.message.contains("settings.copied-2026") && notice.message.ends_with('.'), "{notice}");
    let here = settings.get();
    drop(settings);
    let (settings, set_aside) = open_on(folder.path(), Some("there")).unwrap();
    assert_eq!((settings.get(), set_aside), (here, None), "from then on they are its own");
}

#[test]
fn a_computer_without_a_mark_takes_settings_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, _) = open_on(folder.path(), None).unwrap();
    settings.change(|saved| saved.record = Some(record())).unwrap();
    let original = settings.get();
    drop(settings);
    // It has got a mark since, loses it again, and still knows that another one is not its own.
    for (mark, is_copy) in [(Some("here"), false), (None, false), (Some("there"), true)] {
        let (settings, set_aside) = open_on(folder.path(), mark).unwrap();
        assert_eq!(set_aside.is_some(), is_copy, "{mark:?}");
        assert_eq!(settings.get() == original, !is_copy, "{mark:?}");
    }
}

#[test]
fn settings_of_the_first_version_are_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    fs::write(
        &path,
        r#"{
  "version": 1,
  "installation": {"id": "0123abcd", "computer": "albert-laptop"},
  "vault": "file",
  "pending": null,
  "record": null
}"#,
    )
    .unwrap();
    let settings = open(folder.path()).unwrap();
    assert_eq!(
        (settings.get().installation.id.as_str(), settings.get().vault),
        ("0123abcd", VaultKind::File)
    );
    drop(settings);
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"version\": 4") && written.contains("\"machine\": \"here\""), "{written}");
}

#[test]
fn rules_are_kept_and_begin_with_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    fs::write(
        &path,
        r#"{
  "version": 2,
  "machine": "here",
  "installation": {"id": "0123abcd", "computer": "albert-laptop"},
  "vault": "keychain",
  "pending": null,
  "record": null
}"#,
    )
    .unwrap();
    let settings = open(folder.path()).unwrap();
    assert_eq!(settings.get().rules, Rules::default(), "settings from before there were rules");
    let sound = SoundName::parse("0123456789abcdef0123456789abcdef").unwrap();
    let mut rules = Rules::default();
    rules.outgoing.countries = Some(["DE".to_owned(), "US".to_owned()].into());
    rules.outgoing.money_per_day = Some(Money { micros: 12_500_000, currency: "USD".into() });
    rules.incoming.hours = Some(Hours {
        zone: Some("Europe/Berlin".into()),
        week: [const { Vec::new() }; 7].map(|_: Vec<Span>| vec![Span { from: 1320, to: 120 }]),
        exceptions: vec![Exception {
            date: LocalDate { year: 2026, month: 12, day: 25 },
            label: "Christmas".into(),
            spans: Vec::new(),
        }],
    });
    rules.incoming.open = Answer::Menu;
    rules.incoming.closed = Answer::Message {
        prompt: Prompt::Say { text: "Geschlossen.".into(), language: Some("de-DE".into()) },
    };
    rules.incoming.queue.music = Music::Recording { sound: sound.clone() };
    rules.incoming.voicemail.greeting = Prompt::Play { sound };
    let below = Chosen::Page { page: rules.incoming.menu.clone() };
    let choice = Choice { label: "More".into(), then: below };
    rules.incoming.menu.choices.insert(MenuKey::of('3').unwrap(), choice);
    settings.change(|saved| saved.rules = rules.clone()).unwrap();
    drop(settings);
    assert_eq!(open(folder.path()).unwrap().get().rules, rules);
}

#[test]
fn settings_of_a_newer_version_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.json");
    let newer = r#"{"version": 5, "installations": [{"id": "0123abcd"}]}"#;
    fs::write(&path, newer).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, SettingsError::NewerVersion { found: 5, known: 4, .. }), "{error:?}");
    let told = error.user_error();
    assert_eq!(told.code, ErrorCode::SettingsUnavailable);
    assert!(
        told.message.contains("newer version of the program") && told.message.contains("Install"),
        "{told}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), newer);
}

#[test]
fn a_change_that_cannot_be_written_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let settings = open(folder.path()).unwrap();
    let before = settings.get();
    // Where the new file would be written there is something in the way.
    let in_the_way = folder.path().join("settings.json.new");
    fs::create_dir(&in_the_way).unwrap();
    let told = settings.change(|saved| saved.record = Some(record())).unwrap_err().user_error();
    assert!(told.detail.is_some() && told.message.ends_with('.'), "{told:?}");
    assert_eq!(settings.get(), before);
    fs::remove_dir(&in_the_way).unwrap();
    // What a killed program left half-written is of no account.
    fs::write(&in_the_way, "{\"version\": 1, \"instal").unwrap();
    settings.change(|saved| saved.record = Some(record())).unwrap();
    drop(settings);
    assert_eq!(open(folder.path()).unwrap().get().record, Some(record()));
    assert!(!in_the_way.exists());
}

#[test]
fn a_killed_program_leaves_the_old_or_the_new_settings() {
    let folder = tempfile::tempdir().unwrap();
    for count in [1, 2, 17, 60, 150] {
        let mut process = crate::child::command("settings::child_changes_without_end")
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let mut changed = Vec::new();
        while changed.len() < count {
            let mut line = String::new();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended before it was killed");
            changed.extend(line.trim().strip_prefix("changed ").map(|number| number.parse::<u64>().unwrap()));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        // The last line may have been cut off by the kill.
        let whole = rest.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        changed.extend(whole.map(|line| line.strip_prefix("changed ").unwrap().parse::<u64>().unwrap()));

        let told = *changed.last().unwrap();
        let published = open(folder.path()).unwrap().get().record.unwrap().published.unwrap();
        let (number, filling) = published.split_once(' ').unwrap();
        let number: u64 = number.parse().unwrap();
        assert!(number == told || number == told + 1, "{number} after {told} was told");
        assert_eq!(filling.len(), usize::try_from(number % 5_000).unwrap());
    }
}

#[test]
#[ignore = "the process that another test kills"]
fn child_changes_without_end() {
    let settings = open(&crate::child::path_from_parent(FOLDER)).unwrap();
    let last = settings.get().record.and_then(|record| record.published);
    let last = last.map_or(0, |text| text.split_once(' ').unwrap().0.parse::<u64>().unwrap());
    let mut output = std::io::stdout();
    for n in last + 1.. {
        settings
            .change(|saved| {
                let filling = "x".repeat(usize::try_from(n % 5_000).unwrap());
                saved.record = Some(Record { published: Some(format!("{n} {filling}")), ..record() });
            })
            .unwrap();
        if writeln!(output, "changed {n}").and_then(|()| output.flush()).is_err() {
            // Nobody listens any more: the parent is gone.
            return;
        }
    }
}

#[cfg(unix)]
fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(not(unix))]
fn assert_private(path: &Path) {
    assert!(path.is_file());
}
