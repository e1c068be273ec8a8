//! Which countries may be called.

use serde::Deserialize;
use serde_json::json;

use super::base_urls::Product;
use super::client::Client;
use super::error::RestError;
use super::request::Request;

/// Whether calls to a country are allowed, by kind of number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CountryPermission {
    /// ISO 3166-1, two letters.
    pub iso_code: String,
    /// In English.
    pub name: Option<String>,
    /// Such as `EUROPE`.
    pub continent: Option<String>,
    /// Such as `+44`; several for some.
    pub country_codes: Vec<String>,
    /// Ordinary numbers.
    pub low_risk_numbers_enabled: bool,
    /// Premium numbers and the like.
    pub high_risk_special_numbers_enabled: bool,
    /// Numbers known from toll fraud.
    pub high_risk_tollfraud_numbers_enabled: bool,
}

/// What to allow for a country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountrySwitches {
    /// ISO 3166-1, two letters.
    pub iso_code: String,
    /// Ordinary numbers.
    pub low_risk: bool,
    /// Premium numbers and the like.
    pub high_risk_special: bool,
    /// Numbers known from toll fraud.
    pub high_risk_tollfraud: bool,
}

#[derive(Deserialize)]
struct Updated {
    #[serde(default)]
    update_count: u32,
}

impl Client {
    /// All countries.
    pub async fn country_permissions(&self) -> Result<Vec<CountryPermission>, RestError> {
        self.list(Request::get(path(&["Countries"])).on(Product::Voice), "content", None).await
    }

    /// One country, by two letters.
    pub async fn country_permission(&self, iso_code: &str) -> Result<CountryPermission, RestError> {
        self.read(&Request::get(path(&["Countries", iso_code])).on(Product::Voice)).await
    }

    /// Allows and forbids; answers with how many countries were changed. A restricted key may not.
    pub async fn update_country_permissions(&self, countries: &[CountrySwitches]) -> Result<u32, RestError> {
        let country = |country: &CountrySwitches| {
            json!({
                "iso_code": country.iso_code,
                "low_risk_numbers_enabled": country.low_risk.to_string(),
                "high_risk_special_numbers_enabled": country.high_risk_special.to_string(),
                "high_risk_tollfraud_numbers_enabled": country.high_risk_tollfraud.to_string(),
            })
        };
        let update: Vec<_> = countries.iter().map(country).collect();
        let request = Request::post(path(&["BulkCountryUpdates"]))
            .on(Product::Voice)
            .repeatable()
            .form("UpdateRequest", Some(json!(update).to_string()));
        self.read::<Updated>(&request).await.map(|updated| updated.update_count)
    }
}

fn path(segments: &[&str]) -> Vec<String> {
    ["v1", "DialingPermissions"].iter().chain(segments).map(|text| (*text).to_owned()).collect()
}
