//! Emergency numbers of every region.

use rlibphonenumber::PHONE_NUMBER_UTIL;

use super::E164;

/// Numbers that mean an emergency in many countries, and that networks elsewhere often connect, too. They
/// count everywhere, so that an agent who is abroad, or whose home is set wrongly, is told the same.
const EVERYWHERE: [&str; 4] = ["000", "112", "911", "999"];

/// How many digits the longest of them has.
const LONGEST: usize = 6;
/// How many digits the longest country code has.
const LONGEST_COUNTRY_CODE: usize = 3;

/// Region (ISO 3166; `XK`, `AC` as libphonenumber uses them) and its emergency numbers, `?` for any digit,
/// sorted by region. From libphonenumber's `ShortNumberMetadata.xml` (release 9.0.33), element `emergency`:
/// police, fire and ambulance. Added: 933, by which Twilio reads back the address registered for 911.
#[rustfmt::skip]
const BY_REGION: &[(&str, &str)] = &[
    ("AC", "911 999"),
    ("AD", "110 112 116 118"),
    ("AE", "112 997 998 999"),
    ("AF", "100 102 119"),
    ("AG", "911 999"),
    ("AI", "911"),
    ("AL", "112 127 128 129"),
    ("AM", "101 102 103"),
    ("AO", "112 113 115"),
    ("AR", "100 101 107 911"),
    ("AS", "911"),
    ("AT", "112 122 133 144"),
    ("AU", "000 106 112"),
    ("AW", "100 911"),
    ("AX", "112"),
    ("AZ", "101 102 103 112"),
    ("BA", "122 123 124"),
    ("BB", "211 311 511 911"),
    ("BD", "100 101 102 199 999"),
    ("BE", "100 101 112"),
    ("BF", "17 18"),
    ("BG", "112 150 160 166"),
    ("BH", "199 999"),
    ("BI", "112 113 117"),
    ("BJ", "112 114 116 117 118"),
    ("BL", "18"),
    ("BM", "911"),
    ("BN", "991 993 995"),
    ("BO", "110 118 119"),
    ("BQ", "112 911"),
    ("BR", "112 128 190 192 193 911"),
    ("BS", "911 919"),
    ("BT", "110 112 113"),
    ("BW", "911 997 998 999"),
    ("BY", "101 102 103 112"),
    ("BZ", "90 911 990"),
    ("CA", "112 911"),
    ("CC", "000 112"),
    ("CD", "113 114 118 177 188"),
    ("CF", "117 118 1220"),
    ("CG", "117 118"),
    ("CH", "112 117 118 144"),
    ("CI", "110 111 170 180"),
    ("CK", "996 998 999"),
    ("CL", "131 132 133 911"),
    ("CM", "13 17 113 117"),
    ("CN", "110 119 120"),
    ("CO", "112 119 123 132 156"),
    ("CR", "112 911"),
    ("CU", "104 105 106"),
    ("CV", "130 131 132"),
    ("CW", "112 911"),
    ("CX", "000 112"),
    ("CY", "112 199"),
    ("CZ", "112 150 151 152 153 154 155 156 157 158 159"),
    ("DE", "110 112"),
    ("DJ", "17 18"),
    ("DK", "112 114"),
    ("DM", "333 911 999"),
    ("DO", "112 911"),
    ("DZ", "14 17 112"),
    ("EC", "101 102 112 911"),
    ("EE", "110 112"),
    ("EG", "122 123 180"),
    ("EH", "15 19 177"),
    ("ER", "112 113 114 116 124422 127799 201606 201917 202099 202914"),
    ("ES", "085 088 112"),
    ("ET", "91 92 93 911 939 991 997"),
    ("FI", "112"),
    ("FJ", "911 917"),
    ("FK", "999"),
    ("FM", "911 320221"),
    ("FO", "112 114"),
    ("FR", "15 17 18 112"),
    ("GA", "18 1730 13??"),
    ("GB", "112 999"),
    ("GD", "911"),
    ("GE", "011 022 033 111 112 113 122"),
    ("GF", "15 17 18"),
    ("GG", "112 999"),
    ("GH", "191 192 193 999"),
    ("GI", "112 190 199"),
    ("GL", "112"),
    ("GM", "16 17 18 116 117 118"),
    ("GP", "15 17 18"),
    ("GR", "100 112 166 199"),
    ("GT", "110 120 123"),
    ("GU", "911"),
    ("GW", "113 117 118"),
    ("GY", "911 912 913"),
    ("HK", "112 992 999"),
    ("HN", "199"),
    ("HR", "93 94 112 192 193 194"),
    ("HT", "114 118"),
    ("HU", "104 105 107 112"),
    ("ID", "110 112 113 118 119"),
    ("IE", "112 999"),
    ("IL", "100 101 102 112"),
    ("IM", "999"),
    ("IN", "100 101 102 108 112 1298 2611"),
    ("IQ", "100 104 115 122"),
    ("IR", "110 112 115 125 911"),
    ("IS", "112"),
    ("IT", "112 113 115 118"),
    ("JE", "112 999"),
    ("JM", "110 112 119 911"),
    ("JO", "112 191 192 197 911"),
    ("JP", "110 119"),
    ("KE", "112 114 999"),
    ("KG", "101 102 103"),
    ("KH", "117 118 119 666"),
    ("KI", "192 193 194 195 992 993 994"),
    ("KM", "17 18"),
    ("KN", "333 911 999"),
    ("KP", "112 119 819"),
    ("KR", "112 119"),
    ("KW", "112"),
    ("KY", "911"),
    ("KZ", "101 102 103 112"),
    ("LA", "190 191 195"),
    ("LB", "112 140 175 999"),
    ("LC", "911 999"),
    ("LI", "112 117 118 144"),
    ("LK", "110 112 116 118 119"),
    ("LR", "355 911"),
    ("LS", "112 115 117"),
    ("LT", "01 02 03 011 022 033 101 102 103 112"),
    ("LU", "112 113"),
    ("LV", "01 02 03 110 112 113"),
    ("LY", "190 191 193"),
    ("MA", "15 19 177"),
    ("MC", "15 17 18 112"),
    ("MD", "112 901 902 903"),
    ("ME", "112 122 123 124"),
    ("MF", "15 17 18"),
    ("MG", "17 18 117 118"),
    ("MH", "911"),
    ("MK", "112 192 193 194"),
    ("ML", "15 17 18"),
    ("MM", "199"),
    ("MN", "100 101 102 103 105"),
    ("MO", "999"),
    ("MP", "911"),
    ("MQ", "15 17 18 112"),
    ("MR", "17 18"),
    ("MS", "911 999"),
    ("MT", "112"),
    ("MU", "114 115 995 999"),
    ("MV", "102 118 119"),
    ("MW", "199 997 998 999"),
    ("MX", "060 065 066 068 080 911"),
    ("MY", "112 999"),
    ("MZ", "117 119 197 198"),
    ("NA", "10111"),
    ("NC", "15 16 17 18"),
    ("NE", "15 17 18 118 723141"),
    ("NF", "911 955 977"),
    ("NG", "199"),
    ("NI", "115 118 120 128"),
    ("NL", "112 911"),
    ("NO", "110 112 113"),
    ("NP", "100 101 102 103 112"),
    ("NR", "110 111 112"),
    ("NU", "999"),
    ("NZ", "111"),
    ("OM", "1444 9999"),
    ("PA", "911"),
    ("PE", "105 116 117"),
    ("PF", "15 17 18"),
    ("PG", "000 110 111"),
    ("PH", "112 117 911"),
    ("PK", "15 16 112 115 1122"),
    ("PL", "112 997 998 999"),
    ("PM", "15 17 18"),
    ("PR", "911"),
    ("PS", "100 101 102"),
    ("PT", "112 115"),
    ("PW", "911"),
    ("PY", "128 911"),
    ("QA", "999"),
    ("RE", "15 17 18 112"),
    ("RO", "112"),
    ("RS", "92 93 94 112"),
    ("RU", "01 02 03 101 102 103 112"),
    ("RW", "111 112"),
    ("SA", "112 911 997 999"),
    ("SB", "999"),
    ("SC", "999"),
    ("SD", "999"),
    ("SE", "112 90000"),
    ("SG", "993 995 999"),
    ("SH", "911 999"),
    ("SI", "112 113"),
    ("SJ", "110 112 113"),
    ("SK", "112 150 155 158"),
    ("SL", "019 999"),
    ("SM", "113 115 118"),
    ("SN", "17 18"),
    ("SO", "555 888 999"),
    ("SR", "115"),
    ("SS", "999"),
    ("ST", "112"),
    ("SV", "911 913"),
    ("SX", "919"),
    ("SY", "110 112 113"),
    ("SZ", "999"),
    ("TC", "911 999"),
    ("TD", "17 18"),
    ("TG", "117 118 171 172 177"),
    ("TH", "191 199 1669"),
    ("TJ", "101 102 103 112"),
    ("TL", "112 115"),
    ("TM", "01 02 03"),
    ("TN", "190 197 198"),
    ("TO", "911 922 933 999"),
    ("TR", "110 112 155"),
    ("TT", "990 999"),
    ("TV", "911"),
    ("TW", "110 112 119"),
    ("TZ", "110 111 112 114 115 999"),
    ("UA", "101 102 103 112"),
    ("UG", "999"),
    ("US", "112 911 933"),
    ("UY", "128 911"),
    ("UZ", "01 02 03 001 002 003 050"),
    ("VA", "112 113 115 118"),
    ("VC", "911 999"),
    ("VE", "112 171 911"),
    ("VG", "911 999"),
    ("VI", "911"),
    ("VN", "113 114 115"),
    ("VU", "112"),
    ("WF", "15 17 18"),
    ("WS", "911 994 995 996 999"),
    ("XK", "112 192 193 194"),
    ("YE", "191 194 195 199"),
    ("YT", "15 112"),
    ("ZA", "112 10111 10177"),
    ("ZM", "112 991 993 999"),
    ("ZW", "112 993 994 995 999"),
];

