//! What callers get while the computer is off: a document that Twilio keeps.

use dialer_domain::dial_policy::LONGEST_CALL_S;
use dialer_domain::incoming::{Answer, IncomingRules, Prompt};
use dialer_domain::phone_number::E164;
use dialer_twilio::twiml::{Dial, DialNoun, RejectReason, Response, Verb};

/// Spoken when nobody can be reached.
const UNAVAILABLE: &str = "Nobody can be reached right now. Please call again later.";
/// Spoken after a forwarded call, however it went: a document without an address to ask cannot know.
const AFTERWARDS: &str = "The connection has ended. If nobody answered, please call again later.";
/// How long a forwarded call rings, in seconds.
const RING_S: u32 = 25;

/// The TwiML for a TwiML Bin at Twilio, entered there as the fallback of the voice URL: it answers when
/// this program does not.
///
/// It follows the rule for [`offline`](IncomingRules::offline) as far as a document can that has nobody to
/// ask. A call is forwarded, a message that is a text is spoken, a caller who should hear the busy tone
/// hears it; everything else becomes a sentence.
///
/// It takes no message, although the rule may say so: `<Record>` asks its `action` how to go on, and
/// without one it asks for this very document again, so the caller would be greeted and recorded in a
/// circle, at the owner's cost. It names no address of this computer either, because that is the one thing
/// that does not answer; so recordings of the agent's own cannot be played.
///
/// The same document answers the agent's own calls when the app's voice URL fails. None of those is
/// forwarded, since the document shows no caller id (13214); with every other rule the agent hears what a
/// caller would.
pub fn fallback_document(rules: &IncomingRules) -> String {
    let document = match &rules.offline {
        Answer::Forward { to } => forward(to),
        Answer::Message { prompt: Prompt::Say { text, language } } => Response::new()
            .with(Verb::Say { text: text.clone(), language: language.clone() })
            .with(Verb::Hangup),
        Answer::Decline => Response::new().with(Verb::Reject(RejectReason::Busy)),
        Answer::Message { prompt: Prompt::Play { .. } }
        | Answer::Voicemail
        | Answer::Ring
        | Answer::Menu
        | Answer::Queue => Response::say_and_hang_up(UNAVAILABLE),
    };
    document.to_xml()
}

fn forward(to: &E164) -> Response {
    let dial = Dial {
        answer_on_bridge: true,
        timeout_s: Some(RING_S),
        time_limit_s: Some(LONGEST_CALL_S),
        nouns: vec![DialNoun::Number { number: to.clone(), status_callback: None }],
        ..Dial::default()
    };
    Response::new()
        .with(Verb::Dial(dial))
        .with(Verb::Say { text: AFTERWARDS.into(), language: None })
        .with(Verb::Hangup)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use dialer_domain::incoming::SoundName;

    use super::*;

    fn offline(offline: Answer) -> String {
        fallback_document(&IncomingRules { offline, ..IncomingRules::default() })
    }

    #[test]
    fn a_call_is_forwarded() {
        let document = offline(Answer::Forward { to: E164::parse_strict("+12025550123").unwrap() });
        let expected = concat!(
            "<Dial answerOnBridge=\"true\" timeout=\"25\" timeLimit=\"14400\">",
            "<Number>+12025550123</Number></Dial><Say>",
        );
        assert!(document.contains(expected), "{document}");
    }

    #[test]
    fn what_can_be_said_or_refused_is() {
        let prompt =
            Prompt::Say { text: "Wir haben Ferien & sind weg.".into(), language: Some("de-DE".into()) };
        let document = offline(Answer::Message { prompt });
        assert!(document.contains("<Say language=\"de-DE\">Wir haben Ferien &amp; sind weg.</Say><Hangup/>"));
        assert!(offline(Answer::Decline).contains("<Reject reason=\"busy\"/>"));
    }

    #[test]
    fn the_rest_is_a_sentence() {
        let sound = SoundName::parse("0123456789abcdef0123456789abcdef").unwrap();
        for answer in [
            Answer::Voicemail,
            Answer::Ring,
            Answer::Menu,
            Answer::Queue,
            Answer::Message { prompt: Prompt::Play { sound } },
        ] {
            let document = offline(answer);
            assert!(document.contains("<Say>Nobody can be reached right now."), "{document}");
            assert!(document.contains("<Hangup/>"), "{document}");
        }
    }

    #[test]
    fn nothing_leads_back_to_this_computer() {
        let answers = [
            Answer::Voicemail,
            Answer::Decline,
            Answer::Forward { to: E164::parse_strict("+12025550123").unwrap() },
        ];
        for answer in answers {
            let document = offline(answer);
            let parsed = roxmltree::Document::parse(&document).unwrap();
            for node in parsed.descendants() {
                assert!(node.attributes().all(|attribute| !attribute.value().contains("://")), "{document}");
                assert!(node.attribute("action").is_none() && !node.has_tag_name("Record"), "{document}");
            }
        }
    }
}
