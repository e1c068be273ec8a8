//! The part of JSON Schema that Twilio's files use: types, `nullable`, `enum`, `pattern`, lengths,
//! limits and Twilio's own formats.

use regex::Regex;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;

/// One thing that is not as specified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deviation {
    /// Such as `form VoiceUrl` or `calls[].status`; positions in lists are left out.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) what: String,
}

impl Deviation {
    pub(crate) fn new(place: &str, what: &str) -> Self {
        Self { place: place.to_owned(), what: what.to_owned() }
    }
}

impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.place, self.what)
    }
}

/// `components.schemas` of a file.
pub(super) struct Schemas<'a>(pub(super) &'a Value);

impl<'a> Schemas<'a> {
    /// What a reference leads to.
    pub(super) fn resolve(&self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => &self.0[reference.rsplit('/').next().unwrap()],
            None => schema,
        }
    }

    /// Checks a value of an answer. Each documented property is expected, `null` where there is
    /// nothing: so Twilio answers. One that is not documented is reported.
    pub(super) fn check(&self, schema: &'a Value, value: &Value, place: &str, found: &mut Vec<Deviation>) {
        let schema = self.resolve(schema);
        let mut report = |what: String| found.push(Deviation::new(place, &what));
        if value.is_null() {
            // A schema without a type says nothing about null either.
            if schema["nullable"] != true && (schema.get("type").is_some() || schema.get("enum").is_some()) {
                report("is null".into());
            }
            return;
        }
        let kind = schema["type"].as_str().unwrap_or_default();
        let fits = match kind {
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        };
        if !fits {
            report(format!("is no {kind}"));
            return;
        }
        if let Some(text) = value.as_str() {
            check_string(schema, text, place, found);
        }
        for item in value.as_array().into_iter().flatten() {
            self.check(&schema["items"], item, &format!("{place}[]"), found);
        }
        if schema["format"] == "uri-map" {
            check_uri_map(value, place, found);
        }
        let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) else {
            return;
        };
        let join = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
        for (name, property) in properties {
            match object.get(name) {
                Some(value) => self.check(property, value, &join(name), found),
                None => found.push(Deviation::new(&join(name), "is missing")),
            }
        }
        let unknown = object.keys().filter(|name| !properties.contains_key(*name));
        found.extend(unknown.map(|name| Deviation::new(&join(name), "is not documented")));
    }

    /// Checks a value of a path, a query or a form, where all is text.
    pub(super) fn check_text(&self, schema: &'a Value, text: &str, place: &str, found: &mut Vec<Deviation>) {
        let schema = self.resolve(schema);
        let limit = |name: &str| schema[name].as_i64();
        match schema["type"].as_str().unwrap_or_default() {
            "integer" => match text.parse::<i64>() {
                Ok(number)
                    if limit("minimum").is_none_or(|least| number >= least)
                        && limit("maximum").is_none_or(|most| number <= most) => {}
                Ok(_) => found.push(Deviation::new(place, "is out of range")),
                Err(_) => found.push(Deviation::new(place, "is no integer")),
            },
            "boolean" if text != "true" && text != "false" => {
                found.push(Deviation::new(place, "is no boolean"));
            }
            "boolean" => {}
            _ => check_string(schema, text, place, found),
        }
    }
}

fn check_string(schema: &Value, text: &str, place: &str, found: &mut Vec<Deviation>) {
    let mut report = |what: &str| found.push(Deviation::new(place, what));
    if text.is_empty()
        && ["enum", "pattern", "minLength", "format"].iter().any(|name| schema.get(name).is_some())
    {
        report("is empty");
        return;
    }
    if schema["format"] == "uri" && text.starts_with('/') {
        report("is relative");
        return;
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.iter().any(|word| word == text)
    {
        report(&format!("is none of its words: {text:?}"));
    }
    if let Some(pattern) = schema["pattern"].as_str()
        && !Regex::new(pattern).unwrap().is_match(text)
    {
        report("does not match its pattern");
    }
    let length = text.chars().count() as u64;
    if schema["minLength"].as_u64().is_some_and(|least| length < least)
        || schema["maxLength"].as_u64().is_some_and(|most| length > most)
    {
        report("is too short or too long");
    }
    if let Some(format) = schema["format"].as_str()
        && !has_format(format, text)
    {
        report(&format!("is no {format}"));
    }
}

fn has_format(format: &str, text: &str) -> bool {
    let all = |test: fn(u8) -> bool| !text.is_empty() && text.bytes().all(test);
    match format {
        "date-time-rfc-2822" => OffsetDateTime::parse(text, &Rfc2822).is_ok() && text.contains(", "),
        "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
        "date" => time::Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        "phone-number" => {
            text.strip_prefix('+').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        }
        "currency" => text.len() == 3 && all(|b| b.is_ascii_alphabetic()),
        "iso-country-code" => text.len() == 2 && all(|b| b.is_ascii_uppercase()),
        // `http-method` comes with its words, `twiml` is a document, and `endpoint` is a number, a
        // client or a SIP address.
        "http-method" | "twiml" | "endpoint" => !text.is_empty(),
        other => panic!("the format {other} is new: say what it is"),
    }
}

/// Names and addresses; those of the API of 2010 are relative to the host.
fn check_uri_map(value: &Value, place: &str, found: &mut Vec<Deviation>) {
    for (name, link) in value.as_object().into_iter().flatten() {
        let leads = link.as_str().is_some_and(|link| link.starts_with('/') || url::Url::parse(link).is_ok());
        if !leads {
            found.push(Deviation::new(&format!("{place}.{name}"), "leads nowhere"));
        }
    }
}
