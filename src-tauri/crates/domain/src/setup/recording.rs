//! What the record says before and after a step, so that a program killed in between plans well again.

use super::{BoundNumber, Record, Step};
use crate::sid::{ApiKeySid, TwimlAppSid};

/// What Twilio made in a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// A key, whose secret is in the vault under its SID by now.
    Key(ApiKeySid),
    /// An app.
    App(TwimlAppSid),
}

impl Record {
    /// To be written down before `step` is done: what the step replaces.
    pub fn before_step(&mut self, step: &Step) {
        match step {
            Step::BindNumber { sid, number, before } => {
                let (sid, number, before) = (sid.clone(), number.clone(), before.clone());
                match self.numbers.iter_mut().find(|bound| bound.sid == sid) {
                    Some(bound) => bound.before = before,
                    None => self.numbers.push(BoundNumber { sid, number, before }),
                }
            }
            // It is planned only where the key in the record cannot be used: from here on none is in use.
            Step::CreateKey { .. } => {
                self.key = None;
                self.key_is_ours = false;
            }
            Step::DeleteLostKey { .. }
            | Step::AdoptApp { .. }
            | Step::CreateApp { .. }
            | Step::UpdateApp { .. }
            | Step::RestoreNumber { .. }
            | Step::ForgetNumber { .. }
            | Step::DeleteApp { .. }
            | Step::DeleteKey { .. } => {}
        }
    }

    /// To be written down after `step` was done, with what was made in it.
    pub fn after_step(&mut self, step: &Step, made: Option<Made>) {
        match made {
            Some(Made::Key(sid)) => {
                self.key = Some(sid);
                self.key_is_ours = true;
            }
            Some(Made::App(sid)) => self.app = Some(sid),
            None => {}
        }
        match step {
            Step::DeleteLostKey { sid } | Step::DeleteKey { sid } => {
                if self.key.as_ref() == Some(sid) {
                    self.key = None;
                    self.key_is_ours = false;
                }
            }
            Step::AdoptApp { sid } => self.app = Some(sid.clone()),
            Step::DeleteApp { sid } => {
                if self.app.as_ref() == Some(sid) {
                    self.app = None;
                }
            }
            Step::RestoreNumber { sid, .. } | Step::ForgetNumber { sid, .. } => {
                self.numbers.retain(|bound| bound.sid != *sid);
            }
            Step::CreateKey { .. }
            | Step::CreateApp { .. }
            | Step::UpdateApp { .. }
            | Step::BindNumber { .. } => {}
        }
    }
}
