//! Recording calls: taps at the switch, and the callbacks that tell of a recording.
//!
//! A recording is in progress once there is something to record, and its file is there a moment after
//! its end: at Twilio seconds to minutes later, here two simulated seconds. What its callback says
//! comes from Twilio's page on `recordingStatusCallback`; `ErrorCode` 0 where nothing went wrong is from
//! captured requests. Nobody writes down what was recorded: the words in a transcription are those the
//! script of a far end spoke. One who says nothing known gets a failed transcription, as silence does at
//! Twilio.

use std::sync::Arc;
use std::time::Duration;

use dialer_domain::sid::CallSid;
use dialer_media::codec::Frame;
use dialer_twilio::webhook::Form;
use url::Url;

use super::leg::Leg;
use crate::account::WebhookMethod;
use crate::audio::Tap;
use crate::event::{Happening, WebhookPurpose};
use crate::network::Network;
use crate::recording::{NewRecording, Recording, RecordingSource, RecordingStatus};
use crate::twiml::{CallRecording, RecordingCallbackRequest, RecordingEvent, Track};
use crate::webhook::{API_VERSION, Conversation, Request, rfc2822};

/// From the end of a recording to its file, and from there to a transcription, simulated.
const PROCESSING: Duration = Duration::from_secs(2);
const WRITING_DOWN: Duration = Duration::from_secs(5);

/// Where and when to tell of a recording.
#[derive(Debug, Clone)]
pub(crate) struct RecordingCallbacks {
    pub(crate) url: Url,
    pub(crate) method: WebhookMethod,
    pub(crate) events: Vec<RecordingEvent>,
}

impl RecordingCallbacks {
    /// What a document asks for; `None` without an address that can be asked.
    pub(crate) fn of(request: &RecordingCallbackRequest, base: &Url) -> Option<Self> {
        let url = request.url.as_deref().and_then(|url| base.join(url).ok())?;
        Some(Self { url, method: request.method, events: request.events.clone() })
    }
}

/// Feeds a recording what passes at a line, and stops it when the line is gone.
struct RecordingTap(Arc<Recording>);

impl Tap for RecordingTap {
    fn take(&mut self, said: &Frame, heard: &Frame) -> bool {
        self.0.feed(said, heard)
    }
}

