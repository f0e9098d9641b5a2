//! Findings and risk factors.

use std::collections::BTreeSet;

use toml::Spanned;

use super::studies::Scale;
use super::{Compiler, terminology};
use crate::domain::Sex;
use crate::knowledge::base::{
    Effect, Finding, Leak, Link, Measure, RiskFactor, Threshold, Trigger,
};
use crate::knowledge::raw::{self, Laterality, Located};

/// Id of the presenting complaint.
const COMPLAINT: &str = "heel_pain";

impl Compiler<'_, '_> {
    /// The findings ordered by id, and the presenting complaint.
    pub(super) fn findings(
        &mut self,
        raw: &[Located<raw::Finding>],
    ) -> (Vec<Finding>, Option<Finding>) {
        let mut findings: Vec<Finding> =
            raw.iter().filter_map(|located| self.finding(located)).collect();
        findings.sort_by(|a, b| a.id.cmp(&b.id));
        let complaint = findings.iter().position(|finding| finding.id == COMPLAINT);
        let complaint = complaint.map(|position| findings.remove(position));
        self.join_parts(raw, &mut findings);
        if complaint.as_ref().is_none_or(|finding| finding.links.len() != self.conditions.len()) {
            let reason = format!("needs a finding `{COMPLAINT}` that links every condition once");
            self.report.overall(reason);
        }
        (findings, complaint)
    }

    fn finding(&mut self, located: &Located<raw::Finding>) -> Option<Finding> {
        let Located { file, offset, entry } = located;
        let cluster = entry.cluster.as_ref().and_then(|id| self.cluster(*file, id));
        // Both are read before either is missed, so that the faults of both are reported.
        let (leaks, links) = (self.leaks(*file, &entry.leaks), self.links(*file, &entry.links));
        let (leaks, links) = leaks.zip(links)?;
        let is_complaint = entry.id.get_ref() == COMPLAINT;
        if leaks.is_empty() != (links.is_empty() || is_complaint) {
            let reason =
                "a finding has both a leak and links, or neither; heel_pain has links only";
            self.report.at(*file, *offset, reason.to_owned());
        }
        self.check_leaks(located, &leaks, &links);
        self.check_coverage(located, &links);
        Some(Finding {
            id: entry.id.get_ref().clone(),
            label: entry.label.clone(),
            elicit: entry.elicit.clone(),
            positive: entry.positive.clone(),
            kind: kind(entry.kind),
            effort: entry.effort,
            has_side: entry.laterality == Laterality::Sided,
            codes: terminology(&entry.codes),
            cluster,
            aliases: entry.aliases.iter().map(|alias| alias.get_ref().clone()).collect(),
            measure: entry.measure.as_ref().and_then(|measure| self.measure(*file, measure)),
            leaks,
            links,
            parts: Vec::new(),
            part_of: None,
        })
    }

    fn leaks(&mut self, file: usize, raw: &[raw::Leak]) -> Option<Vec<Leak>> {
        let bands = raw.iter().map(|leak| (leak.age.as_ref(), &leak.studies));
        if raw.iter().all(|leak| leak.at_least.is_none()) {
            self.check_bands(file, bands);
        }
        let leak = |this: &mut Self, leak: &raw::Leak| {
            let pooled = this.studies(file, &leak.studies, &[], Scale::Rate);
            let age = leak.age.as_ref().map(|age| *age.get_ref());
            let at_least = leak.at_least.as_ref().map(|at_least| *at_least.get_ref());
            pooled.map(|(rate, studies)| Leak { age, at_least, rate, studies })
        };
        let leaks: Vec<Option<Leak>> = raw.iter().map(|entry| leak(self, entry)).collect();
        leaks.into_iter().collect()
    }

    fn links(&mut self, file: usize, raw: &[raw::Linked]) -> Option<Vec<Link>> {
        let link = |this: &mut Self, linked: &raw::Linked| {
            let condition = this.condition(file, &linked.condition);
            let pooled = this.studies(file, &linked.studies, condition.as_slice(), Scale::Rate);
            let age = linked.age.as_ref().map(|age| *age.get_ref());
            let at_least = linked.at_least.as_ref().map(|at_least| *at_least.get_ref());
            let ((sensitivity, studies), condition) = pooled.zip(condition)?;
            Some(Link { condition, age, at_least, sensitivity, studies })
        };
        let links: Vec<Option<Link>> = raw.iter().map(|linked| link(self, linked)).collect();
        for id in raw.iter().map(|linked| linked.condition.get_ref()).collect::<BTreeSet<_>>() {
            let of_condition = raw
                .iter()
                .filter(|linked| linked.condition.get_ref() == id && linked.at_least.is_none());
            self.check_bands(
                file,
                of_condition.map(|linked| (linked.age.as_ref(), &linked.studies)),
            );
        }
        let mut links = links.into_iter().collect::<Option<Vec<Link>>>()?;
        links.sort_by_key(|link| link.condition);
        Some(links)
    }

    /// The first entry has no age band and every other has one.
    fn check_bands<'b, T: 'b>(
        &mut self,
        file: usize,
        entries: impl Iterator<Item = (Option<&'b Spanned<(u32, u32)>>, &'b Spanned<T>)>,
    ) {
        for (position, (band, at)) in entries.enumerate() {
            match (position, band) {
                (0, Some(band)) => self.fault(file, band, "the first of several has no `age`"),
                (1.., None) => self.fault(file, at, "only the first goes without `age`"),
                (_, Some(band)) if band.get_ref().0 > band.get_ref().1 => {
                    self.fault(file, band, "`age` is [from, to], with from not above to");
                }
                (0, None) | (1.., Some(_)) => {}
            }
        }
    }

