//! The engine against brute force: every number of an answer summed over all sets of conditions, from nothing but the
//! exported network and the formulas of ARCHITECTURE.md. Nothing here calls the engine's mathematics.
//!
//! `HEEL_ORIGIN_PATIENTS=10000 cargo test --release --test it oracle -- --nocapture` checks more patients and prints the
//! engine's times.

use std::time::{Duration, Instant};

use heel_origin::domain::{
    AgeYears, Assessment, Case, Complaint, CredibleLevel, Detail, Exposure, Observation, Origin,
};
use heel_origin::engine;
use serde_json::Value;

use crate::network::{Network, Random, expit, model};

/// Largest accepted difference between the engine and brute force.
const TOLERANCE: f64 = 1e-9;

#[test]
fn the_engine_agrees_with_brute_force_over_all_sets() {
    let model = model();
    let network = Network::new(&heel_origin::export::network(model));
    let brute: Vec<Brute> = (0..3).map(|setting| Brute::new(&network, setting)).collect();
    let patients = std::env::var("HEEL_ORIGIN_PATIENTS").ok().and_then(|n| n.parse().ok());
    let patients: usize = patients.unwrap_or(300);
    let mut random = Random::new(2026);
    let mut worst = 0.0f64;
    let mut times = Vec::new();
    for patient in 0..patients {
        let setting = patient % 3;
        let case = brute[setting].sample(&network, setting, &mut random);
        let before = Instant::now();
        let assessment = engine::assess(model, &case);
        times.push(before.elapsed());
        let error = brute[setting].largest_difference(&network, &case, &assessment);
        assert!(error < TOLERANCE, "patient {patient}: off by {error:e}");
        worst = worst.max(error);
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or(Duration::ZERO);
    let slowest = times.last().copied().unwrap_or(Duration::ZERO);
    println!(
        "{patients} patients: largest difference {worst:.1e}; engine median {median:?}, worst {slowest:?}"
    );
}

#[test]
fn without_heel_pain_the_engine_agrees_with_brute_force() {
    let model = model();
    let network = Network::new(&heel_origin::export::network(model));
    let brute = Brute::new(&network, 1);
    let mut random = Random::new(7);
    for _ in 0..20 {
        let case = brute.sample(&network, 1, &mut random);
        let case = Case { complaint: Complaint::Absent, ..case };
        let assessment = engine::assess(model, &case);
        assert!(assessment.unexplained.is_none());
        let posterior = network.posterior(&case, "heel_pain_absent", |set| network.silent(set));
        for score in &assessment.conditions {
            let present = sum(&posterior, |set| set >> score.condition & 1 == 1);
            assert!((present - score.present).abs() < TOLERANCE);
            assert!((present - score.likelihood).abs() < TOLERANCE);
            assert!(score.weight.is_none());
        }
        for score in &assessment.origins {
            let likelihood =
                sum(&posterior, |set| network.pattern(set) >> score.origin.index() & 1 == 1);
            assert!((likelihood - score.likelihood).abs() < TOLERANCE);
        }
    }
}

#[test]
fn pretest_equals_the_stated_numbers_in_every_setting() {
    let model = model();
    let export = heel_origin::export::network(model);
    let network = Network::new(&export);
    for setting in 0..3 {
        let stated = &export["settings"][setting];
        let brute = Brute::new(&network, setting);
        let posterior =
            network.posterior(&empty(setting), "heel_pain_present", |set| brute.heel_pain[set]);
        let assessment = engine::assess(model, &empty(setting));
        let close = |a: f64, b: &Value| {
            assert!((a - b.as_f64().unwrap()).abs() < TOLERANCE, "{a} is not {b}");
        };
        for score in &assessment.conditions {
            let prevalence = &stated["prevalences"][score.condition];
            let held = |set: usize| set >> score.condition & 1 == 1;
            let link = network.links[score.condition];
            match prevalence["of"].as_str().unwrap() {
                "presence" => {
                    close(sum(&posterior, held), &prevalence["value"]);
                    close(score.pretest, &prevalence["value"]);
                }
                _ => close(
                    posterior
                        .iter()
                        .enumerate()
                        .map(
                            |(set, p)| {
                                if held(set) { p * link / brute.heel_pain[set] } else { 0.0 }
                            },
                        )
                        .sum(),
                    &prevalence["value"],
                ),
            }
        }
        for association in export["associations"].as_array().unwrap() {
            let (a, b) =
                (network.index(&association["condition"]), network.index(&association["given"]));
            let both = sum(&posterior, |set| set >> a & set >> b & 1 == 1);
            let (only_a, only_b) =
                (sum(&posterior, |s| s >> a & 1 == 1), sum(&posterior, |s| s >> b & 1 == 1));
            if association["probability"].is_number() {
                close(both / only_b, &association["probability"]);
            } else {
                let odds_ratio =
                    both * (1.0 - only_a - only_b + both) / ((only_a - both) * (only_b - both));
                let off = odds_ratio / association["odds_ratio"].as_f64().unwrap() - 1.0;
                assert!(off.abs() < 1e-8, "odds ratio off by {off:e}");
            }
        }
        close(
            sum(&posterior, |set| network.pattern(set).count_ones() >= 2),
            &stated["coexistence"],
        );
        close(brute.leak_share(&posterior), &stated["unexplained"]);
        for score in &assessment.origins {
            assert!((score.likelihood - score.pretest).abs() < 1e-12);
        }
        assert!(assessment.contributions.is_empty());
    }
}

/// Indices of the findings that change a likelihood.
pub(crate) fn telling() -> Vec<usize> {
    let findings = model().knowledge().findings.iter().enumerate();
    findings.filter(|(_, finding)| finding.is_informative()).map(|(index, _)| index).collect()
}

pub(crate) fn empty(setting: usize) -> Case {
    Case {
        setting,
        complaint: Complaint::Present,
        age: None,
        observations: Vec::new(),
        exposures: Vec::new(),
        level: CredibleLevel::default(),
        detail: Detail::Full,
    }
}

fn sum(posterior: &[f64], holds: impl Fn(usize) -> bool) -> f64 {
    posterior.iter().enumerate().filter(|(set, _)| holds(*set)).map(|(_, p)| p).sum()
}

/// One setting with heel pain: chance of heel pain and share of every cause for every set.
pub(crate) struct Brute {
    heel_pain: Vec<f64>,
    /// Expected share of each condition, and last of the leak, in each set.
    shares: Vec<Vec<f64>>,
    /// For each origin, the chance that none of its members is felt at the heel.
    silent: [Vec<f64>; 4],
    prior: Vec<f64>,
}

impl Brute {
    pub(crate) fn new(network: &Network, setting: usize) -> Self {
        let leak =
            network.solution(setting, "heel_pain_present")["heel_pain_leak"].as_f64().unwrap();
        let sets = 0..network.sets();
        let silent = Origin::ALL.map(|origin| {
            sets.clone()
                .map(|set| network.silent(set & network.members_of(origin)))
                .collect::<Vec<_>>()
        });
        let heel_pain: Vec<f64> =
            sets.clone().map(|set| 1.0 - (1.0 - leak) * network.silent(set)).collect();
        let mut shares = vec![vec![0.0; network.sets()]; network.links.len() + 1];
        for set in sets {
            for (cause, share) in shares_of(network, set, leak) {
                shares[cause][set] = share / heel_pain[set];
            }
        }
        let case = empty(setting);
        let prior = network.posterior(&case, "heel_pain_present", |set| heel_pain[set]);
        Self { heel_pain, shares, silent, prior }
    }

    fn leak_share(&self, posterior: &[f64]) -> f64 {
        let last = &self.shares[self.shares.len() - 1];
        posterior.iter().zip(last).map(|(p, share)| p * share).sum()
    }

    /// A patient from the model: 1 to 40 findings and some risk factors.
    pub(crate) fn sample(&self, network: &Network, setting: usize, random: &mut Random) -> Case {
        let mut left = random.unit();
        let set = self.prior.iter().position(|p| {
            left -= p;
            left <= 0.0
        });
        let set = set.unwrap_or(0);
        let age =
            (random.below(5) > 0).then(|| AgeYears::new(18 + random.below(80) as u32).unwrap());
        let mut case = Case { age, detail: Detail::Basic, ..empty(setting) };
        let wanted = 1 + random.below(40);
        let mut findings = std::collections::BTreeSet::new();
        let telling = telling();
        while findings.len() < wanted {
            findings.insert(telling[random.below(telling.len())]);
        }
        for finding in findings {
            let present = random.unit() >= network.absent(finding, set, age);
            case.observations.push(Observation { finding, present });
        }
        for risk_factor in 0..network.risk_factors.len() {
            if random.below(4) == 0 {
                case.exposures.push(Exposure { risk_factor, present: random.below(2) == 0 });
            }
        }
        case
    }

    fn largest_difference(&self, network: &Network, case: &Case, assessment: &Assessment) -> f64 {
        let posterior = network.posterior(case, "heel_pain_present", |set| self.heel_pain[set]);
        let expect = |value: &dyn Fn(usize) -> f64| -> f64 {
            posterior.iter().enumerate().map(|(set, p)| p * value(set)).sum()
        };
        let mut worst = (assessment.unexplained.unwrap() - self.leak_share(&posterior)).abs();
        let mut differ =
            |a: f64, b: f64| worst = worst.max(if a.is_nan() { f64::MAX } else { (a - b).abs() });
        let several = sum(&posterior, |set| network.pattern(set).count_ones() >= 2);
        differ(assessment.several_origins, several);
        let single = Origin::ALL
            .map(|origin| sum(&posterior, |set| network.pattern(set) == 1 << origin.index()));
        for score in &assessment.origins {
            let origin = score.origin.index();
            differ(
                score.likelihood,
                expect(&|set| (1.0 - self.silent[origin][set]) / self.heel_pain[set]),
            );
            let own = (0..network.links.len()).filter(|&c| network.origins[c] == origin);
            let weight: f64 = own.map(|c| expect(&|set| self.shares[c][set])).sum();
            differ(score.weight.unwrap().0, weight);
            differ(score.single_origin_probability, single[origin] / single.iter().sum::<f64>());
        }
        for score in &assessment.conditions {
            let held = |set: usize| f64::from(u8::from(set >> score.condition & 1 == 1));
            let link = network.links[score.condition];
            differ(score.present, expect(&held));
            differ(score.likelihood, expect(&|set| held(set) * link / self.heel_pain[set]));
            differ(score.weight.unwrap(), expect(&|set| self.shares[score.condition][set]));
        }
        worst
    }
}

/// Expected share of each cause at work: it acts with its link, and shares equally with the k others that act, whose number
/// is Poisson-binomial.
fn shares_of(network: &Network, set: usize, leak: f64) -> Vec<(usize, f64)> {
    let members = (0..network.links.len()).filter(|c| set >> c & 1 == 1);
    let mut causes: Vec<(usize, f64)> = members.map(|c| (c, network.links[c])).collect();
    causes.push((network.links.len(), leak));
    let share = |position: usize| {
        let mut acting = vec![1.0];
        for (_, link) in causes
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != position)
            .map(|(_, cause)| cause)
        {
            acting.push(0.0);
            for count in (0..acting.len()).rev() {
                let fewer = if count > 0 { acting[count - 1] * link } else { 0.0 };
                acting[count] = acting[count] * (1.0 - link) + fewer;
            }
        }
        let part = |(count, p): (usize, &f64)| p / (count as f64 + 1.0);
        causes[position].1 * acting.iter().enumerate().map(part).sum::<f64>()
    };
    (0..causes.len()).map(|position| (causes[position].0, share(position))).collect()
}

#[test]
fn expit_is_the_inverse_of_log_odds() {
    assert!((expit((0.2f64 / 0.8).ln()) - 0.2).abs() < 1e-15);
}
