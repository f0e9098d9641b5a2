//! The nearest known ids to one that is not known.

/// Most ids named.
const MOST: usize = 3;
/// Longest unknown id that is compared: longer ones are no misspelling.
const LONGEST: usize = 64;

/// Known ids that an unknown one may have meant, nearest first: those that differ in at most a third of their letters, or
/// that share their words.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let unknown = unknown.to_ascii_lowercase();
    if unknown.is_empty() || unknown.len() > LONGEST {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, &str)> = known.filter_map(|id| rank(&unknown, id)).collect();
    ranked.sort_unstable();
    ranked.into_iter().take(MOST).map(|(_, id)| id.to_owned()).collect()
}

/// How far a known id is, when it is near at all.
fn rank<'a>(unknown: &str, known: &'a str) -> Option<(usize, &'a str)> {
    let distance = strsim::levenshtein(unknown, known);
    let longer = unknown.len().max(known.len());
    let words = |id: &str| id.split(['_', '-', ' ', '.']).map(str::to_owned).collect::<Vec<_>>();
    let known_words = words(known);
    let is_contained = words(unknown).iter().all(|word| known_words.contains(word));
    (distance * 3 <= longer || is_contained).then_some((distance, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] =
        ["slump_test", "straight_leg_raise", "crossed_straight_leg_raise", "uveitis"];

    #[test]
    fn a_misspelling_names_what_was_meant() {
        assert_eq!(nearest("slump_tset", KNOWN.into_iter()), ["slump_test"]);
        assert_eq!(nearest("leg_raise", KNOWN.into_iter())[0], "straight_leg_raise");
    }

    #[test]
    fn something_else_names_nothing() {
        assert!(nearest("blood_pressure", KNOWN.into_iter()).is_empty());
        assert!(nearest("", KNOWN.into_iter()).is_empty());
        assert!(nearest(&"a".repeat(10_000), KNOWN.into_iter()).is_empty());
    }
}
