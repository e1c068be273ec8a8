//! A writer of XML that cannot be made to write anything else.

/// Builds a document. Names come from this program; texts and values may come from anyone.
pub(super) struct Writer {
    out: String,
    /// The last start tag still lacks its `>`, so attributes may follow.
    in_tag: bool,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), in_tag: false }
    }

    /// Begins an element.
    pub(super) fn open(&mut self, name: &'static str) {
        self.end_tag();
        self.out.push('<');
        self.out.push_str(name);
        self.in_tag = true;
    }

    /// Ends the element begun last; one without content collapses to `<Name/>`.
    pub(super) fn close(&mut self, name: &'static str) {
        if self.in_tag {
            self.out.push_str("/>");
            self.in_tag = false;
        } else {
            self.out.push_str("</");
            self.out.push_str(name);
            self.out.push('>');
        }
    }

    /// An element without attributes and content.
    pub(super) fn empty(&mut self, name: &'static str) {
        self.open(name);
        self.close(name);
    }

    /// Adds an attribute to the element just begun.
    pub(super) fn attribute(&mut self, name: &'static str, value: &str) {
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.escape(value, true);
        self.out.push('"');
    }

    /// Adds an attribute where there is a value.
    pub(super) fn optional(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.attribute(name, value);
        }
    }

    /// Adds an attribute where there is a number.
    pub(super) fn number(&mut self, name: &'static str, value: Option<u32>) {
        if let Some(value) = value {
            self.attribute(name, &value.to_string());
        }
    }

    /// Adds text to the element begun last.
    pub(super) fn text(&mut self, text: &str) {
        self.end_tag();
        self.escape(text, false);
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push('\n');
        self.out
    }

    fn end_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }

    fn escape(&mut self, text: &str, in_attribute: bool) {
        for character in text.chars() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if in_attribute => self.out.push_str("&quot;"),
                // A reader turns these into a space in an attribute, and CR into LF in a text.
                '\t' | '\n' if in_attribute => self.reference(character),
                '\r' => self.reference(character),
                allowed if is_xml_char(allowed) => self.out.push(allowed),
                // XML 1.0 has no way to write these, not even by number.
                _ => self.out.push('\u{FFFD}'),
            }
        }
    }

    fn reference(&mut self, character: char) {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(self.out, "&#{};", u32::from(character));
    }
}

/// `Char` of XML 1.0 §2.2.
fn is_xml_char(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}
