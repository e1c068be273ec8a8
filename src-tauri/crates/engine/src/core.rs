//! [`Core`]: the handle through which hosts, the gateway and the self-test reach the Controller.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dialer_domain::call::{CallEvent, CallId, RecordingStatus};
use dialer_domain::call_flow::{Happened, Instruction, Rules, Taken};
use dialer_domain::call_log::{CallLogPage, Cursor};
use dialer_domain::destination::Destination;
use dialer_domain::dial_policy::Spent;
use dialer_domain::error::{ErrorCode, UserError};
use dialer_domain::incoming::SoundName;
use dialer_domain::phone_number::{self, E164, NumberInspection};
use dialer_domain::ports::{CallStore, Clock, SecretName, Vault};
use dialer_domain::sid::RecordingSid;
use dialer_media::api::{AudioDevice, CodecName, PeerConfig, PeerId, SdpType, StatsEntry, VoiceEvent};
use dialer_media::engine::VoiceEngine;
use dialer_storage::sounds::Sounds;
use dialer_twilio::access_token::AccessToken;
use dialer_twilio::rest::RestError;
use dialer_twilio::webhook::VoiceRequest;
use secrecy::ExposeSecret as _;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::account_api::AccountApi;
use crate::api::{
    AccessTokenView, ActionRequest, CallPermit, CallReport, Commands, DeviceReport, HostEvent, NativeVoice,
    Notice, PageId, PracticeCall, RecordingAudio, Snapshot,
};
use crate::controller::{Controller, Request, Standing, View};
use crate::desk::{Desk, Wish};
use crate::ledger;
use crate::local_time::moment;
use crate::repair::{Listener, Repair};
use crate::state::{Account, Line, Trouble};
use crate::twilio_at::TwilioAt;

/// How long an access token lasts, in seconds. Tokens are minted locally, so short costs nothing;
/// an hour bridges a night's sleep no better than a day and leaks less.
const TOKEN_TTL_S: u32 = 3_600;
/// Rows of the call log a fresh page is given.
const FIRST_PAGE: u32 = 50;
/// How long the end of the program waits for a log that cannot be written.
const WRITE_OUT: std::time::Duration = std::time::Duration::from_secs(5);
/// Rows of the call log that are looked through for what callbacks did not tell.
const REPAIRED_ROWS: u32 = 100;
/// How long a call waits for the count of today's calls.
const COUNTING_PATIENCE: std::time::Duration = std::time::Duration::from_secs(3);
/// Events a slow listener may fall behind before it misses some; levels make about 20 a second.
const EVENT_BACKLOG: usize = 1_024;

/// The far side that practice mode has and a real account has not.
pub trait PracticeLine: Send + Sync + 'static {
    /// Has someone call the agent.
    fn place_incoming(&self, call: PracticeCall) -> Result<(), UserError>;
}

/// What a [`Core`] is made of.
pub struct Parts {
    /// The account to work with.
    pub account: Account,
    /// Whether Twilio's requests reach this computer at the start.
    pub line: Line,
    /// Where its secrets are.
    pub vault: Arc<dyn Vault>,
    /// Where calls are logged.
    pub store: Arc<dyn CallStore>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The native voice engine and its events, where this host has one.
    pub voice: Option<(VoiceEngine, mpsc::UnboundedReceiver<VoiceEvent>)>,
    /// When the page should use it.
    pub native_voice: NativeVoice,
    /// Places practice calls, in practice mode.
    pub practice: Option<Arc<dyn PracticeLine>>,
    /// What calls may do.
    pub rules: Rules,
    /// The agent's recordings that callers hear, where there can be any.
    pub sounds: Option<Sounds>,
    /// Where the account's REST API is.
    pub twilio: TwilioAt,
    /// Where everything the UI is told goes; see [`events`].
    pub events: broadcast::Sender<HostEvent>,
}

/// A channel for everything the UI is told. One outlives the phones that speak in it.
pub fn events() -> broadcast::Sender<HostEvent> {
    broadcast::channel(EVENT_BACKLOG).0
}

