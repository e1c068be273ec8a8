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
 * Whether money was ever paid into the account.
 */
export type AccountKind = "trial" | "full";
/**
 * Where in its life the account is.
 */
export type AccountPhase = "none" | "locked" | "checking" | "choosing" | "setting_up" | "connected" | "disconnecting";
/**
 * Whether calls can be placed at all.
 */
export type AccountStanding = "active" | "suspended" | "closed";
/**
 * Everything the account page shows.
 */
export type AccountStatus = { 
/**
 * Where in its life the account is.
 */
phase: AccountPhase, 
/**
 * What is being waited for and goes on by itself, such as the network; absent while nothing is.
 */
waiting: string | null, 
/**
 * Why the last thing asked for failed; it stands until something is asked again.
 */
error: UserError | null, 
/**
 * What was entered so far, one for each field.
 */
credentials: Array<CredentialView>, 
/**
 * What the account has, once it was looked at.
 */
inventory: Inventory | null, 
/**
 * What the agent chose, or what is suggested once the account was looked at.
 */
choices: Choices | null, 
/**
 * What is being done at Twilio, or was done last.
 */
steps: Array<StepView>, 
/**
 * A caller id that is being verified, or was last.
 */
caller_id_check: CallerIdCheck | null, 
/**
 * The account in use.
 */
connected: ConnectedView | null, 
/**
 * What Twilio signs its requests with, once there is an account in use.
 */
signing: SigningView | null, 
/**
 * How Twilio reaches this computer, once that was chosen.
 */
tunnel: TunnelView | null, 
/**
 * Where secrets are kept.
 */
vault: VaultView, 
/**
 * Tunnel programs, and whether they are on this computer.
 */
programs: Array<ProgramView>, };
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
caller_id_formatted: string | null, 
/**
 * Numbers that may be shown to called parties.
 */
caller_ids: Array<CallerIdOption>, };
/**
 * What happens to a caller.
 */
export type Answer = { "type": "ring" } | { "type": "forward", 
/**
 * Which.
 */
to: E164, } | { "type": "voicemail" } | { "type": "menu" } | { "type": "queue" } | { "type": "message", 
/**
 * Which.
 */
prompt: Prompt, } | { "type": "decline" };
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
 * Seconds of conversation, once ended: Twilio's `CallDuration` where known, else by our clock. For a
 * caller who was forwarded, the conversation there.
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
legs: Array<Leg>, 
/**
 * What was recorded, messages first, then by SID.
 */
recordings: Array<Recording>, 
/**
 * Seconds the caller waited in the queue, if they were put there.
 */
waited_s: number | null, };
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
export type CallOutcome = "answered" | "missed" | "declined" | "voicemail" | "forwarded" | "busy" | "no_answer" | "canceled" | "failed";
/**
 * Whether a call may be placed.
 */
export type CallPermit = { "type": "go", 
/**
 * The connect parameter `To`.
 */
to: string, } | { "type": "ask", 
/**
 * To what.
 */
question: Question, 
/**
 * What a minute costs, where it is known.
 */
price_per_minute: Money | null, };
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
 * A number being verified as caller id.
 */
export type CallerIdCheck = { 
/**
 * The number that Twilio calls.
 */
number: E164, 
/**
 * For reading.
 */
formatted: string, 
/**
 * What must be keyed in during that call.
 */
code: string | null, 
/**
 * How far it is.
 */
state: CallerIdCheckState, 
/**
 * Why it failed.
 */
error: UserError | null, };
/**
 * How far the verification of a caller id is.
 */
export type CallerIdCheckState = "asking" | "calling" | "verified" | "failed";
/**
 * A number that may be shown to called parties.
 */
export type CallerIdOption = { 
/**
 * The number.
 */
number: E164, 
/**
 * For reading.
 */
formatted: string, };
/**
 * What a key does.
 */
export type Choice = { 
/**
 * For the agent: `Sales`.
 */
label: string, 
/**
 * What happens.
 */
then: Chosen, };
/**
 * What the agent chose.
 */
export type Choices = { 
/**
 * Shown to called parties; one of the owned or verified numbers.
 */
caller_id: E164 | null, 
/**
 * Numbers whose calls ring here.
 */
ring: Array<PhoneNumberSid>, 
/**
 * How Twilio reaches this computer.
 */
tunnel: TunnelChoice, 
/**
 * What callers get while this computer cannot be reached: an address of a TwiML document, such as a
 * TwiML Bin.
 */
fallback_url: string | null, };
/**
 * Where a key leads.
 */
