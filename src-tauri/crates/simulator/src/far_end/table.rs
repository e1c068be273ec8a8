//! The practice numbers: `+1 202 555 0100` to `0199`, which no subscriber will ever have.
//!
//! The North American Numbering Plan sets 555-0100 to 555-0199 of every area code aside for fiction,
//! so a practice call that escaped would reach nobody.

use dialer_domain::phone_number::E164;
use serde::Serialize;

use super::script::{AnswerScript, FarEndScript, KeyPath, Step, TalkScript};

/// The reserved block without the last two digits.
const BLOCK: &str = "+120255501";
/// Numbers the practice account owns unless a scenario says otherwise.
pub(crate) const ACCOUNT_NUMBERS: [&str; 2] = ["+12025550190", "+12025550191"];
/// How long a friendly far end rings before it answers, in simulated seconds.
const USUAL_RING_S: f64 = 2.0;

/// A practice number as shown to people.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FarEnd {
    /// Whom to dial.
    pub number: E164,
    /// What happens, as a phrase such as "Answers and echoes you".
    pub does: String,
    /// The same as data.
    pub script: FarEndScript,
}

fn answering(after_s: f64, talk: TalkScript) -> FarEndScript {
    FarEndScript { answer: AnswerScript::Answer { after_s }, talk, hang_up_after_s: None, patience_s: None }
}

fn refusing(answer: AnswerScript) -> FarEndScript {
    FarEndScript { answer, ..answering(0.0, TalkScript::Echo) }
}

/// Answers, and then does one thing after the other.
fn doing(steps: Vec<Step>, again: bool) -> FarEndScript {
    answering(USUAL_RING_S, TalkScript::Steps { steps, again })
}

/// A message spoken after the beep, and what ends it.
fn message(text: &str, end: Step) -> FarEndScript {
    let text = text.to_owned();
    doing(vec![Step::AwaitBeep, Step::Wait { s: 0.5 }, Step::Say { text }, Step::Wait { s: 1.0 }, end], false)
}

/// What the last two digits of a practice number mean.
fn practice(last_two: u32) -> Option<(FarEndScript, String)> {
    let unit = f64::from(last_two % 10);
    let (script, does): (FarEndScript, &str) = match last_two {
        0 => (answering(USUAL_RING_S, TalkScript::Echo), "Answers and echoes you"),
        1 => (
            answering(USUAL_RING_S, TalkScript::Tone { hz: 440.0 }),
            "Answers and plays a steady tone (440 Hz)",
        ),
        2 => (refusing(AnswerScript::Busy), "Is busy"),
        3 => (refusing(AnswerScript::Ring), "Rings and never answers"),
        4 => (refusing(AnswerScript::Decline { after_s: USUAL_RING_S }), "Rings, then declines"),
        5 => (
            refusing(AnswerScript::Fail { sip_code: 404, error_code: 13_224 }),
            "Fails: the number does not exist",
        ),
        6 => (
            refusing(AnswerScript::Fail { sip_code: 503, error_code: 21_214 }),
            "Fails: the carrier has no route",
        ),
        7 => (
            answering(USUAL_RING_S, TalkScript::Voicemail),
            "Answers as a voicemail box: greeting, beep, listens",
        ),
        8 => (
            answering(USUAL_RING_S, TalkScript::SendDigits { digits: "1234#".into() }),
            "Answers and presses the keys 1 2 3 4 #",
        ),
        9 => (
            answering(USUAL_RING_S, TalkScript::ReadDigits),
            "Answers and repeats each key you press as its tone",
        ),
        10 => (answering(0.0, TalkScript::Echo), "Answers at once, without ringing, and echoes you"),
        11 => (answering(USUAL_RING_S, TalkScript::Silence), "Answers and stays silent"),
        12 => {
            let script = FarEndScript { patience_s: Some(10.0), ..answering(USUAL_RING_S, TalkScript::Echo) };
            (script, "Answers and echoes you; as a caller, gives up after 10 s of ringing")
        }
        13 => (
            message(
                "Hello, this is a practice call. Please call me back when you can. Thank you.",
                Step::HangUp,
            ),
            "Leaves a message after the beep, then hangs up",
        ),
        14 => (
            message(
                "Good day, I have a question about my order. Goodbye.",
                Step::Press { digits: "#".into(), via: KeyPath::InBand },
            ),
            "Leaves a message after the beep and ends it with #",
        ),
        15 => (
            doing(
                vec![
                    Step::Wait { s: 2.0 },
                    Step::Say { text: "I would like to speak to sales, please.".into() },
                ],
                false,
            ),
            "Says “I would like to speak to sales, please” after 2 s",
        ),
        16 => {
            let script =
                FarEndScript { hang_up_after_s: Some(60.0), ..answering(USUAL_RING_S, TalkScript::Silence) };
            (script, "Waits in silence, as in a queue, and hangs up after 60 s")
        }
        17 => {
            let press = Step::Press { digits: "1".into(), via: KeyPath::TelephoneEvent };
            (
                doing(vec![Step::Wait { s: 2.0 }, press], false),
                "Presses 1 after 2 s, beside the sound (RFC 4733)",
            )
        }
        40..=49 => {
            let press = Step::Press { digits: unit.to_string(), via: KeyPath::InBand };
            let script = doing(vec![Step::Wait { s: 2.0 }, press, Step::Wait { s: 8.0 }], true);
            return Some((
                script,
                format!("Presses the key {unit} after 2 s, and again every 10 s, as in a menu"),
            ));
        }
        20..=29 => {
            let does = format!("Rings for {} s, then answers and echoes you", unit);
            return Some((answering(unit, TalkScript::Echo), does));
        }
        30..=39 => {
            let script = FarEndScript {
                hang_up_after_s: Some(unit),
                ..answering(USUAL_RING_S, TalkScript::Tone { hz: 440.0 })
            };
            return Some((script, format!("Answers and hangs up {} s later", unit)));
        }
        _ => return None,
    };
    Some((script, does.to_owned()))
}

/// What `number` does when nothing else was scripted for it.
///
/// The account's own numbers are busy (their owner is on the line); every number that is not in the
/// table rings and echoes, so that any number an agent types gives a call to practise with.
pub(crate) fn script_for(number: &str) -> FarEndScript {
    if ACCOUNT_NUMBERS.contains(&number) {
        return refusing(AnswerScript::Busy);
    }
    number
        .strip_prefix(BLOCK)
        .filter(|rest| rest.len() == 2)
        .and_then(|rest| rest.parse().ok())
        .and_then(practice)
        .map_or_else(|| answering(USUAL_RING_S, TalkScript::Echo), |(script, _)| script)
}

/// The table of practice numbers, in ascending order.
pub fn far_ends() -> Vec<FarEnd> {
    (0..100)
        .filter_map(|last_two| {
            let (script, does) = practice(last_two)?;
            let number = E164::parse_strict(&format!("{BLOCK}{last_two:02}")).ok()?;
            Some(FarEnd { number, does, script })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_lookup_agree() {
        let table = far_ends();
        assert_eq!(table.len(), 48);
        for far_end in table {
            assert_eq!(script_for(far_end.number.as_str()), far_end.script);
        }
    }

    #[test]
    fn unknown_numbers_ring_and_echo_and_own_numbers_are_busy() {
        assert_eq!(script_for("+442079460000"), script_for("+12025550100"));
        assert_eq!(script_for("+12025550190").answer, AnswerScript::Busy);
    }
}
