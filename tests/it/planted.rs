//! `knowledge check` on a folder with fifteen planted faults, each of another kind: it names all of them by file and line.

use std::path::Path;

use heel_origin::knowledge;

/// A finding with one link, at these places: fields, leak, link.
fn finding(id: &str, fields: &str, leak: &str, link: &str) -> String {
    format!(
        "\n[[finding]]\nid = \"{id}\"\nlabel = \"x\"\nelicit = \"x\"\npositive = \"x\"\nkind = \"symptom\"\n\
         effort = \"asked\"\nlaterality = \"none\"\n{fields}\n[[finding.leak]]\n{leak}\n[[finding.link]]\n{link}\n"
    )
}

const LEAK: &str = r#"studies = [ { value = 0.1, quality = "expert", note = "x" } ]"#;
const LINK: &str = r#"condition = "sciatica"
studies = [ { value = 0.5, quality = "expert", note = "x" } ]"#;

/// A link to sciatica with this study.
fn link(study: &str) -> String {
    format!("condition = \"sciatica\"\nstudies = [ {study} ]")
}

/// One fault: the file it is appended to, its text, the text its line begins with, and what must be said of it.
struct Planted {
    file: &'static str,
    text: String,
    at: &'static str,
    said: &'static str,
}

fn planted(file: &'static str, text: String, at: &'static str, said: &'static str) -> Planted {
    Planted { file, text, at, said }
}

