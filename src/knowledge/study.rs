//! Studies, their sources, and the parameters pooled from them.

use std::collections::BTreeSet;

use serde::Deserialize;

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

    /// Positive and negative likelihood ratio of a sensitivity against a background rate, both on the log-odds scale. Their
    /// variances follow to first order: d ln p / d logit p = 1 - p, d ln (1 - p) / d logit p = -p.
    #[must_use]
    pub fn likelihood_ratios(self, background: Self) -> (Self, Self) {
        let of = |p: fn(f64) -> f64, slope: fn(f64) -> f64| Self {
            mean: p(self.mean).ln() - p(background.mean).ln(),
            variance: self.variance * slope(self.mean).powi(2)
                + background.variance * slope(background.mean).powi(2),
        };
        let complement: fn(f64) -> f64 = |log_odds| expit(-log_odds);
        (of(expit, complement), of(complement, expit))
    }
}

/// One published figure, or one expert judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Study {
    /// Index of the source; `None` for an expert judgement.
    pub source: Option<usize>,
    /// The figure as published: a proportion, or an odds ratio.
    pub value: f64,
    /// People with the finding or condition, where they were counted.
    pub positives: Option<u32>,
    /// People examined, where they are stated; `None` for an expert judgement.
    pub examined: Option<u32>,
    /// The 95 % interval as published.
    pub interval: Option<(f64, f64)>,
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

/// A publication, as it stands in the file; what is unknown is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Source {
    /// Id.
    pub id: String,
    /// Authors.
    pub authors: String,
    /// Year.
    pub year: Option<u32>,
    /// Title.
    pub title: String,
    /// Journal.
    pub journal: String,
    /// DOI.
    pub doi: String,
    /// `PubMed` id.
    pub pmid: String,
    /// Address.
    pub url: String,
    /// How many pooled figures are taken from it.
    #[serde(skip)]
    pub pooled: usize,
    /// Indices of the conditions that its figures are about, whether used or not.
    #[serde(skip)]
    pub conditions: BTreeSet<usize>,
}

impl Source {
    /// The reference as one line of text.
    #[must_use]
    pub fn reference(&self) -> String {
        let year = self.year.map(|year| year.to_string()).unwrap_or_default();
        let locators = [("doi:", &self.doi), ("PMID ", &self.pmid), ("", &self.url)];
        let locator = locators.into_iter().find(|(_, text)| !text.is_empty());
        let locator = locator.map(|(prefix, text)| format!("{prefix}{text}")).unwrap_or_default();
        let parts =
            [&self.authors, &self.title, &self.journal, &year, &locator].map(String::as_str);
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(". ")
    }
}

/// A published figure that was read and is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is about: a finding, a prevalence, a score.
    pub subject: String,
    /// The figure as published.
    pub figure: String,
    /// Index of its source.
    pub source: Option<usize>,
    /// Index of the condition it is about.
    pub condition: Option<usize>,
    /// Why it is not used.
    pub reason: String,
}
