//! Settable fields of a resource, as Twilio's forms name them and its answers show them.
//!
//! Texts are kept exactly as they were given, empty ones included: a program that restores what it
//! found must find it again to the byte. Names and formats are those of twilio-oai
//! (`twilio_api_v2010`); what a bad value is answered comes from Twilio's error dictionary (21402,
//! 21403, 21420).

use std::collections::BTreeMap;

use serde_json::Value;
use url::Url;

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// `http` or `https`, or empty.
    Url,
    /// `GET` or `POST`.
    Method,
    /// `true` or `false`.
    Flag,
    /// A SID that starts so; empty stands for none and is shown as it was blank.
    Sid(&'static str),
    /// One of these.
    Choice(&'static [&'static str]),
}

/// A field: its name in a form, its name in JSON, what it holds.
pub(crate) struct Field(pub(crate) &'static str, pub(crate) &'static str, pub(crate) Kind);

/// Why a value is refused: Twilio's code and a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldError {
    pub(crate) code: u32,
    pub(crate) text: String,
}

/// The values of a resource's fields by their JSON names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fields(BTreeMap<&'static str, Value>);

impl Fields {
    /// All fields of `table` as they are when nothing was set.
    pub(crate) fn blank(table: &[Field]) -> Self {
        let blank = |kind: Kind| match kind {
            Kind::Method => Value::from("POST"),
            Kind::Flag => Value::Bool(false),
            Kind::Choice(choices) => choices.first().map_or(Value::Null, |first| Value::from(*first)),
            Kind::Text(_) | Kind::Url | Kind::Sid(_) => Value::Null,
        };
        Self(table.iter().map(|Field(_, json, kind)| (*json, blank(*kind))).collect())
    }

    pub(crate) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.insert(name, value.into());
    }

    /// The text of a field; `None` for none and for an empty one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The text as it is shown, told apart whether it is empty or absent.
    pub(crate) fn exact(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name).and_then(Value::as_bool)
    }

    /// The address in a field, if it is one.
    pub(crate) fn url(&self, name: &str) -> Option<Url> {
        self.text(name).and_then(|text| Url::parse(text).ok())
    }

    /// Takes what `form` gives; fields that it does not name stay. Nothing is taken if one is bad.
    pub(crate) fn take(&mut self, table: &[Field], form: &[(String, String)]) -> Result<(), FieldError> {
        let mut next = self.0.clone();
        for (name, given) in form {
            let Some(Field(_, json, kind)) = table.iter().find(|Field(form, ..)| form == name) else {
                continue;
            };
            next.insert(json, read(name, *kind, given)?);
        }
        self.0 = next;
        Ok(())
    }

    /// Adds all fields to an answer.
    pub(crate) fn show(&self, into: &mut serde_json::Map<String, Value>) {
        into.extend(self.0.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
}

fn read(name: &str, kind: Kind, given: &str) -> Result<Value, FieldError> {
    let refuse = |code, text: String| Err(FieldError { code, text });
    match kind {
        Kind::Text(most) if given.chars().count() > most => {
            refuse(70_001, format!("{name} is longer than {most} characters"))
        }
        Kind::Text(_) => Ok(Value::from(given)),
        Kind::Url if given.is_empty() || is_web(given) => Ok(Value::from(given)),
        Kind::Url => refuse(21_402, format!("{name} is not a valid URL")),
        Kind::Method => match given.to_ascii_uppercase().as_str() {
            "" => Ok(Value::from("POST")),
            method @ ("GET" | "POST") => Ok(Value::from(method)),
            _ => refuse(21_403, format!("{name} is neither GET nor POST")),
        },
        Kind::Flag => match given.to_ascii_lowercase().as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" | "" => Ok(Value::Bool(false)),
            _ => refuse(20_001, format!("{name} is neither true nor false")),
        },
        Kind::Sid(_) if given.is_empty() => Ok(Value::Null),
        Kind::Sid(prefix) if is_sid(given, prefix) => Ok(Value::from(given)),
        Kind::Sid(prefix) => refuse(20_001, format!("{name} is not a SID that begins with {prefix}")),
        Kind::Choice(choices) if choices.contains(&given) => Ok(Value::from(given)),
        Kind::Choice(choices) => refuse(20_001, format!("{name} is not one of {}", choices.join(", "))),
    }
}

/// Whether `text` is an address a webhook can have.
pub(crate) fn is_web(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Whether `text` is a SID with these two letters.
pub(crate) fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    const TABLE: &[Field] = &[
        Field("Url", "url", Kind::Url),
        Field("Method", "method", Kind::Method),
        Field("Trunk", "trunk", Kind::Sid("TK")),
    ];

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn texts_stay_as_given_and_one_bad_value_changes_nothing() {
        let mut fields = Fields::blank(TABLE);
        assert_eq!((fields.exact("url"), fields.exact("method")), (None, Some("POST".into())));
        fields.take(TABLE, &pairs(&[("Url", "http://Example.com"), ("Other", "ignored")])).unwrap();
        assert_eq!(fields.exact("url").as_deref(), Some("http://Example.com"), "not even a slash is added");
        fields.take(TABLE, &pairs(&[("Url", "")])).unwrap();
        assert_eq!((fields.exact("url").as_deref(), fields.text("url")), (Some(""), None));
        for (form, code) in [
            (pairs(&[("Method", "GET"), ("Url", "phone.example.com")]), 21_402),
            (pairs(&[("Method", "PUT")]), 21_403),
            (pairs(&[("Trunk", "TK12")]), 20_001),
        ] {
            assert_eq!(fields.take(TABLE, &form).map_err(|error| error.code), Err(code), "{form:?}");
        }
        assert_eq!(fields.exact("method").as_deref(), Some("POST"));
    }
}
