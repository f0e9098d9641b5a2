//! Promises of the program. Broken ones are collected, so that a table is printed whole before the bench stops.

/// What was promised and did not hold.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    kept: usize,
    broken: Vec<String>,
}

impl Promises {
    /// Notes whether a promise held; returns it.
    pub(crate) fn hold(&mut self, holds: bool, promise: &str) -> bool {
        if holds {
            self.kept += 1;
        } else {
            self.broken.push(promise.to_owned());
        }
        holds
    }

    /// Stops the bench where one was broken.
    pub(crate) fn settle(self) {
        println!("\n{} promises kept, {} broken", self.kept, self.broken.len());
        assert!(self.broken.is_empty(), "broken promises:\n- {}", self.broken.join("\n- "));
    }
}

/// Prints a row of a table in Markdown.
pub(crate) fn row<const N: usize>(cells: [&str; N]) {
    println!("| {} |", cells.map(|cell| cell.replace('|', "/").replace('\n', " ")).join(" | "));
}

/// Prints the head of a table.
pub(crate) fn head<const N: usize>(cells: [&str; N]) {
    row(cells);
    row(["---"; N]);
}
