//! An assessment: the engine's answer to a case.

use super::{Interval, Origin};

/// What the likelihoods mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Probability of contributing to the heel pain.
    HeelPain,
    /// Heel pain is absent: probability of presence, without weights.
    PresenceOnly,
}

/// One origin's part in the heel pain. All numbers are probabilities or shares in [0, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct OriginScore {
    /// The origin.
    pub origin: Origin,
    /// Posterior probability that a condition of this origin contributes.
    pub likelihood: f64,
    /// Credible interval of the likelihood.
    pub likelihood_interval: Interval,
    /// Expected share of the heel pain with its credible interval; `None` on the presence-only basis.
    pub weight: Option<(f64, Interval)>,
    /// Likelihood before any finding and risk factor.
    pub pretest: f64,
    /// Probability that this is the origin if exactly one origin is affected.
    pub single_origin_probability: f64,
}

/// One condition's probability.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionScore {
    /// Index of the condition in the knowledge base.
    pub condition: usize,
    /// Posterior probability of presence.
    pub present: f64,
    /// Credible interval of presence.
    pub present_interval: Interval,
    /// Posterior probability of contributing to the heel pain.
    pub likelihood: f64,
    /// Expected share of the heel pain; `None` on the presence-only basis.
    pub weight: Option<f64>,
    /// Presence before any finding and risk factor.
    pub pretest: f64,
}

/// A unit of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Index of a finding that belongs to no cluster.
    Finding(usize),
    /// Index of a cluster.
    Cluster(usize),
    /// Index of a risk factor.
    RiskFactor(usize),
}

/// What a unit of evidence did to the origins.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The unit.
    pub unit: Unit,
    /// Indices of the findings that were sent and belong to the unit; empty for a risk factor.
    pub findings: Vec<usize>,
    /// Change of each origin's log odds, in nats, in the order of [`Origin::ALL`].
    pub nats: [f64; 4],
    /// What each finding or risk factor of the unit says of each condition it is linked to.
    pub conditions: Vec<ConditionEvidence>,
}

/// What a result says of one condition.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionEvidence {
    /// The finding, as [`Unit::Finding`], or the risk factor.
    pub of: Unit,
    /// Index of the condition.
    pub condition: usize,
    /// Probability of the result given the condition, and given that it is absent, before any other finding; `None` for a risk
    /// factor.
    pub given: Option<(f64, f64)>,
    /// Likelihood ratio of the result for the condition alone against no condition; of a risk factor the factor on the odds.
    pub ratio: f64,
    /// Power to which the ratio is raised, in [0, 1].
    pub discount: f64,
}

/// Something a reader must know beside the numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Machine-readable code, `UPPER_SNAKE_CASE`.
    pub code: String,
    /// One plain English sentence.
    pub message: String,
    /// Ids of what it is about, as the knowledge base names them.
    pub subjects: Vec<String>,
}

impl Notice {
    /// A notice about nothing in particular.
    #[must_use]
    pub fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned(), subjects: Vec::new() }
    }

    /// The same about these ids.
    #[must_use]
    pub fn about(mut self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.subjects.extend(ids.into_iter().map(|id| id.as_ref().to_owned()));
        self
    }
}

/// The engine's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Index of the setting used.
    pub setting: usize,
    /// What the likelihoods mean.
    pub basis: Basis,
    /// The four origins, highest weight first (without weights: highest single-origin probability).
    pub origins: Vec<OriginScore>,
    /// Expected share of the heel pain that no modelled condition explains; `None` on the presence-only basis.
    pub unexplained: Option<f64>,
    /// Posterior probability that two or more origins are present.
    pub several_origins: f64,
    /// All conditions, highest weight first (without weights: highest presence).
    pub conditions: Vec<ConditionScore>,
    /// Contributions, largest first; empty unless asked for.
    pub contributions: Vec<Contribution>,
}
