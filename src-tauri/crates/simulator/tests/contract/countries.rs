//! Which countries may be called, what that costs, and what was used.

use dialer_domain::phone_number::E164;
use dialer_twilio::rest::{CountrySwitches, UsagePeriod};

use super::desk::{Desk, code};

pub(crate) async fn walk(desk: &Desk) {
    let all = desk.key.country_permissions().await.unwrap();
    assert!(all.len() > 10, "{}", all.len());
    let britain = desk.key.country_permission("GB").await.unwrap();
    assert!(all.contains(&britain));
    assert_eq!(britain.country_codes, ["+44"]);
    let switched = CountrySwitches {
        iso_code: "GB".into(),
        low_risk: !britain.low_risk_numbers_enabled,
        high_risk_special: britain.high_risk_special_numbers_enabled,
        high_risk_tollfraud: britain.high_risk_tollfraud_numbers_enabled,
    };
    assert_eq!(desk.key.update_country_permissions(&[switched]).await.unwrap(), 1);
    let now = desk.key.country_permission("GB").await.unwrap();
    assert_eq!(now.low_risk_numbers_enabled, !britain.low_risk_numbers_enabled);
    assert!(desk.key.country_permission("ZZ").await.unwrap_err().is_not_found());
    let nowhere = CountrySwitches {
        iso_code: "ZZ".into(),
        low_risk: true,
        high_risk_special: false,
        high_risk_tollfraud: false,
    };
    assert_eq!(code(desk.key.update_country_permissions(&[nowhere]).await), Some(20001));

    let number = |text| E164::parse_strict(text).unwrap();
    let price = desk.key.voice_price(&number("+442079460000"), Some(&number("+12025550190"))).await.unwrap();
    assert_eq!((price.iso_country.as_deref(), price.price_unit.as_deref()), (Some("GB"), Some("USD")));
    let amount: f64 = price.outbound_call_prices[0].current_price.as_ref().unwrap().parse().unwrap();
    assert!(amount > 0.0);
    let prices = desk.key.country_prices("GB").await.unwrap();
    let prefixes = prices.outbound_prefix_prices.iter().flat_map(|price| &price.destination_prefixes);
    assert!(prefixes.into_iter().all(|prefix| prefix.starts_with("44")), "{prices:?}");
    assert!(desk.key.country_prices("ZZ").await.unwrap_err().is_not_found());

    for period in [
        UsagePeriod::Today,
        UsagePeriod::Yesterday,
        UsagePeriod::ThisMonth,
        UsagePeriod::LastMonth,
        UsagePeriod::AllTime,
    ] {
        let total = desk.key.usage_records(Some("totalprice"), period).await.unwrap();
        assert_eq!(total.len(), 1);
        assert_eq!(total[0].category.as_deref(), Some("totalprice"));
    }
    assert!(desk.key.usage_records(None, UsagePeriod::Today).await.unwrap().len() > 1);
}
