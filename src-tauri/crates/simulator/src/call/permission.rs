//! Whether the account may place a call at all.

use dialer_domain::phone_number::E164;

use crate::network::Network;

/// Why it may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Forbidden {
    /// The account is suspended or closed.
    NotActive,
    /// A geographic permission is off: the country's name and code.
    Country(String),
    /// A trial account calls a number that is not verified.
    NotVerified,
    /// A trial account shows another number than the one Twilio gave it for the recipient.
    NotAssigned,
}

impl Forbidden {
    /// Twilio's code when `<Dial>` is refused.
    pub(crate) fn dial_code(&self) -> u32 {
        match self {
            Self::Country(_) => 13_227,
            Self::NotActive | Self::NotVerified | Self::NotAssigned => self.rest_code(),
        }
    }

    /// Twilio's code when a REST request is refused.
    pub(crate) fn rest_code(&self) -> u32 {
        match self {
            Self::NotActive => 10_001,
            Self::Country(_) => 21_215,
            Self::NotVerified => 21_219,
            Self::NotAssigned => 573_002,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::NotActive => "Account is not active".into(),
            Self::Country(country) => format!("Account not authorized to call {country}"),
            Self::NotVerified => "Trial accounts can only call verified numbers".into(),
            Self::NotAssigned => {
                "The caller id is not the number Twilio gave the trial for this recipient".into()
            }
        }
    }
}

impl Network {
    /// Whether the account may call `number` and show `caller_id`.
    pub(crate) fn allow_call(&self, number: &str, caller_id: &str) -> Result<(), Forbidden> {
        self.allow_destination(number)?;
        let resources = self.resources();
        if !resources.is_trial() {
            return Ok(());
        }
        if !resources.has_verified(number) {
            return Err(Forbidden::NotVerified);
        }
        let assigned = resources.trial_caller_id().map(E164::as_str);
        if assigned == Some(caller_id) { Ok(()) } else { Err(Forbidden::NotAssigned) }
    }

    /// Whether the account may call `number`, whatever it shows.
    pub(crate) fn allow_destination(&self, number: &str) -> Result<(), Forbidden> {
        let resources = self.resources();
        if !resources.is_active() {
            return Err(Forbidden::NotActive);
        }
        resources
            .countries
            .allow(number)
            .map_err(|country| Forbidden::Country(format!("{} ({})", country.name, country.iso)))
    }
}
