//! The report: numbers into Markdown and charts.

use std::fmt::Write as _;

use super::chart;
use super::cohort::{Cohort, Labelled};
use super::influence::{self, describe, grades};
use super::measures::{Bin, Estimate, MEASURES, Scores, estimates, scores};
use super::prediction::{Method, Prediction, has_heel_pain, predict};
use super::several::several;
use super::simulation::{BothNamed, FINDINGS, Simulation};
use crate::domain::Origin;
use crate::engine::Model;

/// Cases with fewer recognised findings are left out.
const LEAST_FINDINGS: usize = 3;
/// Parameters listed as the most influential.
const INFLUENTIAL: usize = 20;

/// A report with its charts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Markdown.
    pub text: String,
    /// File names and SVG texts of the charts.
    pub charts: Vec<(&'static str, String)>,
}

/// A case with what every method says of it.
#[derive(Debug)]
struct Judged<'c> {
    labelled: &'c Labelled,
    /// In the order of [`Method::ALL`].
    predictions: Vec<(Prediction, Scores)>,
}

impl Judged<'_> {
    fn by(&self, method: Method) -> &(Prediction, Scores) {
        &self.predictions[method as usize]
    }
}

pub(super) fn write(model: &Model, cohorts: &[Cohort], simulation: &Simulation) -> Report {
    let mut text = introduction(model);
    let mut all: Vec<Judged<'_>> = Vec::new();
    for cohort in cohorts {
        let judged = judge(model, cohort);
        text.push_str(&discrimination(cohort, &judged));
        all.extend(judged);
    }
    let published: Vec<&Judged<'_>> = all.iter().filter(|own| !own.labelled.constructed).collect();
    let pairs: Vec<(f64, f64)> = published.iter().flat_map(|own| outcomes(own)).collect();
    let bins = Bin::all(&pairs);
    text.push_str(&by_part(model, &published));
    let cases: Vec<&Labelled> = all.iter().map(|own| own.labelled).collect();
    text.push_str(&several(model, &cases));
    text.push_str(&calibration(&bins));
    text.push_str(&simulated(simulation));
    text.push_str(&influential(model, &published));
    text.push_str(&case_by_case(model, &all));
    text.push_str(LIMITS);
    let first = |method: Method| {
        let scores: Vec<Scores> = published.iter().map(|own| own.by(method).1).collect();
        Some((method.label(), estimates(&scores)?[0]))
    };
    let rows: Vec<(&str, Estimate)> = Method::ALL.into_iter().filter_map(first).collect();
    let charts = vec![
        ("comparison.svg", chart::comparison("Leading origin right, published cases", &rows)),
        ("calibration.svg", chart::calibration("Origins of the published cases", &bins)),
        (
            "sampled.svg",
            chart::calibration(
                "Likelihood of the origins, sampled patients",
                &simulation.likelihood,
            ),
        ),
    ];
    Report { text, charts }
}

fn judge<'c>(model: &Model, cohort: &'c Cohort) -> Vec<Judged<'c>> {
    let kept = cohort.cases.iter().filter(|labelled| labelled.findings >= LEAST_FINDINGS);
    let judged = |labelled: &'c Labelled| {
        let predictions = Method::ALL.map(|method| {
            let prediction = predict(model, &labelled.case, method);
            let scores = scores(model.knowledge(), &prediction, &labelled.truth);
            (prediction, scores)
        });
        Judged { labelled, predictions: predictions.into() }
    };
    kept.map(judged).collect()
}

fn introduction(model: &Model) -> String {
    let card = &model.knowledge().card;
    format!(
        "# Validation\n\nMade by `heel-origin validate` from model {}. Nothing here is edited by hand.\n\n\
        How good are the answers on patients whose cause is known? Cases with at least {LEAST_FINDINGS} recognised findings count. For a patient with heel pain\n\
        a method's origins are its weights without the unexplained share, scaled to 1; for one with a complaint elsewhere (leg, foot,\n\
        buttock) they are the probabilities that exactly this origin is affected. The two are never mixed in one figure without being shown apart.\n\
        Published cases are scored with the setting of specialist referral, constructed ones with that of podiatry. Brier score: 0 (best) to 2; log score: minus\n\
        the logarithm of the probability given to the truth, in nats. Where several origins are true, they count as equal parts in the Brier score and\n\
        together in the log score. *Same, root for its cause*: sciatica counts for herniation, stenosis, slip and disc, which reach the foot through the\n\
        root. Intervals are 95 % percentile bootstrap intervals over cases.\n\n\
        Beside the service stand, on the same cases with the same knowledge base: its own single-origin probability; the product of likelihood ratios with one\n\
        cause and independent findings, given the same prior shares, findings and risk factors; and the prior alone.\n\n\
        ![Leading origin right](tests/validation/comparison.svg)\n",
        card.version
    )
}