export type Chosen = { "type": "page", 
/**
 * Which.
 */
page: MenuPage, } | { "type": "answer", 
/**
 * To what; never to [`Answer::Menu`].
 */
answer: Answer, };
/**
 * A codec of the engine, in SDK spelling.
 */
export type CodecName = "opus" | "pcmu";
/**
 * The account in use.
 */
export type ConnectedView = { 
/**
 * The account's name at Twilio.
 */
name: string, 
/**
 * Its SID.
 */
account_sid: string, 
/**
 * Trial or full.
 */
kind: AccountKind, 
/**
 * For reading; absent when it could not be had.
 */
balance: string | null, 
/**
 * Numbers that ring here, for reading.
 */
rings: Array<string>, 
/**
 * The number shown to called parties, for reading.
 */
caller_id: string | null, 
/**
 * This computer's names at Twilio, for people who look at the Console.
 */
resource_name: string, };
/**
 * `RTCPeerConnection.connectionState` as the engine reports it.
 */
export type ConnectionState = "new" | "connecting" | "connected" | "disconnected" | "failed" | "closed";
/**
 * A country that can be called.
 */
export type CountryOption = { 
/**
 * ISO 3166 code.
 */
region: string, 
/**
 * English name.
 */
name: string, };
/**
 * Whether a country may be called.
 */
export type CountryView = { 
/**
 * ISO 3166.
 */
iso: string, 
/**
 * Its English name at Twilio.
 */
name: string, 
/**
 * Ordinary numbers.
 */
ordinary: boolean, 
/**
 * Premium and shared-cost numbers: expensive.
 */
special: boolean, 
/**
 * Ranges known for toll fraud: a stolen token is turned into money there.
 */
toll_fraud: boolean, };
/**
 * A thing to enter.
 */
export type CredentialField = "account_sid" | "auth_token" | "api_key" | "api_secret" | "phone_number" | "twiml_app_sid" | "backend_url" | "tunnel_token";
/**
 * What was entered into a field.
 */
export type CredentialView = { 
/**
 * Which.
 */
field: CredentialField, 
/**
 * The text, unless it is a secret.
 */
value: string | null, 
/**
 * Whether there is one.
 */
entered: boolean, 
/**
 * What is wrong with its form, as a sentence with the cure.
 */
problem: string | null, };
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
 * What disconnecting would do, for the agent to confirm.
 */
export type DisconnectView = { 
/**
 * Numbers and what is put back.
 */
numbers: Array<RestoredView>, 
/**
 * Whether this computer has an app of its own that can be deleted.
 */
app: boolean, 
/**
 * Whether this computer has a key of its own that can be deleted.
 */
key: boolean, };
/**
 * A telephone number in E.164: `+` and 7 to 15 digits, the first not zero.
 */
export type E164 = string;
/**
 * Names a failure for code that must branch on it.
 *
 * A variant exists only while the UI or a command-line caller does something different for it.
 */
export type ErrorCode = "Busy" | "MicrophoneMissing" | "SpeakerMissing" | "KeychainUnavailable" | "CallLogSetAside" | "CallLogUnavailable" | "SettingsSetAside" | "SettingsUnavailable" | "PortInUse" | "TokenRejected" | "MediaFailed" | "WebhookRefused" | "CallFailed" | "CallRefused" | "InvalidEntry" | "CredentialsRefused" | "AccountNotActive" | "Offline" | "TwilioFailed" | "TunnelFailed" | "Internal";
/**
 * A day with hours of its own.
 */
export type Exception = { 
/**
 * Which.
 */
date: LocalDate, 
/**
 * What it is, for the agent: `Christmas`.
 */
label: string, 
/**
 * Its hours; none is a day off.
 */
spans: Array<Span>, };
/**
 * What Twilio does when this computer does not answer.
 */
export type FallbackView = { 
/**
 * A document to put into a TwiML Bin.
 */
document: string, 
/**
 * The address entered for it, if one was.
 */
url: string | null, 
/**
 * What is wrong with it, as a sentence with the cure.
 */
problem: string | null, };
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
 * A microphone that is recorded outside a call.
 */
