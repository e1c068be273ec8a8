//! A call as its parent leg lives it: asks the voice URL, plays the TwiML, reports the end.
//!
//! The same player plays the documents of those who wait in a queue and of those who are told something
//! before they are joined; [`Scene`] says which verbs are allowed there.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dialer_domain::call::CallStatus;
use dialer_twilio::webhook::Form;
use futures_util::future::BoxFuture;
use url::Url;

use super::end::End;
use super::leg::{Leg, LegCommand, LegState, Party};
use super::play::play_url;
use super::recorder::{RecordingCallbacks, plan, record_call};
use super::scene::Scene;
use crate::account::{TwimlApp, WebhookMethod};
use crate::audio::{Pattern, Player, decode_wav};
use crate::event::{AlertLevel, DigitPath, Happening, WebhookPurpose};
use crate::network::Network;
use crate::recording::RecordingSource;
use crate::twiml::{CallRecording, CallbackEvent, Document, RejectReason, Verb};
use crate::webhook::{Content, Conversation, Request, StatusCallbacks, call_form};

/// A document with nothing but `<Redirect>`s could go round for ever; Twilio's own limit is not
/// documented.
const MOST_DOCUMENTS: usize = 100;
/// Spoken when the document cannot be had, as Twilio does.
const APPLICATION_ERROR: &str = "We are sorry, an application error has occurred. Goodbye.";
/// Where relative references of a document lead that was given in a request: nowhere (RFC 6761). Twilio
/// wants them absolute there.
const NOWHERE: &str = "twiml.invalid";

/// One call in progress.
pub(crate) struct Session {
    pub(crate) network: Arc<Network>,
    pub(crate) leg: Arc<Leg>,
    app: TwimlApp,
    /// What the SDK passed to `connect()`, a SIP caller brought along, or `<Application>` was given;
    /// empty for telephone calls.
    params: Vec<(String, String)>,
    pub(crate) conversation: Arc<Conversation>,
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
    /// `<Leave>`: out of the queue.
    Leave,
    Finish(End),
}

/// How documents ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Played {
    /// They ran out of verbs.
    Out,
    /// `<Leave>`.
    Left,
    /// The call is to end, or has.
    Finished(End),
}

