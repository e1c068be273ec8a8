//! A small Twilio in memory, and a computer that does steps at it and may be killed anywhere.

use std::collections::BTreeSet;

use crate::account::{
    AccountFacts, AccountKind, AccountStanding, ApiKey, AppSettings, NumberRouting, OwnedNumber, TwimlApp,
};
use crate::identity::ClientIdentity;
use crate::phone_number::E164;
use crate::setup::{Found, Installation, Made, Record, Step, Undo, Wanted, left_over, plan, undo};
use crate::sid::{AccountSid, ApiKeySid, PhoneNumberSid, TwimlAppSid};

/// What the account has. Like Twilio, it takes a deleted app off the numbers it was on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Twilio {
    pub(super) found: Found,
    made: u8,
}

pub(super) fn app_sid(n: u8) -> TwimlAppSid {
    TwimlAppSid::from_bytes([n; 16])
}

pub(super) fn key_sid(n: u8) -> ApiKeySid {
    ApiKeySid::from_bytes([n; 16])
}

pub(super) fn number_sid(n: u8) -> PhoneNumberSid {
    PhoneNumberSid::from_bytes([n; 16])
}

/// A routing that leads to a web address, with every field beneath it filled.
pub(super) fn to_url(url: &str) -> NumberRouting {
    NumberRouting {
        voice_url: Some(url.into()),
        voice_method: Some("GET".into()),
        voice_fallback_url: Some(String::new()),
        voice_fallback_method: Some("POST".into()),
        status_callback: None,
        status_callback_method: Some("POST".into()),
        voice_application_sid: None,
        trunk_sid: None,
        voice_caller_id_lookup: Some(false),
        voice_receive_mode: Some("voice".into()),
    }
}

pub(super) fn to_app(app: &TwimlAppSid) -> NumberRouting {
    NumberRouting { voice_application_sid: Some(app.to_string()), ..to_url("https://beneath.example") }
}

pub(super) fn to_trunk() -> NumberRouting {
    NumberRouting {
        trunk_sid: Some("TK0123".into()),
        voice_application_sid: Some(String::new()),
        ..to_url("")
    }
}

pub(super) fn owned(n: u8, routing: NumberRouting) -> OwnedNumber {
    OwnedNumber {
        sid: number_sid(n),
        number: E164::parse_strict(&format!("+120255501{n:02}")).unwrap(),
        friendly_name: format!("number {n}"),
        voice: true,
        routing,
    }
}

pub(super) fn app(n: u8, name: &str) -> TwimlApp {
    let settings = AppSettings { friendly_name: name.into(), ..AppSettings::default() };
    TwimlApp { sid: app_sid(n), settings }
}

pub(super) fn key(n: u8, name: &str) -> ApiKey {
    ApiKey { sid: key_sid(n), friendly_name: name.into() }
}

impl Twilio {
    pub(super) fn with(numbers: Vec<OwnedNumber>) -> Self {
        let found =
            Found { keys: vec![key(200, "another key")], apps: vec![app(201, "another app")], numbers };
        Self { found, made: 0 }
    }

    fn next(&mut self) -> u8 {
        self.made += 1;
        self.made
    }

    pub(super) fn delete_app(&mut self, sid: &TwimlAppSid) {
        self.found.apps.retain(|app| app.sid != *sid);
        for number in &mut self.found.numbers {
            if number.routing.voice_application_sid.as_deref() == Some(sid.as_str()) {
                number.routing.voice_application_sid = Some(String::new());
            }
        }
    }

    pub(super) fn routing(&self, n: u8) -> &NumberRouting {
        &self.found.numbers.iter().find(|number| number.sid == number_sid(n)).unwrap().routing
    }

    pub(super) fn route(&mut self, sid: &PhoneNumberSid, routing: NumberRouting) {
        let number = self.found.numbers.iter_mut().find(|number| number.sid == *sid).unwrap();
        // Twilio refuses an app that is not there.
        if let Some(app) = routing.voice_application_sid.as_deref().filter(|app| !app.is_empty()) {
            assert!(self.found.apps.iter().any(|known| known.sid.as_str() == app), "no such app: {app}");
        }
        number.routing = routing;
    }
}

/// One installation with what it keeps on its disk.
#[derive(Debug, Clone)]
pub(super) struct Computer {
    pub(super) installation: Installation,
    pub(super) record: Record,
    /// The keys whose secrets are in the vault.
    pub(super) secrets: BTreeSet<ApiKeySid>,
}

impl Computer {
    pub(super) fn new(id: &str) -> Self {
        Self {
            installation: Installation { id: id.into(), computer: "test".into() },
            record: Record {
                account: AccountFacts {
                    sid: AccountSid::from_bytes([9; 16]),
                    friendly_name: "Account".into(),
                    kind: AccountKind::Full,
                    standing: AccountStanding::Active,
                },
                identity: ClientIdentity::parse("agent").unwrap(),
                choices: None,
                key: None,
                key_is_ours: false,
                app: None,
                numbers: Vec::new(),
                published: None,
                signing: None,
                wanted: None,
                undoing: None,
                complete: false,
            },
            secrets: BTreeSet::new(),
        }
    }