export type GreetingProgress = { 
/**
 * Which recording, by the number that `record_greeting` gave.
 */
recording: number, 
/**
 * Milliseconds recorded so far.
 */
at_ms: number, 
/**
 * Root mean square, as a share of full scale.
 */
level: number, 
/**
 * No more is recorded; what there is can be had.
 */
over: boolean, 
/**
 * Why it ended by itself, unless it was as long as it may be.
 */
error: UserError | null, };
/**
 * What the UI is told without asking.
 */
export type HostEvent = { "event": "agent_changed", "data": AgentView } | { "event": "lights_changed", "data": Lights } | { "event": "notices_changed", "data": Array<Notice> } | { "event": "call_log_changed", "data": CallLogEntry } | { "event": "call_log_removed", "data": CallId } | { "event": "do_not_disturb_changed", "data": boolean } | { "event": "queue_changed", "data": QueueView } | { "event": "rules_changed" } | { "event": "preview_line_added", "data": PreviewLine } | { "event": "greeting_progressed", "data": GreetingProgress } | { "event": "token_renewal_due" } | { "event": "action_requested", "data": ActionRequest } | { "event": "account_changed", "data": AccountStatus } | { "event": "phone_changed" } | { "event": "voice", "data": VoiceEvent };
/**
 * Opening hours.
 */
export type Hours = { 
/**
 * IANA time zone such as `Europe/Berlin`; the computer's own when absent.
 */
zone: string | null, 
/**
 * Monday first; no span is a day off.
 */
week: [Array<Span>, Array<Span>, Array<Span>, Array<Span>, Array<Span>, Array<Span>, Array<Span>], 
/**
 * Days that are not like their weekday, such as holidays.
 */
exceptions: Array<Exception>, };
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
 * What an imported `.env` file gave.
 */
export type ImportReport = { 
/**
 * Fields that were filled.
 */
filled: Array<CredentialField>, 
/**
 * Names in the file that are not needed any more, each with the reason.
 */
not_needed: Array<string>, 
/**
 * Lines that could not be read, as sentences that quote no value.
 */
problems: Array<string>, };
/**
 * Everything about incoming calls.
 */
export type IncomingRules = { 
/**
 * When callers are welcome; always, when absent.
 */
hours: Hours | null, 
/**
 * What a caller gets in these hours when nothing below applies.
 */
open: Answer, 
/**
 * Outside the hours.
 */
closed: Answer, 
/**
 * While the agent does not want to be disturbed.
 */
do_not_disturb: Answer, 
/**
 * While the agent is in a call.
 */
busy: Answer, 
/**
 * While this phone is not connected, or the agent is signed out.
 */
offline: Answer, 
/**
 * When the phone rang and nobody answered, or the agent declined.
 */
no_answer: Answer, 
/**
 * For callers who hide their number; like everybody else, when absent.
 */
hidden_number: Answer | null, 
/**
 * How long the phone rings, in seconds, 5 to 600. Twilio adds five.
 */
ring_s: number, 
/**
 * What callers hear before they leave a message, and how.
 */
voicemail: Voicemail, 
/**
 * The menu that [`Answer::Menu`] plays.
 */
menu: MenuPage, 
/**
 * The queue that [`Answer::Queue`] puts callers in.
 */
queue: QueueRules, };
/**
 * What the account has.
 */
export type Inventory = { 
/**
 * The account's name at Twilio.
 */
name: string, 
/**
 * Trial or full.
 */
kind: AccountKind, 
/**
 * Active or not.
 */
standing: AccountStanding, 
/**
 * For reading, such as `12.34 USD`.
 */
balance: string | null, 
/**
 * Whether the balance will not last long.
 */
balance_low: boolean, 
/**
 * What a trial account cannot do, in plain words; empty for a full one.
 */
trial_limits: Array<string>, 
/**
 * Owned numbers.
 */
numbers: Array<NumberView>, 
/**
 * Numbers that may be shown without being owned.
 */
verified: Array<VerifiedNumberView>, 
/**
 * Countries that may be called, riskiest first; absent where the account does not tell.
 */
countries: Array<CountryView> | null, 
/**
 * Things the agent should know before going on, such as an app entered by hand that is not used.
 */
remarks: Array<string>, };
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
reason: string | null, 
/**
 * What the button beside the reason does, where the program can help.
 */
repair: Repair | null, };
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
 * A day of the Gregorian calendar.
 */
export type LocalDate = { 
/**
 * Such as 2026.
 */
year: number, 
/**
 * 1 to 12.
 */
month: number, 
/**
 * 1 to 31.
 */
day: number, };
/**
 * A moment by the wall clock.
 */
