//! What a reader must know beside the numbers.

use super::Conflict;
use crate::domain::{Assessment, Case, Mechanism, Notice, Origin, Unit};
use crate::engine::{self, Model};

/// Most units named as clashing.
const CLASHING: usize = 4;

/// What the numbers of a case call for, beside what intake has said of the request.
pub(super) fn notices(
    model: &Model,
    case: &Case,
    assessment: &Assessment,
    conflict: Option<&Conflict>,
) -> Vec<Notice> {
    let statements = engine::statements(model, case);
    let telling = || statements.iter().filter(|statement| statement.tells());
    let uses = |finding| telling().any(|statement| statement.findings.contains(&finding));
    let sent = case.observations.iter().map(|observation| observation.finding);
    let idle: Vec<usize> = sent.filter(|finding| !uses(*finding)).collect();
    [
        telling().next().is_none().then(uninformative),
        idle_notice(model, &idle),
        lead_elsewhere(model, case, assessment),
        systemic_lead(model, assessment),
        conflicting(model, conflict),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn uninformative() -> Notice {
    Notice::new(
        "NO_INFORMATIVE_FINDING",
        "Nothing that was sent beside heel pain changes a likelihood, so the answer is what is expected before any examination.",
    )
}

fn idle_notice(model: &Model, idle: &[usize]) -> Option<Notice> {
    let notice = Notice::new(
        "FINDING_WITHOUT_WEIGHT",
        "These findings change no likelihood here: red flags and instruments may use them, and parts of a composite count once enough of them are known.",
    );
    let ids = idle.iter().map(|&finding| &model.knowledge().findings[finding].id);
    (!idle.is_empty()).then(|| notice.about(ids))
}

fn lead_elsewhere(model: &Model, case: &Case, assessment: &Assessment) -> Option<Notice> {
    let lead = lead(assessment)?;
    let settings = model.knowledge().settings.iter().enumerate();
    let lead_in = |setting| engine::outlook(model, &Case { setting, ..case.clone() }).lead();
    let others = settings.filter(|(index, _)| *index != case.setting && lead_in(*index) != lead);
    let notice =
        Notice::new("SETTING_CHANGES_LEAD", "In these other settings another origin would lead.")
            .about(others.map(|(_, setting)| &setting.id));
    (!notice.subjects.is_empty()).then_some(notice)
}

/// Systemic and inflammatory conditions that carry most of the leading origin.
fn systemic_lead(model: &Model, assessment: &Assessment) -> Option<Notice> {
    let lead = lead(assessment)?;
    let conditions = &model.knowledge().conditions;
    let own = || {
        let scores = assessment.conditions.iter();
        let own = scores
            .map(|score| (&conditions[score.condition], score.weight.unwrap_or(score.present)));
        own.filter(move |(condition, _)| condition.origin == lead)
    };
    let total: f64 = own().map(|(_, rank)| rank).sum();
    let systemic = own().filter(|(condition, rank)| {
        let is_systemic =
            matches!(condition.mechanism, Mechanism::SystemicNeuropathy | Mechanism::Inflammatory);
        is_systemic && *rank > total / 2.0
    });
    let notice = Notice::new(
        "SYSTEMIC_DISEASE",
        "The leading origin rests on these systemic or inflammatory diseases, which may need another clinic than the origin suggests.",
    )
    .about(systemic.map(|(condition, _)| &condition.id));
    (!notice.subjects.is_empty()).then_some(notice)
}

fn conflicting(model: &Model, conflict: Option<&Conflict>) -> Option<Notice> {
    let conflict = conflict.filter(|conflict| conflict.is_notable())?;
    let id = |(unit, _): &(Unit, f64)| model.knowledge().unit_id(*unit);
    let notice = Notice::new(
        "CONFLICT",
        "These findings are seldom seen together, by any of the conditions weighed: check them, or think of a condition that is not weighed.",
    );
    Some(notice.about(conflict.units.iter().take(CLASHING).map(id)))
}

/// The leading origin: the first of the answer.
fn lead(assessment: &Assessment) -> Option<Origin> {
    assessment.origins.first().map(|score| score.origin)
}
