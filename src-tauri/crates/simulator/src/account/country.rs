//! Countries: who may be called there, and what it costs.
//!
//! Form and meaning are those of twilio-oai (`twilio_voice_v1`, `twilio_pricing_v2`). The countries
//! are a choice, the prices and most prefixes are plausible inventions: Twilio's change by the week.
//! Latvia's prefixes are those of twilio-oai's example. A new account at Twilio may call few countries;
//! this one may call all but three from the start, and those that are not listed, so that practice
//! with a number of one's own works. Premium numbers are off everywhere.

/// A country of the table. Prices are US dollars a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Country {
    /// ISO 3166-1, two letters.
    pub(crate) iso: &'static str,
    pub(crate) name: &'static str,
    pub(crate) continent: &'static str,
    /// With a plus.
    pub(crate) codes: &'static [&'static str],
    /// Prefixes of premium and shared-cost numbers.
    pub(crate) special: &'static [&'static str],
    pub(crate) outbound_price: &'static str,
    /// Absent where Twilio rents no numbers.
    pub(crate) inbound_price: Option<&'static str>,
    pub(crate) low_risk: bool,
    pub(crate) high_risk_special: bool,
    pub(crate) high_risk_tollfraud: bool,
}

/// Iso code, name, continent, codes, special prefixes, price out, price in, callable from the start.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    &'static str,
    Option<&'static str>,
    bool,
);

const TABLE: [Row; 18] = [
    ("AT", "Austria", "EUROPE", &["+43"], &["+43900", "+43930"], "0.0412", Some("0.0100"), true),
    ("AU", "Australia", "OCEANIA", &["+61"], &["+6119"], "0.0252", Some("0.0100"), true),
    ("BR", "Brazil", "SOUTH_AMERICA", &["+55"], &["+55900"], "0.0415", Some("0.0100"), true),
    ("CH", "Switzerland", "EUROPE", &["+41"], &["+41900", "+41901"], "0.0480", Some("0.0100"), true),
    ("CU", "Cuba", "NORTH_AMERICA", &["+53"], &[], "0.8400", None, false),
    ("DE", "Germany", "EUROPE", &["+49"], &["+49137", "+49900"], "0.0190", Some("0.0100"), true),
    ("ES", "Spain", "EUROPE", &["+34"], &["+34803", "+34806"], "0.0206", Some("0.0100"), true),
    ("FR", "France", "EUROPE", &["+33"], &["+3389"], "0.0187", Some("0.0100"), true),
    ("GB", "United Kingdom", "EUROPE", &["+44"], &["+4470", "+449"], "0.0158", Some("0.0100"), true),
    ("IE", "Ireland", "EUROPE", &["+353"], &["+35315"], "0.0230", Some("0.0100"), true),
    ("IN", "India", "ASIA", &["+91"], &[], "0.0497", None, true),
    ("IT", "Italy", "EUROPE", &["+39"], &["+39899"], "0.0210", Some("0.0100"), true),
    ("JP", "Japan", "ASIA", &["+81"], &["+81990"], "0.0746", Some("0.0100"), true),
    ("LV", "Latvia", "EUROPE", &["+371"], &["+37181", "+3719000"], "0.5870", None, false),
    ("MX", "Mexico", "NORTH_AMERICA", &["+52"], &["+52900"], "0.0190", Some("0.0100"), true),
    ("NL", "Netherlands", "EUROPE", &["+31"], &["+31900", "+31906"], "0.0220", Some("0.0100"), true),
    ("SO", "Somalia", "AFRICA", &["+252"], &[], "0.7605", None, false),
    ("US", "United States/Canada", "NORTH_AMERICA", &["+1"], &["+1900"], "0.0140", Some("0.0085"), true),
];

/// The countries and what is allowed there.
#[derive(Debug)]
pub(crate) struct Countries(Vec<Country>);

impl Default for Countries {
    fn default() -> Self {
        let country =
            |(iso, name, continent, codes, special, outbound_price, inbound_price, low_risk): Row| Country {
                iso,
                name,
                continent,
                codes,
                special,
                outbound_price,
                inbound_price,
                low_risk,
                high_risk_special: false,
                high_risk_tollfraud: false,
            };
        Self(TABLE.into_iter().map(country).collect())
    }
}

impl Countries {
    pub(crate) fn all(&self) -> &[Country] {
        &self.0
    }

    pub(crate) fn get(&self, iso: &str) -> Option<&Country> {
        self.0.iter().find(|country| country.iso == iso)
    }

    pub(crate) fn get_mut(&mut self, iso: &str) -> Option<&mut Country> {
        self.0.iter_mut().find(|country| country.iso == iso)
    }

    /// The country of a number in E.164; `None` for one that is not listed.
    pub(crate) fn of(&self, number: &str) -> Option<&Country> {
        // No code of the table begins another.
        self.0.iter().find(|country| country.codes.iter().any(|code| number.starts_with(code)))
    }

    /// Whether `number` may be called, or the country whose permission is missing.
    pub(crate) fn allow(&self, number: &str) -> Result<(), &Country> {
        let Some(country) = self.of(number) else { return Ok(()) };
        let special = country.special.iter().any(|prefix| number.starts_with(prefix));
        let allowed = if special { country.high_risk_special } else { country.low_risk };
        if allowed { Ok(()) } else { Err(country) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn permissions_follow_country_and_prefix() {
        let mut countries = Countries::default();
        assert!(countries.allow("+12025550100").is_ok());
        assert!(countries.allow("+4930123456").is_ok());
        assert!(countries.allow("+358401234567").is_ok(), "not listed");
        assert_eq!(countries.allow("+49900123456").map_err(|country| country.iso), Err("DE"));
        assert_eq!(countries.allow("+37167000000").map_err(|country| country.iso), Err("LV"));
        countries.get_mut("LV").unwrap().low_risk = true;
        assert!(countries.allow("+37167000000").is_ok());
        assert!(countries.allow("+37181000000").is_err());
    }

    #[test]
    fn no_code_begins_another() {
        let countries = Countries::default();
        let codes: Vec<&str> = countries.all().iter().flat_map(|country| country.codes).copied().collect();
        for one in &codes {
            assert_eq!(codes.iter().filter(|other| other.starts_with(one)).count(), 1, "{one}");
        }
    }
}
