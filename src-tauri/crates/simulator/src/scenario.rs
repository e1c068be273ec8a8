//! A scenario file: what a simulator starts with beyond its defaults.

use std::collections::BTreeMap;

use dialer_domain::phone_number::E164;
use serde::{Deserialize, Serialize};

use crate::account::{AccountSettings, NumberSettings, TwimlApp};
use crate::far_end::FarEndScript;
use crate::faults::Faults;

/// Applications, numbers, far ends and faults to start with. JSON; every part may be left out.
///
/// ```json
/// {
///   "applications": { "softphone": { "voice_url": "http://127.0.0.1:3002/api/calls/twiml" } },
///   "numbers": { "+12025550190": "softphone", "+12025550191": null,
///                "+12025550192": { "voice": false, "routing": { "voice_url": "http://127.0.0.1:9/" } } },
///   "account": { "kind": "trial", "verified": ["+12025550100"] },
///   "far_ends": { "+12025550177": { "answer": { "does": "answer", "after_s": 1 },
///                                   "talk": { "does": "tone", "hz": 600 } } },
///   "faults": { "delay_webhooks_ms": 200 }
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// TwiML Apps by a name of the scenario's own.
    pub applications: BTreeMap<String, TwimlApp>,
    /// TwiML Apps of other accounts, likewise.
    pub foreign_applications: BTreeMap<String, TwimlApp>,
    /// The account's numbers. Without this entry the account has its two usual numbers; with an empty
    /// one, none.
    pub numbers: Option<BTreeMap<E164, ScenarioNumber>>,
    /// The state of the account.
    pub account: AccountSettings,
    /// What some numbers do, in place of the table.
    pub far_ends: BTreeMap<E164, FarEndScript>,
    /// Faults that are on from the start.
    pub faults: Faults,
}

/// A number of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ScenarioNumber {
    /// The app, by its name in the scenario, that answers for it.
    Application(Option<String>),
    /// All about it.
    Settings(Box<NumberSettings>),
}

impl Default for ScenarioNumber {
    fn default() -> Self {
        Self::Application(None)
    }
}

/// Why a scenario cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// Not the JSON it should be.
    #[error("line {line}, column {column}: {problem}")]
    Malformed {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A number names an app that the scenario does not have.
    #[error("the number {number} names the application “{application}”, which the scenario does not have")]
    UnknownApplication {
        /// The number.
        number: E164,
        /// The name.
        application: String,
    },
}

impl Scenario {
    /// Reads a scenario from JSON.
    pub fn parse(json: &str) -> Result<Self, ScenarioError> {
        let scenario: Self = serde_json::from_str(json).map_err(|error| {
            let position = format!(" at line {} column {}", error.line(), error.column());
            ScenarioError::Malformed {
                line: error.line(),
                column: error.column(),
                problem: error.to_string().replace(&position, ""),
            }
        })?;
        for (number, settings) in scenario.numbers.iter().flatten() {
            let known = |name: &String| {
                scenario.applications.contains_key(name) || scenario.foreign_applications.contains_key(name)
            };
            if let ScenarioNumber::Application(Some(application)) = settings
                && !known(application)
            {
                return Err(ScenarioError::UnknownApplication {
                    number: number.clone(),
                    application: application.clone(),
                });
            }
        }
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn reads_the_documented_example() {
        let scenario = Scenario::parse(
            r#"{ "applications": { "softphone": { "voice_url": "http://127.0.0.1:3002/api/calls/twiml" } },
                 "numbers": { "+12025550190": "softphone", "+12025550191": null,
                              "+12025550192": { "voice": false, "routing": { "voice_url": "http://127.0.0.1:9/" } } },
                 "account": { "kind": "trial", "verified": ["+12025550100"] },
                 "far_ends": { "+12025550177": { "answer": { "does": "answer", "after_s": 1 },
                                                 "talk": { "does": "tone", "hz": 600 } } },
                 "faults": { "delay_webhooks_ms": 200 } }"#,
        )
        .unwrap();
        assert_eq!(scenario.faults.delay_webhooks_ms, 200);
        assert_eq!(scenario.numbers.unwrap().len(), 3);
        assert_eq!(Scenario::parse("{}").unwrap(), Scenario::default());
    }

    #[test]
    fn says_where_it_went_wrong() {
        for (json, at) in [
            ("{\n  \"faults\": { \"drop\": true } }", (2, 20)),
            ("{\n\n  \"numbers\": { \"12\": null } }", (3, 19)),
            ("{ \"applications\": ", (1, 18)),
        ] {
            match Scenario::parse(json) {
                Err(ScenarioError::Malformed { line, column, .. }) => {
                    assert_eq!((line, column), at, "{json}")
                }
                other => panic!("{json}: {other:?}"),
            }
        }
        let dangling = Scenario::parse(r#"{"numbers":{"+12025550190":"nobody"}}"#);
        assert!(matches!(dangling, Err(ScenarioError::UnknownApplication { .. })));
    }
}
