//! Configuration: layers, faults and the documented example.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use heel_origin::config::{self, Config, LogFormat, RawConfig, Sources};
use heel_origin::startup;

use crate::support::FIRST_FOLDER;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config.example.toml")
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn from_variables(pairs: &[(&str, &str)]) -> Sources {
    Sources { variables: variables(pairs), ..Sources::default() }
}

fn fault(sources: &Sources) -> String {
    config::load(sources).unwrap_err().to_string()
}

#[test]
fn the_example_holds_every_key_with_its_default() {
    let text = std::fs::read_to_string(example()).unwrap();
    let written: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(written, toml::Table::try_from(RawConfig::default()).unwrap());
    let loaded = config::load(&Sources { file: Some(example()), ..Sources::default() }).unwrap();
    assert_eq!(loaded, config::load(&Sources::default()).unwrap());
}

#[test]
fn every_key_of_the_example_has_a_comment() {
    let text = std::fs::read_to_string(example()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (before, line) in lines.iter().zip(lines.iter().skip(1)) {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with("# "), "{line}");
        }
    }
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heel-origin.toml");
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nqueue = 1\nworkers = 1\n";
    std::fs::write(&file, text).unwrap();
    let sources = Sources {
        file: Some(file),
        variables: variables(&[
            ("HEELORIGIN__SERVER__LISTEN", "127.0.0.1:2"),
            ("HEELORIGIN__SERVER__QUEUE", "2"),
            ("HEELORIGIN__LOG__FORMAT", "json"),
        ]),
        flags: vec![("server.listen", "127.0.0.1:3".into())],
    };
    let config = config::load(&sources).unwrap().config;
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!((config.server.queue, config.server.workers), (2, 1));
    assert_eq!(config.log.format, LogFormat::Json);
}

#[test]
fn an_unknown_key_is_named() {
    for variable in ["HEELORIGIN__SERVER__LISTN", "HEELORIGIN__SERVR__LISTEN", "HEELORIGIN__X"] {
        let fault = fault(&from_variables(&[(variable, "1")]));
        let key = variable.rsplit("__").next().unwrap().to_lowercase();
        let section = variable.split("__").nth(1).unwrap().to_lowercase();
        assert!(fault.contains(&key) || fault.contains(&section), "{fault}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heel-origin.toml");
    std::fs::write(&file, "[server]\nlistn = \"127.0.0.1:1\"\n").unwrap();
    let fault = fault(&Sources { file: Some(file), ..Sources::default() });
    assert!(fault.contains("listn"), "{fault}");
}

#[test]
fn every_value_that_is_not_accepted_is_named_at_once() {
    let fault = fault(&from_variables(&[
        ("HEELORIGIN__SERVER__LISTEN", "somewhere"),
        ("HEELORIGIN__SERVER__REQUEST_TIMEOUT_MS", "0"),
        ("HEELORIGIN__SERVER__MAX_CONNECTION_AGE_MS", "1"),
        ("HEELORIGIN__SERVER__QUEUE", "70000"),
        ("HEELORIGIN__LOG__FORMAT", "pretty"),
        ("HEELORIGIN__LOG__LEVEL", "loud"),
        ("HEELORIGIN__SCORING__DEFAULT_SETTING", ""),
    ]));
    for key in [
        "server.listen",
        "server.request_timeout_ms",
        "server.max_connection_age_ms",
        "server.queue",
        "log.format",
        "log.level",
        "scoring.default_setting",
    ] {
        assert!(fault.contains(&format!("{key}: ")), "{key} is not in {fault}");
    }
}

#[test]
fn a_value_of_another_type_and_a_missing_file_are_faults() {
    let typed = fault(&from_variables(&[("HEELORIGIN__SERVER__QUEUE", "many")]));
    assert!(typed.contains("queue"), "{typed}");
    let missing = Sources { file: Some("/no/such/file.toml".into()), ..Sources::default() };
    assert!(fault(&missing).contains("file.toml"));
}

#[test]
fn plaintext_beyond_loopback_has_to_be_allowed() {
    let open = ("HEELORIGIN__SERVER__LISTEN", "0.0.0.0:50051");
    let refused = fault(&from_variables(&[open]));
    assert!(refused.contains("server.allow_plaintext_beyond_loopback = true"), "{refused}");
    let allowed = ("HEELORIGIN__SERVER__ALLOW_PLAINTEXT_BEYOND_LOOPBACK", "true");
    config::load(&from_variables(&[open, allowed])).unwrap();
    config::load(&from_variables(&[("HEELORIGIN__SERVER__LISTEN", "[::1]:0")])).unwrap();
}

#[test]
fn a_variable_that_looks_like_ours_and_is_not_read_gives_a_warning() {
    let sources = from_variables(&[("HEELORIGIN_SERVER_LISTEN", "127.0.0.1:9"), ("PATH", "/bin")]);
    let loaded = config::load(&sources).unwrap();
    assert_eq!(loaded.config.server.listen.port(), 50_051);
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings.first().unwrap().contains("HEELORIGIN_SERVER_LISTEN"));
}

#[test]
fn an_empty_folder_means_the_embedded_knowledge_base() {
    assert_eq!(config::load(&Sources::default()).unwrap().config.knowledge_folder, None);
    let named = from_variables(&[("HEELORIGIN__KNOWLEDGE__FOLDER", "/srv/knowledge")]);
    let config = config::load(&named).unwrap().config;
    assert_eq!(config.knowledge_folder.as_deref(), Some(Path::new("/srv/knowledge")));
}

#[test]
fn further_folders_are_a_list_in_a_file_and_separated_by_commas_in_a_variable() {
    let variable = ("HEELORIGIN__KNOWLEDGE__MORE", "/srv/a,/srv/b");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heel-origin.toml");
    std::fs::write(&file, "[knowledge]\nmore = [\"/srv/a\", \"/srv/b\"]\n").unwrap();
    let from_file = Sources { file: Some(file), ..Sources::default() };
    for sources in [from_variables(&[variable]), from_file] {
        let more = config::load(&sources).unwrap().config.more_knowledge;
        assert_eq!(more, [Path::new("/srv/a"), Path::new("/srv/b")]);
    }
    let empty = from_variables(&[("HEELORIGIN__KNOWLEDGE__MORE", "")]);
    assert!(config::load(&empty).unwrap().config.more_knowledge.is_empty());
}

#[test]
fn two_knowledge_bases_of_one_version_are_refused_by_name() {
    let load = |more: &[&str]| {
        let more_knowledge = more.iter().map(PathBuf::from).collect();
        let config = config::load(&Sources::default()).unwrap().config;
        startup::load_models(&Config { more_knowledge, ..config })
    };
    load(&[FIRST_FOLDER]).unwrap();
    let fault = load(&[FIRST_FOLDER, FIRST_FOLDER]).unwrap_err().to_string();
    assert_eq!(fault.matches(FIRST_FOLDER).count(), 2, "{fault}");
    let fault = load(&["/no/such/folder"]).unwrap_err().to_string();
    assert!(fault.contains("/no/such/folder"), "{fault}");
}
