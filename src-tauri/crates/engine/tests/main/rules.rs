//! The rules of calls, as the page edits them.

use std::sync::Arc;

use dialer_domain::call_flow::Rules;
use dialer_domain::error::ErrorCode;
use dialer_domain::incoming::Answer;
use dialer_engine::api::{Commands as _, PageId, RulesCommands as _};
use dialer_engine::twilio_at::TwilioAt;
use dialer_storage::vault::ChosenVault;

use crate::computer::{Computer, start};

#[tokio::test]
async fn callers_are_not_forwarded_to_the_agents_own_number_in_practice_mode_either() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Arc::new(ChosenVault::memory());
    let mut connected = Computer::with_a_twilio().await;
    connected.connect().await;
    for phone in [&start(folder.path(), Some(&memory), TwilioAt::Twilio).await, connected.phone()] {
        let snapshot = phone.core().snapshot(PageId(uuid::Uuid::new_v4())).await.unwrap();
        let own = snapshot.agent.caller_id.unwrap();
        let mut rules = Rules::default();
        rules.incoming.busy = Answer::Forward { to: own };
        let problems = phone.check_rules(rules.clone()).await.unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].path, "incoming.busy.to");
        assert!(problems[0].message.contains("own number"), "{}", problems[0].message);
        assert_eq!(phone.save_rules(rules).await.unwrap_err().code, ErrorCode::InvalidEntry);
        phone.shutdown().await;
    }
}
