//! How fast simulated time runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Speed of the simulated telephone network: at 10, a far end that rings for five seconds rings for
/// half a second, and `CallDuration` still says five.
///
/// Ringing, `timeout`, `timeLimit`, `<Pause>` and the scripts of far ends follow the pace. Sound
/// always plays in real time, and so do heartbeats, token expiry, the time a webhook may take and
/// the time a lost socket may take to come back, which follow the clock of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Pace(f64);

/// A pace must be a positive, finite number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pace must be a number above 0 and at most 10000, such as 1 for real time")]
pub struct InvalidPace;

impl Pace {
    /// As in life.
    pub const REAL: Self = Self(1.0);

    /// `factor` simulated seconds pass in each real one.
    pub fn times(factor: f64) -> Result<Self, InvalidPace> {
        let valid = factor.is_finite() && (0.0001..=10_000.0).contains(&factor);
        if valid { Ok(Self(factor)) } else { Err(InvalidPace) }
    }

    /// How long to wait really for a simulated span.
    pub(crate) fn real(self, simulated: Duration) -> Duration {
        simulated.div_f64(self.0)
    }

    /// How much simulated time a real span stands for.
    pub(crate) fn simulated(self, real: Duration) -> Duration {
        real.mul_f64(self.0)
    }

    /// Waits for a simulated span.
    pub(crate) async fn sleep(self, simulated: Duration) {
        tokio::time::sleep(self.real(simulated)).await;
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::REAL
    }
}

impl TryFrom<f64> for Pace {
    type Error = InvalidPace;
    fn try_from(factor: f64) -> Result<Self, InvalidPace> {
        Self::times(factor)
    }
}

impl From<Pace> for f64 {
    fn from(pace: Pace) -> Self {
        pace.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn real_and_simulated_are_inverse() {
        let pace = Pace::times(20.0).unwrap();
        assert_eq!(pace.real(Duration::from_secs(30)), Duration::from_millis(1500));
        assert_eq!(pace.simulated(Duration::from_millis(1500)), Duration::from_secs(30));
    }

    #[test]
    fn refuses_paces_that_stop_or_break_time() {
        for bad in [0.0, 1e-300, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(Pace::times(bad), Err(InvalidPace), "{bad}");
        }
    }
}
