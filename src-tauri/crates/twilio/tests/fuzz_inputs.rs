//! The fuzz targets without a fuzzer: what is kept in `fuzz/seeds`, and variations of it.
//!
//! `./dev fuzz` finds inputs; one that broke something is put among the seeds, so that it is tried here from then on.

use std::path::{Path, PathBuf};

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::fuzz;
use crate::generated::{cases, random};

const AWKWARD: [&[u8]; 16] = [
    b"\0",
    b"%",
    b"%00",
    b"&",
    b"=",
    b"+",
    b":",
    b"@",
    b";",
    b"?",
    b"#",
    b"\xff",
    b"<",
    b"\r\n",
    b"0",
    "\u{202E}".as_bytes(),
];

/// Tries `target` with each of its seeds, and `usually` times with a variation of one.
fn try_out(target: &str, usually: u64, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fuzz/seeds").join(target);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty(), "{}", folder.display());
    for seed in &seeds {
        run(seed);
    }
    for index in 0..cases(usually) {
        let random = &mut random(index);
        let mut input = seeds[random.random_range(0..seeds.len())].clone();
        let other = &seeds[random.random_range(0..seeds.len())];
        for _ in 0..random.random_range(1..6) {
            vary(random, &mut input, other);
        }
        let outcome = std::panic::catch_unwind(|| run(&input));
        assert!(outcome.is_ok(), "{target}, case {index}: {:?}", input.escape_ascii().to_string());
    }
}

fn vary(random: &mut StdRng, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.random_range(0..=input.len());
    let end = random.random_range(at..=input.len().min(at + 8));
    match random.random_range(0..5) {
        0 => drop(input.drain(at..end)),
        1 => drop(input.splice(at..end, [random.random::<u8>()])),
        2 => drop(input.splice(at..end, AWKWARD[random.random_range(0..AWKWARD.len())].iter().copied())),
        3 => {
            let piece = input[at..end].to_vec();
            let to = random.random_range(0..=input.len());
            drop(input.splice(to..to, piece));
        }
        _ => {
            let from = random.random_range(0..=other.len());
            let to = random.random_range(from..=other.len());
            drop(input.splice(at..end, other[from..to].iter().copied()));
        }
    }
}

#[test]
fn forms() {
    try_out("form", 3_000, fuzz::form::try_out);
}

#[test]
fn signatures() {
    try_out("signature", 2_000, fuzz::signature::try_out);
}

#[test]
fn phone_numbers() {
    try_out("phone_number", 500, fuzz::phone_number::try_out);
}

#[test]
fn documents() {
    try_out("twiml", 2_000, fuzz::twiml::try_out);
}

#[test]
fn links() {
    try_out("link", 1_000, fuzz::link::try_out);
}
