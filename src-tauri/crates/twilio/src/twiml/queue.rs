//! `<Enqueue>`: callers who wait.

use url::Url;

use super::xml::Writer;

/// Puts the caller in a queue of the account, which comes to be when the first one enters it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueue {
    /// The queue, at most 64 characters.
    pub name: String,
    /// Where Twilio asks what those who wait hear, again and again. Its own music when absent.
    pub wait_url: Option<Url>,
    /// Where Twilio asks how to go on once the caller has left the queue; otherwise the verb after this
    /// one is done.
    pub action: Option<Url>,
}

impl Enqueue {
    pub(super) fn write(&self, xml: &mut Writer) {
        xml.open("Enqueue");
        xml.optional("waitUrl", self.wait_url.as_ref().map(Url::as_str));
        xml.optional("action", self.action.as_ref().map(Url::as_str));
        xml.text(&self.name);
        xml.close("Enqueue");
    }
}
