//! Connecting an account as a plan: what is wanted is compared with what is found, and the difference
//! is a list of steps. Every step can be repeated without harm, so a program that was killed anywhere
//! plans again from what it finds; and what a step replaces is in the [`Record`] before it is replaced,
//! so everything can be undone.

mod destination;
mod plan;
mod recording;
mod signing;

use serde::{Deserialize, Serialize};

use crate::account::{AccountFacts, ApiKey, AppSettings, NumberRouting, OwnedNumber, TwimlApp};
use crate::identity::ClientIdentity;
use crate::phone_number::E164;
use crate::sid::{AccountSid, ApiKeySid, PhoneNumberSid, TwimlAppSid};

pub use destination::{Destination, destination};
pub use plan::{disconnect, left_over, plan, undo};
pub use recording::Made;
pub use signing::Signing;

/// The longest `FriendlyName` of a key or an app (REST error 70001 beyond it).
pub const FRIENDLY_NAME_MAX: usize = 64;
/// What the names of keys and apps made by this program begin with.
pub const NAME_PREFIX: &str = "Kennex Dialer";

/// This installation of the program; two computers on one account keep apart by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Eight hexadecimal digits, random, made at the first start.
    pub id: String,
    /// The computer's name, for people who look at the Console.
    pub computer: String,
}

impl Installation {
    /// The `FriendlyName` of this installation's key and app, such as
    /// `Kennex Dialer on albert-laptop (1a2b3c4d)`; the computer's name is cut where it is too long.
    pub fn resource_name(&self) -> String {
        let ending = format!(" ({})", self.id);
        let room = FRIENDLY_NAME_MAX.saturating_sub(NAME_PREFIX.len() + " on ".len() + ending.len());
        let computer: String =
            self.computer.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(room).collect();
        let computer = Some(computer.trim()).filter(|name| !name.is_empty()).unwrap_or("a computer");
        format!("{NAME_PREFIX} on {computer}{ending}")
    }
}

/// How Twilio reaches the webhook server of this computer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TunnelChoice {
    /// An address that leads here without the program's doing: a proxy or a load balancer.
    Fixed {
        /// `https://phone.example.com`, a path allowed.
        url: String,
    },
    /// `cloudflared`, a tunnel of the agent's own with a host name of their own. Its token is a secret.
    CloudflaredNamed {
        /// `https://phone.example.com`.
        url: String,
        /// The program; found on `PATH` when absent.
        program: Option<String>,
    },
    /// `cloudflared`, a temporary address that is new at every start.
    CloudflaredQuick {
        /// The program; found on `PATH` when absent.
        program: Option<String>,
    },
    /// The `ngrok` agent, version 3. Its token is a secret, or is in the agent's own configuration.
    Ngrok {
        /// The account's own domain, such as `https://name.ngrok-free.dev`; its first one when absent.
        url: Option<String>,
        /// The program; found on `PATH` when absent.
        program: Option<String>,
    },
    /// `ssh -R` to a host of the agent's own, which passes `url` on to the forwarded port.
    Ssh {
        /// `user@host`.
        destination: String,
        /// The host's ssh port; 22 when absent.
        port: Option<u16>,
        /// The private key's file; ssh's own choice when absent.
        key_file: Option<String>,
        /// The port on the host's loopback that is forwarded here.
        remote_port: u16,
        /// What the host serves from that port.
        url: String,
        /// The program; found on `PATH` when absent.
        program: Option<String>,
    },
    /// Any other program that brings a public address here.
    Command {
        /// The program.
        program: String,
        /// Its arguments; `{port}` stands for the webhook server's port.
        arguments: Vec<String>,
        /// A regular expression whose first group, or whole match, is the address in the program's
        /// output; or
        url_pattern: Option<String>,
        /// the address itself, where it is known beforehand.
        url: Option<String>,
    },
}

/// What the agent chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Choices {
    /// Shown to called parties; one of the owned or verified numbers.
    pub caller_id: Option<E164>,
    /// Numbers whose calls ring here.
    pub ring: Vec<PhoneNumberSid>,
    /// How Twilio reaches this computer.
    pub tunnel: TunnelChoice,
    /// What callers get while this computer cannot be reached: an address of a TwiML document, such as a
    /// TwiML Bin.
    pub fallback_url: Option<String>,
}

/// What was entered and waits for a look at the account. Its secrets are in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The account.
    pub account: AccountSid,
    /// A key to use instead of a new one; its secret is in the vault under this SID.
    pub api_key: Option<ApiKeySid>,
    /// The number to be shown to called parties.
    pub phone_number: Option<E164>,
    /// A TwiML App made by hand: it is looked for and left alone.
    pub twiml_app: Option<TwimlAppSid>,
    /// A fixed public address.
    pub backend_url: Option<String>,
}

