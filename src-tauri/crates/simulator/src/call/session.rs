//! A call as its parent leg lives it: asks the voice URL, plays the TwiML, reports the end.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::call::CallStatus;
use dialer_twilio::webhook::Form;
use url::Url;

use super::leg::{End, Leg, LegCommand, LegState, Party};
use super::play::play_url;
use crate::account::{TwimlApp, WebhookMethod};
use crate::audio::{Pattern, Player, decode_wav};
use crate::event::{AlertLevel, DigitPath, WebhookPurpose};
use crate::network::Network;
use crate::twiml::{CallbackEvent, Document, RejectReason, Verb};
use crate::webhook::{Content, Conversation, Request, StatusCallbacks, call_form};

/// A document with nothing but `<Redirect>`s could go round for ever; Twilio's own limit is not
/// documented.
const MOST_DOCUMENTS: usize = 100;
/// Spoken when the document cannot be had, as Twilio does.
const APPLICATION_ERROR: &str = "We are sorry, an application error has occurred. Goodbye.";

/// One call in progress.
pub(crate) struct Session {
    pub(crate) network: Arc<Network>,
    pub(crate) leg: Arc<Leg>,
    app: TwimlApp,
    /// What the SDK passed to `connect()`; empty for telephone calls.
    params: Vec<(String, String)>,
    conversation: Conversation,
    /// How the last `<Dial>` ended: an unanswered call that runs out of document ends likewise.
    last_dial: Mutex<Option<End>>,
}

/// What a session plays in place of the voice URL's document.
#[derive(Debug)]
pub(crate) enum Start {
    /// A document that was given with the request.
    Document(Box<Document>),
    /// The document of an address.
    Ask {
        url: Url,
        method: WebhookMethod,
        /// Asked when that fails.
        fallback: Option<(Url, WebhookMethod)>,
    },
}

/// What to do after a verb.
pub(crate) enum Flow {
    Next,
    Go(Document, Url),
    Finish(End),
}

impl Session {
    pub(crate) fn new(
        network: Arc<Network>,
        leg: Arc<Leg>,
        app: TwimlApp,
        params: Vec<(String, String)>,
    ) -> Self {
        Self { network, leg, app, params, conversation: Conversation::new(), last_dial: Mutex::new(None) }
    }

    /// Lives the call to its end, and reports it.
    pub(crate) async fn run(self) {
        self.run_from(None).await;
    }

    /// The same, with another beginning than the voice URL.
    pub(crate) async fn run_from(self, start: Option<Start>) {
        let end = self.play(start).await;
        self.leg.end(end).await;
        self.report_end();
    }

    /// The parent's status callback: `completed` only (the app's `StatusCallback`).
    pub(crate) fn report_end(&self) {
        let Some(url) = self.app.status_callback.clone() else { return };
        let status = self.leg.status();
        let callbacks = StatusCallbacks::start(
            &self.network,
            self.leg.sid.clone(),
            url,
            self.app.status_callback_method,
            vec![CallbackEvent::Completed],
        );
        let detail = self.leg.detail(&self.network, &self.leg.state());
        callbacks.report(status, self.form(status), self.network.now_ms(), detail);
    }

    /// The standard parameters and those of `connect()`, which cannot replace them.
    pub(crate) fn form(&self, status: CallStatus) -> Form {
        let mut form = call_form(self.network.account.account_sid.as_str(), &self.leg, status);
        for (name, value) in &self.params {
            if !form.has(name) {
                form.push(name.clone(), value.clone());
            }
        }
        form
    }

