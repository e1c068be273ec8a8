//! From what was typed or pasted to a number.

use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, ParseError, PhoneNumber, PhoneNumberFormat, Region, ValidationError,
};

use super::as_you_type::{country_code, group};
use super::region_name::region_name;
use super::{E164, InvalidNumber, NumberInspection, emergency_number, is_emergency, nanp};

/// The longest text that is looked at, in characters; libphonenumber has the same limit.
const MAX_TEXT_LENGTH: usize = 250;

/// Reads the number in `text`, as someone in `home_region` (ISO 3166, such as `US`) means it.
///
/// Takes national and international forms, `00` for `+`, any punctuation and any script's digits,
/// numbers in letters (`1-800-FLOWERS`), `tel:` links, and text around one number. An extension is
/// left out; it is for the keypad once the call is up.
pub fn parse(text: &str, home_region: &str) -> Result<E164, InvalidNumber> {
    // As Twilio and the number field write it.
    if let Some(number) = E164::parse_strict(text).ok().filter(|number| nanp::ordinary(number).is_some()) {
        return Ok(number);
    }
    read(&clean(text), home(home_region)).map(|(e164, _)| e164)
}

/// Reads what was typed so far, for the number field. Meant for every keystroke.
pub fn inspect(text: &str, home_region: &str) -> NumberInspection {
    let emergency = emergency_number(text, home_region);
    let text = clean(text);
    let home = home(home_region);
    let formatted = as_typed(&text, home);
    if text.is_empty() {
        return NumberInspection { formatted, e164: None, country: None, problem: None, emergency };
    }
    match read(&text, home) {
        Ok((e164, number)) => NumberInspection {
            formatted,
            e164: Some(e164),
            country: country_of(&number),
            problem: None,
            emergency,
        },
        Err(problem) => {
            let country = country_of_beginning(&text);
            NumberInspection { formatted, e164: None, country, problem: Some(problem.0), emergency }
        }
    }
}

fn home(region: &str) -> Option<Region> {
    let region = region.parse().ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| region)
}

/// Text without what cannot be seen, without a link's scheme, and with `+` for a leading `00`.
fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c })
        .take(MAX_TEXT_LENGTH + 1)
        .collect();
    let text = visible.trim();
    let link = ["tel:", "callto:"].into_iter().find_map(|scheme| strip_prefix_ignoring_case(text, scheme));
    let text = link.map_or_else(|| text.to_owned(), |link| unescape(link.trim_start_matches('/')));
    match text.strip_prefix("00") {
        // Three digits are no number abroad, but an emergency number: 000 in Australia.
        Some(rest) if rest.len() > 1 && rest.starts_with(|c: char| c.is_ascii_digit() || c == ' ') => {
            format!("+{}", rest.trim_start())
        }
        Some(_) | None => text,
    }
}

/// Marks of direction and joining that come along when text is copied.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Undoes percent-encoding of visible ASCII, all that a `tel:` link can need (RFC 3966).
fn unescape(link: &str) -> String {
    let mut pieces = link.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code.filter(|code| (0x20..0x7F).contains(code)) {
            Some(code) => {
                text.push(char::from(code));
                text.push_str(&piece[2..]);
            }
            None => {
                text.push('%');
                text.push_str(piece);
            }
        }
    }
    text
}

/// The text with its digits grouped, where it holds digits and punctuation only.
fn as_typed(text: &str, home: Option<Region>) -> String {
    let plain = text
        .chars()
        .all(|c| is_digit(c) || matches!(c, '+' | '＋' | ' ' | '-' | '.' | '(' | ')' | '/' | '–'));
    let digits = PHONE_NUMBER_UTIL.normalize_digits_only(text);
    if !plain || digits.is_empty() || digits.len() > 15 || text.chars().skip(1).any(|c| c == '+' || c == '＋')
    {
        return text.chars().take(MAX_TEXT_LENGTH).collect();
    }
    group(&digits, has_plus(text), home)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || !PHONE_NUMBER_UTIL.normalize_digits_only(c.encode_utf8(&mut [0; 4])).is_empty()
}

fn has_plus(text: &str) -> bool {
    text.starts_with(['+', '＋'])
}

