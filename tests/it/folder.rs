//! Folders of knowledge bases that are not whole, though what they hold is sound.

use std::fs;
use std::path::Path;

use heel_origin::knowledge;
use heel_origin::startup::Folder;
use tempfile::TempDir;

use crate::seal::seal;

fn whole() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in knowledge::embedded() {
        let path = folder.path().join(&file.name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file.text).unwrap();
    }
    seal(folder.path());
    folder
}

/// Why a folder is refused.
fn refusal(folder: &Path) -> String {
    let read = Folder::read(folder).unwrap();
    read.check_whole().unwrap_err().to_string()
}

#[test]
fn red_flags_that_are_cut_or_missing_are_noticed_though_the_rest_is_sound() {
    let folder = whole();
    Folder::read(folder.path()).unwrap().check_whole().unwrap();
    let flags = folder.path().join("rules/red_flags.toml");
    let text = fs::read_to_string(&flags).unwrap();
    let end = text[..text.len() / 2].rfind("\n[[").unwrap();
    fs::write(&flags, &text[..end]).unwrap();
    heel_origin::rules::load(&Folder::read(folder.path()).unwrap().files).unwrap();
    let said = refusal(folder.path());
    assert!(said.contains("rules/red_flags.toml is changed or incomplete"), "{said}");
    assert!(said.contains("sha256sum"), "the remedy: {said}");
    fs::remove_file(&flags).unwrap();
    assert!(refusal(folder.path()).contains("rules/red_flags.toml is missing"));
    fs::write(&flags, &text).unwrap();
    Folder::read(folder.path()).unwrap().check_whole().unwrap();
}

#[test]
fn a_file_that_nobody_wrote_down_is_refused() {
    let folder = whole();
    fs::write(folder.path().join("findings/more.toml"), "").unwrap();
    assert!(refusal(folder.path()).contains("findings/more.toml is not listed"));
}

#[test]
fn a_folder_without_checksums_is_refused() {
    let folder = whole();
    fs::remove_file(folder.path().join("SHA256SUMS")).unwrap();
    assert!(refusal(folder.path()).contains("there is no SHA256SUMS"));
    fs::write(folder.path().join("SHA256SUMS"), "").unwrap();
    assert!(refusal(folder.path()).contains("model.toml is not listed"));
}

#[test]
fn every_form_that_sha256sum_writes_is_read() {
    let folder = whole();
    let sums = folder.path().join("SHA256SUMS");
    let text = fs::read_to_string(&sums).unwrap();
    for mark in ["  ./", " *", " *./"] {
        fs::write(&sums, text.replace("  ", mark)).unwrap();
        Folder::read(folder.path()).unwrap().check_whole().unwrap();
    }
}
