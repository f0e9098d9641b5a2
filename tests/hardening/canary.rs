//! Nothing that is sent stands in anything that is put out: every field of every request, headers, paths, names of certificates and
//! tokens carry words and numbers that nothing else has, and everything the program writes is searched for them.

use std::collections::BTreeSet;
use std::fs;

use heel_origin::grpc::pb::knowledge_service_client::KnowledgeServiceClient;
use heel_origin::grpc::pb::{
    FindingDefinition, ListConditionsRequest, ListFindingsRequest, ListRedFlagsRequest,
};
use prost::Message as _;
use tokio::runtime::Runtime;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use crate::Size;
use crate::collector::Collector;
use crate::fields::{Method, Path, methods, name, plant, sound, torn, values};
use crate::figures::page;
use crate::hospital::Hospital;
use crate::identity::claims;
use crate::process::Server;
use crate::promises::{Promises, head, row};
use crate::search::{Hits, Search};
use crate::wire::{call, framed};
use crate::{elsewhere, known};

/// Key of the audit log, which nothing may show.
const AUDIT_KEY: &str = "audit-key-that-nobody-may-ever-see-4711";

pub(crate) fn run(size: Size) {
    let mut promises = Promises::default();
    let runs = if size == Size::Full { 2 } else { 1 };
    for (format, is_encrypted) in [("human", true), ("json", false)].into_iter().take(runs) {
        let runtime = Runtime::new().unwrap();
        runtime.block_on(watch(&mut promises, format, is_encrypted));
    }
    promises.settle();
}

/// A server that is watched, and what it said to callers.
pub(crate) struct Watched {
    pub(crate) hospital: Hospital,
    pub(crate) server: Server,
    pub(crate) channel: Channel,
    collector: Collector,
    /// Of a caller who may do everything.
    pub(crate) token: String,
    pub(crate) sent: usize,
    pub(crate) refused: usize,
    /// Words, details and headers of refusals.
    pub(crate) errors: String,
    /// Bodies of answers that repeat nothing by contract.
    pub(crate) bodies: Vec<u8>,
    /// Answers in anything but gRPC.
    pub(crate) others: Vec<u8>,
}

async fn watch(promises: &mut Promises, format: &str, is_encrypted: bool) {
    let mut watched = Watched::start(format, is_encrypted).await;
    let (ids, definitions) = known_ids(&watched).await;
    let methods = methods();
    let mut fields = BTreeSet::new();
    for method in &methods {
        for (number, path) in method.fields.iter().enumerate() {
            fields.insert(format!("{} {}", method.path, name(path)));
            watched.field(method, path, number).await;
        }
        watched.whole(method).await;
    }
    let (planted, planted_refused) = (watched.sent, watched.refused);
    known::send(&mut watched, &definitions).await;
    let (with_ids, ids_refused) = (watched.sent - planted, watched.refused - planted_refused);
    elsewhere::send(&mut watched, is_encrypted).await;
    let (sent, refused) = (watched.sent, watched.refused);
    println!(
        "\nlog {format} at trace, {}, audit log, traces\n",
        if is_encrypted { "TLS" } else { "plaintext" }
    );
    println!(
        "{} methods, {} fields planted in {planted} requests, {planted_refused} refused",
        methods.len(),
        fields.len()
    );
    println!("{} known ids sent in {with_ids} requests, {ids_refused} refused", ids.len());
    println!("{sent} requests in all, {refused} refused\n");
    promises.hold(methods.len() >= 12 && fields.len() >= 70, "every method and field was found");
    watched.searched(promises, format, &ids).await;
}

