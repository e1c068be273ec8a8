//! What was read at Twilio, as words for the agent. Pure.

use dialer_domain::account::{AccountKind, OwnedNumber, TwimlApp};
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::phone_number;
use dialer_domain::setup::{Choices, Destination, Installation, Pending, TunnelChoice, destination};
use dialer_gateway::tunnel::InstalledProgram;
use dialer_twilio::rest::{Balance, CountryPermission};

use super::look::Looked;
use crate::api::{CountryView, Inventory, NumberView, VerifiedNumberView};

/// Below this many units of its currency a balance is called low: an hour or two of calls.
const LOW_BALANCE: f64 = 5.0;

/// What the account has, for the page.
pub(crate) fn inventory(looked: &Looked, installation: &Installation) -> Inventory {
    Inventory {
        name: looked.facts.friendly_name.clone(),
        kind: looked.facts.kind,
        standing: looked.facts.standing,
        balance: looked.balance.as_ref().map(balance),
        balance_low: looked.balance.as_ref().is_some_and(is_low),
        trial_limits: trial_limits(looked.facts.kind),
        numbers: looked
            .numbers
            .iter()
            .map(|number| number_view(number, &looked.apps, installation))
            .collect(),
        verified: looked
            .verified
            .iter()
            .map(|verified| VerifiedNumberView {
                number: verified.number.clone(),
                formatted: phone_number::format(&verified.number),
                name: verified.friendly_name.clone(),
            })
            .collect(),
        countries: looked.countries.as_deref().map(countries),
        remarks: looked.remarks.clone(),
    }
}

/// For reading, such as `12.34 USD`. Twilio gives more decimals than money has.
pub(crate) fn balance(balance: &Balance) -> String {
    match balance.amount.parse::<f64>() {
        Ok(amount) => format!("{amount:.2} {}", balance.currency),
        Err(_) => format!("{} {}", balance.amount, balance.currency),
    }
}

fn is_low(balance: &Balance) -> bool {
    balance.amount.parse::<f64>().is_ok_and(|amount| amount < LOW_BALANCE)
}

/// What a trial account cannot do (Twilio, "Free trial limitations", 2026).
fn trial_limits(kind: AccountKind) -> Vec<String> {
    match kind {
        AccountKind::Full => Vec::new(),
        AccountKind::Trial => [
            "Calls reach only numbers that were verified with Twilio, five at most, and come only from them.",
            "A call ends after ten minutes, and Twilio plays a short notice before it.",
            "One call at a time.",
            "Twilio decides which number is shown to each person you call.",
            "The trial ends after 30 days. Upgrade in Twilio's Console to lift all of this.",
        ]
        .map(String::from)
        .to_vec(),
    }
}

fn number_view(number: &OwnedNumber, apps: &[TwimlApp], installation: &Installation) -> NumberView {
    let to = destination(&number.routing, apps, installation);
    NumberView {
        sid: number.sid.clone(),
        formatted: phone_number::format(&number.number),
        number: number.number.clone(),
        name: number.friendly_name.clone(),
        voice: number.voice,
        goes_to: words(&to),
        here: to == Destination::Here,
        warning: if number.voice { warning(&to) } else { Some("This number cannot carry calls.".into()) },
    }
}

/// Where calls go, as words that complete "Calls go to …".
pub(crate) fn words(to: &Destination) -> String {
    match to {
        Destination::Nothing => "nowhere".into(),
        Destination::Here => "this computer".into(),
        Destination::OtherComputer { name } => name.clone(),
        Destination::App { name } => format!("the TwiML App “{name}”"),
        Destination::Trunk { .. } => "a SIP trunk".into(),
        Destination::Url { url } => host(url).unwrap_or_else(|| url.clone()),
    }
}

