#![allow(clippy::unwrap_used, reason = "a failed expectation in a test should panic")]

use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::*;

const SEED: &str = "\u{feff}# Twilio\r
TWILIO_ACCOUNT_SID=AC0123456789abcdef0123456789abcdef\r
TWILIO_AUTH_TOKEN=\"fedcba9876543210fedcba9876543210\"   # from the Console\r
export TWILIO_API_KEY = SK0123456789abcdef0123456789abcdef\r
TWILIO_API_SECRET='Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk'\r
TWILIO_PHONE_NUMBER=+1 202 555 0123 # main line\r
TWILIO_TWIML_APP_SID: AP0123456789abcdef0123456789abcdef\r
\r
BACKEND_URL=https://phone.example.com/api/calls/twiml\r
PORT=3002\r
NODE_ENV=development\r
FRONTEND_URL=http://localhost:5173\r
VITE_API_URL=http://localhost:3002\r
JWT_SECRET=keep-this-for-yourself\r
DATABASE_URL=\"postgres://albert:hunter2@localhost/dialer\"\r
";

fn shown(file: &EnvFile, field: Field) -> Option<String> {
    let cleaned = file.filled.get(&field)?;
    if let Cleaned::Secret(secret) = cleaned {
        return Some(secret.expose_secret().to_owned());
    }
    cleaned.shown()
}

#[test]
fn the_guides_file_fills_every_field_and_says_why_the_rest_is_not_needed() {
    let file = read(SEED);
    let filled: Vec<(Field, String)> =
        Field::ALL.into_iter().filter_map(|field| Some((field, shown(&file, field)?))).collect();
    assert_eq!(
        filled,
        [
            (Field::AccountSid, "AC0123456789abcdef0123456789abcdef".to_owned()),
            (Field::AuthToken, "fedcba9876543210fedcba9876543210".to_owned()),
            (Field::ApiKey, "SK0123456789abcdef0123456789abcdef".to_owned()),
            (Field::ApiSecret, "Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk".to_owned()),
            (Field::PhoneNumber, "+12025550123".to_owned()),
            (Field::TwimlAppSid, "AP0123456789abcdef0123456789abcdef".to_owned()),
            (Field::BackendUrl, "https://phone.example.com".to_owned()),
        ]
    );
    assert_eq!(file.problems, Vec::<String>::new());
    let names: Vec<&str> = file.not_needed.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["PORT", "NODE_ENV", "FRONTEND_URL", "VITE_API_URL", "JWT_SECRET", "DATABASE_URL"]);
    assert_eq!(file.not_needed[0].to_string(), "PORT: the program finds a free port by itself");
    let printed = format!("{file:?}");
    for secret in ["fedcba98", "Aa1Bb2", "keep-this", "hunter2"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn other_names_for_the_same_fill_the_same_fields() {
    let file = read(
        "ACCOUNT_SID=AC0123456789abcdef0123456789abcdef\nAUTH_TOKEN=fedcba9876543210fedcba9876543210\n\
         TWILIO_API_KEY_SID=SK0123456789abcdef0123456789abcdef\n\
         TWILIO_API_KEY_SECRET=Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk\nTWILIO_CALLER_ID=+12025550123\n\
         TWIML_APP_SID=AP0123456789abcdef0123456789abcdef\nNGROK_URL=name.ngrok-free.dev\n\
         NGROK_AUTHTOKEN=2abCDefGhIJkLmNoPqRsTuVwXyZ_1234567890\n",
    );
    assert_eq!(file.problems, Vec::<String>::new());
    assert_eq!(file.filled.len(), 8);
    assert_eq!(shown(&file, Field::BackendUrl).as_deref(), Some("https://name.ngrok-free.dev"));
}

#[test]
fn the_last_of_two_counts_and_it_is_said() {
    let first = "TWILIO_API_KEY=SK0123456789abcdef0123456789abcdef\n";
    let file = read(&format!("{first}\nTWILIO_API_KEY_SID=SKffffffffffffffffffffffffffffffff\n"));
    assert_eq!(shown(&file, Field::ApiKey).as_deref(), Some("SKffffffffffffffffffffffffffffffff"));
    let said = "TWILIO_API_KEY in line 1 and TWILIO_API_KEY_SID in line 3 mean the same; line 3 counts.";
    assert_eq!(file.problems, [said]);

    let file = read(&format!("{first}{first}"));
    assert_eq!(file.problems, ["TWILIO_API_KEY is in lines 1 and 2; line 2 counts."]);
    let file = read(&format!("{first}TWILIO_API_KEY=\n"));
    assert!(file.problems.is_empty() && file.filled.len() == 1, "an empty line takes nothing back");
    let file = read(&format!("{first}TWILIO_API_KEY=SK012\n"));
    assert!(file.filled.is_empty(), "the last one counts even if it is wrong");
    assert_eq!(file.problems.len(), 2);
}

#[test]
fn text_of_the_example_and_wrong_forms_are_problems_with_the_line() {
    let file = read(
        "TWILIO_ACCOUNT_SID=ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nTWILIO_AUTH_TOKEN=your_auth_token_here\n\
         TWILIO_PHONE_NUMBER=\nBACKEND_URL=http://localhost:3002\nthis is no setting\n\
         NODE_ENV=test\nNODE_ENV=test\nTWILIO_REGION=ie1\nTWILIO_EDGE=ashburn\nTWILIO_WORKSPACE_SID=WS1\n",
    );
    assert!(file.filled.is_empty());
    let begins = [
        "Line 1, TWILIO_ACCOUNT_SID: This is still the text of an example.",
        "Line 2, TWILIO_AUTH_TOKEN: This is still the text of an example.",
        "Line 4, BACKEND_URL: This address leads only to this computer",
        "Line 5 is not of the form NAME=value",
        "Line 8, TWILIO_REGION: accounts are connected in Twilio's region US1",
    ];
    assert_eq!(file.problems.len(), begins.len(), "{:#?}", file.problems);
    for (problem, begin) in file.problems.iter().zip(begins) {
        assert!(problem.starts_with(begin), "{problem}");
    }
    let names: Vec<&str> = file.not_needed.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["NODE_ENV", "TWILIO_EDGE", "TWILIO_WORKSPACE_SID"]);

    assert_eq!(read("").problems, ["There is nothing in this file."]);
    assert_eq!(read("# only a comment\n\n").problems, ["There is nothing in this file."]);
    assert_eq!(read("TWILIO_AUTH_TOKEN=").problems, ["Line 1, TWILIO_AUTH_TOKEN: there is no value."]);
}

