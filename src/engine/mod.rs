//! Exact inference in a two-layer noisy-OR network (BN2O, the QMR-DT family). Pure functions: no clock, no randomness, no
//! I/O.
//!
//! A set S of present conditions has prior weight: the product of its members' odds, of the factors of its associated pairs
//! and of the coexistence factor. Findings are independent given S, but for the dependence weight of clusters. `calibration`
//! finds odds and factors with which a setting's stated prevalences hold given heel pain; `enumeration` sums over all sets
//! exactly; `complaint` reads likelihoods and shares off the sums; `interval` carries the parameters' uncertainty through
//! both; `explanation` splits the shift from pretest to posterior among the units of evidence.

mod assess;
mod calibration;
mod complaint;
mod composite;
mod enumeration;
mod evidence;
mod explanation;
mod influence;
mod interval;
mod outlook;
mod rates;
mod support;

use std::sync::Arc;

use crate::domain::{Complaint as Presence, Origin};
use crate::knowledge::KnowledgeBase;
use calibration::{Calibration, calibrate};
use complaint::Reading;

pub use assess::assess;
pub use calibration::CalibrationError;
pub use influence::{Influence, ParameterId, influences};
pub use outlook::{Breadth, Outlook, Statement, World, log_evidence, outlook, statements, worlds};
pub use rates::condition_evidence;

/// A knowledge base calibrated for its settings.
#[derive(Debug)]
pub struct Model {
    knowledge: Arc<KnowledgeBase>,
    origins: Vec<Origin>,
    settings: Vec<CalibratedSetting>,
}

/// A setting with and without the presenting complaint.
#[derive(Debug)]
struct CalibratedSetting {
    with: Calibrated,
    without: Calibrated,
}

/// A calibration and what holds before any evidence.
#[derive(Debug)]
struct Calibrated {
    calibration: Calibration,
    pretest: Reading,
}

/// Solved numbers of a setting, given heel pain.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Base log odds of each condition, in nats.
    pub log_odds: Vec<f64>,
    /// Logarithm of the factor of each association, in the order of the knowledge base.
    pub associations: Vec<f64>,
    /// Logarithm of the factor on sets of two or more origins.
    pub coexistence: f64,
    /// Leak of heel pain.
    pub leak: f64,
}

impl Model {
    /// Calibrates every setting of a knowledge base.
    ///
    /// # Errors
    /// The first setting whose stated numbers contradict one another.
    pub fn new(knowledge: Arc<KnowledgeBase>) -> Result<Self, CalibrationError> {
        let origins: Vec<Origin> = knowledge.conditions.iter().map(|c| c.origin).collect();
        let calibrated = |setting, heel_pain| {
            let calibration = calibrate(&knowledge, setting, heel_pain)?;
            let pretest = assess::reading(&origins, &calibration, &[]);
            Ok(Calibrated { calibration, pretest })
        };
        let settings = (0..knowledge.settings.len()).map(|setting| {
            let with = calibrated(setting, true)?;
            let without = calibrated(setting, false)?;
            Ok(CalibratedSetting { with, without })
        });
        let settings = settings.collect::<Result<_, _>>()?;
        Ok(Self { knowledge, origins, settings })
    }

    /// The knowledge base.
    #[must_use]
    pub fn knowledge(&self) -> &KnowledgeBase {
        &self.knowledge
    }

    /// The solved numbers of a setting, given heel pain or solved without a word on it (the leak is then 0).
    #[must_use]
    pub fn solution(&self, setting: usize, complaint: Presence) -> Solution {
        let calibration = &self.calibrated(setting, complaint).calibration;
        Solution {
            log_odds: calibration.log_odds.clone(),
            associations: calibration.pairs.iter().map(|(_, _, log)| *log).collect(),
            coexistence: calibration.coexistence,
            leak: calibration.complaint.leak,
        }
    }

    fn calibrated(&self, setting: usize, complaint: Presence) -> &Calibrated {
        let setting = &self.settings[setting];
        match complaint {
            Presence::Present => &setting.with,
            Presence::Absent => &setting.without,
        }
    }
}
