//! The preview that is being played: one at a time, for each is a whole Twilio.

use std::sync::atomic::{AtomicU64, Ordering};
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
pub(crate) struct Playing {
    asked: Mutex<Option<mpsc::UnboundedSender<Ask>>>,
    turn: tokio::sync::Mutex<()>,
    /// How many wanted their turn.
    wanted: AtomicU64,
}

/// A preview's turn; it ends when this goes.
pub(crate) struct Turn<'a> {
    playing: &'a Playing,
    _turn: tokio::sync::MutexGuard<'a, ()>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.playing.lock() = None;
    }
}

impl Playing {
    /// Begins a preview once the one before has ended, which makes room: it may be one that nobody sees any more.
    /// What is asked of it comes out of the receiver, which closes when another one takes its place.
    pub(crate) async fn begin(&self) -> Result<(Turn<'_>, mpsc::UnboundedReceiver<Ask>), UserError> {
        let mine = self.wanted.fetch_add(1, Ordering::Relaxed) + 1;
        *self.lock() = None;
        let turn = self.turn.lock().await;
        if self.wanted.load(Ordering::Relaxed) != mine {
            return Err(UserError::new(ErrorCode::Busy, "Another preview was begun in place of this one."));
        }
        let (ask, asked) = mpsc::unbounded_channel();
        *self.lock() = Some(ask);
        Ok((Turn { playing: self, _turn: turn }, asked))
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
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
