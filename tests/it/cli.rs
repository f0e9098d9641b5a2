//! The program as it is started.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Output, Stdio};

use crate::support::{FIRST_FOLDER, TestServer};

const EXAMPLE: &str = r#"{"assessment": {"patient": {"age_years": 52, "sex": "SEX_FEMALE"},
  "side": "SIDE_RIGHT", "findings": [{"id": "slump_test", "present": true},
  {"id": "achilles_reflex_reduced", "present": true}, {"id": "first_step_pain", "present": false}]}}"#;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heel-origin"));
    // Variables of whoever runs the tests must not configure the program under test.
    command.env_clear();
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &str) -> Output {
    let mut command = program();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn score(request: &str) -> Output {
    run_with_input(&["score", "--json", "-"], request)
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

fn exit_code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

#[test]
fn help_is_an_answer_and_a_misspelt_flag_a_usage_fault() {
    let help = run(&["--help"]);
    assert_eq!(exit_code(&help), 0);
    for command in ["serve", "score", "check-config", "health", "knowledge"] {
        assert!(stdout(&help).contains(command), "{command}");
    }
    assert_eq!(exit_code(&run(&["--lisen", "127.0.0.1:0"])), 64);
}

#[test]
fn a_request_is_scored_without_a_server() {
    let scored = score(EXAMPLE);
    assert_eq!(exit_code(&scored), 0, "{}", stderr(&scored));
    let answer: serde_json::Value = serde_json::from_str(stdout(&scored)).unwrap();
    assert_eq!(answer["setting"], "primary_care");
    assert_eq!(answer["origins"].as_array().unwrap().len(), 4);
    assert!(answer["origins"][0]["weight"].is_number());
}

#[test]
fn a_request_is_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("request.json");
    std::fs::write(&file, EXAMPLE).unwrap();
    let scored = run(&["score", "--json", file.to_str().unwrap()]);
    assert_eq!(stdout(&scored), stdout(&score(EXAMPLE)));
    assert_eq!(exit_code(&run(&["score", "/no/such/request.json"])), 66);
}

#[test]
fn an_answer_fits_one_page_of_a_terminal() {
    for example in ["s1_root", "piriformis", "tarsal_tunnel", "plantar_fascia"] {
        let file = format!("{}/tests/vignettes/{example}.json", env!("CARGO_MANIFEST_DIR"));
        let scored = run(&["score", &file]);
        assert_eq!(exit_code(&scored), 0, "{}", stderr(&scored));
        let page = stdout(&scored);
        assert!(page.lines().count() <= 48, "{page}");
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
        for part in
            ["Origin ", "Condition ", "Reasons ", "Next, ", "unexplained", "Safety, not asked"]
        {
            assert!(page.contains(part), "{part} is missing\n{page}");
        }
        let after = |part: &str| page.split(part).nth(1).unwrap().lines().skip(1);
        let entries = |part: &str| {
            let lines = after(part).take_while(|line| !line.is_empty());
            lines.filter(|line| line.starts_with("    ") && line[4..8].contains('.')).count()
        };
        assert_eq!((entries("Reasons"), entries("Next,")), (5, 3), "{page}");
    }
    let urgent =
        EXAMPLE.replace("first_step_pain", "saddle_sensory_change").replace("false", "true");
    let page = run_with_input(&["score", "-"], &urgent);
    assert!(stdout(&page).starts_with("!! EMERGENCY  Suspected cauda equina"), "{}", stdout(&page));
    // What is refused in JSON is refused here, with the same words.
    let wrong = r#"{"assessment": {"findings": [{"id": "slump_tset", "present": true}]}}"#;
    let refused = run_with_input(&["score", "-"], wrong);
    assert_eq!((exit_code(&refused), stderr(&refused)), (65, stderr(&score(wrong))));
}

#[test]
fn an_instrument_can_be_switched_off() {
    let switched = |off: &str| {
        let mut command = program();
        command.env("HEELORIGIN__SCORING__INSTRUMENTS_OFF", off).args(["knowledge", "check"]);
        command.output().unwrap()
    };
    assert!(stdout(&switched("")).contains(" 9 instruments"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), EXAMPLE.replacen('{', r#"{"options": {"view": "VIEW_FULL"}, "#, 1))
        .unwrap();
    let score = |off: &str| {
        let mut command = program();
        command.env("HEELORIGIN__SCORING__INSTRUMENTS_OFF", off);
        command.args(["score", "--json", file.path().to_str().unwrap()]).output().unwrap()
    };
    assert!(stdout(&score("")).contains("lss_dst_konno_2007"), "{}", stderr(&score("")));
    assert!(!stdout(&score("lss_dst_konno_2007")).contains("lss_dst_konno_2007"));
    let unknown = score("konno");
    assert_eq!(exit_code(&unknown), 64);
    assert!(stderr(&unknown).contains("scoring.instruments_off: no instrument has the id `konno`"));
}

#[test]
fn every_fault_of_a_request_is_one_line() {
    let refused = score(
        r#"{"assessment": {"setting": "ward", "findings": [{"id": "slump_tset", "present": true},
          {"id": "slump_test"}]}, "options": {"credibleLevel": "NaN"}}"#,
    );
    assert_eq!(exit_code(&refused), 65);
    assert_eq!(stdout(&refused), "");
    let lines: Vec<&str> = stderr(&refused).lines().collect();
    for field in [
        "assessment.setting: ",
        "assessment.findings[0].id: ",
        "assessment.findings[1].value: ",
        "options.credible_level: ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(field)), "{field} is not in {lines:#?}");
    }
    assert_eq!(lines.len(), 4, "{lines:#?}");
}

#[test]
fn a_field_sent_twice_is_refused_in_either_spelling() {
    for request in [
        r#"{"assessment": {"setting": "podiatry", "setting": "primary_care"}}"#,
        r#"{"assessment": {"patient": {"age_years": 50, "ageYears": 60}}}"#,
    ] {
        let refused = score(request);
        assert_eq!(exit_code(&refused), 65);
        assert!(stderr(&refused).contains("sent twice"), "{}", stderr(&refused));
    }
}

#[test]
fn an_unknown_field_is_named() {
    let refused = score(r#"{"assessment": {"finding": []}}"#);
    assert_eq!(exit_code(&refused), 65);
    assert!(stderr(&refused).contains("finding"), "{}", stderr(&refused));
    assert_eq!(exit_code(&score("no json")), 65);
    assert_eq!(exit_code(&score("{} {}")), 65);
}

#[test]
fn an_unknown_version_and_a_young_patient_are_refused() {
    let version = score(r#"{"assessment": {}, "options": {"modelVersion": "none"}}"#);
    assert_eq!(exit_code(&version), 65);
    assert!(stderr(&version).starts_with("options.model_version: "), "{}", stderr(&version));
    let young = score(r#"{"assessment": {"patient": {"ageYears": 17}}}"#);
    assert_eq!(exit_code(&young), 65);
    assert!(stderr(&young).starts_with("assessment.patient.age_years: "), "{}", stderr(&young));
}

#[test]
fn a_request_that_names_another_loaded_version_is_scored_with_it() {
    let request = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/replay/2026.11.0/requests/01_nothing_sent.json"
    );
    assert_eq!(exit_code(&run(&["score", request])), 65);
    let mut command = program();
    command.env("HEELORIGIN__KNOWLEDGE__MORE", FIRST_FOLDER).args(["score", "--json", request]);
    let scored = command.output().unwrap();
    let answer: serde_json::Value = serde_json::from_str(stdout(&scored)).unwrap();
    assert_eq!(answer["model"]["version"], "2026.11.0", "{}", stderr(&scored));
}

#[test]
fn the_configuration_is_checked_and_printed() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/config.example.toml");
    let checked = run(&["check-config", example]);
    assert_eq!(exit_code(&checked), 0, "{}", stderr(&checked));
    assert!(stdout(&checked).contains("listen = \"127.0.0.1:50051\""));
    let refused = run(&["--listen", "0.0.0.0:1", "check-config"]);
    assert_eq!(exit_code(&refused), 64);
    assert!(stderr(&refused).contains("server.listen: "), "{}", stderr(&refused));
    let unknown = program().env("HEELORIGIN__SERVER__LISTN", "1").arg("serve").output().unwrap();
    assert_eq!(exit_code(&unknown), 64);
}

#[test]
fn an_unknown_default_setting_is_a_configuration_fault() {
    let mut command = program();
    command.env("HEELORIGIN__SCORING__DEFAULT_SETTING", "ward").args(["--listen", "127.0.0.1:0"]);
    let refused = command.output().unwrap();
    assert_eq!(exit_code(&refused), 64);
    assert!(stderr(&refused).contains("scoring.default_setting: "), "{}", stderr(&refused));
}

#[test]
fn the_knowledge_base_is_checked_and_exported() {
    let checked = run(&["knowledge", "check"]);
    assert_eq!(exit_code(&checked), 0, "{}", stderr(&checked));
    assert!(!stdout(&checked).is_empty());
    let exported = run(&["knowledge", "export"]);
    assert_eq!(exit_code(&exported), 0, "{}", stderr(&exported));
    serde_json::from_str::<serde_json::Value>(stdout(&exported)).unwrap();
}

#[test]
fn a_faulty_knowledge_base_is_refused_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.toml"), "version = \n").unwrap();
    let path = folder.path().to_str().unwrap();
    let refused = run(&["knowledge", "check", "--knowledge", path]);
    assert_eq!(exit_code(&refused), 65);
    assert!(stderr(&refused).contains("model.toml:1"), "{}", stderr(&refused));
    assert_eq!(exit_code(&run(&["serve", "--listen", "127.0.0.1:0", "--knowledge", path])), 1);
}

/// A served program; ends with the test.
pub(crate) struct Served {
    child: Child,
    lines: Vec<String>,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        Self::with(arguments, |_| {})
    }

    /// With something else set.
    pub(crate) fn with(arguments: &[&str], set: impl FnOnce(&mut Command)) -> Self {
        let mut command = program();
        set(&mut command);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(2);
        let lines = lines.map(Result::unwrap).collect();
        Self { child, lines }
    }

    pub(crate) fn address(&self) -> &str {
        self.lines.first().unwrap().strip_prefix("listening on ").unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(crate) fn output(self) -> Output {
        self.child.wait_with_output().unwrap()
    }
}

#[test]
fn serving_prints_the_address_and_a_line_to_paste_and_ends_on_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let served = Served::start(&["--listen", "127.0.0.1:0", "--log-format", "json"]);
        let address = served.address().to_owned();
        assert!(!address.ends_with(":0"));
        let line = served.lines.get(1).unwrap();
        assert!(line.starts_with("grpcurl -plaintext -d '{"), "{line}");
        assert!(
            line.ends_with(&format!("{address} heelorigin.v1.ScoringService/ScoreFindings")),
            "{line}"
        );
        let health = run(&["health", &address]);
        assert_eq!((exit_code(&health), stdout(&health)), (0, "SERVING\n"));
        served.signal(signal);
        let output = served.output();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        for line in stderr(&output).lines() {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut command = program();
    command.env("HEELORIGIN__SERVER__LAME_DUCK_MS", "3600000");
    command.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut String::new()).unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let id = child.id().to_string();
    let signal = || assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    signal();
    // The first signal has been seen once its line is there.
    let mut line = String::new();
    while !line.contains("shutting down") {
        line.clear();
        assert_ne!(errors.read_line(&mut line).unwrap(), 0, "the program ended too early");
    }
    signal();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_asked_of_the_given_address() {
    let server = TestServer::start().await;
    let address = server.address.to_string();
    let healthy = tokio::task::spawn_blocking(move || run(&["health", &address])).await.unwrap();
    assert_eq!(exit_code(&healthy), 0, "{}", stderr(&healthy));
    let address = server.address.to_string();
    assert_eq!(server.stop().ended().await, heel_origin::server::Drain::Complete);
    let gone = tokio::task::spawn_blocking(move || run(&["health", &address])).await.unwrap();
    assert_eq!(exit_code(&gone), 1);
}