/// Ids that tell of a patient where they stand in a log: of findings, conditions and red flags.
async fn known_ids(watched: &Watched) -> (Vec<String>, Vec<FindingDefinition>) {
    let token = format!("Bearer {}", watched.token);
    let show = move |mut request: Request<()>| -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", token.parse().unwrap());
        Ok(request)
    };
    let mut client =
        KnowledgeServiceClient::new(InterceptedService::new(watched.channel.clone(), show))
            .max_decoding_message_size(usize::MAX);
    let mut findings: Vec<FindingDefinition> = Vec::new();
    let mut asked = ListFindingsRequest { page_size: 500, ..ListFindingsRequest::default() };
    loop {
        let page = client.list_findings(asked.clone()).await.unwrap().into_inner();
        findings.extend(page.findings);
        asked.page_token = page.next_page_token;
        if asked.page_token.is_empty() {
            break;
        }
    }
    let asked = ListConditionsRequest { page_size: 500, ..ListConditionsRequest::default() };
    let conditions = client.list_conditions(asked).await.unwrap().into_inner().conditions;
    let asked = ListRedFlagsRequest { page_size: 500, ..ListRedFlagsRequest::default() };
    let flags = client.list_red_flags(asked).await.unwrap().into_inner().red_flags;
    let ids = findings.iter().map(|own| own.id.clone());
    let ids = ids.chain(conditions.into_iter().map(|own| own.id));
    (ids.chain(flags.into_iter().map(|own| own.id)).collect(), findings)
}

