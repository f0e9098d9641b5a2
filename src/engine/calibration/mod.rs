//! Calibration: the base odds, association factors, coexistence factor and leak of heel pain with which a setting's
//! stated numbers hold *given heel pain*, found together by Newton's method.
//!
//! Everything but the leak is a natural parameter of an exponential family whose base measure is the chance of heel pain,
//! so for a given leak the solution is unique; the leak is tied to the stated `unexplained` share.

mod expectation;
mod statement;

use nalgebra::{DMatrix, DVector, Dyn, LU};

use super::complaint::Complaint;
use super::enumeration::{Factor, Weights, absent_present};
use super::influence::ParameterId;
use crate::domain::{Origin, expit, logit};
use crate::knowledge::{KnowledgeBase, Parameter};
use expectation::Expectation;
use statement::Statement;

/// Largest step of one iteration, in nats: farther away the linear model is not to be trusted.
const LONGEST_STEP: f64 = 1.0;
/// Most iterations; convergence takes about ten.
const MOST_ITERATIONS: usize = 200;
/// Largest error that counts as solved, in log odds of the stated numbers.
const TOLERANCE: f64 = 1e-12;
/// Error with which a calibration is still accepted when rounding keeps it from the tolerance.
const ACCEPTED: f64 = 1e-10;

/// A Jacobian ready to be solved with.
type Factored = LU<f64, Dyn, Dyn>;

/// Why a setting cannot be calibrated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CalibrationError {
    /// The stated prevalences do not allow a stated pair.
    #[error("setting {setting}: the prevalences do not allow {condition} with {given} as stated")]
    ImpossiblePair {
        /// Id of the setting.
        setting: String,
        /// Id of the first condition.
        condition: String,
        /// Id of the second condition.
        given: String,
    },
    /// A pair's prevalence is stated as cause, so that the pair's presence is not determined.
    #[error(
        "setting {setting}: {condition} stands in an association, so its prevalence must be of presence"
    )]
    PairOfCause {
        /// Id of the setting.
        setting: String,
        /// Id of the condition.
        condition: String,
    },
    /// No parameters reproduce the stated numbers.
    #[error(
        "setting {setting}: no solution; the stated prevalences, coexistence and unexplained share contradict one another (error {error:.2e} log odds)"
    )]
    NoSolution {
        /// Id of the setting.
        setting: String,
        /// Largest remaining error.
        error: f64,
    },
}

/// A calibrated setting.
#[derive(Debug, Clone)]
pub(super) struct Calibration {
    /// Base log odds of each condition.
    pub(super) log_odds: Vec<f64>,
    /// The associated pairs and the logarithm of the factor of each.
    pub(super) pairs: Vec<(usize, usize, f64)>,
    /// Logarithm of the factor on sets of two or more origins.
    pub(super) coexistence: f64,
    /// How heel pain enters.
    pub(super) complaint: Complaint,
    /// Change of the solved numbers (log odds, pairs, coexistence, and with heel pain the log odds of the leak) with each
    /// of `stated`.
    pub(super) slopes: DMatrix<f64>,
    /// What was stated, in the order of the columns of `slopes`.
    pub(super) stated: Vec<Stated>,
    /// Variance of each condition's link to heel pain, on the log-odds scale.
    pub(super) link_variances: Vec<f64>,
}

/// A stated number that the solution depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stated {
    /// Which it is.
    pub(super) parameter: ParameterId,
    /// Its variance on its own scale.
    pub(super) variance: f64,
    /// The condition whose link to heel pain it is, where it is one.
    pub(super) link: Option<usize>,
}

impl Calibration {
    /// The factors of the associated pairs.
    pub(super) fn factors(&self) -> Vec<Factor> {
        pair_factors(&self.pairs)
    }
}

fn pair_factors(pairs: &[(usize, usize, f64)]) -> Vec<Factor> {
    let factor = |&(a, b, log): &(usize, usize, f64)| Factor {
        conditions: vec![a, b],
        values: vec![1.0, 1.0, 1.0, log.exp()],
    };
    pairs.iter().map(factor).collect()
}

/// Calibrates a setting, given heel pain or without a word on it.
pub(super) fn calibrate(
    knowledge: &KnowledgeBase,
    setting: usize,
    heel_pain: bool,
) -> Result<Calibration, CalibrationError> {
    let statement = Statement::new(knowledge, setting, heel_pain)?;
    let origins: Vec<Origin> =
        knowledge.conditions.iter().map(|condition| condition.origin).collect();
    let links: Vec<Parameter> =
        knowledge.complaint.links.iter().map(|link| link.sensitivity).collect();
    let solver = Solver { statement, origins, links, heel_pain };
    let (x, jacobian) = solver.solve().map_err(|error| CalibrationError::NoSolution {
        setting: knowledge.settings[setting].id.clone(),
        error,
    })?;
    Ok(solver.calibration(&x, &jacobian))
}

