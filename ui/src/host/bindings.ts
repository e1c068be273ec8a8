// Written from src-tauri/crates/engine/src/api.rs by its test `bindings`. Do not edit.

/**
 * A live access token. It goes to the SDK and nowhere else.
 */
export type AccessTokenView = { 
/**
 * The JWT.
 */
token: string, 
/**
 * Whom it names.
 */
identity: string, 
/**
 * Unix milliseconds.
 */
expires_at_ms: number, };
/**
 * Something the agent asked for outside the window (tray, command line, self-test). The UI runs it
 * through its action table, exactly as a button would.
 */
export type ActionRequest = { "action": "dial", 
/**
 * As typed.
 */
number: string, } | { "action": "answer" } | { "action": "decline" } | { "action": "hang_up" } | { "action": "toggle_mute" } | { "action": "send_digits", 
/**
 * `0-9*#`.
 */
digits: string, };
/**
 * Who the agent is.
 */
export type AgentView = { 
/**
 * Shown in the header.
 */
name: string, 
/**
 * The SDK identity.
 */
identity: string, 
/**
 * Shown to called parties.
 */
caller_id: E164 | null, 
/**
 * The caller id in national or international format for reading.
 */
caller_id_formatted: string | null, };
/**
 * One sound device.
 */
export type AudioDevice = { 
/**
 * Stable while the device is plugged in; `default` follows the system's choice.
 */
id: string, 
/**
 * For people.
 */
label: string, 
/**
 * Capture or playout.
 */
kind: DeviceKind, };
/**
 * Who started the call, seen from the agent.
 */
export type CallDirection = "outgoing" | "incoming";
/**
 * Our own name of a whole call, a random UUID made before Twilio knows of it.
 *
 * It travels with an outgoing call as the connect parameter `CallId` and comes back in the voice
 * webhook, which joins the two witnesses' reports from the first moment.
 */
export type CallId = string;
/**
 * One call as the log shows it. All times are Unix milliseconds.
 */
export type CallLogEntry = { 
/**
 * Our name of the call.
 */
id: CallId, 
/**
 * Who started it.
 */
direction: CallDirection, 
/**
 * The other party: E.164, `client:…`, or empty when unknown.
 */
peer: string, 
/**
 * Which of our numbers was used.
 */
our_number: string | null, 
/**
 * The first event.
 */
started_at_ms: number, 
/**
 * When the two parties were connected.
 */
answered_at_ms: number | null, 
/**
 * When the call ended; absent while it lasts.
 */
ended_at_ms: number | null, 
/**
 * Seconds of conversation, once ended: Twilio's `CallDuration` where known, else by our clock.
 */
duration_s: number | null, 
/**
 * How it ended; absent while it lasts.
 */
outcome: CallOutcome | null, 
/**
 * Why, in words, for outcomes that need one.
 */
reason: string | null, 
/**
 * Twilio's error code behind the reason.
 */
error_code: number | null, 
/**
 * The legs Twilio reported, parent first, then by SID.
 */
legs: Array<Leg>, };
/**
 * A page of the log, newest first.
 */
export type CallLogPage = { 
/**
 * The rows.
 */
entries: Array<CallLogEntry>, 
/**
 * Where the next page begins; absent on the last page.
 */
next: Cursor | null, };
/**
 * How a call ended, in the agent's words rather than a leg's status.
 */
export type CallOutcome = "answered" | "missed" | "declined" | "busy" | "no_answer" | "canceled" | "failed";
/**
 * What the UI tells about one call.
 */
export type CallReport = { 
/**
 * Our name of the call; the UI makes it (UUID v4) when a call begins.
 */
call: CallId, 
/**
 * Who started it.
 */
direction: CallDirection, 
/**
 * The agent leg, once known.
 */
call_sid: CallSid | null, 
/**
 * The parent leg, from the `parent` parameter of an incoming call.
 */
parent_call_sid: CallSid | null, 
/**
 * The other party.
 */
peer: string, 
/**
 * Which of our numbers was called, for an incoming call (`called` parameter).
 */
our_number: string | null, 
/**
 * What happened.
 */
what: SdkCallEvent, };
/**
 * One leg of a call.
 */
export type CallSid = string;
/**
 * Twilio's `CallStatus` of one leg, in the order in which a leg may pass through them.
 */
export type CallStatus = "queued" | "initiated" | "ringing" | "in-progress" | "completed" | "busy" | "no-answer" | "canceled" | "failed";
/**
 * A codec of the engine, in SDK spelling.
 */
export type CodecName = "opus" | "pcmu";
/**
 * `RTCPeerConnection.connectionState` as the engine reports it.
 */
export type ConnectionState = "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";
/**
 * Where the next page of the log begins: calls older than this one.
 */