fn read(text: &str, home: Option<Region>) -> Result<(E164, PhoneNumber), InvalidNumber> {
    let problem = |sentence: &str| Err(InvalidNumber(sentence.to_owned()));
    if text.is_empty() {
        return problem("Enter a telephone number.");
    }
    if text.chars().count() > MAX_TEXT_LENGTH {
        return problem("This is too long for a telephone number. Enter one number only.");
    }
    if strip_prefix_ignoring_case(text, "sip:").is_some()
        || strip_prefix_ignoring_case(text, "sips:").is_some()
    {
        return problem("SIP addresses cannot be called. Enter a telephone number.");
    }
    if text.starts_with(['*', '#']) {
        return problem("Codes with * or # are for your telephone company. Enter a telephone number.");
    }
    let home_region = home.map(|home| home.as_region_str());
    if is_emergency(text, home_region.as_deref().unwrap_or_default()) {
        return problem("Emergency numbers cannot be called from here. Use a telephone.");
    }
    // Words before the digits are a name, words behind them a remark or a number in letters.
    let digits_at = text.find(|c| is_digit(c) || c == '+' || c == '＋').unwrap_or(text.len());
    let text = &text[digits_at..];
    let whole = read_number(text, home);
    match text.find(char::is_alphabetic) {
        Some(word_at) if whole.is_err() => {
            read_number(text[..word_at].trim_end_matches([' ', '(', ',']), home).or(whole)
        }
        Some(_) | None => whole,
    }
}

fn read_number(text: &str, home: Option<Region>) -> Result<(E164, PhoneNumber), InvalidNumber> {
    let number = PHONE_NUMBER_UTIL.parse(text, home).map_err(|error| unreadable(&error, text, home))?;
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) {
        Ok(NumberLengthType::IsPossible) => {}
        Ok(NumberLengthType::IsPossibleLocalOnly) => {
            return Err(InvalidNumber("The area code is missing. Add it in front of the number.".into()));
        }
        Err(error) => return Err(impossible(error)),
    }
    let e164 = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164);
    // Of zeros typed too many one may be left behind the country code, where it makes another number.
    let again = PHONE_NUMBER_UTIL.parse(&e164, None);
    if again.ok().is_none_or(|again| PHONE_NUMBER_UTIL.format(&again, PhoneNumberFormat::E164) != e164) {
        return Err(InvalidNumber("There are too many zeros at the beginning. Take them out.".into()));
    }
    E164::parse_strict(&e164)
        .map(|e164| (e164, number))
        .map_err(|_| impossible(ValidationError::InvalidLength))
}

fn unreadable(error: &ParseError, text: &str, home: Option<Region>) -> InvalidNumber {
    let sentence = match error {
        ParseError::InvalidCountryCode if has_plus(text) => {
            "No country has this code. Check the digits after the +."
        }
        ParseError::InvalidCountryCode if home.is_none() => {
            "The country is missing. Begin with + and the country code, such as +44."
        }
        ParseError::InvalidCountryCode | ParseError::NotANumber(_) => {
            "This is not a telephone number. Enter digits, such as +1 202 555 0123."
        }
        ParseError::TooShortAfterIdd | ParseError::TooShortNsn => TOO_SHORT,
        ParseError::TooLongNsn => TOO_LONG,
    };
    InvalidNumber(sentence.to_owned())
}

const TOO_SHORT: &str = "The number is too short. Add the missing digits.";
const TOO_LONG: &str = "The number is too long. Take out the digits that are too many.";

fn impossible(error: ValidationError) -> InvalidNumber {
    let sentence = match error {
        ValidationError::InvalidCountryCode => "No country has this code. Check the digits after the +.",
        ValidationError::TooShort => TOO_SHORT,
        ValidationError::InvalidLength => "No number of this country has so many digits. Check them.",
        ValidationError::TooLong => TOO_LONG,
    };
    InvalidNumber(sentence.to_owned())
}

/// The country of a whole number. Where several share a country code, only the number itself tells.
fn country_of(number: &PhoneNumber) -> Option<String> {
    let region =
        PHONE_NUMBER_UTIL.get_region_for_number(number).or_else(|| only_region_of(number.country_code))?;
    region_name(&region.as_region_str()).map(str::to_owned)
}

/// The region a number belongs to, as ISO 3166, such as `US`; `None` where its code is that of no country.
pub fn region(number: &E164) -> Option<String> {
    if let Some(region) = nanp::ordinary(number) {
        return Some(region.to_owned());
    }
    let number = PHONE_NUMBER_UTIL.parse(number.as_str(), None).ok()?;
    let region =
        PHONE_NUMBER_UTIL.get_region_for_number(&number).or_else(|| only_region_of(number.country_code))?;
    Some(region.as_region_str().to_string())
}

/// The country of a number that is not complete, once its code leaves no doubt.
fn country_of_beginning(text: &str) -> Option<String> {
    if !has_plus(text) {
        return None;
    }
    let digits = PHONE_NUMBER_UTIL.normalize_digits_only(text);
    let code = digits[..country_code(&digits)?].parse().ok()?;
    only_region_of(code).and_then(|region| region_name(&region.as_region_str())).map(str::to_owned)
}

fn only_region_of(country_code: i32) -> Option<Region> {
    let mut regions = PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(country_code)?;
    let first = regions.next()?;
    regions.next().is_none().then_some(first)
}
