//! The client's side of the Webhooks configuration API, which Twilio's files do not describe yet.

use std::time::Duration;

use dialer_twilio::rest::{WebhookMatch, WebhookOperation};
use dialer_twilio::signature::{HmacAlgorithm, WebhookKey};

use super::desk::{Desk, code};

async fn spread(desk: &Desk, begun: WebhookOperation) {
    assert_eq!(begun.completed_ms, None);
    let completed = async {
        while desk.key.webhook_operation(&begun.id).await.unwrap().completed_ms.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), completed).await.unwrap();
}

#[tokio::test]
async fn a_key_of_its_own_is_arranged_tried_and_taken_away() {
    let desk = Desk::start().await;
    let client = &desk.key;
    assert!(client.has_webhook_configuration().await.unwrap());
    let key = client.create_shared_key("desk").await.unwrap();
    let setting = client.create_webhook_setting("desk", &key.id, HmacAlgorithm::Sha256).await.unwrap();
    assert_eq!(setting.signed_by, Some((key.id.clone(), HmacAlgorithm::Sha256)));
    let matches = WebhookMatch::Prefix(desk.bench.webhooks.url("/").to_string());
    let made = client.create_webhook_rule("desk", &matches, &setting.id).await.unwrap();
    assert_eq!(
        code(client.create_webhook_rule("desk", &matches, &setting.id).await),
        Some(59103),
        "on its way"
    );
    let pending = |known: &WebhookOperation| known.id == made.id && known.is_pending();
    assert!(client.webhook_operations().await.unwrap().iter().any(pending));
    spread(&desk, made).await;
    assert_eq!(code(client.create_webhook_rule("desk", &matches, &setting.id).await), Some(59103));

    let rules = client.webhook_rules().await.unwrap();
    assert_eq!(
        (rules.len(), &rules[0].matches, rules[0].settings.as_slice()),
        (1, &matches, &[setting.id.clone()][..])
    );
    assert_eq!(client.webhook_settings().await.unwrap(), std::slice::from_ref(&setting));
    let keys = client.shared_keys().await.unwrap();
    assert_eq!(keys.iter().map(|known| &known.id).collect::<Vec<_>>(), [&key.id]);
    assert_eq!(code(client.delete_shared_key(&key.id).await), Some(20001), "a setting names it");

    let (id, secret) = (key.id.clone(), key.secret.clone());
    desk.bench.webhooks.expect_key(WebhookKey::SharedKey { id, algorithm: HmacAlgorithm::Sha256, secret });
    let address = desk.bench.webhooks.url("/tried");
    let delivery = client.test_webhook(address.as_str(), None).await.unwrap();
    assert!(delivery.status.is_some() && delivery.error.is_none(), "{delivery:?}");
    assert!(desk.bench.webhooks.wait("/tried", 1).await[0].signed, "with the shared key");

    let gone = client.delete_webhook_rule(&rules[0].id).await.unwrap().unwrap();
    spread(&desk, gone).await;
    client.delete_webhook_setting(&setting.id).await.unwrap();
    client.delete_shared_key(&key.id).await.unwrap();
    assert!(client.webhook_rules().await.unwrap().is_empty());
    desk.stop().await;
}
