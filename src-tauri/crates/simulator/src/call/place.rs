//! Starting the legs that `<Dial>` rings.
//!
//! SIP addresses (TwiML `<Sip>`): the user part names the far end, as `sip:5550101@pbx.example` or
//! `sip:+12025550101@pbx.example` the practice number of that ending; any other user rings and echoes.
//! Nothing is sent anywhere, and no name is looked up: a host without a dot, and one of a private or
//! loopback address, counts as one that cannot be reached (13254).

use std::net::IpAddr;
use std::sync::Arc;

use dialer_domain::phone_number::E164;
use tokio::sync::mpsc;
use url::Url;

use super::end::End;
use super::leg::{Leg, LegCommand, LegDirection, LegState, NewLeg, Party};
use super::session::Session;
use crate::event::{AlertLevel, Happening};
use crate::far_end::pick_up;
use crate::signalling::{Invitation, ring_devices};
use crate::twiml::{CallbackRequest, Dial, Target, Whisper};
use crate::webhook::StatusCallbacks;

/// Practice numbers in the short form of a user part.
const SHORT_FORM: &str = "55501";
const LONG_FORM: &str = "+120255501";

/// A dialled leg and what to do when it answers.
pub(super) struct Child {
    pub(super) leg: Arc<Leg>,
    pub(super) send_digits: Option<String>,
    pub(super) whisper: Option<Whisper>,
}

pub(super) type Commands = mpsc::UnboundedReceiver<LegCommand>;

impl Session {
    /// The caller id dialled legs show, or why there is none: towards a telephone it must be a number of
    /// the account, or the `To` or `From` of an incoming call; a calling SDK has none of its own
    /// (twilio.com/docs/api/errors/13214). Towards a SIP address it is any text of `A-Za-z0-9+-_.` (13247).
    pub(super) fn caller_id(&self, dial: &Dial, targets: &[Target]) -> Result<String, (u32, &'static str)> {
        let to_number = targets.iter().any(|target| matches!(target, Target::Number { .. }));
        let to_sip = targets.iter().any(|target| matches!(target, Target::Sip { .. }));
        let given = dial.caller_id.as_deref().filter(|id| !id.is_empty());
        let id = match (given, self.leg.party) {
            (None, Party::Sdk) if to_number => {
                return Err((13_214, "callerId is required when an SDK calls a number"));
            }
            (None, _) if to_number && self.leg.from.starts_with("sip:") => {
                return Err((13_247, "a SIP address is no caller id for a number; callerId is required"));
            }
            (None, _) => return Ok(self.leg.from.clone()),
            (Some(id), _) => id,
        };
        if to_sip
            && !id
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '_' | '.' | ':' | '@'))
        {
            return Err((13_247, "callerId may hold letters, digits and + - _ . only"));
        }
        let of_this_call = self.leg.party == Party::FarEnd && (id == self.leg.from || id == self.leg.to);
        let resources = self.network.resources();
        if !to_number || of_this_call || resources.owns(id) || resources.has_verified(id) {
            Ok(id.to_owned())
        } else {
            Err((13_214, "callerId is neither a number of the account nor verified"))
        }
    }

    /// Starts one leg; `None` if the target cannot be called at all.
    pub(super) fn place(&self, target: &Target, base: &Url, caller_id: &str) -> Option<Child> {
        match target {
            Target::Number { number, send_digits, whisper, callbacks } => {
                let digits: String =
                    number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
                let Ok(number) = E164::parse_strict(&digits) else {
                    let text = "<Number> holds no telephone number in E.164";
                    self.network.alert(&self.leg.sid, AlertLevel::Error, 13_223, text);
                    return None;
                };
                let (leg, commands) = self.begin(number.as_str(), caller_id, Party::FarEnd, callbacks, base);
                if let Err(forbidden) = self.network.allow_call(number.as_str(), caller_id) {
                    let code = forbidden.dial_code();
                    self.network.alert(&self.leg.sid, AlertLevel::Error, code, &forbidden.text());
                    let refused = End::Failed { sip_code: 403, error_code: Some(code) };
                    leg.enter(&self.network, LegState::Ended(refused));
                    return Some(Child { leg, send_digits: None, whisper: None });
                }
                let script = self.network.script(number.as_str());
                self.network.spawn(pick_up(Arc::clone(&self.network), Arc::clone(&leg), commands, script));
                Some(Child { leg, send_digits: send_digits.clone(), whisper: whisper.clone() })
            }
            Target::Client { identity, parameters, whisper, callbacks } => {
                let to = format!("client:{identity}");
                let (leg, commands) = self.begin(&to, caller_id, Party::Sdk, callbacks, base);
                let invitation = Invitation {
                    identity: identity.clone(),
                    parameters: parameters.clone(),
                    attested: self.leg.party == Party::FarEnd,
                };
                self.network.spawn(ring_devices(
                    Arc::clone(&self.network),
                    Arc::clone(&leg),
                    commands,
                    invitation,
                ));
                Some(Child { leg, send_digits: None, whisper: whisper.clone() })
            }
            Target::Sip { uri, headers, whisper, callbacks } => {
                if !is_public(uri) {
                    let text = "the host of the SIP URI does not resolve to a public address";
                    self.network.alert(&self.leg.sid, AlertLevel::Error, 13_254, text);
                    return None;
                }
                let (leg, commands) = self.begin(uri, caller_id, Party::FarEnd, callbacks, base);
                self.network.record(Happening::SipInvite {
                    call_sid: leg.sid.clone(),
                    uri: uri.clone(),
                    headers: headers.clone(),
                });
                let script = self.network.script(&far_end_of(uri));
                self.network.spawn(pick_up(Arc::clone(&self.network), Arc::clone(&leg), commands, script));
                Some(Child { leg, send_digits: None, whisper: whisper.clone() })
            }
        }
    }

    fn begin(
        &self,
        to: &str,
        caller_id: &str,
        party: Party,
        callbacks: &CallbackRequest,
        base: &Url,
    ) -> (Arc<Leg>, Commands) {
        let new = NewLeg {
            parent: Some(self.leg.sid.clone()),
            direction: LegDirection::OutboundDial,
            from: caller_id.to_owned(),
            to: to.to_owned(),
            application_sid: None,
            party,
        };
        self.begin_leg(new, callbacks, base)
    }

    /// A dialled leg that reports as its noun asks.
    pub(super) fn begin_leg(
        &self,
        new: NewLeg,
        callbacks: &CallbackRequest,
        base: &Url,
    ) -> (Arc<Leg>, Commands) {
        let url = callbacks.url.as_deref().and_then(|url| base.join(url).ok());
        Leg::begin(&self.network, new, LegState::Initiated, |sid| {
            let events = callbacks.events.clone();
            url.map(|url| StatusCallbacks::start(&self.network, sid.clone(), url, callbacks.method, events))
        })
    }
}

