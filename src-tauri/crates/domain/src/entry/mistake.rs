//! What a text of the wrong form seems to be.

use super::{Field, where_to_find};

/// What a text looks like, by its characters alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Two letters and 32 hexadecimal digits.
    Sid(Kind),
    /// 32 hexadecimal digits in small letters.
    AuthToken,
    /// 32 letters and digits that are no Auth Token.
    ApiSecret,
    /// `someone@example.com`.
    Email,
    /// `https://…`.
    WebAddress,
    /// `+`, digits and what people write between them.
    PhoneNumber,
    /// None of these.
    Other,
}

/// What a SID names, by its two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Account,
    ApiKey,
    TwimlApp,
    PhoneNumber,
    Organization,
    User,
    Unknown,
}

impl Kind {
    fn of(letters: &str) -> Self {
        match letters.to_ascii_uppercase().as_str() {
            "AC" => Self::Account,
            "SK" => Self::ApiKey,
            "AP" => Self::TwimlApp,
            "PN" => Self::PhoneNumber,
            "OR" => Self::Organization,
            "US" => Self::User,
            _ => Self::Unknown,
        }
    }

    /// With its article, for a sentence.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Account => "the Account SID",
            Self::ApiKey => "the SID of an API key",
            Self::TwimlApp => "the SID of a TwiML App",
            Self::PhoneNumber => "the SID of a telephone number",
            Self::Organization => "the SID of an organization",
            Self::User => "the SID of a Twilio user",
            Self::Unknown => "the SID of something else at Twilio",
        }
    }
}

/// Looks at a tidied text.
pub(super) fn shape(text: &str) -> Shape {
    let hexadecimal = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some((letters, digits)) = text.split_at_checked(2)
        && letters.bytes().all(|b| b.is_ascii_alphabetic())
        && hexadecimal(digits)
    {
        return Shape::Sid(Kind::of(letters));
    }
    if text.len() == 32 && text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let small = hexadecimal(text) && !text.bytes().any(|b| b.is_ascii_uppercase());
        return if small { Shape::AuthToken } else { Shape::ApiSecret };
    }
    if text.contains("://") {
        return Shape::WebAddress;
    }
    if text.split_once('@').is_some_and(|(_, host)| host.contains('.')) {
        return Shape::Email;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if (7..=15).contains(&digits) && text.bytes().all(|b| b.is_ascii_digit() || b"+-(). /".contains(&b)) {
        return Shape::PhoneNumber;
    }
    Shape::Other
}

/// Whether the text is what a page shows in place of a secret.
pub(super) fn masked(text: &str) -> bool {
    let hidden = text.chars().filter(|c| matches!(c, '•' | '*' | '●' | '∙' | '·' | '⬤')).count();
    hidden >= 3 && hidden * 2 >= text.chars().count()
}

/// Whether the text comes from an example, such as `your_auth_token_here` or `ACxxxxxxxx`.
pub(super) fn placeholder(field: Field, text: &str) -> bool {
    let small = text.to_ascii_lowercase();
    if field == Field::PhoneNumber {
        let digits: String = small.chars().filter(char::is_ascii_digit).collect();
        if matches!(
            digits.as_str(),
            "1234567890" | "11234567890" | "15551234567" | "15555555555" | "10000000000" | "0000000000"
        ) {
            return true;
        }
    }
    let enclosed = |open: char, close: char| text.starts_with(open) && text.ends_with(close);
    if small.contains("...") || small.contains('…') || enclosed('<', '>') || enclosed('[', ']') {
        return true;
    }
    if field == Field::BackendUrl {
        return example_host(&small);
    }
    small.contains("xxx")
        || small.contains("your")
        || small.contains("changeme")
        || small.contains("change_me")
        || small.contains("change-me")
        || small.contains("replace")
        || small.contains("placeholder")
        || small.contains("_here")
}

/// What people are told to put their own name in place of.
const HOST_WORDS: [&str; 15] = [
    "own",
    "here",
    "domain",
    "subdomain",
    "host",
    "hostname",
    "name",
    "url",
    "address",
    "server",
    "backend",
    "public",
    "tunnel",
    "ngrok",
    "app",
];

/// Whether a part of the host's name consists of the words of an example, such as `your-domain` or
/// `xxxx`. Real names may have such words in them: `yourkit.com`, `xxxlutz.de`, `call-your-bank.com`.
fn example_host(address: &str) -> bool {
    let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = after_scheme.split(['/', '?', '#', ':']).next().unwrap_or_default();
    // The last part is a domain of the world's, one of which is called xxx.
    let labels = host.rsplit_once('.').map_or(host, |(labels, _)| labels);
    labels.split('.').any(|label| {
        let words: Vec<&str> = label.split(['-', '_']).filter(|word| !word.is_empty()).collect();
        matches!(words.concat().as_str(), "changeme" | "changethis" | "replaceme" | "replacethis")
            || words.iter().any(|word| word_of_example(word))
                && words.iter().all(|word| word_of_example(word) || HOST_WORDS.contains(word))
    })
}

