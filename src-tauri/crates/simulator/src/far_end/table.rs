//! The practice numbers: `+1 202 555 0100` to `0199`, which no subscriber will ever have.
//!
//! The North American Numbering Plan sets 555-0100 to 555-0199 of every area code aside for fiction,
//! so a practice call that escaped would reach nobody.

use dialer_domain::phone_number::E164;
use serde::Serialize;

use super::script::{AnswerScript, FarEndScript, TalkScript};

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
        assert_eq!(table.len(), 33);
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
