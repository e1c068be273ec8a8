//! The comparison itself.
//!
//! # Two computers and one number
//!
//! A computer takes a number from another one only if its agent chooses it. Each keeps in its own record
//! what the number said when it came: the first the original, the second that it led to the first. So
//!
//! - while both are connected, a number that the second lets go of leads to the first again;
//! - a computer never undoes what the other did: a number that leads elsewhere is only struck off the
//!   record ([`Step::ForgetNumber`]), and the record says until then what it said before, for the agent
//!   to be told;
//! - when both have disconnected and deleted their apps, in whatever order, the number leads to neither.
//!   Its own addresses are what they were. An app or a trunk that it had at first is on it again if the
//!   first computer had the number back when it let go of it; otherwise that computer has told it.

use std::collections::BTreeSet;

use super::{BoundNumber, Found, Installation, NAME_PREFIX, Record, Step, Undo, Wanted};
use crate::account::{ApiKey, AppSettings, NumberRouting, OwnedNumber, TwimlApp};
use crate::sid::{PhoneNumberSid, TwimlAppSid};

/// The SIDs of this computer's apps.
type OwnApps<'a> = BTreeSet<&'a str>;

/// What to do so that `found` becomes `wanted`. `key_secret_kept` tells whether the vault has the secret
/// of the record's key: a vault that cannot be asked now is no answer, so then nothing is planned.
/// Nothing to do gives no steps.
///
/// Chosen numbers are pointed at the app even while it has no address yet; plan once the public address
/// is known, or callers hear Twilio's error until then.
pub fn plan(wanted: &Wanted, found: &Found, record: &Record, key_secret_kept: bool) -> Vec<Step> {
    let mut steps = key_steps(wanted, found, record, key_secret_kept);
    let app = app_steps(wanted, found, record, &mut steps);
    // An app whose making was not answered is there beside the one that was made next.
    let name = wanted.installation.resource_name();
    let surplus: Vec<&TwimlAppSid> = found
        .apps
        .iter()
        .filter(|known| known.settings.friendly_name == name)
        .filter_map(|known| app.is_some_and(|kept| known.sid != *kept).then_some(&known.sid))
        .collect();
    let own = app.into_iter().chain(&record.app).chain(surplus.iter().copied()).map(TwimlAppSid::as_str);
    number_steps(wanted, found, record, app, &own.collect(), &mut steps);
    // Last, when no number points there any more.
    steps.extend(surplus.into_iter().map(|sid| Step::DeleteApp { sid: sid.clone() }));
    steps
}

fn key_steps(wanted: &Wanted, found: &Found, record: &Record, secret_kept: bool) -> Vec<Step> {
    let name = wanted.installation.resource_name();
    let in_record = |key: &&ApiKey| record.key.as_ref() == Some(&key.sid);
    let usable = found.keys.iter().find(in_record).filter(|_| secret_kept);
    let is_lost = |key: &&ApiKey| {
        let ours = if in_record(key) { record.key_is_ours } else { key.friendly_name == name };
        ours && usable.is_none_or(|usable| usable.sid != key.sid)
    };
    let mut steps: Vec<Step> =
        found.keys.iter().filter(is_lost).map(|key| Step::DeleteLostKey { sid: key.sid.clone() }).collect();
    if usable.is_none() {
        steps.push(Step::CreateKey { friendly_name: name });
    }
    steps
}

/// The steps for the app, and its SID unless it has yet to be made.
fn app_steps<'a>(
    wanted: &Wanted,
    found: &'a Found,
    record: &Record,
    steps: &mut Vec<Step>,
) -> Option<&'a TwimlAppSid> {
    let name = wanted.installation.resource_name();
    let known = record.app.as_ref().and_then(|sid| found.apps.iter().find(|app| app.sid == *sid));
    let app = known.or_else(|| {
        let made = found.apps.iter().find(|app| app.settings.friendly_name == name)?;
        steps.push(Step::AdoptApp { sid: made.sid.clone() });
        Some(made)
    });
    let Some(app) = app else {
        steps.push(Step::CreateApp { settings: wanted.app.clone() });
        return None;
    };
    let settings = wanted_over(&wanted.app, &app.settings);
    if settings != app.settings {
        steps.push(Step::UpdateApp { sid: app.sid.clone(), settings });
    }
    Some(&app.sid)
}

