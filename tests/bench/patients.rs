//! What sampled patients send.

use heel_origin::domain::{AgeYears, Case, Observation};
use heel_origin::engine::Model;
use heel_origin::validation;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom as _;

/// What one patient sends.
pub(crate) struct Patient {
    pub(crate) age_years: Option<u32>,
    /// Id of each finding, and whether it is present.
    pub(crate) findings: Vec<(String, bool)>,
}

impl Patient {
    fn new(model: &Model, case: &Case) -> Self {
        let sent =
            |of: &Observation| (model.knowledge().findings[of.finding].id.clone(), of.present);
        Self {
            age_years: case.age.map(AgeYears::get),
            findings: case.observations.iter().map(sent).collect(),
        }
    }
}

/// Patients with some findings drawn at random.
pub(crate) fn patients(model: &Model, count: usize, findings: usize) -> Vec<Patient> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut some = |mut case: Case| {
        case.observations.shuffle(&mut random);
        case.observations.truncate(findings);
        Patient::new(model, &case)
    };
    validation::patients(model, 0, count).into_iter().map(&mut some).collect()
}

/// Who costs most: every finding is present.
pub(crate) fn everything(model: &Model) -> Patient {
    let mut all = patients(model, 1, usize::MAX).remove(0);
    all.findings.iter_mut().for_each(|(_, present)| *present = true);
    all
}
