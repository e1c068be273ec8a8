//! Whether calls get through, and why not.

use dialer_domain::error::{ErrorCode, UserError};

use super::Account;
use crate::api::{DeviceReport, DeviceState, Light, LightState, Lights, Repair, SdkError};

/// Whether Twilio's requests reach this computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// They do.
    Open,
    /// They will in a moment.
    Opening,
    /// They did, and will again without the agent's doing.
    Restoring(UserError, Option<Repair>),
    /// They do not until something is done.
    Closed(UserError, Option<Repair>),
}

/// What a look at the account found wrong with it, for each direction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Why no call can be placed.
    pub calls_out: Option<(UserError, Repair)>,
    /// Why no call comes in.
    pub calls_in: Option<(UserError, Repair)>,
}

impl Trouble {
    /// One cause that stops calls of either direction.
    pub fn both(error: UserError, repair: Repair) -> Self {
        let trouble = Some((error, repair));
        Self { calls_out: trouble.clone(), calls_in: trouble }
    }
}

/// Everything that stands between the phone and Twilio.
#[derive(Debug)]
pub(super) struct Reach {
    device: DeviceReport,
    was_registered: bool,
    pub(super) line: Line,
    pub(super) trouble: Trouble,
}

impl Reach {
    /// A phone whose page is not there yet.
    pub(super) fn new(line: Line) -> Self {
        Self { device: no_device(), was_registered: false, line, trouble: Trouble::default() }
    }

    /// Takes in what the SDK's Device says.
    pub(super) fn device_reported(&mut self, report: DeviceReport) {
        if report.state == DeviceState::Registered {
            self.was_registered = true;
        }
        self.device = report;
    }

    /// The page is gone, and the SDK's Device with it.
    pub(super) fn device_gone(&mut self) {
        self.device = no_device();
        self.was_registered = false;
    }

    /// Whether the agent can be rung.
    pub(super) fn is_registered(&self) -> bool {
        self.device.state == DeviceState::Registered
    }

    /// The two lights. They fail separately: without a caller id nobody can be called, but the phone
    /// rings. Both need the line: Twilio asks this computer what to do with a call of either direction.
    pub(super) fn lights(&self, account: &Account) -> Lights {
        let common = || line_light(&self.line).unwrap_or_else(|| self.device_light(account));
        let of = |trouble: &Option<(UserError, Repair)>, missing: Option<&str>| match (trouble, missing) {
            (Some((error, repair)), _) => not_reachable(&error.message, Some(*repair)),
            (None, Some(reason)) => not_reachable(reason, Some(Repair::ChooseNumbers)),
            (None, None) => common(),
        };
        let no_caller_id = account
            .caller_id
            .is_none()
            .then_some("No outgoing number has been chosen. Choose the number that called parties see.");
        let no_number =
            (!account.rings).then_some("No number rings on this computer. Choose one of your numbers.");
        Lights {
            calls_out: of(&self.trouble.calls_out, no_caller_id),
            calls_in: of(&self.trouble.calls_in, no_number),
        }
    }

    fn device_light(&self, account: &Account) -> Light {
        // In practice there is no set-up to run again.
        let repair = account.practice.is_none().then_some(Repair::RunSetUp);
        match (self.device.state, self.device.error.as_ref()) {
            (DeviceState::Registered, _) => light(LightState::Ready),
            (_, Some(error)) => match token_refusal(error) {
                Some(refusal) => not_reachable(&refusal.message, repair),
                // The page's own sentence, such as a keychain that did not give the key out.
                None if error.code == 0 => not_reachable(&error.message, repair),
                None => connecting(self.was_registered),
            },
            (DeviceState::Reconnecting, None) => connecting(self.was_registered),
            (DeviceState::Unregistered | DeviceState::Registering | DeviceState::Destroyed, None) => {
                if self.was_registered { connecting(true) } else { light(LightState::Starting) }
            }
        }
    }
}

fn no_device() -> DeviceReport {
    DeviceReport { state: DeviceState::Unregistered, error: None }
}

fn light(state: LightState) -> Light {
    Light { state, reason: None, repair: None }
}