/// Reaches the Controller; cheap to clone. The Controller ends when the last clone is gone.
#[derive(Clone)]
pub struct Core {
    requests: mpsc::UnboundedSender<Request>,
    events: broadcast::Sender<HostEvent>,
    view: watch::Receiver<View>,
    vault: Arc<dyn Vault>,
    store: Arc<dyn CallStore>,
    clock: Arc<dyn Clock>,
    writing: Arc<Mutex<Option<JoinHandle<()>>>>,
    voice: Option<VoiceEngine>,
    native_voice: NativeVoice,
    practice: Option<Arc<dyn PracticeLine>>,
    pub(crate) api: Arc<AccountApi>,
    sounds: Option<Sounds>,
    /// Whether today's calls from before the program started count.
    counted: watch::Receiver<bool>,
}

impl Core {
    /// Starts the Controller and the ledger on the current Tokio runtime.
    pub fn start(parts: Parts) -> Self {
        let (requests, inbox) = mpsc::unbounded_channel();
        let events = parts.events;
        let (to_ledger, entries) = mpsc::unbounded_channel();
        let numbers = parts.account.owned_numbers.clone();
        let api = Arc::new(AccountApi::new(
            parts.twilio,
            parts.account.account_sid.clone(),
            parts.account.api_key_sid.clone(),
            Arc::clone(&parts.vault),
            Arc::clone(&parts.clock),
        ));
        let (controller, view) = Controller::new(
            parts.account,
            parts.line,
            parts.rules,
            Arc::clone(&parts.clock),
            to_ledger,
            events.clone(),
        );
        let writing = tokio::spawn(ledger::run(
            Arc::clone(&parts.store),
            entries,
            events.clone(),
            requests.downgrade(),
        ));
        tokio::spawn(controller.run(inbox));
        let voice = parts.voice.map(|(engine, mut spoken)| {
            let controller = requests.downgrade();
            tokio::spawn(async move {
                while let Some(event) = spoken.recv().await {
                    let Some(controller) = controller.upgrade() else { return };
                    let _ = controller.send(Request::Voice(event));
                }
            });
            engine
        });
        let (are_counted, counted) = watch::channel(false);
        let core = Self {
            requests,
            events,
            view,
            vault: parts.vault,
            store: parts.store,
            clock: parts.clock,
            writing: Arc::new(Mutex::new(Some(writing))),
            voice,
            native_voice: parts.native_voice,
            practice: parts.practice,
            sounds: parts.sounds,
            api,
            counted,
        };
        tokio::spawn(core.clone().count_today(are_counted));
        let repair = Repair {
            store: Arc::downgrade(&core.store),
            api: Arc::clone(&core.api),
            clock: Arc::clone(&core.clock),
            listener: core.requests.downgrade(),
            numbers,
            rows: REPAIRED_ROWS,
        };
        tokio::spawn(repair.run());
        core
    }

    /// Tells the Controller what today's calls came to before the program started.
    async fn count_today(self, are_counted: watch::Sender<bool>) {
        let since_ms = Desk::counts_from_ms(&moment(self.clock.now_ms(), None));
        let store = Arc::clone(&self.store);
        match blocking(move || store.since(since_ms).map_err(|problem| problem.error)).await {
            Ok(entries) => {
                for entry in entries {
                    self.tell(Request::Logged(Box::new(entry)));
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the log could not be read; today's calls are not counted");
                return;
            }
        }
        are_counted.send_replace(true);
        // Fails only when the program ends.
        let _ = self.learn_prices().await;
    }

    /// Waits until today's earlier calls count: a program that was just started must not give out a second
    /// time what they have used up. Not for long, and not for a log that cannot be read.
    pub(crate) async fn counted(&self) {
        let mut counted = self.counted.clone();
        let _ = tokio::time::timeout(COUNTING_PATIENCE, counted.wait_for(|counted| *counted)).await;
    }

    /// The rules of calls.
    pub async fn rules(&self) -> Result<Rules, UserError> {
        self.ask(Request::AskRules).await
    }

    /// The rules of calls are others from the next call on.
    pub fn rules_changed(&self, rules: Rules) {
        self.tell(Request::Rules(Box::new(rules)));
        let core = self.clone();
        // Fails only when the program ends.
        tokio::spawn(async move { core.learn_prices().await.ok() });
    }

    /// What today's calls came to.
    pub(crate) async fn spent(&self) -> Result<Spent, UserError> {
        self.ask(Request::Spent).await
    }

    /// The account, as the phone knows it.
    pub(crate) async fn account(&self) -> Result<Account, UserError> {
        self.ask(Request::Account).await
    }

    /// The numbers of the account, and those that may be shown without being owned, are these now.
    pub fn caller_ids_changed(&self, owned: Vec<E164>, verified: Vec<E164>) {
        self.tell(Request::CallerIds { owned, verified });
    }

    /// Everything the UI is told from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<HostEvent> {
        self.events.subscribe()
    }

