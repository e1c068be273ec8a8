//! An account at Twilio as it was read, and where its numbers lead.
//!
//! Settings of numbers and apps are kept as the texts Twilio gave, untouched: what is put back when an
//! account is disconnected must be what was there, to the byte.

use serde::{Deserialize, Serialize};

use crate::phone_number::E164;
use crate::sid::{AccountSid, PhoneNumberSid, TwimlAppSid};

/// Whether money was ever paid into the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Calls to and from verified numbers only, ten minutes each.
    Trial,
    /// No such limits.
    Full,
}

/// Whether calls can be placed at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountStanding {
    /// Yes.
    Active,
    /// Twilio has stopped it, usually for an empty balance.
    Suspended,
    /// It is gone for good.
    Closed,
}

/// What `GET /Accounts/{AC}.json` says. Only the Auth Token may ask, so it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// Which account.
    pub sid: AccountSid,
    /// Its name at Twilio.
    pub friendly_name: String,
    /// Trial or full.
    pub kind: AccountKind,
    /// Active or not.
    pub standing: AccountStanding,
}

/// Where calls to a number go: the voice fields of `IncomingPhoneNumber`, as Twilio gave them. An
/// absent value and an empty text are different things at Twilio and stay so here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NumberRouting {
    /// Asked about calls, unless an app or a trunk is set: then it is ignored.
    pub voice_url: Option<String>,
    /// `GET` or `POST`.
    pub voice_method: Option<String>,
    /// Asked when `voice_url` fails.
    pub voice_fallback_url: Option<String>,
    /// `GET` or `POST`.
    pub voice_fallback_method: Option<String>,
    /// Told when a call has ended.
    pub status_callback: Option<String>,
    /// `GET` or `POST`.
    pub status_callback_method: Option<String>,
    /// The TwiML App that is asked instead. Setting it deletes `trunk_sid`, and the other way round.
    pub voice_application_sid: Option<String>,
    /// The SIP trunk that takes the calls instead.
    pub trunk_sid: Option<String>,
    /// Whether a paid lookup of the caller's name is made.
    pub voice_caller_id_lookup: Option<bool>,
    /// `voice` or `fax`.
    pub voice_receive_mode: Option<String>,
}

/// A telephone number the account owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnedNumber {
    /// Its SID.
    pub sid: PhoneNumberSid,
    /// The number.
    pub number: E164,
    /// Its name at Twilio.
    pub friendly_name: String,
    /// Whether it can carry calls.
    pub voice: bool,
    /// Where calls to it go.
    pub routing: NumberRouting,
}

/// A number that may be shown to called parties without being owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedCallerId {
    /// `PN…`, as Twilio names it.
    pub sid: PhoneNumberSid,
    /// The number.
    pub number: E164,
    /// Its name at Twilio.
    pub friendly_name: String,
}

/// What a TwiML App says, as Twilio gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppSettings {
    /// For people; not unique.
    pub friendly_name: String,
    /// Asked what a call should do.
    pub voice_url: Option<String>,
    /// `GET` or `POST`.
    pub voice_method: Option<String>,
    /// Asked when `voice_url` fails.
    pub voice_fallback_url: Option<String>,
    /// `GET` or `POST`.
    pub voice_fallback_method: Option<String>,
    /// Told when the parent leg has ended.
    pub status_callback: Option<String>,
    /// `GET` or `POST`.
    pub status_callback_method: Option<String>,
}

/// A TwiML App of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TwimlApp {
    /// Its SID.
    pub sid: TwimlAppSid,
    /// What it says.
    pub settings: AppSettings,
}

/// An API key of the account; its secret is shown by Twilio once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its SID.
    pub sid: crate::sid::ApiKeySid,
    /// For people; not unique.
    pub friendly_name: String,
}
