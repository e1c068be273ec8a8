//! The commands of a phone that works.

use dialer_domain::call_log::{CallLogPage, Cursor};
use dialer_domain::error::UserError;
use dialer_domain::phone_number::NumberInspection;
use dialer_media::api::{AudioDevice, CodecName, PeerConfig, PeerId, SdpType, StatsEntry};
use serde::Deserialize;

use super::{
    AccessTokenView, CallReport, DeviceReport, PageId, PracticeCall, Snapshot, Types, command_return,
    malformed,
};

commands! {
    /// What a host must be able to do with the account in use; the names are the commands.
    trait Commands;

    /// Everything a page needs, when it was just loaded and when it missed events.
    snapshot(page: PageId) -> Snapshot;
    /// Reads what was typed into the number field.
    inspect_number(text: String) -> NumberInspection;
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
    /// Practice mode: someone calls the agent.
    practice_incoming(call: PracticeCall) -> ();
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