    /// Lights and live calls, as they change.
    pub fn watch(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    /// Where calls are logged.
    pub fn store(&self) -> &Arc<dyn CallStore> {
        &self.store
    }

    /// Asks the window to run an action, as its button would.
    pub fn act(&self, action: ActionRequest) {
        self.tell(Request::Act(action));
    }

    /// Puts up a notice.
    pub fn raise(&self, notice: Notice) {
        self.tell(Request::Raise(notice));
    }

    /// Takes a notice down: its cause is gone.
    pub fn clear(&self, id: &str) {
        self.tell(Request::Clear(id.to_owned()));
    }

    /// The way of Twilio's requests to this computer changed.
    pub fn line_changed(&self, line: Line) {
        self.tell(Request::Line(line));
    }

    /// The account was looked at.
    pub fn trouble_changed(&self, trouble: Trouble) {
        self.tell(Request::Trouble(trouble));
    }

    /// Has the page fetch a new token: what tokens are made of can be had again, or changed.
    pub fn renew_token(&self) {
        // Nobody listening is no error: a page that comes fetches one anyway.
        let _ = self.events.send(HostEvent::TokenRenewalDue);
    }

    /// Ends the program's part in every call and waits until the log is written, for a few seconds at
    /// most. Call it last: what happens afterwards is not logged.
    pub async fn shutdown(&self) {
        if self.ask(Request::Close).await.is_err() {
            return;
        }
        let writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writing) = writing
            && tokio::time::timeout(WRITE_OUT, writing).await.is_err()
        {
            tracing::error!("the call log could not be written in time; the last entries are lost");
        }
    }

    /// Decides what a call that begins should do.
    pub async fn begin(&self, request: VoiceRequest) -> Result<Instruction, UserError> {
        self.counted().await;
        self.ask(|reply| Request::Begin { request, reply }).await
    }

    /// Decides how a call goes on.
    pub async fn go_on(&self, request: VoiceRequest, happened: Happened) -> Result<Instruction, UserError> {
        self.ask(|reply| Request::GoOn { request, happened, reply }).await
    }

    /// Takes in what a webhook says about a call.
    pub fn happened(&self, event: CallEvent) {
        self.tell(Request::Happened(event));
    }

    /// A recording that callers hear.
    pub async fn sound(&self, name: &SoundName) -> Option<Bytes> {
        read_sound(self.sounds.clone()?, name.clone()).await
    }

    pub(crate) fn tell(&self, request: Request) {
        // The Controller outlives every Core, so this fails only while the runtime shuts down.
        let _ = self.requests.send(request);
    }

    pub(crate) async fn ask<T>(
        &self,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, UserError> {
        let (reply, answer) = oneshot::channel();
        self.tell(request(reply));
        answer.await.map_err(|_| UserError::new(ErrorCode::Internal, "The program is closing."))
    }

    /// The first page of the log. A log that cannot be read must not keep the agent from calling.
    async fn first_page(&self) -> CallLogPage {
        match self.list_call_log(None, FIRST_PAGE).await {
            Ok(page) => page,
            Err(error) => {
                self.raise(Notice { id: "call-log-unreadable".into(), error, dismissible: true });
                CallLogPage { entries: Vec::new(), next: None }
            }
        }
    }

    fn voice(&self) -> Result<&VoiceEngine, UserError> {
        self.voice.as_ref().ok_or_else(|| {
            UserError::new(
                ErrorCode::MediaFailed,
                "This host has no native voice engine. Open the page in a browser with WebRTC, or use the desktop window.",
            )
        })
    }
}

/// A recording that callers hear, if there is one of that name and it can be read.
pub(crate) async fn read_sound(sounds: Sounds, name: SoundName) -> Option<Bytes> {
    match tokio::task::spawn_blocking(move || sounds.read(&name)).await.ok()? {
        Ok(wav) => wav.map(Bytes::from),
        Err(error) => {
            tracing::error!(%error, "a recording for callers could not be read");
            None
        }
    }
}

/// Runs a blocking call of a port without holding up the runtime.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, UserError> + Send + 'static,
) -> Result<T, UserError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| {
        Err(UserError::new(
            ErrorCode::Internal,
            "A part of the program failed. Try again; if it stays, restart it.",
        )
        .with_detail(panicked.to_string()))
    })
}

