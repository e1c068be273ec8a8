#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use proptest::prelude::*;

use super::{E164, format, inspect, parse};

fn dialled(text: &str, home: &str) -> String {
    parse(text, home)
        .map_or_else(|problem| format!("problem: {problem}"), |number| number.as_str().to_owned())
}

fn problem(text: &str) -> String {
    parse(text, "US").unwrap_err().0
}

#[test]
fn numbers_as_people_write_them() {
    for (text, home, expected) in [
        ("2025550123", "US", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("1 202.555.0123", "US", "+12025550123"),
        ("+1 202 555 0123", "DE", "+12025550123"),
        ("001 202 555 0123", "DE", "+12025550123"),
        ("00 1 202 555 0123", "US", "+12025550123"),
        ("011 44 20 7946 0123", "US", "+442079460123"),
        ("0044 20 7946 0123", "US", "+442079460123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("+44 (0)20 7946 0123", "US", "+442079460123"),
        ("030 901820", "DE", "+4930901820"),
        ("06 6982", "IT", "+39066982"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("+1 800 555 CALL", "US", "+18005552255"),
        ("＋１２０２５５５０１２３", "US", "+12025550123"),
        ("٢٠٢٥٥٥٠١٢٣", "US", "+12025550123"),
        ("  +1 202 555 0123\r\n", "US", "+12025550123"),
        ("\u{202A}+1\u{A0}202\u{2011}555\u{2011}0123\u{202C}", "US", "+12025550123"),
        ("\u{0}+1202\u{7}555\u{1b}0123", "US", "+12025550123"),
        ("tel:+1-202-555-0123", "DE", "+12025550123"),
        ("TEL:%2B12025550123", "DE", "+12025550123"),
        ("tel:202-555-0123;phone-context=+1", "DE", "+12025550123"),
        ("callto://+12025550123", "DE", "+12025550123"),
        ("Phone: (202) 555-0123", "US", "+12025550123"),
        ("+1 202 555 0123 (mobile)", "US", "+12025550123"),
        ("+1 202 555 0123 ext. 7", "US", "+12025550123"),
        ("+1 202 555 0123 x7", "US", "+12025550123"),
        ("+800 1234 5678", "US", "+80012345678"),
    ] {
        assert_eq!(dialled(text, home), expected, "{text:?} in {home}");
    }
}

#[test]
fn numbers_reserved_for_fiction_can_be_dialled() {
    for last in 0..100 {
        let number = format!("+120255501{last:02}");
        let inspection = inspect(&number, "US");
        assert_eq!(inspection.e164.unwrap().as_str(), number);
        assert_eq!(inspection.country.as_deref(), Some("United States"));
        assert_eq!(inspection.problem, None);
    }
}

#[test]
fn every_problem_has_its_cure() {
    for (text, cure) in [
        ("", "Enter a telephone number"),
        ("Alice Smith", "Enter digits"),
        ("Agent 007", "too short"),
        ("2", "Enter digits"),
        ("20255", "too short"),
        ("555-0123", "area code"),
        ("20255501234567", "too long"),
        ("+999 1234567", "after the +"),
        ("+1 202 555 012", "too short"),
        ("+12025550123 / +12025550124", "Enter digits"),
        ("911", "Emergency"),
        ("112", "Emergency"),
        ("000", "Emergency"),
        ("9 1 1", "Emergency"),
        ("933", "Emergency"),
        ("+44 00 7946 01123", "too many zeros"),
        ("*86", "* or #"),
        ("#31#2025550123", "* or #"),
        ("sip:bob@example.com", "SIP"),
        ("12+34", "Enter digits"),
    ] {
        assert!(problem(text).contains(cure), "{text:?}: {}", problem(text));
    }
    assert!(problem(&"1".repeat(10_000)).contains("one number only"));
    assert!(parse("2025550123", "nowhere").unwrap_err().0.contains("Begin with +"));
    assert!(parse("2025550123", "ZZ").unwrap_err().0.contains("Begin with +"));
}

fn typed(text: &str, home: &str) -> Vec<String> {
    (1..=text.len()).map(|end| inspect(&text[..end], home).formatted).collect()
}

#[test]
fn digits_are_grouped_as_they_are_typed() {
    assert_eq!(
        typed("2025550123", "US"),
        [
            "2",
            "20",
            "202",
            "(202) 5",
            "(202) 55",
            "(202) 555",
            "(202) 555-0",
            "(202) 555-01",
            "(202) 555-012",
            "(202) 555-0123"
        ]
    );
    assert_eq!(typed("12025550123", "US").last().unwrap(), "1 202-555-0123");
    assert_eq!(
        typed("+442079460123", "US")[..9],
        ["+", "+4", "+44", "+44 2", "+44 20", "+44 20 7", "+44 20 79", "+44 20 794", "+44 20 7946"]
    );
    assert_eq!(typed("02079460123", "GB").last().unwrap(), "020 7946 0123");
    assert_eq!(typed("2079460123", "GB").last().unwrap(), "20 7946 0123");
    assert_eq!(typed("0044207946", "US").last().unwrap(), "+44 20 7946");
}

#[test]
fn what_is_no_plain_number_is_shown_as_it_was_typed() {
    for text in ["1-800-FLOWERS", "Alice", "911", "+", "12+34", "12345678901234567890"] {
        assert_eq!(inspect(text, "US").formatted, text);
    }
    assert_eq!(inspect(" \u{200E}Bob\n", "US").formatted, "Bob");
    assert_eq!(inspect(&"a".repeat(10_000), "US").formatted.len(), 250);
}

#[test]
fn the_country_is_named_once_it_is_certain() {
    let country = |text: &str| inspect(text, "US").country;
    assert_eq!(country("+1"), None);
    assert_eq!(country("+1 876 555 0123").as_deref(), Some("Jamaica"));
    assert_eq!(country("+49").as_deref(), Some("Germany"));
    assert_eq!(country("+800 1234 5678").as_deref(), Some("International"));
    assert_eq!(country("2025550123").as_deref(), Some("United States"));
    assert_eq!(country("202"), None);
}

#[test]
fn nothing_typed_is_no_problem() {
    for text in ["", "  ", "\u{200B}\n"] {
        let inspection = inspect(text, "US");
        assert_eq!((inspection.formatted.as_str(), inspection.e164, inspection.problem), ("", None, None));
    }
}

#[test]
fn numbers_are_shown_for_reading() {
    let shown = |text: &str| format(&E164::parse_strict(text).unwrap());
    assert_eq!(shown("+12025550123"), "+1 202-555-0123");
    assert_eq!(shown("+442079460123"), "+44 20 7946 0123");
    assert_eq!(shown("+9991234567"), "+9991234567");
    // A reader would take a zero off this one, as off +44 (0)20.
    assert_eq!(shown("+4300000000"), "+4300000000");
}

proptest! {
    #[test]
    fn any_text_is_inspected(text in any::<String>(), home in "[A-Z]{0,3}") {
        let inspection = inspect(&text, &home);
        prop_assert_eq!(inspection.e164.clone().ok_or(()), parse(&text, &home).map_err(|_| ()));
        prop_assert!(inspection.e164.is_none() || inspection.problem.is_none());
        prop_assert!(!inspection.formatted.chars().any(char::is_control));
    }

    #[test]
    fn grouping_keeps_every_digit(text in "\\+?[0-9]{0,15}", home in "US|GB|DE|IT|AR|MX|BR|JP") {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let formatted = inspect(&text, &home).formatted;
        let expected = match text.strip_prefix("00") {
            Some(rest) if rest.len() > 1 => digits(rest),
            Some(_) | None => digits(&text),
        };
        prop_assert_eq!(digits(&formatted), expected);
        // Typing goes on from what the field shows, so showing it again must change nothing.
        prop_assert_eq!(inspect(&formatted, &home).formatted, formatted.clone());
    }

    #[test]
    fn formatting_a_number_keeps_every_digit(text in "\\+[1-9][0-9]{6,14}") {
        let shown = format(&E164::parse_strict(&text).unwrap());
        let digits: String = shown.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
        prop_assert_eq!(digits, text);
    }
}

#[test]
fn a_number_tells_its_region() {
    let region = |number: &str| super::region(&E164::parse_strict(number).unwrap());
    assert_eq!(region("+12025550100").as_deref(), Some("US"));
    assert_eq!(region("+493012345678").as_deref(), Some("DE"));
    assert_eq!(region("+14165550123").as_deref(), Some("CA"));
}

#[test]
fn the_number_field_knows_emergency_numbers_however_they_are_written() {
    assert_eq!(inspect("9 1 1", "US").emergency.as_deref(), Some("911"));
    assert_eq!(inspect("000", "AU").emergency.as_deref(), Some("000"));
    assert_eq!(inspect("15", "FR").emergency.as_deref(), Some("15"));
    assert_eq!(inspect("15", "US").emergency, None);
    assert_eq!(inspect("+1 202 555 0100", "US").emergency, None);
}
