//! Ordinary numbers of the North American Numbering Plan, told by their area code.
//!
//! The whole of libphonenumber's metadata takes 13 ms and 9 MB to load. A phone that only calls and is called
//! within North America never needs it.

use super::E164;

/// Region (ISO 3166) and its geographic area codes, every exchange of which is that region's and costs what a
/// telephone costs there. As libphonenumber's metadata has it (release 9.0.33), which the tests compare; area
/// codes that are not listed are looked up there.
const AREAS: [(&str, &[u16]); 4] = [
    (
        "CA",
        &[
            204, 226, 236, 249, 250, 257, 263, 273, 289, 306, 343, 354, 365, 367, 368, 382, 403, 416, 418,
            428, 431, 437, 438, 450, 468, 474, 506, 514, 519, 548, 579, 581, 584, 587, 604, 613, 639, 647,
            672, 683, 705, 709, 742, 753, 778, 780, 782, 807, 819, 825, 867, 873, 879, 902, 905, 942,
        ],
    ),
    ("DO", &[809, 849]),
    ("PR", &[787, 939]),
    (
        "US",
        &[
            201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 220, 223,
            224, 225, 227, 228, 229, 231, 234, 235, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267,
            269, 270, 272, 274, 276, 279, 281, 283, 301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313,
            314, 315, 316, 317, 318, 319, 320, 321, 323, 324, 325, 326, 327, 329, 330, 331, 332, 334, 336,
            337, 339, 341, 346, 347, 350, 351, 352, 353, 360, 361, 363, 364, 369, 380, 385, 386, 401, 402,
            404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417, 419, 423, 424, 425, 430, 432, 434,
            435, 440, 442, 443, 445, 447, 448, 458, 463, 464, 469, 470, 472, 475, 478, 479, 480, 484, 501,
            502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517, 518, 520, 530, 531, 534, 539,
            540, 541, 551, 557, 559, 561, 562, 563, 564, 567, 570, 571, 572, 573, 574, 575, 580, 582, 585,
            586, 601, 602, 603, 605, 606, 607, 608, 609, 610, 612, 614, 615, 616, 617, 618, 619, 620, 623,
            626, 628, 629, 630, 631, 636, 640, 641, 645, 646, 650, 651, 656, 657, 659, 660, 661, 662, 667,
            669, 678, 680, 681, 682, 686, 689, 701, 702, 703, 704, 706, 707, 708, 712, 713, 714, 715, 716,
            717, 718, 719, 720, 724, 725, 726, 727, 728, 730, 731, 732, 734, 737, 738, 740, 743, 747, 748,
            754, 757, 760, 762, 763, 765, 769, 770, 771, 772, 773, 774, 775, 779, 781, 785, 786, 801, 802,
            803, 804, 805, 806, 808, 810, 812, 813, 814, 815, 816, 817, 818, 820, 821, 826, 828, 830, 831,
            832, 835, 838, 839, 840, 843, 845, 847, 848, 850, 854, 856, 857, 858, 859, 860, 862, 863, 864,
            865, 870, 872, 878, 901, 903, 904, 906, 907, 908, 909, 910, 912, 913, 914, 915, 916, 917, 918,
            919, 920, 925, 928, 929, 930, 931, 934, 936, 937, 938, 940, 941, 943, 945, 947, 948, 949, 951,
            952, 954, 956, 959, 970, 971, 972, 973, 975, 978, 979, 980, 984, 985, 986, 989,
        ],
    ),
];

/// The place in [`AREAS`] by area code, one more; 0 where there is none.
const BY_CODE: [u8; 1_000] = by_code();

const fn by_code() -> [u8; 1_000] {
    let mut places = [0; 1_000];
    let mut place = 0;
    while place < AREAS.len() {
        let codes = AREAS[place].1;
        let mut at = 0;
        while at < codes.len() {
            places[codes[at] as usize] = place as u8 + 1;
            at += 1;
        }
        place += 1;
    }
    places
}

/// The region of `number` if it is an ordinary one: `+1`, a listed area code, an exchange that does not begin
/// with 0 or 1 and is not 976 (pay-per-call), four digits.
pub(super) fn ordinary(number: &E164) -> Option<&'static str> {
    let digits = number.as_str().strip_prefix("+1").filter(|digits| digits.len() == 10)?;
    let exchange = digits.get(3..6)?;
    if exchange < "200" || exchange == "976" {
        return None;
    }
    let code: usize = digits.get(..3)?.parse().ok()?;
    let place = usize::from(*BY_CODE.get(code)?).checked_sub(1)?;
    AREAS.get(place).map(|(region, _)| *region)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};

    #[test]
    fn every_ordinary_number_is_what_the_metadata_says() {
        let mut ordinaries = 0;
        for area in 200..1_000 {
            // Another tenth of the exchanges for each area code, the fictitious 555 always.
            for exchange in (200 + area % 10..1_000).step_by(10).chain([555]) {
                let line = (area * 7_919 + exchange * 104_729) % 10_000;
                let number = E164::parse_strict(&format!("+1{area}{exchange}{line:04}")).unwrap();
                let Some(region) = ordinary(&number) else { continue };
                ordinaries += 1;
                let known = PHONE_NUMBER_UTIL.parse(number.as_str(), None).unwrap();
                let found = PHONE_NUMBER_UTIL.get_region_for_number(&known).unwrap();
                assert_eq!(&*found.as_region_str(), region, "{number}");
                let kind = PHONE_NUMBER_UTIL.get_number_type(&known);
                assert_eq!(kind, PhoneNumberType::FixedLineOrMobile, "{number}");
            }
        }
        assert!(ordinaries > 30_000, "{ordinaries}");
    }

    #[test]
    fn what_is_not_ordinary_is_left_to_the_metadata() {
        for (number, region) in [
            ("+12025550123", Some("US")),
            ("+16135550123", Some("CA")),
            ("+17875550123", Some("PR")),
            ("+18095550123", Some("DO")),
            // Pay-per-call, toll-free, personal, the Caribbean, no such exchange, too short, too long, abroad.
            ("+12029765678", None),
            ("+19005550123", None),
            ("+18005550123", None),
            ("+15005550006", None),
            ("+18765550123", None),
            ("+12021550123", None),
            ("+1202555012", None),
            ("+120255501234", None),
            ("+442079460123", None),
        ] {
            assert_eq!(ordinary(&E164::parse_strict(number).unwrap()), region, "{number}");
        }
    }
}