/// A number that was pointed here, with what it said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundNumber {
    /// Which.
    pub sid: PhoneNumberSid,
    /// The number.
    pub number: E164,
    /// What it said; its app and its trunk are put back.
    pub before: NumberRouting,
}

/// What was done at Twilio, written before or together with the doing. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The account.
    pub account: AccountFacts,
    /// Whom access tokens name.
    pub identity: ClientIdentity,
    /// What set-up has done; absent until it ran to its end once.
    pub choices: Option<Choices>,
    /// What set-up is doing: it goes on after a restart until it is done or given up.
    #[serde(default)]
    pub wanted: Option<Choices>,
    /// The account is being disconnected: that goes on after a restart, too.
    #[serde(default)]
    pub undoing: Option<Undo>,
    /// The key in use, once its secret is in the vault.
    pub key: Option<ApiKeySid>,
    /// Whether the program made that key, and may delete it.
    pub key_is_ours: bool,
    /// This computer's TwiML App, once made.
    pub app: Option<TwimlAppSid>,
    /// Numbers that were pointed at the app.
    pub numbers: Vec<BoundNumber>,
    /// The public address last written to the app, without a path.
    pub published: Option<String>,
    /// With a key of this computer's own; absent while the Auth Token signs.
    #[serde(default)]
    pub signing: Option<Signing>,
    /// Whether set-up ran to its end once; from then on the phone starts with this account.
    pub complete: bool,
}

/// What is wanted at Twilio, now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// This installation.
    pub installation: Installation,
    /// Numbers whose calls ring here.
    pub ring: Vec<PhoneNumberSid>,
    /// What the app should say, with [`Installation::resource_name`] as its name. What is absent is left
    /// as it is found on the app, or made without: the addresses until the public address is known, and
    /// a fallback that nobody chose. One that was chosen away is the empty text.
    pub app: AppSettings,
}

/// What is there, now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// All keys of the account.
    pub keys: Vec<ApiKey>,
    /// All TwiML Apps of the account.
    pub apps: Vec<TwimlApp>,
    /// All numbers of the account.
    pub numbers: Vec<OwnedNumber>,
}

/// One thing to do. Steps come in an order that leaves the phone usable wherever it stops: what is
/// pointed at exists before it is pointed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key of this installation's name whose secret was lost between making and keeping it.
    DeleteLostKey {
        /// Which.
        sid: ApiKeySid,
    },
    /// Make a key and put its secret in the vault, under the key's SID, before that SID is recorded.
    CreateKey {
        /// Its name.
        friendly_name: String,
    },
    /// Take an app of this installation's name that is not in the record: it was made just before a crash.
    AdoptApp {
        /// Which.
        sid: TwimlAppSid,
    },
    /// Make this computer's app.
    CreateApp {
        /// What it says.
        settings: AppSettings,
    },
    /// Make the app say what is wanted.
    UpdateApp {
        /// Which.
        sid: TwimlAppSid,
        /// What it shall say.
        settings: AppSettings,
    },
    /// Point a number at the app, after `before` has been recorded.
    BindNumber {
        /// Which.
        sid: PhoneNumberSid,
        /// The number.
        number: E164,
        /// What it says until then.
        before: NumberRouting,
    },
    /// Put a number back that shall no longer ring here.
    RestoreNumber {
        /// Which.
        sid: PhoneNumberSid,
        /// The number.
        number: E164,
        /// What it says now, with the app and the trunk it had before.
        to: NumberRouting,
    },
    /// A number that was ours but now leads elsewhere, or is gone: someone changed it since. It is left
    /// alone and only struck off the record.
    ForgetNumber {
        /// Which.
        sid: PhoneNumberSid,
        /// The number.
        number: E164,
    },
    /// Delete this computer's app, or one of its name beside it, which an attempt has left whose answer
    /// was lost. There may be several such steps.
    DeleteApp {
        /// Which.
        sid: TwimlAppSid,
    },
    /// Delete this computer's key. Always last: everything before may need it.
    DeleteKey {
        /// Which.
        sid: ApiKeySid,
    },
}

/// What to do beyond putting the numbers back when an account is disconnected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
pub struct Undo {
    /// Delete this computer's TwiML App.
    pub delete_app: bool,
    /// Delete this computer's API key.
    pub delete_key: bool,
}

impl Undo {
    /// Nothing of ours stays.
    pub const EVERYTHING: Self = Self { delete_app: true, delete_key: true };
}

#[cfg(test)]
mod tests;
