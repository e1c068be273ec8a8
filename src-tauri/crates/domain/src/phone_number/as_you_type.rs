//! Grouping the digits of a number that is not complete yet.
//!
//! The metadata groups complete numbers only. So the digits typed so far are filled up to a length
//! that is possible, the whole is grouped, and what was filled in is cut off again.

use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

/// The most digits E.164 allows.
const MAX_DIGITS: usize = 15;

/// Groups `digits` (ASCII). `international` digits begin with the country code and get a `+`;
/// others are as dialled inside `home`. Digits that fit no pattern come back ungrouped.
///
/// The shortest filling that makes an assigned kind of number decides; failing that, the shortest
/// whose number is grouped at all, since some possible lengths have no grouping.
pub(super) fn group(digits: &str, international: bool, home: Option<Region>) -> String {
    let plus = if international { "+" } else { "" };
    let mut second_best = None;
    for filling in 0..=MAX_DIGITS.saturating_sub(digits.len()) {
        let filled = format!("{plus}{digits}{}", "0".repeat(filling));
        let Ok(number) = PHONE_NUMBER_UTIL.parse(&filled, home) else {
            continue;
        };
        if PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) != Ok(NumberLengthType::IsPossible) {
            continue;
        }
        match grouped(&number, digits, international) {
            Some(text) if PHONE_NUMBER_UTIL.is_valid_number(&number) => return text,
            Some(text) if second_best.is_none() && has_groups(&number) => second_best = Some(text),
            Some(_) | None => {}
        }
    }
    if let Some(text) = second_best {
        return text;
    }
    match country_code(digits).filter(|_| international) {
        Some(length) if digits.len() > length => format!("+{} {}", &digits[..length], &digits[length..]),
        Some(_) | None => format!("{plus}{digits}"),
    }
}

/// How many of the first digits are a country code.
pub(super) fn country_code(digits: &str) -> Option<usize> {
    (1..=3).find(|length| {
        let code = digits.get(..*length).and_then(|code| code.parse::<i32>().ok());
        code.is_some_and(|code| PHONE_NUMBER_UTIL.get_region_for_country_code(code).is_some())
    })
}

/// The first form of `number` that shows the very digits that were typed, cut after the last one.
fn grouped(number: &PhoneNumber, digits: &str, international: bool) -> Option<String> {
    let full = PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::International).into_owned();
    if international {
        return cut(&full, digits);
    }
    // Inside a country people type the trunk prefix, or leave it out, or (in North America) begin
    // with the country code.
    let national = PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::National);
    let bare = full.split_once(' ').map_or("", |(_, rest)| rest);
    [national.as_ref(), bare, full.trim_start_matches('+')].into_iter().find_map(|form| cut(form, digits))
}

fn has_groups(number: &PhoneNumber) -> bool {
    let full = PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::International);
    full.split_once(' ').is_some_and(|(_, national)| national.contains(|c: char| !c.is_ascii_digit()))
}

/// The beginning of `form` up to the last of `digits`; `None` when `form` shows other digits.
fn cut(form: &str, digits: &str) -> Option<String> {
    let mut left = digits.chars();
    let mut expected = left.next()?;
    for (at, character) in form.char_indices() {
        if !character.is_ascii_digit() {
            continue;
        }
        if character != expected {
            return None;
        }
        match left.next() {
            Some(next) => expected = next,
            None => return Some(closed(&form[..=at])),
        }
    }
    None
}

/// Without a bracket that nothing closes.
fn closed(text: &str) -> String {
    if text.contains('(') && !text.contains(')') { text.replace('(', "") } else { text.to_owned() }
}
