//! How good predictions are, with bootstrap intervals.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt as _, SeedableRng as _};

use super::cohort::Truth;
use super::prediction::Prediction;
use crate::knowledge::KnowledgeBase;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2_000;

/// What is measured, in the order of [`Scores`].
pub(super) const MEASURES: [&str; 7] = [
    "origin first",
    "origin among two",
    "condition first",
    "condition among three",
    "same, root for its cause",
    "Brier",
    "log score",
];

/// One case's scores. The first five are 1 or 0; Brier score (0 to 2) and log score (nats) are better the lower.
pub(super) type Scores = [f64; 7];

/// A mean with its 95 % bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// Scores a prediction. Several true origins count as equal parts in the Brier score and together in the log score.
pub(super) fn scores(knowledge: &KnowledgeBase, prediction: &Prediction, truth: &Truth) -> Scores {
    let origins = ranked(&prediction.origins);
    let conditions = ranked(&prediction.conditions);
    let true_origin = |origin: &usize| truth.origins[*origin];
    let true_condition = |condition: &usize| truth.conditions.contains(condition);
    let root = |condition: &usize| {
        true_condition(condition)
            || knowledge.conditions[*condition].id == "sciatica"
                && truth.conditions.iter().any(|&own| reaches_through_the_root(knowledge, own))
    };
    let hit = |hit: bool| f64::from(u8::from(hit));
    let parts = truth.origins.iter().filter(|origin| **origin).count() as f64;
    let share = |origin: usize| hit(truth.origins[origin]) / parts;
    let brier = (0..4).map(|origin| (prediction.origins[origin] - share(origin)).powi(2)).sum();
    let right: f64 = (0..4).filter(true_origin).map(|origin| prediction.origins[origin]).sum();
    [
        hit(true_origin(&origins[0])),
        hit(origins[..2].iter().any(true_origin)),
        hit(true_condition(&conditions[0])),
        hit(conditions.iter().take(3).any(true_condition)),
        hit(conditions.iter().take(3).any(root)),
        brier,
        -right.max(1e-9).ln(),
    ]
}

/// Conditions that reach the leg by way of the root.
fn reaches_through_the_root(knowledge: &KnowledgeBase, condition: usize) -> bool {
    matches!(
        knowledge.conditions[condition].id.as_str(),
        "lumbar_disc_herniation"
            | "lumbar_spinal_stenosis"
            | "spondylolisthesis"
            | "degenerative_disc_disease"
    )
}

/// Positions by falling value.
fn ranked(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

/// Mean of each score with its percentile bootstrap interval; `None` without a case.
pub(super) fn estimates(scores: &[Scores]) -> Option<[Estimate; 7]> {
    if scores.is_empty() {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let resample = |_| {
        let drawn = (0..scores.len()).map(|_| &scores[random.random_range(0..scores.len())]);
        mean(drawn)
    };
    let means: Vec<Scores> = (0..RESAMPLES).map(resample).collect();
    let value = mean(scores.iter());
    Some(std::array::from_fn(|measure| {
        let mut sorted: Vec<f64> = means.iter().map(|mean| mean[measure]).collect();
        sorted.sort_by(f64::total_cmp);
        let tail = RESAMPLES / 40;
        Estimate { value: value[measure], lower: sorted[tail], upper: sorted[RESAMPLES - 1 - tail] }
    }))
}

fn mean<'s>(scores: impl ExactSizeIterator<Item = &'s Scores>) -> Scores {
    let count = scores.len() as f64;
    let mut sum = [0.0; 7];
    for scores in scores {
        for (sum, score) in sum.iter_mut().zip(scores) {
            *sum += score / count;
        }
    }
    sum
}

/// Predictions of about the same size and how often they came true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bin {
    /// Bounds of the predictions.
    pub(super) bounds: (f64, f64),
    /// Number of predictions.
    pub(super) count: usize,
    /// Mean prediction.
    pub(super) predicted: f64,
    /// Share that came true.
    pub(super) observed: f64,
}

impl Bin {
    const BOUNDS: [f64; 8] = [0.0, 0.05, 0.15, 0.3, 0.5, 0.7, 0.9, 1.0];

