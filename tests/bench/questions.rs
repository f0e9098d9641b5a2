//! How many questions the answer takes: asking what is suggested, against the order in which a textbook examines the heel.
//!
//! `cargo bench --bench questions -- 1000` examines 1,000 sampled patients, a third in each setting, and prints the means. It takes
//! about half an hour on two cores: every question ranks all findings.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and stops at the first fault"
)]

use std::sync::Arc;

use heel_origin::engine::Model;
use heel_origin::validation::{Examination, examinations};
use heel_origin::{knowledge, rules};

/// The order of a textbook: the history of the heel, the heel under the fingers, the nerves of the foot, the back by history
/// and examination, the pelvis, investigations.
const TEXTBOOK: [&str; 60] = [
    "first_step_pain",
    "plantar_medial_heel_pain",
    "posterior_heel_pain",
    "insidious_onset",
    "recent_running_increase",
    "worse_barefoot_hard_floor",
    "pain_worse_with_activity",
    "pain_worse_end_of_day",
    "night_pain",
    "bilateral_symptoms",
    "burning_pain",
    "shooting_pain",
    "sole_pain_or_paraesthesia",
    "medial_calcaneal_tubercle_tenderness",
    "central_heel_tenderness",
    "calcaneal_squeeze_test",
    "achilles_insertion_tenderness",
    "posterior_heel_prominence",
    "heel_swelling",
    "windlass_test",
    "limited_ankle_dorsiflexion",
    "tinel_tarsal_tunnel",
    "dorsiflexion_eversion_test",
    "triple_compression_test",
    "tarsal_tunnel_tenderness",
    "abductor_hallucis_tenderness",
    "plantar_sensory_loss",
    "sural_sensory_loss",
    "dorsal_foot_sensory_loss",
    "tinel_fibular_neck",
    "monofilament_loss",
    "vibration_sense_reduced",
    "pinprick_loss",
    "low_back_pain",
    "buttock_pain",
    "leg_pain",
    "pain_radiating_below_knee",
    "leg_pain_worse_than_back_pain",
    "worse_on_sitting",
    "relief_on_sitting",
    "pain_worse_standing_walking",
    "worse_on_cough_or_sneeze",
    "straight_leg_raise",
    "slump_test",
    "crossed_straight_leg_raise",
    "achilles_reflex_reduced",
    "plantarflexion_weakness",
    "ankle_dorsiflexion_weakness",
    "great_toe_extension_weakness",
    "s1_sensory_loss",
    "l5_sensory_loss",
    "worse_on_lumbar_flexion",
    "worse_on_lumbar_extension",
    "lateral_hip_pain",
    "trochanter_tenderness",
    "faber_test",
    "thigh_thrust",
    "sij_distraction",
    "piriformis_tenderness",
    "hla_b27_positive",
];

fn main() {
    let asked = std::env::args().find_map(|argument| argument.parse().ok());
    let rules = rules::load(&knowledge::embedded()).expect("the embedded knowledge base is sound");
    let model = Model::new(Arc::clone(&rules.knowledge)).expect("it can be calibrated");
    let patients = asked.unwrap_or(1000usize).div_ceil(rules.knowledge.settings.len());
    let findings = &rules.knowledge.findings;
    let index = |id: &&str| findings.iter().position(|finding| finding.id == **id).expect(id);
    let order: Vec<usize> = TEXTBOOK.iter().map(index).collect();
    println!(
        "questions until an origin has a likelihood of 0.9 or the stop signal comes; {patients} sampled patients in each setting"
    );
    println!(
        "| setting | suggested, mean | median | lead right | textbook, mean | median | lead right |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (setting, own) in rules.knowledge.settings.iter().enumerate() {
        let both = examinations(&model, &rules, setting, patients, &order);
        let (suggested, textbook): (Vec<Examination>, Vec<Examination>) = both.into_iter().unzip();
        println!("| {} | {} | {} |", own.id, figures(&suggested), figures(&textbook));
    }
}

fn figures(examinations: &[Examination]) -> String {
    let mut asked: Vec<usize> = examinations.iter().map(|own| own.asked).collect();
    asked.sort_unstable();
    let count = examinations.len() as f64;
    let mean = asked.iter().sum::<usize>() as f64 / count;
    let right = examinations.iter().filter(|own| own.right).count() as f64 / count;
    format!("{mean:.1} | {} | {right:.2}", asked[asked.len() / 2])
}
