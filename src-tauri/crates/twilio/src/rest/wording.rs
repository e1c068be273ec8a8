//! What went wrong, in words for the agent: what happened and what to do.
//!
//! The meanings are those of Twilio's error dictionary; the wording is ours.

use dialer_domain::error::{ErrorCode, UserError};

use super::credentials::CredentialKind;
use super::error::{RestError, UnreachableCause};

impl RestError {
    /// The failure as the agent sees it; the detail is for the diagnostics.
    pub fn user_error(&self) -> UserError {
        let (code, sentence) = match self {
            Self::Unreachable { cause, .. } => (ErrorCode::Offline, unreachable(*cause)),
            Self::NotTwilio { status: 407, .. } => (ErrorCode::Offline, PROXY_SIGN_IN),
            Self::NotTwilio { .. } => (ErrorCode::Offline, SIGN_IN_PAGE),
            Self::Refused { status, code, by, .. } => refused(*status, *code, *by),
            Self::TooManyRequests { .. } => (
                ErrorCode::TwilioFailed,
                "Twilio has too many requests from this account at the moment. Wait a minute and try again.",
            ),
            Self::Server { .. } => (
                ErrorCode::TwilioFailed,
                "Twilio has a problem at the moment. Try again in a few minutes; status.twilio.com tells more.",
            ),
            Self::Malformed { .. } => (
                ErrorCode::TwilioFailed,
                "Twilio answered in a way this program does not understand. Look for a newer version of the \
                 program, and report this if there is none.",
            ),
            Self::WrongKeyClass { .. } => (
                ErrorCode::CredentialsRefused,
                "This needs the account's Auth Token: an API key may not do it. Enter the Auth Token, which \
                 the Twilio Console shows under Account Info.",
            ),
        };
        UserError::new(code, sentence).with_detail(self.to_string())
    }
}

const SIGN_IN_PAGE: &str = "The network answered in place of Twilio. If it has a sign-in page, open a web \
                            browser and sign in; if a filter or a proxy is in the way, ask who runs it to let \
                            twilio.com through.";
const PROXY_SIGN_IN: &str = "The proxy of this network wants a name and a password. Put them into HTTPS_PROXY, \
                             as http://name:password@proxy:port, and start the program again.";

fn unreachable(cause: UnreachableCause) -> &'static str {
    match cause {
        UnreachableCause::Dns => {
            "Twilio's address was not found: this computer seems to be offline. Check the network connection."
        }
        UnreachableCause::Connect => {
            "Twilio cannot be reached. Check the network connection; if it works for other programs, a \
             firewall may keep this one from twilio.com."
        }
        UnreachableCause::Tls => {
            "The connection to Twilio is not secure, so nothing was sent. Check that this computer's clock is \
             right; if it is, the network's sign-in page, a proxy or a virus scanner may stand in between: sign \
             in, or ask who runs the network to let twilio.com through."
        }
        UnreachableCause::Proxy => {
            "The proxy set for this computer did not let the program through to Twilio. Check HTTPS_PROXY, \
             its name and password included, or ask who runs the proxy to allow twilio.com."
        }
        UnreachableCause::Timeout => {
            "Twilio did not answer in time. Check the network connection and try again."
        }
        UnreachableCause::Interrupted => {
            "The connection to Twilio broke off. Check the network connection and try again."
        }
    }
}

fn refused(status: u16, code: Option<u32>, by: CredentialKind) -> (ErrorCode, &'static str) {
    code.and_then(|code| known(code, by)).unwrap_or_else(|| by_status(status, by))
}

fn credentials_refused(by: CredentialKind) -> (ErrorCode, &'static str) {
    let sentence = match by {
        CredentialKind::AuthToken => {
            "Twilio does not accept this Account SID with this Auth Token. Copy both again from the same page \
             of the Twilio Console. Each region has an Auth Token of its own: take the one of United States (US1), \
             the only region this program works with."
        }
        CredentialKind::ApiKey => {
            "Twilio no longer accepts the saved API key: it was deleted, or belongs to another account or \
             region. Connect the account again to make a new one."
        }
    };
    (ErrorCode::CredentialsRefused, sentence)
}

