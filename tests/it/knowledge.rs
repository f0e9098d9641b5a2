//! The loader: every fault at once, each with its file, line and reason.

use heel_origin::knowledge::{self, File, Finding, Leak, Link, Subject, Term};

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
fn every_code_ends_in_its_check_digit() {
    let base = knowledge::load(&knowledge::embedded()).unwrap();
    let conditions = base.conditions.iter().map(|condition| &condition.codes);
    let findings = base.findings.iter().map(|finding| &finding.codes);
    let factors = base.risk_factors.iter().map(|factor| &factor.codes);
    let mut checked = 0;
    for code in conditions.chain(findings).chain(factors).flatten() {
        let is_sound = match code.system {
            "http://snomed.info/sct" => is_snomed(&code.code),
            "http://loinc.org" => is_loinc(&code.code),
            _ => continue,
        };
        assert!(is_sound, "{code:?}");
        checked += 1;
    }
    assert!(checked > 30, "{checked}");
    assert!(!is_snomed("202882004") && !is_snomed("208282003") && !is_loinc("39165-5"));
}

/// Whether an id of SNOMED CT ends in its check digit (Verhoeff 1969).
fn is_snomed(id: &str) -> bool {
    const SHUFFLE: [usize; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let check = |(place, digit)| (0..place).fold(digit, |digit, _| SHUFFLE[digit]);
    let sum = digits(id).map(|digits| digits.into_iter().enumerate().map(check).fold(0, turn));
    (6..=18).contains(&id.len()) && sum == Some(0)
}

/// Product of two symmetries of a pentagon: 0 to 4 are turns, 5 to 9 reflections.
const fn turn(a: usize, b: usize) -> usize {
    let turned = if a < 5 { a + b } else { a + 10 - b } % 5;
    if (a < 5) == (b < 5) { turned } else { turned + 5 }
}

/// Whether a LOINC code ends in `-` and its check digit (Luhn 1960).
fn is_loinc(code: &str) -> bool {
    let weigh = |(place, digit): (usize, usize)| match place % 2 {
        0 => digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    };
    let digits = code.split_once('-').filter(|(body, check)| !body.is_empty() && check.len() == 1);
    let digits = digits.and_then(|(body, check)| self::digits(&format!("{body}{check}")));
    digits.is_some_and(|digits| digits.into_iter().enumerate().map(weigh).sum::<usize>() % 10 == 0)
}

/// The digits of a number, from the right.
fn digits(number: &str) -> Option<Vec<usize>> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| usize::from(byte - b'0'));
    number.bytes().rev().map(digit).collect()
}

#[test]
fn a_card_has_all_attributes_or_is_from_before_there_were_any() {
    let changed = |change: &dyn Fn(&str) -> String| knowledge::load(&with("model.toml", change));
    let none = |text: &str| text[..text.find("[[model.attribute]]").unwrap()].to_owned();
    assert!(changed(&none).unwrap().card.attributes.is_empty());
    let faults =
        changed(&|text| text.replace("id = \"funding\"", "id = \"founding\"")).unwrap_err();
    let faults = faults.to_string();
    assert!(faults.contains("missing attributes: funding"), "{faults}");
    assert!(faults.contains("`founding` is unknown"), "{faults}");
    let other = "id = \"developer\"";
    let faults = changed(&|text| text.replace("id = \"funding\"", other)).unwrap_err().to_string();
    assert!(faults.contains("`developer` is unknown or stands twice"), "{faults}");
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
    let read = heel_origin::startup::Folder::read(&folder).unwrap();
    read.check_whole().unwrap();
    let files = read.files;
    assert_eq!(files, knowledge::embedded());
    let base = knowledge::load(&files).unwrap();
    assert!(matches!(base.terms["body_mass_index"], Term::Measured(_)));
    assert!(matches!(base.terms["heel_pain"], Term::YesNo(Subject::Complaint)));
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

/// The ids of the findings judged for all conditions; the loader forgets which they are.
fn general_findings() -> Vec<String> {
    let files = knowledge::embedded();
    let entries = files.iter().flat_map(|file| file.text.split("[[finding]]").skip(1));
    let general = entries.filter(|entry| entry.contains("\ngeneral = true\n"));
    general.map(|entry| entry.split('"').nth(1).unwrap().to_owned()).collect()
}

/// Whether a judged link shifts a probability by more than a small amount at some age: a likelihood ratio over 2 or under 0.5.
fn tells(finding: &Finding, link: &Link) -> bool {
    let meets = |leak: &&Leak| leak.age.is_none() || link.age.is_none() || leak.age == link.age;
    finding.leaks.iter().filter(meets).any(|leak| {
        let (sensitivity, rate) = (link.sensitivity.probability(), leak.rate.probability());
        sensitivity > 2.0 * rate || (1.0 - sensitivity) < 0.5 * (1.0 - rate)
    })
}

#[test]
fn a_judged_link_tells_something() {
    let base = knowledge::load(&knowledge::embedded()).unwrap();
    let general = general_findings();
    assert!(general.len() >= 10, "{general:?}");
    let special = base.findings.iter().filter(|f| !general.contains(&f.id) && f.parts.is_empty());
    for finding in special {
        let by_condition = finding.links.chunk_by(|a, b| a.condition == b.condition);
        let is_judged = |links: &&[Link]| {
            links.iter().flat_map(|link| &link.studies).all(|study| study.source.is_none())
        };
        let is_weak = |links: &[Link]| !links.iter().any(|link| tells(finding, link));
        let (judged, published): (Vec<_>, Vec<_>) = by_condition.partition(is_judged);
        let weak = judged.iter().filter(|links| is_weak(links)).count();
        let needed = published.is_empty() && weak == judged.len();
        assert!(weak == 0 || needed, "{}: {weak} judged links hardly tell", finding.id);
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
