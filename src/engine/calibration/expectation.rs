//! The stated probabilities under given parameters, and how they change.
//!
//! A derivative by a natural parameter is a sum over the sets that hold its condition or pair, so each is one more pass with
//! those conditions held present.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use nalgebra::{DMatrix, DVector};

use super::statement::Statement;
use crate::engine::complaint::Complaint;
use crate::engine::enumeration::{LANES, Lanes, Sums, Weights, add, is_several, sums};
use crate::knowledge::PrevalenceOf;

/// A pass: the conditions held present, as bits, and whether only sets of two or more origins count.
type Pass = (u32, bool);

/// The stated probabilities under given parameters.
#[derive(Debug)]
pub(super) struct Expectation<'a> {
    weights: Weights<'a>,
    complaint: Complaint,
    statement: &'a Statement,
    passes: RefCell<BTreeMap<Pass, Rc<Sums>>>,
}

impl<'a> Expectation<'a> {
    /// `weights` come without their damping, which is the complaint's.
    pub(super) fn new(
        weights: Weights<'a>,
        complaint: Complaint,
        statement: &'a Statement,
    ) -> Self {
        Self { weights, complaint, statement, passes: RefCell::default() }
    }

    /// All stated probabilities, and the change of their log odds with each unknown.
    pub(super) fn value_and_jacobian(&self) -> (DVector<f64>, DMatrix<f64>) {
        let mass = self.mass((0, false));
        let value = self.numerators((0, false)) / mass;
        let conditions = (0..self.statement.of.len()).map(|condition| (1 << condition, false));
        let pairs = self.statement.pairs.iter().map(|&(a, b)| (1 << a | 1 << b, false));
        let natural = conditions.chain(pairs).chain([(0, true)]);
        let change = |pass: Pass| (self.numerators(pass) - &value * self.mass(pass)) / mass;
        let mut columns: Vec<DVector<f64>> = natural.map(change).collect();
        if self.complaint.present {
            columns.push(self.leak_change(&value));
        }
        let mut jacobian = DMatrix::from_columns(&columns);
        for (row, value) in value.iter().enumerate() {
            jacobian.row_mut(row).unscale_mut(value * (1.0 - value));
        }
        (value, jacobian)
    }

    /// Change of the log odds of all stated probabilities with the log odds of one condition's link to heel pain.
    pub(super) fn link_slope(&self, condition: usize) -> DVector<f64> {
        let none = self.pass((0, false));
        let mass = self.complaint.mass(&none.total());
        let value = self.numerators((0, false)) / mass;
        let held = self.pass((1 << condition, false));
        let link = self.complaint.links[condition];
        // The silent lane is the only one that the link moves, and it moves on the sets that hold the condition.
        let damped =
            |lanes: &Lanes| (1.0 - self.complaint.leak) * Complaint::silent(lanes) / (1.0 - link);
        let mut change = DVector::zeros(value.len());
        let conditions = self.statement.of.len();
        for (row, of) in self.statement.of.iter().enumerate() {
            change[row] = match of {
                PrevalenceOf::Presence => damped(&held.conditions[row]),
                PrevalenceOf::Cause if row == condition => Complaint::whole(&none.conditions[row]),
                PrevalenceOf::Cause => 0.0,
            };
        }
        for (position, &(a, b)) in self.statement.pairs.iter().enumerate() {
            let pair = self.pass((1 << condition | 1 << a, false));
            change[conditions + position] = damped(&pair.conditions[b]);
        }
        let row = conditions + self.statement.pairs.len();
        change[row] = damped(&several(&held));
        let share = self.complaint.leak_share_slope(&held.total(), condition);
        change[row + 1] = self.complaint.leak * share;
        let change = (change - &value * damped(&held.total())) / mass;
        let scale = link * (1.0 - link);
        change.zip_map(&value, |change, value| change * scale / (value * (1.0 - value)))
    }

    /// Change of all stated probabilities with the log odds of the leak.
    fn leak_change(&self, value: &DVector<f64>) -> DVector<f64> {
        let none = self.pass((0, false));
        let total = none.total();
        let mass = self.complaint.mass(&total);
        let conditions = self.statement.of.len();
        let mut change = DVector::zeros(value.len());
        for (row, of) in self.statement.of.iter().enumerate() {
            change[row] = match of {
                PrevalenceOf::Presence => Complaint::silent(&none.conditions[row]),
                PrevalenceOf::Cause => 0.0,
            };
        }
        for (position, &(a, b)) in self.statement.pairs.iter().enumerate() {
            let pair = self.pass((1 << a, false));
            change[conditions + position] = Complaint::silent(&pair.conditions[b]);
        }
        let row = conditions + self.statement.pairs.len();
        change[row] = Complaint::silent(&several(&none));
        change[row + 1] = self.complaint.leak_share(&total);
        let leak = self.complaint.leak;
        (change - value * Complaint::silent(&total)) * (leak * (1.0 - leak) / mass)
    }

    /// Weights of all stated events in a pass.
    fn numerators(&self, pass: Pass) -> DVector<f64> {
        let sums = self.pass(pass);
        let mut numerators = Vec::new();
        for (condition, of) in self.statement.of.iter().enumerate() {
            let lanes = &sums.conditions[condition];
            numerators.push(match of {
                PrevalenceOf::Presence => self.complaint.mass(lanes),
                PrevalenceOf::Cause => self.complaint.condition_contributes(lanes, condition),
            });
        }
        for &(a, b) in &self.statement.pairs {
            let both = self.pass((pass.0 | 1 << a, pass.1));
            numerators.push(self.complaint.mass(&both.conditions[b]));
        }
        numerators.push(self.complaint.mass(&several(&sums)));
        if self.complaint.present {
            numerators.push(self.complaint.leak * self.complaint.leak_share(&sums.total()));
        }
        DVector::from_vec(numerators)
    }

    fn mass(&self, pass: Pass) -> f64 {
        self.complaint.mass(&self.pass(pass).total())
    }

    /// The sums of a pass, computed once.
    fn pass(&self, pass: Pass) -> Rc<Sums> {
        if let Some(sums) = self.passes.borrow().get(&pass) {
            return Rc::clone(sums);
        }
        let (held, several_only) = pass;
        let mut weights = Weights { damping: &self.complaint.damping, ..self.weights.clone() };
        for (condition, (absent, _)) in weights.absent_present.iter_mut().enumerate() {
            if held >> condition & 1 == 1 {
                *absent = 0.0;
            }
        }
        if several_only {
            weights.coexistence.0 = 0.0;
        }
        let sums = Rc::new(sums(&weights));
        self.passes.borrow_mut().insert(pass, Rc::clone(&sums));
        sums
    }
}

/// Sums over the sets of two or more origins.
fn several(sums: &Sums) -> Lanes {
    let several = sums.patterns.iter().enumerate().filter(|(pattern, _)| is_several(*pattern));
    several.map(|(_, lanes)| lanes).fold([0.0; LANES], add)
}