fn voice_failed(error: &dialer_media::engine::VoiceError) -> UserError {
    UserError::new(ErrorCode::MediaFailed, "The call's sound could not be set up. Hang up and try again.")
        .with_detail(error.to_string())
}

impl Listener for mpsc::WeakUnboundedSender<Request> {
    fn is_gone(&self) -> bool {
        self.upgrade().is_none()
    }

    fn happened(&self, event: CallEvent) {
        if let Some(controller) = self.upgrade() {
            let _ = controller.send(Request::Happened(event));
        }
    }
}

#[async_trait::async_trait]
impl Commands for Core {
    async fn snapshot(&self, page: PageId) -> Result<Snapshot, UserError> {
        let Standing { new_page, account, lights, notices, do_not_disturb, queue } =
            self.ask(|reply| Request::Attach { page, reply }).await?;
        if new_page && let Some(voice) = &self.voice {
            voice.close_all().await;
        }
        Ok(Snapshot {
            agent: account.agent_view(),
            signalling: account.signalling,
            native_voice: self.native_voice,
            lights,
            notices,
            practice: account.practice,
            call_log: self.first_page().await,
            do_not_disturb,
            queue,
        })
    }

    async fn inspect_number(&self, text: String) -> Result<NumberInspection, UserError> {
        let account = self.ask(Request::Account).await?;
        let mut inspection = phone_number::inspect(&text, &account.home_region);
        if inspection.e164.is_some() && inspection.e164 == account.caller_id {
            inspection.e164 = None;
            inspection.problem = Some("This is your own number. Enter the number of someone else.".into());
        }
        Ok(inspection)
    }

    async fn prepare_call(
        &self,
        call: CallId,
        to: String,
        caller_id: Option<E164>,
        confirmed: bool,
    ) -> Result<CallPermit, UserError> {
        let account = self.account().await?;
        let to = Destination::parse(to.trim(), &account.home_region)
            .map_err(|problem| UserError::new(ErrorCode::CallRefused, problem))?;
        self.place(Wish { by: account.identity, call, to, caller_id, confirmed }).await
    }

    async fn set_do_not_disturb(&self, on: bool) -> Result<(), UserError> {
        self.tell(Request::DoNotDisturb(on));
        Ok(())
    }

    async fn recording(&self, recording: RecordingSid) -> Result<RecordingAudio, UserError> {
        let wav = match self.api.client().await?.recording_wav(&recording).await {
            Ok(wav) => wav,
            Err(RestError::Refused { status: 404, .. }) => {
                let message = "Twilio does not have this recording: it is not ready yet, or was deleted there. Try \
                               again in a minute.";
                return Err(UserError::new(ErrorCode::TwilioFailed, message));
            }
            Err(error) => return Err(error.user_error()),
        };
        Ok(RecordingAudio { wav_base64: STANDARD.encode(wav) })
    }

    async fn delete_recording(&self, call: CallId, recording: RecordingSid) -> Result<(), UserError> {
        let store = Arc::clone(&self.store);
        let entry = blocking(move || store.get(call).map_err(|problem| problem.error)).await?;
        let found = entry.and_then(|entry| {
            let known = entry.recordings.iter().find(|known| known.recording_sid == recording).cloned()?;
            Some((known, entry.legs.first()?.call_sid.clone()))
        });
        let Some((known, call_sid)) = found else {
            return Err(UserError::new(ErrorCode::Internal, "This recording is no longer there."));
        };
        match self.api.client().await?.delete_recording(&recording).await {
            // Gone already is as good.
            Ok(()) | Err(RestError::Refused { status: 404, .. }) => {}
            Err(error) => return Err(error.user_error()),
        }
        self.happened(CallEvent::Recording {
            call_sid,
            recording_sid: recording,
            status: RecordingStatus::Deleted,
            message: known.message,
            duration_s: known.duration_s,
            at_ms: self.clock.now_ms(),
        });
        Ok(())
    }

