//! `application/x-www-form-urlencoded` with every pair kept as it came.

/// The pairs of a form, in order, with repetitions and empty values: a signature covers them all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// An empty form.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes a body or a query. Every sequence of bytes is some form; bytes that are no UTF-8
    /// become U+FFFD, as they do in Twilio's own libraries.
    pub fn parse(encoded: &[u8]) -> Self {
        Self { pairs: form_urlencoded::parse(encoded).into_owned().collect() }
    }

    /// Adds a pair at the end.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(name, value);
        self
    }

    /// Adds a pair at the end.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// All pairs in order.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The first value of `name` that is not empty: Twilio sends many parameters without a value,
    /// and means by it that there is none.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// Whether `name` occurs at all, if only with an empty value.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(key, _)| key == name)
    }

    /// The form as a body or a query.
    pub fn encode(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.pairs).finish()
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().collect() }
    }
}

/// Names without values: values hold telephone numbers and what people typed.
impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_survives_both_ways() {
        let form = Form::parse(b"To=%2B12025550123&FromCity=&Tag=x&Tag=x&Note=a+b%26c%0D%0A");
        assert_eq!(form.pairs().len(), 5);
        assert_eq!(form.get("To"), Some("+12025550123"));
        assert_eq!(form.get("Note"), Some("a b&c\r\n"));
        assert_eq!(form.get("FromCity"), None);
        assert!(form.has("FromCity"));
        assert_eq!(Form::parse(form.encode().as_bytes()), form);
    }

    #[test]
    fn any_bytes_are_a_form() {
        for bytes in [&b""[..], b"&&&", b"=", b"%", b"%zz=%", b"\xff\xfe=\x00", b"a"] {
            let form = Form::parse(bytes);
            assert_eq!(Form::parse(form.encode().as_bytes()), form);
        }
    }

    #[test]
    fn values_stay_out_of_debug_output() {
        let shown = format!("{:?}", Form::new().with("From", "+12025550123"));
        assert!(shown.contains("From") && !shown.contains("2025550123"));
    }
}
