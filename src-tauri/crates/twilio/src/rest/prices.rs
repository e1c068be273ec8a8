//! What a minute costs.

use dialer_domain::phone_number::E164;
use serde::Deserialize;

use super::base_urls::Product;
use super::client::Client;
use super::error::RestError;
use super::request::Request;

/// The price of calls to one number. Prices are per minute, as decimal numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct VoicePrice {
    /// In English.
    pub country: Option<String>,
    /// ISO 3166-1, two letters.
    pub iso_country: Option<String>,
    /// ISO 4217.
    pub price_unit: Option<String>,
    /// By the number that calls.
    pub outbound_call_prices: Vec<PrefixPrice>,
}

/// The price of calls to and from one country.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CountryPrices {
    /// In English.
    pub country: Option<String>,
    /// ISO 3166-1, two letters.
    pub iso_country: Option<String>,
    /// ISO 4217.
    pub price_unit: Option<String>,
    /// By the beginning of the number.
    pub outbound_prefix_prices: Vec<PrefixPrice>,
    /// By the kind of number that is called.
    pub inbound_call_prices: Vec<InboundPrice>,
}

/// What calls to some numbers cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PrefixPrice {
    /// Beginnings of numbers called, without `+`; empty where one number was asked for.
    pub destination_prefixes: Vec<String>,
    /// Beginnings of numbers that call, or `ALL`.
    pub origination_prefixes: Vec<String>,
    /// Twilio's name for it.
    pub friendly_name: Option<String>,
    /// Before discounts.
    pub base_price: Option<String>,
    /// What is paid.
    pub current_price: Option<String>,
}

/// What calls to some of the account's numbers cost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct InboundPrice {
    /// `local`, `mobile`, `national` or `toll free`.
    pub number_type: Option<String>,
    /// Before discounts.
    pub base_price: Option<String>,
    /// What is paid.
    pub current_price: Option<String>,
}

impl Client {
    /// What a call to `number` costs, from `origination` if given.
    pub async fn voice_price(
        &self,
        number: &E164,
        origination: Option<&E164>,
    ) -> Result<VoicePrice, RestError> {
        let request = Request::get(path(&["Numbers", number.as_str()]))
            .on(Product::Pricing)
            .query("OriginationNumber", origination.map(E164::as_str));
        self.read(&request).await
    }

    /// What calls to a country cost, by two letters.
    pub async fn country_prices(&self, iso_country: &str) -> Result<CountryPrices, RestError> {
        self.read(&Request::get(path(&["Countries", iso_country])).on(Product::Pricing)).await
    }
}

fn path(segments: &[&str]) -> Vec<String> {
    ["v2", "Voice"].iter().chain(segments).map(|text| (*text).to_owned()).collect()
}
