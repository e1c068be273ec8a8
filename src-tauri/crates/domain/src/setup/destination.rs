//! Where calls to a number go now.

use super::{Installation, NAME_PREFIX};
use crate::account::{NumberRouting, TwimlApp};

/// Where calls to a number go, for the agent to see before it is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere: callers hear an error.
    Nothing,
    /// This computer.
    Here,
    /// Kennex Dialer on another computer.
    OtherComputer {
        /// The name of that computer's app.
        name: String,
    },
    /// A TwiML App of somebody else's making.
    App {
        /// Its name, or its SID where the account does not have it.
        name: String,
    },
    /// A SIP trunk. Pointing the number here takes it off the trunk.
    Trunk {
        /// Its SID.
        sid: String,
    },
    /// A web address.
    Url {
        /// The address.
        url: String,
    },
}

/// Reads where calls go, in the order in which Twilio looks: trunk and app before the number's own URL.
pub fn destination(routing: &NumberRouting, apps: &[TwimlApp], installation: &Installation) -> Destination {
    let text = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    if let Some(sid) = text(&routing.trunk_sid) {
        return Destination::Trunk { sid };
    }
    if let Some(sid) = text(&routing.voice_application_sid) {
        let name = apps.iter().find(|app| app.sid.as_str() == sid).map(|app| &app.settings.friendly_name);
        return match name {
            Some(name) if *name == installation.resource_name() => Destination::Here,
            Some(name) if name.starts_with(NAME_PREFIX) => Destination::OtherComputer { name: name.clone() },
            Some(name) => Destination::App { name: name.clone() },
            None => Destination::App { name: sid },
        };
    }
    text(&routing.voice_url).map_or(Destination::Nothing, |url| Destination::Url { url })
}
