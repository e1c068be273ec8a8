//! Usage, counted from the calls that are remembered.
//!
//! Minutes are begun minutes, prices those of `account/country.rs`. `Daily`, `Monthly` and `Yearly`
//! give one record for the current day, month and year.

use axum::http::Method;
use serde_json::{Value, json};

use super::ask::{Answer, Ask};
use super::date::{day, iso, span};
use super::page::page_2010;
use super::refusal::Refusal;
use crate::call::{Leg, LegDirection, Party};
use crate::webhook::API_VERSION;

/// Category and description.
const CATEGORIES: [(&str, &str); 5] = [
    ("calls", "Voice Minutes"),
    ("calls-client", "Client Voice Minutes"),
    ("calls-inbound", "Inbound Voice Minutes"),
    ("calls-outbound", "Outbound Voice Minutes"),
    ("totalprice", "Total Price"),
];
const DAY_MS: i64 = 86_400_000;

/// `Usage/Records.json` and `Usage/Records/{period}.json`.
pub(crate) fn records(ask: &Ask, period: Option<&str>) -> Answer {
    if ask.method != Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let now_ms = ask.network.now_ms();
    let (from, to) = range(ask, period, now_ms)?;
    let wanted = |name: &str| ask.filter("Category").is_none_or(|category| category == name);
    if let Some(unknown) = ask.filter("Category")
        && !CATEGORIES.iter().any(|(name, _)| *name == unknown)
    {
        return page_2010(ask, "usage_records", Vec::new());
    }
    let legs: Vec<_> =
        ask.network.legs().into_iter().filter(|leg| (from..to).contains(&leg.moments().0)).collect();
    let record = |(category, description): &(&str, &str)| {
        let counted: Vec<&Leg> = legs.iter().map(AsRef::as_ref).filter(|leg| counts(leg, category)).collect();
        let minutes: f64 = counted.iter().fold(0.0, |sum, leg| sum + minutes(ask, leg));
        let price: f64 = counted.iter().fold(0.0, |sum, leg| sum + price(ask, leg));
        show(ask, category, description, &Sum { count: counted.len(), minutes, price }, (from, to - 1))
    };
    let records = CATEGORIES.iter().filter(|(name, _)| wanted(name)).map(record).collect();
    page_2010(ask, "usage_records", records)
}

struct Sum {
    count: usize,
    minutes: f64,
    price: f64,
}

/// From and up to, in Unix milliseconds, at whole days.
fn range(ask: &Ask, period: Option<&str>, now_ms: i64) -> Result<(i64, i64), Refusal> {
    let today = now_ms.div_euclid(DAY_MS) * DAY_MS;
    let tomorrow = today + DAY_MS;
    let first_of =
        |prefix: &str, rest: &str| span("date", &format!("{prefix}{rest}")).map(|(start, _)| start);
    let date = day(now_ms);
    let month_start = first_of(date.get(..8).unwrap_or_default(), "01")?;
    let opened = ask.network.resources().opened_ms.div_euclid(DAY_MS) * DAY_MS;
    Ok(match period {
        Some("Today" | "Daily") => (today, tomorrow),
        Some("Yesterday") => (today - DAY_MS, today),
        Some("ThisMonth" | "Monthly") => (month_start, tomorrow),
        Some("LastMonth") => {
            let last = day(month_start - DAY_MS);
            (first_of(last.get(..8).unwrap_or_default(), "01")?, month_start)
        }
        Some("Yearly") => (first_of(date.get(..5).unwrap_or_default(), "01-01")?, tomorrow),
        None | Some("AllTime") => {
            let from = ask.filter("StartDate").map(|text| span("StartDate", text)).transpose()?;
            let to = ask.filter("EndDate").map(|text| span("EndDate", text)).transpose()?;
            (from.map_or(opened, |(from, _)| from), to.map_or(tomorrow, |(_, to)| to))
        }
        Some(_) => return Err(ask.not_found()),
    })
}

fn counts(leg: &Leg, category: &str) -> bool {
    match category {
        "calls-client" => leg.party == Party::Sdk,
        "calls-inbound" => leg.party == Party::FarEnd && leg.direction == LegDirection::Inbound,
        "calls-outbound" => leg.party == Party::FarEnd && leg.direction != LegDirection::Inbound,
        _ => true,
    }
}

fn minutes(ask: &Ask, leg: &Leg) -> f64 {
    (leg.talked(&ask.network).as_secs_f64() / 60.0).ceil()
}

/// US dollars. A client's minute costs nothing here.
fn price(ask: &Ask, leg: &Leg) -> f64 {
    if leg.party == Party::Sdk {
        return 0.0;
    }
    let resources = ask.network.resources();
    let a_minute = match leg.direction {
        LegDirection::Inbound => resources.countries.of(&leg.to).and_then(|country| country.inbound_price),
        LegDirection::OutboundDial | LegDirection::OutboundApi => {
            resources.countries.of(&leg.to).map(|country| country.outbound_price)
        }
    };
    a_minute.and_then(|price| price.parse::<f64>().ok()).unwrap_or(0.0) * minutes(ask, leg)
}

fn show(ask: &Ask, category: &str, description: &str, sum: &Sum, (from, to): (i64, i64)) -> Value {
    let account = &ask.network.account.account_sid;
    let folder = format!("/{API_VERSION}/Accounts/{account}/Usage/Records");
    let link = |name: &str| format!("{folder}/{name}.json?Category={category}");
    let total = category == "totalprice";
    let (unit, usage) = if total { ("usd", sum.price) } else { ("minutes", sum.minutes) };
    json!({
        "account_sid": account,
        "api_version": API_VERSION,
        "as_of": iso(ask.network.now_ms()).replace('Z', "+00:00"),
        "category": category,
        "count": if total { Value::Null } else { json!(sum.count.to_string()) },
        "count_unit": if total { "" } else { "calls" },
        "description": description,
        "start_date": day(from),
        "end_date": day(to),
        "price": format!("{:.5}", sum.price),
        "price_unit": "usd",
        "usage": if total { format!("{usage:.5}") } else { format!("{usage:.0}") },
        "usage_unit": unit,
        "uri": format!(
            "{folder}.json?Category={category}&StartDate={}&EndDate={}",
            day(from),
            day(to),
        ),
        "subresource_uris": {
            "all_time": link("AllTime"),
            "daily": link("Daily"),
            "last_month": link("LastMonth"),
            "monthly": link("Monthly"),
            "this_month": link("ThisMonth"),
            "today": link("Today"),
            "yearly": link("Yearly"),
            "yesterday": link("Yesterday"),
        },
    })
}