const NOT_ACTIVE: &str = "Twilio has stopped this account, mostly for an empty balance. Open the Twilio \
                          Console, add funds or follow what it asks for, and try again.";
const CANNOT_SHOW: &str = "This number cannot be shown to the people you call: it is neither a number of the \
                           account nor verified. Choose another one, or verify it.";
const CHECK_NUMBER: &str =
    "Twilio does not know this number. Check it, with + and the country code in front.";
const COUNTRY_OFF: &str = "Calls to this country are switched off in the account. Allow the country under \
                           Settings, Countries, and look at the price there.";
const BLOCKED: &str = "Twilio blocks calls to this number.";
const DEFECT: &str =
    "Twilio did not understand a request of this program. Please report this, with the details.";
const GONE: &str =
    "What this is about no longer exists at Twilio. Run the set-up again to find out what is left.";

/// Codes that say more than the HTTP status.
fn known(code: u32, by: CredentialKind) -> Option<(ErrorCode, &'static str)> {
    use ErrorCode::{AccountNotActive, CallFailed, CredentialsRefused, InvalidEntry, TwilioFailed};
    Some(match code {
        10001 | 10003 | 20005 => (AccountNotActive, NOT_ACTIVE),
        10002 => (
            TwilioFailed,
            "A Twilio trial account cannot do this. Upgrade the account in the Twilio Console, or go on without.",
        ),
        10004 => (
            CallFailed,
            "All lines of the account are in use. End a call first; an account whose business profile is \
             finished in the Twilio Console gets more lines.",
        ),
        20003 => credentials_refused(by),
        20006 | 70051 => (
            CredentialsRefused,
            "The credentials may not do this. Use the Auth Token, or an API key of the type Standard.",
        ),
        20008 => (
            CredentialsRefused,
            "These are Twilio's test credentials, which cannot place calls. Copy the live credentials from the \
             Twilio Console.",
        ),
        20404 => (TwilioFailed, GONE),
        13214 | 21210 | 21212 => (InvalidEntry, CANNOT_SHOW),
        13223 | 13224 | 13226 | 21211 | 21217 | 21401 => (InvalidEntry, CHECK_NUMBER),
        13225 | 21202 => (CallFailed, BLOCKED),
        13227 | 21203 | 21215 => (CallFailed, COUNTRY_OFF),
        21214 => (CallFailed, "Twilio has no way to this number. Check it, and try again later."),
        21216 => (
            CallFailed,
            "Twilio blocks this call, as a risk of fraud, by regulation, or because calls to +1 need a business \
             profile. Finish the Primary Customer Profile in the Twilio Console, or ask Twilio's support.",
        ),
        21219 | 21608 | 14111 => (
            CallFailed,
            "A Twilio trial account can only call verified numbers. Verify this number, or upgrade the account.",
        ),
        573_002 => (
            CallFailed,
            "A Twilio trial account calls from the number Twilio gave it for this recipient. Look it up in the \
             Twilio Console, or upgrade the account.",
        ),
        573_005 => (
            CallFailed,
            "This number is not verified yet. Enter the code that was sent to it, then call again.",
        ),
        21220 => (CallFailed, "The call is already over."),
        21450 => {
            (InvalidEntry, "This number is already verified for the account. There is nothing left to do.")
        }
        21453 => (
            InvalidEntry,
            "This number is verified for as many trial accounts as Twilio allows. Use another one, or upgrade \
             the account.",
        ),
        21451 | 21452 => (
            InvalidEntry,
            "Twilio could not begin to verify this number. Check it, with + and the country code in front, and \
             try again.",
        ),
        21420 => (
            TwilioFailed,
            "The TwiML App this number is to be pointed at no longer exists, or belongs to another account. \
             Point the number elsewhere in the Twilio Console.",
        ),
        22403 => (TwilioFailed, "Twilio does not allow this for a number of this region."),
        16025 | 13240 => {
            (TwilioFailed, "Someone else of that name is in the call, or has just left it. Try again.")
        }
        17000 => (TwilioFailed, "Call-quality details are not switched on for this account."),
        20001 | 20002 | 20004 | 20007 | 21481 | 70001 => (TwilioFailed, DEFECT),
        _ => return None,
    })
}

