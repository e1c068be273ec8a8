//! Documents for someone who is in a conference but does not hear it: waiting, on hold, announced to.
//!
//! `<Play>`, `<Say>`, `<Pause>` and `<Redirect>` are played (Twilio's pages on `<Conference>` and on
//! the Participant resource); anything else is skipped with a warning.

use std::time::Duration;

use url::Url;

use crate::account::WebhookMethod;
use crate::audio::{Pattern, Player};
use crate::call::Session;
use crate::call::play::play_url;
use crate::event::{AlertLevel, Happening, WebhookPurpose};
use crate::twiml::{Document, Verb};

/// Documents that only redirect could go round for ever.
const MOST_DOCUMENTS: usize = 20;
/// A document over and over must not be asked for faster than it could be heard.
const SHORTEST: Duration = Duration::from_millis(500);

impl Session {
    /// Plays what an address gives, from beginning to end; `false` if there was nothing to hear.
    pub(super) async fn play_once(&self, url: &Url, method: WebhookMethod) -> bool {
        let begun = tokio::time::Instant::now();
        let mut heard = false;
        let mut next = Some((url.clone(), method));
        for _ in 0..MOST_DOCUMENTS {
            let Some((url, method)) = next.take() else { break };
            let form = self.form(self.leg.status());
            let Ok(content) = self.ask(WebhookPurpose::ConferenceWait, url, method, form).await else {
                return false;
            };
            let (document, base) = self.as_document(content);
            let (audible, redirect) = self.play_music(document, &base).await;
            heard |= audible;
            next = redirect;
        }
        if heard {
            tokio::time::sleep_until(begun + SHORTEST).await;
        }
        heard
    }

    /// Whether there was anything to hear, and where it goes on.
    async fn play_music(&self, document: Document, base: &Url) -> (bool, Option<(Url, WebhookMethod)>) {
        let mut heard = false;
        for verb in document.verbs {
            let (sound, loops) = match verb {
                Verb::Say { text, loops } => {
                    let sound = Pattern::speech(&text);
                    self.network.record(Happening::Spoken { call_sid: self.leg.sid.clone(), text });
                    (sound, loops)
                }
                Verb::Sound(sound) => (sound, 1),
                Verb::Play { url, loops, .. } => {
                    let url = url.and_then(|text| base.join(&text).ok());
                    let shown = url.as_ref().map(Url::to_string).unwrap_or_default();
                    self.network.record(Happening::Played { call_sid: self.leg.sid.clone(), url: shown });
                    (play_url(&self.network, &self.leg.sid, url).await, loops)
                }
                Verb::Pause { length } => {
                    self.network.pace.sleep(length).await;
                    heard |= !length.is_zero();
                    continue;
                }
                Verb::Redirect { url, method } => {
                    return (heard, base.join(&url).ok().map(|url| (url, method)));
                }
                // What comes in place of a document ends with it.
                Verb::Hangup => break,
                Verb::Dial(_)
                | Verb::Gather(_)
                | Verb::Record(_)
                | Verb::Enqueue(_)
                | Verb::Leave
                | Verb::StartRecording(_)
                | Verb::StopRecording { .. }
                | Verb::Reject { .. } => {
                    let text = "Only Play, Say, Pause and Redirect are played inside a conference";
                    self.network.alert(&self.leg.sid, AlertLevel::Warning, 12_200, text);
                    continue;
                }
            };
            let Some(port) = self.leg.port() else { return (heard, None) };
            // An error means that something else took over, or that the leg has gone.
            heard |= self.network.switch.play(port, Player::new(sound, loops)).await.is_ok();
        }
        (heard, None)
    }
}
