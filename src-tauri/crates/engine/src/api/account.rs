//! The commands that connect, change and disconnect the Twilio account.
//!
//! What the agent enters goes in and never comes back: a secret is shown as entered or not, no more.

use dialer_domain::account::{AccountKind, AccountStanding};
use dialer_domain::entry::Field;
use dialer_domain::error::UserError;
use dialer_domain::phone_number::E164;
use dialer_domain::ports::VaultKind;
use dialer_domain::setup::{Choices, TunnelChoice, Undo};
use dialer_domain::sid::PhoneNumberSid;
use serde::{Deserialize, Serialize};

use super::{Repair, Types, command_return, malformed};

/// Everything the account page shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct AccountStatus {
    /// Where in its life the account is.
    pub phase: AccountPhase,
    /// What is being waited for and goes on by itself, such as the network; absent while nothing is.
    pub waiting: Option<String>,
    /// Why the last thing asked for failed; it stands until something is asked again.
    pub error: Option<UserError>,
    /// What was entered so far, one for each field.
    pub credentials: Vec<CredentialView>,
    /// What the account has, once it was looked at.
    pub inventory: Option<Inventory>,
    /// What the agent chose, or what is suggested once the account was looked at.
    pub choices: Option<Choices>,
    /// What is being done at Twilio, or was done last.
    pub steps: Vec<StepView>,
    /// A caller id that is being verified, or was last.
    pub caller_id_check: Option<CallerIdCheck>,
    /// The account in use.
    pub connected: Option<ConnectedView>,
    /// What Twilio signs its requests with, once there is an account in use.
    pub signing: Option<SigningView>,
    /// How Twilio reaches this computer, once that was chosen.
    pub tunnel: Option<TunnelView>,
    /// Where secrets are kept.
    pub vault: VaultView,
    /// Tunnel programs, and whether they are on this computer.
    pub programs: Vec<ProgramView>,
}

/// Where in its life the account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum AccountPhase {
    /// There is none: practice mode, and something may have been entered.
    None,
    /// There is one, but its secrets cannot be read: see `vault`.
    Locked,
    /// Twilio is being asked about it.
    Checking,
    /// The agent picks numbers and a tunnel.
    Choosing,
    /// The steps are being done.
    SettingUp,
    /// It is in use.
    Connected,
    /// What was changed is being put back.
    Disconnecting,
}

/// What was entered into a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CredentialView {
    /// Which.
    pub field: Field,
    /// The text, unless it is a secret.
    pub value: Option<String>,
    /// Whether there is one.
    pub entered: bool,
    /// What is wrong with its form, as a sentence with the cure.
    pub problem: Option<String>,
}

/// What an imported `.env` file gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct ImportReport {
    /// Fields that were filled.
    pub filled: Vec<Field>,
    /// Names in the file that are not needed any more, each with the reason.
    pub not_needed: Vec<String>,
    /// Lines that could not be read, as sentences that quote no value.
    pub problems: Vec<String>,
}

/// What the account has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct Inventory {
    /// The account's name at Twilio.
    pub name: String,
    /// Trial or full.
    pub kind: AccountKind,
    /// Active or not.
    pub standing: AccountStanding,
    /// For reading, such as `12.34 USD`.
    pub balance: Option<String>,
    /// Whether the balance will not last long.
    pub balance_low: bool,
    /// What a trial account cannot do, in plain words; empty for a full one.
    pub trial_limits: Vec<String>,
    /// Owned numbers.
    pub numbers: Vec<NumberView>,
    /// Numbers that may be shown without being owned.
    pub verified: Vec<VerifiedNumberView>,
    /// Countries that may be called, riskiest first; absent where the account does not tell.
    pub countries: Option<Vec<CountryView>>,
    /// Things the agent should know before going on, such as an app entered by hand that is not used.
    pub remarks: Vec<String>,
}

