//! What the server does besides answering: it keeps who has signed in, asks what calls cost, and asks Twilio
//! about calls of which callbacks were lost.

use std::sync::{Arc, Weak};
use std::time::Duration;

use dialer_domain::call::CallEvent;
use dialer_domain::ports::CallStore;
use dialer_domain::sid::CallSid;
use dialer_engine::repair::{Listener, Repair};
use dialer_storage::sign_ins::SignIns;
use dialer_twilio::rest::CallResource;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::desk::CloudDesk;
use super::ledger::closed;

/// How often prices and the day are looked at.
const EVERY: Duration = Duration::from_secs(60);
/// Rows of the log that are looked through for what callbacks did not tell: those of the busiest hours.
const REPAIRED_ROWS: u32 = 500;

/// Writes down who has signed in, each time that changes, until `closing` says so or the desk is gone, and all is
/// written.
pub(super) fn keep_sign_ins(
    file: SignIns,
    desk: Weak<CloudDesk>,
    mut changes: watch::Receiver<()>,
    mut closing: watch::Receiver<bool>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                // What has changed is written before the server closes.
                biased;
                changed = changes.changed() => if changed.is_err() {
                    return;
                },
                () = closed(&mut closing) => return,
            }
            let Some(agents) = desk.upgrade().map(|desk| desk.good_until()) else { return };
            let file = file.clone();
            match tokio::task::spawn_blocking(move || file.keep(agents)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(
                    %error,
                    "who has signed in could not be written; after a restart agents are rung again once they sign in"
                ),
                Err(panicked) => tracing::error!(%panicked, "who has signed in could not be written"),
            }
        }
    })
}

/// Looks at prices and the day until the desk is gone.
pub(super) fn look_after(desk: Weak<CloudDesk>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut look = tokio::time::interval(EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            let Some((api, numbers)) = desk.upgrade().map(|desk| (Arc::clone(&desk.api), desk.look_at_day()))
            else {
                return;
            };
            let learn = |number, price| {
                if let Some(desk) = desk.upgrade() {
                    desk.learn(vec![(number, price)]);
                }
            };
            api.load_prices(numbers, learn).await;
        }
    })
}

/// Asks Twilio what callbacks did not tell, until the desk is gone.
pub(super) fn repair(desk: &Arc<CloudDesk>) -> JoinHandle<()> {
    let repair = Repair {
        store: Arc::downgrade(&desk.store) as Weak<dyn CallStore>,
        api: Arc::clone(&desk.api),
        clock: Arc::clone(&desk.clock),
        listener: Behind(Arc::downgrade(desk)),
        numbers: vec![desk.config.phone_number.clone()],
        rows: REPAIRED_ROWS,
    };
    tokio::spawn(repair.run())
}

/// The desk, which ends when the server does.
struct Behind(Weak<CloudDesk>);

impl Listener for Behind {
    fn is_gone(&self) -> bool {
        self.0.strong_count() == 0
    }

    fn happened(&self, event: CallEvent) {
        if let Some(desk) = self.0.upgrade() {
            desk.note(event);
        }
    }

    fn in_doubt(&self, now_ms: i64) -> Vec<CallSid> {
        self.0.upgrade().map(|desk| desk.in_doubt(now_ms)).unwrap_or_default()
    }

    fn answered(&self, call: &CallSid, known: Option<&CallResource>, now_ms: i64) {
        if let Some(desk) = self.0.upgrade() {
            desk.answered(call, known.map(|call| call.from.as_deref().unwrap_or_default()), now_ms);
        }
    }
}