export type LocalMoment = { 
/**
 * The day.
 */
date: LocalDate, 
/**
 * 0 Monday to 6 Sunday.
 */
weekday: number, 
/**
 * Minutes since midnight, 0 to 1439.
 */
minute: number, };
/**
 * A key of a menu: `0` to `9`.
 */
export type MenuKey = string;
/**
 * One page of the menu. Pages contain their sub-pages, so a caller only ever goes deeper, and every page
 * ends in an answer: no loop and no dead end can be written down.
 */
export type MenuPage = { 
/**
 * What the caller can choose, told.
 */
prompt: Prompt, 
/**
 * The keys.
 */
choices: { [key in MenuKey]: Choice }, 
/**
 * How long to wait for a key after the prompt, in seconds, 1 to 60.
 */
wait_s: number, 
/**
 * How often the prompt is played when no key, or a wrong one, was pressed; 1 to 5.
 */
attempts: number, 
/**
 * What then happens.
 */
otherwise: Answer, };
/**
 * An amount in one currency. Twilio's prices have four to five decimals.
 */
export type Money = { 
/**
 * Millionths of the unit.
 */
micros: number, 
/**
 * ISO 4217 code such as `USD`.
 */
currency: string, };
/**
 * What somebody hears while waiting.
 */
export type Music = { "type": "tune" } | { "type": "silence" } | { "type": "recording", 
/**
 * Which.
 */
sound: SoundName, };
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
problem: string | null, 
/**
 * The emergency number that was typed, digits only, if it is one.
 */
emergency: string | null, };
/**
 * An owned number.
 */
export type NumberView = { 
/**
 * Its SID.
 */
sid: PhoneNumberSid, 
/**
 * The number.
 */
number: E164, 
/**
 * For reading.
 */
formatted: string, 
/**
 * Its name at Twilio.
 */
name: string, 
/**
 * Whether it can carry calls.
 */
voice: boolean, 
/**
 * Where its calls go now, as words: "nowhere", "a SIP trunk", "example.com".
 */
goes_to: string, 
/**
 * Whether they go to this computer.
 */
here: boolean, 
/**
 * What pointing it here would break, as a sentence; absent when nothing.
 */
warning: string | null, };
/**
 * What about countries that are not in the list.
 */
export type OtherCountries = "ask" | "block";
/**
 * The rules of outgoing calls.
 */
export type OutgoingRules = { 
/**
 * Countries that may be called, by ISO 3166 code; the home country alone, when absent.
 */
countries: Array<string> | null, 
/**
 * What about the others.
 */
other_countries: OtherCountries, 
/**
 * Whether numbers may be called that cost more than their country's telephones: premium, shared-cost,
 * personal and satellite ones ([`phone_number::surcharge`]). Dear countries are not among them; those
 * are kept out by the list of countries.
 */
premium: boolean, 
/**
 * Whether emergency numbers may be called: the owner has set that up at Twilio and accepted that
 * this program is no replacement for a telephone.
 */
emergency: boolean, 
/**
 * Whether `client:` and `sip:` addresses may be called.
 */
addresses: boolean, 
/**
 * The longest conversation in seconds, 60 to 14,400 (Twilio's own limit of four hours).
 */
time_limit_s: number, 
/**
 * How many calls may be under way at once, 1 to 10.
 */
most_calls: number, 
/**
 * Minutes of calls to telephones in one day.
 */
minutes_per_day: number | null, 
/**
 * What calls to telephones may cost in one day, by Twilio's prices.
 */
money_per_day: Money | null, };
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
 * A telephone number the account owns.
 */
export type PhoneNumberSid = string;
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
 * How the agent is in a preview.
 */
export type PreviewAgent = "ready" | "busy" | "do_not_disturb" | "offline";
/**
 * One thing that happens in a preview.
 */
export type PreviewLine = { 
/**
 * Seconds since the call began.
 */
at_s: number, 
/**
 * Whose doing it is.
 */
who: PreviewWho, 
/**
 * As a sentence, or what is spoken.
 */
text: string, };
/**
 * A call to try the rules with.
 */
