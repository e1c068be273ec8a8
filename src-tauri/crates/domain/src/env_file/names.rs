//! What the names in a `.env` file mean to this program.

use crate::entry::Field;

/// What to do with a line.
pub(super) enum Meaning {
    /// It fills this field.
    Field(Field),
    /// It can be done without, for this reason.
    NotNeeded(&'static str),
    /// It asks for something that this program does not do.
    Problem(&'static str),
    /// Its name is none that would be given to a setting: perhaps a part of something else, and not to
    /// be repeated.
    Unreadable,
}

/// The longest name that is taken for one.
const NAME_MAX: usize = 64;

/// Reads a name; the value is looked at only where it decides.
pub(super) fn meaning(name: &str, value: &str) -> Meaning {
    let upper = name.to_ascii_uppercase();
    if let Some(field) = field(&upper) {
        if field == Field::BackendUrl && is_temporary(value) {
            return Meaning::NotNeeded(
                "this address was good for one run of a tunnel only; choose a tunnel here instead",
            );
        }
        return Meaning::Field(field);
    }
    if upper == "TWILIO_REGION" || upper == "TWILIO_EDGE" {
        return if matches!(value.trim(), "" | "us1" | "ashburn" | "roaming") {
            Meaning::NotNeeded("this is where the program connects anyway")
        } else {
            Meaning::Problem(
                "accounts are connected in Twilio's region US1; take the SID and the token of that region.",
            )
        };
    }
    if let Some(reason) = reason(&upper) {
        return Meaning::NotNeeded(reason);
    }
    // A name that is shown must look like one: a line of a private key ends in `=`, too.
    let is_name = name.len() <= NAME_MAX
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        && name.bytes().filter(u8::is_ascii_digit).count() * 3 <= name.len();
    if is_name {
        Meaning::NotNeeded("the program does not know it and does without")
    } else {
        Meaning::Unreadable
    }
}

/// The field a name fills. The first of each line is the name the guide uses.
fn field(name: &str) -> Option<Field> {
    Some(match name {
        "TWILIO_ACCOUNT_SID" | "ACCOUNT_SID" | "TWILIO_SID" => Field::AccountSid,
        "TWILIO_AUTH_TOKEN" | "AUTH_TOKEN" | "TWILIO_TOKEN" => Field::AuthToken,
        "TWILIO_API_KEY" | "TWILIO_API_KEY_SID" | "TWILIO_API_SID" | "API_KEY_SID" | "API_KEY" => {
            Field::ApiKey
        }
        "TWILIO_API_SECRET" | "TWILIO_API_KEY_SECRET" | "API_KEY_SECRET" | "API_SECRET" => Field::ApiSecret,
        "TWILIO_PHONE_NUMBER"
        | "TWILIO_CALLER_ID"
        | "TWILIO_NUMBER"
        | "TWILIO_FROM_NUMBER"
        | "CALLER_ID"
        | "FROM_NUMBER"
        | "TWILIO_FROM" => Field::PhoneNumber,
        "TWILIO_TWIML_APP_SID"
        | "TWIML_APP_SID"
        | "TWILIO_APP_SID"
        | "TWILIO_TWIML_APPLICATION_SID"
        | "TWILIO_APPLICATION_SID"
        | "TWIML_APPLICATION_SID"
        | "TWILIO_VOICE_APP_SID" => Field::TwimlAppSid,
        "BACKEND_URL" | "NGROK_URL" | "NGROK_DOMAIN" | "PUBLIC_URL" | "WEBHOOK_URL" | "WEBHOOK_BASE_URL"
        | "BASE_URL" | "SERVER_URL" | "TUNNEL_URL" => Field::BackendUrl,
        "NGROK_AUTHTOKEN"
        | "NGROK_AUTH_TOKEN"
        | "NGROK_TOKEN"
        | "TUNNEL_TOKEN"
        | "CLOUDFLARED_TOKEN"
        | "CLOUDFLARE_TUNNEL_TOKEN" => Field::TunnelToken,
        _ => return None,
    })
}

/// Why a well-known setting is not needed.
fn reason(name: &str) -> Option<&'static str> {
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    let is = |names: &[&str]| names.contains(&name);
    if is(&["PORT", "HOST", "HOSTNAME", "SERVER_PORT", "BACKEND_PORT", "API_PORT", "NGROK_PORT"]) {
        Some("the program finds a free port by itself")
    } else if is(&["NODE_ENV", "ENV", "APP_ENV", "ENVIRONMENT", "NODE_OPTIONS"]) {
        Some("there is no Node server")
    } else if is(&[
        "FRONTEND_URL",
        "FRONTEND_PORT",
        "CLIENT_URL",
        "APP_URL",
        "CORS_ORIGIN",
        "CORS_ORIGINS",
        "ALLOWED_ORIGINS",
    ]) || begins(&["VITE_", "REACT_APP_", "NEXT_PUBLIC_"])
    {
        Some("the window is part of the program and needs no address")
    } else if is(&[
        "JWT_SECRET",
        "SESSION_SECRET",
        "COOKIE_SECRET",
        "SECRET_KEY",
        "JWT_EXPIRES_IN",
        "ENCRYPTION_KEY",
    ]) {
        Some("nobody signs in to a server, so there is no session to sign")
    } else if is(&["DATABASE_URL", "DIRECT_URL", "MONGODB_URI", "MONGO_URI", "MONGO_URL", "REDIS_URL"])
        || begins(&["DB_", "POSTGRES", "PG", "MYSQL", "MONGO", "REDIS", "SUPABASE", "SQLITE"])
    {
        Some("the call log is a file on this computer")
    } else if is(&["LOG_LEVEL", "DEBUG", "RUST_LOG", "LOG_FORMAT"]) {
        Some("the program has its own log")
    } else if begins(&["TWILIO_"]) {
        Some("the program makes no use of this part of Twilio")
    } else {
        None
    }
}

/// Whether the address is one that a tunnel program makes up anew at every start.
fn is_temporary(address: &str) -> bool {
    let host =
        address.trim().trim_start_matches("https://").split(['/', ':', '?']).next().unwrap_or_default();
    [".trycloudflare.com", ".loca.lt", ".lhr.life", ".serveo.net"].iter().any(|ending| host.ends_with(ending))
}
