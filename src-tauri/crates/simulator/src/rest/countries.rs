//! Geographic permissions, prices, and the free part of Lookup.

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse as _;
use dialer_domain::phone_number::E164;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Answer, Ask, created, ok};
use super::page::page_meta;
use super::refusal::Refusal;
use crate::account::{Country, national};

/// `voice.twilio.com/v1/…`.
pub(crate) fn voice(ask: &Ask, segments: &[&str]) -> Answer {
    ask.caller.is_unrestricted()?;
    match (segments, ask.method.as_str()) {
        (["v1", "DialingPermissions", "Countries"], "GET") => list(ask),
        (["v1", "DialingPermissions", "Countries", iso], "GET") => {
            let resources = ask.network.resources();
            let country = resources.countries.get(iso).ok_or_else(|| ask.not_found())?;
            ok(show(ask, country))
        }
        (["v1", "DialingPermissions", "Countries", iso, "HighRiskSpecialPrefixes"], "GET") => {
            let prefixes = {
                let resources = ask.network.resources();
                let country = resources.countries.get(iso).ok_or_else(|| ask.not_found())?;
                country.special.iter().map(|prefix| json!({ "prefix": prefix })).collect()
            };
            page_meta(ask, "content", prefixes)
        }
        (["v1", "DialingPermissions", "BulkCountryUpdates"], "POST") => bulk_update(ask),
        (["v1", "Settings"], "GET") => ok(settings(ask)),
        (["v1", "Settings"], "POST") => {
            if let Some(given) = ask.field("DialingPermissionsInheritance") {
                let inherits = flag("DialingPermissionsInheritance", given)?;
                ask.network.resources().inherits_permissions = inherits;
            }
            Ok((StatusCode::ACCEPTED, Json(settings(ask))).into_response())
        }
        (
            ["v1", "Settings"]
            | ["v1", "DialingPermissions", "BulkCountryUpdates" | "Countries"]
            | ["v1", "DialingPermissions", "Countries", _]
            | ["v1", "DialingPermissions", "Countries", _, "HighRiskSpecialPrefixes"],
            _,
        ) => Err(Refusal::method_not_allowed()),
        _ => Err(ask.not_found()),
    }
}

fn settings(ask: &Ask) -> Value {
    json!({
        "dialing_permissions_inheritance": ask.network.resources().inherits_permissions,
        "url": format!("{}/v1/Settings", ask.base),
    })
}

fn flag(name: &str, text: &str) -> Result<bool, Refusal> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refusal::bad(20_001, format!("{name} is neither true nor false"))),
    }
}

fn list(ask: &Ask) -> Answer {
    let wanted_flag = |name: &str| ask.filter(name).map(|text| flag(name, text)).transpose();
    let low = wanted_flag("LowRiskNumbersEnabled")?;
    let special = wanted_flag("HighRiskSpecialNumbersEnabled")?;
    let tollfraud = wanted_flag("HighRiskTollfraudNumbersEnabled")?;
    let wanted = |country: &&Country| {
        ask.filter("IsoCode").is_none_or(|iso| iso.eq_ignore_ascii_case(country.iso))
            && ask.filter("Continent").is_none_or(|continent| continent == country.continent)
            && ask.filter("CountryCode").is_none_or(|code| {
                country
                    .codes
                    .iter()
                    .any(|known| known.trim_start_matches('+') == code.trim_start_matches('+'))
            })
            && low.is_none_or(|low| low == country.low_risk)
            && special.is_none_or(|special| special == country.high_risk_special)
            && tollfraud.is_none_or(|tollfraud| tollfraud == country.high_risk_tollfraud)
    };
    let shown = {
        let resources = ask.network.resources();
        resources.countries.all().iter().filter(wanted).map(|country| show(ask, country)).collect()
    };
    page_meta(ask, "content", shown)
}

fn show(ask: &Ask, country: &Country) -> Value {
    let url = format!("{}/v1/DialingPermissions/Countries/{}", ask.base, country.iso);
    json!({
        "iso_code": country.iso,
        "name": country.name,
        "continent": country.continent,
        "country_codes": country.codes,
        "low_risk_numbers_enabled": country.low_risk,
        "high_risk_special_numbers_enabled": country.high_risk_special,
        "high_risk_tollfraud_numbers_enabled": country.high_risk_tollfraud,
        "links": { "highrisk_special_prefixes": format!("{url}/HighRiskSpecialPrefixes") },
        "url": url,
    })
}

/// One country of a bulk update. Twilio's examples have the booleans as texts.
#[derive(Deserialize)]
struct CountryUpdate {
    iso_code: String,
    low_risk_numbers_enabled: Option<Flag>,
    high_risk_special_numbers_enabled: Option<Flag>,
    high_risk_tollfraud_numbers_enabled: Option<Flag>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Flag(bool),
    Text(String),
}

impl Flag {
    fn value(&self) -> Result<bool, Refusal> {
        match self {
            Self::Flag(value) => Ok(*value),
            Self::Text(text) => flag("UpdateRequest", text),
        }
    }
}

