//! From studies to a parameter: the one pooling rule.
//!
//! Every figure becomes a mean and a variance on the scale where its error is close to normal (log odds for a proportion,
//! natural logarithm for an odds ratio):
//!
//! - a count of x among n: `ln((x + 1/2) / (n - x + 1/2))`, variance `1/(x + 1/2) + 1/(n - x + 1/2)` (Haldane 1956,
//!   Anscombe 1956: the half keeps 0 and n finite);
//! - a value with a 95 % interval: variance `((upper - lower) / (2 * 1.96))^2` on that scale;
//! - a proportion p with n: the count's variance with x = p n; without n, n is that of its quality grade;
//! - an odds ratio without an interval: the variance of its quality grade.
//!
//! The quality grade adds a variance for bias. Figures are then pooled by random effects (`DerSimonian` and Laird 1986:
//! tau^2 from Cochran's Q). Our patients are another population than any study's, so the variance is that of a prediction
//! (Higgins 2009): the mean's own variance plus tau^2, and for findings at least the transport variance in place of tau^2
//! unless every figure comes from heel-pain patients.

use crate::domain::logit;

use super::raw::Quality;
use super::study::Parameter;

/// Least spread, on the log-odds scale, between a rate in back, hip or nerve clinics and in heel-pain patients. Judgement:
/// a standard deviation of 0.5 moves 0.5 to between 0.27 and 0.73.
const TRANSPORT_VARIANCE: f64 = 0.25;

/// Half-width of a 95 % interval in standard deviations.
const NORMAL_95: f64 = 1.959_963_984_540_054;

/// A figure on its scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figure {
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// Whether the people examined had heel pain.
    pub(super) heel_pain: bool,
}

/// Whether the pooled parameter must be carried over to heel-pain patients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    /// A link or leak: measured elsewhere unless its studies say otherwise.
    Needed,
    /// A prevalence, association or odds ratio: stated for heel-pain patients.
    NotNeeded,
}

impl Quality {
    /// Variance for bias; zero for a judgement, whose small sample already says how little is known.
    const fn bias_variance(self) -> f64 {
        match self {
            Self::High | Self::Expert => 0.0,
            Self::Moderate => 0.05,
            Self::Low => 0.2,
        }
    }

    /// Sample size of a proportion that states none; for a judgement the effective one.
    const fn default_sample(self) -> f64 {
        match self {
            Self::High => 100.0,
            Self::Moderate => 40.0,
            Self::Low => 15.0,
            Self::Expert => 8.0,
        }
    }

    /// Variance of the logarithm of an odds ratio that states no interval.
    const fn default_odds_ratio_variance(self) -> f64 {
        match self {
            Self::High => 0.05,
            Self::Moderate => 0.1,
            Self::Low => 0.2,
            Self::Expert => 0.35,
        }
    }
}

/// A count of `positives` among `examined`.
pub(super) fn of_count(positives: u32, examined: u32, quality: Quality) -> Figure {
    let (x, n) = (f64::from(positives), f64::from(examined));
    Figure {
        mean: ((x + 0.5) / (n - x + 0.5)).ln(),
        variance: binomial_variance(x, n) + quality.bias_variance(),
        heel_pain: false,
    }
}

/// A proportion strictly between 0 and 1, with its sample where one is stated.
pub(super) fn of_proportion(value: f64, sample: Option<u32>, quality: Quality) -> Figure {
    let n = sample.map_or(quality.default_sample(), f64::from);
    Figure {
        mean: logit(value),
        variance: binomial_variance(value * n, n) + quality.bias_variance(),
        heel_pain: false,
    }
}

/// A proportion with its 95 % interval, all strictly between 0 and 1.
pub(super) fn of_proportion_interval(value: f64, interval: (f64, f64), quality: Quality) -> Figure {
    from_interval(logit(value), logit(interval.0), logit(interval.1), quality)
}

/// An odds ratio above 0, with its 95 % interval where one is stated.
pub(super) fn of_odds_ratio(value: f64, interval: Option<(f64, f64)>, quality: Quality) -> Figure {
    match interval {
        Some((lower, upper)) => from_interval(value.ln(), lower.ln(), upper.ln(), quality),
        None => Figure {
            mean: value.ln(),
            variance: quality.default_odds_ratio_variance(),
            heel_pain: false,
        },
    }
}

