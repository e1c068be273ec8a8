//! Sentences that tell an agent of the desktop phone which page to open, for those who set up a server: here
//! the environment and `RULES_FILE` say what is set on pages there.

use std::borrow::Cow;

use dialer_gateway::RefusalReason;

/// Why a call was refused that nobody had asked for.
pub(super) const NOT_ASKED_FOR: &str = "A call came with an agent's access token that this agent had not asked for with \
     POST /api/calls/intents. If this happens again, make a new API key at Twilio, delete the old one, and set \
     TWILIO_API_KEY and TWILIO_API_SECRET.";

/// What the sentences say of the desktop, and what holds here. The first that fits counts: the more special ones
/// come first.
const INSTEAD: &[(&str, &str)] = &[
    (
        "allow. End one, or change the limit on the Calls page.",
        "allow. End one, or raise outgoing.most_calls in RULES_FILE.",
    ),
    (
        "with what calls under way may take. Wait until tomorrow, or change the limit on the Calls page.",
        "with what calls under way may take. Wait until tomorrow, or raise outgoing.minutes_per_day in RULES_FILE.",
    ),
    (
        "Wait until tomorrow, or change the limit on the Calls page.",
        "Wait until tomorrow, or raise outgoing.money_per_day in RULES_FILE.",
    ),
    ("or take off that limit on the Calls page.", "or take outgoing.money_per_day out of RULES_FILE."),
    ("Allow them on the Calls page.", "Set outgoing.addresses in RULES_FILE to allow them."),
    (
        "Emergency calls can be allowed on the Calls page,",
        "Emergency calls can be allowed by outgoing.emergency in RULES_FILE,",
    ),
    ("they can be allowed on the Calls page.", "outgoing.premium in RULES_FILE allows them."),
    ("Add it to the list on the Calls page.", "Add it to outgoing.countries in RULES_FILE."),
    (" To be asked about such numbers instead, have the Calls page ask about other countries.", ""),
    (
        "The longest call is set to less than a minute. Change it on the Calls page.",
        "The longest call is set to less than a minute. Change outgoing.time_limit_s in RULES_FILE.",
    ),
    ("on the Calls page", "in RULES_FILE"),
    ("choose one on the Account page.", "set TWILIO_PHONE_NUMBER."),
    ("Choose another on the Account page.", "Only TWILIO_PHONE_NUMBER can be shown."),
    (
        "could not reach this phone to ask what to do with the call. Open Diagnostics and run the self-test.",
        "could not reach this server to ask what to do with the call. Check that BACKEND_URL leads here, and look at \
         dialer_webhooks_total among the figures of /metrics.",
    ),
    (
        "has a wrong address for this phone. Open Settings and connect the account again.",
        "has a wrong address for this server. Enter BACKEND_URL with /api/calls/twiml as the voice URL of the TwiML App.",
    ),
    (
        "no longer accepts the saved sign-in. Open Settings and connect the account again.",
        "no longer accepts the API key. Set TWILIO_API_KEY and TWILIO_API_SECRET to one that is good.",
    ),
    (
        "refused this phone's sign-in. Try again; if it stays, open Settings and connect the account again.",
        "refused the agent's access token. Ask for a new one; if it stays, check TWILIO_API_KEY, TWILIO_API_SECRET and \
         TWILIO_ACCOUNT_SID.",
    ),
    (
        "The Twilio set-up is not complete. Open Settings and connect the account again.",
        "The Twilio set-up is not complete. Check TWILIO_TWIML_APP_SID and the TwiML App of that name.",
    ),
    ("if it keeps happening, open Diagnostics.", "if it keeps happening, look at the server's log."),
];

/// The sentence as it holds for a server.
pub(super) fn for_server(sentence: &str) -> Cow<'_, str> {
    match INSTEAD.iter().find(|(there, _)| sentence.contains(there)) {
        Some((there, here)) => Cow::Owned(sentence.replacen(there, here, 1)),
        None => Cow::Borrowed(sentence),
    }
}

