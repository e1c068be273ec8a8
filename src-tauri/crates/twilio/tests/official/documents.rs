//! What we write and what Twilio's packages write when they are told the same.

use roxmltree::{Document, Node};
use serde_json::json;

use super::package::BOTH;
use crate::generated::{cases, document, random};

/// An element with its attributes sorted: their order means nothing.
#[derive(Debug, PartialEq)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn read(xml: &str) -> Self {
        let document = Document::parse(xml).unwrap_or_else(|error| panic!("{error}: {xml}"));
        Self::of(document.root_element())
    }

    fn of(node: Node<'_, '_>) -> Self {
        let mut attributes: Vec<_> = node
            .attributes()
            .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
            .collect();
        attributes.sort();
        Self {
            name: node.tag_name().name().to_owned(),
            attributes,
            text: node.children().filter(Node::is_text).filter_map(|text| text.text()).collect(),
            children: node.children().filter(Node::is_element).map(Self::of).collect(),
        }
    }
}

#[test]
#[ignore = "needs Twilio's packages: ./dev cross-check"]
fn the_same_intent_makes_the_same_document() {
    let made: Vec<_> = (0..cases(20_000)).map(|index| document::any(&mut random(index))).collect();
    for package in BOTH {
        let questions = made.iter().map(|(_, calls)| json!({ "do": "write", "calls": calls })).collect();
        for (index, ((ours, _), theirs)) in made.iter().zip(package.ask(questions)).enumerate() {
            let xml = theirs["xml"].as_str().unwrap_or_else(|| panic!("{package:?}, case {index}: {theirs}"));
            assert_eq!(Element::read(&ours.to_xml()), Element::read(xml), "{package:?}, case {index}");
        }
    }
}

#[test]
fn only_the_order_of_attributes_is_ignored() {
    let read = |xml| Element::read(xml);
    let document = read("<Response><Dial a=\"1\" b=\"\"><Sip>x</Sip><Queue/></Dial></Response>");
    assert_eq!(
        document,
        read("<Response><Dial b=\"\" a=\"1\"><Sip>x</Sip><Queue></Queue></Dial></Response>")
    );
    for other in [
        "<Response><Dial a=\"2\" b=\"\"><Sip>x</Sip><Queue/></Dial></Response>",
        "<Response><Dial a=\"1\"><Sip>x</Sip><Queue/></Dial></Response>",
        "<Response><Dial a=\"1\" b=\"\"><Sip>x </Sip><Queue/></Dial></Response>",
        "<Response><Dial a=\"1\" b=\"\"><Queue/><Sip>x</Sip></Dial></Response>",
        "<Response><Dial a=\"1\" b=\"\"><Sip>x</Sip></Dial><Queue/></Response>",
    ] {
        assert_ne!(document, read(other), "{other}");
    }
}
