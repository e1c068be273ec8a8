//! The account, its keys and its apps.

use dialer_domain::account::{AccountKind, AccountStanding, AppSettings};
use dialer_domain::error::ErrorCode;
use dialer_domain::setup::FRIENDLY_NAME_MAX;

use super::desk::{Desk, code};

pub(crate) async fn walk(desk: &Desk) {
    facts(desk).await;
    keys(desk).await;
    apps(desk).await;
}

async fn facts(desk: &Desk) {
    let facts = desk.owner.account().await.unwrap();
    assert_eq!(&facts.sid, desk.owner.account_sid());
    assert_eq!((facts.kind, facts.standing), (AccountKind::Full, AccountStanding::Active));
    assert_eq!(facts.friendly_name, "Practice account");
    for client in [&desk.owner, &desk.key] {
        client.probe().await.unwrap();
        let balance = client.balance().await.unwrap();
        assert_eq!((balance.amount.as_str(), balance.currency.as_str()), ("20.00", "USD"));
    }
}

async fn keys(desk: &Desk) {
    let name = "Kennex Dialer on desk (1a2b3c4d)";
    let made = desk.owner.create_key(name).await.unwrap();
    let listed = desk.owner.keys().await.unwrap();
    assert!(listed.iter().any(|key| key.sid == made.sid && key.friendly_name == name), "{listed:?}");
    let keyed = desk.with_key(made.sid.clone(), made.secret.clone());
    keyed.probe().await.unwrap();
    let guessed = desk.with_key(made.sid.clone(), "wrong".into());
    assert_eq!(code(guessed.probe().await), Some(20003));

    desk.owner.delete_key(&made.sid).await.unwrap();
    let revoked = keyed.probe().await.unwrap_err();
    assert_eq!((revoked.code(), revoked.passing()), (Some(20003), false));
    assert_eq!(revoked.user_error().code, ErrorCode::CredentialsRefused);
    assert!(desk.owner.delete_key(&made.sid).await.unwrap_err().is_not_found());
    let long = "x".repeat(FRIENDLY_NAME_MAX + 1);
    assert_eq!(code(desk.owner.create_key(&long).await), Some(70001));
}

async fn apps(desk: &Desk) {
    let settings = AppSettings {
        friendly_name: "Kennex Dialer on desk (1a2b3c4d)".into(),
        voice_url: Some("https://phone.example.com/api/calls/twiml".into()),
        voice_method: Some("POST".into()),
        voice_fallback_url: Some(String::new()),
        voice_fallback_method: Some("GET".into()),
        status_callback: Some("https://phone.example.com/api/calls/status?a=b&c=%20".into()),
        status_callback_method: Some("POST".into()),
    };
    let made = desk.key.create_application(&settings).await.unwrap();
    assert_eq!(made.settings, settings, "what was given is kept, to the byte");
    assert_eq!(desk.key.application(&made.sid).await.unwrap(), made);
    let only_address = AppSettings {
        friendly_name: settings.friendly_name.clone(),
        voice_url: Some("https://other.example.com/".into()),
        ..AppSettings::default()
    };
    let updated = desk.key.update_application(&made.sid, &only_address).await.unwrap();
    let expected = AppSettings { voice_url: only_address.voice_url, ..settings };
    assert_eq!(updated.settings, expected, "what is not named stays");
    assert!(desk.key.applications().await.unwrap().contains(&updated));
    desk.key.delete_application(&made.sid).await.unwrap();
    assert!(desk.key.application(&made.sid).await.unwrap_err().is_not_found());
    assert!(!desk.key.applications().await.unwrap().iter().any(|app| app.sid == made.sid));
}
