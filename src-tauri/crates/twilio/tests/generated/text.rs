//! Texts as telephone networks, people and attackers write them.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// What tends to be mistaken for something else in a form, a URL or an XML document.
const AWKWARD: [&str; 24] = [
    "&", "=", "+", "%", "%20", "%2B", " ", "'", "\"", "<", ">", "]]>", "&amp;", "\n", "\t", "/", "?", "#",
    ";", "\\", "é", "e\u{301}", "\u{200B}", "🙂",
];

/// One of `choices`.
pub(crate) fn one<'a, T: ?Sized>(random: &mut StdRng, choices: &[&'a T]) -> &'a T {
    choices[random.random_range(0..choices.len())]
}

/// Of `alphabet`, of a length in `lengths`.
pub(crate) fn of(random: &mut StdRng, alphabet: &str, lengths: std::ops::Range<usize>) -> String {
    let alphabet = alphabet.as_bytes();
    let length = random.random_range(lengths);
    (0..length).map(|_| char::from(alphabet[random.random_range(0..alphabet.len())])).collect()
}

/// A text that XML can hold and that a reader does not change; perhaps empty.
pub(crate) fn any(random: &mut StdRng) -> String {
    let pieces = random.random_range(0..6);
    let mut text = String::new();
    for _ in 0..pieces {
        match random.random_range(0..4) {
            0 => text.push_str(one(random, &AWKWARD)),
            1 => text.push(character(random)),
            _ => text.push_str(&of(random, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789", 1..8)),
        }
    }
    text
}

/// From any plane, but neither a control character nor one that stands for nothing.
fn character(random: &mut StdRng) -> char {
    loop {
        let character = char::from_u32(random.random_range(0x20..0x11_0000));
        if let Some(character) =
            character.filter(|c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
        {
            return character;
        }
    }
}
