//! Codes of terminologies. Both carry a check digit, so that a mistyped one does not pass.

use super::Compiler;
use crate::knowledge::base::Code;
use crate::knowledge::raw;

impl Compiler<'_, '_> {
    pub(super) fn codes(&mut self, file: usize, raw: &raw::Codes) -> Vec<Code> {
        let mut codes = Vec::new();
        for (system, id, is_sound) in [
            ("http://snomed.info/sct", &raw.snomed, is_snomed as fn(&str) -> bool),
            ("http://loinc.org", &raw.loinc, is_loinc),
        ] {
            let Some(id) = id else { continue };
            if !is_sound(id.get_ref()) {
                let reason = format!("`{}` is no code of {system}: check digit", id.get_ref());
                self.fault(file, id, &reason);
            }
            codes.push(Code { system, code: id.get_ref().clone() });
        }
        codes
    }
}

/// Whether an id of SNOMED CT ends in its check digit (Verhoeff 1969).
fn is_snomed(id: &str) -> bool {
    const SHUFFLE: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let check = |(place, digit)| (0..place).fold(digit, |digit, _| SHUFFLE[digit]);
    let sum = digits(id).map(|digits| digits.into_iter().enumerate().map(check).fold(0, turn));
    (6..=18).contains(&id.len()) && sum == Some(0)
}

/// Product of two symmetries of a pentagon: 0 to 4 are turns, 5 to 9 reflections.
const fn turn(a: usize, b: usize) -> usize {
    let turned = if a < 5 { a + b } else { a + 10 - b } % 5;
    if (a < 5) == (b < 5) { turned } else { turned + 5 }
}

/// Whether a LOINC code ends in `-` and its check digit (Luhn 1960).
fn is_loinc(code: &str) -> bool {
    let weigh = |(place, digit): (usize, usize)| match place % 2 {
        0 => digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    };
    let digits = code.split_once('-').filter(|(body, check)| !body.is_empty() && check.len() == 1);
    let digits = digits.and_then(|(body, check)| self::digits(&format!("{body}{check}")));
    digits.is_some_and(|digits| digits.into_iter().enumerate().map(weigh).sum::<usize>() % 10 == 0)
}

/// The digits of a number, from the right.
fn digits(number: &str) -> Option<Vec<usize>> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
    number.bytes().rev().map(digit).collect()
}
