#![allow(clippy::unwrap_used, reason = "a failed expectation in a test should panic")]

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;

const AC: &str = "AC0123456789abcdef0123456789abcdef";
const SK: &str = "SK0123456789abcdef0123456789abcdef";
const AP: &str = "AP0123456789abcdef0123456789abcdef";
const PN: &str = "PN0123456789abcdef0123456789abcdef";
const TOKEN: &str = "fedcba9876543210fedcba9876543210";
const SECRET: &str = "Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk";

fn plain(cleaned: &Cleaned) -> String {
    if let Cleaned::Secret(secret) = cleaned {
        return secret.expose_secret().to_owned();
    }
    cleaned.shown().unwrap()
}

fn value(field: Field, text: &str) -> String {
    let cleaned = check(field, text).unwrap_or_else(|sentence| panic!("{field:?} of {text:?}: {sentence}"));
    plain(&cleaned)
}

fn refused(field: Field, text: &str) -> String {
    let sentence = check(field, text).err().unwrap_or_else(|| panic!("{field:?} took {text:?}"));
    assert!(sentence.ends_with('.') && sentence.len() > 30, "{sentence}");
    sentence
}

#[test]
fn the_plain_values_are_taken_as_they_are() {
    for (field, text) in [
        (Field::AccountSid, AC),
        (Field::AuthToken, TOKEN),
        (Field::ApiKey, SK),
        (Field::ApiSecret, SECRET),
        (Field::ApiSecret, TOKEN),
        (Field::PhoneNumber, "+12025550123"),
        (Field::TwimlAppSid, AP),
        (Field::BackendUrl, "https://phone.example.com"),
        (Field::TunnelToken, "2abCDefGhIJkLmNoPqRsTuVwXyZ_1234567890abcdefghijk"),
        (Field::TunnelToken, "eyJhIjoiMDEyMyIsInQiOiI0NTY3IiwicyI6Ijg5YWIifQ=="),
    ] {
        assert_eq!(value(field, text), text, "{field:?}");
    }
}

#[test]
fn what_copying_leaves_on_a_value_is_taken_off() {
    for text in [
        format!("  {AC}\r\n"),
        format!("“{AC}”"),
        format!("'{AC}'"),
        format!("\u{feff}{AC}\u{200b}"),
        format!("AC\u{200b}{}", &AC[2..]),
        format!("\u{a0}{AC}\u{a0}"),
        format!("Account SID: {AC}"),
        format!("Account SID\n{AC}"),
        format!("account sid = \"{AC}\","),
        format!("TWILIO_ACCOUNT_SID={AC}"),
        format!("export TWILIO_ACCOUNT_SID='{AC}';"),
        format!("{AC}."),
        format!("ac{}", &AC[2..]),
    ] {
        assert_eq!(value(Field::AccountSid, &text), AC, "{text:?}");
    }
    assert_eq!(value(Field::AuthToken, &format!("Auth Token\t{TOKEN}")), TOKEN);
    assert_eq!(value(Field::AuthToken, &format!("Primary auth token: `{TOKEN}`")), TOKEN);
    assert_eq!(value(Field::ApiSecret, &format!("Secret: {SECRET}")), SECRET);
    assert_eq!(value(Field::PhoneNumber, "My Twilio phone number: (+1) 202-555-0123"), "+12025550123");
    assert_eq!(value(Field::PhoneNumber, "tel:+1-202-555-0123"), "+12025550123");
    let token = "2abCDefGhIJkLmNoPqRsTuVwXyZ_1234567890abcdefghijk";
    assert_eq!(value(Field::TunnelToken, &format!("ngrok config add-authtoken {token}")), token);
    assert_eq!(value(Field::TunnelToken, &format!("$ cloudflared tunnel run --token {token}")), token);
    assert_eq!(value(Field::TunnelToken, &format!("sudo cloudflared service install {token}")), token);
}

