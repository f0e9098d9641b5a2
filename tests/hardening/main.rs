//! What a hospital's network does to a server, with real processes on loopback: restarts under load, kills, abuse, callers who may
//! not call, full disks and broken files. Prints the figures and fails where a promise is broken.
//!
//! `cargo bench --bench hardening` runs all of it, `-- rolling abuse` some, `-- quick` with fewer calls.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::cast_precision_loss,
    reason = "prints figures and stops at the first fault"
)]

mod abuse;
mod attack;
mod callers;
mod canary;
mod collector;
mod crowd;
mod disk;
mod elsewhere;
mod faults;
mod fields;
mod figures;
mod forgery;
mod frames;
mod hospital;
#[path = "../it/identity.rs"]
mod identity;
mod known;
mod load;
mod process;
mod promises;
mod proxy;
mod renewal;
mod rolling;
#[path = "../it/seal.rs"]
mod seal;
mod search;
mod shutdown;
mod wire;

/// How much is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// As much as the figures ask for.
    Full,
    /// Enough to see that it works.
    Quick,
}

impl Size {
    /// A number of calls, bodies or connections; a twentieth of it when quick.
    pub(crate) const fn of(self, full: usize) -> usize {
        match self {
            Self::Full => full,
            Self::Quick => full.div_ceil(20),
        }
    }
}

/// A scenario by its name.
type Scenario = (&'static str, fn(Size));

/// All of them.
const SCENARIOS: [Scenario; 6] = [
    ("callers", callers::run),
    ("faults", faults::run),
    ("canary", canary::run),
    ("rolling", rolling::run),
    ("shutdown", shutdown::run),
    ("abuse", abuse::run),
];

fn main() {
    // Cargo adds a flag of its own.
    let asked: Vec<String> =
        std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let size = if asked.iter().any(|word| word == "quick") { Size::Quick } else { Size::Full };
    let named: Vec<&String> = asked.iter().filter(|word| *word != "quick").collect();
    for word in &named {
        assert!(SCENARIOS.iter().any(|(name, _)| name == word), "there is no scenario {word}");
    }
    for (name, scenario) in SCENARIOS {
        if named.is_empty() || named.iter().any(|word| *word == name) {
            println!("\n## {name}\n");
            scenario(size);
        }
    }
}