impl Session {
    pub(crate) fn new(
        network: Arc<Network>,
        leg: Arc<Leg>,
        app: TwimlApp,
        params: Vec<(String, String)>,
    ) -> Self {
        let conversation = Arc::new(Conversation::new());
        Self { network, leg, app, params, conversation, last_dial: Mutex::new(None) }
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
                Url::parse(&format!("http://{NOWHERE}/")).ok().map(|base| (*document, base))
            }
            Some(Start::Ask { url, method, fallback }) => {
                let form = self.form(self.leg.status());
                self.document_or_fallback((WebhookPurpose::Redirect, url, method), form, fallback).await
            }
        };
        let Some((document, base)) = first else {
            return self.apologise().await;
        };
        match self.play_on(document, base, Scene::Call).await {
            Played::Finished(end) => end,
            Played::Out | Played::Left => self.last_dial().unwrap_or(End::Completed),
        }
    }

    /// Plays a document and those it leads to.
    pub(crate) fn play_on(&self, first: Document, from: Url, scene: Scene) -> BoxFuture<'_, Played> {
        Box::pin(async move {
            let (mut document, mut base) = (first, from);
            for _ in 0..MOST_DOCUMENTS {
                match self.play_document(document, &base, scene).await {
                    Flow::Next => return Played::Out,
                    Flow::Leave => return Played::Left,
                    Flow::Finish(end) => return Played::Finished(end),
                    Flow::Go(next, from) => (document, base) = (next, from),
                }
            }
            let text = "The documents redirect without end";
            self.network.alert(&self.leg.sid, AlertLevel::Error, 11_215, text);
            Played::Finished(self.apologise().await)
        })
    }

    /// The document of the voice URL, else of the fallback URL. `None` when neither can be had.
    async fn first_document(&self) -> Option<(Document, Url)> {
        let url = self.app.voice_url.clone()?;
        let form = self.form(self.leg.status());
        self.document_or_fallback((WebhookPurpose::Voice, url, self.app.voice_method), form, self.fallback())
            .await
    }

    /// Asked whenever a document cannot be had, also in the middle of a call: "in the event of a fatal
    /// error while executing your call" (Twilio's page "Availability and Reliability").
    fn fallback(&self) -> Option<(Url, WebhookMethod)> {
        self.app.voice_fallback_url.clone().map(|url| (url, self.app.voice_fallback_method))
    }

    async fn document_or_fallback(
        &self,
        (purpose, url, method): (WebhookPurpose, Url, WebhookMethod),
        form: Form,
        fallback: Option<(Url, WebhookMethod)>,
    ) -> Option<(Document, Url)> {
        let failure = match self.ask(purpose, url.clone(), method, form.clone()).await {
            Ok(content) => return Some(self.as_document(content)),
            Err(code) => code,
        };
        let (fallback, method) = fallback?;
        let form = form.with("ErrorCode", failure.to_string()).with("ErrorUrl", url.to_string());
        let second = self.ask(WebhookPurpose::Fallback, fallback, method, form).await;
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
        let (mut document, url) = self.as_sound(content);
        if let [Verb::Sound(_)] = document.verbs[..] {
            document.verbs.push(Verb::Hangup);
        }
        (document, url)
    }

    /// The same without the hanging up: music to wait by.
    pub(crate) fn as_sound(&self, content: Content) -> (Document, Url) {
        match content {
            Content::Document(document, url) => (document, url),
            Content::Audio(file, url) => {
                self.network
                    .record(Happening::Played { call_sid: self.leg.sid.clone(), url: url.to_string() });
                let sound = decode_wav(&file).map_or_else(|_| Pattern::tune(), Pattern::recording);
                (Document { verbs: vec![Verb::Sound(sound)], warnings: Vec::new() }, url)
            }
        }
    }

    /// The address a document means; `None`, and an alert, if it cannot be asked.
    pub(crate) fn resolve(&self, base: &Url, text: &str) -> Option<Url> {
        let url = base.join(text).ok();
        let code = match &url {
            // "Action Callback URL must be absolute when updating in-progress calls"; without any the
            // document itself is meant, which has no address (twilio.com/docs/api/errors/11100).
            Some(url) if url.host_str() == Some(NOWHERE) => {
                if text.is_empty() {
                    11_100
                } else {
                    15_004
                }
            }
            Some(_) => return url,
            None => 11_100,
        };
        let problem = format!("“{text}” is no address that can be asked");
        self.network.alert(&self.leg.sid, AlertLevel::Error, code, &problem);
        None
    }

    async fn play_document(&self, document: Document, base: &Url, scene: Scene) -> Flow {
        let mut first = true;
        for verb in document.verbs {
            if let LegState::Ended(end) = self.leg.state() {
                return Flow::Finish(end);
            }
            if let Some((code, text)) = scene.refuses(&verb) {
                let level = if code == 13_201 { AlertLevel::Error } else { AlertLevel::Warning };
                self.network.alert(&self.leg.sid, level, code, text);
                continue;
            }
            // A recording is started beside the other verbs; `<Dial>` after it still counts as the first.
            let beside = matches!(verb, Verb::StartRecording(_) | Verb::StopRecording { .. });
            match self.play_verb(verb, base, first).await {
                Flow::Next => {}
                taken @ (Flow::Go(..) | Flow::Leave | Flow::Finish(_)) => return taken,
            }
            first &= beside;
        }
        Flow::Next
    }

    async fn play_verb(&self, verb: Verb, base: &Url, first: bool) -> Flow {
        match verb {
            Verb::Say { .. } | Verb::Play { .. } | Verb::Sound(_) | Verb::Pause { .. } => {
                self.prompt(verb, base).await
            }
            Verb::Dial(dial) => self.dial(*dial, base, first).await,
            Verb::Gather(gather) => self.gather(gather, base).await,
            Verb::Record(record) => self.record(record, base).await,
            Verb::Enqueue(enqueue) => self.enqueue(enqueue, base).await,
            Verb::Leave => Flow::Leave,
            Verb::StartRecording(of) => {
                self.start_recording(&of, base);
                Flow::Next
            }
            Verb::StopRecording { name } => {
                self.stop_recording(&name);
                Flow::Next
            }
            Verb::Hangup => Flow::Finish(self.last_dial().unwrap_or(End::Completed)),
            Verb::Reject { reason } => Flow::Finish(self.rejection(reason)),
            Verb::Redirect { url, method } => match self.resolve(base, &url) {
                Some(url) => {
                    self.go(WebhookPurpose::Redirect, url, method, self.form(self.leg.status())).await
                }
                None => Flow::Finish(self.apologise().await),
            },
        }
    }

    /// `<Say>`, `<Play>`, `<Pause>`, or sound in place of a document.
    pub(crate) async fn prompt(&self, verb: Verb, base: &Url) -> Flow {
        match verb {
            Verb::Say { text, loops } => {
                let sound = Pattern::speech(&text);
                self.network.record(Happening::Spoken { call_sid: self.leg.sid.clone(), text });
                self.sound(sound, loops).await
            }
            Verb::Sound(sound) => self.sound(sound, 1).await,
            Verb::Play { digits: Some(digits), .. } => self.sound(Pattern::digits(&digits), 1).await,
            Verb::Play { url, loops, digits: None } => {
                let url = url.and_then(|text| base.join(&text).ok());
                let shown = url.as_ref().map(Url::to_string).unwrap_or_default();
                self.network.record(Happening::Played { call_sid: self.leg.sid.clone(), url: shown });
                let sound = play_url(&self.network, &self.leg.sid, url).await;
                self.sound(sound, loops).await
            }
            Verb::Pause { length } => self.pause(length).await,
            Verb::Dial(_)
            | Verb::Gather(_)
            | Verb::Record(_)
            | Verb::Enqueue(_)
            | Verb::Leave
            | Verb::StartRecording(_)
            | Verb::StopRecording { .. }
            | Verb::Hangup
            | Verb::Reject { .. }
            | Verb::Redirect { .. } => Flow::Next,
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
        match self.document_or_fallback((purpose, url, method), form, self.fallback()).await {
            Some((document, base)) => Flow::Go(document, base),
            None => Flow::Finish(self.apologise().await),
        }
    }

    fn start_recording(&self, of: &CallRecording, base: &Url) {
        let new = plan(&self.network, &self.leg, RecordingSource::StartCallRecordingTwiml, of);
        record_call(&self.network, &self.leg, new, RecordingCallbacks::of(&of.callbacks, base));
    }

    fn stop_recording(&self, name: &str) {
        let named = |recording: &&Arc<crate::recording::Recording>| {
            recording.of.call_sid.as_ref() == Some(&self.leg.sid)
                && recording.of.name.as_deref() == Some(name)
                && recording.status().is_live()
        };
        match self.network.recordings.list().iter().find(named) {
            Some(recording) => recording.stop(),
            None => {
                let text = format!("<Stop>: no recording “{name}” is in progress");
                self.network.alert(&self.leg.sid, AlertLevel::Warning, 12_200, &text);
            }
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
    pub(crate) async fn sound(&self, sound: Pattern, loops: u32) -> Flow {
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

    /// Nothing is played to the party any more.
    pub(crate) fn quiet(&self) {
        if let Some(port) = self.leg.port() {
            self.network.switch.stop_playing(port);
        }
    }

    pub(crate) async fn apologise(&self) -> End {
        match self.sound(Pattern::speech(APPLICATION_ERROR), 1).await {
            Flow::Finish(end) => end,
            Flow::Next | Flow::Leave | Flow::Go(..) => End::Completed,
        }
    }

    /// Passes a key on to the other party.
    pub(crate) fn pass_key(to: &Leg, digit: char, via: DigitPath) {
        to.command(LegCommand::Digit(digit, via));
    }
}
