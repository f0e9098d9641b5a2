//! An answer on one page of a terminal.

use std::fmt::Write as _;

use serde::Deserialize;

/// Columns of a page.
const WIDTH: usize = 80;
/// Columns of a bar.
const BAR: u32 = 30;

/// The parts of a `ScoreFindingsResponse` in proto3 JSON that a page shows.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    setting: String,
    model: Model,
    origins: Vec<Origin>,
    unexplained: Option<f64>,
    conditions: Vec<Condition>,
    contributions: Vec<Contribution>,
    notices: Vec<Notice>,
    red_flags: Vec<RedFlag>,
    red_flag_questions: Vec<Question>,
    suggestions: Vec<Suggestion>,
    stop: Option<Stop>,
    summary: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Model {
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Origin {
    #[serde(rename = "origin")]
    id: String,
    likelihood: f64,
    likelihood_interval: Interval,
    weight: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Interval {
    lower: f64,
    upper: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Condition {
    #[serde(rename = "condition")]
    id: String,
    present: f64,
    likelihood: f64,
    present_interval: Interval,
}

#[derive(Debug, Deserialize)]
struct Contribution {
    unit: String,
    #[serde(default)]
    findings: Vec<String>,
    origins: Vec<Movement>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Movement {
    origin: String,
    nats: f64,
    odds_factor: f64,
}

#[derive(Debug, Deserialize)]
struct Notice {
    message: String,
    #[serde(default)]
    subjects: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct RedFlag {
    label: String,
    urgency: String,
    action: String,
}

#[derive(Debug, Deserialize)]
struct Question {
    question: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suggestion {
    label: String,
    elicit: String,
    bits: f64,
    #[serde(default)]
    separates: String,
}

#[derive(Debug, Deserialize)]
struct Stop {
    reason: String,
}

/// The page of a response in proto3 JSON with everything of the full view. `absent` are the ids that were sent as absent.
///
/// # Errors
/// When the text is no such response.
pub(super) fn page(response: &str, absent: &[&str]) -> Result<String, serde_json::Error> {
    let response: Response = serde_json::from_str(response)?;
    let mut page = Page::default();
    page.red_flags(&response);
    page.text("", &response.summary);
    page.origins(&response);
    page.conditions(&response);
    page.reasons(&response, absent);
    page.next(&response);
    page.small_print(&response);
    Ok(page.0)
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "{}", text.trim_end());
    }

    /// A text, broken at the page's width; lines after the first stand under it.
    fn text(&mut self, first: &str, text: &str) {
        let indent = " ".repeat(first.chars().count());
        let mut line = first.to_owned();
        for word in text.split(' ') {
            if line.chars().count() + word.chars().count() > WIDTH {
                self.line(&line);
                line.clone_from(&indent);
            }
            line.push_str(word);
            line.push(' ');
        }
        self.line(&line);
    }

    fn red_flags(&mut self, response: &Response) {
        for flag in &response.red_flags {
            let urgency = flag.urgency.trim_start_matches("URGENCY_");
            self.text(&format!("!! {urgency}  "), &format!("{}. {}", flag.label, flag.action));
        }
        if !response.red_flags.is_empty() {
            self.line("");
        }
    }

    fn origins(&mut self, response: &Response) {
        self.line(&format!("\n{:<18} {:<51}weight", "Origin", "likelihood [interval]"));
        for own in &response.origins {
            let Interval { lower, upper } = own.likelihood_interval;
            let weight = own.weight.map_or_else(|| "-".to_owned(), |weight| format!("{weight:.2}"));
            self.line(&format!(
                "{:<18} {:.2} [{lower:.2} {upper:.2}]  {}  {weight:>6}",
                name(&own.id),
                own.likelihood,
                bar(own.likelihood, lower, upper),
            ));
        }
        if let Some(unexplained) = response.unexplained {
            self.line(&format!("{:<18} {unexplained:>57.2}", "unexplained"));
        }
    }

    fn conditions(&mut self, response: &Response) {
        self.line("\nCondition                          present [interval]   contributes");
        for own in response.conditions.iter().take(4) {
            let Interval { lower, upper } = own.present_interval;
            let (id, present) = (own.id.replace('_', " "), own.present);
            let contributes = own.likelihood;
            self.line(&format!(
                "{id:<34} {present:.2} [{lower:.2} {upper:.2}]     {contributes:.2}"
            ));
        }
    }

    /// What moved the leading origin most.
    fn reasons(&mut self, response: &Response, absent: &[&str]) {
        let Some(lead) = response.origins.first().map(|own| own.id.as_str()) else { return };
        let mut reasons: Vec<(&Contribution, &Movement)> = response
            .contributions
            .iter()
            .filter_map(|own| Some((own, own.origins.iter().find(|moved| moved.origin == lead)?)))
            .collect();
        reasons.sort_by(|a, b| b.1.nats.abs().total_cmp(&a.1.nats.abs()));
        if reasons.is_empty() {
            return;
        }
        self.line(&format!("\nReasons ({}): factor on its odds", name(lead)));
        for (reason, moved) in reasons.into_iter().take(5) {
            let sent = |id: &String| {
                let is_absent = absent.contains(&id.as_str());
                format!("{id}{}", if is_absent { " (absent)" } else { "" })
            };
            let findings = match reason.findings.as_slice() {
                [] => reason.unit.clone(),
                findings => findings.iter().map(sent).collect::<Vec<_>>().join(", "),
            };
            let head = format!("{:>8.2}  ", moved.odds_factor);
            self.text(&head, &findings.replace('_', " "));
        }
    }

    fn next(&mut self, response: &Response) {
        if !response.suggestions.is_empty() {
            self.line("\nNext, and how much it tells (bits)");
        }
        for own in response.suggestions.iter().take(3) {
            let why =
                if own.separates.is_empty() { "" } else { " (tells apart what the others cannot)" };
            let head = format!("{:>8.2}  ", own.bits);
            self.text(&head, &format!("{}{why}. {}", own.label, own.elicit));
        }
        let stop = match response.stop.as_ref().map(|stop| stop.reason.as_str()) {
            Some("STOP_REASON_CERTAIN") => "An origin is certain enough to stop.",
            Some("STOP_REASON_SETTLED") => {
                "No single further finding would likely change the lead: stop."
            }
            Some("STOP_REASON_NOTHING_LEFT") => "Nothing is left that tells anything: stop.",
            _ => "",
        };
        if !stop.is_empty() {
            self.text("", stop);
        }
    }

    fn small_print(&mut self, response: &Response) {
        self.line("");
        let questions: Vec<&str> =
            response.red_flag_questions.iter().map(|own| own.question.as_str()).collect();
        if !questions.is_empty() {
            self.text("Safety, not asked: ", &questions.join(", ").replace('_', " "));
        }
        for Notice { message, subjects } in &response.notices {
            let message = message.trim_end_matches('.');
            let about = subjects.join(", ").replace('_', " ");
            let about = if about.is_empty() { about } else { format!(": {about}") };
            self.text("Notice: ", &format!("{message}{about}."));
        }
        let Response { setting, model, .. } = response;
        self.text("", &format!("Model {}, {setting}. Supports a clinician and does not diagnose. --json shows all.", model.version));
    }
}

/// A probability as a bar, its interval around the end.
fn bar(value: f64, lower: f64, upper: f64) -> String {
    let mark = |column| match (f64::from(column) + 0.5) / f64::from(BAR) {
        at if at < lower.min(value) => '#',
        at if at < value => '=',
        at if at < upper => '-',
        _ => '.',
    };
    (0..BAR).map(mark).collect()
}

fn name(origin: &str) -> &str {
    match origin {
        "ORIGIN_SPINAL" => "spine",
        "ORIGIN_PELVIC" => "pelvis or hip",
        "ORIGIN_PERIPHERAL_NERVE" => "peripheral nerve",
        "ORIGIN_LOCAL" => "heel itself",
        other => other,
    }
}