/// A web address for reading: its host alone, because a path may hold what is nobody's business.
fn host(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

fn warning(to: &Destination) -> Option<String> {
    let message = match to {
        Destination::Nothing | Destination::Here => return None,
        Destination::OtherComputer { name } => {
            format!("It rings on another computer now, as “{name}”, and would stop ringing there.")
        }
        Destination::App { name } => format!("The TwiML App “{name}” would no longer get its calls."),
        Destination::Trunk { .. } => {
            "It belongs to a SIP trunk and would be taken off it: the telephone system behind the trunk would lose this number.".into()
        }
        Destination::Url { url } => {
            let host = host(url).unwrap_or_else(|| url.clone());
            format!("{host} would no longer get its calls.")
        }
    };
    Some(format!("{message} Disconnecting puts it back."))
}

/// Countries that may be called at all, those with risky ranges first.
fn countries(permissions: &[CountryPermission]) -> Vec<CountryView> {
    let mut views: Vec<CountryView> = permissions
        .iter()
        .map(|permission| CountryView {
            iso: permission.iso_code.clone(),
            name: permission.name.clone().unwrap_or_else(|| permission.iso_code.clone()),
            ordinary: permission.low_risk_numbers_enabled,
            special: permission.high_risk_special_numbers_enabled,
            toll_fraud: permission.high_risk_tollfraud_numbers_enabled,
        })
        .filter(|view| view.ordinary || view.special || view.toll_fraud)
        .collect();
    views.sort_by(|a, b| {
        (b.toll_fraud, b.special).cmp(&(a.toll_fraud, a.special)).then_with(|| a.name.cmp(&b.name))
    });
    views
}

/// What to preselect: nothing that takes a number from someone else, and the tunnel that asks least.
pub(crate) fn suggest(
    looked: &Looked,
    pending: Option<&Pending>,
    installation: &Installation,
    programs: &[InstalledProgram],
    tunnel_token: bool,
) -> Choices {
    let free = |number: &&OwnedNumber| {
        number.voice
            && matches!(
                destination(&number.routing, &looked.apps, installation),
                Destination::Nothing | Destination::Here
            )
    };
    let wished = pending.and_then(|pending| pending.phone_number.clone());
    let known = |number: &dialer_domain::phone_number::E164| {
        looked.numbers.iter().any(|owned| owned.number == *number)
            || looked.verified.iter().any(|verified| verified.number == *number)
    };
    let caller_id = wished.filter(known).or_else(|| {
        let owned = looked.numbers.iter().find(|number| number.voice).map(|number| number.number.clone());
        owned.or_else(|| looked.verified.first().map(|verified| verified.number.clone()))
    });
    let backend = pending.and_then(|pending| pending.backend_url.clone());
    let has = |name: &str| programs.iter().any(|program| program.name == name);
    let tunnel = match backend {
        // The set-up guide has the tunnel's own address entered there.
        Some(url)
            if is_at(&url, &["ngrok-free.app", "ngrok-free.dev", "ngrok.app", "ngrok.dev", "ngrok.io"]) =>
        {
            TunnelChoice::Ngrok { url: Some(url), program: None }
        }
        Some(url) if is_at(&url, &["trycloudflare.com"]) => TunnelChoice::CloudflaredQuick { program: None },
        Some(url) => TunnelChoice::Fixed { url },
        None if has("ngrok") && (tunnel_token || !has("cloudflared")) => {
            TunnelChoice::Ngrok { url: None, program: None }
        }
        None => TunnelChoice::CloudflaredQuick { program: None },
    };
    Choices {
        caller_id,
        ring: looked.numbers.iter().filter(free).map(|number| number.sid.clone()).collect(),
        tunnel,
        fallback_url: None,
    }
}

fn is_at(url: &str, domains: &[&str]) -> bool {
    host(url).is_some_and(|host| domains.iter().any(|domain| host.ends_with(&format!(".{domain}"))))
}

/// Whether the choices fit what the account has.
pub(crate) fn check_choices(choices: &Choices, looked: &Looked) -> Result<(), UserError> {
    let wrong = |message: String| Err(UserError::new(ErrorCode::InvalidEntry, message));
    if let Some(caller_id) = &choices.caller_id
        && looked.numbers.iter().all(|owned| owned.number != *caller_id)
        && looked.verified.iter().all(|verified| verified.number != *caller_id)
    {
        return wrong(format!(
            "{} is neither one of your numbers nor verified. Choose another one, or verify it.",
            phone_number::format(caller_id)
        ));
    }
    for sid in &choices.ring {
        match looked.numbers.iter().find(|owned| owned.sid == *sid) {
            None => {
                return wrong(
                    "One of the chosen numbers is no longer in the account. Look at the account again."
                        .into(),
                );
            }
            Some(owned) if !owned.voice => {
                return wrong(format!(
                    "{} cannot carry calls. Choose another number.",
                    phone_number::format(&owned.number)
                ));
            }
            Some(_) => {}
        }
    }
    if choices.caller_id.is_none() && choices.ring.is_empty() {
        return wrong("Choose a number to call from, or one that rings here.".into());
    }
    if let Some(url) = choices.fallback_url.as_deref().filter(|url| !url.is_empty())
        && !url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    {
        return wrong(
            "The address for when this computer cannot be reached must begin with https://.".into(),
        );
    }
    Ok(())
}
