//! An address that leads here without the program's doing: a proxy or a load balancer.

use dialer_domain::error::UserError;
use url::Url;

use super::{Finding, Pace, Provider, Start};
use crate::tunnel::address::public_address;
use crate::tunnel::periods::Periods;
use crate::tunnel::program::Program;

pub(super) struct Fixed {
    url: Url,
}

impl Fixed {
    pub(super) fn new(url: &str) -> Result<Self, UserError> {
        Ok(Self { url: public_address(url)? })
    }
}

impl Provider for Fixed {
    fn name(&self) -> &str {
        "The public address"
    }

    fn pace(&self, periods: &Periods) -> Pace {
        Pace::own(periods)
    }

    fn program(&self, _start: &Start<'_>) -> Result<Option<Program>, UserError> {
        Ok(None)
    }

    fn has_program(&self) -> bool {
        false
    }

    fn address(&self) -> Option<&Url> {
        Some(&self.url)
    }

    fn read(&self, _line: &str) -> Option<Finding> {
        None
    }
}