export type Cursor = { 
/**
 * `started_at_ms` of the last row of the previous page.
 */
started_at_ms: number, 
/**
 * Its id, which breaks ties.
 */
id: CallId, };
/**
 * Capture or playout.
 */
export type DeviceKind = "microphone" | "speaker";
/**
 * What the SDK's `Device` is doing.
 */
export type DeviceReport = { 
/**
 * Twilio's device state, plus `reconnecting` while the SDK's socket is down after a success.
 */
state: DeviceState, 
/**
 * The error that came with it, when one did.
 */
error: SdkError | null, };
/**
 * States of the SDK's `Device`.
 */
export type DeviceState = "unregistered" | "registering" | "registered" | "reconnecting" | "destroyed";
/**
 * A telephone number in E.164: `+` and 7 to 15 digits, the first not zero.
 */
export type E164 = string;
/**
 * Names a failure for code that must branch on it.
 *
 * A variant exists only while the UI or a command-line caller does something different for it.
 */
export type ErrorCode = "Busy" | "MicrophoneMissing" | "SpeakerMissing" | "KeychainUnavailable" | "CallLogSetAside" | "CallLogUnavailable" | "PortInUse" | "TokenRejected" | "MediaFailed" | "WebhookRefused" | "CallFailed" | "Internal";
/**
 * One practice number.
 */
export type FarEndView = { 
/**
 * Whom to dial.
 */
number: E164, 
/**
 * For reading.
 */
formatted: string, 
/**
 * What happens, such as "Answers and echoes you".
 */
does: string, };
/**
 * What the UI is told without asking.
 */
export type HostEvent = { "event": "agent_changed", "data": AgentView } | { "event": "lights_changed", "data": Lights } | { "event": "notices_changed", "data": Array<Notice> } | { "event": "call_log_changed", "data": CallLogEntry } | { "event": "call_log_removed", "data": CallId } | { "event": "token_renewal_due" } | { "event": "action_requested", "data": ActionRequest } | { "event": "voice", "data": VoiceEvent };
/**
 * One entry of `RTCConfiguration.iceServers`.
 */
export type IceServer = { 
/**
 * `stun:` and `turn:` URLs.
 */
urls: Array<string>, 
/**
 * TURN user name.
 */
username: string | null, 
/**
 * TURN password.
 */
credential: string | null, };
/**
 * `RTCPeerConnection.iceConnectionState` as the engine reports it.
 */
export type IceState = "new" | "checking" | "connected" | "disconnected" | "failed" | "closed";
/**
 * One leg of a logged call.
 */
export type Leg = { 
/**
 * Twilio's name of the leg.
 */
call_sid: CallSid, 
/**
 * Its parent leg, absent for the parent itself.
 */
parent_call_sid: CallSid | null, 
/**
 * Whose leg it is, where known.
 */
role: LegRole | null, 
/**
 * The furthest status reported.
 */
status: CallStatus, 
/**
 * Whole seconds after the answer, once completed.
 */
duration_s: number | null, };
/**
 * Which of the two legs an event speaks of.
 */
export type LegRole = "agent" | "far_end";
/**
 * One light.
 */
export type Light = { 
/**
 * Colour and word.
 */
state: LightState, 
/**
 * Why it is not ready, as a sentence with the cure.
 */
reason: string | null, };
/**
 * What a light says.
 */
export type LightState = "ready" | "starting" | "reconnecting" | "not_reachable";
/**
 * The two lights of the header; they fail separately.
 */
export type Lights = { 
/**
 * Whether calls can be placed.
 */
calls_out: Light, 
/**
 * Whether calls can be received.
 */
calls_in: Light, };
/**
 * When the native voice engine carries the sound instead of the page's own WebRTC.
 */
export type NativeVoice = "absent" | "fallback" | "always";
/**
 * A standing message for the agent, until the cause is gone or it is dismissed.
 */
export type Notice = { 
/**
 * Names the cause: a new notice of the same id replaces the old one.
 */
id: string, 
/**
 * What it is about.
 */
error: UserError, 
/**
 * Whether the agent may dismiss it.
 */
dismissible: boolean, };
/**
 * What the number field shows for what was typed so far.
 */
export type NumberInspection = { 
/**
 * The typed text, formatted as far as it goes.
 */
formatted: string, 
/**
 * The number that would be dialled, once complete.
 */
e164: E164 | null, 
/**
 * Name of the country or region, in English, once known.
 */
country: string | null, 
/**
 * Why it cannot be dialled yet, as a sentence with the cure; absent when it can, or when nothing was typed.
 */
problem: string | null, };
/**
 * Names one load of the page: a random UUID it makes for itself. A snapshot for another page than the
 * last tells that the last is gone, and with it the Voice SDK that carried its calls.
 */