/// An owned number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct NumberView {
    /// Its SID.
    pub sid: PhoneNumberSid,
    /// The number.
    pub number: E164,
    /// For reading.
    pub formatted: String,
    /// Its name at Twilio.
    pub name: String,
    /// Whether it can carry calls.
    pub voice: bool,
    /// Where its calls go now, as words: "nowhere", "a SIP trunk", "example.com".
    pub goes_to: String,
    /// Whether they go to this computer.
    pub here: bool,
    /// What pointing it here would break, as a sentence; absent when nothing.
    pub warning: Option<String>,
}

/// A number that may be shown without being owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct VerifiedNumberView {
    /// The number.
    pub number: E164,
    /// For reading.
    pub formatted: String,
    /// Its name at Twilio.
    pub name: String,
}

/// Whether a country may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CountryView {
    /// ISO 3166.
    pub iso: String,
    /// Its English name at Twilio.
    pub name: String,
    /// Ordinary numbers.
    pub ordinary: bool,
    /// Premium and shared-cost numbers: expensive.
    pub special: bool,
    /// Ranges known for toll fraud: a stolen token is turned into money there.
    pub toll_fraud: bool,
}

/// One thing being done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct StepView {
    /// Stable within a run.
    pub id: String,
    /// What it is, as words: "Make an API key for this computer".
    pub title: String,
    /// How far it is.
    pub state: StepState,
    /// What came of it or why it failed.
    pub note: Option<String>,
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Not begun.
    Pending,
    /// Being done.
    Running,
    /// Waits for the network and goes on by itself.
    Waiting,
    /// Done.
    Done,
    /// Failed: see the note.
    Failed,
}

/// A number being verified as caller id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct CallerIdCheck {
    /// The number that Twilio calls.
    pub number: E164,
    /// For reading.
    pub formatted: String,
    /// What must be keyed in during that call.
    pub code: Option<String>,
    /// How far it is.
    pub state: CallerIdCheckState,
    /// Why it failed.
    pub error: Option<UserError>,
}

/// How far the verification of a caller id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum CallerIdCheckState {
    /// Twilio is being asked for a code.
    Asking,
    /// Twilio calls; the code must be keyed in.
    Calling,
    /// The number is verified.
    Verified,
    /// It is not.
    Failed,
}

/// The account in use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ts_rs::TS)]
pub struct ConnectedView {
    /// The account's name at Twilio.
    pub name: String,
    /// Its SID.
    pub account_sid: String,
    /// Trial or full.
    pub kind: AccountKind,
    /// For reading; absent when it could not be had.
    pub balance: Option<String>,
    /// Numbers that ring here, for reading.
    pub rings: Vec<String>,
    /// The number shown to called parties, for reading.
    pub caller_id: Option<String>,
    /// This computer's names at Twilio, for people who look at the Console.
    pub resource_name: String,
}

/// What Twilio signs its requests with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct SigningView {
    /// How it stands.
    pub state: SigningState,
    /// Whether it is being changed, or looked after, just now.
    pub under_way: bool,
    /// Whether Twilio lets this account choose; absent until it was asked.
    pub offered: Option<bool>,
    /// What is being waited for and goes on by itself, such as the network.
    pub waiting: Option<String>,
    /// Why the last change failed; it stands until the next.
    pub error: Option<UserError>,
}

/// How it stands with what Twilio signs its requests with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum SigningState {
    /// The account's Auth Token signs, as at first.
    AuthToken,
    /// A key of this computer's own is being introduced; the Auth Token is good until Twilio signs with it.
    SwitchingOn,
    /// A key of this computer's own signs, and nothing else is believed.
    SharedKey,
    /// The same, and another key is taking its place.
    Replacing,
    /// The Auth Token is good again, and Twilio is being told to sign with it.
    SwitchingOff,
}