impl Drop for RecordingTap {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// What a recording of both sides of `leg` is to be.
pub(crate) fn plan(
    network: &Network,
    leg: &Leg,
    source: RecordingSource,
    of: &CallRecording,
) -> NewRecording {
    NewRecording {
        call_sid: Some(leg.sid.clone()),
        conference_sid: None,
        source,
        dual: of.dual,
        track: of.track,
        trim: of.trim,
        name: of.name.clone(),
        now_ms: network.now_ms(),
    }
}

/// Begins to record both sides of a leg, from now or from its answer on, until it is stopped or the leg
/// has ended, and tells of it.
pub(crate) fn record_call(
    network: &Arc<Network>,
    leg: &Arc<Leg>,
    new: NewRecording,
    callbacks: Option<RecordingCallbacks>,
) -> Arc<Recording> {
    let recording = network.recordings.create(new);
    tap(network, leg, &recording);
    follow(network, &recording, leg.sid.clone(), callbacks);
    recording
}

/// Lets the switch feed a recording.
fn tap(network: &Arc<Network>, leg: &Arc<Leg>, recording: &Arc<Recording>) {
    if let Some(port) = leg.port() {
        network.switch.tap(port, Box::new(RecordingTap(Arc::clone(recording))));
        return;
    }
    // A far end that was not answered yet has no line.
    let (network_then, leg, recording) = (Arc::clone(network), Arc::clone(leg), Arc::clone(recording));
    network.spawn(async move {
        leg.decided().await;
        match leg.port() {
            Some(port) => network_then.switch.tap(port, Box::new(RecordingTap(recording))),
            None => recording.stop(),
        }
    });
}

/// Tells of a recording from its beginning to its file. `call_sid` is what it is filed under.
pub(crate) fn follow(
    network: &Arc<Network>,
    recording: &Arc<Recording>,
    call_sid: CallSid,
    callbacks: Option<RecordingCallbacks>,
) {
    let (task_network, recording) = (Arc::clone(network), Arc::clone(recording));
    network.record(Happening::RecordingStarted {
        call_sid: call_sid.clone(),
        recording_sid: recording.sid.clone(),
    });
    network.spawn(async move {
        let network = task_network;
        let conversation = Arc::new(Conversation::new());
        let tell = async |event: RecordingEvent| {
            let wanted = callbacks.as_ref().filter(|callbacks| callbacks.events.contains(&event));
            let Some(RecordingCallbacks { url, method, .. }) = wanted else { return };
            let request = Request {
                purpose: WebhookPurpose::RecordingCallback,
                url: url.clone(),
                method: *method,
                form: recording_form(&network, &recording),
                call_sid: call_sid.clone(),
            };
            network.notify(&conversation, request).await;
        };
        tell(RecordingEvent::InProgress).await;
        recording.stopped().await;
        network.record(Happening::RecordingEnded {
            call_sid: call_sid.clone(),
            recording_sid: recording.sid.clone(),
            duration_s: recording.duration_s(),
        });
        network.pace.sleep(PROCESSING).await;
        match recording.settle() {
            RecordingStatus::Absent(_) => tell(RecordingEvent::Absent).await,
            RecordingStatus::Completed => tell(RecordingEvent::Completed).await,
            RecordingStatus::InProgress | RecordingStatus::Paused(_) | RecordingStatus::Processing => {}
        }
    });
}

/// `RecordingUrl`: where REST has the recording, and with `.wav` its sound.
pub(crate) fn recording_url(network: &Network, recording: &Recording) -> String {
    let account = &network.account.account_sid;
    format!("{}/api/{API_VERSION}/Accounts/{account}/Recordings/{}", network.base_url, recording.sid)
}

/// The parameters of a recording's status callback.
fn recording_form(network: &Network, recording: &Recording) -> Form {
    let mut form = Form::new();
    let status = recording.status();
    form.push("AccountSid", network.account.account_sid.as_str());
    match (&recording.of.conference_sid, &recording.of.call_sid) {
        (Some(conference), _) => form.push("ConferenceSid", conference.as_str()),
        (None, Some(call)) => form.push("CallSid", call.as_str()),
        (None, None) => {}
    }
    form.push("RecordingSid", recording.sid.as_str());
    form.push("RecordingUrl", recording_url(network, recording));
    form.push("RecordingStatus", status.as_wire());
    if status == RecordingStatus::Completed {
        form.push("RecordingDuration", recording.duration_s().to_string());
    }
    form.push("RecordingChannels", recording.channels().to_string());
    form.push("RecordingStartTime", rfc2822(recording.of.now_ms));
    form.push("RecordingSource", recording.of.source.as_wire());
    form.push(
        "RecordingTrack",
        match recording.of.track {
            Track::Both => "both",
            Track::Inbound => "inbound",
            Track::Outbound => "outbound",
        },
    );
    let error = if let RecordingStatus::Absent(code) = status { code } else { 0 };
    form.push("ErrorCode", error.to_string());
    form
}

/// Sends what was said in a recording, some time after its file is there. `form` has the call's
/// parameters.
pub(crate) fn transcribe(
    network: &Arc<Network>,
    leg: &Leg,
    recording: &Arc<Recording>,
    words: String,
    mut form: Form,
    (url, method): (Url, WebhookMethod),
) {
    let (task_network, recording, call_sid) = (Arc::clone(network), Arc::clone(recording), leg.sid.clone());
    network.spawn(async move {
        let network = task_network;
        recording.stopped().await;
        network.pace.sleep(PROCESSING + WRITING_DOWN).await;
        let done = recording.settle() == RecordingStatus::Completed && !words.is_empty();
        let text = done.then_some(words);
        let kept = network.recordings.transcribe(recording.sid.clone(), text, network.now_ms());
        let account = &network.account.account_sid;
        let address =
            format!("{}/api/{API_VERSION}/Accounts/{account}/Transcriptions/{}", network.base_url, kept.sid);
        form.push("TranscriptionSid", kept.sid);
        form.push("TranscriptionStatus", if done { "completed" } else { "failed" });
        form.push("TranscriptionText", kept.text.unwrap_or_default());
        form.push("TranscriptionType", "fast");
        form.push("TranscriptionUrl", address);
        form.push("RecordingSid", recording.sid.as_str());
        form.push("RecordingUrl", recording_url(&network, &recording));
        let purpose = WebhookPurpose::TranscriptionCallback;
        let request = Request { purpose, url, method, form, call_sid };
        network.notify(&Arc::new(Conversation::new()), request).await;
    });
}