#[test]
fn mistakes_are_told_apart() {
    for (field, text, tells) in [
        (Field::AccountSid, "", "Nothing was entered. The Account SID is on"),
        (Field::AccountSid, " \u{200b}\"\" ", "Nothing was entered"),
        (Field::AccountSid, SK, "This is the SID of an API key, not the Account SID."),
        (Field::AccountSid, AP, "This is the SID of a TwiML App, not"),
        (Field::AccountSid, PN, "This is the SID of a telephone number, not"),
        (Field::AccountSid, "US0123456789abcdef0123456789abcdef", "This is the SID of a Twilio user"),
        (Field::AccountSid, TOKEN, "This looks like an Auth Token, not like the Account SID"),
        (Field::AccountSid, SECRET, "This looks like the secret of an API key"),
        (Field::AccountSid, "albert@example.com", "This is an e-mail address"),
        (Field::AccountSid, "+1 202-555-0123", "This looks like a telephone number"),
        (
            Field::AccountSid,
            &AC[..33],
            "This has 33 characters, and the Account SID has 34: a part is missing",
        ),
        (
            Field::AccountSid,
            &format!("{AC}0"),
            "35 characters, and the Account SID has 34: there is too much",
        ),
        (Field::AccountSid, "ACO123456789abcdef0123456789abcdef", "a letter O in place of a zero"),
        (Field::AccountSid, "AC0123456789 abcdef0123456789abcdef", "There are spaces inside"),
        (Field::AccountSid, "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "still the text of an example"),
        (Field::AccountSid, "albert", "begins with AC"),
        (Field::AuthToken, AC, "This is the Account SID, not the Auth Token"),
        (Field::AuthToken, SK, "This is the SID of an API key, not the Auth Token"),
        (Field::AuthToken, SECRET, "This looks like the secret of an API key, not like the Auth Token"),
        (Field::AuthToken, "FEDCBA9876543210FEDCBA9876543210", "no capital letters"),
        (
            Field::AuthToken,
            &TOKEN[..31],
            "This has 31 characters, and the Auth Token has 32: a part is missing",
        ),
        (Field::AuthToken, "fedcba98 76543210 fedcba98 76543210", "There are spaces inside"),
        (Field::AuthToken, "••••••••••••••••", "only the dots"),
        (Field::AuthToken, "your_auth_token_here", "still the text of an example"),
        (Field::AuthToken, "[AuthToken]", "still the text of an example"),
        (Field::ApiKey, AC, "This is the Account SID, not the SID of an API key"),
        (Field::ApiSecret, SK, "This is the SID of an API key, not the secret of an API key"),
        (Field::ApiSecret, &SECRET[..30], "This has 30 characters, and the secret of an API key has 32"),
        (Field::ApiSecret, "Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0K!", "a character that the secret"),
        (Field::PhoneNumber, PN, "This is the SID of a telephone number, not a number"),
        (Field::PhoneNumber, "+1234567890", "still the text of an example"),
        (Field::PhoneNumber, "+1XXXXXXXXXX", "still the text of an example"),
        (Field::TwimlAppSid, SK, "not the SID of a TwiML App"),
        (Field::TunnelToken, SK, "This is the SID of an API key, not the token of a tunnel"),
        (Field::TunnelToken, "abc", "too short"),
        (Field::TunnelToken, "$YOUR_AUTHTOKEN", "still the text of an example"),
        (Field::TunnelToken, "https://dash.example/tokens/abcdef", "This is a web address"),
    ] {
        let sentence = refused(field, text);
        assert!(sentence.contains(tells), "{field:?} of {text:?}: {sentence}");
    }
    assert!(refused(Field::PhoneNumber, "202 555 0123").contains("country"), "no country can be guessed");
}

#[test]
fn an_address_is_brought_to_its_base() {
    for (text, base) in [
        ("https://phone.example.com/", "https://phone.example.com"),
        ("phone.example.com", "https://phone.example.com"),
        ("BACKEND_URL=https://phone.example.com", "https://phone.example.com"),
        ("HTTPS://Phone.Example.com:443/api/calls/twiml", "https://phone.example.com"),
        ("https://phone.example.com/api/calls/status/", "https://phone.example.com"),
        ("https://phone.example.com:8443/dialer/api/calls/twiml", "https://phone.example.com:8443/dialer"),
        ("https://name.ngrok-free.dev", "https://name.ngrok-free.dev"),
        ("https://203.0.113.7", "https://203.0.113.7"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ] {
        assert_eq!(value(Field::BackendUrl, text), base);
    }
    for (text, tells) in [
        ("http://phone.example.com", "must begin with https: over http"),
        ("ftp://phone.example.com", "must begin with https://"),
        ("http://localhost:3002", "leads only to this computer"),
        ("https://127.0.0.1", "leads only to this computer"),
        ("https://192.168.1.5:3002", "leads only to this computer"),
        ("https://[::1]", "leads only to this computer"),
        ("https://laptop.local", "leads only to this computer"),
        ("https://laptop", "has no dot"),
        ("https://albert:pw@phone.example.com", "user name or a password"),
        ("https://phone.example.com/?key=1", "behind “?”"),
        ("https://phone.example.com/#a", "“#”"),
        ("https://your-domain.com", "still the text of an example"),
        ("https://xxxx.ngrok.io", "still the text of an example"),
        ("https://phone example.com", "spaces inside"),
        ("https://", "no web address"),
        ("https://phone.example.com:99999", "no web address"),
    ] {
        let sentence = refused(Field::BackendUrl, text);
        assert!(sentence.contains(tells), "{text}: {sentence}");
    }
}

#[test]
fn a_host_is_an_example_by_whole_words_only() {
    for host in [
        "yourkit.com",
        "change.org",
        "phone.acme.xxx",
        "phone.xxxlutz.de",
        "replacements.com",
        "call-your-bank.com",
        "foryour.app",
        "replaceyourwindows.co.uk",
        "desk.changeme-not.io",
        "maxxx.net",
        "placeholders.org",
    ] {
        assert_eq!(value(Field::BackendUrl, &format!("https://{host}")), format!("https://{host}"));
    }
    assert_eq!(
        value(Field::BackendUrl, "https://phone.acme.com/your/phone_here"),
        "https://phone.acme.com/your/phone_here"
    );
    for text in [
        "https://yourdomain.com",
        "your-ngrok-url.ngrok-free.app",
        "https://your-subdomain.example.com/path",
        "https://xxxxxxxx.ngrok.io",
        "https://YOUR_DOMAIN",
        "https://replace-me.com",
        "https://changeme.com",
        "https://your-own-domain.com:8443",
        "<your public url>",
        "https://abc….ngrok.io",
    ] {
        assert!(refused(Field::BackendUrl, text).contains("still the text of an example"), "{text}");
    }
}

#[test]
fn what_may_be_a_secret_is_known_in_every_field() {
    let ngrok = "2abCDefGhIJkLmNoPqRsTuVwXyZ_1234567890abcdefghijk";
    let cloudflared = "eyJhIjoiMDEyMyIsInQiOiI0NTY3IiwicyI6Ijg5YWIifQ==";
    for text in [
        TOKEN.to_owned(),
        SECRET.to_owned(),
        ngrok.to_owned(),
        cloudflared.to_owned(),
        TOKEN.to_uppercase(),
        TOKEN[..31].to_owned(),
        format!("{TOKEN}0"),
        format!("Auth Token: “{TOKEN}”"),
        format!("AUTH={TOKEN}"),
        format!("https://{TOKEN}"),
        format!("https://phone.example.com/?token={SECRET}"),
        format!("+1 {TOKEN}"),
        "fedcba98 76543210 fedcba98 76543210".to_owned(),
        format!("{AC}:{TOKEN}"),
        "12345678901234567890123456789012".to_owned(),
        "https://albert:pw@phone.example.com".to_owned(),
        "albert:pw@phone.example.com".to_owned(),
    ] {
        assert!(may_be_secret(&text), "{text}");
    }
    for text in [
        "",
        AC,
        SK,
        PN,
        "+1 (202) 555-0123",
        "tel:+12025550123",
        "My Twilio phone number: (+1) 202-555-0123",
        "12025550123",
        "https://phone.example.com:8443/dialer",
        "https://name.ngrok-free.dev",
        "https://a1b2c3d4e5f6.ngrok.app",
        "https://purple-elephants-dance-quietly.trycloudflare.com",
        "https://01234567-89ab-cdef-0123-456789abcdef.cfargotunnel.com",
        "https://ec2-203-0-113-7.eu-central-1.compute.amazonaws.com",
        "https://telephonesofthewholecompany.example",
        "https://[2001:db8::7]:3002",
        "albert@example.com",
        "your_auth_token_here",
    ] {
        assert!(!may_be_secret(text), "{text}");
    }
}

#[test]
fn a_secret_that_was_taken_is_not_printed() {
    let cleaned = check(Field::AuthToken, TOKEN).unwrap();
    assert_eq!(cleaned.shown(), None);
    assert!(!format!("{cleaned:?}").contains("fedcba"));
    assert!(Field::ALL.iter().filter(|field| field.is_secret()).count() == 3);
}

proptest! {
    #[test]
    fn any_text_is_answered_and_what_is_taken_is_taken_again(text in "\\PC{0,80}", n in 0..8usize) {
        let field = Field::ALL[n];
        if let Ok(cleaned) = check(field, &text) {
            let once = plain(&cleaned);
            prop_assert_eq!(value(field, &once), once);
        }
    }

    #[test]
    fn no_sentence_quotes_what_was_entered(
        text in "[A-Za-z0-9]{12,40}",
        label in "(Auth Token: |AC|SK|https://|\\+)?",
        n in 0..8usize,
    ) {
        // What is taken for a secret in its own field is known for one in every other.
        for field in Field::ALL.into_iter().filter(|field| field.is_secret()) {
            if check(field, &text).is_ok() && text.bytes().any(|b| b.is_ascii_digit()) {
                prop_assert!(may_be_secret(&text));
            }
        }
        if let Err(sentence) = check(Field::ALL[n], &format!("{label}{text}")) {
            prop_assert!(!sentence.contains(&text), "{}", sentence);
        }
    }
}
