//! The laws of probability, on any case.

use std::collections::BTreeMap;

use heel_origin::domain::{
    AgeYears, Assessment, Case, Complaint, CredibleLevel, Detail, Exposure, Observation, Origin,
    logit,
};
use heel_origin::engine;
use heel_origin::knowledge::KnowledgeBase;
use proptest::prelude::*;

use crate::network::{Network, Random, model};
use crate::oracle::{Brute, telling};

fn cases() -> impl Strategy<Value = Case> {
    let knowledge = model().knowledge();
    let telling = telling();
    let findings = prop::collection::btree_map(0..telling.len(), any::<bool>(), 0..24);
    let findings = findings.prop_map(move |drawn| {
        drawn.into_iter().map(|(position, present)| (telling[position], present)).collect()
    });
    let factors = prop::collection::btree_map(0..knowledge.risk_factors.len(), any::<bool>(), 0..4);
    (0..3usize, findings, factors, prop::option::of(18..=100u32), any::<bool>()).prop_map(
        |(setting, findings, factors, age, present)| Case {
            setting,
            complaint: if present { Complaint::Present } else { Complaint::Absent },
            age: age.and_then(AgeYears::new),
            observations: observations(findings),
            exposures: factors
                .into_iter()
                .map(|(risk_factor, present)| Exposure { risk_factor, present })
                .collect(),
            level: CredibleLevel::default(),
            detail: Detail::Full,
        },
    )
}

fn observations(findings: BTreeMap<usize, bool>) -> Vec<Observation> {
    findings.into_iter().map(|(finding, present)| Observation { finding, present }).collect()
}

fn of_origin(assessment: &Assessment, origin: Origin) -> &heel_origin::domain::OriginScore {
    assessment.origins.iter().find(|score| score.origin == origin).unwrap()
}

fn add_up(case: &Case) {
    let assessment = engine::assess(model(), case);
    for origin in Origin::ALL {
        let score = of_origin(&assessment, origin);
        let shift = logit(score.likelihood) - logit(score.pretest);
        let parts: f64 =
            assessment.contributions.iter().map(|part| part.nats[origin.index()]).sum();
        assert!((parts - shift).abs() < 1e-3, "{parts} is not {shift}");
    }
}

/// The largest request there is: it couples all conditions and moves the log odds furthest.
#[test]
fn contributions_of_every_finding_at_once_add_up() {
    for present in [true, false] {
        let all = telling().into_iter().map(|finding| (finding, present)).collect();
        add_up(&Case {
            setting: 0,
            complaint: Complaint::Present,
            age: AgeYears::new(50),
            observations: observations(all),
            exposures: Vec::new(),
            level: CredibleLevel::default(),
            detail: Detail::Full,
        });
    }
}

#[test]
fn contributions_of_a_thousand_patients_add_up() {
    let network = Network::new(&heel_origin::export::network(model()));
    let brute = Brute::new(&network, 0);
    let mut random = Random::new(3);
    for _ in 0..1000 {
        let mut case = brute.sample(&network, 0, &mut random);
        // The largest ones are above; with fewer findings a thousand take a minute.
        case.observations.truncate(12);
        add_up(&Case { detail: Detail::Full, ..case });
    }
}

/// Log odds of the ends of every interval whose number is not within rounding of 0 or 1, less those of the number.
fn deviations(assessment: &Assessment) -> Vec<(f64, f64)> {
    let origins = assessment.origins.iter().flat_map(|score| {
        [Some((score.likelihood, score.likelihood_interval)), score.weight].into_iter().flatten()
    });
    let conditions = assessment.conditions.iter().map(|own| (own.present, own.present_interval));
    let is_meant = |(value, _): &(f64, _)| (1e-12..1.0 - 1e-11).contains(value);
    let deviation = |(value, interval): (f64, heel_origin::domain::Interval)| {
        (logit(interval.lower) - logit(value), logit(interval.upper) - logit(value))
    };
    origins.chain(conditions).filter(is_meant).map(deviation).collect()
}