fn bulk_update(ask: &Ask) -> Answer {
    let given = ask.required("UpdateRequest")?;
    let updates: Vec<CountryUpdate> = serde_json::from_str(given)
        .map_err(|error| Refusal::bad(20_001, format!("UpdateRequest cannot be used: {error}")))?;
    let mut resources = ask.network.resources();
    // All or nothing.
    let mut checked = Vec::new();
    for update in &updates {
        let read = |flag: &Option<Flag>| flag.as_ref().map(Flag::value).transpose();
        let flags = [
            read(&update.low_risk_numbers_enabled)?,
            read(&update.high_risk_special_numbers_enabled)?,
            read(&update.high_risk_tollfraud_numbers_enabled)?,
        ];
        if resources.countries.get(&update.iso_code).is_none() {
            return Err(Refusal::bad(20_001, format!("{} is no country", update.iso_code)));
        }
        checked.push((&update.iso_code, flags));
    }
    for (iso, [low, special, tollfraud]) in checked {
        if let Some(country) = resources.countries.get_mut(iso) {
            country.low_risk = low.unwrap_or(country.low_risk);
            country.high_risk_special = special.unwrap_or(country.high_risk_special);
            country.high_risk_tollfraud = tollfraud.unwrap_or(country.high_risk_tollfraud);
        }
    }
    created(json!({ "update_count": updates.len(), "update_request": given }))
}

/// `pricing.twilio.com/v2/Voice/…`.
pub(crate) fn pricing(ask: &Ask, segments: &[&str]) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let url = |iso: &str| format!("{}/v2/Voice/Countries/{iso}", ask.base);
    match segments {
        ["v2", "Voice", "Countries"] => {
            let entry = |country: &Country| json!({ "country": country.name, "iso_country": country.iso, "url": url(country.iso) });
            let countries = ask.network.resources().countries.all().iter().map(entry).collect();
            page_meta(ask, "countries", countries)
        }
        ["v2", "Voice", "Countries", iso] => {
            let resources = ask.network.resources();
            let country = resources.countries.get(iso).ok_or_else(|| ask.not_found())?;
            let prefixes: Vec<&str> = country.codes.iter().map(|code| code.trim_start_matches('+')).collect();
            let inbound: Vec<Value> = country
                .inbound_price
                .iter()
                .map(|price| json!({ "base_price": price, "current_price": price, "number_type": "local" }))
                .collect();
            ok(json!({
                "country": country.name,
                "iso_country": country.iso,
                "outbound_prefix_prices": [{
                    "base_price": country.outbound_price,
                    "current_price": country.outbound_price,
                    "destination_prefixes": prefixes,
                    "origination_prefixes": ["ALL"],
                    "friendly_name": format!("Programmable Outbound Minute - {}", country.name),
                }],
                "inbound_call_prices": inbound,
                "price_unit": "USD",
                "url": url(country.iso),
            }))
        }
        ["v2", "Voice", "Numbers", number] => {
            let resources = ask.network.resources();
            let country = resources.countries.of(number).ok_or_else(|| ask.not_found())?;
            let inbound = country.inbound_price.filter(|_| resources.owns(number));
            ok(json!({
                "destination_number": number,
                "origination_number": ask.filter("OriginationNumber"),
                "country": country.name,
                "iso_country": country.iso,
                "outbound_call_prices": [{
                    "base_price": country.outbound_price,
                    "current_price": country.outbound_price,
                    "origination_prefixes": ["ALL"],
                }],
                "inbound_call_price": {
                    "base_price": inbound,
                    "current_price": inbound,
                    "number_type": inbound.map(|_| "local"),
                },
                "price_unit": "USD",
                "url": format!("{}{}", ask.base, ask.path),
            }))
        }
        _ => Err(ask.not_found()),
    }
}

/// `lookups.twilio.com/v2/PhoneNumbers/{number}`, without the fields that cost.
pub(crate) fn lookup(ask: &Ask, segments: &[&str]) -> Answer {
    let ["v2", "PhoneNumbers", number] = segments else { return Err(ask.not_found()) };
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let valid = E164::parse_strict(number).is_ok();
    let resources = ask.network.resources();
    let country = resources.countries.of(number).filter(|_| valid);
    let code = country.and_then(|country| country.codes.first()).map(|code| code.trim_start_matches('+'));
    let mut shown = json!({
        "phone_number": number,
        "valid": valid,
        "validation_errors": if valid { Value::Null } else { json!(["NOT_A_NUMBER"]) },
        "calling_country_code": code,
        "country_code": country.map(|country| country.iso),
        "national_format": valid.then(|| national(number)),
        "url": format!("{}{}", ask.base, ask.path),
    });
    for paid in [
        "caller_name",
        "sim_swap",
        "call_forwarding",
        "line_status",
        "line_type_intelligence",
        "identity_match",
        "reassigned_number",
        "sms_pumping_risk",
        "phone_number_quality_score",
        "pre_fill",
    ] {
        shown[paid] = Value::Null;
    }
    ok(shown)
}
