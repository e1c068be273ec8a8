//! The commands of a phone that works.

use dialer_domain::call::CallId;
use dialer_domain::call_flow::Taken;
use dialer_domain::call_log::{CallLogPage, Cursor};
use dialer_domain::error::UserError;
use dialer_domain::phone_number::{E164, NumberInspection};
use dialer_domain::sid::RecordingSid;
use dialer_media::api::{AudioDevice, CodecName, PeerConfig, PeerId, SdpType, StatsEntry};
use serde::Deserialize;

use super::{
    AccessTokenView, CallPermit, CallReport, DeviceReport, PageId, PracticeCall, RecordingAudio, Snapshot,
    Types, command_return, malformed,
};

commands! {
    /// What a host must be able to do with the account in use; the names are the commands.
    trait Commands;

    /// Everything a page needs, when it was just loaded and when it missed events.
    snapshot(page: PageId) -> Snapshot;
    /// Reads what was typed into the number field.
    inspect_number(text: String) -> NumberInspection;
    /// Asks whether a call may be placed, and notes it: only noted calls are connected, once, within 30 seconds. `to` is E.164, an emergency number, `client:…`, `sip:…`, or `queue:` for the next caller in the queue.
    prepare_call(call: CallId, to: String, caller_id: Option<E164>, confirmed: bool) -> CallPermit;
    /// Callers get what the rules say for an agent who does not want to be disturbed, or ring again.
    set_do_not_disturb(on: bool) -> ();
    /// A recording or message, fetched from Twilio.
    recording(recording: RecordingSid) -> RecordingAudio;
    /// Deletes a recording or message at Twilio and in the log.
    delete_recording(call: CallId, recording: RecordingSid) -> ();
    /// A fresh access token for the SDK.
    issue_access_token() -> AccessTokenView;
    /// Tells what the SDK's Device is doing.
    report_device(report: DeviceReport) -> ();
    /// Tells what happened to a call.
    report_call(report: CallReport) -> ();
    /// An older page of the call log.
    list_call_log(before: Option<Cursor>, limit: u32) -> CallLogPage;
    /// Removes a dismissible notice.
    dismiss_notice(id: String) -> ();
    /// Practice mode: someone calls the agent. Tells which rule takes the call, where the phone does not ring.
    practice_incoming(call: PracticeCall) -> Option<Taken>;
    /// Native voice: opens a peer connection.
    voice_create(config: PeerConfig) -> PeerId;
    /// Native voice: `createOffer`, codecs in order of preference.
    voice_create_offer(peer: PeerId, codecs: Vec<CodecName>, ice_restart: bool) -> String;
    /// Native voice: `createAnswer` to the remote offer.
    voice_create_answer(peer: PeerId, codecs: Vec<CodecName>) -> String;
    /// Native voice: `setLocalDescription`.
    voice_set_local(peer: PeerId, sdp_type: SdpType, sdp: String) -> ();
    /// Native voice: `setRemoteDescription`.
    voice_set_remote(peer: PeerId, sdp_type: SdpType, sdp: String) -> ();
    /// Native voice: `track.enabled` of the microphone.
    voice_set_muted(peer: PeerId, muted: bool) -> ();
    /// Native voice: `RTCDTMFSender.canInsertDTMF` after negotiation.
    voice_can_send_dtmf(peer: PeerId) -> bool;
    /// Native voice: `RTCDTMFSender.insertDTMF`; milliseconds.
    voice_insert_dtmf(peer: PeerId, tones: String, duration_ms: u32, gap_ms: u32) -> ();
    /// Native voice: `getStats`.
    voice_stats(peer: PeerId) -> Vec<StatsEntry>;
    /// Native voice: `close`.
    voice_close(peer: PeerId) -> ();
    /// Native voice: the sound devices.
    voice_devices() -> Vec<AudioDevice>;
}