export type PageId = string;
/**
 * The W3C `RTCConfiguration` members the engine honours.
 */
export type PeerConfig = { 
/**
 * STUN and TURN URLs; TURN is not used yet.
 */
ice_servers: Array<IceServer>, };
/**
 * Names one peer connection for the life of the process.
 */
export type PeerId = number;
/**
 * An incoming practice call.
 */
export type PracticeCall = { 
/**
 * Who calls: one of the practice numbers, whose behaviour it then has once answered.
 */
from: E164, };
/**
 * Practice mode.
 */
export type PracticeView = { 
/**
 * Numbers to call and what they do.
 */
far_ends: Array<FarEndView>, };
/**
 * What the SDK said about a call.
 */
export type SdkCallEvent = { "type": "dialing" } | { "type": "ringing" } | { "type": "incoming" } | { "type": "accepted" } | { "type": "reconnecting" } | { "type": "reconnected" } | { "type": "hung_up" } | { "type": "declined" } | { "type": "canceled_by_caller" } | { "type": "ended" } | { "type": "failed", 
/**
 * Twilio's error code, such as 31486; 0 when the SDK gave none.
 */
code: number, 
/**
 * A sentence for the agent.
 */
message: string, };
/**
 * An error of the SDK.
 */
export type SdkError = { 
/**
 * Twilio's code; 0 when the SDK gave none.
 */
code: number, 
/**
 * The SDK's text, for the log.
 */
message: string, };
/**
 * `RTCSessionDescription.type`.
 */
export type SdpType = "offer" | "answer";
/**
 * Where the SDK must connect.
 */
export type SignallingView = { "type": "twilio", 
/**
 * Edge names in order of preference; `roaming` by default.
 */
edges: Array<string>, } | { "type": "practice", 
/**
 * `127.0.0.1:PORT`; the SDK insists on `wss:`, so the page rewrites exactly this host to `ws:`.
 */
host: string, };
/**
 * Everything a freshly loaded page needs; events keep it current afterwards.
 */
export type Snapshot = { 
/**
 * Who the agent is, for the header.
 */
agent: AgentView, 
/**
 * Where the SDK must connect.
 */
signalling: SignallingView, 
/**
 * Whether a native voice engine stands behind the SDK in this host.
 */
native_voice: NativeVoice, 
/**
 * The two lights.
 */
lights: Lights, 
/**
 * Standing notices, oldest first.
 */
notices: Array<Notice>, 
/**
 * Practice mode: numbers to try.
 */
practice: PracticeView | null, 
/**
 * First page of the call log.
 */
call_log: CallLogPage, };
/**
 * One entry of `RTCStatsReport`, with the members the SDK reads (voice-sdk 2.18.5, `stats.ts`).
 */
export type StatsEntry = { "type": "inbound-rtp", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * `audio`.
 */
kind: string, 
/**
 * Id of the codec entry.
 */
codecId: string | null, 
/**
 * Inter-arrival jitter in seconds.
 */
jitter: number, 
/**
 * Cumulative.
 */
packetsLost: number, 
/**
 * Cumulative.
 */
packetsReceived: number, 
/**
 * Cumulative payload bytes.
 */
bytesReceived: number, 
/**
 * Cumulative samples made up by concealment, at 48 kHz.
 */
concealedSamples: number, 
/**
 * Frames waiting in the jitter buffer, in seconds.
 */
jitterBufferDelay: number, } | { "type": "outbound-rtp", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * `audio`.
 */
kind: string, 
/**
 * Id of the codec entry.
 */
codecId: string | null, 
/**
 * Id of the `remote-inbound-rtp` entry.
 */
remoteId: string | null, 
/**
 * Cumulative.
 */
packetsSent: number, 
/**
 * Cumulative payload bytes.
 */
bytesSent: number, } | { "type": "remote-inbound-rtp", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * Seconds.
 */
roundTripTime: number | null, 
/**
 * 0 to 1.
 */
fractionLost: number | null, } | { "type": "codec", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * `audio/opus` or `audio/PCMU`.
 */
mimeType: string, 
/**
 * Hz.
 */
clockRate: number, } | { "type": "transport", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * Id of the pair in use.
 */
selectedCandidatePairId: string | null, } | { "type": "candidate-pair", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * Id.
 */
localCandidateId: string, 
/**
 * Id.
 */
remoteCandidateId: string, 
/**
 * Whether media uses it.
 */
selected: boolean, 
/**
 * Seconds.
 */
currentRoundTripTime: number | null, } | { "type": "local-candidate", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * IP address.
 */
address: string, 
/**
 * UDP port.
 */
port: number, 
/**
 * `host`, `srflx`, `prflx` or `relay`.
 */
candidateType: string, } | { "type": "remote-candidate", 
/**
 * Entry id.
 */
id: string, 
/**
 * Unix milliseconds.
 */
timestamp: number, 
/**
 * IP address.
 */
address: string, 
/**
 * UDP port.
 */
port: number, 
/**
 * `host`, `srflx`, `prflx` or `relay`.
 */
candidateType: string, };
/**
 * A failure as the agent sees it.
 */
