//! Questions and looks that are under way.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

use crate::tunnel::machine::Event;

/// Tasks that each bring an event back, whatever becomes of them: the machine waits for it.
#[derive(Default)]
pub(super) struct Errands {
    running: JoinSet<Event>,
    /// What to bring back from a task that does not come back itself.
    otherwise: HashMap<Id, Event>,
}

impl Errands {
    /// Begins `errand`; if it panics, `otherwise` is what it brings back.
    pub(super) fn send(&mut self, otherwise: Event, errand: impl Future<Output = Event> + Send + 'static) {
        let id = self.running.spawn(errand).id();
        self.otherwise.insert(id, otherwise);
    }

    /// What the next one brings back; `None` when none is under way. Nothing is lost when this is
    /// dropped.
    pub(super) async fn next(&mut self) -> Option<Event> {
        match self.running.join_next_with_id().await? {
            Ok((id, event)) => {
                self.otherwise.remove(&id);
                Some(event)
            }
            Err(error) => {
                tracing::error!(%error, "a look at the tunnel ended badly");
                self.otherwise.remove(&error.id())
            }
        }
    }

    pub(super) fn abort_all(&mut self) {
        self.running.abort_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tunnel::provider::Report;

    #[tokio::test]
    async fn what_panics_brings_something_back_all_the_same() {
        let mut errands = Errands::default();
        assert!(errands.next().await.is_none());
        errands.send(Event::Asked(1, Report::Silent), async { panic!("on purpose, by a test") });
        assert!(matches!(errands.next().await, Some(Event::Asked(1, Report::Silent))));
        errands.send(Event::Asked(2, Report::Silent), async { Event::Retry });
        assert!(matches!(errands.next().await, Some(Event::Retry)));
        assert!(errands.next().await.is_none());
        assert!(errands.otherwise.is_empty());
    }
}