/// The emergency number of `region` (ISO 3166) that `text` stands for, digits only; `None` if it stands for
/// none. Spaces and punctuation between the digits do not matter, nor does their script.
pub fn emergency_number(text: &str, region: &str) -> Option<String> {
    let foreign = |c: char| !c.is_numeric() && !c.is_whitespace() && !is_punctuation(c);
    if text.chars().count() > 32 || text.chars().any(foreign) {
        return None;
    }
    let digits: String = if text.is_ascii() {
        text.chars().filter(char::is_ascii_digit).collect()
    } else {
        PHONE_NUMBER_UTIL.normalize_digits_only(text)
    };
    (EVERYWHERE.contains(&digits.as_str()) || is_listed(&digits, region)).then_some(digits)
}

/// Whether `text`, as dialled, is an emergency number of `region` (ISO 3166 code).
pub fn is_emergency(text: &str, region: &str) -> bool {
    emergency_number(text, region).is_some()
}

/// Whether the digits after the country code are an emergency number there, as in `+27 10111`. No such
/// number can be called from abroad.
pub fn is_emergency_abroad(number: &E164) -> bool {
    let digits = number.as_str().trim_start_matches('+');
    if digits.len() > LONGEST_COUNTRY_CODE + LONGEST {
        return false;
    }
    (1..=LONGEST_COUNTRY_CODE).filter_map(|length| digits.split_at_checked(length)).any(|(code, national)| {
        let regions =
            code.parse().ok().and_then(|code| PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(code));
        regions.into_iter().flatten().any(|region| is_listed(national, &region.as_region_str()))
    })
}

