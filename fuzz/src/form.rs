//! Any bytes are a form, and every reader of webhooks gets through every form.

use dialer_domain::call_flow::{Happened, Instruction, MenuPlace, Purpose};
use dialer_twilio::webhook::{
    ConferenceCallback, DialAction, Form, GatherAction, MAX_ADDRESS_LENGTH, QueueAction, QueueWait,
    RecordAction, RecordingCallback, StatusCallback, TranscriptionCallback, VoiceRequest,
};

const ARRIVED_MS: i64 = 1_790_683_200_000;

/// Reads `bytes` as every webhook there is.
pub fn try_out(bytes: &[u8]) {
    let form = Form::parse(bytes);
    assert_eq!(Form::parse(form.encode().as_bytes()), form);

    if let Ok(request) = VoiceRequest::parse(form.clone()) {
        let query = request.query();
        assert!(!query.from.is_empty() || request.call_sid.is_some());
        for address in [&query.from, &query.to] {
            assert!(address.len() <= MAX_ADDRESS_LENGTH && !address.chars().any(char::is_control));
        }
        let refused = Instruction::Refuse { spoken: String::new(), reason: String::new() };
        assert_eq!(request.routed(&refused, ARRIVED_MS).is_some(), request.call_sid.is_some());
    }
    if let Ok(callback) = StatusCallback::parse(form.clone()) {
        let at_ms = callback.event(ARRIVED_MS).at_ms();
        assert_eq!(at_ms, callback.timestamp_ms.unwrap_or(ARRIVED_MS));
    }
    if let Ok(action) = DialAction::parse(&form, Purpose::Ring) {
        assert!(action.status.is_final());
        assert_eq!(action.event(ARRIVED_MS).at_ms(), ARRIVED_MS);
    }
    if let Ok(action) = GatherAction::parse(&form, MenuPlace::first()) {
        let Happened::Pressed { key, .. } = action.happened() else { panic!("keys are pressed") };
        let one = action.digits.filter(|digits| digits.len() == 1 && digits.as_bytes()[0].is_ascii_digit());
        assert_eq!(key.map(|key| key.digit().to_string()), one);
    }
    if let Ok(action) = RecordAction::parse(&form) {
        assert_eq!(action.event(ARRIVED_MS).is_some(), action.recording_sid.is_some());
    }
    if let Ok(wait) = QueueWait::parse(&form) {
        assert!(wait.position >= 1);
        assert_eq!(wait.event(ARRIVED_MS).at_ms(), ARRIVED_MS);
    }
    if let Ok(action) = QueueAction::parse(&form) {
        assert_eq!(action.happened(), Happened::LeftQueue { result: action.result });
    }
    if let Ok(callback) = RecordingCallback::parse(&form) {
        assert_eq!(callback.event(ARRIVED_MS).is_some(), callback.call_sid.is_some());
    }
    if let Ok(callback) = TranscriptionCallback::parse(&form) {
        assert_eq!(callback.event(ARRIVED_MS).at_ms(), ARRIVED_MS);
    }
    if let Ok(callback) = ConferenceCallback::parse(&form) {
        assert_eq!(callback.event(ARRIVED_MS).is_some(), callback.call_sid.is_some());
    }
}
