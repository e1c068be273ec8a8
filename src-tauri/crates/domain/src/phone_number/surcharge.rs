//! Numbers that cost more than a telephone of their country, and what swindlers earn by.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

use super::{E164, nanp};

/// Why a number costs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Surcharge {
    /// The called party earns by the minute.
    Premium,
    /// Caller and called party share an increased price.
    SharedCost,
    /// A number that follows a person, or a pager: cheap to look at, dear to call.
    Personal,
    /// A satellite telephone.
    Satellite,
    /// A network of no country.
    InternationalNetwork,
}

impl Surcharge {
    /// What such a number is called, with its article, for a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Premium => "a premium-rate number",
            Self::SharedCost => "a shared-cost number",
            Self::Personal => "a personal or pager number, which is charged above the usual",
            Self::Satellite => "a satellite telephone",
            Self::InternationalNetwork => {
                "a number of an international network, which is charged above the usual"
            }
        }
    }
}

/// Ranges that are told by their first digits alone, whether or not the rest is a number in use. Country
/// codes of no country: ITU-T, "List of Recommendation ITU-T E.164 assigned country codes". +1 900:
/// North American Numbering Plan Administrator, "Pay-per-call services". +44 9: Ofcom, "National
/// Telephone Numbering Plan"; +44 70 there, "Personal Numbers".
const RANGES: [(&str, Surcharge); 10] = [
    ("1900", Surcharge::Premium),
    ("449", Surcharge::Premium),
    ("4470", Surcharge::Personal),
    ("808", Surcharge::SharedCost),
    ("870", Surcharge::Satellite),
    ("878", Surcharge::Personal),
    ("881", Surcharge::Satellite),
    ("882", Surcharge::InternationalNetwork),
    ("883", Surcharge::InternationalNetwork),
    ("979", Surcharge::Premium),
];

/// Why `number` costs more than others of its country; `None` if nothing says so.
///
/// Covered are numbers that libphonenumber's metadata knows as premium rate, shared cost, personal or
/// pager numbers in their country; satellite telephones (+870, +881); international networks (+882, +883),
/// shared cost (+808), personal (+878) and premium (+979) services; +1 900 and every +1 area code's
/// exchange 976; +44 9 and +44 70. Not covered, because they are ordinary numbers of a country: the
/// high-fraud countries themselves. Those are what the list of countries is for. The Caribbean ones
/// that share +1 with the United States are countries of their own there
/// ([`region`](super::region)), so that a phone allowed to call the United States may not call them.
pub fn surcharge(number: &E164) -> Option<Surcharge> {
    let digits = number.as_str().trim_start_matches('+');
    if let Some((_, why)) = RANGES.iter().find(|(range, _)| digits.starts_with(range)) {
        return Some(*why);
    }
    if digits.len() == 11 && digits.starts_with('1') && digits.get(4..7) == Some("976") {
        return Some(Surcharge::Premium);
    }
    if nanp::ordinary(number).is_some() {
        return None;
    }
    let number = PHONE_NUMBER_UTIL.parse(number.as_str(), None).ok()?;
    match PHONE_NUMBER_UTIL.get_number_type(&number) {
        PhoneNumberType::PremiumRate => Some(Surcharge::Premium),
        PhoneNumberType::SharedCost => Some(Surcharge::SharedCost),
        PhoneNumberType::PersonalNumber | PhoneNumberType::Pager => Some(Surcharge::Personal),
        PhoneNumberType::FixedLine
        | PhoneNumberType::Mobile
        | PhoneNumberType::FixedLineOrMobile
        | PhoneNumberType::TollFree
        | PhoneNumberType::VoIP
        | PhoneNumberType::UAN
        | PhoneNumberType::VoiceMail
        | PhoneNumberType::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn of(number: &str) -> Option<Surcharge> {
        surcharge(&E164::parse_strict(number).unwrap())
    }

    #[test]
    fn dear_numbers_are_known() {
        for (number, expected) in [
            ("+19002345678", Surcharge::Premium),
            // No number of that form exists; it is refused all the same.
            ("+19001234567", Surcharge::Premium),
            ("+12029765678", Surcharge::Premium),
            ("+499001234567", Surcharge::Premium),
            ("+33899123456", Surcharge::Premium),
            ("+449098790123", Surcharge::Premium),
            ("+611900123456", Surcharge::Premium),
            ("+979123456789", Surcharge::Premium),
            ("+80812345678", Surcharge::SharedCost),
            ("+4918012345", Surcharge::SharedCost),
            ("+33820123456", Surcharge::SharedCost),
            ("+447012345678", Surcharge::Personal),
            ("+878101234567890", Surcharge::Personal),
            ("+881612345678", Surcharge::Satellite),
            ("+870773111632", Surcharge::Satellite),
            ("+88213123456", Surcharge::InternationalNetwork),
            ("+883510012345", Surcharge::InternationalNetwork),
        ] {
            assert_eq!(of(number), Some(expected), "{number}");
        }
        for ordinary in [
            "+12025550123",
            "+18005551234",
            "+442079460123",
            "+493012345678",
            "+4915112345678",
            "+80012345678",
            "+18765550123",
            "+9991234567",
        ] {
            assert_eq!(of(ordinary), None, "{ordinary}");
        }
    }

    #[test]
    fn caribbean_area_codes_are_countries_of_their_own() {
        for (number, region) in [
            ("+12425550123", "BS"),
            ("+12465550123", "BB"),
            ("+12645550123", "AI"),
            ("+12685550123", "AG"),
            ("+12845550123", "VG"),
            ("+13405550123", "VI"),
            ("+13455550123", "KY"),
            ("+14415550123", "BM"),
            ("+14735550123", "GD"),
            ("+16495550123", "TC"),
            ("+16645550123", "MS"),
            ("+17215550123", "SX"),
            ("+17585550123", "LC"),
            ("+17675550123", "DM"),
            ("+17845550123", "VC"),
            ("+18685550123", "TT"),
            ("+18695550123", "KN"),
            ("+18765550123", "JM"),
            ("+18095550123", "DO"),
        ] {
            let found = crate::phone_number::region(&E164::parse_strict(number).unwrap());
            // Where the metadata knows no such exchange, the region is unknown, which is not allowed either.
            assert!(found.as_deref().is_none_or(|found| found == region), "{number}: {found:?}");
            assert_ne!(found.as_deref(), Some("US"), "{number}");
        }
    }
}
