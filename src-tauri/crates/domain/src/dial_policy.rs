//! Which calls the agent may place: the rules, and the verdict on one call.
//!
//! The verdict is asked twice: when the agent places the call, where a question can still be put to
//! them, and when Twilio asks what to do with it, where it is final. The second time counts: what
//! comes from the window or with a token is not trusted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::destination::Destination;
use crate::incoming::Problem;
use crate::money::Money;
use crate::phone_number::{self, E164};
use crate::sip_uri::SipUri;

mod refusal;
#[cfg(test)]
mod tests;

pub use refusal::{Ground, Question, Refusal};

/// The rules of outgoing calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(default)]
pub struct OutgoingRules {
    /// Countries that may be called, by ISO 3166 code; the home country alone, when absent.
    pub countries: Option<BTreeSet<String>>,
    /// What about the others.
    pub other_countries: OtherCountries,
    /// Whether numbers may be called that cost more than their country's telephones: premium, shared-cost,
    /// personal and satellite ones ([`phone_number::surcharge`]). Dear countries are not among them; those
    /// are kept out by the list of countries.
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
    /// Those of them that the account owns, so that they can be called back.
    pub owned_numbers: Vec<E164>,
    /// Calls under way, this one not counted.
    pub calls_under_way: u32,
    /// Callers who are being passed on to another number.
    pub forwards_under_way: u32,
    /// What today's calls came to, those under way included.
    pub spent: Spent,
    /// What a minute of calls to these numbers costs, in the account's currency.
    pub prices: BTreeMap<E164, Money>,
    /// Whether the agent has agreed to a call that the rules leave to them to decide.
    pub confirmed: bool,
}

/// What calls to telephones came to since midnight, callers who were passed on included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Seconds of conversation.
    pub seconds: u64,
    /// Seconds that the calls under way may go on for: what they were granted and have not used.
    pub reserved_seconds: u64,
    /// Millionths of the account's currency, by Twilio's prices; minutes begun count in full. `None` while
    /// the price of one of the calls is not known.
    pub micros: Option<u64>,
    /// What the calls under way may still come to, likewise.
    pub reserved_micros: u64,
}

