//! Which findings the answer hangs on.

use super::scenario::{Scenario, altered};
use crate::domain::{Case, Origin};
use crate::engine::{self, Breadth, Model, Outlook};

/// Most findings told.
const MOST: usize = 10;

/// A finding whose removal or reversal makes another origin lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Reversal {
    /// Index of the finding.
    pub finding: usize,
    /// As it was sent.
    pub present: bool,
    /// Where the case would point had it not been sent.
    pub without: Outlook,
    /// Where the case would point with the opposite result.
    pub reversed: Outlook,
}

/// The findings whose removal or reversal makes another origin lead, those that change most first; at most ten.
pub(super) fn reversals(model: &Model, case: &Case) -> Vec<Reversal> {
    let scenario = Scenario::new(model, case, Breadth::Rare);
    let lead = engine::outlook(model, case).lead();
    let margin = |outlook: &Outlook| {
        let others = Origin::ALL.into_iter().filter(|origin| *origin != lead);
        let best = others.map(|origin| outlook.rank[origin.index()]).fold(0.0, f64::max);
        outlook.rank[lead.index()] - best
    };
    let quick = |finding, state| margin(&scenario.outlook(&scenario.probabilities(finding, state)));
    let mut close: Vec<(f64, usize, bool)> = case
        .observations
        .iter()
        .map(|own| {
            let least = quick(own.finding, None).min(quick(own.finding, Some(!own.present)));
            (least, own.finding, own.present)
        })
        .filter(|(margin, ..)| *margin < 0.0)
        .collect();
    close.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    close.truncate(MOST);
    let exact = |(_, finding, present): (f64, usize, bool)| Reversal {
        finding,
        present,
        without: engine::outlook(model, &altered(case, finding, None)),
        reversed: engine::outlook(model, &altered(case, finding, Some(!present))),
    };
    let changes = |own: &Reversal| own.without.lead() != lead || own.reversed.lead() != lead;
    close.into_iter().map(exact).filter(changes).collect()
}
