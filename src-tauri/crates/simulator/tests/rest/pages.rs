//! Pages, methods and mistakes that all resources have in common.

use dialer_simulator::{Happening, IncomingCall};
use serde_json::{Value, json};

use super::{Rest, refusal};
use crate::bench::{Answer, Bench};

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_2010_are_reached_by_their_links() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let apps = owner.of("Applications.json");
    for name in ["one", "two", "three", "four"] {
        assert_eq!(owner.post(&apps, &[("FriendlyName", name)]).await.0, 201);
    }
    let mut names = Vec::new();
    let mut link = Some("Applications.json?PageSize=2".to_owned()).map(|below| owner.of(&below));
    let mut pages: Vec<Value> = Vec::new();
    while let Some(path) = link {
        let (status, page) = owner.get(&path).await;
        assert_eq!((status, &page["page_size"]), (200, &json!(2)));
        let listed = page["applications"].as_array().unwrap();
        names.extend(listed.iter().map(|app| app["friendly_name"].as_str().unwrap().to_owned()));
        link = page["next_page_uri"].as_str().map(|uri| format!("/api{uri}"));
        pages.push(page);
    }
    assert_eq!(names[..4], ["four", "three", "two", "one"], "newest first; then the bench's own");
    assert_eq!((names.len(), pages.len()), (5, 3));
    let numbers: Vec<_> = pages.iter().map(|page| (page["start"].clone(), page["end"].clone())).collect();
    assert_eq!(numbers, [(json!(0), json!(1)), (json!(2), json!(3)), (json!(4), json!(4))]);
    let back = format!("/api{}", pages[2]["previous_page_uri"].as_str().unwrap());
    assert_eq!(owner.get(&back).await.1["applications"], pages[1]["applications"]);
    assert_eq!(pages[0]["previous_page_uri"], Value::Null);

    // A page goes on after its last item, even when others are gone.
    let gone = pages[0]["applications"][0]["sid"].as_str().unwrap();
    assert_eq!(owner.delete(&owner.of(&format!("Applications/{gone}.json"))).await.0, 204);
    let next = format!("/api{}", pages[0]["next_page_uri"].as_str().unwrap());
    assert_eq!(owner.get(&next).await.1["applications"][0]["friendly_name"], "two");

    let (_, filtered) = owner.get(&owner.of("Applications.json?FriendlyName=two&PageSize=1")).await;
    assert_eq!(filtered["applications"].as_array().unwrap().len(), 1);
    assert!(filtered["uri"].as_str().unwrap().contains("FriendlyName=two&PageSize=1&Page=0"));
    assert_eq!(refusal(owner.get(&owner.of("Applications.json?Page=1")).await), (400, 21_481));
    for size in ["0", "1001", "many"] {
        let path = owner.of(&format!("Applications.json?PageSize={size}"));
        assert_eq!(refusal(owner.get(&path).await), (400, 20_007), "{size}");
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_products_are_reached_by_theirs() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let mut path = Some("/voice/v1/DialingPermissions/Countries?PageSize=7".to_owned());
    let mut codes = Vec::new();
    while let Some(next) = path {
        let (status, page) = owner.get(&next).await;
        assert_eq!((status, &page["meta"]["key"]), (200, &json!("content")));
        let listed = page["content"].as_array().unwrap();
        codes.extend(listed.iter().map(|country| country["iso_code"].as_str().unwrap().to_owned()));
        let base = bench.simulator.base_url();
        path = page["meta"]["next_page_url"].as_str().map(|url| url.strip_prefix(&base).unwrap().to_owned());
    }
    assert_eq!(codes.len(), 18);
    codes.dedup();
    assert_eq!(codes.len(), 18, "none twice");
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_sids_and_methods() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    for below in [
        "Applications",
        "Applications.xml",
        "applications.json",
        "Nothing.json",
        "Applications/AP00000000000000000000000000000000.json",
        "IncomingPhoneNumbers/PN00000000000000000000000000000000.json",
        "OutgoingCallerIds/PN00000000000000000000000000000000.json",
        "Calls/CA00000000000000000000000000000000.json",
        "Calls/CA00000000000000000000000000000000/Events.json",
        "Conferences/CF00000000000000000000000000000000.json",
        "Conferences/CF00000000000000000000000000000000/Participants.json",
        "Queues/QU00000000000000000000000000000000/Members.json",
        "Recordings/RE00000000000000000000000000000000.json",
        "Notifications/NO00000000000000000000000000000000.json",
        "Usage/Records/Hourly.json",
    ] {
        assert_eq!(refusal(owner.get(&owner.of(below)).await), (404, 20_404), "{below}");
    }
    for (method, path) in [
        ("DELETE", owner.of("Applications.json")),
        ("PUT", owner.of("Keys.json")),
        ("POST", owner.of("Balance.json")),
        ("POST", "/monitor/v1/Alerts".into()),
        ("DELETE", "/voice/v1/Settings".into()),
    ] {
        let answer = super::read(owner.request(method, &path)).await;
        assert_eq!(refusal(answer), (405, 20_004), "{method} {path}");
    }
    for below in ["Recordings", "Conferences", "Queues"] {
        let (status, page) = owner.get(&owner.of(&format!("{below}.json"))).await;
        assert_eq!((status, &page[below.to_lowercase()], &page["end"]), (200, &json!([]), &json!(0)));
    }
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_wrong_is_found_three_ways() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    bench.webhooks.answer("/voice", Answer::new(500, "text/plain", "out of order"));
    let call = IncomingCall::from_number("+12025550100".to_owned().try_into().unwrap());
    let sid = bench.simulator.place_incoming(&call).unwrap();
    bench.alert(11_200).await;

    let (_, events) = owner.get(&owner.of(&format!("Calls/{sid}/Events.json"))).await;
    let event = &events["events"][0];
    assert_eq!(event["request"]["parameters"]["call_sid"], json!(sid));
    assert_eq!(
        (&event["response"]["response_code"], &event["response"]["response_body"]),
        (&json!(500), &json!("out of order"))
    );

    let (_, page) = owner.get("/monitor/v1/Alerts?LogLevel=error").await;
    let alert = &page["alerts"][0];
    assert_eq!((&alert["error_code"], &alert["resource_sid"]), (&json!("11200"), &json!(sid)));
    assert_eq!(alert["request_url"], bench.webhooks.url("/voice").as_str());
    assert!(alert.get("response_body").is_none(), "only the single one tells");
    let (_, single) = owner.get(&format!("/monitor/v1/Alerts/{}", alert["sid"].as_str().unwrap())).await;
    assert_eq!(single["response_body"], "out of order");
    assert!(single["request_variables"].as_str().unwrap().contains("CallStatus=ringing"));
    assert_eq!(owner.get("/monitor/v1/Alerts?StartDate=2100-01-01").await.1["alerts"], json!([]));
    assert_eq!(refusal(owner.get("/monitor/v1/Alerts?StartDate=soon").await), (400, 20_001));

    let (_, notes) = owner.get(&owner.of(&format!("Calls/{sid}/Notifications.json?Log=0"))).await;
    assert_eq!(notes["notifications"][0]["error_code"], "11200");
    assert_eq!(notes["notifications"][0]["sid"], alert["sid"]);
    let warnings = owner.get(&owner.of("Notifications.json?Log=1")).await.1;
    assert_eq!(warnings["notifications"], json!([]));
    bench.event(|what| matches!(what, Happening::RestRequest { path, status: Some(200), .. } if path == "/monitor/v1/Alerts")).await;
    bench.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_permissions_and_numbers_can_be_looked_up() {
    let bench = Bench::start().await;
    let owner = Rest::new(&bench.simulator);
    let (_, price) =
        owner.get("/pricing/v2/Voice/Numbers/%2B4930123456?OriginationNumber=%2B12025550190").await;
    assert_eq!((&price["iso_country"], &price["price_unit"]), (&json!("DE"), &json!("USD")));
    assert!(price["outbound_call_prices"][0]["current_price"].is_string());
    assert_eq!(owner.get("/pricing/v2/Voice/Countries/GB").await.1["iso_country"], "GB");
    assert_eq!(refusal(owner.get("/pricing/v2/Voice/Countries/XX").await), (404, 20_404));
    let (_, lookup) = owner.get("/lookups/v2/PhoneNumbers/+12025550100").await;
    assert_eq!((&lookup["valid"], &lookup["national_format"]), (&json!(true), &json!("(202) 555-0100")));
    assert_eq!(owner.get("/lookups/v2/PhoneNumbers/555").await.1["valid"], json!(false));

    let country = "/voice/v1/DialingPermissions/Countries/LV";
    assert_eq!(owner.get(country).await.1["low_risk_numbers_enabled"], json!(false));
    let bulk = "/voice/v1/DialingPermissions/BulkCountryUpdates";
    let half = r#"[{"iso_code":"LV","low_risk_numbers_enabled":"true"},{"iso_code":"XX"}]"#;
    assert_eq!(refusal(owner.post(bulk, &[("UpdateRequest", half)]).await), (400, 20_001));
    assert_eq!(owner.get(country).await.1["low_risk_numbers_enabled"], json!(false), "all or nothing");
    let update = r#"[{"iso_code":"LV","low_risk_numbers_enabled":"true","high_risk_special_numbers_enabled":"false","high_risk_tollfraud_numbers_enabled":"false"}]"#;
    let (status, done) = owner.post(bulk, &[("UpdateRequest", update)]).await;
    assert_eq!((status, &done["update_count"]), (201, &json!(1)));
    assert_eq!(owner.get(country).await.1["low_risk_numbers_enabled"], json!(true));
    let prefixes = owner.get(&format!("{country}/HighRiskSpecialPrefixes")).await.1;
    assert_eq!(prefixes["content"][0]["prefix"], "+37181");
    let (status, settings) =
        owner.post("/voice/v1/Settings", &[("DialingPermissionsInheritance", "true")]).await;
    assert_eq!((status, &settings["dialing_permissions_inheritance"]), (202, &json!(true)));
    let (_, usage) = owner.get(&owner.of("Usage/Records/Today.json?Category=calls")).await;
    let record = &usage["usage_records"][0];
    assert_eq!(
        (&record["category"], &record["count"], &record["usage"]),
        (&json!("calls"), &json!("0"), &json!("0"))
    );
    bench.stop().await;
}
