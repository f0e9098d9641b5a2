//! Abuse: what it does to the server's memory and to those who call it meanwhile.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

use crate::attack::{self, Met};
use crate::load::{self, Tally};
use crate::process::Server;
use crate::promises::{Promises, head, row};
use crate::{Size, crowd};

/// Callers who have nothing to do with it, connected before it begins.
const CALLERS: usize = 4;
/// Memory that no abuse may take, in MiB: what connections and calls may hold by their limits, and the program itself.
const MEMORY_MIB: u64 = 256;

type Attack = fn(SocketAddr, Size) -> Pin<Box<dyn Future<Output = Met>>>;

/// An attack as a value.
macro_rules! attacks {
    ($($name:literal: $attack:path),+ $(,)?) => {
        [$(($name, (|address, size| Box::pin($attack(address, size))) as Attack)),+]
    };
}

pub(crate) fn run(size: Size) {
    let mut promises = Promises::default();
    head([
        "abuse",
        "sent",
        "met",
        "memory before, after, most (MiB)",
        "others' calls answered, failed",
        "others' p99, undisturbed and meanwhile (ms)",
        "ratio",
    ]);
    for (name, attack) in attacks![
        "slow-loris": attack::slow_loris,
        "rapid reset (CVE-2023-44487)": attack::rapid_reset,
        "made to reset (CVE-2025-8671)": attack::made_to_reset,
        "ping flood": attack::pings,
        "settings flood": attack::settings,
        "priority flood": attack::priorities,
        "window flood": attack::windows,
        "empty data flood": attack::empty_data,
        "endless headers (CVE-2024-27316)": attack::continuations,
        "header bombs": attack::header_bombs,
        "messages of 100 MiB": attack::great_messages,
        "idle connections": crowd::idle,
        "callers who never read": crowd::slow_readers,
        "random bodies": crowd::random_bodies,
    ] {
        attacked(&mut promises, size, name, attack);
    }
    promises.settle();
}

fn attacked(promises: &mut Promises, size: Size, name: &str, attack: Attack) {
    let mut server = Server::start(
        "server.listen = \"127.0.0.1:0\"\nadmin.listen = \"127.0.0.1:0\"\nserver.first_request_timeout_ms = 3000\nlog.level = \"warn\"\n",
    );
    let runtime = Runtime::new().unwrap();
    let before = server.memory_kib("VmRSS");
    let (met, [mut calm, mut meanwhile, mut after]) =
        runtime.block_on(phases(server.address, size, attack));
    let memory = [before, server.memory_kib("VmRSS"), server.memory_kib("VmHWM")];
    let [_, _, most] = memory.map(|kib| kib / 1024);
    // The median of both calm times, since the machine is shared.
    let [first, loud, second] = [&mut calm, &mut meanwhile, &mut after].map(|t| t.quantile(0.99));
    let quiet = (first + second) / 2;
    let milliseconds = |took: Duration| format!("{:.0}", took.as_secs_f64() * 1000.0);
    row([
        name,
        &met.0,
        &met.1,
        &memory.map(|kib| (kib / 1024).to_string()).join(", "),
        &format!("{}, {}", meanwhile.took.len(), meanwhile.failures()),
        &format!("{}, {}", milliseconds(quiet), milliseconds(loud)),
        &format!("{:.1}", loud.as_secs_f64() / quiet.as_secs_f64()),
    ]);
    let failed = [&calm, &meanwhile, &after].map(|tally| tally.failed.clone());
    promises.hold(
        failed.iter().all(BTreeMap::is_empty),
        &format!("{name}: no other call fails: {failed:?}"),
    );
    promises.hold(!after.took.is_empty(), &format!("{name}: others are answered afterwards"));
    promises.hold(most <= MEMORY_MIB, &format!("{name}: at most {MEMORY_MIB} MiB, were {most}"));
    server.signal("TERM");
    let ended = server.ended();
    promises.hold(ended.success(), &format!("{name}: the server ends in order: {ended}"));
    let log = server.log();
    promises.hold(!log.contains("panic"), &format!("{name}: nothing panics: {log}"));
}

/// Others' calls before the attack, meanwhile and after it.
async fn phases(address: SocketAddr, size: Size, attack: Attack) -> (Met, [Tally; 3]) {
    let mut channels = Vec::new();
    for _ in 0..CALLERS {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        channels.push(endpoint.connect().await.unwrap());
    }
    let rest = Duration::from_secs(if size == Size::Full { 5 } else { 1 });
    let calm = for_a_time(channels.clone(), rest).await;
    let stop = CancellationToken::new();
    let loaded = tokio::spawn(load::load(channels.clone(), stop.clone()));
    let met = attack(address, size).await;
    stop.cancel();
    let meanwhile = loaded.await.unwrap();
    let after = for_a_time(channels, rest).await;
    (met, [calm, meanwhile, after])
}

async fn for_a_time(channels: Vec<Channel>, time: Duration) -> Tally {
    let stop = CancellationToken::new();
    let loaded = tokio::spawn(load::load(channels, stop.clone()));
    tokio::time::sleep(time).await;
    stop.cancel();
    loaded.await.unwrap()
}
