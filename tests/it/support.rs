//! The real server on a free port, requests to send and a view of everything logged.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, Once};

use heel_origin::access::{Access, Tokens};
use heel_origin::audit::Audit;
use heel_origin::config::{self, Config, Log, LogFormat, Sources};
use heel_origin::engine::Model;
use heel_origin::grpc::pb::finding::Value;
use heel_origin::grpc::pb::knowledge_service_client::KnowledgeServiceClient;
use heel_origin::grpc::pb::scoring_service_client::ScoringServiceClient;
use heel_origin::grpc::pb::{
    Assessment, Finding, Quantity, ScoreFindingsRequest, ScoreFindingsResponse,
};
use heel_origin::grpc::{Live, Models};
use heel_origin::operations::Parts;
use heel_origin::rules::{self, Rules};
use heel_origin::server::{self, Drain, Listeners, RunError};
use heel_origin::telemetry::Metrics;
use heel_origin::transport::Tls;
use heel_origin::{knowledge, telemetry};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};
use tonic_types::StatusExt as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// The embedded model, calibrated once for all tests.
pub(crate) static MODEL: LazyLock<Arc<Model>> = LazyLock::new(|| calibrated(&RULES));

/// The embedded rules.
pub(crate) static RULES: LazyLock<Arc<Rules>> =
    LazyLock::new(|| Arc::new(rules::load(&knowledge::embedded()).unwrap()));

fn calibrated(rules: &Rules) -> Arc<Model> {
    Arc::new(Model::new(Arc::clone(&rules.knowledge)).unwrap())
}

/// The first version, from its stored files.
pub(crate) static FIRST: LazyLock<Arc<Model>> = LazyLock::new(|| calibrated(&FIRST_RULES));

/// The rules of the first version: it has none.
pub(crate) static FIRST_RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
    let files = heel_origin::startup::Folder::read(Path::new(FIRST_FOLDER)).unwrap().files;
    Arc::new(rules::load(&files).unwrap())
});

/// Folder of the first version.
pub(crate) const FIRST_FOLDER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/replay/2026.11.0/base");

/// The embedded model and, beside it, the first version.
pub(crate) fn two_models() -> Models {
    let mut models = Models::new(Arc::clone(&MODEL), Arc::clone(&RULES), "primary_care").unwrap();
    models.add(Arc::clone(&FIRST), Arc::clone(&FIRST_RULES), "primary_care").unwrap();
    models
}

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) parts: Parts,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<Drain, RunError>>,
}

impl TestServer {
    /// With the default configuration and no lame-duck time.
    pub(crate) async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With other values for some configuration keys.
    pub(crate) async fn with(settings: &[(&'static str, &str)]) -> Self {
        let config = configuration(settings);
        let models =
            Models::new(Arc::clone(&MODEL), Arc::clone(&RULES), &config.default_setting).unwrap();
        Self::serving(config, models).await
    }

    /// With a configuration file.
    pub(crate) async fn with_file(file: &Path) -> Self {
        let config = configured(Some(file.to_owned()), &[]);
        let models =
            Models::new(Arc::clone(&MODEL), Arc::clone(&RULES), &config.default_setting).unwrap();
        Self::serving(config, models).await
    }

    /// With the embedded model and the first version.
    pub(crate) async fn with_two_models() -> Self {
        Self::serving(configuration(&[]), two_models()).await
    }

    /// With one other knowledge base.
    pub(crate) async fn with_rules(rules: Rules) -> Self {
        let models = Models::new(calibrated(&rules), Arc::new(rules), "primary_care").unwrap();
        Self::serving(configuration(&[]), models).await
    }

    async fn serving(config: Config, models: Models) -> Self {
        capture_logs();
        let listeners = Listeners::bind(&config).await.unwrap();
        let address = listeners.public.local_addr().unwrap();
        let admin = listeners.admin.as_ref().map(|admin| admin.local_addr().unwrap());
        let parts = Parts {
            live: Arc::new(Live::new(models)),
            tls: config.tls.clone().map(|files| Arc::new(Tls::load(files).unwrap())),
            access: access(&config),
            audit: config.audit.as_ref().map(|files| Audit::open(files).unwrap()),
            metrics: Metrics::new(),
        };
        let shared = parts.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let shutdown = async { stopped.await.unwrap_or_default() };
            server::run(&config, listeners, parts, shutdown).await
        });
        Self { address, admin, parts: shared, stop, serving }
    }

