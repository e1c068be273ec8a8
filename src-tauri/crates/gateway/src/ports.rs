//! What the gateway needs from the rest of the program.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dialer_domain::call::CallEvent;
use dialer_domain::call_flow::{Happened, Instruction};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::incoming::SoundName;
use dialer_domain::sid::AccountSid;
use dialer_twilio::signature::{SignatureError, WebhookKey};
use dialer_twilio::webhook::VoiceRequest;

/// Knows what webhooks are signed with.
#[async_trait]
pub trait AuthTokens: Send + Sync + 'static {
    /// The keys a request about `account` may be signed with: the primary Auth Token, then the
    /// secondary one while tokens are being changed. Empty when the account is ours but its token
    /// cannot be had; `None` when the account is not ours.
    ///
    /// An `account` of `None` stands for a request that names none; answer for the account in use.
    /// Asked for every request, so keep the keys at hand rather than in the keychain.
    async fn keys(&self, account: Option<&AccountSid>) -> Option<Arc<[WebhookKey]>>;
}

/// Decides about calls and keeps account of them.
///
/// An implementation is a few lines: `begin` is `call_flow::begin(&request.query(), &rules, &situation)`
/// followed by recording `request.routed(&instruction, now)`, and `go_on` is `call_flow::go_on`. A call of
/// a method may be dropped half-way when it takes too long or the other side goes away; it is then made
/// again if Twilio asks again.
#[async_trait]
pub trait Calls: Send + Sync + 'static {
    /// What a call that begins should do. Asked once per request of Twilio: repetitions get the same
    /// answer.
    async fn begin(&self, request: VoiceRequest) -> Instruction;

    /// How a call goes on, after the events of the same request have been [told](Self::happened). Asked
    /// once per request.
    async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Instruction;

    /// Something happened to a call. Told once per request, in order of arrival, which is not always the
    /// order of events.
    async fn happened(&self, event: CallEvent);

    /// A recording that callers hear: the WAV file, or `None` if there is none of that name.
    async fn sound(&self, name: &SoundName) -> Option<Bytes>;

    /// Requests are being refused. Told at most once a minute per reason, unless requests were
    /// [accepted](Self::webhook_accepted) in between; must not block. Wrong signatures
    /// ([`RefusalReason::Mismatch`], [`RefusalReason::OtherKey`]) are told of from the third on that came
    /// within ten minutes without a good request in between: who knows our account's name can send
    /// a wrong one, and Twilio sends many.
    fn webhook_refused(&self, refused: RefusedWebhook);

    /// Requests are good again: the first one after [`webhook_refused`](Self::webhook_refused) told
    /// of something the agent should act on ([`RefusedWebhook::user_error`]), which is thereby
    /// over. Must not block.
    fn webhook_accepted(&self);
}

/// Why requests are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalReason {
    /// No signature: somebody other than Twilio. Every public address gets such visitors.
    Unsigned,
    /// It names another account, or none and is not signed by ours: somebody else's business.
    NotOurAccount,
    /// About our account, but not signed with our key for our address.
    Mismatch,
    /// Signed with another kind of key than the one configured.
    OtherKey,
    /// About our account, but there is no key to check with.
    NoKey,
    /// The public address is not known yet.
    NoPublicBase,
}

impl From<SignatureError> for RefusalReason {
    fn from(error: SignatureError) -> Self {
        match error {
            SignatureError::Missing => Self::Unsigned,
            SignatureError::OtherKey => Self::OtherKey,
            SignatureError::BodyHash | SignatureError::Mismatch => Self::Mismatch,
        }
    }
}

/// Refused requests, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedWebhook {
    /// Why.
    pub reason: RefusalReason,
    /// How many were refused for this reason since the start, this one included.
    pub count: u64,
}

impl RefusedWebhook {
    /// What the agent should do about it; `None` when there is nothing to do, because the visitor
    /// was not Twilio.
    pub fn user_error(&self) -> Option<UserError> {
        let message = match self.reason {
            RefusalReason::Unsigned | RefusalReason::NotOurAccount => return None,
            RefusalReason::Mismatch => {
                "Requests arrive for this account whose signature does not match: from Twilio, or from \
                 somebody who imitates it. Run the self-test first. Enter a new Auth Token on the Account \
                 page only if you changed it at Twilio yourself."
            }
            RefusalReason::OtherKey => {
                "Requests arrive for this account that are signed with another key than the one that is \
                 believed here: by Twilio, or by somebody who imitates it. Run the self-test first. If it fails, \
                 check the webhook signature settings at Twilio."
            }
            RefusalReason::NoKey => {
                "Requests of Twilio cannot be checked, because the key they are signed with is not available \
                 on this computer. Unlock the keychain. If that does not help, enter the Auth Token again, or \
                 replace this computer's own key, on the Account page."
            }
            RefusalReason::NoPublicBase => {
                "A request arrived before the public address was known. Wait until the connection is up."
            }
        };
        let detail = format!("{:?}, {} refused since the start", self.reason, self.count);
        Some(UserError::new(ErrorCode::WebhookRefused, message).with_detail(detail))
    }
}
