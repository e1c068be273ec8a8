//! The `action` of a `<Gather>`: keys were pressed, or none in time.

use dialer_domain::call_flow::{Happened, MenuPlace};
use dialer_domain::incoming::MenuKey;
use dialer_domain::sid::CallSid;

use super::{Form, WebhookError, call_sid};

/// What a caller entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatherAction {
    /// The caller's leg.
    pub call_sid: CallSid,
    /// Where in the menu the caller is; the address that Twilio asks says it.
    pub place: MenuPlace,
    /// The keys: `0-9*#`; absent where none was pressed in time.
    pub digits: Option<String>,
}

impl GatherAction {
    /// Reads a form.
    pub fn parse(form: &Form, place: MenuPlace) -> Result<Self, WebhookError> {
        Ok(Self { call_sid: call_sid(form)?, place, digits: form.get("Digits").map(str::to_owned) })
    }

    /// What a decision about the rest of the call reads: one key, or none for anything else.
    pub fn happened(&self) -> Happened {
        let mut digits = self.digits.iter().flat_map(|digits| digits.chars());
        let key = match (digits.next(), digits.next()) {
            (Some(digit), None) => MenuKey::of(digit),
            (Some(_), Some(_)) | (None, _) => None,
        };
        Happened::Pressed { place: self.place.clone(), key }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    const CALL: &str = "CAcccccccccccccccccccccccccccccccc";

    #[test]
    fn one_key_is_a_key_of_the_menu() {
        let place = MenuPlace { keys: vec![MenuKey::of('2').unwrap()], attempt: 3 };
        for (digits, expected) in
            [("7", MenuKey::of('7')), ("12", None), ("*", None), ("", None), ("٣", None)]
        {
            let form = Form::new().with("CallSid", CALL).with("Digits", digits);
            let action = GatherAction::parse(&form, place.clone()).unwrap();
            assert_eq!(
                action.happened(),
                Happened::Pressed { place: place.clone(), key: expected },
                "{digits}"
            );
        }
    }

    #[test]
    fn speech_presses_nothing() {
        let form = Form::new().with("CallSid", CALL).with("SpeechResult", "one").with("Confidence", "0.93");
        let action = GatherAction::parse(&form, MenuPlace::first()).unwrap();
        assert_eq!(action.happened(), Happened::Pressed { place: MenuPlace::first(), key: None });
        assert_eq!(
            GatherAction::parse(&Form::new().with("Digits", "1"), MenuPlace::first()),
            Err(WebhookError::Missing("CallSid"))
        );
    }
}