/// A setting to be solved. The unknowns are the log odds, the logarithms of the pair factors, that of the coexistence
/// factor and, with heel pain, the log odds of the leak.
#[derive(Debug)]
struct Solver {
    statement: Statement,
    origins: Vec<Origin>,
    links: Vec<Parameter>,
    heel_pain: bool,
}

impl Solver {
    /// The solution and the factored Jacobian at it; else the smallest error reached.
    fn solve(&self) -> Result<(DVector<f64>, Factored), f64> {
        let target = &self.statement.targets;
        let mut x = self.start();
        let mut best = f64::INFINITY;
        for _ in 0..MOST_ITERATIONS {
            let (value, jacobian) = self.expectation(&x).value_and_jacobian();
            let gap = |(target, value): (&f64, &f64)| logit(*target) - logit(*value);
            let gaps = target.iter().zip(value.iter()).map(gap);
            let error = DVector::from_iterator(value.len(), gaps);
            let largest = error.amax();
            let jacobian = jacobian.lu();
            if largest < TOLERANCE || (largest < ACCEPTED && largest >= best) {
                return Ok((x, jacobian));
            }
            best = best.min(largest);
            let Some(step) = jacobian.solve(&error) else { return Err(best) };
            x += &step * (LONGEST_STEP / step.amax().max(LONGEST_STEP));
            if !x.iter().all(|number| number.is_finite()) {
                return Err(best);
            }
        }
        Err(best)
    }

    /// Where Newton's method starts: the marginals as if independent.
    fn start(&self) -> DVector<f64> {
        let statement = &self.statement;
        let conditions = self.origins.len();
        let mut x = DVector::zeros(statement.targets.len());
        for condition in 0..conditions {
            x[condition] = logit(statement.targets[condition]);
        }
        if self.heel_pain {
            x[statement.targets.len() - 1] = logit(0.02);
        }
        x
    }

    fn expectation(&self, x: &DVector<f64>) -> Expectation<'_> {
        let conditions = self.origins.len();
        let pairs = self.pairs(x);
        let weights = Weights {
            origins: &self.origins,
            absent_present: (0..conditions).map(|c| absent_present(x[c])).collect(),
            damping: &[],
            coexistence: (1.0, x[conditions + pairs.len()].exp()),
            factors: pair_factors(&pairs),
        };
        Expectation::new(weights, self.complaint(x), &self.statement)
    }

    fn pairs(&self, x: &DVector<f64>) -> Vec<(usize, usize, f64)> {
        let first = self.origins.len();
        let pairs = self.statement.pairs.iter().enumerate();
        pairs.map(|(position, &(a, b))| (a, b, x[first + position])).collect()
    }

    fn complaint(&self, x: &DVector<f64>) -> Complaint {
        if self.heel_pain {
            let links = self.links.iter().map(|link| link.probability()).collect();
            Complaint::present(&self.origins, links, expit(x[x.len() - 1]))
        } else {
            // Links of 0: nothing is known of heel pain, the measure in which prevalences without it are solved.
            Complaint::absent(&self.origins, vec![0.0; self.origins.len()])
        }
    }

    fn calibration(&self, x: &DVector<f64>, jacobian: &Factored) -> Calibration {
        let conditions = self.origins.len();
        let mut columns = self.statement.slopes.clone();
        let mut stated = self.statement.stated.clone();
        if self.heel_pain {
            let expectation = self.expectation(x);
            for (condition, link) in self.links.iter().enumerate() {
                columns.push(-expectation.link_slope(condition));
                stated.push(Stated {
                    parameter: ParameterId::Reach(condition),
                    variance: link.variance,
                    link: Some(condition),
                });
            }
        }
        let right = DMatrix::from_columns(&columns);
        // The Jacobian was regular in every iteration, else there were no solution.
        let slopes =
            jacobian.solve(&right).unwrap_or_else(|| DMatrix::zeros(x.len(), columns.len()));
        let pairs = self.pairs(x);
        let complaint = if self.heel_pain {
            self.complaint(x)
        } else {
            let links = self.links.iter().map(|link| link.probability()).collect();
            Complaint::absent(&self.origins, links)
        };
        Calibration {
            log_odds: x.iter().take(conditions).copied().collect(),
            coexistence: x[conditions + pairs.len()],
            pairs,
            complaint,
            slopes,
            stated,
            link_variances: self.links.iter().map(|link| link.variance).collect(),
        }
    }
}
