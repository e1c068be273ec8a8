//! What Twilio keeps for its debugger: alerts, and the webhook requests of calls.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use dialer_domain::sid::CallSid;

use crate::account::SidSource;
use crate::event::AlertLevel;

/// How many alerts, and how many exchanges, are kept; older ones are forgotten.
const KEPT: usize = 1_000;
/// How much of a webhook's answer is kept, in bytes.
const BODY_KEPT: usize = 4_096;
/// Keeps the SIDs of alerts apart from those of calls, which must not depend on what went wrong.
const OWN_SEED: u64 = 0x616c_6572_7473;

/// A webhook request and what came of it. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) call_sid: CallSid,
    pub(crate) at_ms: i64,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) parameters: Vec<(String, String)>,
    /// Absent when there was no answer.
    pub(crate) answer: Option<ExchangeAnswer>,
}

/// What a webhook answered.
#[derive(Debug, Clone)]
pub(crate) struct ExchangeAnswer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) took_ms: i64,
    pub(crate) body: String,
}

impl ExchangeAnswer {
    pub(crate) fn new(status: u16, content_type: Option<String>, took_ms: i64, body: &[u8]) -> Self {
        let kept = body.get(..BODY_KEPT).unwrap_or(body);
        Self { status, content_type, took_ms, body: String::from_utf8_lossy(kept).into_owned() }
    }
}

/// An alert. Times are Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    /// `NO…`.
    pub(crate) sid: String,
    pub(crate) at_ms: i64,
    pub(crate) code: u32,
    pub(crate) level: AlertLevel,
    pub(crate) call_sid: CallSid,
    pub(crate) text: String,
    /// The call's last webhook request before it: mostly what it is about.
    pub(crate) exchange: Option<Exchange>,
}

/// The alerts and exchanges there were.
pub(crate) struct Alerts {
    sids: SidSource,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    alerts: VecDeque<Alert>,
    exchanges: VecDeque<Exchange>,
}

impl Alerts {
    pub(crate) fn new(seed: u64) -> Self {
        Self { sids: SidSource::new(seed ^ OWN_SEED), kept: Mutex::default() }
    }

    pub(crate) fn keep(&self, at_ms: i64, call_sid: &CallSid, level: AlertLevel, code: u32, text: &str) {
        let sid = self.sids.other("NO");
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = kept.exchanges.iter().rev().find(|exchange| exchange.call_sid == *call_sid).cloned();
        let call_sid = call_sid.clone();
        kept.alerts.push_back(Alert { sid, at_ms, code, level, call_sid, text: text.to_owned(), exchange });
        if kept.alerts.len() > KEPT {
            kept.alerts.pop_front();
        }
    }

    pub(crate) fn keep_exchange(&self, exchange: Exchange) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.exchanges.push_back(exchange);
        if kept.exchanges.len() > KEPT {
            kept.exchanges.pop_front();
        }
    }

    /// All alerts kept, oldest first.
    pub(crate) fn all(&self) -> Vec<Alert> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).alerts.iter().cloned().collect()
    }

    /// The webhook requests of a call, oldest first.
    pub(crate) fn exchanges(&self, call_sid: &CallSid) -> Vec<Exchange> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.exchanges.iter().filter(|exchange| exchange.call_sid == *call_sid).cloned().collect()
    }
}