    async fn issue_access_token(&self) -> Result<AccessTokenView, UserError> {
        let account = self.ask(Request::Account).await?;
        let vault = Arc::clone(&self.vault);
        let owner = account.api_key_sid.to_string();
        let secret = blocking(move || {
            vault
                .load(&owner, SecretName::ApiKeySecret)
                .map_err(|error| dialer_storage::vault::user_error(&error))
        })
        .await?
        .ok_or_else(|| {
            UserError::new(
                ErrorCode::KeychainUnavailable,
                "The saved key is no longer in the keychain. Connect the account again.",
            )
        })?;
        let token = AccessToken::new(account.account_sid, account.api_key_sid, account.identity.as_str())
            .map(|token| {
                token
                    .outgoing(account.twiml_app_sid)
                    .incoming(true)
                    .ttl_s(TOKEN_TTL_S)
                    .jti_suffix(uuid::Uuid::new_v4().simple().to_string())
            })
            .and_then(|token| token.sign(self.clock.now_ms(), &secret))
            .map_err(|error| {
                UserError::new(
                    ErrorCode::TokenRejected,
                    "No session could be opened: the saved account is not valid. Connect the account again.",
                )
                .with_detail(error.to_string())
            })?;
        self.tell(Request::TokenIssued(token.span));
        Ok(AccessTokenView {
            token: token.jwt.expose_secret().to_owned(),
            identity: account.identity.to_string(),
            expires_at_ms: token.span.expires_at_ms,
        })
    }

    async fn report_device(&self, report: DeviceReport) -> Result<(), UserError> {
        self.tell(Request::Device(report));
        Ok(())
    }

    async fn report_call(&self, report: CallReport) -> Result<(), UserError> {
        self.tell(Request::Call(report));
        Ok(())
    }

    async fn list_call_log(&self, before: Option<Cursor>, limit: u32) -> Result<CallLogPage, UserError> {
        let store = Arc::clone(&self.store);
        blocking(move || store.list(before, limit).map_err(|problem| problem.error)).await
    }

    async fn dismiss_notice(&self, id: String) -> Result<(), UserError> {
        self.tell(Request::Dismiss(id));
        Ok(())
    }

    async fn practice_incoming(&self, call: PracticeCall) -> Result<Option<Taken>, UserError> {
        let line = self.practice.as_ref().ok_or_else(|| {
            UserError::new(ErrorCode::Internal, "Practice calls exist in practice mode only.")
        })?;
        let taken = self.ask(|reply| Request::TakenBy { from: call.from.clone(), reply }).await?;
        line.place_incoming(call)?;
        Ok(taken)
    }

    async fn voice_create(&self, config: PeerConfig) -> Result<PeerId, UserError> {
        self.voice()?.create(config).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_create_offer(
        &self,
        peer: PeerId,
        codecs: Vec<CodecName>,
        ice_restart: bool,
    ) -> Result<String, UserError> {
        self.voice()?.create_offer(peer, codecs, ice_restart).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_create_answer(&self, peer: PeerId, codecs: Vec<CodecName>) -> Result<String, UserError> {
        self.voice()?.create_answer(peer, codecs).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_set_local(&self, peer: PeerId, sdp_type: SdpType, sdp: String) -> Result<(), UserError> {
        self.voice()?.set_local(peer, sdp_type, sdp).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_set_remote(&self, peer: PeerId, sdp_type: SdpType, sdp: String) -> Result<(), UserError> {
        self.voice()?.set_remote(peer, sdp_type, sdp).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_set_muted(&self, peer: PeerId, muted: bool) -> Result<(), UserError> {
        self.voice()?.set_muted(peer, muted).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_can_send_dtmf(&self, peer: PeerId) -> Result<bool, UserError> {
        self.voice()?.can_send_dtmf(peer).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_insert_dtmf(
        &self,
        peer: PeerId,
        tones: String,
        duration_ms: u32,
        gap_ms: u32,
    ) -> Result<(), UserError> {
        self.voice()?
            .insert_dtmf(peer, tones, duration_ms, gap_ms)
            .await
            .map_err(|error| voice_failed(&error))
    }

    async fn voice_stats(&self, peer: PeerId) -> Result<Vec<StatsEntry>, UserError> {
        self.voice()?.stats(peer).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_close(&self, peer: PeerId) -> Result<(), UserError> {
        self.voice()?.close(peer).await.map_err(|error| voice_failed(&error))
    }

    async fn voice_devices(&self) -> Result<Vec<AudioDevice>, UserError> {
        self.voice()?.devices().await.map_err(|error| voice_failed(&error))
    }
}