export type PreviewScript = { 
/**
 * By the wall clock of the rules' hours; now, when absent.
 */
at: LocalMoment | null, 
/**
 * How the agent is.
 */
agent: PreviewAgent, 
/**
 * Whether the agent answers when the phone rings.
 */
agent_answers: boolean, 
/**
 * Whether the caller hides their number.
 */
hidden_number: boolean, 
/**
 * Keys the caller presses, one for each page of the menu; `-` lets one pass.
 */
keys: string, };
/**
 * Whose doing a line of a preview is.
 */
export type PreviewWho = "heard" | "caller" | "agent" | "call";
/**
 * Something wrong with the rules.
 */
export type Problem = { 
/**
 * Where: the fields that lead there, such as `menu.choices.1.then.page.prompt`.
 */
path: string, 
/**
 * What is wrong and what to do, as a sentence for the agent.
 */
message: string, };
/**
 * A tunnel program.
 */
export type ProgramView = { 
/**
 * `cloudflared`, `ngrok` or `ssh`.
 */
name: string, 
/**
 * Where it was found.
 */
path: string | null, };
/**
 * Something a caller hears.
 */
export type Prompt = { "type": "say", 
/**
 * At most 4,096 characters.
 */
text: string, 
/**
 * BCP 47 tag such as `de-DE`; `en-US` when absent.
 */
language: string | null, } | { "type": "play", 
/**
 * Which.
 */
sound: SoundName, };
/**
 * A question before a call.
 */
export type Question = { 
/**
 * ISO 3166 code of the country that is not in the list; empty where several countries share the number's
 * code and the number does not tell which of them it is in. Such a country cannot be put in the list.
 */
region: string, 
/**
 * Its name, in English; `an unknown country` where the region is empty.
 */
country: string, };
/**
 * The queue.
 */
export type QueueRules = { 
/**
 * What callers hear when they are put in.
 */
greeting: Prompt, 
/**
 * Whether they are told how many are before them.
 */
tell_position: boolean, 
/**
 * What they hear while they wait.
 */
music: Music, 
/**
 * How long one waits, in seconds, 30 to 14,400.
 */
longest_wait_s: number, 
/**
 * How many may wait, 1 to 100.
 */
most_waiting: number, 
/**
 * What the others get: [`Answer::Voicemail`], [`Answer::Forward`] or [`Answer::Message`].
 */
overflow: Answer, };
/**
 * Who waits in the queue, longest first.
 */
export type QueueView = { 
/**
 * The callers.
 */
waiting: Array<WaitingView>, };
/**
 * What was recorded.
 */
export type RecordedGreeting = { 
/**
 * A WAV file, in base64.
 */
wav_base64: string, 
/**
 * Milliseconds.
 */
duration_ms: number, 
/**
 * Whether anything louder than the noise of a room was heard.
 */
heard: boolean, };
/**
 * One recording of a logged call.
 */
export type Recording = { 
/**
 * Twilio's name of it.
 */
recording_sid: RecordingSid, 
/**
 * Whether it is a message that the caller left.
 */
message: boolean, 
/**
 * What there is of it.
 */
status: RecordingStatus, 
/**
 * Whole seconds, once ready.
 */
duration_s: number | null, 
/**
 * What was said, where it was written down.
 */
text: string | null, };
/**
 * A recording, to be played by the page.
 */
export type RecordingAudio = { 
/**
 * A WAV file, in base64.
 */
wav_base64: string, };
/**
 * A recording of a call or a conference.
 */
export type RecordingSid = string;
/**
 * What there is of a recording (`RecordingStatus`), in the order in which it may change.
 */
export type RecordingStatus = "in-progress" | "completed" | "absent" | "failed" | "deleted";
/**
 * What the button beside a reason does.
 */
export type Repair = "restart_tunnel" | "change_tunnel" | "run_set_up" | "choose_numbers" | "enter_auth_token" | "unlock_vault";
/**
 * A number that is put back.
 */
export type RestoredView = { 
/**
 * For reading.
 */
number: string, 
/**
 * Where its calls will go again, as words; absent when someone changed it since, so that it is left alone.
 */
goes_to: string | null, };
/**
 * The rules of both directions.
 */
export type Rules = { 
/**
 * Calls the agent places.
 */
outgoing: OutgoingRules, 
/**
 * Calls that come in.
 */
incoming: IncomingRules, };
/**
 * Everything the pages about calls show.
 */