/// User and host of a SIP URI.
pub(crate) fn sip_parts(uri: &str) -> (&str, &str) {
    let address = uri.split_once(':').map_or(uri, |(_, address)| address);
    let (user, rest) = address.split_once('@').unwrap_or(("", address));
    let host = rest.split(';').next().unwrap_or_default();
    // A port follows the host; an address of version 6 stands in brackets.
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.split(']').next())
        .unwrap_or_else(|| host.split(':').next().unwrap_or_default());
    (user.split([':', ';']).next().unwrap_or_default(), host)
}

/// Whether a host may be one of the public network.
fn is_public(uri: &str) -> bool {
    let (_, host) = sip_parts(uri);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => {
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
        }
        Ok(IpAddr::V6(ip)) => !(ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local()),
        Err(_) => host.trim_matches('.').contains('.') && !host.ends_with(".local"),
    }
}

/// The number whose far end answers at a SIP address; any other text is one that rings and echoes.
pub(super) fn far_end_of(uri: &str) -> String {
    let (user, _) = sip_parts(uri);
    let digits = user.strip_prefix('+').unwrap_or(user);
    match digits.strip_prefix(SHORT_FORM) {
        Some(last_two) => format!("{LONG_FORM}{last_two}"),
        None => format!("+{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sip_user_names_a_practice_number() {
        for (uri, number) in [
            ("sip:5550199@pbx.example", "+12025550199"),
            ("sip:+12025550107@pbx.example:5061;transport=tls", "+12025550107"),
            ("sips:12025550107:secret@pbx.example", "+12025550107"),
            ("sip:alice@pbx.example", "+alice"),
        ] {
            assert_eq!(far_end_of(uri), number, "{uri}");
        }
    }

    #[test]
    fn hosts_of_private_networks_cannot_be_reached() {
        for (uri, public) in [
            ("sip:a@pbx.example", true),
            ("sip:a@203.0.113.9:5060", true),
            ("sip:a@192.168.1.4;transport=tcp", false),
            ("sip:a@127.0.0.1", false),
            ("sip:a@[::1]:5060", false),
            ("sip:a@pbx", false),
            ("sip:a@pbx.local", false),
        ] {
            assert_eq!(is_public(uri), public, "{uri}");
        }
    }
}