    async fn play(&self, mut start: Option<Start>) -> End {
        let mut redirects = self.leg.take_redirects();
        loop {
            let redirected = async {
                match &mut redirects {
                    // The sender is the leg's own, which this session holds.
                    Some(redirects) => redirects.recv().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                next = redirected => start = next,
                end = self.play_from(start.take()) => return end,
            }
            self.leave_dial().await;
        }
    }

    /// Hangs up what was dialled, and plays nothing any more.
    async fn leave_dial(&self) {
        let dialled = |leg: &Arc<Leg>| leg.parent.as_ref() == Some(&self.leg.sid) && !leg.is_on_its_own();
        let legs: Vec<Arc<Leg>> = self.network.legs().into_iter().filter(dialled).collect();
        for leg in &legs {
            leg.command(LegCommand::End(End::Canceled));
        }
        for leg in legs {
            leg.ended().await;
        }
        if let Some(port) = self.leg.port() {
            self.network.switch.part(port);
            self.network.switch.stop_playing(port);
        }
    }

    /// Plays documents from `start` on, the voice URL's by default.
    async fn play_from(&self, start: Option<Start>) -> End {
        let first = match start {
            None => self.first_document().await,
            Some(Start::Document(document)) => {
                // Relative references lead nowhere (RFC 6761): Twilio wants them absolute here.
                Url::parse("http://twiml.invalid/").ok().map(|base| (*document, base))
            }
            Some(Start::Ask { url, method, fallback }) => {
                let fallback = fallback.map(|(url, method)| (WebhookPurpose::Fallback, url, method));
                self.document_or_fallback((WebhookPurpose::Redirect, url, method), fallback).await
            }
        };
        let Some((mut document, mut base)) = first else {
            return self.apologise().await;
        };
        for _ in 0..MOST_DOCUMENTS {
            let Some((next, from)) = (match self.play_document(document, &base).await {
                Flow::Next => None,
                Flow::Go(next, from) => Some((next, from)),
                Flow::Finish(end) => return end,
            }) else {
                return self.last_dial().unwrap_or(End::Completed);
            };
            (document, base) = (next, from);
        }
        self.network.alert(&self.leg.sid, AlertLevel::Error, 11_215, "The documents redirect without end");
        self.apologise().await
    }

    /// The document of the voice URL, else of the fallback URL. `None` when neither can be had.
    async fn first_document(&self) -> Option<(Document, Url)> {
        let url = self.app.voice_url.clone()?;
        let fallback = self.app.voice_fallback_url.clone();
        let fallback = fallback.map(|url| (WebhookPurpose::Fallback, url, self.app.voice_fallback_method));
        self.document_or_fallback((WebhookPurpose::Voice, url, self.app.voice_method), fallback).await
    }

    async fn document_or_fallback(
        &self,
        (purpose, url, method): (WebhookPurpose, Url, WebhookMethod),
        fallback: Option<(WebhookPurpose, Url, WebhookMethod)>,
    ) -> Option<(Document, Url)> {
        let form = self.form(self.leg.status());
        let failure = match self.ask(purpose, url.clone(), method, form.clone()).await {
            Ok(content) => return Some(self.as_document(content)),
            Err(code) => code,
        };
        let (purpose, fallback, method) = fallback?;
        let form = form.with("ErrorCode", failure.to_string()).with("ErrorUrl", url.to_string());
        let second = self.ask(purpose, fallback, method, form).await;
        second.ok().map(|content| self.as_document(content))
    }

    /// Asks; on failure the code of what went wrong, which is in the log already.
    pub(crate) async fn ask(
        &self,
        purpose: WebhookPurpose,
        url: Url,
        method: WebhookMethod,
        form: Form,
    ) -> Result<Content, u32> {
        let request = Request { purpose, url, method, form, call_sid: self.leg.sid.clone() };
        self.conversation.ask(&self.network, request).await.map_err(|failure| failure.code)
    }

    /// Audio answers a webhook like a document that plays it and hangs up.
    pub(crate) fn as_document(&self, content: Content) -> (Document, Url) {
        match content {
            Content::Document(document, url) => (document, url),
            Content::Audio(file, url) => {
                let sound = decode_wav(&file).map_or_else(|_| Pattern::tune(), Pattern::recording);
                (Document { verbs: vec![Verb::Sound(sound), Verb::Hangup], warnings: Vec::new() }, url)
            }
        }
    }

    async fn play_document(&self, document: Document, base: &Url) -> Flow {
        for (index, verb) in document.verbs.into_iter().enumerate() {
            if let LegState::Ended(end) = self.leg.state() {
                return Flow::Finish(end);
            }
            match self.play_verb(verb, base, index == 0).await {
                Flow::Next => {}
                taken @ (Flow::Go(..) | Flow::Finish(_)) => return taken,
            }
        }
        Flow::Next
    }

    async fn play_verb(&self, verb: Verb, base: &Url, first: bool) -> Flow {
        match verb {
            Verb::Say { text, loops } => self.sound(Pattern::speech(&text), loops).await,
            Verb::Sound(sound) => self.sound(sound, 1).await,
            Verb::Play { url, loops, digits } => {
                if let Some(digits) = digits {
                    return self.sound(Pattern::digits(&digits), 1).await;
                }
                let url = url.and_then(|text| base.join(&text).ok());
                let sound = play_url(&self.network, &self.leg.sid, url).await;
                self.sound(sound, loops).await
            }
            Verb::Pause { length } => self.pause(length).await,
            Verb::Dial(dial) => self.dial(dial, base, first).await,
            Verb::Hangup => Flow::Finish(self.last_dial().unwrap_or(End::Completed)),
            Verb::Reject { reason } => Flow::Finish(self.rejection(reason)),
            Verb::Redirect { url, method } => match base.join(&url) {
                Ok(url) => self.go(WebhookPurpose::Redirect, url, method, self.form(self.leg.status())).await,
                Err(problem) => {
                    let text = format!("<Redirect> to “{url}”: {problem}");
                    self.network.alert(&self.leg.sid, AlertLevel::Error, 11_100, &text);
                    Flow::Finish(self.apologise().await)
                }
            },
        }
    }

    /// Asks for the next document; without one the caller is told and the call ends.
    pub(crate) async fn go(
        &self,
        purpose: WebhookPurpose,
        url: Url,
        method: WebhookMethod,
        form: Form,
    ) -> Flow {
        match self.ask(purpose, url, method, form).await {
            Ok(content) => {
                let (document, base) = self.as_document(content);
                Flow::Go(document, base)
            }
            Err(_) => Flow::Finish(self.apologise().await),
        }
    }

    /// `<Reject>` ends a telephone call as busy. Towards an SDK it is a plain hang-up
    /// (twilio-client.js issue 285).
    fn rejection(&self, reason: RejectReason) -> End {
        match (self.leg.party, reason) {
            (Party::Sdk, _) => End::Completed,
            (Party::FarEnd, RejectReason::Busy | RejectReason::Rejected) => End::Busy,
        }
    }

    fn last_dial(&self) -> Option<End> {
        *self.last_dial.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_last_dial(&self, end: End) {
        *self.last_dial.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Waits without answering the call, if it is not answered yet (TwiML `<Pause>` as first verb).
    async fn pause(&self, length: Duration) -> Flow {
        tokio::select! {
            () = self.network.pace.sleep(length) => Flow::Next,
            end = self.leg.ended() => Flow::Finish(end),
        }
    }

    /// Answers the call and plays a sound to its end.
    async fn sound(&self, sound: Pattern, loops: u32) -> Flow {
        if !self.leg.answer().await {
            return Flow::Finish(self.leg.ended().await);
        }
        let Some(port) = self.leg.port() else { return Flow::Next };
        let heard = self.network.switch.play(port, Player::new(sound, loops));
        tokio::select! {
            // An error means that the leg has left the switch; the other branch knows why.
            Ok(()) = heard => Flow::Next,
            end = self.leg.ended() => Flow::Finish(end),
        }
    }

    async fn apologise(&self) -> End {
        match self.sound(Pattern::speech(APPLICATION_ERROR), 1).await {
            Flow::Finish(end) => end,
            Flow::Next | Flow::Go(..) => End::Completed,
        }
    }

    /// Passes a key on to the other party.
    pub(crate) fn pass_key(to: &Leg, digit: char, via: DigitPath) {
        to.command(LegCommand::Digit(digit, via));
    }
}