fn by_status(status: u16, by: CredentialKind) -> (ErrorCode, &'static str) {
    match status {
        401 => credentials_refused(by),
        403 => (
            ErrorCode::CredentialsRefused,
            "Twilio does not allow this for the account or its credentials. The details say why.",
        ),
        404 => (ErrorCode::TwilioFailed, GONE),
        _ => (ErrorCode::TwilioFailed, "Twilio refused what was asked. The details say why."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, code: u32, by: CredentialKind) -> UserError {
        RestError::Refused { status, code: Some(code), message: "words".into(), by }.user_error()
    }

    #[test]
    fn a_pair_that_does_not_fit_and_a_revoked_key_are_told_apart() {
        let pair = error(401, 20003, CredentialKind::AuthToken);
        let key = error(401, 20003, CredentialKind::ApiKey);
        assert_eq!((pair.code, key.code), (ErrorCode::CredentialsRefused, ErrorCode::CredentialsRefused));
        assert!(pair.message.contains("region") && pair.message.contains("Auth Token"), "{}", pair.message);
        assert!(key.message.contains("API key"), "{}", key.message);
        // A code nobody knows leaves the status to speak.
        assert_eq!(error(401, 99_999, CredentialKind::ApiKey).message, key.message);
    }

    #[test]
    fn every_kind_of_failure_has_a_code_and_whole_sentences() {
        use ErrorCode::{AccountNotActive, CredentialsRefused, Offline, TwilioFailed};
        let unreachable = |cause| RestError::Unreachable { cause, detail: "chain".into() }.user_error();
        let by = CredentialKind::AuthToken;
        let cases = [
            (error(401, 20005, by), AccountNotActive, "Console"),
            (error(403, 10001, by), AccountNotActive, "Console"),
            (error(403, 20008, by), CredentialsRefused, "test credentials"),
            (error(404, 20404, by), TwilioFailed, "no longer exists"),
            (error(400, 10002, by), TwilioFailed, "trial"),
            (error(400, 21450, by), ErrorCode::InvalidEntry, "already verified"),
            (error(400, 21420, by), TwilioFailed, "another account"),
            (error(401, 70051, CredentialKind::ApiKey), CredentialsRefused, "Standard"),
            (error(400, 70001, by), TwilioFailed, "report"),
            (error(409, 1, by), TwilioFailed, "details"),
            (unreachable(UnreachableCause::Dns), Offline, "offline"),
            (unreachable(UnreachableCause::Tls), Offline, "clock"),
            (unreachable(UnreachableCause::Proxy), Offline, "HTTPS_PROXY"),
            (
                RestError::NotTwilio { status: 200, content_type: "text/html".into() }.user_error(),
                Offline,
                "sign in",
            ),
            (
                RestError::NotTwilio { status: 407, content_type: "text/html".into() }.user_error(),
                Offline,
                "password",
            ),
            (RestError::TooManyRequests { retry_after: None }.user_error(), TwilioFailed, "Wait"),
            (
                RestError::Server { status: 500, code: None, message: String::new() }.user_error(),
                TwilioFailed,
                "few minutes",
            ),
            (RestError::WrongKeyClass { what: "keys" }.user_error(), CredentialsRefused, "Auth Token"),
        ];
        for (error, code, word) in cases {
            assert_eq!(error.code, code, "{}", error.message);
            assert!(error.message.contains(word), "{word:?} in {}", error.message);
            assert!(error.message.ends_with('.') && !error.message.contains("  "), "{}", error.message);
            assert!(error.detail.is_some());
        }
    }
}