fn discrimination(cohort: &Cohort, judged: &[Judged<'_>]) -> String {
    let mut text = format!(
        "\n## {}\n\n{} cases, {} of them counted.\n",
        cohort.name,
        cohort.cases.len(),
        judged.len()
    );
    let heel: Vec<&Judged<'_>> =
        judged.iter().filter(|own| has_heel_pain(&own.labelled.case)).collect();
    let other: Vec<&Judged<'_>> =
        judged.iter().filter(|own| !has_heel_pain(&own.labelled.case)).collect();
    let all: Vec<&Judged<'_>> = judged.iter().collect();
    let groups = if other.is_empty() {
        vec![("With heel pain", heel)]
    } else {
        vec![("With heel pain", heel), ("Complaint elsewhere", other), ("All", all)]
    };
    for (name, group) in groups {
        let _ = writeln!(
            text,
            "\n### {name} ({})\n\n| method | {} |\n|---|{}",
            group.len(),
            MEASURES.join(" | "),
            "---|".repeat(MEASURES.len())
        );
        for method in Method::ALL {
            let scores: Vec<Scores> = group.iter().map(|own| own.by(method).1).collect();
            if let Some(estimates) = estimates(&scores) {
                let cells: Vec<String> = estimates.iter().map(cell).collect();
                let _ = writeln!(text, "| {} | {} |", method.label(), cells.join(" | "));
            }
        }
    }
    text
}

fn cell(estimate: &Estimate) -> String {
    format!("{:.2} ({:.2} to {:.2})", estimate.value, estimate.lower, estimate.upper)
}

/// The service's scores by origin, condition and number of findings.
fn by_part(model: &Model, published: &[&Judged<'_>]) -> String {
    let conditions = &model.knowledge().conditions;
    let main = |own: &Judged<'_>| own.labelled.truth.conditions[0];
    let mut text =
        String::from("\n## Published cases by origin, condition and number of findings\n");
    let mut table = |title: &str, rows: Vec<(String, Vec<&Judged<'_>>)>| {
        let _ = writeln!(
            text,
            "\n| {title} | cases | origin first | origin among two | condition among three | Brier |\n|---|---|---|---|---|---|"
        );
        for (name, group) in rows {
            let scores: Vec<Scores> = group.iter().map(|own| own.by(Method::Service).1).collect();
            if let Some(e) = estimates(&scores) {
                let _ = writeln!(
                    text,
                    "| {name} | {} | {} | {} | {} | {} |",
                    group.len(),
                    cell(&e[0]),
                    cell(&e[1]),
                    cell(&e[3]),
                    cell(&e[5])
                );
            }
        }
    };
    let group = |holds: &dyn Fn(&Judged<'_>) -> bool| -> Vec<&Judged<'_>> {
        published.iter().copied().filter(|own| holds(own)).collect()
    };
    let origins = Origin::ALL.map(|origin| {
        (origin.id().to_owned(), group(&|own| conditions[main(own)].origin == origin))
    });
    table("origin", origins.into());
    let of_condition = |(index, condition): (usize, &crate::knowledge::Condition)| {
        (condition.id.clone(), group(&|own| main(own) == index))
    };
    table("condition", conditions.iter().enumerate().map(of_condition).collect());
    let bands = [(3, 4), (5, 7), (8, usize::MAX)].map(|(from, to)| {
        let name =
            if to == usize::MAX { format!("{from} and more") } else { format!("{from} to {to}") };
        (name, group(&|own| (from..=to).contains(&own.labelled.findings)))
    });
    table("findings", bands.into());
    text
}

/// The service's probability of each origin with whether it was true.
fn outcomes(judged: &Judged<'_>) -> [(f64, f64); 4] {
    let origins = judged.by(Method::Service).0.origins;
    std::array::from_fn(|o| (origins[o], f64::from(u8::from(judged.labelled.truth.origins[o]))))
}

fn calibration(bins: &[Bin]) -> String {
    format!(
        "\n## Calibration on the published cases\n\nEach case gives four predictions, one for each origin.\n\n{}\n![Calibration](tests/validation/calibration.svg)\n",
        bin_table(bins)
    )
}

fn bin_table(bins: &[Bin]) -> String {
    let mut text = String::from(
        "| predicted | predictions | mean predicted | observed |\n|---|---|---|---|\n",
    );
    for Bin { bounds: (from, to), count, predicted, observed } in bins {
        let _ = writeln!(text, "| {from} to {to} | {count} | {predicted:.3} | {observed:.3} |");
    }
    text
}

fn simulated(simulation: &Simulation) -> String {
    let Simulation {
        setting,
        likelihood,
        coverage: (likelihoods, weights, draws),
        both_named,
        low_back_pain,
    } = simulation;
    let mut text = format!(
        "\n## Patients sampled from the model\n\nPatients of {setting} with {FINDINGS} findings each, drawn from the model itself: they test the inference, not the evidence.\n\n\
        Likelihood of each origin against whether it contributed:\n\n{}\n![Sampled patients](tests/validation/sampled.svg)\n\n\
        - Intervals: all parameters drawn {draws} times from their distributions and the calibration solved anew; the 95 % intervals hold {:.1} % of the likelihoods and {:.1} % of the weights.\n\
",
        bin_table(likelihood),
        100.0 * likelihoods,
        100.0 * weights,
    );
    for BothNamed { findings, service, naive } in both_named {
        let _ = writeln!(
            text,
            "- Patients with conditions of two or more origins and {findings:.0} findings: two true origins are named (a condition of theirs present with more than 0.3) in {:.0} %, by the naive product (origin over 0.3) in {:.0} %.",
            100.0 * service,
            100.0 * naive
        );
    }
    for (setting, before, after) in low_back_pain {
        let _ = writeln!(
            text,
            "- Low back pain alone, {setting}: the spinal likelihood goes from {before:.3} to {after:.3}."
        );
    }
    text
}

/// Which parameters decide, and which matter most.
fn influential(model: &Model, published: &[&Judged<'_>]) -> String {
    let knowledge = model.knowledge();
    let cases: Vec<&Labelled> = published.iter().map(|own| own.labelled).collect();
    let mut text = format!(
        "\n## Which numbers the answers hang on\n\nTo first order. The {INFLUENTIAL} parameters with the largest root mean square change of an origin over the published cases, for one standard deviation:\n\
        what the next literature search should look for.\n\n| parameter | change | pooled figures |\n|---|---|---|\n"
    );
    for (parameter, change) in influence::strongest(model, &cases, INFLUENTIAL) {
        let _ = writeln!(
            text,
            "| {} | {change:.3} | {} |",
            describe(knowledge, parameter),
            grades(knowledge, parameter)
        );
    }
    text.push_str("\nCases in which one parameter, moved within its 95 % interval, would put another origin first; the strongest three:\n\n| case | parameters | strongest |\n|---|---|---|\n");
    for hinge in
        influence::hinges(model, &cases).iter().filter(|hinge| !hinge.parameters.is_empty())
    {
        let names: Vec<String> =
            hinge.parameters.iter().take(3).map(|own| describe(knowledge, *own)).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            hinge.case,
            hinge.parameters.len(),
            names.join("; ")
        );
    }
    text
}

fn case_by_case(model: &Model, all: &[Judged<'_>]) -> String {
    let conditions = &model.knowledge().conditions;
    let mut text = String::from(
        "\n## Case by case\n\n| case | truth | spinal | pelvic | peripheral nerve | local | leading origin | condition first |\n|---|---|---|---|---|---|---|---|\n",
    );
    for own in all {
        let (Prediction { origins, conditions: weights }, scores) = own.by(Method::Service);
        let first = (0..weights.len())
            .fold(0, |first, c| if weights[c] > weights[first] { c } else { first });
        let truth: Vec<&str> =
            own.labelled.truth.conditions.iter().map(|&c| conditions[c].id.as_str()).collect();
        let [spinal, pelvic, nerve, local] = origins;
        let right = if scores[0] > 0.0 { "right" } else { "wrong" };
        let _ = writeln!(
            text,
            "| {} | {} | {spinal:.2} | {pelvic:.2} | {nerve:.2} | {local:.2} | {right} | {} |",
            own.labelled.id,
            truth.join(" + "),
            conditions[first].id
        );
    }
    text
}

const LIMITS: &str = "
## What this does not show

- No patient was followed: there is no prospective study and no external validation by others.
- Published cases over-represent the rare and the unusual; few of them have heel pain, hardly any of them from the spine and none from the pelvis.
- What a report does not mention is unknown, not absent; who wrote it knew the answer.
- Constructed cases follow textbook patterns: they check sense, not accuracy.
- Sampled patients share every error of the model's evidence.
- No parameter was set for the sake of a case; but the cases were seen while the model was built. An unseen second set judges it.
";
