//! The one thread that asks the keychain, so that no caller ever hangs on it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::ports::VaultError;

use super::keychain::Keychain;

type Question = Box<dyn FnOnce(&mut Keychain) + Send>;

/// The thread, begun with the first question.
#[derive(Debug, Default)]
pub(super) struct Worker {
    questions: Mutex<Option<Sender<Question>>>,
}

impl Worker {
    /// Asks, and waits for the answer for at most `timeout`.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        timeout: Duration,
        question: impl FnOnce(&mut Keychain) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        // Whoever sets it first decides: the thread begins the question, or the caller withdraws it.
        let taken = Arc::new(AtomicBool::new(false));
        let withdrawn = Arc::clone(&taken);
        let (answer, answered) = mpsc::sync_channel(1);
        self.send(Box::new(move |keychain| {
            if !taken.swap(true, Ordering::AcqRel) {
                // A caller that no longer waits has its answer already.
                let _ = answer.send(question(keychain));
            }
        }))?;
        match answered.recv_timeout(timeout) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                withdrawn.store(true, Ordering::Release);
                Err(VaultError::TimedOut(timeout.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(VaultError::Failed("the keychain library stopped".into()))
            }
        }
    }

    /// Hands the question to the thread, which is begun if there is none or a panic ended it.
    fn send(&self, mut question: Question) -> Result<(), VaultError> {
        let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = questions.as_ref() {
            match thread.send(question) {
                Ok(()) => return Ok(()),
                Err(mpsc::SendError(returned)) => question = returned,
            }
        }
        let (thread, inbox) = mpsc::channel::<Question>();
        std::thread::Builder::new()
            .name("keychain".into())
            .spawn(move || {
                let mut keychain = Keychain::default();
                for question in inbox {
                    question(&mut keychain);
                }
            })
            .map_err(|error| VaultError::Failed(format!("no thread for the keychain: {error}")))?;
        thread.send(question).map_err(|_| VaultError::Failed("the keychain library stopped".into()))?;
        *questions = Some(thread);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn an_answer_comes_back() {
        assert_eq!(Worker::default().ask(LONG, |_| Ok(5)), Ok(5));
        assert_eq!(
            Worker::default().ask::<()>(LONG, |_| Err(VaultError::TimedOut(1))),
            Err(VaultError::TimedOut(1))
        );
    }

    #[test]
    fn a_keychain_that_hangs_costs_one_thread_and_withdrawn_questions_are_never_asked() {
        let worker = Worker::default();
        let (release, hung) = mpsc::channel::<()>();
        let hung = Arc::new(Mutex::new(hung));
        let begun = Arc::new(AtomicBool::new(false));
        // On a busy computer a question may be withdrawn before the thread comes to it.
        while !begun.load(Ordering::SeqCst) {
            let (hung, begun) = (Arc::clone(&hung), Arc::clone(&begun));
            let hang = worker.ask(SHORT, move |_| {
                begun.store(true, Ordering::SeqCst);
                let _ = hung.lock().unwrap_or_else(PoisonError::into_inner).recv();
                Ok(())
            });
            assert_eq!(hang, Err(VaultError::TimedOut(1)), "a part of a second counts as one");
        }
        let asked = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&asked);
        let behind = worker.ask(SHORT, move |_| {
            mark.store(true, Ordering::SeqCst);
            Ok(())
        });
        assert_eq!(behind, Err(VaultError::TimedOut(1)));
        drop(release);
        assert_eq!(worker.ask(LONG, |_| Ok("answered again")), Ok("answered again"));
        assert!(!asked.load(Ordering::SeqCst), "nobody waited for it any more");
    }

    #[test]
    fn a_panic_in_the_library_is_an_error_and_the_next_question_has_a_new_thread() {
        let worker = Worker::default();
        let stopped = worker.ask::<()>(LONG, |_| panic!("a defect of the keychain library"));
        assert!(matches!(stopped, Err(VaultError::Failed(_))), "{stopped:?}");
        // The thread takes its inbox down with it a moment later; until then a question is lost with it.
        let answer = std::iter::repeat_with(|| worker.ask(LONG, |_| Ok(1))).find(Result::is_ok);
        assert_eq!(answer, Some(Ok(1)));
    }
}
