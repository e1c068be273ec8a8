//! `<Gather>`: keys or words, while prompts are heard.
//!
//! The first key, or word, ends the prompts. Keys count however they come: by signalling, as RFC 4733
//! events, or as tones in the sound. Keys that were pressed before do not count. Words are those the script
//! of a far end speaks; what a person says into a microphone here is not understood, so it is as if nothing
//! had been said.
//!
//! Twilio's page on the verb: nothing pressed in time, or nothing but `finishOnKey`, goes on with the next
//! verb, unless `actionOnEmptyResult` is set. Its prompts do not count into `timeout`. In a simulated time
//! that runs fast, a key must still have the time to sound, so no wait is shorter than 0.7 s in real time.

use std::time::Duration;

use tokio::sync::broadcast;
use tokio::time::Instant;
use url::Url;

use super::dial::{Keys, next_key};
use super::leg::Utterance;
use super::session::{Flow, Session};
use crate::event::{Happening, WebhookPurpose};
use crate::twiml::{Gather, Verb};

/// Shortest wait, in real time: two keys with the gap between them, and some leeway.
const SHORTEST_WAIT: Duration = Duration::from_millis(700);
/// Silence that ends speech when `speechTimeout` is `auto`, simulated; Twilio does not say how long it is.
const AUTO_SPEECH_TIMEOUT: Duration = Duration::from_secs(1);
/// `Confidence` of words that were spoken as clearly as a script does.
const CONFIDENCE: &str = "0.9";

/// What was gathered.
#[derive(Default)]
struct Input {
    digits: String,
    words: Vec<String>,
}

impl Input {
    fn is_empty(&self) -> bool {
        self.digits.is_empty() && self.words.is_empty()
    }
}

impl Session {
    pub(super) async fn gather(&self, gather: Gather, base: &Url) -> Flow {
        // Before the answer, or what comes right after it could be missed.
        let (keys, words) = (self.leg.keys(), self.leg.words());
        if !self.leg.answer().await {
            return Flow::Finish(self.leg.ended().await);
        }
        self.network.record(Happening::Gathering { call_sid: self.leg.sid.clone() });
        let input = tokio::select! {
            biased;
            input = self.listen_for(&gather, base, keys, words) => input,
            end = self.leg.ended() => return Flow::Finish(end),
        };
        self.quiet();
        let speech = (!input.words.is_empty()).then(|| input.words.join(" "));
        self.network.record(Happening::Gathered {
            call_sid: self.leg.sid.clone(),
            digits: input.digits.clone(),
            speech: speech.clone(),
        });
        if input.is_empty() && !gather.action_on_empty_result {
            return Flow::Next;
        }
        let Some(action) = self.resolve(base, gather.action.as_deref().unwrap_or_default()) else {
            return Flow::Finish(self.apologise().await);
        };
        let mut form = self.form(self.leg.status());
        match speech {
            Some(words) => {
                form.push("SpeechResult", words);
                form.push("Confidence", CONFIDENCE);
            }
            None => form.push("Digits", input.digits),
        }
        self.go(WebhookPurpose::GatherAction, action, gather.method, form).await
    }

    async fn listen_for(
        &self,
        gather: &Gather,
        base: &Url,
        mut keys: Keys,
        mut words: broadcast::Receiver<Utterance>,
    ) -> Input {
        let mut input = Input::default();
        let wait = |span: Duration| Instant::now() + self.network.pace.real(span).max(SHORTEST_WAIT);
        let prompts = self.prompts(&gather.prompts, base);
        tokio::pin!(prompts);
        let mut prompting = true;
        // While prompts are heard, or somebody speaks, nothing runs out.
        let mut until: Option<Instant> = None;
        loop {
            let run_out = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                Some((digit, _)) = next_key(&mut keys), if gather.dtmf => {
                    if std::mem::take(&mut prompting) {
                        self.quiet();
                    }
                    if gather.finish_on_key == Some(digit) {
                        return input;
                    }
                    if digit.is_ascii_digit() || matches!(digit, '*' | '#') {
                        input.digits.push(digit);
                    }
                    if gather.num_digits.is_some_and(|count| input.digits.len() >= count) {
                        return input;
                    }
                    until = Some(wait(gather.timeout));
                }
                utterance = next_utterance(&mut words), if gather.speech => {
                    if std::mem::take(&mut prompting) {
                        self.quiet();
                    }
                    until = match utterance {
                        Utterance::Begun => None,
                        Utterance::Ended(text) => {
                            input.words.push(text);
                            Some(wait(gather.speech_timeout.unwrap_or(AUTO_SPEECH_TIMEOUT)))
                        }
                    };
                }
                () = &mut prompts, if prompting => {
                    prompting = false;
                    until = Some(wait(gather.timeout));
                }
                () = run_out => return input,
            }
        }
    }

    async fn prompts(&self, prompts: &[Verb], base: &Url) {
        for prompt in prompts {
            // The leg's end is seen by whoever listens.
            let _ = self.prompt(prompt.clone(), base).await;
        }
    }
}

/// The next word or end of words; missed ones are passed over.
async fn next_utterance(words: &mut broadcast::Receiver<Utterance>) -> Utterance {
    loop {
        match words.recv().await {
            Ok(utterance) => return utterance,
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