fn is_listed(digits: &str, region: &str) -> bool {
    let listed = BY_REGION.binary_search_by_key(&region, |(region, _)| region).ok();
    listed.is_some_and(|at| BY_REGION[at].1.split(' ').any(|number| fits(digits, number)))
}

fn fits(digits: &str, pattern: &str) -> bool {
    digits.len() == pattern.len()
        && digits.bytes().zip(pattern.bytes()).all(|(digit, wanted)| wanted == b'?' || digit == wanted)
}

/// What people write between digits, and the marks that come along when text is copied.
fn is_punctuation(c: char) -> bool {
    matches!(c, '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn every_country_has_its_own_and_the_common_ones() {
        for (text, region) in [
            ("911", "US"),
            ("911", "DE"),
            ("112", "DE"),
            ("110", "DE"),
            ("999", "GB"),
            ("000", "AU"),
            ("106", "AU"),
            ("111", "NZ"),
            ("17", "FR"),
            ("119", "JP"),
            ("02", "RU"),
            ("1730", "GA"),
            ("1342", "GA"),
            ("10111", "ZA"),
            ("90000", "SE"),
            ("933", "US"),
            ("112", ""),
            ("999", "nowhere"),
        ] {
            assert!(is_emergency(text, region), "{text} in {region}");
        }
        for (text, region) in [
            ("110", "US"),
            ("17", "US"),
            ("933", "DE"),
            ("1430", "GA"),
            ("411", "US"),
            ("9111", "US"),
            ("+911", "US"),
            ("+12025550123", "US"),
            ("2025550911", "US"),
            ("", "US"),
            ("nine one one", "US"),
            ("911 Road", "US"),
            ("*112#", "DE"),
        ] {
            assert!(!is_emergency(text, region), "{text} in {region}");
        }
    }

    #[test]
    fn how_it_is_written_does_not_matter() {
        for text in [
            "112",
            " 112 ",
            "1 1 2",
            "1-1-2",
            "(1)12",
            "1.1/2",
            "\u{200E}112",
            "１１２",
            "١١٢",
            "1\u{A0}12\n",
        ] {
            assert_eq!(emergency_number(text, "DE").as_deref(), Some("112"), "{text:?}");
        }
        assert_eq!(emergency_number(&"1 ".repeat(5_000), "DE"), None);
    }

    #[test]
    fn no_number_in_full_is_one_but_those_that_hide_one() {
        let abroad = |text: &str| is_emergency_abroad(&E164::parse_strict(text).unwrap());
        assert!(abroad("+2710111") && abroad("+691320221") && abroad("+4690000"));
        assert!(!abroad("+12025550911") && !abroad("+4930112112") && !abroad("+9991234567"));
    }

    #[test]
    fn the_table_is_sorted_and_holds_numbers() {
        assert!(BY_REGION.is_sorted_by_key(|(region, _)| region));
        assert_eq!(BY_REGION.len(), 240);
        for (region, numbers) in BY_REGION {
            assert!(region.len() == 2 && !numbers.is_empty());
            for number in numbers.split(' ') {
                assert!((2..=LONGEST).contains(&number.len()), "{region} {number}");
                assert!(number.bytes().all(|b| b.is_ascii_digit() || b == b'?'), "{region} {number}");
            }
        }
    }
}