/// What the app should say: what is wanted, and where nothing is, what is found. An empty text is
/// wanted as "none", which Twilio gives back as an absent value.
fn wanted_over(wanted: &AppSettings, found: &AppSettings) -> AppSettings {
    let over = |wanted: &Option<String>, found: &Option<String>| match (wanted.as_deref(), found) {
        (None, _) | (Some(""), None) => found.clone(),
        (Some(_), _) => wanted.clone(),
    };
    AppSettings {
        friendly_name: wanted.friendly_name.clone(),
        voice_url: over(&wanted.voice_url, &found.voice_url),
        voice_method: over(&wanted.voice_method, &found.voice_method),
        voice_fallback_url: over(&wanted.voice_fallback_url, &found.voice_fallback_url),
        voice_fallback_method: over(&wanted.voice_fallback_method, &found.voice_fallback_method),
        status_callback: over(&wanted.status_callback, &found.status_callback),
        status_callback_method: over(&wanted.status_callback_method, &found.status_callback_method),
    }
}

fn number_steps(
    wanted: &Wanted,
    found: &Found,
    record: &Record,
    app: Option<&TwimlAppSid>,
    own: &OwnApps,
    steps: &mut Vec<Step>,
) {
    let ring: BTreeSet<&PhoneNumberSid> = wanted.ring.iter().collect();
    // First what rings here, so that nothing is let go before its successor is in place.
    for number in found.numbers.iter().filter(|number| ring.contains(&number.sid)) {
        let recorded = record.numbers.iter().find(|bound| bound.sid == number.sid);
        let bound = app.is_some_and(|app| app_of(&number.routing) == Some(app.as_str()));
        if bound && recorded.is_some() {
            continue;
        }
        let ours = leads_here(&number.routing, own);
        let before = match recorded {
            Some(recorded)
                if ours
                    || was_left_by_app(&number.routing, &recorded.before)
                    || leads_to_a_dialer(&number.routing, found) =>
            {
                recorded.before.clone()
            }
            None if ours => without_app(&number.routing),
            // What somebody made of it since is what they will want back.
            _ => number.routing.clone(),
        };
        steps.push(Step::BindNumber { sid: number.sid.clone(), number: number.number.clone(), before });
    }
    for number in &record.numbers {
        let still_there = found.numbers.iter().any(|owned| owned.sid == number.sid);
        if !(ring.contains(&number.sid) && still_there) {
            steps.push(release(number, found, own));
        }
    }
    for number in numbers_beside_record(found, record, own).filter(|number| !ring.contains(&number.sid)) {
        steps.push(restore_without_app(number));
    }
}

/// Lets go of a number in the record: puts it back while it leads to us, and otherwise forgets it.
fn release(bound: &BoundNumber, found: &Found, own: &OwnApps) -> Step {
    let (sid, number) = (bound.sid.clone(), bound.number.clone());
    let Some(owned) = found.numbers.iter().find(|owned| owned.sid == sid) else {
        return Step::ForgetNumber { sid, number };
    };
    let ours = leads_here(&owned.routing, own) || was_left_by_app(&owned.routing, &bound.before);
    let to = put_back(&bound.before, &owned.routing, found);
    if !ours || owned.routing == to {
        return Step::ForgetNumber { sid, number };
    }
    Step::RestoreNumber { sid, number, to }
}

/// Whether the number looks as Twilio leaves it when somebody deletes our app: without an app and a
/// trunk, and nobody has pointed it at another address since.
fn was_left_by_app(now: &NumberRouting, before: &NumberRouting) -> bool {
    let none = |sid: &Option<String>| sid.as_ref().is_none_or(String::is_empty);
    none(&now.voice_application_sid) && none(&now.trunk_sid) && now.voice_url == before.voice_url
}

/// Whether the number leads to this program on some computer. What such a computer found is in its own
/// record; ours is what lay beneath.
fn leads_to_a_dialer(now: &NumberRouting, found: &Found) -> bool {
    found.apps.iter().any(|app| {
        app_of(now) == Some(app.sid.as_str()) && app.settings.friendly_name.starts_with(NAME_PREFIX)
    })
}

