//! Counts the words of `{"text": "…"}` and answers with `{"words":N,"distinct":N,"most_frequent":"…"}`.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct Input {
    text: String,
}

#[derive(Serialize)]
struct Output<'a> {
    words: usize,
    distinct: usize,
    /// The first in the alphabet where several are equally frequent; null for a text without words.
    most_frequent: Option<&'a str>,
}

fn count(text: &str) -> Output<'_> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *seen.entry(word).or_default() += 1;
    }
    let most_frequent = seen.iter().rev().max_by_key(|(_, times)| **times).map(|(word, _)| *word);
    Output { words: seen.values().sum(), distinct: seen.len(), most_frequent }
}

fn main() -> ExitCode {
    let mut bytes = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut bytes) {
        eprintln!("the input cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    match serde_json::from_slice::<Input>(&bytes) {
        Ok(input) => {
            print!("{}", serde_json::to_string(&count(&input.text)).expect("numbers and a string"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("the input must be a JSON object with a `text`: {error}");
            ExitCode::from(2)
        }
    }
}