fn word_of_example(word: &str) -> bool {
    matches!(word, "your" | "placeholder")
        || (word.len() >= 3 && word.bytes().all(|b| b == b'x'))
        || word.strip_prefix("your").is_some_and(|rest| HOST_WORDS.contains(&rest))
}

/// The fewest characters in a row that are taken for a part of a secret.
const SECRET_MIN: usize = 20;

/// Whether a text, in whatever field, has something in it that looks like an Auth Token, the secret of a
/// key or the token of a tunnel, whole or in part, or a password in a web address. A SID is none.
pub(super) fn may_hide_secret(text: &str) -> bool {
    let no_address = text.split_once("://").map_or(text, |(_, rest)| rest);
    let user = no_address.split('/').next().and_then(|host| host.rsplit_once('@')).map(|(user, _)| user);
    if user.is_some_and(|user| user.contains(':')) {
        return true;
    }
    let in_one_piece: String = text.split_whitespace().collect();
    if matches!(shape(&in_one_piece), Shape::AuthToken | Shape::ApiSecret) {
        return true;
    }
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).any(|run| match shape(run) {
        Shape::Sid(_) => false,
        Shape::AuthToken | Shape::ApiSecret => true,
        Shape::Email | Shape::WebAddress | Shape::PhoneNumber | Shape::Other => {
            run.len() >= SECRET_MIN && run.bytes().any(|b| b.is_ascii_digit())
        }
    })
}

/// What is wrong with a text that is not of the form of `field`, and the cure.
pub(super) fn sentence(field: Field, text: &str) -> String {
    let cure = where_to_find(field);
    match shape(text) {
        Shape::Sid(kind) => return format!("This is {}, not {}. {cure}", kind.words(), name(field)),
        Shape::AuthToken => {
            return format!("This looks like an Auth Token, not like {}. {cure}", name(field));
        }
        Shape::ApiSecret if field == Field::AuthToken && text.bytes().all(|b| b.is_ascii_hexdigit()) => {
            return format!("An Auth Token has no capital letters: copy it instead of typing it. {cure}");
        }
        Shape::ApiSecret => {
            return format!("This looks like the secret of an API key, not like {}. {cure}", name(field));
        }
        Shape::Email => return format!("This is an e-mail address, not {}. {cure}", name(field)),
        Shape::WebAddress => return format!("This is a web address, not {}. {cure}", name(field)),
        Shape::PhoneNumber => {
            return format!("This looks like a telephone number, not like {}. {cure}", name(field));
        }
        Shape::Other => {}
    }
    if text.contains(char::is_whitespace) {
        return format!(
            "There are spaces inside: copy it again, in one piece and without what stands around it. {cure}"
        );
    }
    let found = text.chars().count();
    if let Some(letters) = letters(field) {
        let begins = text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(letters));
        if !begins {
            return format!("This is not {}: that begins with {letters}. {cure}", name(field));
        }
        if found == 34 {
            return foreign_character(field, cure);
        }
        return wrong_length(field, found, 34, cure);
    }
    match field {
        Field::AuthToken | Field::ApiSecret if found == 32 => foreign_character(field, cure),
        Field::AuthToken | Field::ApiSecret => wrong_length(field, found, 32, cure),
        Field::TunnelToken if found < 20 => format!("This is too short for {}. {cure}", name(field)),
        Field::TunnelToken
        | Field::AccountSid
        | Field::ApiKey
        | Field::TwimlAppSid
        | Field::PhoneNumber
        | Field::BackendUrl => foreign_character(field, cure),
    }
}

fn wrong_length(field: Field, found: usize, expected: usize, cure: &str) -> String {
    let amiss = if found < expected { "a part is missing" } else { "there is too much" };
    format!("This has {found} characters, and {} has {expected}: {amiss}. {cure}", name(field))
}

fn foreign_character(field: Field, cure: &str) -> String {
    format!(
        "There is a character that {} never has, such as a letter O in place of a zero. {cure}",
        name(field)
    )
}

/// With its article, for a sentence.
fn name(field: Field) -> &'static str {
    match field {
        Field::AccountSid => "the Account SID",
        Field::AuthToken => "the Auth Token",
        Field::ApiKey => "the SID of an API key",
        Field::ApiSecret => "the secret of an API key",
        Field::PhoneNumber => "a telephone number",
        Field::TwimlAppSid => "the SID of a TwiML App",
        Field::BackendUrl => "a public address",
        Field::TunnelToken => "the token of a tunnel",
    }
}

/// The letters a SID of this field begins with.
fn letters(field: Field) -> Option<&'static str> {
    match field {
        Field::AccountSid => Some("AC"),
        Field::ApiKey => Some("SK"),
        Field::TwimlAppSid => Some("AP"),
        Field::AuthToken | Field::ApiSecret | Field::PhoneNumber | Field::BackendUrl | Field::TunnelToken => {
            None
        }
    }
}