export type RulesView = { 
/**
 * As they are kept.
 */
rules: Rules, 
/**
 * As a new installation has them.
 */
defaults: Rules, 
/**
 * What is wrong with those kept, such as a recording that is no longer there.
 */
problems: Array<Problem>, 
/**
 * Every country, by name.
 */
countries: Array<CountryOption>, 
/**
 * ISO 3166 code of the agent's own country.
 */
home_region: string, 
/**
 * The computer's time zone, by its IANA name.
 */
zone: string, 
/**
 * Every time zone, by its IANA name.
 */
zones: Array<string>, 
/**
 * The agent's recordings.
 */
sounds: Array<SoundView>, 
/**
 * What callers get while this computer cannot be reached.
 */
fallback: FallbackView, 
/**
 * What today's calls came to.
 */
today: SpentView, 
/**
 * ISO 4217 code of the account's currency, where Twilio could be asked.
 */
currency: string | null, };
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
 * How it stands with what Twilio signs its requests with.
 */
export type SigningState = "auth_token" | "switching_on" | "shared_key" | "replacing" | "switching_off";
/**
 * What Twilio signs its requests with.
 */
export type SigningView = { 
/**
 * How it stands.
 */
state: SigningState, 
/**
 * Whether it is being changed, or looked after, just now.
 */
under_way: boolean, 
/**
 * Whether Twilio lets this account choose; absent until it was asked.
 */
offered: boolean | null, 
/**
 * What is being waited for and goes on by itself, such as the network.
 */
waiting: string | null, 
/**
 * Why the last change failed; it stands until the next.
 */
error: UserError | null, };
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
call_log: CallLogPage, 
/**
 * Whether the agent does not want to be disturbed.
 */
do_not_disturb: boolean, 
/**
 * Who waits in the queue.
 */
queue: QueueView, };
/**
 * Names a recording that callers hear: 32 lower-case hexadecimal digits, the beginning of the
 * recording's SHA-256, so that it cannot be guessed.
 */
export type SoundName = string;
/**
 * A recording of the agent's that callers hear.
 */
export type SoundView = { 
/**
 * Its name in the rules.
 */
name: SoundName, 
/**
 * What the agent calls it.
 */
label: string, 
/**
 * Whole seconds.
 */
duration_s: number, };
/**
 * From one minute of the day to another. A span whose end is not after its beginning goes on past midnight.
 */
export type Span = { 
/**
 * Minutes since midnight, 0 to 1439.
 */
from: number, 
/**
 * Minutes since midnight, 1 to 1440; this minute is no longer in the span.
 */
to: number, };
/**
 * What calls to telephones came to since midnight.
 */
export type SpentView = { 
/**
 * Whole minutes.
 */
minutes: number, 
/**
 * By Twilio's prices, where they are known.
 */
money: Money | null, };
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
 * How far a step is.
 */
export type StepState = "pending" | "running" | "waiting" | "done" | "failed";
/**
 * One thing being done.
 */
export type StepView = { 
/**
 * Stable within a run.
 */
id: string, 
/**
 * What it is, as words: "Make an API key for this computer".
 */
title: string, 
/**
 * How far it is.
 */
state: StepState, 
/**
 * What came of it or why it failed.
 */
note: string | null, };
/**
 * What a caller gets in place of the agent's phone.
 */
export type Taken = { 
/**
 * The rule that says so, as [`Problem::path`] names it: `incoming.do_not_disturb`.
 */
path: string, 
/**
 * What it says.
 */
answer: Answer, };
/**
 * How Twilio reaches the webhook server of this computer.
 */
export type TunnelChoice = { "type": "fixed", 
/**
 * `https://phone.example.com`, a path allowed.
 */
url: string, } | { "type": "cloudflared_named", 
/**
 * `https://phone.example.com`.
 */
url: string, 
/**
 * The program; found on `PATH` when absent.
 */
program: string | null, } | { "type": "cloudflared_quick", 
/**
 * The program; found on `PATH` when absent.
 */
program: string | null, } | { "type": "ngrok", 
/**
 * The account's own domain, such as `https://name.ngrok-free.dev`; its first one when absent.
 */
url: string | null, 
/**
 * The program; found on `PATH` when absent.
 */
program: string | null, } | { "type": "ssh", 
/**
 * `user@host`.
 */
destination: string, 
/**
 * The host's ssh port; 22 when absent.
 */
port: number | null, 
/**
 * The private key's file; ssh's own choice when absent.
 */
key_file: string | null, 
/**
 * The port on the host's loopback that is forwarded here.
 */
remote_port: number, 
/**
 * What the host serves from that port.
 */
url: string, 
/**
 * The program; found on `PATH` when absent.
 */
program: string | null, } | { "type": "command", 
/**
 * The program.
 */
program: string, 
/**
 * Its arguments; `{port}` stands for the webhook server's port.
 */
arguments: Array<string>, 
/**
 * A regular expression whose first group, or whole match, is the address in the program's
 * output; or
 */
url_pattern: string | null, 
/**
 * the address itself, where it is known beforehand.
 */
url: string | null, };
/**
 * How a tunnel stands.
 */