impl Default for Spent {
    fn default() -> Self {
        Self { seconds: 0, reserved_seconds: 0, micros: Some(0), reserved_micros: 0 }
    }
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

/// The shortest conversation worth placing, in seconds: Twilio counts by minutes begun.
const SHORTEST_S: u32 = 60;
/// The longest conversation, in seconds: Twilio's own limit of four hours (TwiML `<Dial timeLimit>`).
pub const LONGEST_CALL_S: u32 = 14_400;

/// Judges one call. What no answer of the agent's can change comes before the question.
///
/// An emergency call is held to no limit of price, country or number of calls: nothing but the
/// owner's own decision about emergency calls stands between.
///
/// Where the day's money is limited and the price of the call is not known, the call is refused: a limit
/// that an outage of the price list takes away is none.
pub fn judge(to: &Destination, rules: &OutgoingRules, outlook: &Outlook) -> Verdict {
    place(to, rules, outlook).unwrap_or_else(Verdict::Refused)
}

/// Judges whether a caller may be passed on to `to`, and answers with the longest conversation in seconds.
///
/// Whoever calls in makes the account call out, as often as they like: so that call is held to what holds for
/// the agent's own, but for their caller id. Nobody is there to be asked about a country, and what costs more
/// than the usual is never called for a stranger.
pub fn judge_forward(to: &E164, rules: &OutgoingRules, outlook: &Outlook) -> Result<u32, Refusal> {
    if outlook.forwards_under_way >= rules.most_calls {
        return Err(Refusal::new(
            Ground::TooManyForwards,
            "Nobody is available to take your call.",
            "As many callers are being passed on as calls are allowed at once.",
        ));
    }
    refuse_emergency_abroad(to)?;
    refuse_incomplete(to)?;
    refuse_surcharge(to, &OutgoingRules { premium: false, ..rules.clone() })?;
    if let Some(question) = country(to, rules, outlook)? {
        return Err(question.refusal());
    }
    longest(to, rules, outlook)
}

fn place(to: &Destination, rules: &OutgoingRules, outlook: &Outlook) -> Result<Verdict, Refusal> {
    if !matches!(to, Destination::Emergency(_)) && outlook.calls_under_way >= rules.most_calls {
        return Err(Refusal::new(
            Ground::TooManyCalls,
            "Too many calls are under way.",
            "As many calls are under way as the rules allow. End one, or change the limit on the Calls page.",
        ));
    }
    let rule_s = || enough(rules.time_limit_s.min(LONGEST_CALL_S));
    let (question, verdict) = match to {
        Destination::Emergency(number) => return emergency(number, rules, outlook),
        Destination::Number(number) => {
            let caller_id = caller_id(outlook)?;
            if caller_id == *number {
                return Err(Refusal::new(
                    Ground::OwnNumber,
                    "You have dialled your own number.",
                    "The number dialled is this phone's own caller id.",
                ));
            }
            refuse_emergency_abroad(number)?;
            refuse_incomplete(number)?;
            refuse_surcharge(number, rules)?;
            let time_limit_s = longest(number, rules, outlook)?;
            let question = country(number, rules, outlook)?;
            (question, Verdict::Allowed { caller_id: Some(caller_id), time_limit_s })
        }
        Destination::Client(_) | Destination::Sip(_) if !rules.addresses => {
            return Err(Refusal::new(
                Ground::Addresses,
                "Calls to addresses are not allowed.",
                "Calls to client and SIP addresses are not allowed. Allow them on the Calls page.",
            ));
        }
        // A colleague sees who it is, not a number.
        Destination::Client(_) => (None, Verdict::Allowed { caller_id: None, time_limit_s: rule_s()? }),
        // Twilio wants a caller id for whatever a client dials but another client (13214).
        Destination::Sip(uri) => {
            let caller_id = caller_id(outlook)?;
            let question = telephone_behind(uri, rules, outlook)?;
            (question, Verdict::Allowed { caller_id: Some(caller_id), time_limit_s: rule_s()? })
        }
        Destination::NextInQueue => {
            (None, Verdict::Allowed { caller_id: caller_id(outlook).ok(), time_limit_s: rule_s()? })
        }
    };
    Ok(question.filter(|_| !outlook.confirmed).map_or(verdict, Verdict::Ask))
}

/// What must be asked about a SIP address whose name is a telephone number, if anything: a carrier behind
/// the address connects it like any other, so the rules of numbers hold for it. A carrier's price is not known,
/// and is not counted. A name that is an emergency number is one even where somebody means an extension.
fn telephone_behind(
    uri: &SipUri,
    rules: &OutgoingRules,
    outlook: &Outlook,
) -> Result<Option<Question>, Refusal> {
    let name = uri.user();
    let is_dialled = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')');
    if name.is_empty() || !name.chars().all(is_dialled) {
        return Ok(None);
    }
    if let Some(number) = phone_number::emergency_number(&name, &outlook.home_region) {
        return if rules.emergency { Ok(None) } else { Err(no_emergency(&number)) };
    }
    // Without a plus sign, it may be a number in full, or one as it is dialled at home.
    let bare: String = name.chars().filter(char::is_ascii_digit).collect();
    let in_full = E164::parse_strict(&format!("+{bare}")).ok();
    let at_home = phone_number::parse(&name, &outlook.home_region).ok().filter(|_| !name.starts_with('+'));
    for number in in_full.iter().chain(&at_home) {
        refuse_emergency_abroad(number)?;
        refuse_surcharge(number, rules)?;
    }
    // Without a plus sign, what is no whole number either way is an extension.
    let whole = match in_full {
        Some(number) if name.starts_with('+') => refuse_incomplete(&number).map(|()| Some(number))?,
        number => number.filter(|number| refuse_incomplete(number).is_ok()),
    };
    match at_home.or(whole) {
        Some(number) => country(&number, rules, outlook),
        None => Ok(None),
    }
}

/// The longest conversation with `number`, in seconds, that rules, minutes and money leave.
fn longest(number: &E164, rules: &OutgoingRules, outlook: &Outlook) -> Result<u32, Refusal> {
    let rule_s = rules.time_limit_s.min(LONGEST_CALL_S);
    enough(rule_s.min(minutes_left(rules, outlook)?).min(money_left(number, rules, outlook)?))
}

const NO_EMERGENCY: &str = "Emergency calls are not possible with this phone. Use a mobile or a land line.";

fn no_emergency(number: &str) -> Refusal {
    Refusal::new(
        Ground::Emergency,
        NO_EMERGENCY,
        format!(
            "This program cannot call {number}: use a mobile or a land line now. Emergency calls can be \
             allowed on the Calls page, once an emergency address is set up at Twilio."
        ),
    )
}

