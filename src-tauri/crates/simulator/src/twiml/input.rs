//! Reads what takes something from a caller: `<Gather>` and `<Record>`.

use std::time::Duration;

use roxmltree::Node;

use super::document::{Gather, Record, Transcription};
use super::reader::{Reader, SCHEMA_WARNING, text_of};

/// The keys of a telephone.
const KEYS: &str = "0123456789*#";
/// Longest recording that is transcribed (TwiML `<Record>`).
const LONGEST_TRANSCRIBED_S: u64 = 120;

impl Reader {
    pub(super) fn gather(&mut self, node: Node<'_, '_>) -> Gather {
        self.known(
            node,
            &[
                "input",
                "action",
                "method",
                "timeout",
                "numDigits",
                "finishOnKey",
                "actionOnEmptyResult",
                "speechTimeout",
                "speechModel",
                "enhanced",
                "language",
                "hints",
                "profanityFilter",
                "partialResultCallback",
                "partialResultCallbackMethod",
                "bargeIn",
                "debug",
                "maxSpeechTime",
            ],
        );
        if text_of(node, "partialResultCallback").is_some() {
            self.warn(SCHEMA_WARNING, "the practice Twilio sends no partial results of speech");
        }
        let input =
            self.words("input", node.attribute("input").unwrap_or("dtmf"), 13_326, |word| match word {
                "dtmf" => Some(false),
                "speech" => Some(true),
                _ => None,
            });
        let timeout = self.seconds(node, "timeout", 5, 0..=86_400, 13_313);
        let speech_timeout = match node.attribute("speechTimeout") {
            None => Some(timeout),
            Some("auto") => None,
            Some(_) => Some(self.seconds(node, "speechTimeout", timeout.as_secs(), 1..=86_400, 13_327)),
        };
        let num_digits = match node.attribute("numDigits") {
            None => None,
            Some(text) => match text.trim().parse::<usize>() {
                Ok(count) if count > 0 => Some(count),
                Ok(_) | Err(_) => {
                    self.warn(
                        13_314,
                        "“numDigits” must be a whole number above 0; any number of keys counts",
                    );
                    None
                }
            },
        };
        let mut prompts = Vec::new();
        for child in node.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "Say" | "Play" | "Pause" => prompts.extend(self.prompt(child)),
                other => self.warn(13_320, format!("<Gather> may not hold <{other}>")),
            }
        }
        Gather {
            // Without any usable input it is the default.
            dtmf: input.is_empty() || input.contains(&false),
            speech: input.contains(&true),
            action: node.attribute("action").map(str::to_owned),
            method: self.method(node, "method", 13_312),
            timeout,
            speech_timeout,
            num_digits,
            finish_on_key: self.finish_on_key(node),
            action_on_empty_result: self.flag(node, "actionOnEmptyResult", false, 13_338),
            prompts,
        }
    }

    /// `finishOnKey` of `<Gather>`: one key, or none for the empty text.
    fn finish_on_key(&mut self, node: Node<'_, '_>) -> Option<char> {
        let text = node.attribute("finishOnKey").unwrap_or("#").trim();
        let mut keys = text.chars();
        match (keys.next(), keys.next()) {
            (None, _) => None,
            (Some(key), None) if KEYS.contains(key) => Some(key),
            _ => {
                self.warn(13_310, "“finishOnKey” must be one of 0-9, * and #, or empty; # was used");
                Some('#')
            }
        }
    }

    pub(super) fn record(&mut self, node: Node<'_, '_>) -> Record {
        self.known(
            node,
            &[
                "action",
                "method",
                "timeout",
                "finishOnKey",
                "maxLength",
                "playBeep",
                "trim",
                "transcribe",
                "transcribeCallback",
                "recordingStatusCallback",
                "recordingStatusCallbackMethod",
                "recordingStatusCallbackEvent",
                "recordingTrack",
                "recordingConfigurationId",
            ],
        );
        let transcribe = self.flag(node, "transcribe", false, 13_614);
        let callback = text_of(node, "transcribeCallback");
        // A callback implies it (TwiML `<Record>`).
        let mut transcription = (transcribe || callback.is_some()).then_some(Transcription { callback });
        let usual = if transcription.is_some() { LONGEST_TRANSCRIBED_S } else { 3_600 };
        let max_length = self.number(node, "maxLength", usual, 1..=14_400, 13_612);
        if transcription.is_some() && max_length > LONGEST_TRANSCRIBED_S {
            self.warn(13_615, "“maxLength” is too high for a transcription; there will be none");
            transcription = None;
        }
        let keys = node.attribute("finishOnKey").map_or(KEYS, str::trim);
        let finish_on_key = if keys.chars().all(|key| KEYS.contains(key)) {
            keys.to_owned()
        } else {
            self.warn(13_613, "“finishOnKey” may hold 0-9, * and #; any key was used");
            KEYS.to_owned()
        };
        let timeout = self.seconds(node, "timeout", 5, 0..=86_400, 13_611);
        Record {
            action: node.attribute("action").map(str::to_owned),
            method: self.method(node, "method", 13_610),
            timeout: (!timeout.is_zero()).then_some(timeout),
            finish_on_key,
            max_length: Duration::from_secs(max_length),
            play_beep: self.flag(node, "playBeep", true, 13_616),
            trim: self.trim(node, true, 13_699),
            transcription,
            callbacks: self.recording_callbacks(node),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::super::document::{Method, RecordingEvent, Verb};
    use super::super::read::read;
    use super::*;

    /// The only verb of a document, and the codes of its warnings.
    fn only(text: &str) -> (Verb, Vec<u32>) {
        let mut document = read(&format!("<Response>{text}</Response>")).unwrap();
        let codes = document.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(document.verbs.len(), 1, "{text}");
        (document.verbs.remove(0), codes)
    }

    fn gather(text: &str) -> (Gather, Vec<u32>) {
        let (Verb::Gather(gather), codes) = only(text) else { panic!("expected <Gather>") };
        (gather, codes)
    }

    fn record(text: &str) -> (Record, Vec<u32>) {
        let (Verb::Record(record), codes) = only(text) else { panic!("expected <Record>") };
        (record, codes)
    }

    #[test]
    fn a_gather_has_twilios_defaults() {
        let (gather, codes) = gather("<Gather/>");
        assert!(codes.is_empty());
        assert_eq!(
            gather,
            Gather {
                dtmf: true,
                speech: false,
                action: None,
                method: Method::Post,
                timeout: Duration::from_secs(5),
                speech_timeout: Some(Duration::from_secs(5)),
                num_digits: None,
                finish_on_key: Some('#'),
                action_on_empty_result: false,
                prompts: Vec::new(),
            }
        );
    }

    #[test]
    fn reads_a_menu_as_the_gateway_writes_it() {
        let (menu, codes) = gather(
            r#"<Gather input="dtmf speech" numDigits="1" timeout="7" finishOnKey="" action="https://h/menu" actionOnEmptyResult="true" speechTimeout="auto" language="de-DE" hints="sales, support"><Say>One</Say><Play>https://h/a.wav</Play><Pause/></Gather>"#,
        );
        assert_eq!(codes, [0; 0]);
        assert!(menu.dtmf && menu.speech && menu.action_on_empty_result);
        assert_eq!((menu.num_digits, menu.finish_on_key, menu.speech_timeout), (Some(1), None, None));
        assert_eq!((menu.action.as_deref(), menu.prompts.len()), (Some("https://h/menu"), 3));
    }

    #[test]
    fn bad_values_of_a_gather_have_their_codes() {
        let (gather, codes) = gather(
            r#"<Gather input="voice" method="PUT" timeout="x" numDigits="0" finishOnKey="12" actionOnEmptyResult="x" speechTimeout="x"><Dial/></Gather>"#,
        );
        assert_eq!(codes, [13_326, 13_313, 13_327, 13_314, 13_320, 13_312, 13_310, 13_338]);
        assert!(gather.dtmf && !gather.speech, "the default input");
        assert_eq!(gather.finish_on_key, Some('#'));
    }

    #[test]
    fn a_record_has_twilios_defaults_and_limits() {
        let (plain, codes) = record("<Record/>");
        assert!(codes.is_empty());
        assert_eq!((plain.timeout, plain.max_length.as_secs()), (Some(Duration::from_secs(5)), 3_600));
        assert!(plain.play_beep && plain.trim && plain.transcription.is_none());
        assert_eq!(plain.finish_on_key, "0123456789*#");
        assert_eq!(plain.callbacks.events, [RecordingEvent::Completed]);
        let (transcribed, codes) = record("<Record transcribeCallback=\"/t\" timeout=\"0\"/>");
        assert!(codes.is_empty());
        assert_eq!((transcribed.max_length.as_secs(), transcribed.timeout), (120, None));
        assert_eq!(transcribed.transcription, Some(Transcription { callback: Some("/t".into()) }));
        let (too_long, codes) = record("<Record transcribe=\"true\" maxLength=\"121\"/>");
        assert_eq!((too_long.transcription, codes), (None, vec![13_615]));
    }

    #[test]
    fn bad_values_of_a_record_have_their_codes() {
        let (_, codes) = record(
            r#"<Record method="x" timeout="x" maxLength="x" finishOnKey="x" playBeep="x" trim="x" transcribe="x" recordingStatusCallbackEvent="x"/>"#,
        );
        assert_eq!(codes, [13_614, 13_612, 13_613, 13_611, 13_610, 13_616, 13_699, 13_621]);
    }
}
