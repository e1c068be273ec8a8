//! A document for the called party before the two are joined (`url` of `<Number>`, `<Client>`, `<Sip>`).
//!
//! The caller hears it ring meanwhile. A document that hangs up leaves the two apart. Twilio's pages do not
//! say what becomes of a call whose document cannot be had; here the called party hears the apology, as in
//! any call, and the two stay apart.

use std::sync::Arc;

use url::Url;

use super::end::End;
use super::leg::Leg;
use super::scene::Scene;
use super::session::{Played, Session};
use crate::account::TwimlApp;
use crate::event::WebhookPurpose;
use crate::twiml::Whisper;

impl Session {
    /// Plays the document to `other`, until REST leads it elsewhere; whether the two may be joined then.
    pub(super) async fn whisper(&self, other: &Arc<Leg>, whisper: &Whisper, base: &Url) -> bool {
        let Some(url) = self.resolve(base, &whisper.url) else { return false };
        let session =
            Session::new(Arc::clone(&self.network), Arc::clone(other), TwimlApp::default(), Vec::new());
        let told = async {
            let form = session.form(other.status());
            match session.ask(WebhookPurpose::Whisper, url, whisper.method, form).await {
                Ok(content) => {
                    let (document, from) = session.as_sound(content);
                    session.play_on(document, from, Scene::Whisper).await
                }
                Err(_) => Played::Finished(session.apologise().await),
            }
        };
        let played = tokio::select! {
            // What it is led to is played by another session.
            () = other.left_parent() => return false,
            played = told => played,
            _ = self.leg.ended() => Played::Finished(End::Canceled),
        };
        session.quiet();
        !matches!(played, Played::Finished(_))
    }
}
