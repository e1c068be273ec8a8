#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeMap;

use super::*;

fn complete() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("TWILIO_ACCOUNT_SID", format!("AC{}", "0a".repeat(16))),
        ("TWILIO_AUTH_TOKEN", "0123456789abcdef".repeat(2)),
        ("TWILIO_API_KEY", format!("SK{}", "0b".repeat(16))),
        ("TWILIO_API_SECRET", "Abcdefgh01234567".repeat(2)),
        ("TWILIO_PHONE_NUMBER", "+12025550100".into()),
        ("TWILIO_TWIML_APP_SID", format!("AP{}", "0c".repeat(16))),
        ("BACKEND_URL", "https://phone.example.com".into()),
        ("AGENT_API_TOKEN", "a-token-of-this-test-only".into()),
    ])
}

fn read(environment: &BTreeMap<&'static str, String>) -> Result<Config, ConfigError> {
    Config::read(&|name| environment.get(name).cloned())
}

#[test]
fn the_usual_names_are_all_that_is_needed() {
    let config = read(&complete()).unwrap();
    assert_eq!(config.phone_number.as_str(), "+12025550100");
    assert_eq!(config.database, PathBuf::from("calls.sqlite"));
    assert!(!config.require_intent);
    assert_eq!((config.webhooks_per_second, config.tokens_per_minute, config.most_calls), (200, 10, 100));
    assert_eq!(config.twilio, TwilioAt::Twilio);
    assert!(!format!("{config:?}").contains("0123456789abcdef"), "no secret is printed");
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let ConfigError(problems) = read(&BTreeMap::new()).unwrap_err();
    for name in complete().keys() {
        assert!(problems.iter().any(|problem| problem.starts_with(name)), "{name}: {problems:?}");
    }
}

#[test]
fn bad_values_are_told_and_never_quoted() {
    for (name, value) in [
        ("TWILIO_AUTH_TOKEN", "too-short-to-be-one"),
        ("AGENT_API_TOKEN", "guess-me"),
        ("BACKEND_URL", "ftp://phone.example.com"),
        ("DATABASE_URL", "postgres://calls"),
        ("REQUIRE_INTENT", "perhaps"),
        ("WEBHOOKS_PER_SECOND", "0"),
        ("TOKENS_PER_MINUTE", "many"),
        ("MOST_CALLS", "-1"),
        ("TWILIO_SIMULATOR", "http://twilio.example.com"),
        ("RULES_FILE", "/nowhere/rules.json"),
        ("TWILIO_WEBHOOK_KEY_ID", "key-without-secret"),
    ] {
        let mut environment = complete();
        environment.insert(name, value.into());
        let ConfigError(problems) = read(&environment).unwrap_err();
        assert_eq!(problems.len(), 1, "{name}: {problems:?}");
        let secret = name.contains("TOKEN");
        assert!(!secret || !problems[0].contains(value), "{problems:?}");
    }
}

#[test]
fn a_shared_key_stands_in_for_the_auth_token_and_excludes_it() {
    let mut environment = complete();
    environment.insert("TWILIO_WEBHOOK_KEY_ID", "key-1".into());
    environment.insert("TWILIO_WEBHOOK_KEY_SECRET", "secret-of-this-test".into());
    let keys = SigningKeys::of(&read(&environment).unwrap());
    assert!(matches!(*keys.keys, [WebhookKey::SharedKey { .. }]));
    environment.remove("TWILIO_AUTH_TOKEN");
    assert!(read(&environment).is_ok());
}

#[test]
fn rules_that_would_not_hold_are_told() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut environment = complete();
    environment.insert("RULES_FILE", file.path().display().to_string());
    for (rules, said) in [
        (r#"{"outgoing":{"minutes_per_dya":60}}"#, "outgoing.minutes_per_dya"),
        (r#"{"incoming":{"menu":{"attemps":2}}}"#, "incoming.menu.attemps"),
        (r#"{"outgoing":{"countries":["UK"]}}"#, "UK is no country"),
        ("[]", "must be a JSON object"),
        (r#"{"outgoing":{"money_per_day":{"micros":1,"currency":"dollars"}}}"#, "money_per_day"),
        (
            r#"{"incoming":{"hours":{"zone":"Europe/Berlyn","week":[[],[],[],[],[],[],[]],"exceptions":[]}}}"#,
            "zone",
        ),
        ("[", "cannot be used"),
    ] {
        std::fs::write(file.path(), rules).unwrap();
        let ConfigError(problems) = read(&environment).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(said)), "{rules}: {problems:?}");
    }
    let limits = r#"{"outgoing":{"minutes_per_day":60,"money_per_day":{"micros":1,"currency":"USD"}}}"#;
    std::fs::write(file.path(), limits).unwrap();
    let outgoing = read(&environment).unwrap().rules.outgoing;
    assert_eq!((outgoing.minutes_per_day, outgoing.money_per_day.is_some()), (Some(60), true));
}

#[test]
fn what_is_no_call_log_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("accounts.json");
    std::fs::write(&other, "{}").unwrap();
    for (path, said) in [
        (folder.path().to_owned(), "is a folder"),
        (other.clone(), "another file"),
        (folder.path().join("typo/calls.sqlite"), "there is no folder"),
    ] {
        let mut environment = complete();
        environment.insert("DATABASE_URL", path.display().to_string());
        let ConfigError(problems) = read(&environment).unwrap_err();
        assert!(problems.iter().any(|problem| problem.contains(said)), "{problems:?}");
    }
    assert_eq!(std::fs::read(&other).unwrap(), b"{}");
    let mut environment = complete();
    environment.insert("DATABASE_URL", folder.path().join("calls.sqlite").display().to_string());
    assert!(read(&environment).is_ok());
}

#[test]
fn a_value_given_twice_or_in_quotes_is_told() {
    let mut environment = complete();
    environment.insert("TWILIO_AUTH_TOKEN_FILE", "/nowhere".into());
    environment.insert("AGENT_API_TOKEN", "\"a-token-of-this-test-only\"".into());
    let ConfigError(problems) = read(&environment).unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains("both set")), "{problems:?}");
    assert!(problems.iter().any(|problem| problem.contains("quotes")), "{problems:?}");
}

#[test]
fn a_secret_may_be_in_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
    let mut environment = complete();
    environment.remove("TWILIO_AUTH_TOKEN");
    environment.insert("TWILIO_AUTH_TOKEN_FILE", file.path().display().to_string());
    assert!(read(&environment).is_ok());
}
