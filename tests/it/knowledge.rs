//! The loader: every fault at once, each with its file, line and reason.

use heel_origin::knowledge::{self, File, Form, Term};

/// The shipped files with one of them changed.
fn with(name: &str, change: impl Fn(&str) -> String) -> Vec<File> {
    let mut files = knowledge::embedded();
    let file = files.iter_mut().find(|file| file.name == name).unwrap();
    file.text = change(&file.text);
    files
}

/// Where a text stands in a file, from line 1.
fn line_of(files: &[File], name: &str, text: &str) -> usize {
    let file = files.iter().find(|file| file.name == name).unwrap();
    1 + file.text[..file.text.find(text).unwrap()].matches('\n').count()
}

const EXTRA: &str = r#"
[[finding]]
id = "slump_test"
label = "Stands twice"
elicit = "x"
positive = "x"
kind = "examination"
effort = "bedside"
laterality = "none"
cluster = "no_such_cluster"

[[finding.leak]]
studies = [ { value = 1.5, quality = "expert", note = "outside" } ]

[[finding.link]]
condition = "no_such_condition"
studies = [ { source = "no_such_source", value = 0.5, quality = "high", checked = "read" } ]

[[finding]]
id = "no_kind"
label = "Lacks most of its fields"

[[findings]]
id = "misspelt table"
"#;

#[test]
fn every_fault_is_reported_with_its_file_and_line() {
    let name = "findings/pelvis.toml";
    let files = with(name, |text| format!("{text}{EXTRA}"));
    let faults = knowledge::load(&files).unwrap_err();
    let text = faults.to_string();
    for (at, reason) in [
        ("cluster = \"no_such_cluster\"", "no cluster has the id `no_such_cluster`"),
        ("{ value = 1.5", "`value` lies strictly between 0 and 1"),
        ("condition = \"no_such_condition\"", "no condition has the id `no_such_condition`"),
        ("{ source = \"no_such_source\"", "no source has the id `no_such_source`"),
        ("[[finding]]\nid = \"no_kind\"", "missing field"),
        ("[[findings]]", "unknown table `findings`"),
    ] {
        let line = line_of(&files, name, at);
        let found = faults
            .0
            .iter()
            .any(|fault| fault.file == name && fault.line == line && fault.reason.contains(reason));
        assert!(found, "no `{reason}` at line {line} in:\n{text}");
    }
    assert!(text.contains("the id `slump_test` stands twice"), "{text}");
}

#[test]
fn a_figure_left_out_is_kept_with_its_reason_and_its_ids_are_checked() {
    let name = "left_out.toml";
    let figure = "[[left_out]]\nsubject = \"a score\"\nfigure = \"0.9\"\nreason = \"composite\"\n";
    let ids = "source = \"no_such_source\"\ncondition = \"no_such_condition\"\n";
    let sound = knowledge::load(&with(name, |text| format!("{text}\n{figure}"))).unwrap();
    assert_eq!(sound.left_out.last().unwrap().reason, "composite");
    let files = with(name, |text| format!("{text}\n{figure}{ids}"));
    let faults = knowledge::load(&files).unwrap_err().0;
    for at in ["source = \"no_such", "condition = \"no_such"] {
        let line = line_of(&files, name, at);
        assert!(faults.iter().any(|fault| fault.file == name && fault.line == line), "{at}");
    }
    let mut older = knowledge::embedded();
    older.retain(|file| file.name != name);
    assert!(knowledge::load(&older).unwrap().left_out.is_empty());
}

#[test]
fn a_code_with_a_wrong_check_digit_is_refused() {
    let name = "findings/spine.toml";
    let coded = |codes: &str| {
        with(name, |text| {
            text.replacen("id = \"slump_test\"\n", &format!("id = \"slump_test\"\n{codes}\n"), 1)
        })
    };
    let base = knowledge::load(&coded("codes = { snomed = \"202882003\" }")).unwrap();
    let slump = base.findings.iter().find(|finding| finding.id == "slump_test").unwrap();
    assert_eq!(slump.codes.first().unwrap().system, "http://snomed.info/sct");
    let files = coded("codes = { snomed = \"202882004\", loinc = \"39156-6\" }");
    let faults = knowledge::load(&files).unwrap_err().0;
    let line = line_of(&files, name, "202882004");
    let found = faults.iter().filter(|fault| fault.file == name && fault.line == line);
    assert_eq!(found.count(), 2, "{faults:?}");
}

#[test]
fn a_syntax_fault_names_its_line() {
    let files = with("clusters.toml", |text| format!("{text}\n[[cluster]]\nid = \n"));
    let faults = knowledge::load(&files).unwrap_err();
    let line = line_of(&files, "clusters.toml", "id = \n");
    assert!(
        faults.0.iter().any(|fault| fault.file == "clusters.toml" && fault.line == line),
        "{faults}"
    );
}

#[test]
fn a_judgement_without_a_reason_is_refused() {
    let judgement = r#"studies = [ { value = 0.5, quality = "expert" } ]"#;
    let files = with("findings/complaint.toml", |text| {
        let start = text.find("studies = [").unwrap();
        let end = start + text[start..].find("\n]").unwrap() + 2;
        format!("{}{judgement}{}", &text[..start], &text[end..])
    });
    let faults = knowledge::load(&files).unwrap_err();
    assert!(faults.to_string().contains("a judgement needs a `note`"), "{faults}");
}

#[test]
fn a_missing_prevalence_is_refused() {
    let files = with("settings.toml", |text| {
        text.replacen("condition = \"sciatica\"", "condition = \"polyneuropathy\"", 1)
    });
    let faults = knowledge::load(&files).unwrap_err();
    assert!(faults.to_string().contains("for every condition"), "{faults}");
}

#[test]
fn a_folder_gives_the_same_model_as_the_embedded_files() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/knowledge/base");
    let files = knowledge::read_folder(&folder).unwrap();
    assert_eq!(files, knowledge::embedded());
    let base = knowledge::load(&files).unwrap();
    assert!(matches!(base.terms["body_mass_index"], Term::RiskFactor(_, Form::Measured)));
    assert!(matches!(base.terms["heel_pain"], Term::Complaint));
}

#[test]
fn the_first_content_is_complete() {
    let base = knowledge::load(&knowledge::embedded()).unwrap();
    assert_eq!(base.conditions.len(), 18);
    assert_eq!(base.settings.len(), 3);
    let linked = base.findings.iter().filter(|finding| finding.is_informative()).count();
    assert!(linked >= 70, "{linked} findings with links");
    for finding in &base.findings {
        let studies = finding.links.iter().flat_map(|link| &link.studies);
        for study in studies {
            let judged = study.quality == "expert";
            assert_eq!(judged, study.source.is_none(), "{}", finding.id);
            assert!(!judged || !study.note.is_empty(), "{}", finding.id);
        }
    }
}

#[test]
fn the_digest_follows_the_content_of_every_file() {
    let digest = knowledge::load(&knowledge::embedded()).unwrap().digest;
    assert_eq!(digest.len(), 64);
    for file in knowledge::embedded() {
        let other = with(&file.name, |text| format!("{text}# one more line\n"));
        assert_ne!(digest, knowledge::load(&other).unwrap().digest, "{}", file.name);
    }
}
