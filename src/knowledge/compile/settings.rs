//! Settings and associations: what is stated given heel pain.

use super::Compiler;
use super::studies::{RawStudies, Scale};
use crate::knowledge::base::{Association, Correlation, Setting, SettingPrevalence};
use crate::knowledge::raw::{self, Located};
use crate::knowledge::study::Parameter;

impl Compiler<'_, '_> {
    pub(super) fn settings(&mut self, raw: &[Located<raw::Setting>]) -> Vec<Setting> {
        super::index(raw, |located| super::spanned(&located.entry.id), self.report);
        if raw.is_empty() {
            self.report.overall("no [[setting]] stands in any file".to_owned());
        }
        raw.iter().filter_map(|located| self.setting(located)).collect()
    }

    fn setting(&mut self, located: &Located<raw::Setting>) -> Option<Setting> {
        let Located { file, entry, .. } = located;
        let unexplained = self.stated(*file, &entry.unexplained, &[]);
        let coexistence = self.stated(*file, &entry.coexistence, &[]);
        let mut prevalences = vec![None; self.conditions.len()];
        for prevalence in &entry.prevalence {
            let condition = self.condition(*file, &prevalence.condition);
            let value = self.stated(*file, &prevalence.studies, condition.as_slice());
            let Some(condition) = condition else { continue };
            if prevalences[condition].is_some() {
                self.fault(
                    *file,
                    &prevalence.condition,
                    "this condition's prevalence stands twice",
                );
            }
            prevalences[condition] =
                value.map(|value| SettingPrevalence { value, of: prevalence.of });
        }
        if prevalences.contains(&None) {
            let reason = "needs a valid [[setting.prevalence]] for every condition";
            self.report.at(*file, located.offset, reason.to_owned());
        }
        Some(Setting {
            id: entry.id.get_ref().clone(),
            label: entry.label.clone(),
            description: entry.description.clone(),
            unexplained: unexplained?,
            coexistence: coexistence?,
            prevalences: prevalences.into_iter().collect::<Option<_>>()?,
        })
    }

    fn stated(&mut self, file: usize, list: &RawStudies, about: &[usize]) -> Option<Parameter> {
        let pooled = self.studies(file, list, about, Scale::Share);
        pooled.map(|(parameter, _)| parameter)
    }

    pub(super) fn associations(&mut self, raw: &[Located<raw::Association>]) -> Vec<Association> {
        raw.iter().filter_map(|located| self.association(located)).collect()
    }

    fn association(&mut self, located: &Located<raw::Association>) -> Option<Association> {
        let Located { file, offset, entry } = located;
        let condition = self.condition(*file, &entry.condition);
        let given = self.condition(*file, &entry.given);
        if condition.is_some() && condition == given {
            self.fault(*file, &entry.given, "a condition cannot be associated with itself");
        }
        let about: Vec<usize> = condition.into_iter().chain(given).collect();
        let correlation = match (&entry.probability, &entry.odds_ratio) {
            (Some(list), None) => self.stated(*file, list, &about).map(Correlation::Conditional),
            (None, Some(list)) => self
                .studies(*file, list, &about, Scale::OddsRatio)
                .map(|(parameter, _)| Correlation::OddsRatio(parameter)),
            _ => {
                let reason = "needs exactly one of `probability` and `odds_ratio`";
                self.report.at(*file, *offset, reason.to_owned());
                None
            }
        };
        Some(Association { condition: condition?, given: given?, correlation: correlation? })
    }
}