fn from_interval(mean: f64, lower: f64, upper: f64, quality: Quality) -> Figure {
    let deviation = (upper - lower) / (2.0 * NORMAL_95);
    Figure { mean, variance: deviation * deviation + quality.bias_variance(), heel_pain: false }
}

fn binomial_variance(x: f64, n: f64) -> f64 {
    1.0 / (x + 0.5) + 1.0 / (n - x + 0.5)
}

/// Pools one or more figures. `None` without figures.
pub(super) fn pool(figures: &[Figure], transport: Transport) -> Option<Parameter> {
    if figures.is_empty() {
        return None;
    }
    let between = between_study_variance(figures);
    let weights = || figures.iter().map(|figure| (figure, 1.0 / (figure.variance + between)));
    let total: f64 = weights().map(|(_, weight)| weight).sum();
    let mean = weights().map(|(figure, weight)| weight * figure.mean).sum::<f64>() / total;
    let moved = transport == Transport::Needed && !figures.iter().all(|figure| figure.heel_pain);
    let spread = if moved { between.max(TRANSPORT_VARIANCE) } else { between };
    Some(Parameter { mean, variance: 1.0 / total + spread })
}

/// The `DerSimonian`-Laird estimate of tau^2.
fn between_study_variance(figures: &[Figure]) -> f64 {
    let weights = || figures.iter().map(|figure| (figure, 1.0 / figure.variance));
    let total: f64 = weights().map(|(_, weight)| weight).sum();
    let squares: f64 = weights().map(|(_, weight)| weight * weight).sum();
    let mean = weights().map(|(figure, weight)| weight * figure.mean).sum::<f64>() / total;
    let deviance = |(figure, weight): (&Figure, f64)| weight * (figure.mean - mean).powi(2);
    let heterogeneity: f64 = weights().map(deviance).sum();
    let freedom = figures.iter().skip(1).map(|_| 1.0).sum::<f64>();
    let scale = total - squares / total;
    if scale > 0.0 { ((heterogeneity - freedom) / scale).max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} differs from {b}");
    }

    #[test]
    fn one_count_keeps_its_log_odds_and_gains_the_transport_variance() {
        let pooled = pool(&[of_count(9, 15, Quality::High)], Transport::Needed).unwrap();
        close(pooled.mean, (9.5f64 / 6.5).ln());
        close(pooled.variance, 1.0 / 9.5 + 1.0 / 6.5 + 0.25);
    }

    #[test]
    fn figures_from_heel_pain_patients_are_not_carried_over() {
        let figure = Figure { heel_pain: true, ..of_count(9, 15, Quality::High) };
        let pooled = pool(&[figure], Transport::Needed).unwrap();
        close(pooled.variance, 1.0 / 9.5 + 1.0 / 6.5);
    }

    // By hand: means 0 and 2, variances 0.5 each. Weights 2, total 4, mean 1, Q = 2 + 2 = 4, C = 4 - 8/4 = 2,
    // tau^2 = (4 - 1)/2 = 1.5. New weights 1/2, total 1, variance of the mean 1, of a prediction 2.5.
    #[test]
    fn two_figures_agree_with_the_sum_done_by_hand() {
        let figure = |mean| Figure { mean, variance: 0.5, heel_pain: false };
        let pooled = pool(&[figure(0.0), figure(2.0)], Transport::Needed).unwrap();
        close(pooled.mean, 1.0);
        close(pooled.variance, 2.5);
    }

    #[test]
    fn a_judgement_weighs_like_eight_people() {
        let pooled =
            pool(&[of_proportion(0.5, None, Quality::Expert)], Transport::NotNeeded).unwrap();
        close(pooled.mean, 0.0);
        close(pooled.variance, 2.0 / 4.5);
    }

    #[test]
    fn an_interval_gives_its_own_variance() {
        let figure = of_odds_ratio(2.0, Some((1.0, 4.0)), Quality::High);
        close(figure.mean, 2.0f64.ln());
        close(figure.variance, (4.0f64.ln() / (2.0 * NORMAL_95)).powi(2));
    }
}