    pub(crate) async fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn scoring(&self) -> ScoringServiceClient<Channel> {
        ScoringServiceClient::new(self.channel().await)
    }

    pub(crate) async fn knowledge(&self) -> KnowledgeServiceClient<Channel> {
        KnowledgeServiceClient::new(self.channel().await)
    }

    /// Scores one request over a new connection.
    pub(crate) async fn score(
        &self,
        request: ScoreFindingsRequest,
    ) -> Result<ScoreFindingsResponse, Status> {
        self.scoring().await.score_findings(request).await.map(tonic::Response::into_inner)
    }

    /// Asks the server to end; what it does next is seen through [`Stopping::ended`].
    pub(crate) fn stop(self) -> Stopping {
        self.stop.send(()).unwrap();
        Stopping { serving: self.serving }
    }
}

/// A server that was asked to end.
pub(crate) struct Stopping {
    serving: JoinHandle<Result<Drain, RunError>>,
}

impl Stopping {
    pub(crate) async fn ended(self) -> Drain {
        self.serving.await.unwrap().unwrap()
    }
}

/// The table of callers as the program makes it.
fn access(config: &Config) -> Option<Arc<Access>> {
    let tokens = config.tokens.clone().map(|file| Tokens::load(file).unwrap());
    (!config.callers.is_empty()).then(|| Arc::new(Access::new(config.callers.clone(), tokens)))
}

fn configuration(settings: &[(&'static str, &str)]) -> Config {
    configured(None, settings)
}

fn configured(file: Option<PathBuf>, settings: &[(&'static str, &str)]) -> Config {
    let mut flags: BTreeMap<&'static str, String> =
        [("server.listen", "127.0.0.1:0".into()), ("server.lame_duck_ms", "0".into())].into();
    flags.extend(settings.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let flags = flags.into_iter().collect();
    let sources = Sources { file, flags, ..Sources::default() };
    config::load(&sources).unwrap().config
}

/// A yes/no finding.
pub(crate) fn yes_no(id: &str, present: bool) -> Finding {
    Finding { id: id.into(), value: Some(Value::Present(present)), ..Finding::default() }
}

/// A measured finding.
pub(crate) fn measured(id: &str, value: f64, unit: &str) -> Finding {
    let quantity = Quantity { value, unit: unit.into() };
    Finding { id: id.into(), value: Some(Value::Quantity(quantity)), ..Finding::default() }
}

/// A request with these findings and nothing else.
pub(crate) fn request(findings: Vec<Finding>) -> ScoreFindingsRequest {
    let assessment = Assessment { findings, ..Assessment::default() };
    ScoreFindingsRequest { assessment: Some(assessment), options: None }
}

/// Field and reason of every violation a status lists.
pub(crate) fn violations(status: &Status) -> Vec<(String, String)> {
    let listed =
        status.get_details_bad_request().map_or_else(Vec::new, |details| details.field_violations);
    listed.into_iter().map(|violation| (violation.field, violation.reason)).collect()
}

/// Everything logged so far by all tests, at the most talkative level.
pub(crate) fn logs() -> String {
    String::from_utf8(LOGS.0.lock().unwrap().clone()).unwrap()
}

/// Captures what is logged from now on.
pub(crate) fn capture_logs() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let log = Log { format: LogFormat::Json, level: LevelFilter::TRACE };
        let subscriber = telemetry::subscriber(log, LOGS.clone());
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

static LOGS: LazyLock<Lines> = LazyLock::new(Lines::default);

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'writer> MakeWriter<'writer> for Lines {
    type Writer = Self;

    fn make_writer(&'writer self) -> Self {
        self.clone()
    }
}