fn faults_of_findings() -> Vec<Planted> {
    let file = "findings/spine.toml";
    let elsewhere = r#"condition = "toe""#;
    let of = |text, at, said| planted(file, text, at, said);
    let mixed_up = r#"studies = [ { value = 0.91, quality = "expert", note = "x" } ]"#;
    let bands = format!("{LEAK}\n[[finding.leak]]\nage = [59, 41]\n{LEAK}");
    let measure = r#"measure = { id = "m8", unit = "cm", present = "below", range = [0.0, 9.0] }"#;
    let count = r#"{ source = "van_2010", count = [13, 12], quality = "low", checked = "read" }"#;
    let judged = r#"{ source = "van_2010", value = 0.55, quality = "expert", note = "x" }"#;
    let source = r#"{ value = 0.56, quality = "low", checked = "read" }"#;
    vec![
        of(
            finding("f1", "", LEAK, &LINK.replace(r#"condition = "sciatica""#, elsewhere)),
            elsewhere,
            "no condition has the id `toe`",
        ),
        of(
            finding("f2", "", LEAK, &link(r#"{ value = 1.2, quality = "expert", note = "x" }"#)),
            "studies = [ { value = 1.2",
            "strictly between 0 and 1",
        ),
        of(
            finding("f3", r#"aliases = ["f5"]"#, LEAK, &link(source)),
            "studies = [ { value = 0.56",
            "needs `source` and `checked`",
        ),
        of(
            format!("\n# twice{}", finding("thigh_thrust", "", LEAK, LINK)),
            "# twice",
            "the id `thigh_thrust` stands twice",
        ),
        of(
            finding("f5", r#"aliases = ["f3"]"#, LEAK, LINK),
            r#"aliases = ["f3"]"#,
            "the id `f3` stands twice",
        ),
        of(finding("f6", "", mixed_up, LINK), mixed_up, "the leak is above every sensitivity"),
        of(finding("f8", measure, LEAK, LINK), measure, "missing field `threshold`"),
        of(
            finding("f9", r#"cluster = "c9""#, LEAK, LINK),
            r#"cluster = "c9""#,
            "no cluster has the id `c9`",
        ),
        of(
            finding("f12", "", LEAK, &link(count)),
            r#"studies = [ { source = "van_2010", count = [13, 12]"#,
            "`count` is [positives, examined]",
        ),
        of(
            finding("f13", "", LEAK, &link(judged)),
            r#"studies = [ { source = "van_2010", value = 0.55"#,
            "has neither `source` nor `checked`",
        ),
        of(finding("f14", "", &bands, LINK), "age = [59, 41]", "from not above to"),
        of(finding("f15", "colour = 15", LEAK, LINK), "colour = 15", "unknown field `colour`"),
    ]
}

fn faults_of_other_files() -> Vec<Planted> {
    let factor = "\n[[risk_factor]]\nid = \"r11\"\nlabel = \"x\"\nelicit = \"x\"\npositive = \"x\"\n\
                  effort = \"asked\"\n";
    let ratio = r#"studies = [ { odds_ratio = 0.0, quality = "expert", note = "x" } ]"#;
    let negative = r#"prevalence = [ { value = -0.07, quality = "expert", note = "x" } ]"#;
    let cluster = "\n[[cluster]]\nid = \"c10\"\nlabel = \"x\"\nnote = \"x\"\nrho = 1.1\n";
    let sound = negative.replace("-0.07", "0.07");
    vec![
        planted(
            "risk_factors.toml",
            format!("{factor}{negative}\n").replace("r11", "r7"),
            negative,
            "strictly between 0 and 1",
        ),
        planted("clusters.toml", cluster.to_owned(), "rho = 1.1", "rho must be from 0 to 1"),
        planted(
            "risk_factors.toml",
            format!("{factor}{sound}\n[[risk_factor.effect]]\ncondition = \"sciatica\"\n{ratio}\n"),
            ratio,
            "an odds ratio is above 0",
        ),
    ]
}

fn write_base(folder: &Path) {
    for below in ["findings", "rules"] {
        std::fs::create_dir(folder.join(below)).unwrap();
    }
    for file in knowledge::embedded() {
        std::fs::write(folder.join(&file.name), &file.text).unwrap();
    }
}

#[test]
fn fifteen_planted_faults_are_all_reported() {
    let folder = tempfile::tempdir().unwrap();
    write_base(folder.path());
    let faults: Vec<Planted> =
        faults_of_findings().into_iter().chain(faults_of_other_files()).collect();
    assert_eq!(faults.len(), 15);
    for fault in &faults {
        let path = folder.path().join(fault.file);
        let text = std::fs::read_to_string(&path).unwrap() + &fault.text;
        std::fs::write(path, text).unwrap();
    }
    let read = heel_origin::startup::Folder::read(folder.path()).unwrap();
    let reported = knowledge::load(&read.files).unwrap_err();
    let all = reported.to_string();
    for Planted { file, at, said, .. } in &faults {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let mut line = 1 + text.lines().position(|line| line.starts_with(at)).unwrap();
        if at.starts_with('#') {
            line += 2; // the id of the entry below
        }
        let found = reported
            .0
            .iter()
            .any(|fault| fault.file == *file && fault.line == line && fault.reason.contains(said));
        assert!(found, "no `{said}` at {file}:{line} in:\n{all}");
    }
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_heel-origin"))
        .env_clear()
        .args(["knowledge", "check", "--knowledge"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(65));
    assert!(String::from_utf8(output.stderr).unwrap().contains(&all));
}

#[test]
fn a_copy_left_inside_the_folder_is_reported_as_ids_that_stand_twice() {
    let mut files = knowledge::embedded();
    let copy = files
        .clone()
        .into_iter()
        .map(|file| knowledge::File { name: format!("old/{}", file.name), ..file });
    files.extend(copy);
    let faults = knowledge::load(&files).unwrap_err();
    for id in ["sciatica", "podiatry", "deyo_1992", "slump_test", "diabetes"] {
        let said = format!("`{id}` stands twice");
        let found = faults
            .0
            .iter()
            .any(|fault| fault.file.starts_with("old/") && fault.reason.contains(&said));
        assert!(found, "{id}");
    }
    assert!(faults.0.iter().any(|fault| fault.reason.contains("one [model] table, found 2")));
}
