//! Three replicas behind a proxy are restarted one after another under load, again and again.

use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::Size;
use crate::figures::{Figures, rises_above};
use crate::load::{self, Tally};
use crate::process::Server;
use crate::promises::{Promises, head, row};
use crate::proxy::{Place, Proxy, free_ports};

/// Calls through each proxy, at least.
const CALLS: usize = 20_000;
/// Callers, each with a connection of its own.
const CALLERS: usize = 12;
/// Calls that a new replica has answered before the next one is restarted.
const WARM: f64 = 50.0;
const ANSWERED: &str = "heelorigin_requests_total";

pub(crate) fn run(size: Size) {
    let mut promises = Promises::default();
    head(["proxy", "restarts", "calls answered", "failed", "median", "p99", "longest"]);
    for (name, start) in
        [("haproxy", Proxy::haproxy as fn(&[Place]) -> Proxy), ("nginx", Proxy::nginx)]
    {
        rolled(&mut promises, name, start, size.of(CALLS));
    }
    promises.settle();
}

fn replica(place: Place) -> Server {
    Server::start(&format!(
        "server.listen = \"{}\"\nadmin.listen = \"{}\"\nserver.lame_duck_ms = 1000\nlog.level = \"warn\"\n",
        place.address, place.admin
    ))
}

fn rolled(promises: &mut Promises, name: &str, start: impl Fn(&[Place]) -> Proxy, calls: usize) {
    let ports: [_; 6] = free_ports();
    let places: Vec<Place> =
        ports.chunks(2).map(|pair| Place { address: pair[0], admin: pair[1] }).collect();
    let mut replicas: Vec<Server> = places.iter().map(|place| replica(*place)).collect();
    let proxy = start(&places);
    let runtime = Runtime::new().unwrap();
    let stop = CancellationToken::new();
    let channels = (0..CALLERS).map(|_| runtime.block_on(channel(&proxy))).collect();
    let callers = runtime.spawn(load::load(channels, stop.clone()));
    let (mut restarts, mut answered) = (0, 0.0);
    while restarts < 2 * places.len() || answered < calls as f64 {
        let turn = restarts % places.len();
        // A replica counts its own calls; those since this look are not in the sum, so that it is rather too small.
        answered += Figures::of(replicas[turn].admin).sum(ANSWERED);
        let old = &mut replicas[turn];
        old.signal("TERM");
        let ended = old.ended();
        promises.hold(ended.success(), &format!("{name}: a replica ends in order: {ended}"));
        replicas[turn] = replica(places[turn]);
        restarts += 1;
        let is_asked = runtime.block_on(rises_above(replicas[turn].admin, ANSWERED, WARM));
        promises.hold(is_asked, &format!("{name}: a new replica is asked"));
    }
    stop.cancel();
    let mut tally = runtime.block_on(callers).unwrap();
    told(promises, name, restarts, calls, &mut tally);
}

async fn channel(proxy: &Proxy) -> Channel {
    Endpoint::from_shared(format!("http://{}", proxy.address)).unwrap().connect().await.unwrap()
}

fn told(promises: &mut Promises, name: &str, restarts: usize, calls: usize, tally: &mut Tally) {
    let milliseconds = |took: Duration| format!("{} ms", took.as_millis());
    let quantiles = [0.5, 0.99, 1.0].map(|share| milliseconds(tally.quantile(share)));
    row([
        name,
        &restarts.to_string(),
        &tally.took.len().to_string(),
        &tally.failures().to_string(),
        &quantiles[0],
        &quantiles[1],
        &quantiles[2],
    ]);
    promises.hold(tally.failures() == 0, &format!("{name}: no call fails: {:?}", tally.failed));
    let answered = tally.took.len();
    promises.hold(calls <= answered, &format!("{name}: {calls} calls, were {answered}"));
}