    /// Links at or below the leak are neutral: when all are, leak and sensitivities were most likely mixed up.
    fn check_leaks(&mut self, located: &Located<raw::Finding>, leaks: &[Leak], links: &[Link]) {
        for (leak, written) in leaks.iter().zip(&located.entry.leaks) {
            let is_neutral = |link: &Link| link.sensitivity.mean <= leak.rate.mean;
            if !links.is_empty() && links.iter().all(is_neutral) {
                self.fault(located.file, &written.studies, "the leak is above every sensitivity");
            }
        }
    }

    /// A general finding says of every condition whether it is linked or at background: a link that is missing beside
    /// filled ones would favour the filled ones.
    fn check_coverage(&mut self, located: &Located<raw::Finding>, links: &[Link]) {
        let mut covered: BTreeSet<usize> = links.iter().map(|link| link.condition).collect();
        for id in &located.entry.background {
            if let Some(condition) = self.condition(located.file, id)
                && !covered.insert(condition)
            {
                self.fault(located.file, id, "this condition is linked already");
            }
        }
        let missing: Vec<&str> = self
            .conditions
            .iter()
            .filter(|(_, position)| !covered.contains(position))
            .map(|(id, _)| id.as_str())
            .collect();
        if located.entry.general && !missing.is_empty() {
            let reason =
                format!("general, but neither linked nor at background: {}", missing.join(", "));
            self.report.at(located.file, located.offset, reason);
        }
    }

    /// The risk factors ordered by id.
    pub(super) fn risk_factors(&mut self, raw: &[Located<raw::RiskFactor>]) -> Vec<RiskFactor> {
        let mut factors: Vec<RiskFactor> =
            raw.iter().filter_map(|located| self.risk_factor(located)).collect();
        factors.sort_by(|a, b| a.id.cmp(&b.id));
        factors
    }

    fn risk_factor(&mut self, located: &Located<raw::RiskFactor>) -> Option<RiskFactor> {
        let Located { file, entry, .. } = located;
        let prevalence = self.studies(*file, &entry.prevalence, &[], Scale::Share);
        let effects = self.effects(*file, &entry.effects);
        let ((prevalence, _), effects) = prevalence.zip(effects)?;
        Some(RiskFactor {
            id: entry.id.get_ref().clone(),
            label: entry.label.clone(),
            elicit: entry.elicit.clone(),
            positive: entry.positive.clone(),
            codes: terminology(&entry.codes),
            effort: entry.effort,
            aliases: entry.aliases.iter().map(|alias| alias.get_ref().clone()).collect(),
            measure: entry.measure.as_ref().and_then(|measure| self.measure(*file, measure)),
            derived: entry.derived.as_ref().and_then(|derived| self.trigger(*file, derived)),
            prevalence,
            effects,
        })
    }

    fn effects(&mut self, file: usize, raw: &[raw::Linked]) -> Option<Vec<Effect>> {
        let mut seen = BTreeSet::new();
        let effect = |linked: &raw::Linked| {
            if let Some(age) = &linked.age {
                self.fault(file, age, "an effect has no age band");
            }
            if !seen.insert(linked.condition.get_ref().clone()) {
                self.fault(file, &linked.condition, "this condition's effect stands twice");
            }
            let condition = self.condition(file, &linked.condition);
            let pooled =
                self.studies(file, &linked.studies, condition.as_slice(), Scale::OddsRatio);
            let ((odds_ratio, studies), condition) = pooled.zip(condition)?;
            Some(Effect { condition, odds_ratio, studies })
        };
        let effects: Vec<Option<Effect>> = raw.iter().map(effect).collect();
        let mut effects = effects.into_iter().collect::<Option<Vec<Effect>>>()?;
        effects.sort_by_key(|effect| effect.condition);
        Some(effects)
    }

    fn trigger(&mut self, file: usize, raw: &Spanned<raw::Derived>) -> Option<Trigger> {
        match (raw.get_ref().age, raw.get_ref().sex) {
            (Some((from, to)), None) if from <= to => Some(Trigger::Age(from, to)),
            (None, Some(raw::Sex::Female)) => Some(Trigger::Sex(Sex::Female)),
            (None, Some(raw::Sex::Male)) => Some(Trigger::Sex(Sex::Male)),
            _ => {
                self.fault(file, raw, "`derived` is either an age band [from, to] or a sex");
                None
            }
        }
    }

    fn measure(&mut self, file: usize, raw: &Spanned<raw::Measure>) -> Option<Measure> {
        let measure = raw.get_ref();
        let present = match measure.present {
            raw::Comparison::Below => Threshold::Below(measure.threshold),
            raw::Comparison::AtMost => Threshold::AtMost(measure.threshold),
            raw::Comparison::AtLeast => Threshold::AtLeast(measure.threshold),
            raw::Comparison::Above => Threshold::Above(measure.threshold),
        };
        let (minimum, maximum) = measure.range;
        if !(minimum < maximum && present.is_met_by(minimum) != present.is_met_by(maximum)) {
            self.fault(file, raw, "`threshold` lies inside `range`");
            return None;
        }
        Some(Measure {
            id: measure.id.get_ref().clone(),
            unit: measure.unit.clone(),
            present,
            range: measure.range,
        })
    }
}

const fn kind(kind: raw::Kind) -> &'static str {
    match kind {
        raw::Kind::Symptom => "symptom",
        raw::Kind::History => "history",
        raw::Kind::Examination => "examination",
        raw::Kind::Investigation => "investigation",
    }
}