#[test]
fn an_address_of_one_run_is_not_kept() {
    let file = read("BACKEND_URL=https://four-random-words-here.trycloudflare.com/\n");
    assert!(file.filled.is_empty() && file.problems.is_empty());
    assert!(file.not_needed[0].reason.contains("one run of a tunnel"));
}

#[test]
fn quotes_follow_dotenv() {
    let token = |text: &str| shown(&read(text), Field::TunnelToken);
    let plain = Some("0123456789_abcdefghijk".to_owned());
    assert_eq!(token("TUNNEL_TOKEN=`0123456789_abcdefghijk`"), plain);
    assert_eq!(token("  TUNNEL_TOKEN  =  '0123456789_abcdefghijk' # a '#' outside"), plain);
    assert_eq!(token("TUNNEL_TOKEN=0123456789_abcdefghijk#comment"), plain);

    // A key over several lines is one value, and the line behind it is counted right.
    let file = read("KEY=\"-----BEGIN KEY-----\nMIIEvQIBADAN=\n-----END KEY-----\"\nnonsense\nPORT=1\n");
    assert_eq!(file.problems, ["Line 4 is not of the form NAME=value, so it was left out."]);
    assert_eq!(file.not_needed.len(), 2);

    let file = read("TUNNEL_TOKEN=\"0123456789_abcdefghijk\nPORT=\"3002\"\n");
    assert_eq!(shown(&file, Field::TunnelToken), plain);
    assert!(file.problems[0].contains("the quote at the beginning of the value is not closed"));
    assert_eq!(file.not_needed.len(), 1, "the line behind the open quote is still read");
}

#[test]
fn a_part_of_a_secret_is_not_taken_for_a_name() {
    for line in
        ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKc=", "fedcba9876543210fedcba9876543210=", "AB12CD34EF56AB78="]
    {
        let file = read(line);
        assert!(file.not_needed.is_empty(), "{line}");
        assert_eq!(file.problems, ["Line 1 names nothing this program knows, so it was left out."]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in "(?s).{0,200}") {
        read(&text);
    }

    #[test]
    fn anything_like_a_file_is_read_without_a_panic_and_quotes_no_value(
        lines in proptest::collection::vec(
            ("(export )?(TWILIO_AUTH_TOKEN|TWILIO_ACCOUNT_SID|BACKEND_URL|[A-Z_]{1,9})", "[=: ]{1,2}",
             "[\"'`#\\\\]?", "[a-z0-9]{16,40}", "[\"'`#\\\\]?", "(\r\n|\n|\r)"),
            0..8),
    ) {
        let text: String = lines.iter().map(|(a, b, c, d, e, f)| format!("{a}{b}{c}{d}{e}{f}")).collect();
        let told = format!("{:?}", read(&text).problems);
        for line in &lines {
            prop_assert!(!told.contains(&line.3), "{}", told);
        }
    }
}