/// A form that sends every unticked box as absent must not make the answer look certain.
#[test]
fn no_number_of_findings_sent_makes_a_number_certain() {
    let telling = telling();
    let count = telling.len();
    for (present, complaint) in
        [(false, Complaint::Present), (false, Complaint::Absent), (true, Complaint::Absent)]
    {
        for sent in (5..=count).step_by(19) {
            let findings = telling[..sent].iter().map(|finding| (*finding, present)).collect();
            let assessment = engine::assess(
                model(),
                &Case {
                    setting: 1,
                    complaint,
                    age: AgeYears::new(50),
                    observations: observations(findings),
                    exposures: Vec::new(),
                    level: CredibleLevel::default(),
                    detail: Detail::Basic,
                },
            );
            for (lower, upper) in deviations(&assessment) {
                assert!(lower < -0.3 && 0.3 < upper, "{sent} {present}: {lower} {upper}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_number_is_a_probability_inside_its_interval(case in cases()) {
        let assessment = engine::assess(model(), &case);
        let mut numbers = vec![assessment.several_origins];
        let mut intervals = Vec::new();
        for score in &assessment.origins {
            numbers.extend([score.likelihood, score.pretest, score.single_origin_probability]);
            intervals.push((score.likelihood, score.likelihood_interval));
            intervals.extend(score.weight);
        }
        for score in &assessment.conditions {
            numbers.extend([score.present, score.likelihood, score.pretest]);
            numbers.extend(score.weight);
            intervals.push((score.present, score.present_interval));
            prop_assert!(score.likelihood <= score.present + 1e-12);
        }
        for number in numbers {
            prop_assert!((-1e-12..=1.0 + 1e-12).contains(&number), "{}", number);
        }
        for (value, interval) in intervals {
            prop_assert!(0.0 <= interval.lower && interval.lower <= value);
            prop_assert!(value <= interval.upper && interval.upper <= 1.0);
        }
        for (lower, upper) in deviations(&assessment) {
            prop_assert!(lower < -0.05 && 0.05 < upper, "{} {}", lower, upper);
        }
    }

    #[test]
    fn weights_and_the_unexplained_share_sum_to_one(case in cases()) {
        let assessment = engine::assess(model(), &case);
        let single: f64 = assessment.origins.iter().map(|score| score.single_origin_probability).sum();
        prop_assert!((single - 1.0).abs() < 1e-9);
        if let Some(unexplained) = assessment.unexplained {
            let origins: f64 = assessment.origins.iter().map(|score| score.weight.unwrap().0).sum();
            let conditions: f64 = assessment.conditions.iter().map(|score| score.weight.unwrap()).sum();
            prop_assert!((origins + unexplained - 1.0).abs() < 1e-9);
            prop_assert!((conditions + unexplained - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn contributions_add_up_to_the_shift_of_log_odds(case in cases()) {
        add_up(&case);
    }

    #[test]
    fn the_same_case_gives_the_same_answer_to_the_bit(case in cases()) {
        let (first, second) = (engine::assess(model(), &case), engine::assess(model(), &case));
        prop_assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }

    #[test]
    fn a_wider_level_gives_a_wider_interval(case in cases()) {
        let level = |level| Case { level: CredibleLevel::new(level).unwrap(), ..case.clone() };
        let (narrow, wide) = (engine::assess(model(), &level(0.8)), engine::assess(model(), &level(0.99)));
        for (narrow, wide) in narrow.origins.iter().zip(&wide.origins) {
            prop_assert!(wide.likelihood_interval.lower <= narrow.likelihood_interval.lower);
            prop_assert!(narrow.likelihood_interval.upper <= wide.likelihood_interval.upper);
        }
    }

    #[test]
    fn a_present_finding_of_one_cause_never_lowers_it(case in cases(), pick in any::<prop::sample::Index>()) {
        let knowledge = model().knowledge();
        let sent = |finding: usize| case.observations.iter().any(|observation| observation.finding == finding);
        let alone: Vec<(usize, usize)> = (0..knowledge.findings.len())
            .filter(|&finding| knowledge.findings[finding].cluster.is_none() && !sent(finding))
            .filter_map(|finding| Some((finding, only_cause(knowledge, finding, case.age)?)))
            .collect();
        let (finding, condition) = *pick.get(&alone);
        let more = with(&case, &[(finding, true)]);
        prop_assert!(present(&more, condition) >= present(&case, condition) - 1e-12);
    }

    /// Members of one cluster that all point to a condition: each further positive one leaves the condition at least as
    /// likely, however strongly the cluster is discounted.
    #[test]
    fn an_agreeing_positive_never_lowers_a_log_odds(
        cluster in 0..model().knowledge().clusters.len(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 12),
        setting in 0..3usize,
    ) {
        let knowledge = model().knowledge();
        let members: Vec<usize> = (0..knowledge.findings.len())
            .filter(|&finding| knowledge.findings[finding].cluster == Some(cluster))
            .filter(|&finding| only_cause(knowledge, finding, None).is_some())
            .collect();
        let mut by_cause: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for finding in members {
            by_cause.entry(only_cause(knowledge, finding, None).unwrap()).or_default().push(finding);
        }
        for (condition, mut left) in by_cause {
            let mut case = empty(setting);
            for pick in &order {
                if left.is_empty() { break; }
                let finding = left.remove(pick.index(left.len()));
                let more = with(&case, &[(finding, true)]);
                prop_assert!(present(&more, condition) >= present(&case, condition) - 1e-12);
                case = more;
            }
        }
    }
}

fn empty(setting: usize) -> Case {
    Case {
        setting,
        complaint: Complaint::Present,
        age: None,
        observations: Vec::new(),
        exposures: Vec::new(),
        level: CredibleLevel::default(),
        detail: Detail::Basic,
    }
}

fn with(case: &Case, findings: &[(usize, bool)]) -> Case {
    let mut more: BTreeMap<usize, bool> = case
        .observations
        .iter()
        .map(|observation| (observation.finding, observation.present))
        .collect();
    more.extend(findings.iter().copied());
    Case { observations: observations(more), detail: Detail::Basic, ..case.clone() }
}

fn present(case: &Case, condition: usize) -> f64 {
    let assessment = engine::assess(model(), case);
    assessment.conditions.iter().find(|score| score.condition == condition).unwrap().present
}

/// The only condition linked above the leak.
fn only_cause(knowledge: &KnowledgeBase, finding: usize, age: Option<AgeYears>) -> Option<usize> {
    let finding = &knowledge.findings[finding];
    let leak = finding.leak_at(age)?.rate.mean;
    let mut causes = finding.links_at(age).filter(|link| link.sensitivity.mean > leak);
    let first = causes.next()?.condition;
    causes.next().is_none().then_some(first)
}

/// Agreement seen from one condition: among the members of a cluster that link it above their leak, one more positive never
/// lowers the log odds between the condition alone and no condition.
#[test]
fn a_cluster_never_counts_one_more_agreeing_positive_against_a_condition() {
    let knowledge = model().knowledge();
    let network = Network::new(&heel_origin::export::network(model()));
    let mut random = Random::new(5);
    for cluster in 0..knowledge.clusters.len() {
        for condition in 0..knowledge.conditions.len() {
            let mut left = agreeing(knowledge, cluster, condition);
            let mut case = empty(0);
            let mut before = f64::NEG_INFINITY;
            while !left.is_empty() {
                case = with(&case, &[(left.remove(random.below(left.len())), true)]);
                let posterior = network.posterior(&case, "heel_pain_present", |_| 1.0);
                let log_odds = (posterior[1 << condition] / posterior[0]).ln();
                assert!(log_odds >= before - 1e-9, "{log_odds} after {before}");
                before = log_odds;
            }
        }
    }
}

/// Members of a cluster that link a condition above their leak.
fn agreeing(knowledge: &KnowledgeBase, cluster: usize, condition: usize) -> Vec<usize> {
    let links = |finding: &heel_origin::knowledge::Finding| {
        let leak = finding.leak_at(None).map(|leak| leak.rate.mean);
        let link = finding.links_at(None).find(|link| link.condition == condition);
        leak.zip(link).is_some_and(|(leak, link)| link.sensitivity.mean > leak)
    };
    let findings = knowledge.findings.iter().enumerate();
    let members =
        findings.filter(|(_, finding)| finding.cluster == Some(cluster) && links(finding));
    members.map(|(position, _)| position).collect()
}