    /// The bins of predictions with what came true; empty ones are left out.
    pub(super) fn all(pairs: &[(f64, f64)]) -> Vec<Self> {
        let bin = |bounds: &[f64]| {
            let last = bounds[1] >= 1.0;
            let own = pairs.iter().filter(|(p, _)| *p >= bounds[0] && (*p < bounds[1] || last));
            let own: Vec<_> = own.collect();
            let mean = |of: &dyn Fn(&(f64, f64)) -> f64| {
                own.iter().map(|pair| of(pair)).sum::<f64>() / own.len() as f64
            };
            (!own.is_empty()).then(|| Self {
                bounds: (bounds[0], bounds[1]),
                count: own.len(),
                predicted: mean(&|pair| pair.0),
                observed: mean(&|pair| pair.1),
            })
        };
        Self::BOUNDS.windows(2).filter_map(bin).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge;

    fn base() -> KnowledgeBase {
        knowledge::load(&knowledge::embedded()).unwrap()
    }

    fn index(base: &KnowledgeBase, id: &str) -> usize {
        base.conditions.iter().position(|condition| condition.id == id).unwrap()
    }

    fn prediction(base: &KnowledgeBase, origins: [f64; 4], order: &[&str]) -> Prediction {
        let mut conditions = vec![0.0; base.conditions.len()];
        for (rank, id) in order.iter().enumerate() {
            conditions[index(base, id)] = 1.0 / (1.0 + rank as f64);
        }
        Prediction { origins, conditions }
    }

    #[test]
    fn one_true_origin_is_scored_as_by_hand() {
        let base = base();
        let truth = Truth::new(&base, vec![index(&base, "sural_neuropathy")]);
        let order = ["sciatica", "polyneuropathy", "sural_neuropathy"];
        let own = scores(&base, &prediction(&base, [0.5, 0.1, 0.3, 0.1], &order), &truth);
        // 0.25 + 0.01 + 0.49 + 0.01, and the logarithm of 0.3.
        let expected = [0.0, 1.0, 0.0, 1.0, 1.0, 0.76, -(0.3f64.ln())];
        assert!(own.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{own:?}");
    }

    #[test]
    fn two_true_origins_count_as_equal_parts_and_together() {
        let base = base();
        let both = ["lumbar_spinal_stenosis", "polyneuropathy"].map(|id| index(&base, id));
        let truth = Truth::new(&base, both.into());
        let order = ["plantar_fasciopathy", "sciatica"];
        let own = scores(&base, &prediction(&base, [0.4, 0.0, 0.3, 0.3], &order), &truth);
        // 0.1^2 + 0 + 0.2^2 + 0.3^2, and the logarithm of 0.4 + 0.3; sciatica stands for the stenosis.
        let expected = [1.0, 1.0, 0.0, 0.0, 1.0, 0.14, -(0.7f64.ln())];
        assert!(own.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{own:?}");
    }

    #[test]
    fn a_bootstrap_interval_holds_the_mean_and_narrows_with_cases() {
        let cases = |count: usize| -> Vec<Scores> {
            (0..count).map(|case| [f64::from(u8::from(case % 4 == 0)); 7]).collect()
        };
        let [few, many] = [20, 400].map(|count| estimates(&cases(count)).unwrap()[0]);
        for own in [few, many] {
            assert!((own.value - 0.25).abs() < 1e-12);
            assert!(own.lower < own.value && own.value < own.upper);
        }
        // A quarter of 400: standard error 0.0217.
        assert!((many.upper - many.lower - 2.0 * 1.96 * 0.0217).abs() < 0.02, "{many:?}");
        assert!(many.upper - many.lower < few.upper - few.lower);
        assert_eq!(estimates(&[]), None);
    }

    #[test]
    fn bins_hold_every_prediction_once() {
        let bins = Bin::all(&[(0.0, 0.0), (0.05, 1.0), (0.6, 1.0), (0.65, 0.0), (1.0, 1.0)]);
        let counts: Vec<usize> = bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [1, 1, 2, 1]);
        assert!(
            (bins[2].predicted - 0.625).abs() < 1e-12 && (bins[2].observed - 0.5).abs() < 1e-12
        );
    }
}
