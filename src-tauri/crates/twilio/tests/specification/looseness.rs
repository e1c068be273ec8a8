//! Where Twilio's specification is stricter than Twilio: each entry is seen in the specification's
//! own examples or said in its descriptions.

use super::Deviation;

/// The end of the place, what deviates there, and why it is let pass.
const TOLERATED: &[(&str, &str, &str)] = &[
    ("uri", "is relative", "links of the API of 2010 begin behind the host"),
    ("_url", "is empty", "a number or an app without an address has an empty one, or null"),
    ("status_callback", "is empty", "likewise"),
    ("_application_sid", "is empty", "a number without an app has an empty one, or null"),
    ("Url", "is empty", "so an address is taken away"),
    ("StatusCallback", "is empty", "likewise"),
    ("VoiceApplicationSid", "is empty", "so a number is taken off its app"),
    ("TrunkSid", "is empty", "so a number is taken off its trunk"),
    ("reason_conference_ended", "is null", "a conference under way has not ended"),
    ("price", "is no number", "amounts are texts, which lose no digits"),
    ("inbound_call_price.base_price", "is null", "the number asked about is not one of Twilio's"),
    ("inbound_call_price.current_price", "is null", "likewise"),
    ("inbound_call_price.number_type", "is null", "likewise"),
    ("query To", "is no phone-number", "the description allows client and SIP addresses"),
    ("query From", "is no phone-number", "likewise"),
];

/// Whether a deviation is one of the specification's rather than one of ours.
pub(crate) fn tolerated(deviation: &Deviation) -> bool {
    TOLERATED.iter().any(|(place, what, _)| deviation.place.ends_with(place) && deviation.what == *what)
}
