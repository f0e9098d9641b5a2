//! Writes down what belongs to a folder of a knowledge base, as the README tells those who change one.

use std::path::Path;
use std::process::Command;

pub(crate) fn seal(folder: &Path) {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("find * -name '*.toml' -exec sha256sum {} + > SHA256SUMS");
    assert!(shell.current_dir(folder).status().unwrap().success(), "sha256sum");
}