export type TunnelLight = "off" | "starting" | "up" | "restoring" | "stopped";
/**
 * How Twilio reaches this computer.
 */
export type TunnelView = { 
/**
 * What was chosen.
 */
choice: TunnelChoice, 
/**
 * How it stands.
 */
light: TunnelLight, 
/**
 * The public address, while there is one.
 */
url: string | null, 
/**
 * What is wrong, for the agent.
 */
error: UserError | null, 
/**
 * When it is tried again, in Unix milliseconds.
 */
retry_at_ms: number | null, 
/**
 * The last lines of the program's output, without secrets.
 */
log: Array<string>, };
/**
 * What to do beyond putting the numbers back when an account is disconnected.
 */
export type Undo = { 
/**
 * Delete this computer's TwiML App.
 */
delete_app: boolean, 
/**
 * Delete this computer's API key.
 */
delete_key: boolean, };
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
 * What keeps the secrets.
 */
export type VaultKind = "keychain" | "file" | "memory";
/**
 * Where secrets are kept.
 */
export type VaultView = { 
/**
 * What keeps them.
 */
kind: VaultKind, 
/**
 * Whether it can be used now.
 */
ready: boolean, 
/**
 * Why not, with the cure.
 */
error: UserError | null, 
/**
 * Whether an encrypted file may be chosen instead of the keychain (Linux without one).
 */
file_possible: boolean, };
/**
 * A number that may be shown without being owned.
 */
export type VerifiedNumberView = { 
/**
 * The number.
 */
number: E164, 
/**
 * For reading.
 */
formatted: string, 
/**
 * Its name at Twilio.
 */
name: string, };
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
/**
 * Taking messages.
 */
export type Voicemail = { 
/**
 * Before the tone.
 */
greeting: Prompt, 
/**
 * The longest message, in seconds, 10 to 600; 120 where it is transcribed.
 */
longest_s: number, 
/**
 * Whether Twilio writes the message down, which costs and is in English only.
 */
transcribe: boolean, };
/**
 * A caller in the queue.
 */
export type WaitingView = { 
/**
 * E.164, or what the network says.
 */
peer: string, 
/**
 * For reading.
 */
formatted: string, 
/**
 * Unix milliseconds.
 */
since_ms: number, };

