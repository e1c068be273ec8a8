//! How a leg ended, in the words of those who are told.

use dialer_domain::call::CallStatus;

/// How a leg ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    Busy,
    Declined,
    NoAnswer,
    Canceled,
    Failed { sip_code: u16, error_code: Option<u32> },
}

impl End {
    /// `CallStatus` of the end. A declined call is `busy`: Twilio has no status of its own for it.
    pub(crate) fn status(self) -> CallStatus {
        match self {
            Self::Completed => CallStatus::Completed,
            Self::Busy | Self::Declined => CallStatus::Busy,
            Self::NoAnswer => CallStatus::NoAnswer,
            Self::Canceled => CallStatus::Canceled,
            Self::Failed { .. } => CallStatus::Failed,
        }
    }

    /// The final SIP response to the call that ended so (RFC 3261, and Twilio's cancelling of what was not
    /// answered).
    pub(crate) fn sip_code(self) -> u16 {
        match self {
            Self::Completed => 200,
            Self::Busy => 486,
            Self::Declined => 603,
            Self::NoAnswer | Self::Canceled => 487,
            Self::Failed { sip_code, .. } => sip_code,
        }
    }

    /// The error in the `hangup` message of an SDK leg that was never answered.
    ///
    /// That Twilio's `hangup` carries one when the far end was busy, declined or did not answer is
    /// known from public reports of "31005 Error sent from gateway in HANGUP"
    /// (twilio-voice.js issue 140); which code belongs to which end is our reading of the codes'
    /// meanings in the SDK's error list.
    pub(crate) fn signalling_error(self) -> Option<(u32, &'static str)> {
        match self {
            Self::Completed | Self::Canceled => None,
            Self::Busy => Some((31_486, "Busy Here")),
            Self::Declined => Some((31_603, "Decline")),
            Self::NoAnswer => Some((31_480, "Temporarily Unavailable")),
            Self::Failed { sip_code: 404, .. } => Some((31_404, "Not Found")),
            Self::Failed { .. } => Some((31_480, "Temporarily Unavailable")),
        }
    }
}