fn line_light(line: &Line) -> Option<Light> {
    match line {
        Line::Open => None,
        Line::Opening => Some(light(LightState::Starting)),
        Line::Restoring(error, repair) => Some(Light {
            state: LightState::Reconnecting,
            reason: Some(error.message.clone()),
            repair: *repair,
        }),
        Line::Closed(error, repair) => Some(not_reachable(&error.message, *repair)),
    }
}

fn not_reachable(reason: &str, repair: Option<Repair>) -> Light {
    Light { state: LightState::NotReachable, reason: Some(reason.to_owned()), repair }
}

fn connecting(was_registered: bool) -> Light {
    let reason = if was_registered {
        "The connection to the phone service was lost. It is being restored by itself."
    } else {
        "The phone service cannot be reached. Check the network connection; it is tried again by itself."
    };
    Light { state: LightState::Reconnecting, reason: Some(reason.into()), repair: None }
}

/// The sentence for an SDK error that no amount of waiting cures: Twilio refused the token.
///
/// Codes: Twilio, "Error and Warning Dictionary"; the 312xx are the Voice SDK's own.
pub fn token_refusal(error: &SdkError) -> Option<UserError> {
    let message = match error.code {
        20104 | 31205 => {
            "Twilio says the session has expired. Check that this computer's clock is right; a new session is being requested."
        }
        20105 => {
            "Twilio says the session is not valid yet. This computer's clock is wrong: set it, then restart the program."
        }
        20157 | 31207 => {
            "Twilio refused the session because it was asked to last too long. Please report this."
        }
        // The SDK turns Twilio's 31204 into 20101 for every defect of a token, a wrong clock included.
        20101 | 31204 => {
            "Twilio refused the session. Check that this computer's clock is right. If it is, the saved key was deleted or belongs to another account: connect the account again."
        }
        20102 | 20103 | 20106 | 20107 | 20151 | 31201..=31203 => {
            "Twilio refused the saved key. The key may have been deleted, or it belongs to another account: connect the account again."
        }
        _ => return None,
    };
    Some(
        UserError::new(ErrorCode::TokenRejected, message)
            .with_detail(format!("{} {}", error.code, error.message)),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::tests::account;
    use super::*;

    fn device(state: DeviceState, code: Option<u32>) -> DeviceReport {
        DeviceReport { state, error: code.map(|code| SdkError { code, message: String::new() }) }
    }

    #[test]
    fn lights_follow_the_device() {
        let (account, mut reach) = (account(), Reach::new(Line::Open));
        assert_eq!(reach.lights(&account).calls_in.state, LightState::Starting);
        reach.device_reported(device(DeviceState::Registered, None));
        assert_eq!(reach.lights(&account).calls_in.state, LightState::Ready);
        assert_eq!(reach.lights(&account).calls_out.state, LightState::Ready);
        reach.device_reported(device(DeviceState::Reconnecting, None));
        assert_eq!(reach.lights(&account).calls_in.state, LightState::Reconnecting);
        for code in [20101, 20105, 31204] {
            reach.device_reported(device(DeviceState::Unregistered, Some(code)));
            let light = reach.lights(&account).calls_in;
            assert_eq!(light.state, LightState::NotReachable);
            assert!(light.reason.unwrap().contains("clock"), "{code}");
        }
    }

    #[test]
    fn a_first_sign_in_that_fails_says_so() {
        let (account, mut reach) = (account(), Reach::new(Line::Open));
        reach.device_reported(device(DeviceState::Registering, Some(31003)));
        let light = reach.lights(&account).calls_in;
        assert_eq!(light.state, LightState::Reconnecting);
        assert!(light.reason.unwrap().contains("network"));
        let error = Some(SdkError { code: 0, message: "The keychain is locked.".into() });
        reach.device_reported(DeviceReport { state: DeviceState::Unregistered, error });
        assert_eq!(reach.lights(&account).calls_in.reason.as_deref(), Some("The keychain is locked."));
    }

    #[test]
    fn the_lights_fail_separately() {
        let account = Account { caller_id: None, ..account() };
        let mut reach = Reach::new(Line::Open);
        reach.device_reported(device(DeviceState::Registered, None));
        assert_eq!(reach.lights(&account).calls_in.state, LightState::Ready);
        assert_eq!(reach.lights(&account).calls_out.state, LightState::NotReachable);
    }
}
