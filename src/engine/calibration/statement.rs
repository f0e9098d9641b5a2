//! What a setting states, as probabilities to be reproduced.

use nalgebra::DVector;

use super::{CalibrationError, Stated};
use crate::engine::influence::ParameterId;
use crate::knowledge::{Association, Correlation, KnowledgeBase, PrevalenceOf};

/// The stated numbers of a setting: the conditions' prevalences, the joint probabilities of the pairs, the coexistence and,
/// with heel pain, the unexplained share.
#[derive(Debug)]
pub(super) struct Statement {
    /// What each condition's prevalence counts.
    pub(super) of: Vec<PrevalenceOf>,
    /// The associated pairs.
    pub(super) pairs: Vec<(usize, usize)>,
    /// The probabilities to be reproduced, in the order above.
    pub(super) targets: Vec<f64>,
    /// The stated numbers.
    pub(super) stated: Vec<Stated>,
    /// Change of the log odds of all targets with each stated number, on that number's own scale.
    pub(super) slopes: Vec<DVector<f64>>,
}

impl Statement {
    pub(super) fn new(
        knowledge: &KnowledgeBase,
        setting: usize,
        heel_pain: bool,
    ) -> Result<Self, CalibrationError> {
        let profile = &knowledge.settings[setting];
        let of = profile.prevalences.iter().map(|prevalence| match prevalence.of {
            PrevalenceOf::Cause if heel_pain => PrevalenceOf::Cause,
            PrevalenceOf::Cause | PrevalenceOf::Presence => PrevalenceOf::Presence,
        });
        let mut statement = Self {
            of: of.collect(),
            pairs: Vec::new(),
            targets: profile.prevalences.iter().map(|stated| stated.value.probability()).collect(),
            stated: Vec::new(),
            slopes: Vec::new(),
        };
        let conditions = knowledge.conditions.len();
        let count = conditions + knowledge.associations.len() + 1 + usize::from(heel_pain);
        for (condition, prevalence) in profile.prevalences.iter().enumerate() {
            let id = ParameterId::Prevalence(condition);
            statement.state(id, prevalence.value.variance, unit(count, condition));
        }
        for (position, association) in knowledge.associations.iter().enumerate() {
            let row = conditions + position;
            statement.state_pair(knowledge, setting, association, row)?;
        }
        let row = conditions + knowledge.associations.len();
        statement.targets.push(profile.coexistence.probability());
        let variance = profile.coexistence.variance;
        statement.state(ParameterId::Coexistence, variance, unit(count, row));
        if heel_pain {
            statement.targets.push(profile.unexplained.probability());
            let variance = profile.unexplained.variance;
            statement.state(ParameterId::Unexplained, variance, unit(count, row + 1));
        }
        Ok(statement)
    }

    fn state(&mut self, parameter: ParameterId, variance: f64, slope: DVector<f64>) {
        self.stated.push(Stated { parameter, variance, link: None });
        self.slopes.push(slope);
    }

    fn state_pair(
        &mut self,
        knowledge: &KnowledgeBase,
        setting: usize,
        association: &Association,
        row: usize,
    ) -> Result<(), CalibrationError> {
        let &Association { condition: a, given: b, correlation } = association;
        let id = |condition: usize| knowledge.conditions[condition].id.clone();
        let setting_id = || knowledge.settings[setting].id.clone();
        let of_cause = [a, b].into_iter().find(|&c| self.of[c] == PrevalenceOf::Cause);
        if let Some(condition) = of_cause {
            let condition = id(condition);
            return Err(CalibrationError::PairOfCause { setting: setting_id(), condition });
        }
        let pair = Pair::new(self.targets[a], self.targets[b], correlation);
        let pair = pair.ok_or_else(|| CalibrationError::ImpossiblePair {
            setting: setting_id(),
            condition: id(a),
            given: id(b),
        })?;
        let scale = pair.joint * (1.0 - pair.joint);
        self.slopes[a][row] += pair.with_first / scale;
        self.slopes[b][row] += pair.with_second / scale;
        let count = self.slopes[a].len();
        let id = ParameterId::Association(self.pairs.len());
        self.state(id, pair.variance, unit(count, row) * (pair.with_correlation / scale));
        self.targets.push(pair.joint);
        self.pairs.push((a, b));
        Ok(())
    }
}

/// Joint probability of a pair, and its change with the log odds of both prevalences and with the stated correlation.
#[derive(Debug, Clone, Copy)]
struct Pair {
    joint: f64,
    with_first: f64,
    with_second: f64,
    with_correlation: f64,
    variance: f64,
}

impl Pair {
    /// `None` when the prevalences of the two do not allow the correlation.
    fn new(first: f64, second: f64, correlation: Correlation) -> Option<Self> {
        let pair = match correlation {
            Correlation::Conditional(stated) => {
                let conditional = stated.probability();
                let joint = conditional * second;
                Self {
                    joint,
                    with_first: 0.0,
                    with_second: joint * (1.0 - second),
                    with_correlation: joint * (1.0 - conditional),
                    variance: stated.variance,
                }
            }
            Correlation::OddsRatio(stated) => {
                let joint = joint_of_odds_ratio(first, second, stated.odds_ratio());
                // Implicit differentiation of ln(joint (1 - first - second + joint) / ((first - joint) (second - joint))).
                let rest = 1.0 / (1.0 - first - second + joint);
                let (only_first, only_second) = (1.0 / (first - joint), 1.0 / (second - joint));
                let slope = 1.0 / joint + rest + only_first + only_second;
                Self {
                    joint,
                    with_first: (rest + only_first) / slope * first * (1.0 - first),
                    with_second: (rest + only_second) / slope * second * (1.0 - second),
                    with_correlation: 1.0 / slope,
                    variance: stated.variance,
                }
            }
        };
        let lowest = (first + second - 1.0).max(0.0);
        (lowest < pair.joint && pair.joint < first.min(second)).then_some(pair)
    }
}

/// Joint probability of two events with an odds ratio (Plackett 1965).
fn joint_of_odds_ratio(first: f64, second: f64, odds_ratio: f64) -> f64 {
    let excess = odds_ratio - 1.0;
    let linear = 1.0 + (first + second) * excess;
    let root = (linear * linear - 4.0 * odds_ratio * excess * first * second).sqrt();
    // The stable form of the quadratic's solution: it holds for an odds ratio of 1 as well.
    2.0 * odds_ratio * first * second / (linear + root)
}

fn unit(count: usize, row: usize) -> DVector<f64> {
    let mut vector = DVector::zeros(count);
    vector[row] = 1.0;
    vector
}
