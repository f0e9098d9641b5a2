//! Studies: checked one by one, pooled together.

use toml::Spanned;

use super::Compiler;
use crate::knowledge::pooling::{self, Figure, Transport};
use crate::knowledge::raw::{self, Checked, Quality};
use crate::knowledge::study::{Parameter, Study};

/// What the studies of a list measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// How often a finding is met: to be carried over to heel-pain patients.
    Rate,
    /// A proportion that is stated for heel-pain patients.
    Share,
    /// An odds ratio.
    OddsRatio,
}

/// A list of studies as it stands in a file.
pub(super) type RawStudies = Spanned<Vec<Spanned<raw::Study>>>;

impl Compiler<'_, '_> {
    /// The pooled parameter of a list of studies about some conditions, and the studies. `None` when a fault was reported.
    pub(super) fn studies(
        &mut self,
        file: usize,
        list: &RawStudies,
        about: &[usize],
        scale: Scale,
    ) -> Option<(Parameter, Vec<Study>)> {
        let mut figures = Vec::new();
        let mut studies = Vec::new();
        for study in list.get_ref() {
            let figure = match figure(study.get_ref(), scale) {
                Ok(figure) => figure,
                Err(reason) => {
                    self.fault(file, study, reason);
                    continue;
                }
            };
            if let Err(reason) = provenance(study.get_ref()) {
                self.fault(file, study, reason);
            }
            if study.get_ref().excluded.is_none() {
                figures.push(figure);
            }
            let study = self.study(file, study.get_ref());
            let pooled = usize::from(study.excluded.is_empty());
            if let Some(index) = study.source {
                self.sources[index].pooled += pooled;
                self.sources[index].conditions.extend(about);
            } else {
                self.judged_figures += pooled;
            }
            studies.push(study);
        }
        let is_moved = scale == Scale::Rate;
        let transport = if is_moved { Transport::Needed } else { Transport::NotNeeded };
        let pooled = pooling::pool(&figures, transport);
        if pooled.is_none() {
            self.fault(file, list, "needs at least one valid study that is not excluded");
        }
        pooled.map(|parameter| (parameter, studies))
    }

    fn study(&mut self, file: usize, study: &raw::Study) -> Study {
        let source = study.source.as_ref().and_then(|id| self.source(file, id));
        let counted = study.count.map(|(x, n)| f64::from(x) / f64::from(n));
        Study {
            source,
            value: counted.or(study.value).or(study.odds_ratio).unwrap_or_default(),
            positives: study.count.map(|(positives, _)| positives),
            // The `n` of a judgement is its weight: nobody was examined.
            examined: study.count.map(|(_, n)| n).or(study.n.filter(|_| source.is_some())),
            interval: study.interval,
            quality: match study.quality {
                Quality::High => "high",
                Quality::Moderate => "moderate",
                Quality::Low => "low",
                Quality::Expert => "expert",
            },
            checked: study.checked.map_or("", Checked::id),
            population: study.population.clone(),
            note: study.note.clone(),
            excluded: study.excluded.clone().unwrap_or_default(),
        }
    }
}

/// The figure of a study on its scale, or why it is none.
fn figure(study: &raw::Study, scale: Scale) -> Result<Figure, &'static str> {
    let figure = match (scale, study.count, study.value, study.odds_ratio) {
        (Scale::Rate | Scale::Share, Some((x, n)), None, None) => {
            if study.n.is_some() || study.interval.is_some() {
                return Err("`count` goes without `n` and `interval`");
            }
            if n == 0 || x > n {
                return Err("`count` is [positives, examined], with examined above 0");
            }
            pooling::of_count(x, n, study.quality)
        }
        (Scale::Rate | Scale::Share, None, Some(value), None) => of_value(study, value)?,
        (Scale::OddsRatio, None, None, Some(value)) => {
            if study.n.is_some() {
                return Err("an odds ratio goes with an `interval`, not with `n`");
            }
            if value <= 0.0 || !value.is_finite() {
                return Err("an odds ratio is above 0");
            }
            encloses(study.interval, value, f64::INFINITY)?;
            pooling::of_odds_ratio(value, study.interval, study.quality)
        }
        (Scale::Rate | Scale::Share, ..) => return Err("needs exactly one of `count` and `value`"),
        (Scale::OddsRatio, ..) => {
            return Err("needs an `odds_ratio`, and neither `count` nor `value`");
        }
    };
    Ok(Figure { heel_pain: study.heel_pain, ..figure })
}

fn of_value(study: &raw::Study, value: f64) -> Result<Figure, &'static str> {
    if !(0.0 < value && value < 1.0) {
        return Err("`value` lies strictly between 0 and 1; write 0 of n and n of n as a `count`");
    }
    encloses(study.interval, value, 1.0)?;
    match (study.interval, study.n) {
        (Some(_), Some(_)) => Err("`value` goes with `interval` or `n`, not with both"),
        (Some(interval), None) => {
            Ok(pooling::of_proportion_interval(value, interval, study.quality))
        }
        (None, Some(0)) => Err("`n` is above 0"),
        (None, sample) => Ok(pooling::of_proportion(value, sample, study.quality)),
    }
}

fn encloses(interval: Option<(f64, f64)>, value: f64, end: f64) -> Result<(), &'static str> {
    match interval {
        Some((lower, upper))
            if !(0.0 < lower
                && lower <= value
                && value <= upper
                && upper < end
                && lower < upper) =>
        {
            Err("`interval` is [lower, upper], encloses the value and stays inside its range")
        }
        _ => Ok(()),
    }
}

/// A published figure says where it is from; a judgement says why.
fn provenance(study: &raw::Study) -> Result<(), &'static str> {
    if study.quality == Quality::Expert {
        if study.source.is_some() || study.checked.is_some() {
            return Err("a judgement (quality `expert`) has neither `source` nor `checked`");
        }
        if study.note.is_empty() {
            return Err("a judgement needs a `note` with its reason");
        }
        if study.n.is_some_and(|n| !(6..=10).contains(&n)) {
            return Err("a judgement weighs like 6 to 10 people");
        }
    } else if study.source.is_none() || study.checked.is_none() {
        return Err("a published figure needs `source` and `checked`");
    }
    Ok(())
}