/// What to do about refused webhooks; nothing, where the visitor was not Twilio.
pub(super) fn about_refused_webhooks(reason: RefusalReason) -> Option<&'static str> {
    Some(match reason {
        RefusalReason::Unsigned | RefusalReason::NotOurAccount => return None,
        RefusalReason::Mismatch => {
            "requests for this account do not match their signature: from Twilio, or from somebody who imitates it. \
             Check that BACKEND_URL is what Twilio calls, to the letter, and that TWILIO_AUTH_TOKEN is the account's"
        }
        RefusalReason::OtherKey => {
            "requests for this account are signed with another kind of key: by Twilio, or by somebody who imitates it. \
             Check TWILIO_AUTH_TOKEN and TWILIO_WEBHOOK_KEY_ID against the webhook signature settings at Twilio"
        }
        RefusalReason::NoKey => "requests of Twilio cannot be checked: set TWILIO_AUTH_TOKEN",
        RefusalReason::NoPublicBase => "a request came before the server had started completely",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use std::collections::{BTreeMap, BTreeSet};

    use dialer_domain::call_log::reason;
    use dialer_domain::destination::Destination;
    use dialer_domain::dial_policy::{
        self, Ground, OtherCountries, OutgoingRules, Outlook, Refusal, Spent, Verdict,
    };
    use dialer_domain::money::Money;
    use dialer_domain::phone_number::E164;

    use super::*;

    fn number(text: &str) -> E164 {
        E164::parse_strict(text).unwrap()
    }

    fn outlook() -> Outlook {
        Outlook {
            home_region: "US".into(),
            caller_id: Some(number("+12025550100")),
            usable_caller_ids: vec![number("+12025550100")],
            owned_numbers: vec![number("+12025550100")],
            calls_under_way: 0,
            forwards_under_way: 0,
            spent: Spent::default(),
            prices: BTreeMap::new(),
            confirmed: false,
        }
    }

    /// Every refusal that rules and outlook can come to.
    fn refusals() -> Vec<Refusal> {
        let usd = |micros, currency: &str| Money { micros, currency: currency.into() };
        let block = || OutgoingRules { other_countries: OtherCountries::Block, ..OutgoingRules::default() };
        let money = || OutgoingRules { money_per_day: Some(usd(10_000, "USD")), ..OutgoingRules::default() };
        let price = |price| Outlook { prices: [(number("+12025550123"), price)].into(), ..outlook() };
        let unknown = Spent { micros: None, ..Spent::default() };
        let used = Spent { seconds: 600, ..Spent::default() };
        let cases = [
            ("+12025550123", OutgoingRules { most_calls: 0, ..OutgoingRules::default() }, outlook()),
            ("+12025550123", OutgoingRules { time_limit_s: 9, ..OutgoingRules::default() }, outlook()),
            (
                "+12025550123",
                OutgoingRules { minutes_per_day: Some(10), ..OutgoingRules::default() },
                Outlook { spent: used, ..outlook() },
            ),
            ("+12025550123", money(), outlook()),
            ("+12025550123", money(), price(usd(1, "EUR"))),
            ("+12025550123", money(), price(usd(10_001, "USD"))),
            ("+12025550123", money(), Outlook { spent: unknown, ..price(usd(1, "USD")) }),
            ("+12025550123", OutgoingRules::default(), Outlook { caller_id: None, ..outlook() }),
            ("+12025550123", OutgoingRules::default(), Outlook { usable_caller_ids: vec![], ..outlook() }),
            ("+12025550100", OutgoingRules::default(), outlook()),
            ("+33142685300", block(), outlook()),
            ("+33142685301", OutgoingRules::default(), outlook()),
            ("+19995550123", block(), outlook()),
            ("+19995550124", OutgoingRules::default(), outlook()),
            ("+19005550123", OutgoingRules::default(), outlook()),
            ("911", OutgoingRules::default(), outlook()),
            (
                "911",
                OutgoingRules { emergency: true, ..OutgoingRules::default() },
                Outlook { owned_numbers: vec![], ..outlook() },
            ),
            ("client:berta", OutgoingRules { addresses: false, ..OutgoingRules::default() }, outlook()),
        ];
        let judged = cases.into_iter().map(|(to, rules, outlook)| {
            match dial_policy::judge(&Destination::parse(to, "US").unwrap(), &rules, &outlook) {
                Verdict::Refused(refusal) => refusal,
                Verdict::Ask(question) => question.refusal(),
                Verdict::Allowed { .. } => panic!("{to} is refused"),
            }
        });
        let forwarded = [
            ("+12025550123", Outlook { forwards_under_way: 9, ..outlook() }),
            ("+33142685300", outlook()),
            ("+19995550123", outlook()),
            ("+19005550123", outlook()),
            ("+2710111", outlook()),
            ("+3312345", outlook()),
        ];
        let forwarded = forwarded.into_iter().map(|(to, outlook)| {
            dial_policy::judge_forward(&number(to), &OutgoingRules::default(), &outlook).unwrap_err()
        });
        judged.chain(forwarded).collect()
    }

    #[test]
    fn no_sentence_names_a_page_of_the_app() {
        let codes = (0..70_000).chain(573_000..573_100).filter_map(reason::for_code).map(str::to_owned);
        let refusals = refusals();
        let seen: BTreeSet<Ground> = refusals.iter().map(|refusal| refusal.ground).collect();
        assert_eq!(seen, Ground::all().collect(), "every refusal is looked at");
        let refusals = refusals.into_iter().map(|refusal| refusal.reason);
        let sentences: BTreeSet<String> = refusals.chain(codes).collect();
        assert!(sentences.len() > 40);
        for sentence in &sentences {
            let here = for_server(sentence);
            for there in [" page", "Settings", "Diagnostics", "self-test", "connect the account"] {
                assert!(!here.contains(there), "{there}: {here}");
            }
        }
    }

    #[test]
    fn each_limit_is_called_by_its_own_key() {
        let refusals = refusals();
        let all: BTreeSet<_> =
            refusals.iter().map(|refusal| for_server(&refusal.reason).into_owned()).collect();
        for (key, times) in [
            ("outgoing.most_calls", 1),
            ("outgoing.time_limit_s", 1),
            ("outgoing.minutes_per_day", 1),
            ("outgoing.money_per_day", 3),
            ("outgoing.countries", 1),
            ("outgoing.premium", 1),
            ("outgoing.emergency", 1),
            ("outgoing.addresses", 1),
            ("TWILIO_PHONE_NUMBER", 2),
        ] {
            assert_eq!(
                all.iter().filter(|sentence| sentence.contains(key)).count(),
                times,
                "{key}: {all:#?}"
            );
        }
    }
}
