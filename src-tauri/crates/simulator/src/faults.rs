//! Faults that can be switched on while the simulator runs.

use serde::{Deserialize, Serialize};

use crate::event::WebhookPurpose;

/// What goes wrong at the moment. All off by default. Delays are real milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// New signalling sockets are refused with HTTP 503.
    pub refuse_signalling: bool,
    /// Each signalling frame towards the SDK leaves this much later, in order.
    pub delay_signalling_ms: u64,
    /// Heartbeats stop; the SDK drops the socket after 15 s of silence (voice-sdk 2.18.5,
    /// `wstransport.ts:10`).
    pub withhold_heartbeats: bool,
    /// Voice, redirect and `action` requests, and those that try an address out, fail as if nobody answered
    /// (11205).
    pub drop_voice_webhooks: bool,
    /// Every webhook leaves this much later.
    pub delay_webhooks_ms: u64,
    /// Status callbacks are not sent.
    pub drop_status_callbacks: bool,
    /// Each status callback is sent twice.
    pub duplicate_status_callbacks: bool,
    /// The status callbacks of a leg are held until its end and sent last first.
    pub reorder_status_callbacks: bool,
    /// Twilio's clock is ahead of this computer's by so much, or behind it: in the `Date` header of
    /// every answer and when access tokens are checked.
    pub date_offset_ms: i64,
    /// What happens to REST requests. The first rule that fits a request counts.
    pub rest: Vec<RestFault>,
    /// What happens to callbacks. The first rule that fits one counts.
    pub callbacks: Vec<CallbackFault>,
}

/// A rule for callbacks: requests that tell of something, and those to an `action`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackFault {
    /// Only requests for these purposes. When empty, all that only tell of something, and all to an
    /// `action`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<WebhookPurpose>,
    /// Only requests whose URL contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_contains: Option<String>,
    /// For so many requests; counted down, and the rule stays at 0 until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens to them.
    pub then: CallbackFailure,
}

impl CallbackFault {
    /// Whether the rule is for such requests, used up or not.
    pub(crate) fn fits(&self, purpose: WebhookPurpose, url: &str) -> bool {
        let of_purpose = if self.only.is_empty() {
            let action = matches!(
                purpose,
                WebhookPurpose::DialAction
                    | WebhookPurpose::GatherAction
                    | WebhookPurpose::RecordAction
                    | WebhookPurpose::EnqueueAction
            );
            action || purpose.is_notice()
        } else {
            self.only.contains(&purpose)
        };
        of_purpose && self.url_contains.as_deref().is_none_or(|part| url.contains(part))
    }
}

/// What can happen to a callback. Times are real.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallbackFailure {
    /// It is not sent.
    Lose,
    /// It is sent twice, as when its answer is lost on the way; the second answer counts.
    Duplicate,
    /// It leaves this much later; others overtake it.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// It waits until no rule holds it any more. What was held leaves then one after the other, in an
    /// order drawn by lot.
    Hold {
        /// Equal seeds and equal callbacks give equal orders.
        seed: u64,
    },
    /// Chance decides whether it is lost or sent twice, and how much later it leaves. Requests whose
    /// answer steers the call are not lost.
    Random {
        /// Equal seeds give each callback of a call an equal fate.
        seed: u64,
        /// Of a hundred.
        #[serde(default)]
        lose_percent: u8,
        /// Of a hundred.
        #[serde(default)]
        duplicate_percent: u8,
        /// Milliseconds.
        #[serde(default)]
        delay_up_to_ms: u64,
    },
}

/// A rule for REST requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestFault {
    /// Only requests of this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Only requests whose path, such as `/api/2010-04-01/Accounts/AC…/Keys.json`, contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_contains: Option<String>,
    /// For so many requests; counted down, and the rule stays at 0 until it is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens to them.
    pub then: RestFailure,
}

impl RestFault {
    /// Whether the rule is for such requests, used up or not.
    pub(crate) fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.path_contains.as_deref().is_none_or(|part| path.contains(part))
    }
}

/// What can happen to a REST request. Times are real.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "does", rename_all = "snake_case", deny_unknown_fields)]
pub enum RestFailure {
    /// 429, error 20429: not processed.
    TooManyRequests {
        /// `Retry-After`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
    /// 500, error 20500.
    InternalError {
        /// Whether the request was processed all the same.
        #[serde(default)]
        processed: bool,
    },
    /// 503, error 20503: not processed.
    Unavailable,
    /// The request is processed this much later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// The request is not processed until no rule holds it any more; if its client goes, never.
    HoldBefore,
    /// The request is processed, and the answer withheld until no rule holds it any more.
    HoldAfter,
    /// The connection breaks without an answer; the request is not processed.
    Close,
    /// A network's sign-in page comes in Twilio's place: 200 and HTML.
    SignInPage,
    /// A network sends the client to its sign-in page: 302.
    Redirect,
    /// A proxy wants to be signed in to: 407 and HTML.
    ProxySignIn,
    /// The request is processed; the connection breaks in the middle of the answer.
    Truncate,
}

impl RestFailure {
    /// Whether a request that waits before it is processed waits for this.
    pub(crate) fn holds_before(&self) -> bool {
        matches!(self, Self::HoldBefore)
    }

    /// Whether an answer is withheld by this.
    pub(crate) fn holds_after(&self) -> bool {
        matches!(self, Self::HoldAfter)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn rules_for_callbacks_are_read_and_fit() {
        let faults: Faults = serde_json::from_value(serde_json::json!({ "callbacks": [
            { "only": ["conference_callback"], "then": { "does": "hold", "seed": 7 } },
            { "url_contains": "/leg", "times": 2, "then": { "does": "random", "seed": 1, "lose_percent": 10 } },
        ] }))
        .unwrap();
        let [one, two] = &faults.callbacks[..] else { panic!("{faults:?}") };
        assert!(one.fits(WebhookPurpose::ConferenceCallback, "https://a.example/room"));
        assert!(!one.fits(WebhookPurpose::StatusCallback, "https://a.example/room"));
        for (purpose, fits) in [
            (WebhookPurpose::StatusCallback, true),
            (WebhookPurpose::DialAction, true),
            (WebhookPurpose::EnqueueAction, true),
            (WebhookPurpose::TranscriptionCallback, true),
            (WebhookPurpose::Voice, false),
            (WebhookPurpose::Whisper, false),
            (WebhookPurpose::QueueWait, false),
        ] {
            assert_eq!(two.fits(purpose, "https://a.example/leg"), fits, "{purpose:?}");
        }
        assert!(!two.fits(WebhookPurpose::StatusCallback, "https://a.example/parent"));
        assert_eq!(
            two.then,
            CallbackFailure::Random { seed: 1, lose_percent: 10, duplicate_percent: 0, delay_up_to_ms: 0 }
        );
    }
}
