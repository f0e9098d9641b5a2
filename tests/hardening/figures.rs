//! What the admin port tells.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tokio::time::sleep;

/// How long a figure may take to rise.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer of a path, head included.
pub(crate) fn page(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: admin\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Every figure of `/metrics` by its name with labels.
#[derive(Debug, Clone)]
pub(crate) struct Figures(BTreeMap<String, f64>);

impl Figures {
    pub(crate) fn of(admin: SocketAddr) -> Self {
        let text = page(admin, "/metrics");
        let figures = text.lines().filter(|line| line.starts_with("heelorigin_"));
        let figures = figures.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(figures.collect())
    }

    /// Sum of the figures whose name with labels starts so.
    pub(crate) fn sum(&self, start: &str) -> f64 {
        self.0.iter().filter(|(name, _)| name.starts_with(start)).map(|(_, value)| value).sum()
    }

    /// The figures whose name starts so and that are higher than before, as `name{labels} +1`.
    pub(crate) fn risen(&self, before: &Self, start: &str) -> Vec<String> {
        let own = self.0.iter().filter(|(name, _)| name.starts_with(start));
        let by = own.map(|(name, value)| (name, value - before.0.get(name).unwrap_or(&0.0)));
        by.filter(|(_, by)| *by > 0.0).map(|(name, by)| format!("{name} +{by}")).collect()
    }
}

/// Waits until the sum of some figures is above a number; whether it came to that.
pub(crate) async fn rises_above(admin: SocketAddr, start: &str, number: f64) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if Figures::of(admin).sum(start) > number {
            return true;
        }
        sleep(Duration::from_millis(20)).await;
    }
    false
}
