//! Studies, their sources, and the parameters pooled from them.

use crate::domain::expit;

/// A number of the model with its uncertainty, on the scale where the uncertainty is close to normal: log odds for a
/// probability, natural logarithm for an odds ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Mean on that scale, in nats.
    pub mean: f64,
    /// Variance on that scale.
    pub variance: f64,
}

impl Parameter {
    /// The probability at the mean, for a parameter on the log-odds scale.
    #[must_use]
    pub fn probability(self) -> f64 {
        expit(self.mean)
    }

    /// The odds ratio at the mean, for a parameter on the logarithmic scale.
    #[must_use]
    pub fn odds_ratio(self) -> f64 {
        self.mean.exp()
    }
}

/// One published figure, or one expert judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Index of the source; `None` for an expert judgement.
    pub source: Option<usize>,
    /// The figure as published: a proportion, or an odds ratio.
    pub value: f64,
    /// Quality grade: high, moderate, low or expert.
    pub quality: &'static str,
    /// `read` or `recalled`; empty for an expert judgement.
    pub checked: &'static str,
    /// Who was examined.
    pub population: String,
    /// Remark of the curator.
    pub note: String,
    /// Why the figure is not pooled; empty when it is.
    pub excluded: String,
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Id.
    pub id: String,
    /// The reference as one line of text.
    pub reference: String,
}