export type UserError = { 
/**
 * For code that branches.
 */
code: ErrorCode, 
/**
 * What happened and what to do, as whole sentences.
 */
message: string, 
/**
 * Technical detail for the diagnostics view; never a secret or a telephone number.
 */
detail: string | null, };
/**
 * What the engine reports. `peer` names the connection.
 */
export type VoiceEvent = { "type": "ice_candidate", 
/**
 * Which connection.
 */
peer: PeerId, 
/**
 * `candidate:…`.
 */
candidate: string, } | { "type": "gathering_complete", 
/**
 * Which connection.
 */
peer: PeerId, } | { "type": "ice_connection_state", 
/**
 * Which connection.
 */
peer: PeerId, 
/**
 * Where to.
 */
state: IceState, } | { "type": "connection_state", 
/**
 * Which connection.
 */
peer: PeerId, 
/**
 * Where to.
 */
state: ConnectionState, } | { "type": "levels", 
/**
 * Which connection.
 */
peer: PeerId, 
/**
 * Microphone after mute.
 */
input: number, 
/**
 * Far end.
 */
output: number, } | { "type": "device_notice", 
/**
 * Which connection, when one is concerned.
 */
peer: PeerId | null, 
/**
 * Which device.
 */
device: DeviceKind, 
/**
 * Whether this is a trouble that begins (`true`) or is over (`false`).
 */
trouble: boolean, 
/**
 * For the agent.
 */
message: string, } | { "type": "devices_changed" };

export interface Commands {
  /** Everything a page needs, when it was just loaded and when it missed events. */
  snapshot(args: { page: PageId; }): Promise<Snapshot>;
  /** Reads what was typed into the number field. */
  inspect_number(args: { text: string; }): Promise<NumberInspection>;
  /** A fresh access token for the SDK. */
  issue_access_token(args: { }): Promise<AccessTokenView>;
  /** Tells what the SDK's Device is doing. */
  report_device(args: { report: DeviceReport; }): Promise<void>;
  /** Tells what happened to a call. */
  report_call(args: { report: CallReport; }): Promise<void>;
  /** An older page of the call log. */
  list_call_log(args: { before: Cursor | null; limit: number; }): Promise<CallLogPage>;
  /** Removes a dismissible notice. */
  dismiss_notice(args: { id: string; }): Promise<void>;
  /** Practice mode: someone calls the agent. */
  practice_incoming(args: { call: PracticeCall; }): Promise<void>;
  /** Native voice: opens a peer connection. */
  voice_create(args: { config: PeerConfig; }): Promise<PeerId>;
  /** Native voice: `createOffer`, codecs in order of preference. */
  voice_create_offer(args: { peer: PeerId; codecs: Array<CodecName>; ice_restart: boolean; }): Promise<string>;
  /** Native voice: `createAnswer` to the remote offer. */
  voice_create_answer(args: { peer: PeerId; codecs: Array<CodecName>; }): Promise<string>;
  /** Native voice: `setLocalDescription`. */
  voice_set_local(args: { peer: PeerId; sdp_type: SdpType; sdp: string; }): Promise<void>;
  /** Native voice: `setRemoteDescription`. */
  voice_set_remote(args: { peer: PeerId; sdp_type: SdpType; sdp: string; }): Promise<void>;
  /** Native voice: `track.enabled` of the microphone. */
  voice_set_muted(args: { peer: PeerId; muted: boolean; }): Promise<void>;
  /** Native voice: `RTCDTMFSender.canInsertDTMF` after negotiation. */
  voice_can_send_dtmf(args: { peer: PeerId; }): Promise<boolean>;
  /** Native voice: `RTCDTMFSender.insertDTMF`; milliseconds. */
  voice_insert_dtmf(args: { peer: PeerId; tones: string; duration_ms: number; gap_ms: number; }): Promise<void>;
  /** Native voice: `getStats`. */
  voice_stats(args: { peer: PeerId; }): Promise<Array<StatsEntry>>;
  /** Native voice: `close`. */
  voice_close(args: { peer: PeerId; }): Promise<void>;
  /** Native voice: the sound devices. */
  voice_devices(args: { }): Promise<Array<AudioDevice>>;
}
