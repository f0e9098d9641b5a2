//! Looks through what a program has put out for what was sent to it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::fields::{AGE, CANARY, MEASURED, SHARE, WHOLE};

/// What is looked for.
pub(crate) struct Search {
    /// Bytes that may stand nowhere, in lower case, with the name they are reported by.
    anywhere: Vec<(String, Vec<u8>)>,
    /// Words that may not stand alone.
    alone: Vec<String>,
}

/// What was found, by name, with a line for each of the first few.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    pub(crate) by_name: BTreeMap<String, usize>,
    pub(crate) lines: Vec<String>,
}

impl Hits {
    pub(crate) fn count(&self) -> usize {
        self.by_name.values().sum()
    }
}

impl Search {
    /// Planted words, plain, in hexadecimal digits and in base64, planted numbers, secrets, and ids of findings.
    pub(crate) fn new(secrets: &[(&str, &str)], ids: &[String]) -> Self {
        let mut anywhere = vec![("planted word".to_owned(), CANARY.as_bytes().to_vec())];
        let hex = CANARY.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        anywhere.push(("planted word in hexadecimal".to_owned(), hex.into_bytes()));
        for shift in 0..3 {
            // The first and last characters depend on the bytes beside.
            let text = STANDARD_NO_PAD.encode([&vec![0; shift], CANARY.as_bytes()].concat());
            let inner = &text[[0, 2, 3][shift]..text.len() - 1];
            anywhere.push(("planted word in base64".to_owned(), inner.to_lowercase().into_bytes()));
        }
        for digits in ["73.91234", "0.7391234", "7391234", &WHOLE.to_string()] {
            anywhere.push((format!("planted number {digits}"), digits.as_bytes().to_vec()));
        }
        for (name, secret) in secrets {
            anywhere.push(((*name).to_owned(), secret.to_lowercase().into_bytes()));
        }
        let alone = ids.iter().cloned().chain([AGE.to_string()]).collect();
        Self { anywhere, alone }
    }

    /// Everything that was found in a text.
    pub(crate) fn text(&self, text: &str) -> Hits {
        let mut hits = self.bytes(text.as_bytes());
        for line in text.lines() {
            for word in self.alone.iter().filter(|word| stands_alone(line, word)) {
                hits.add(word, line);
            }
        }
        hits
    }

    /// Planted words and numbers that are written out, and secrets.
    pub(crate) fn words(&self, bytes: &[u8]) -> Hits {
        let (mut hits, small) = (Hits::default(), bytes.to_ascii_lowercase());
        for (name, sought) in &self.anywhere {
            hits.find(name, &small, sought);
        }
        hits
    }

    /// The same in bytes of any kind, and planted numbers as they are encoded.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Hits {
        let mut hits = self.words(bytes);
        for number in [MEASURED, SHARE] {
            for encoded in [number.to_le_bytes(), number.to_be_bytes()] {
                hits.find("planted number in binary", bytes, &encoded);
            }
        }
        hits
    }
}

impl Hits {
    fn find(&mut self, name: &str, bytes: &[u8], sought: &[u8]) {
        let mut at = 0;
        while let Some(found) = find(&bytes[at..], sought) {
            let near = (at + found).saturating_sub(60)..(at + found + 40).min(bytes.len());
            self.add(name, &String::from_utf8_lossy(&bytes[near]));
            at += found + sought.len();
        }
    }

    fn add(&mut self, name: &str, line: &str) {
        *self.by_name.entry(name.to_owned()).or_default() += 1;
        if self.lines.len() < 20 {
            self.lines
                .push(format!("{name}: {}", line.escape_debug().take(300).collect::<String>()));
        }
    }
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    let first = sought[0];
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|byte| *byte == first)?;
        if bytes[from..].starts_with(sought) {
            return Some(from);
        }
        from += 1;
    }
}

/// Whether a word stands in a line as a word of its own: no part of a longer one, of an id or of a number.
fn stands_alone(line: &str, word: &str) -> bool {
    let is_part = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(byte))
    };
    line.match_indices(word).any(|(at, _)| {
        let bytes = line.as_bytes();
        !is_part(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && !is_part(bytes.get(at + word.len()))
    })
}
