//! Why a call may not be placed, or must be asked about, in words.

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::OutgoingRules;

/// A question before a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Question {
    /// ISO 3166 code of the country that is not in the list; empty where several countries share the number's
    /// code and the number does not tell which of them it is in. Such a country cannot be put in the list.
    pub region: String,
    /// Its name, in English; `an unknown country` where the region is empty.
    pub country: String,
}

impl Question {
    /// What is said where nobody can be asked, or was not.
    pub fn refusal(&self) -> Refusal {
        if self.region.is_empty() {
            return Refusal::new(
                Ground::UnknownCountry,
                "The country of this number is not known.",
                "Several countries share the code of this number, and the rest of it does not tell which one it is in. \
                 Check the digits.",
            );
        }
        Refusal::new(
            Ground::Country,
            "Calls to this country are not allowed.",
            format!("Calls to {} are not allowed. Add it to the list on the Calls page.", self.country),
        )
    }
}

/// Why a call may not be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What stands against it.
    pub ground: Ground,
    /// Spoken to the agent, should the call have been placed all the same.
    pub spoken: String,
    /// For the agent, with the cure.
    pub reason: String,
}

impl Refusal {
    pub(super) fn new(ground: Ground, spoken: &str, reason: impl Into<String>) -> Self {
        Self { ground, spoken: spoken.into(), reason: reason.into() }
    }
}

/// What can stand against a call. Whoever puts refusals into words of their own can see that none is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ground {
    /// [`OutgoingRules::most_calls`].
    TooManyCalls,
    /// [`OutgoingRules::most_calls`], for callers who are passed on.
    TooManyForwards,
    /// The account's own number.
    OwnNumber,
    /// No caller id is chosen.
    NoCallerId,
    /// The caller id is not the account's.
    CallerId,
    /// [`OutgoingRules::addresses`].
    Addresses,
    /// [`OutgoingRules::emergency`].
    Emergency,
    /// An emergency number behind a country code.
    EmergencyAbroad,
    /// No number that can be called back in an emergency.
    EmergencyCallerId,
    /// No whole telephone number.
    Incomplete,
    /// [`OutgoingRules::premium`].
    Surcharge,
    /// [`OutgoingRules::countries`].
    Country,
    /// The country is not known.
    UnknownCountry,
    /// [`OutgoingRules::minutes_per_day`].
    Minutes,
    /// The price is not known.
    Price,
    /// The limit of money is in another currency than prices.
    Currency,
    /// What today's calls cost is not known.
    Spent,
    /// [`OutgoingRules::money_per_day`].
    Money,
    /// [`OutgoingRules::time_limit_s`].
    TimeLimit,
}

impl Ground {
    /// Every ground.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::successors(Some(Self::TooManyCalls), |ground| ground.next())
    }

    /// The one after it: a match, so that a new one is not forgotten in [`all`](Self::all).
    fn next(self) -> Option<Self> {
        Some(match self {
            Self::TooManyCalls => Self::TooManyForwards,
            Self::TooManyForwards => Self::OwnNumber,
            Self::OwnNumber => Self::NoCallerId,
            Self::NoCallerId => Self::CallerId,
            Self::CallerId => Self::Addresses,
            Self::Addresses => Self::Emergency,
            Self::Emergency => Self::EmergencyAbroad,
            Self::EmergencyAbroad => Self::EmergencyCallerId,
            Self::EmergencyCallerId => Self::Incomplete,
            Self::Incomplete => Self::Surcharge,
            Self::Surcharge => Self::Country,
            Self::Country => Self::UnknownCountry,
            Self::UnknownCountry => Self::Minutes,
            Self::Minutes => Self::Price,
            Self::Price => Self::Currency,
            Self::Currency => Self::Spent,
            Self::Spent => Self::Money,
            Self::Money => Self::TimeLimit,
            Self::TimeLimit => return None,
        })
    }
}