/// What a number shall say once it rings here no longer. Pointing it here changed its app and its trunk
/// alone, so these alone are put back; what else somebody changed meanwhile stays. An app that is no
/// more, which Twilio would not take, is left out.
fn put_back(before: &NumberRouting, now: &NumberRouting, found: &Found) -> NumberRouting {
    let exists = |app: &String| app.is_empty() || found.apps.iter().any(|known| known.sid.as_str() == app);
    NumberRouting {
        voice_application_sid: before.voice_application_sid.clone().filter(exists),
        trunk_sid: before.trunk_sid.clone(),
        ..now.clone()
    }
}

/// Numbers that lead to this computer although the record does not say so: someone pointed them here
/// by hand.
fn numbers_beside_record<'a>(
    found: &'a Found,
    record: &'a Record,
    own: &'a OwnApps,
) -> impl Iterator<Item = &'a OwnedNumber> {
    let in_record = |number: &OwnedNumber| record.numbers.iter().any(|bound| bound.sid == number.sid);
    found.numbers.iter().filter(move |number| !in_record(number) && leads_here(&number.routing, own))
}

fn restore_without_app(number: &OwnedNumber) -> Step {
    Step::RestoreNumber {
        sid: number.sid.clone(),
        number: number.number.clone(),
        to: without_app(&number.routing),
    }
}

/// The app that is asked about calls; a trunk would take them instead.
fn app_of(routing: &NumberRouting) -> Option<&str> {
    let has_trunk = routing.trunk_sid.as_deref().is_some_and(|trunk| !trunk.is_empty());
    routing.voice_application_sid.as_deref().filter(|app| !app.is_empty() && !has_trunk)
}

fn leads_here(routing: &NumberRouting, own: &OwnApps) -> bool {
    app_of(routing).is_some_and(|app| own.contains(app))
}

/// What a number says beneath an app: setting the app hides the other fields and leaves them as they are.
fn without_app(routing: &NumberRouting) -> NumberRouting {
    NumberRouting { voice_application_sid: None, ..routing.clone() }
}

/// What to do to disconnect the account: first [`left_over`], then [`undo`].
pub fn disconnect(installation: &Installation, found: &Found, record: &Record, how: Undo) -> Vec<Step> {
    let mut steps = left_over(installation, found, record, how);
    steps.extend(undo(found, record, how));
    steps
}

/// What to do so that everything is as it was before, as far as the record goes; [`left_over`] has
/// what a crash kept out of it.
pub fn undo(found: &Found, record: &Record, undo: Undo) -> Vec<Step> {
    let own = record.app.iter().map(TwimlAppSid::as_str).collect();
    let mut steps: Vec<Step> = record.numbers.iter().map(|number| release(number, found, &own)).collect();
    let app = record.app.as_ref().filter(|sid| found.apps.iter().any(|app| app.sid == **sid));
    if let Some(app) = app.filter(|_| undo.delete_app) {
        // An app that is pointed at is not deleted: callers would hear an error.
        steps.extend(numbers_beside_record(found, record, &own).map(restore_without_app));
        steps.push(Step::DeleteApp { sid: app.clone() });
    }
    let key = record.key.as_ref().filter(|sid| found.keys.iter().any(|key| key.sid == **sid));
    if let Some(key) = key.filter(|_| undo.delete_key && record.key_is_ours) {
        steps.push(Step::DeleteKey { sid: key.clone() });
    }
    steps
}

/// What to do besides [`undo`], and before it, about apps and keys of this installation's name that are
/// not in the record, because the program ended between making and recording them or because they were
/// left when the account was disconnected before.
pub fn left_over(installation: &Installation, found: &Found, record: &Record, undo: Undo) -> Vec<Step> {
    let name = installation.resource_name();
    let app = |app: &&TwimlApp| app.settings.friendly_name == name && record.app.as_ref() != Some(&app.sid);
    let key = |key: &&ApiKey| key.friendly_name == name && record.key.as_ref() != Some(&key.sid);
    let mut steps = Vec::new();
    if undo.delete_app {
        let apps: Vec<&TwimlAppSid> = found.apps.iter().filter(app).map(|app| &app.sid).collect();
        let own = apps.iter().map(|sid| sid.as_str()).collect();
        steps.extend(numbers_beside_record(found, record, &own).map(restore_without_app));
        steps.extend(apps.into_iter().map(|sid| Step::DeleteApp { sid: sid.clone() }));
    }
    if undo.delete_key {
        let keys = found.keys.iter().filter(key);
        steps.extend(keys.map(|key| Step::DeleteLostKey { sid: key.sid.clone() }));
    }
    steps
}