impl Watched {
    async fn start(format: &str, is_encrypted: bool) -> Self {
        let (hospital, collector) = (Hospital::new(), Collector::start().await);
        let key = hospital.files.write("audit.key", AUDIT_KEY);
        let (log, collects) = (hospital.path("audit.log"), collector.address);
        let tls = if is_encrypted { hospital.tls("allowed") } else { String::new() };
        let server = Server::start(&format!(
            "{}log.level = \"trace\"\nlog.format = \"{format}\"\naudit.log = \"{log}\"\naudit.key = \"{key}\"\n\
             traces.endpoint = \"http://{collects}\"\n{tls}{}",
            Hospital::ports(),
            hospital.access(is_encrypted),
        ));
        let channel = if is_encrypted {
            hospital.connect(server.address, None).await.unwrap()
        } else {
            Endpoint::from_shared(format!("http://{}", server.address))
                .unwrap()
                .connect()
                .await
                .unwrap()
        };
        let token = hospital.signer.sign(&claims("chief"));
        Self {
            hospital,
            server,
            channel,
            collector,
            token,
            sent: 0,
            refused: 0,
            errors: String::new(),
            bodies: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Sends a body and keeps what comes back. `echoes`: the body of the answer may repeat the id of the assessment.
    pub(crate) async fn send(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
        echoes: bool,
    ) {
        let token = format!("Bearer {}", self.token);
        let own = headers.iter().any(|(name, _)| *name == "authorization");
        let mut headers = headers.to_vec();
        if !own {
            headers.push(("authorization", &token));
        }
        self.sent += 1;
        match call(&self.channel, path, &headers, body).await {
            Ok(answer) => {
                let details = String::from_utf8_lossy(&answer.details);
                self.errors += &[&answer.headers, &answer.message, "\n", &details, "\n"].concat();
                self.refused += usize::from(answer.code != Code::Ok);
                if !echoes {
                    self.bodies.extend_from_slice(&answer.body);
                }
            }
            Err(words) => {
                self.refused += 1;
                self.errors += &words;
                self.errors.push('\n');
            }
        }
    }

    /// A message, and before it a sound one where the method takes many.
    async fn message(&mut self, method: &Method, message: &[u8], echoes: bool) {
        let before = if method.is_stream {
            framed(&sound(&method.request).encode_to_vec())
        } else {
            Vec::new()
        };
        self.send(&method.path, &[], [before, framed(message)].concat(), echoes).await;
    }

    /// One field: alone, in a sound request, cut off, and with bytes that are no text.
    async fn field(&mut self, method: &Method, path: &Path, number: usize) {
        let echoes = name(path).ends_with("assessment_id");
        for value in values(path.last().unwrap(), number) {
            let mut alone = prost_reflect::DynamicMessage::new(method.request.clone());
            plant(&mut alone, path, value.clone());
            let mut within = sound(&method.request);
            plant(&mut within, path, value);
            let (alone, whole) = (alone.encode_to_vec(), within.encode_to_vec());
            let cut = whole[..whole.len() - whole.len().min(3)].to_vec();
            for bytes in [Some(alone), Some(whole), Some(cut), torn(&within)].into_iter().flatten()
            {
                self.message(method, &bytes, echoes).await;
            }
        }
    }

    /// All fields at once, fields nobody knows, and frames that are none.
    async fn whole(&mut self, method: &Method) {
        let mut all = sound(&method.request);
        for (number, path) in method.fields.iter().enumerate() {
            let value = values(path.last().unwrap(), number).swap_remove(0);
            plant(&mut all, path, value);
        }
        let all = all.encode_to_vec();
        self.message(method, &all, true).await;
        // Field 2047, a word.
        let unknown = [&all[..], &[0xfa, 0x7f, 12], b"cnry8000more"].concat();
        self.message(method, &unknown, true).await;
        let framed = framed(&all);
        let (mut squeezed, mut longer) = (framed.clone(), framed.clone());
        squeezed[0] = 1;
        longer[4] = longer[4].wrapping_add(7);
        let huge = crate::wire::framed(&b"cnry8001".repeat(10_000));
        for body in [squeezed, longer, huge, all, b"cnry8002".to_vec(), Vec::new()] {
            self.send(&method.path, &[], body, true).await;
        }
    }

    /// Ends the server and searches everything it wrote and said.
    async fn searched(mut self, promises: &mut Promises, format: &str, ids: &[String]) {
        let metrics = page(self.server.admin, "/metrics");
        self.server.signal("TERM");
        self.server.ended();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let audit = fs::read_to_string(self.hospital.path("audit.log")).unwrap();
        let traces = self.collector.take();
        let search = self.search(ids);
        let known = "Y25yeTAx slump_test x=97, 73.9123456 0.7391234 CNRY0001";
        let found = search.text(known).by_name.len();
        promises.hold(found == 7, &format!("the search finds what it looks for: {found} of 7"));
        head(["output", "bytes searched", "hits"]);
        let mut tell = |output: &str, bytes: usize, hits: Hits| {
            let found = format!("{} {:?}", hits.count(), hits.by_name);
            row([output, &bytes.to_string(), if hits.count() == 0 { "0" } else { &found }]);
            let promise = format!("{format}: nothing that was sent stands in {output}: {found}");
            promises.hold(hits.count() == 0, &format!("{promise} {:#?}", hits.lines));
        };
        // What the program prints before anybody calls holds an example.
        let output = self.server.output();
        let output: String = output.lines().filter(|line| !line.starts_with("grpcurl ")).collect();
        tell("standard output", output.len(), search.text(&output));
        let log = self.server.log();
        tell("log", log.len(), search.text(&log));
        tell("audit log", audit.len(), search.text(&audit));
        tell("metrics", metrics.len(), search.text(&without_counts(&metrics)));
        tell("traces, as bytes", traces.bytes.len(), search.bytes(&traces.bytes));
        tell("traces, span by span", traces.words.len(), search.text(&traces.words));
        let Self { errors, bodies, others, .. } = &self;
        tell("errors: words, details, headers", errors.len(), search.bytes(errors.as_bytes()));
        tell("bodies of answers", bodies.len(), search.words(bodies));
        tell("answers in HTTP/1 and TLS alerts", others.len(), search.bytes(others));
        let answered = log.lines().filter(|line| line.contains("request answered")).count();
        let (lines, spans) = (audit.lines().count(), traces.spans);
        let sizes = format!("{answered} requests logged, {lines} lines audited, {spans} spans");
        let named = Search::new(&[], ids).text(errors).by_name.len();
        println!("\n{sizes}\nexceptions by contract: x-request-id where well-formed, ids of");
        println!(
            "traceparent, assessment_id in answers, known ids in remedies of errors ({named})"
        );
        let is_seen = [answered * 2, spans * 2, lines * 3].iter().all(|count| self.sent < *count);
        let promise =
            format!("{format}: what was searched is the record of what was sent: {sizes}");
        promises.hold(is_seen, &promise);
    }

    /// For all that was planted, and for secrets of the server and of its caller.
    fn search(&self, ids: &[String]) -> Search {
        let key = fs::read_to_string(self.hospital.path("server.key")).unwrap();
        let signature = self.token.rsplit('.').next().unwrap();
        let private = key.lines().nth(1).unwrap();
        Search::new(
            &[("audit key", AUDIT_KEY), ("token", signature), ("private key", private)],
            ids,
        )
    }
}

/// Metrics without their values: a count may be any number.
fn without_counts(metrics: &str) -> String {
    let named = metrics.lines().filter_map(|line| line.rsplit_once(' '));
    named.map(|(name, _)| name).collect::<Vec<_>>().join("\n")
}
