//! Any text can be typed into the number field.

use dialer_domain::destination::Destination;
use dialer_domain::phone_number::{E164, format, inspect, parse, region};

/// Reads a text as somebody means it in a region.
pub fn try_out(bytes: &[u8]) {
    let [home, text] = super::pieces(bytes);
    let inspection = inspect(text, home);
    match parse(text, home) {
        Ok(number) => {
            assert_eq!(inspection.e164.as_ref(), Some(&number));
            assert_eq!(inspection.problem, None);
            assert_eq!(E164::parse_strict(number.as_str()).as_ref(), Ok(&number));
            assert_eq!(parse(number.as_str(), "").as_ref(), Ok(&number), "E.164 means the same everywhere");
            let digits: String = format(&number).chars().filter(char::is_ascii_digit).collect();
            assert_eq!(digits, number.as_str()[1..], "every digit is shown");
            let _ = region(&number);
        }
        Err(_) => assert_eq!(inspection.e164, None),
    }
    if let Ok(destination) = Destination::parse(text, home) {
        assert_eq!(Destination::parse(&destination.address(), home), Ok(destination));
    }
}
