//! Twilio's REST API, as far as a telephone needs it.
//!
//! [`Client`] has one method per request. What they share is in one place each:
//!
//! | module | holds |
//! | --- | --- |
//! | `base_urls` | which host serves which product: Twilio's, a region's, or the simulator's |
//! | `credentials` | the Auth Token or an API key, and what each may ask for |
//! | `client` | sending: four at a time, bounded answers, no redirects, the clock of the other side |
//! | `retry` | which request is sent again, and when: one function |
//! | `paging` | following the link of an answer to the next page, and nowhere else |
//! | `error` | what can go wrong; `wording` says it to the agent |
//!
//! The other modules are the resources. Paths, parameters and fields are those of Twilio's OpenAPI
//! files (`twilio/twilio-oai`), against which the contract tests hold them. Answers are read
//! leniently, because Twilio adds fields and leaves some empty: only what the program cannot do
//! without is demanded. Bodies of answers are never logged; that of an account holds its Auth Token.

mod account;
mod alerts;
mod applications;
mod base_urls;
mod caller_ids;
mod calls;
mod client;
mod conferences;
mod credentials;
mod error;
mod numbers;
mod paging;
mod permissions;
mod prices;
mod queues;
mod recordings;
mod request;
mod retry;
mod times;
mod transport;
mod usage;
mod webhooks;
mod wording;

pub use account::{Balance, NewKey};
pub use alerts::{Alert, CallEvent, Notification};
pub use base_urls::{BaseUrls, InvalidBaseUrl};
pub use caller_ids::{CallerIdCheck, Validation};
pub use calls::{CallFilter, CallResource, CallUpdate, Instructions, NewCall};
pub use client::{Client, ClientOptions, Pause, TimerPause};
pub use conferences::{
    Conference, ConferenceFilter, ConferenceUpdate, NewParticipant, Participant, ParticipantUpdate,
};
pub use credentials::{CredentialKind, Credentials};
pub use error::{RestError, UnreachableCause};
pub use permissions::{CountryPermission, CountrySwitches};
pub use prices::{CountryPrices, InboundPrice, PrefixPrice, VoicePrice};
pub use queues::{Queue, QueueMember};
pub use recordings::{
    LARGEST_RECORDING, NewRecording, Recording, RecordingFilter, RecordingStatus, Transcription,
};
pub use usage::{UsagePeriod, UsageRecord};
pub use webhooks::{
    NewSharedKey, SharedKey, TestDelivery, WebhookMatch, WebhookOperation, WebhookRule, WebhookSetting,
};
