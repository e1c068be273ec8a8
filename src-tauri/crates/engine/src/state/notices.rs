//! What the agent must know and can do something about.

use crate::api::Notice;

/// The standing notices, oldest first.
#[derive(Debug, Default)]
pub(super) struct Notices {
    standing: Vec<Notice>,
}

impl Notices {
    /// Those to be shown. Two causes with one sentence are one notice: a computer without a sound system
    /// lacks microphone and loudspeaker alike.
    pub(super) fn shown(&self) -> Vec<Notice> {
        let mut shown: Vec<Notice> = Vec::new();
        for notice in &self.standing {
            if shown.iter().all(|other| other.error.message != notice.error.message) {
                shown.push(notice.clone());
            }
        }
        shown
    }

    /// Puts up a notice, replacing one of the same id. Answers whether anything changed.
    pub(super) fn raise(&mut self, notice: Notice) -> bool {
        if self.standing.contains(&notice) {
            return false;
        }
        match self.standing.iter_mut().find(|n| n.id == notice.id) {
            Some(old) => *old = notice,
            None => self.standing.push(notice),
        }
        true
    }

    /// Takes a notice down because its cause is gone. Answers whether it was there.
    pub(super) fn clear(&mut self, id: &str) -> bool {
        let before = self.standing.len();
        self.standing.retain(|n| n.id != id);
        before != self.standing.len()
    }

    /// Takes a notice down at the agent's wish, with every other of the same sentence. Answers whether
    /// it was there and dismissible.
    pub(super) fn dismiss(&mut self, id: &str) -> bool {
        let Some(message) = self.standing.iter().find(|n| n.id == id).map(|n| n.error.message.clone()) else {
            return false;
        };
        let before = self.standing.len();
        self.standing.retain(|n| n.error.message != message || !n.dismissible);
        before != self.standing.len()
    }
}

#[cfg(test)]
mod tests {
    use dialer_domain::error::{ErrorCode, UserError};

    use super::*;

    #[test]
    fn notices_replace_and_dismiss() {
        let notice = |message: &str, dismissible| Notice {
            id: "microphone".into(),
            error: UserError::new(ErrorCode::MicrophoneMissing, message),
            dismissible,
        };
        let mut notices = Notices::default();
        assert!(notices.raise(notice("a", false)));
        assert!(!notices.raise(notice("a", false)));
        assert!(notices.raise(notice("b", false)));
        assert_eq!(notices.shown().len(), 1);
        assert!(!notices.dismiss("microphone"));
        assert!(notices.raise(notice("b", true)));
        assert!(notices.dismiss("microphone"));
        assert!(!notices.clear("microphone"));
    }

    #[test]
    fn one_sentence_is_one_notice() {
        let notice = |id: &str| Notice {
            id: id.into(),
            error: UserError::new(ErrorCode::MicrophoneMissing, "no sound system"),
            dismissible: true,
        };
        let mut notices = Notices::default();
        notices.raise(notice("microphone"));
        notices.raise(notice("speaker"));
        assert_eq!(notices.shown().len(), 1);
        notices.clear("microphone");
        assert_eq!(notices.shown().len(), 1, "the loudspeaker is still missing");
        notices.raise(notice("microphone"));
        assert!(notices.dismiss("speaker"));
        assert!(notices.shown().is_empty());
    }
}
