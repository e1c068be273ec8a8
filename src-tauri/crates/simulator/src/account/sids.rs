//! Makes SIDs.

use std::sync::{Mutex, PoisonError};

use dialer_domain::sid::{
    AccountSid, ApiKeySid, CallSid, ConferenceSid, PhoneNumberSid, QueueSid, RecordingSid, TwimlAppSid,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// Makes SIDs: reproducible from a seed, unique within a run.
pub(crate) struct SidSource(Mutex<StdRng>);

impl SidSource {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn account(&self) -> AccountSid {
        AccountSid::from_bytes(self.bytes())
    }

    pub(crate) fn api_key(&self) -> ApiKeySid {
        ApiKeySid::from_bytes(self.bytes())
    }

    pub(crate) fn application(&self) -> TwimlAppSid {
        TwimlAppSid::from_bytes(self.bytes())
    }

    pub(crate) fn call(&self) -> CallSid {
        CallSid::from_bytes(self.bytes())
    }

    pub(crate) fn number(&self) -> PhoneNumberSid {
        PhoneNumberSid::from_bytes(self.bytes())
    }

    pub(crate) fn recording(&self) -> RecordingSid {
        RecordingSid::from_bytes(self.bytes())
    }

    pub(crate) fn conference(&self) -> ConferenceSid {
        ConferenceSid::from_bytes(self.bytes())
    }

    pub(crate) fn queue(&self) -> QueueSid {
        QueueSid::from_bytes(self.bytes())
    }

    /// A SID of a kind the domain has no type for, such as `NO…`.
    pub(crate) fn other(&self, prefix: &str) -> String {
        let sid = PhoneNumberSid::from_bytes(self.bytes());
        format!("{prefix}{}", sid.as_str().trim_start_matches(PhoneNumberSid::PREFIX))
    }
}