/// No rule allows these: with a country code before it, an emergency number leads nowhere, or to somebody else.
fn refuse_emergency_abroad(number: &E164) -> Result<(), Refusal> {
    if !phone_number::is_emergency_abroad(number) {
        return Ok(());
    }
    Err(Refusal::new(
        Ground::EmergencyAbroad,
        NO_EMERGENCY,
        format!(
            "{number} is an emergency number behind a country code, which cannot be called like that. In an \
             emergency use a mobile or a land line now."
        ),
    ))
}

/// An emergency call shows a number of the account's own that can be called back, in the country of the
/// emergency number (Twilio, "Emergency calling for Programmable Voice").
fn emergency(number: &str, rules: &OutgoingRules, outlook: &Outlook) -> Result<Verdict, Refusal> {
    if !rules.emergency {
        return Err(no_emergency(number));
    }
    let home = |number: &E164| {
        outlook.owned_numbers.contains(number)
            && phone_number::region(number).is_some_and(|region| region == outlook.home_region)
    };
    let chosen = outlook.caller_id.as_ref().filter(|chosen| home(chosen));
    match chosen.or_else(|| outlook.owned_numbers.iter().find(|number| home(number))) {
        Some(caller_id) => {
            Ok(Verdict::Allowed { caller_id: Some(caller_id.clone()), time_limit_s: LONGEST_CALL_S })
        }
        None => Err(Refusal::new(
            Ground::EmergencyCallerId,
            NO_EMERGENCY,
            format!(
                "This program cannot call {number}: use a mobile or a land line now. An emergency call needs a number \
                 that the account owns in {}, and it has none.",
                phone_number::region_name(&outlook.home_region)
            ),
        )),
    }
}

/// No answer of the agent's makes a telephone number of what is none: too short or too long for its country, or
/// behind a code that no country has.
fn refuse_incomplete(number: &E164) -> Result<(), Refusal> {
    match phone_number::parse(number.as_str(), "") {
        Ok(_) => Ok(()),
        Err(problem) => Err(Refusal::new(
            Ground::Incomplete,
            "This is not a whole telephone number.",
            problem.to_string(),
        )),
    }
}

fn refuse_surcharge(number: &E164, rules: &OutgoingRules) -> Result<(), Refusal> {
    match phone_number::surcharge(number).filter(|_| !rules.premium) {
        Some(surcharge) => Err(Refusal::new(
            Ground::Surcharge,
            "Calls to premium numbers are not allowed.",
            format!(
                "This is {}. Such calls are not allowed; they can be allowed on the Calls page.",
                surcharge.name()
            ),
        )),
        None => Ok(()),
    }
}

/// What must be asked about the number's country, if anything.
fn country(number: &E164, rules: &OutgoingRules, outlook: &Outlook) -> Result<Option<Question>, Refusal> {
    let region = phone_number::region(number).unwrap_or_default();
    let listed = !region.is_empty()
        && match &rules.countries {
            Some(countries) => countries.contains(&region),
            None => region == outlook.home_region,
        };
    if listed {
        return Ok(None);
    }
    let country = phone_number::region_name(&region);
    let question = Question { region, country };
    match rules.other_countries {
        OtherCountries::Ask => Ok(Some(question)),
        OtherCountries::Block => {
            let mut refusal = question.refusal();
            if refusal.ground == Ground::UnknownCountry {
                refusal.reason.push_str(
                    " To be asked about such numbers instead, have the Calls page ask about other countries.",
                );
            }
            Err(refusal)
        }
    }
}

/// Seconds that the day's minutes leave; more than any call lasts, where they are not limited.
fn minutes_left(rules: &OutgoingRules, outlook: &Outlook) -> Result<u32, Refusal> {
    let Some(minutes) = rules.minutes_per_day else { return Ok(LONGEST_CALL_S) };
    let taken = outlook.spent.seconds.saturating_add(outlook.spent.reserved_seconds);
    let left = (u64::from(minutes) * 60).saturating_sub(taken);
    if left < u64::from(SHORTEST_S) {
        return Err(Refusal::new(
            Ground::Minutes,
            "Today's minutes are used up.",
            format!(
                "Of today's {minutes} minutes of calls less than one is left, with what calls under way may take. \
                 Wait until tomorrow, or change the limit on the Calls page."
            ),
        ));
    }
    Ok(u32::try_from(left).unwrap_or(LONGEST_CALL_S))
}

