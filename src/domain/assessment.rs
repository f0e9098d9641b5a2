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
}

/// Something a reader must know beside the numbers. Indices are those of the knowledge base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Nothing was said of heel pain: it was taken as present.
    HeelPainAssumed,
    /// Heel pain was sent as absent: outside the purpose.
    HeelPainAbsent,
    /// These findings are of the other side and were not used.
    OtherSideNotUsed(Vec<usize>),
    /// These findings change no likelihood.
    WithoutWeight(Vec<usize>),
    /// The patient is outside the scope and the caller accepted it.
    OutOfScopeAccepted,
    /// Nothing that was sent beside heel pain changes any likelihood.
    NoInformativeFinding,
    /// In these other settings another origin would lead.
    SettingChangesLead(Vec<usize>),
    /// The leading origin rests on these conditions, which are systemic or inflammatory diseases.
    SystemicDisease(Vec<usize>),
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
    /// What the engine has to say beside the numbers.
    pub notices: Vec<Notice>,
}
