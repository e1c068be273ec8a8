//! `<Gather>`: a menu.

use url::Url;

use super::only;
use super::prompt::Prompt;
use super::xml::Writer;

/// Plays prompts and waits for keys, which end the prompt that plays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gather {
    /// Where Twilio asks how to go on. Without one it would ask for this very document again.
    pub action: Url,
    /// Whether it asks there too when no key was pressed in time; otherwise the verb after this one is
    /// done.
    pub action_on_empty_result: bool,
    /// How many keys are waited for; without a limit when absent.
    pub num_digits: Option<u32>,
    /// How long each key is waited for, in seconds; Twilio's default is 5.
    pub timeout_s: Option<u32>,
    /// The key that ends the input: one of `0-9*#`, or none for the empty text. Twilio's default is `#`.
    pub finish_on_key: Option<String>,
    /// Played meanwhile.
    pub prompts: Vec<Prompt>,
}

impl Gather {
    /// Waits for any number of keys, in Twilio's manner, and tells `action` in any case.
    pub fn new(action: Url) -> Self {
        Self {
            action,
            action_on_empty_result: true,
            num_digits: None,
            timeout_s: None,
            finish_on_key: None,
            prompts: Vec::new(),
        }
    }

    pub(super) fn write(&self, xml: &mut Writer) {
        xml.open("Gather");
        xml.attribute("input", "dtmf");
        xml.number("numDigits", self.num_digits);
        xml.number("timeout", self.timeout_s);
        let finish = self.finish_on_key.as_deref().map(|keys| only("0123456789*#", keys));
        xml.optional("finishOnKey", finish.as_deref().map(|keys| keys.get(..1).unwrap_or_default()));
        xml.attribute("action", self.action.as_str());
        if self.action_on_empty_result {
            xml.attribute("actionOnEmptyResult", "true");
        }
        for prompt in &self.prompts {
            prompt.write(xml);
        }
        xml.close("Gather");
    }
}