/// Seconds that the day's money pays for, in whole minutes as Twilio bills them; more than any call
/// lasts, where it is not limited or the call is free.
fn money_left(number: &E164, rules: &OutgoingRules, outlook: &Outlook) -> Result<u32, Refusal> {
    let Some(money) = &rules.money_per_day else { return Ok(LONGEST_CALL_S) };
    let Some(price) = outlook.prices.get(number) else {
        return Err(Refusal::new(
            Ground::Price,
            "The price of this call is not known.",
            "The price of this call could not be read from Twilio, so that it cannot be held to what calls may cost in \
             a day. Try again in a moment, or take off that limit on the Calls page.",
        ));
    };
    if price.currency != money.currency {
        return Err(Refusal::new(
            Ground::Currency,
            "What calls may cost is set in another currency.",
            format!(
                "What calls may cost in a day is set in {}, but Twilio's prices for this account are in {}. Set the \
                 limit in {} on the Calls page.",
                money.currency, price.currency, price.currency
            ),
        ));
    }
    let Some(spent) = outlook.spent.micros else {
        return Err(Refusal::new(
            Ground::Spent,
            "What today's calls cost is not known.",
            "The price of one of today's calls could not be read from Twilio, so that what is left of today's money is \
             not known. Try again in a moment, or take off that limit on the Calls page.",
        ));
    };
    let left = money.micros.saturating_sub(spent).saturating_sub(outlook.spent.reserved_micros);
    match left.checked_div(price.micros) {
        None => Ok(LONGEST_CALL_S),
        Some(0) => Err(Refusal::new(
            Ground::Money,
            "What calls may cost today is used up.",
            "What is left of the money for today's calls, with what calls under way may take, does not pay for a minute \
             of this one. Wait until tomorrow, or change the limit on the Calls page.",
        )),
        Some(minutes) => Ok(u32::try_from(minutes.saturating_mul(60)).unwrap_or(LONGEST_CALL_S)),
    }
}

/// Refuses a call that may not last a minute. Only rules with [`problems`] come to this.
fn enough(time_limit_s: u32) -> Result<u32, Refusal> {
    if time_limit_s >= SHORTEST_S {
        return Ok(time_limit_s);
    }
    Err(Refusal::new(
        Ground::TimeLimit,
        "The longest call is set to less than a minute.",
        "The longest call is set to less than a minute. Change it on the Calls page.",
    ))
}

fn caller_id(outlook: &Outlook) -> Result<E164, Refusal> {
    let Some(chosen) = outlook.caller_id.clone() else {
        return Err(Refusal::new(
            Ground::NoCallerId,
            "No outgoing number has been chosen.",
            "No caller id has been chosen; choose one on the Account page.",
        ));
    };
    if outlook.usable_caller_ids.contains(&chosen) {
        return Ok(chosen);
    }
    Err(Refusal::new(
        Ground::CallerId,
        "This outgoing number cannot be used.",
        "This caller id is neither a number of the account nor verified. Choose another on the Account page.",
    ))
}

/// What is wrong with `rules`; nothing, if they can be kept.
pub fn problems(rules: &OutgoingRules) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut must = |good: bool, path: &str, message: &str| {
        if !good {
            problems.push(Problem { path: path.into(), message: message.into() });
        }
    };
    let is_region =
        |code: &String| code == "001" || (code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()));
    must(
        rules.countries.iter().flatten().all(is_region),
        "countries",
        "A country is named by its two letters, such as US.",
    );
    must(
        (SHORTEST_S..=LONGEST_CALL_S).contains(&rules.time_limit_s),
        "time_limit_s",
        "The longest call can be 1 minute to 4 hours.",
    );
    must((1..=10).contains(&rules.most_calls), "most_calls", "There can be 1 to 10 calls at once.");
    must(
        rules.minutes_per_day.is_none_or(|minutes| (1..=1440 * 10).contains(&minutes)),
        "minutes_per_day",
        "The minutes of a day can be 1 to 14,400.",
    );
    must(
        rules.money_per_day.as_ref().is_none_or(|money| money.micros > 0),
        "money_per_day.micros",
        "The money of a day must be more than nothing. To forbid all calls, allow no country.",
    );
    must(
        rules.money_per_day.as_ref().is_none_or(|money| is_currency(&money.currency)),
        "money_per_day.currency",
        "A currency is named by its three letters, such as USD.",
    );
    problems
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}
