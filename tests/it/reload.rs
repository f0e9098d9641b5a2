//! Files that change while the server runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use heel_origin::config::{self, Config, Sources};
use heel_origin::operations::{Parts, Reload};
use heel_origin::startup;
use tempfile::TempDir;

use crate::seal::seal;

const BASE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/knowledge/base");

/// A knowledge base of its own and what serves by it.
struct Reloaded {
    folder: TempDir,
    parts: Parts,
}

impl Reloaded {
    /// Looks at the files every few milliseconds.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in startup::Folder::read(Path::new(BASE)).unwrap().files {
            let path = folder.path().join(&file.name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file.text).unwrap();
        }
        seal(folder.path());
        let config = configuration(folder.path());
        let parts = startup::load_parts(&config).unwrap();
        let reload = Reload::new(parts.clone(), startup::changed_models(&config));
        tokio::spawn(reload.run(Some(Duration::from_millis(20))));
        Self { folder, parts }
    }

    fn model_card(&self) -> PathBuf {
        self.folder.path().join("model.toml")
    }

    fn version(&self) -> String {
        self.parts.live.now().default_version().to_owned()
    }

    /// Waits until a line of the metrics is there.
    async fn told(&self, line: &str) {
        for _ in 0..2_000 {
            if self.parts.metrics.text().unwrap().contains(line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no {line} in\n{}", self.parts.metrics.text().unwrap());
    }
}

fn configuration(folder: &Path) -> Config {
    let folder = folder.to_str().unwrap().to_owned();
    let sources = Sources { flags: vec![("knowledge.folder", folder)], ..Sources::default() };
    config::load(&sources).unwrap().config
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_knowledge_base_answers_and_a_faulty_one_does_not() {
    let reloaded = Reloaded::start();
    let card = fs::read_to_string(reloaded.model_card()).unwrap();
    let first = reloaded.version();
    let begun = reloaded.parts.live.now();
    // Half of the file, as a copy that is still under way leaves it.
    fs::write(reloaded.model_card(), &card[..card.len() / 2]).unwrap();
    reloaded.told("heelorigin_reloads_total{what=\"knowledge\",outcome=\"failure\"} 1\n").await;
    assert_eq!(reloaded.version(), first);
    let later = card.replace(&format!("\"{first}\""), "\"2026.99.1\"");
    fs::write(reloaded.model_card(), later).unwrap();
    seal(reloaded.folder.path());
    reloaded.told("heelorigin_reloads_total{what=\"knowledge\",outcome=\"success\"} 1\n").await;
    assert_eq!(reloaded.version(), "2026.99.1");
    reloaded.told("heelorigin_knowledge_info{version=\"2026.99.1\"").await;
    assert_eq!(begun.default_version(), first, "what began with the old one ends with it");
}