export interface Commands {
  /** Everything a page needs, when it was just loaded and when it missed events. */
  snapshot(args: { page: PageId; }): Promise<Snapshot>;
  /** Reads what was typed into the number field. */
  inspect_number(args: { text: string; }): Promise<NumberInspection>;
  /** Asks whether a call may be placed, and notes it: only noted calls are connected, once, within 30 seconds. `to` is E.164, an emergency number, `client:…`, `sip:…`, or `queue:` for the next caller in the queue. */
  prepare_call(args: { call: CallId; to: string; caller_id: E164 | null; confirmed: boolean; }): Promise<CallPermit>;
  /** Callers get what the rules say for an agent who does not want to be disturbed, or ring again. */
  set_do_not_disturb(args: { on: boolean; }): Promise<void>;
  /** A recording or message, fetched from Twilio. */
  recording(args: { recording: RecordingSid; }): Promise<RecordingAudio>;
  /** Deletes a recording or message at Twilio and in the log. */
  delete_recording(args: { call: CallId; recording: RecordingSid; }): Promise<void>;
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
  /** Practice mode: someone calls the agent. Tells which rule takes the call, where the phone does not ring. */
  practice_incoming(args: { call: PracticeCall; }): Promise<Taken | null>;
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
  /** How the account stands. */
  account_status(args: { }): Promise<AccountStatus>;
  /** Enters, or with an empty text clears, one field. Only its form is checked. */
  enter_credential(args: { field: CredentialField; text: string; }): Promise<void>;
  /** Enters what a `.env` file of the seed's kind says. */
  import_env(args: { text: string; }): Promise<ImportReport>;
  /** Forgets everything entered and not yet connected. */
  forget_credentials(args: { }): Promise<void>;
  /** Keeps what was entered and looks at the account; without a network it waits and goes on by itself. */
  check_account(args: { }): Promise<void>;
  /** Does what is needed at Twilio for these choices; also changes them later. */
  set_up(args: { choices: Choices; }): Promise<void>;
  /** Goes back from choosing to the account as it is in use. */
  leave_choosing(args: { }): Promise<void>;
  /** Tries again at once whatever failed or waits. */
  try_again(args: { }): Promise<void>;
  /** Tells that the computer went on or off the network, as far as the page knows. */
  report_network(args: { online: boolean; }): Promise<void>;
  /** Verifies a number so that it may be shown to called parties: Twilio calls it and asks for a code. */
  verify_caller_id(args: { number: string; }): Promise<void>;
  /** Does what the button beside a light says. */
  repair(args: { repair: Repair; }): Promise<void>;
  /** Replaces the Auth Token, after it was changed at Twilio. */
  replace_auth_token(args: { text: string; }): Promise<void>;
  /** Has Twilio sign its requests with a key of this computer's own, and believes nothing else once it does; or */
  /** goes back to the Auth Token. Answers once that is begun; it goes on after a restart. */
  use_shared_key(args: { on: boolean; }): Promise<void>;
  /** Makes another such key and has it take the place of the one in use. */
  replace_shared_key(args: { }): Promise<void>;
  /** Keeps secrets in a file encrypted with this passphrase, for want of a keychain. */
  use_encrypted_file(args: { passphrase: string; }): Promise<void>;
  /** Asks the keychain again, or opens the encrypted file. */
  unlock_vault(args: { passphrase: string | null; }): Promise<void>;
  /** What disconnecting would do. */
  preview_disconnect(args: { }): Promise<DisconnectView>;
  /** Puts everything back as it was and forgets the account. */
  disconnect(args: { undo: Undo; }): Promise<void>;
  /** After disconnecting failed: forgets the account here without putting anything back. What its numbers */
  /** said before is written to a file. */
  forget_account(args: { }): Promise<void>;
  /** The rules, and what is needed to edit them. */
  rules(args: { }): Promise<RulesView>;
  /** What is wrong with rules that are being edited. */
  check_rules(args: { rules: Rules; }): Promise<Array<Problem>>;
  /** Keeps rules; they hold from the next call on. Rules with problems are refused. */
  save_rules(args: { rules: Rules; }): Promise<void>;
  /** Adds a country to those that may be called. */
  allow_country(args: { region: string; }): Promise<void>;
  /** Keeps a recording that callers shall hear: a WAV file in base64. */
  add_sound(args: { label: string; wav_base64: string; }): Promise<SoundView>;
  /** A recording, to be played by the page. */
  sound(args: { name: SoundName; }): Promise<RecordingAudio>;
  /** This computer's microphones, for recording a greeting. */
  microphones(args: { }): Promise<Array<AudioDevice>>;
  /** Begins to record a greeting with a microphone, of a minute at most; not while there is a call, whose */
  /** microphone it is. Gives the recording's number; how far it is comes as events, which may overtake this answer. */
  record_greeting(args: { microphone: string; }): Promise<number>;
  /** Ends the recording of that number and gives it; it is kept nowhere until it is added as a sound. */
  finish_greeting(args: { recording: number; }): Promise<RecordedGreeting>;
  /** Deletes a recording that no rule uses. */
  delete_sound(args: { name: SoundName; }): Promise<void>;
  /** Looks whether Twilio would get something to play while this computer cannot be reached. */
  check_fallback(args: { }): Promise<FallbackView>;
  /** Tells Twilio where to go while this computer cannot be reached: an address of a TwiML document, or nowhere. */
  set_fallback(args: { url: string | null; }): Promise<FallbackView>;
  /** Plays a call against the practice Twilio, with rules that are being edited, and tells what happens. */
  /** Each line also comes as an event when it happens. Ends the preview that is being played, if there is one. */
  preview_incoming(args: { rules: Rules; script: PreviewScript; }): Promise<Array<PreviewLine>>;
  /** Ends the preview that is being played. */
  stop_preview(args: { }): Promise<void>;
  /** Presses a key in the preview that is being played, while its menu waits for one. One that the menu does not */
  /** have is refused, and played all the same. */
  press_preview_key(args: { key: string; }): Promise<void>;
}