/// How Twilio reaches this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct TunnelView {
    /// What was chosen.
    pub choice: TunnelChoice,
    /// How it stands.
    pub light: TunnelLight,
    /// The public address, while there is one.
    pub url: Option<String>,
    /// What is wrong, for the agent.
    pub error: Option<UserError>,
    /// When it is tried again, in Unix milliseconds.
    #[ts(type = "number | null")]
    pub retry_at_ms: Option<i64>,
    /// The last lines of the program's output, without secrets.
    pub log: Vec<String>,
}

/// How a tunnel stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "snake_case")]
pub enum TunnelLight {
    /// Not wanted.
    Off,
    /// Starting, or being proven.
    Starting,
    /// Twilio's requests arrive.
    Up,
    /// It was up and is being restored by itself.
    Restoring,
    /// The agent must do something.
    Stopped,
}

/// Where secrets are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct VaultView {
    /// What keeps them.
    pub kind: VaultKind,
    /// Whether it can be used now.
    pub ready: bool,
    /// Why not, with the cure.
    pub error: Option<UserError>,
    /// Whether an encrypted file may be chosen instead of the keychain (Linux without one).
    pub file_possible: bool,
}

/// A tunnel program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct ProgramView {
    /// `cloudflared`, `ngrok` or `ssh`.
    pub name: String,
    /// Where it was found.
    pub path: Option<String>,
}

/// What disconnecting would do, for the agent to confirm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct DisconnectView {
    /// Numbers and what is put back.
    pub numbers: Vec<RestoredView>,
    /// Whether this computer has an app of its own that can be deleted.
    pub app: bool,
    /// Whether this computer has a key of its own that can be deleted.
    pub key: bool,
}

/// A number that is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct RestoredView {
    /// For reading.
    pub number: String,
    /// Where its calls will go again, as words; absent when someone changed it since, so that it is left alone.
    pub goes_to: Option<String>,
}

commands! {
    /// What a host must be able to do with the Twilio account; the names are the commands.
    trait AccountCommands;

    /// How the account stands.
    account_status() -> AccountStatus;
    /// Enters, or with an empty text clears, one field. Only its form is checked.
    enter_credential(field: Field, text: String) -> ();
    /// Enters what a `.env` file of the seed's kind says.
    import_env(text: String) -> ImportReport;
    /// Forgets everything entered and not yet connected.
    forget_credentials() -> ();
    /// Keeps what was entered and looks at the account; without a network it waits and goes on by itself.
    check_account() -> ();
    /// Does what is needed at Twilio for these choices; also changes them later.
    set_up(choices: Choices) -> ();
    /// Goes back from choosing to the account as it is in use.
    leave_choosing() -> ();
    /// Tries again at once whatever failed or waits.
    try_again() -> ();
    /// Tells that the computer went on or off the network, as far as the page knows.
    report_network(online: bool) -> ();
    /// Verifies a number so that it may be shown to called parties: Twilio calls it and asks for a code.
    verify_caller_id(number: String) -> ();
    /// Does what the button beside a light says.
    repair(repair: Repair) -> ();
    /// Replaces the Auth Token, after it was changed at Twilio.
    replace_auth_token(text: String) -> ();
    /// Has Twilio sign its requests with a key of this computer's own, and believes nothing else once it does; or
    /// goes back to the Auth Token. Answers once that is begun; it goes on after a restart.
    use_shared_key(on: bool) -> ();
    /// Makes another such key and has it take the place of the one in use.
    replace_shared_key() -> ();
    /// Keeps secrets in a file encrypted with this passphrase, for want of a keychain.
    use_encrypted_file(passphrase: String) -> ();
    /// Asks the keychain again, or opens the encrypted file.
    unlock_vault(passphrase: Option<String>) -> ();
    /// What disconnecting would do.
    preview_disconnect() -> DisconnectView;
    /// Puts everything back as it was and forgets the account.
    disconnect(undo: Undo) -> ();
    /// After disconnecting failed: forgets the account here without putting anything back. What its numbers
    /// said before is written to a file.
    forget_account() -> ();
}
