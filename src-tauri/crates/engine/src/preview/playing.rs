//! The preview that is being played: one at a time, for each is a whole Twilio.

use std::sync::{Mutex, MutexGuard, PoisonError};

use dialer_domain::error::{ErrorCode, UserError};
use tokio::sync::{mpsc, oneshot};

/// What is asked of a preview while it is played.
pub(crate) enum Ask {
    /// End it.
    Stop,
    /// Press a key, as the caller would.
    Press {
        /// `0` to `9`, `*` or `#`.
        key: char,
        /// Why that was refused; the key is played all the same where a caller could press it.
        reply: oneshot::Sender<Result<(), UserError>>,
    },
}

/// The preview that is being played, if there is one.
#[derive(Default)]
pub(crate) struct Playing(Mutex<Option<mpsc::UnboundedSender<Ask>>>);

/// A preview's turn; it ends when this goes.
pub(crate) struct Turn<'a>(&'a Playing);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.lock() = None;
    }
}

impl Playing {
    /// Begins a preview, unless there is one; what is asked of it comes out of the receiver.
    pub(crate) fn begin(&self) -> Result<(Turn<'_>, mpsc::UnboundedReceiver<Ask>), UserError> {
        let mut playing = self.lock();
        if playing.is_some() {
            return Err(UserError::new(
                ErrorCode::Busy,
                "A preview is being played. Wait until it is over, or stop it.",
            ));
        }
        let (ask, asked) = mpsc::unbounded_channel();
        *playing = Some(ask);
        drop(playing);
        Ok((Turn(self), asked))
    }

    /// Ends the preview; without one there is nothing to end.
    pub(crate) fn stop(&self) {
        if let Some(playing) = &*self.lock() {
            // It may be over in this moment.
            let _ = playing.send(Ask::Stop);
        }
    }

    /// Presses a key, as the caller would.
    pub(crate) async fn press(&self, key: &str) -> Result<(), UserError> {
        let over = || UserError::new(ErrorCode::InvalidEntry, "No preview is being played.");
        let mut keys = key.chars();
        let (Some(key), None) = (keys.next(), keys.next()) else {
            return Err(UserError::new(ErrorCode::InvalidEntry, "Press one key at a time."));
        };
        let (reply, answer) = oneshot::channel();
        let sent =
            self.lock().as_ref().is_some_and(|playing| playing.send(Ask::Press { key, reply }).is_ok());
        if !sent {
            return Err(over());
        }
        answer.await.map_err(|_| over())?
    }

    fn lock(&self) -> MutexGuard<'_, Option<mpsc::UnboundedSender<Ask>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
