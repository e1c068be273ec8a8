//! Reads attributes, and collects what was wrong with them.

use std::ops::RangeInclusive;
use std::time::Duration;

use roxmltree::Node;

use super::document::{
    CallbackEvent, CallbackRequest, Method, RecordingCallbackRequest, RecordingEvent, Track, Warning,
};

/// Schema warning: an element or attribute that is not known, or a value for which Twilio's error list
/// names no code of its own (twilio.com/docs/api/errors/12200).
pub(super) const SCHEMA_WARNING: u32 = 12_200;
/// twilio.com/docs/api/errors/13621 and 13622.
const RECORDING_EVENT: u32 = 13_621;
const RECORDING_TRACK: u32 = 13_622;

/// Collects warnings while a document is read.
pub(super) struct Reader {
    pub(super) warnings: Vec<Warning>,
}

impl Reader {
    pub(super) fn warn(&mut self, code: u32, text: impl Into<String>) {
        self.warnings.push(Warning { code, text: text.into() });
    }

    /// Warns of attributes that are not among `names`.
    pub(super) fn known(&mut self, node: Node<'_, '_>, names: &[&str]) {
        for attribute in node.attributes() {
            if !names.contains(&attribute.name()) {
                let text = format!("<{}> has no attribute “{}”", node.tag_name().name(), attribute.name());
                self.warn(SCHEMA_WARNING, text);
            }
        }
    }

    /// `loop`: 1 by default, 0 for without end.
    pub(super) fn loops(&mut self, node: Node<'_, '_>, code: u32) -> u32 {
        u32::try_from(self.number(node, "loop", 1, 0..=1000, code)).unwrap_or(1)
    }

    /// A whole number, moved into `range`; anything else is worth a warning and `default`.
    pub(super) fn number(
        &mut self,
        node: Node<'_, '_>,
        name: &str,
        default: u64,
        range: RangeInclusive<u64>,
        code: u32,
    ) -> u64 {
        let Some(text) = node.attribute(name) else { return default };
        match text.trim().parse::<u64>() {
            Ok(value) => value.clamp(*range.start(), *range.end()),
            Err(_) => {
                self.warn(code, format!("“{name}” must be a whole number; {default} was used"));
                default
            }
        }
    }

    /// The same as a span of seconds.
    pub(super) fn seconds(
        &mut self,
        node: Node<'_, '_>,
        name: &str,
        default: u64,
        range: RangeInclusive<u64>,
        code: u32,
    ) -> Duration {
        Duration::from_secs(self.number(node, name, default, range, code))
    }

    pub(super) fn flag(&mut self, node: Node<'_, '_>, name: &str, default: bool, code: u32) -> bool {
        match node.attribute(name) {
            None => default,
            Some("false") => false,
            Some("true") => true,
            Some(_) => {
                self.warn(code, format!("“{name}” must be true or false; {default} was used"));
                default
            }
        }
    }

    pub(super) fn method(&mut self, node: Node<'_, '_>, name: &str, code: u32) -> Method {
        match node.attribute(name) {
            None => Method::Post,
            Some(method) if method.eq_ignore_ascii_case("POST") => Method::Post,
            Some(method) if method.eq_ignore_ascii_case("GET") => Method::Get,
            Some(_) => {
                self.warn(code, format!("“{name}” must be GET or POST; POST was used"));
                Method::Post
            }
        }
    }

    /// `trim`: whether silence at both ends goes.
    pub(super) fn trim(&mut self, node: Node<'_, '_>, default: bool, code: u32) -> bool {
        match node.attribute("trim") {
            None => default,
            Some("trim-silence") => true,
            Some("do-not-trim") => false,
            Some(_) => {
                self.warn(code, "“trim” must be trim-silence or do-not-trim");
                default
            }
        }
    }

    /// `statusCallback`, `…Method` and `…Event` of a noun.
    pub(super) fn callbacks(&mut self, node: Node<'_, '_>) -> CallbackRequest {
        let words = node.attribute("statusCallbackEvent").unwrap_or("completed");
        CallbackRequest {
            url: text_of(node, "statusCallback"),
            method: self.method(node, "statusCallbackMethod", SCHEMA_WARNING),
            events: self.words("statusCallbackEvent", words, SCHEMA_WARNING, CallbackEvent::from_wire),
        }
    }

    /// `recordingStatusCallback`, `…Method` and `…Event`.
    pub(super) fn recording_callbacks(&mut self, node: Node<'_, '_>) -> RecordingCallbackRequest {
        let name = "recordingStatusCallbackEvent";
        let words = node.attribute(name).unwrap_or("completed");
        RecordingCallbackRequest {
            url: text_of(node, "recordingStatusCallback"),
            method: self.method(node, "recordingStatusCallbackMethod", SCHEMA_WARNING),
            events: self.words(name, words, RECORDING_EVENT, RecordingEvent::from_wire),
        }
    }

    /// `recordingTrack` of `<Dial>`, `track` of `<Recording>`.
    pub(super) fn track(&mut self, node: Node<'_, '_>, name: &str) -> Track {
        match node.attribute(name) {
            None | Some("both") => Track::Both,
            Some("inbound") => Track::Inbound,
            Some("outbound") => Track::Outbound,
            Some(_) => {
                self.warn(
                    RECORDING_TRACK,
                    format!("“{name}” must be both, inbound or outbound; both was used"),
                );
                Track::Both
            }
        }
    }

    /// Several values in one attribute, with spaces or commas between them.
    pub(super) fn words<T>(
        &mut self,
        name: &str,
        text: &str,
        code: u32,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
            match read(word) {
                Some(value) => values.push(value),
                None => self.warn(code, format!("“{name}” has no value “{word}”")),
            }
        }
        values
    }

    /// `<Parameter name="…" value="…"/>` among `<owner>`'s elements.
    pub(super) fn parameter(&mut self, node: Node<'_, '_>) -> Option<(String, String)> {
        match (node.attribute("name"), node.attribute("value")) {
            (Some(name), Some(value)) => Some((name.to_owned(), value.to_owned())),
            _ => {
                self.warn(SCHEMA_WARNING, "<Parameter> needs name and value");
                None
            }
        }
    }
}

/// An attribute that is there and not empty.
pub(super) fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    node.attribute(name).map(|text| text.trim().to_owned()).and_then(non_empty)
}

/// All text inside, also in nested elements (`<Say>` may hold SSML), with white space folded.
pub(super) fn inner_text(node: Node<'_, '_>) -> String {
    let all: String = node.descendants().filter(Node::is_text).filter_map(|text| text.text()).collect();
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of the element itself, without that of nested elements.
pub(super) fn own_text(node: Node<'_, '_>) -> String {
    let own: String = node.children().filter(Node::is_text).filter_map(|text| text.text()).collect();
    own.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn non_empty(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
