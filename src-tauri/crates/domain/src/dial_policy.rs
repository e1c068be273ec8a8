//! Which calls the agent may place: the rules, and the verdict on one call.
//!
//! The verdict is asked twice: when the agent places the call, where a question can still be put to
//! them, and when Twilio asks what to do with it, where it is final. The second time counts: what
//! comes from the window or with a token is not trusted.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::destination::Destination;
use crate::money::Money;
use crate::phone_number::{self, E164};

/// The rules of outgoing calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct OutgoingRules {
    /// Countries that may be called, by ISO 3166 code; the home country alone, when absent.
    pub countries: Option<BTreeSet<String>>,
    /// What about the others.
    pub other_countries: OtherCountries,
    /// Whether premium and shared-cost numbers, and ranges known for toll fraud, may be called.
    pub premium: bool,
    /// Whether emergency numbers may be called: the owner has set that up at Twilio and accepted that
    /// this program is no replacement for a telephone.
    pub emergency: bool,
    /// Whether `client:` and `sip:` addresses may be called.
    pub addresses: bool,
    /// The longest conversation in seconds, 60 to 14,400 (Twilio's own limit of four hours).
    pub time_limit_s: u32,
    /// How many calls may be under way at once, 1 to 10.
    pub most_calls: u32,
    /// Minutes of calls to telephones in one day.
    pub minutes_per_day: Option<u32>,
    /// What calls to telephones may cost in one day, by Twilio's prices.
    pub money_per_day: Option<Money>,
}

/// What about countries that are not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum OtherCountries {
    /// The agent is asked, with the price.
    Ask,
    /// They cannot be called.
    Block,
}

impl Default for OutgoingRules {
    fn default() -> Self {
        Self {
            countries: None,
            other_countries: OtherCountries::Ask,
            premium: false,
            emergency: false,
            addresses: true,
            time_limit_s: 14_400,
            most_calls: 2,
            minutes_per_day: None,
            money_per_day: None,
        }
    }
}

/// How long the far end rings, in seconds; Twilio adds five.
pub const RING_TIMEOUT_S: u32 = 25;

/// What the verdict depends on besides the rules.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// ISO 3166 code of the agent's own country.
    pub home_region: String,
    /// The caller id chosen for this call, or the account's; `None` if no number has been chosen.
    pub caller_id: Option<E164>,
    /// Every number that may be shown: owned and verified ones.
    pub usable_caller_ids: Vec<E164>,
    /// Calls under way, this one not counted.
    pub calls_under_way: u32,
    /// What today's calls came to, those under way included.
    pub spent: Spent,
    /// What a minute of this call costs, in millionths of the account's currency, where it is known.
    pub price_micros: Option<u64>,
    /// Whether the agent has agreed to a call that the rules leave to them to decide.
    pub confirmed: bool,
}

/// What calls to telephones came to since midnight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// Seconds of conversation.
    pub seconds: u64,
    /// Millionths of the account's currency, by Twilio's prices; minutes begun count in full.
    pub micros: u64,
}

/// The verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The call may be placed.
    Allowed {
        /// Shown as the caller; absent for a call that shows the agent's own address.
        caller_id: Option<E164>,
        /// The longest conversation, in seconds.
        time_limit_s: u32,
    },
    /// The agent must be asked first.
    Ask(Question),
    /// The call may not be placed.
    Refused(Refusal),
}

/// A question before a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Question {
    /// ISO 3166 code of the country that is not in the list.
    pub region: String,
    /// Its name, in English.
    pub country: String,
}

/// Why a call may not be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Spoken to the agent, should the call have been placed all the same.
    pub spoken: String,
    /// For the agent, with the cure.
    pub reason: String,
}

impl Refusal {
    fn new(spoken: &str, reason: impl Into<String>) -> Self {
        Self { spoken: spoken.into(), reason: reason.into() }
    }
}

/// Judges one call.
pub fn judge(to: &Destination, rules: &OutgoingRules, outlook: &Outlook) -> Verdict {
    match place(to, rules, outlook) {
        Ok(verdict) => verdict,
        Err(refusal) => Verdict::Refused(refusal),
    }
}

fn place(to: &Destination, rules: &OutgoingRules, outlook: &Outlook) -> Result<Verdict, Refusal> {
    if outlook.calls_under_way >= rules.most_calls {
        return Err(Refusal::new(
            "Too many calls are under way.",
            "As many calls are under way as the rules allow. End one, or change the limit on the Calls page.",
        ));
    }
    let caller_id = match to {
        Destination::Number(_) | Destination::Emergency(_) => Some(caller_id(outlook)?),
        Destination::Client(_) | Destination::Sip(_) | Destination::NextInQueue => outlook.caller_id.clone(),
    };
    match to {
        Destination::Number(number) => {
            if caller_id.as_ref() == Some(number) {
                return Err(Refusal::new(
                    "You have dialled your own number.",
                    "The number dialled is this phone's own caller id.",
                ));
            }
            let region = phone_number::region(number).unwrap_or_default();
            let listed = match &rules.countries {
                Some(countries) => countries.contains(&region),
                None => region == outlook.home_region,
            };
            if !listed && !outlook.confirmed {
                let country = phone_number::region_name(&region);
                match rules.other_countries {
                    OtherCountries::Ask => return Ok(Verdict::Ask(Question { region, country })),
                    OtherCountries::Block => {
                        return Err(Refusal::new(
                            "Calls to this country are not allowed.",
                            format!("Calls to {country} are not allowed. Add it to the list on the Calls page."),
                        ));
                    }
                }
            }
        }
        Destination::Emergency(number) if !rules.emergency => {
            return Err(Refusal::new(
                "Emergency calls are not possible with this phone. Use a mobile or a land line.",
                format!(
                    "This program cannot call {number}: use a mobile or a land line now. Emergency calls can be \
                     allowed on the Calls page, once an emergency address is set up at Twilio."
                ),
            ));
        }
        Destination::Client(_) | Destination::Sip(_) if !rules.addresses => {
            return Err(Refusal::new(
                "Calls to addresses are not allowed.",
                "Calls to client and SIP addresses are not allowed. Allow them on the Calls page.",
            ));
        }
        Destination::Emergency(_)
        | Destination::Client(_)
        | Destination::Sip(_)
        | Destination::NextInQueue => {}
    }
    Ok(Verdict::Allowed { caller_id, time_limit_s: rules.time_limit_s })
}

fn caller_id(outlook: &Outlook) -> Result<E164, Refusal> {
    let Some(chosen) = outlook.caller_id.clone() else {
        return Err(Refusal::new(
            "No outgoing number has been chosen.",
            "No caller id has been chosen; choose one on the Account page.",
        ));
    };
    if outlook.usable_caller_ids.contains(&chosen) {
        return Ok(chosen);
    }
    Err(Refusal::new(
        "This outgoing number cannot be used.",
        "This caller id is neither a number of the account nor verified. Choose another on the Account page.",
    ))
}
