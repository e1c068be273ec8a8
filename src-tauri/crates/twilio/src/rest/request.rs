//! One request, before it has an address.

use reqwest::Method;
use serde_json::Value;

use super::base_urls::Product;

/// A request to one of the products.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) product: Product,
    /// Unescaped.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) form: Vec<(&'static str, String)>,
    /// Sent in place of the form.
    pub(crate) json: Option<Value>,
    pub(crate) answer: Expected,
    /// Whether Twilio may get it twice: reading, deleting, and setting something to a given value.
    pub(crate) repeatable: bool,
    /// What only the Auth Token may ask for, in words.
    pub(crate) owner_only: Option<&'static str>,
}

/// What a success answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// JSON, or nothing.
    Json,
    /// Sound, at most so many bytes.
    Sound(usize),
}

impl Request {
    fn new(method: Method, segments: Vec<String>) -> Self {
        Self {
            repeatable: method != Method::POST,
            method,
            product: Product::Api,
            segments,
            query: Vec::new(),
            form: Vec::new(),
            json: None,
            answer: Expected::Json,
            owner_only: None,
        }
    }

    /// Reads.
    pub(crate) fn get(segments: Vec<String>) -> Self {
        Self::new(Method::GET, segments)
    }

    /// Creates or changes; not repeatable unless said so.
    pub(crate) fn post(segments: Vec<String>) -> Self {
        Self::new(Method::POST, segments)
    }

    /// Sets what is named and leaves the rest.
    pub(crate) fn patch(segments: Vec<String>) -> Self {
        Self::new(Method::PATCH, segments)
    }

    /// Deletes.
    pub(crate) fn delete(segments: Vec<String>) -> Self {
        Self::new(Method::DELETE, segments)
    }

    /// Sends it to another product than the API of 2010.
    pub(crate) fn on(self, product: Product) -> Self {
        Self { product, ..self }
    }

    /// Says that doing it twice is the same as doing it once.
    pub(crate) fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    /// Says that an API key is refused, and what is asked for.
    pub(crate) fn owner_only(self, what: &'static str) -> Self {
        Self { owner_only: Some(what), ..self }
    }

    /// Adds a parameter of the query, if there is a value.
    pub(crate) fn query(mut self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        self.query.extend(value.map(|value| (name, value.into())));
        self
    }

    /// Adds a parameter of the form, if there is a value; an empty value is one.
    pub(crate) fn form(mut self, name: &'static str, value: Option<impl Into<String>>) -> Self {
        self.form.extend(value.map(|value| (name, value.into())));
        self
    }

    /// Sends JSON, and a name of the request by which Twilio knows a repetition, so that it may be repeated.
    pub(crate) fn json(self, body: Value) -> Self {
        Self { json: Some(body), repeatable: true, ..self }
    }

    /// Asks for sound of at most `longest` bytes.
    pub(crate) fn sound(self, longest: usize) -> Self {
        Self { answer: Expected::Sound(longest), ..self }
    }

    /// Adds `true` or `false`.
    pub(crate) fn flag(self, name: &'static str, value: Option<bool>) -> Self {
        self.form(name, value.map(|value| value.to_string()))
    }

    /// Adds a number.
    pub(crate) fn number(self, name: &'static str, value: Option<u32>) -> Self {
        self.form(name, value.map(|value| value.to_string()))
    }

    /// Adds a parameter once per value, as Twilio takes lists.
    pub(crate) fn each(mut self, name: &'static str, values: &[String]) -> Self {
        self.form.extend(values.iter().map(|value| (name, value.clone())));
        self
    }
}
