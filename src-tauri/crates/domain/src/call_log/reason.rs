//! Twilio's error codes as sentences for the agent.
//!
//! Meanings are from Twilio's error dictionary and the Voice SDK 2.18.5; the wording is ours. Only
//! codes that can end a call are here; a code that is not has no sentence and is shown as a number.

/// The other party is busy.
pub(super) const BUSY: u32 = 31_486;
/// The other party declined.
pub(super) const DECLINED: u32 = 31_603;
/// The other party is not available.
pub(super) const UNAVAILABLE: u32 = 31_480;
/// The call was cancelled before an answer.
pub(super) const CANCELLED: u32 = 31_008;

/// Whether a code of the SDK tells more than that something went wrong. Without the SDK's option
/// `enableImprovedSignalingErrorPrecision`, every end that Twilio gave a reason for arrives as 31005.
pub(super) fn is_precise(code: u32) -> bool {
    !matches!(code, 0 | 31_000 | 31_005)
}

/// What happened and what to do, for a code that can end a call.
pub fn for_code(code: u32) -> Option<&'static str> {
    Some(match code {
        10_001 | 10_003 | 20_005 => "The Twilio account is not active. Open the Twilio Console to see why.",
        10_002 => "A trial account cannot do this. Upgrade the Twilio account.",
        10_004 => {
            "All lines of the Twilio account are in use. Wait a moment and try again; completing the business profile \
             in the Twilio Console raises the limit."
        }
        11_200 | 11_205 | 11_206 | 11_210 | 11_215 | 11_220 | 11_235..=11_237 => {
            "Twilio could not reach this phone to ask what to do with the call. Open Diagnostics and run the self-test."
        }
        11_100 => "Twilio has a wrong address for this phone. Open Settings and connect the account again.",
        11_750 | 11_770 | 12_100..=12_102 | 12_300 | 13_201 => {
            "Twilio did not understand this phone's answer. Report this as a defect of the program."
        }
        13_214 | 21_210 | 21_212 => {
            "Twilio does not allow this caller id. Choose a number of the account or a verified one."
        }
        13_223 | 13_224 | 21_211 | 21_217 => "The number cannot be called. Check it and try again.",
        13_225 | 21_202 => "Twilio blocks calls to this number.",
        13_226 => "The country code does not exist. Check the number.",
        13_227 | 21_203 | 21_215 | 32_205 => {
            "Calls to this country are switched off. Allow it in the Twilio Console under Voice, Geographic permissions."
        }
        13_243 | 13_247 | 13_248 | 13_254 => "The SIP address cannot be called. Check it and try again.",
        13_805 => {
            "Calls of a trial account end after ten minutes. Upgrade the Twilio account for longer ones."
        }
        14_111 | 21_219 | 21_608 => {
            "A trial account can only call verified numbers. Verify this one in the Twilio Console, or upgrade the account."
        }
        20_003 => "Twilio no longer accepts the saved sign-in. Open Settings and connect the account again.",
        20_101..=20_104 | 20_106 | 20_107 | 20_151 | 20_157 | 31_201..=31_205 | 31_207 => {
            "Twilio refused this phone's sign-in. Try again; if it stays, open Settings and connect the account again."
        }
        20_105 => "This computer's clock is wrong. Set it right and try again.",
        20_429 | 31_206 => {
            "Twilio is getting too many requests from this account. Wait a minute and try again."
        }
        20_500 | 20_503 => "Twilio has a problem of its own. Try again in a few minutes.",
        21_214 => "Twilio has no route to this number.",
        21_216 => {
            "Twilio blocked this call. Complete the business profile in the Twilio Console, or ask Twilio's support."
        }
        32_224 => "Regulation does not allow this forwarded call.",
        573_002 => {
            "The trial account must call this number from the number Twilio assigned to it; see the Twilio Console."
        }
        573_005 => "This number is not verified yet. Enter the code that Twilio sent to it.",
        31_001 | 31_404 => "The Twilio set-up is not complete. Open Settings and connect the account again.",
        31_002 => "Twilio refused the call. The Twilio Console's error log says why.",
        31_003 | 31_005 | 31_009 | 53_000 | 53_001 => {
            "The connection to Twilio was lost. Check the network and try again."
        }
        CANCELLED => "The call was cancelled before it was answered.",
        31_401 => "The microphone was refused. Allow this program to use it in the system's settings.",
        31_402 => {
            "The microphone could not be opened. Choose another one, or close the program that uses it."
        }
        UNAVAILABLE => "The other party is not available.",
        BUSY => "The other party is busy.",
        DECLINED => "The other party declined the call.",
        53_400 | 53_402 | 53_405 => {
            "The sound connection failed. Check whether the network or a firewall blocks UDP, then call again."
        }
        _ => return None,
    })
}
