//! No text breaks out of a document: an XML reader finds what was written.

use dialer_domain::identity::ClientIdentity;
use dialer_twilio::twiml::{
    Conference, Dial, DialNoun, Enqueue, Gather, MAX_SAY_LENGTH, Prompt, Response, Verb,
};
use url::Url;

/// Writes a document of texts that come from elsewhere, and reads it.
pub fn try_out(bytes: &[u8]) {
    let texts: [&str; 6] = super::pieces(bytes);
    let [text, language, name, value, queue, label] = texts.map(str::to_owned);
    let (Ok(identity), Ok(action)) =
        (ClientIdentity::parse("agent_1"), Url::parse("https://phone.example/x"))
    else {
        panic!("both are well-formed");
    };
    let gather = Gather {
        prompts: vec![Prompt::Say { text: text.clone(), language: Some(language.clone()) }],
        finish_on_key: Some(name.clone()),
        ..Gather::new(action)
    };
    let client =
        DialNoun::Client { identity, parameters: vec![(name.clone(), value.clone())], status_callback: None };
    let conference = Conference {
        name: queue.clone(),
        participant_label: Some(label.clone()),
        start_on_enter: true,
        end_on_exit: false,
        wait_url: None,
        status_callback: None,
    };
    let xml = Response::new()
        .with(Verb::Gather(gather))
        .with(Verb::PlayDigits { digits: text.clone() })
        .with(Verb::Dial(Dial { nouns: vec![client, DialNoun::Conference(conference)], ..Dial::default() }))
        .with(Verb::Enqueue(Enqueue { name: queue.clone(), wait_url: None, action: None }))
        .to_xml();

    let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
    let elements: Vec<_> = document.descendants().filter(roxmltree::Node::is_element).collect();
    let names: Vec<_> = elements.iter().map(|element| element.tag_name().name()).collect();
    let expected = [
        "Response",
        "Gather",
        "Say",
        "Play",
        "Dial",
        "Client",
        "Identity",
        "Parameter",
        "Conference",
        "Enqueue",
    ];
    assert_eq!(names, expected);
    let spoken: String = text.chars().take(MAX_SAY_LENGTH).collect();
    let content = |place: usize| elements[place].text().unwrap_or_default();
    let attribute = |place: usize, name| elements[place].attribute(name).map(str::to_owned);
    assert_eq!(content(2), readable(&spoken));
    assert_eq!(attribute(2, "language"), Some(readable(&language)));
    assert_eq!(attribute(7, "name"), Some(readable(&name)));
    assert_eq!(attribute(7, "value"), Some(readable(&value)));
    assert_eq!(content(8), readable(&queue));
    assert_eq!(attribute(8, "participantLabel"), Some(readable(&label)));
    assert_eq!(content(9), readable(&queue));
}

/// What a reader must find for `text`: itself, less what XML cannot hold.
fn readable(text: &str) -> String {
    let replaced = |c: char| match c {
        '\t' | '\n' | '\r' => c,
        '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
        other => other,
    };
    text.chars().map(replaced).collect()
}
