//! Opens a device beside the call, and tries again while it cannot be had.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

use super::sound::{Order, Trouble};
use crate::api::DeviceKind;
use crate::devices::{AudioDevices, DEFAULT_DEVICE, DeviceError};

/// Between two tries.
const RETRY: Duration = Duration::from_secs(3);
/// How soon the end of the call is noticed while waiting.
const GLANCE: Duration = Duration::from_millis(100);

/// What a device is opened for.
#[derive(Clone)]
pub(super) struct Opener {
    pub(super) devices: Arc<dyn AudioDevices>,
    pub(super) orders: Sender<Order>,
    /// Gone when the call is over.
    pub(super) alive: Weak<()>,
}

impl Opener {
    /// Starts to open a device for the sound thread `wake`, after a pause if it has just failed.
    ///
    /// Every first failure of a row is told; then it is silent until it succeeds.
    pub(super) fn open(&self, kind: DeviceKind, wake: Thread, after_fault: bool) {
        let opener = self.clone();
        let body = move || opener.run(kind, &wake, after_fault);
        let started = thread::Builder::new().name("open-sound-device".into()).spawn(body);
        if let Err(error) = started {
            let error = DeviceError::Failed { kind, detail: error.to_string() };
            // Without its listener the call is over.
            let _ = self.orders.send(Order::Trouble(Trouble { kind, error }));
        }
    }

    fn run(&self, kind: DeviceKind, wake: &Thread, after_fault: bool) {
        let mut wait = after_fault;
        let mut told = None;
        loop {
            if wait && !self.pause() {
                return;
            }
            wait = true;
            if self.alive.upgrade().is_none() {
                return;
            }
            let opened = match kind {
                DeviceKind::Microphone => self
                    .devices
                    .open_capture(DEFAULT_DEVICE, wake.clone())
                    .map(|capture| Order::Capture(Box::new(capture))),
                DeviceKind::Speaker => self
                    .devices
                    .open_playout(DEFAULT_DEVICE, wake.clone())
                    .map(|playout| Order::Playout(Box::new(playout))),
            };
            let order = match opened {
                Ok(order) => order,
                Err(error) if told.as_ref() == Some(&error) => continue,
                Err(error) => {
                    told = Some(error.clone());
                    Order::Trouble(Trouble { kind, error })
                }
            };
            let done = !matches!(order, Order::Trouble(_));
            if self.orders.send(order).is_err() {
                return;
            }
            wake.unpark();
            if done {
                return;
            }
        }
    }

    /// Waits, and tells whether the call still lasts.
    fn pause(&self) -> bool {
        let mut waited = Duration::ZERO;
        while waited < RETRY {
            if self.alive.upgrade().is_none() {
                return false;
            }
            thread::sleep(GLANCE);
            waited += GLANCE;
        }
        true
    }
}