    pub(super) fn wanted(&self, ring: &[u8], url: Option<&str>) -> Wanted {
        Wanted {
            installation: self.installation.clone(),
            ring: ring.iter().copied().map(number_sid).collect(),
            app: AppSettings {
                friendly_name: self.installation.resource_name(),
                voice_url: url.map(|url| format!("{url}/api/calls/twiml")),
                voice_method: Some("POST".into()),
                status_callback: url.map(|url| format!("{url}/api/calls/status")),
                status_callback_method: Some("POST".into()),
                ..AppSettings::default()
            },
        }
    }

    pub(super) fn plan(&self, twilio: &Twilio, wanted: &Wanted) -> Vec<Step> {
        plan(wanted, &twilio.found, &self.record, self.has_secret())
    }

    /// Whether the vault has the secret of the key in use.
    pub(super) fn has_secret(&self) -> bool {
        self.record.key.as_ref().is_some_and(|key| self.secrets.contains(key))
    }

    pub(super) fn plan_undo(&self, twilio: &Twilio, what: Undo) -> Vec<Step> {
        let mut steps = left_over(&self.installation, &twilio.found, &self.record, what);
        steps.extend(undo(&twilio.found, &self.record, what));
        steps
    }

    /// Does the steps until `strength` is used up: each of the four moments of a step costs one, and the
    /// program may be killed between any two. Answers whether all was done.
    pub(super) fn run(&mut self, twilio: &mut Twilio, steps: &[Step], mut strength: usize) -> bool {
        let mut spend = || strength.checked_sub(1).map(|rest| strength = rest).is_some();
        for step in steps {
            if !spend() {
                return false;
            }
            self.record.before_step(step);
            if !spend() {
                return false;
            }
            let made = self.touch(twilio, step);
            if !spend() {
                return false;
            }
            if let Some(Made::Key(sid)) = &made {
                self.secrets.insert(sid.clone());
            }
            if !spend() {
                return false;
            }
            self.record.after_step(step, made);
        }
        true
    }

    /// The request to Twilio. It may only concern what is this computer's.
    pub(super) fn touch(&self, twilio: &mut Twilio, step: &Step) -> Option<Made> {
        let name = self.installation.resource_name();
        match step {
            Step::DeleteLostKey { sid } | Step::DeleteKey { sid } => {
                let at = twilio.found.keys.iter().position(|key| key.sid == *sid).expect("the key exists");
                assert_eq!(twilio.found.keys[at].friendly_name, name, "only a key of its own");
                twilio.found.keys.remove(at);
                None
            }
            Step::CreateKey { friendly_name } => {
                assert_eq!(*friendly_name, name);
                let sid = key_sid(twilio.next());
                twilio.found.keys.push(ApiKey { sid: sid.clone(), friendly_name: name });
                Some(Made::Key(sid))
            }
            Step::AdoptApp { sid } => {
                assert_eq!(self.app(twilio, sid).settings.friendly_name, name, "only an app of its own");
                None
            }
            Step::CreateApp { settings } => {
                assert_eq!(settings.friendly_name, name);
                let sid = app_sid(twilio.next());
                twilio.found.apps.push(TwimlApp { sid: sid.clone(), settings: settings.clone() });
                Some(Made::App(sid))
            }
            Step::UpdateApp { sid, settings } => {
                assert_eq!(self.record.app.as_ref(), Some(sid), "only its own app");
                let app = twilio.found.apps.iter_mut().find(|app| app.sid == *sid).expect("the app exists");
                app.settings = settings.clone();
                None
            }
            Step::BindNumber { sid, .. } => {
                let app = self.record.app.as_ref().expect("what is pointed at exists").to_string();
                let number = twilio.found.numbers.iter().find(|number| number.sid == *sid).unwrap();
                let routing = NumberRouting {
                    voice_application_sid: Some(app),
                    trunk_sid: None,
                    ..number.routing.clone()
                };
                twilio.route(sid, routing);
                None
            }
            Step::RestoreNumber { sid, to, .. } => {
                twilio.route(sid, to.clone());
                None
            }
            Step::ForgetNumber { .. } => None,
            Step::DeleteApp { sid } => {
                assert_eq!(self.app(twilio, sid).settings.friendly_name, name, "only an app of its own");
                let text = sid.as_str();
                let pointed = twilio
                    .found
                    .numbers
                    .iter()
                    .any(|number| number.routing.voice_application_sid.as_deref() == Some(text));
                assert!(!pointed, "no number is left pointing at nothing");
                twilio.delete_app(sid);
                None
            }
        }
    }

    fn app<'a>(&self, twilio: &'a Twilio, sid: &TwimlAppSid) -> &'a TwimlApp {
        let app = twilio.found.apps.iter().find(|app| app.sid == *sid);
        app.unwrap_or_else(|| panic!("{} has no app {sid}", self.installation.id))
    }

    /// Plans and does until there is nothing to do, as after a start that nothing disturbs.
    pub(super) fn set_up(&mut self, twilio: &mut Twilio, wanted: &Wanted) {
        let steps = self.plan(twilio, wanted);
        assert!(self.run(twilio, &steps, usize::MAX));
        assert_eq!(self.plan(twilio, wanted), [], "one undisturbed run is enough");
    }

    pub(super) fn disconnect(&mut self, twilio: &mut Twilio, what: Undo) {
        let steps = self.plan_undo(twilio, what);
        assert!(self.run(twilio, &steps, usize::MAX));
        assert!(self.record.numbers.is_empty());
    }
}

pub(super) const EVERYTHING: Undo = Undo { delete_app: true, delete_key: true };
