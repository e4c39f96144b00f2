//! Addresses and pages: binds, and routes what is asked for.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path as Part, Query, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::Deserialize;
use tokio::sync::watch;

use crate::access::{Access, guard};
use crate::error::WatchError;
use crate::events::{ListView, RunsView, push};
use crate::folder::{Folder, find};
use crate::stop::Stopper;

/// What stands for itself in no part of an address.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds the runs.
    pub folder: PathBuf,
    /// The address to listen on.
    pub address: IpAddr,
    /// The port; 0 for any that is free.
    pub port: u16,
    /// What a browser has to show. Where others than this machine can connect, one is drawn if it is
    /// missing.
    pub token: Option<String>,
}

impl Options {
    /// The port that is listened on if nothing else is said.
    pub const PORT: u16 = 8765;

    /// Serves `folder` to this machine alone.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { folder: folder.into(), address, port: Self::PORT, token: None }
    }
}

/// What every request may need.
#[derive(Debug, Clone)]
struct Served {
    path: PathBuf,
    folder: Arc<Mutex<Folder>>,
    stopper: Arc<Stopper>,
    ending: Ending,
}

/// Becomes true when the server is to end, or is left without its other end.
pub(crate) type Ending = watch::Receiver<bool>;

/// Serves until the process ends. `ready` is told the address for a browser, its token in it.
///
/// Installs no handler of signals: Ctrl-C ends the process at once, or does what it does elsewhere in it.
pub fn serve(options: &Options, ready: impl FnOnce(&str)) -> Result<(), WatchError> {
    let (_never, ending) = watch::channel(false);
    let server = Server::bind(options, ending)?;
    ready(&server.url);
    server.run()
}

/// A server beside what else this process does.
#[derive(Debug)]
pub struct Background {
    url: String,
    end: watch::Sender<bool>,
    ended: mpsc::Receiver<Result<(), WatchError>>,
}

impl Background {
    /// How long open pages may take to hear of the end.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// Serves on a thread of its own.
    pub fn start(options: &Options) -> Result<Self, WatchError> {
        let (end, ending) = watch::channel(false);
        let server = Server::bind(options, ending)?;
        let url = server.url.clone();
        let (tell, ended) = mpsc::channel();
        // Nobody hears it who no longer waits.
        let run = move || drop(tell.send(server.run()));
        thread::Builder::new().name("watch".to_owned()).spawn(run).map_err(WatchError::Server)?;
        Ok(Self { url, end, ended })
    }

    /// The page of the run called `name`, as a browser takes it.
    pub fn url_of_run(&self, name: &str) -> String {
        let name = percent_encoding::utf8_percent_encode(name, ESCAPED);
        match self.url.split_once('?') {
            Some((server, token)) => format!("{server}runs?names={name}&{token}"),
            None => format!("{}runs?names={name}", self.url),
        }
    }

    /// Tells open pages how the runs stand and that this was all, and serves no more.
    pub fn end(self) -> Result<(), WatchError> {
        self.end.send_replace(true);
        self.ended.recv_timeout(Self::PATIENCE).unwrap_or(Ok(()))
    }
}

/// Listens, and is yet to answer.
struct Server {
    url: String,
    listener: TcpListener,
    router: Router,
    ending: Ending,
}

impl Server {
    fn bind(options: &Options, ending: Ending) -> Result<Self, WatchError> {
        let path = readable_folder(&options.folder)?;
        converge_report::chart_library()?;
        let address = SocketAddr::new(options.address, options.port);
        let listener = TcpListener::bind(address).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => WatchError::InUse(address),
            _ => WatchError::Listen { address, error },
        })?;
        let bound = listener
            .local_addr()
            .and_then(|bound| listener.set_nonblocking(true).map(|()| bound))
            .map_err(|error| WatchError::Listen { address, error })?;
        let access = Access::new(bound, options.token.as_deref())?;
        let url = access.url(bound);
        let served = Served {
            folder: Arc::new(Mutex::new(Folder::new(&path))),
            path,
            stopper: Arc::new(Stopper::default()),
            ending: ending.clone(),
        };
        let router = routes().with_state(served).layer(from_fn_with_state(Arc::new(access), guard));
        Ok(Self { url, listener, router, ending })
    }

    fn run(self) -> Result<(), WatchError> {
        let Self { listener, router, mut ending, .. } = self;
        // One thread is enough to serve; files are read on others.
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
        let served = runtime.and_then(|runtime| {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                let end = async move { drop(ending.wait_for(|&ending| ending).await) };
                axum::serve(listener, router).with_graceful_shutdown(end).await
            })
        });
        served.map_err(WatchError::Server)
    }
}

fn readable_folder(path: &Path) -> Result<PathBuf, WatchError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => WatchError::NoFolder(path.to_owned()),
        io::ErrorKind::NotADirectory => WatchError::NotAFolder(path.to_owned()),
        _ => WatchError::Unreadable { path: path.to_owned(), error },
    };
    fs::read_dir(path).map_err(unreadable)?;
    path.canonicalize().map_err(unreadable)
}

fn routes() -> Router<Served> {
    let script = |text: &'static str| get(move || async move { typed("text/javascript", text) });
    let page = || get(|| async { typed("text/html", include_str!("page/index.html")) });
    Router::new()
        .route("/", page())
        .route("/runs", page())
        .route("/page.js", script(include_str!("page/page.js")))
        .route("/list.js", script(include_str!("page/list.js")))
        .route("/runs.js", script(include_str!("page/runs.js")))
        .route("/charts.js", script(include_str!("page/charts.js")))
        .route("/plotly.js", get(chart_library))
        .route("/page.css", get(|| async { typed("text/css", style()) }))
        .route("/events", get(list_events))
        .route("/events/runs", get(runs_events))
        .route("/runs/{name}/stop", post(stop))
}

fn typed(mime: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, format!("{mime}; charset=utf-8"))], body).into_response()
}

fn style() -> String {
    let theme = converge_figures::figure::switched_theme_css();
    format!("{theme}{}", include_str!("page/page.css"))
}

/// The library is large and never changes: it is asked for once a day.
async fn chart_library() -> Response {
    const KEPT: (HeaderName, &str) = (header::CACHE_CONTROL, "private, max-age=86400");
    match converge_report::chart_library() {
        Ok(source) => ([KEPT], typed("text/javascript", source)).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn list_events(State(served): State<Served>) -> impl IntoResponse {
    push(ListView::new(served.folder), served.ending)
}

/// Names of runs, a slash between them: no name has one.
#[derive(Deserialize)]
struct Names {
    names: String,
}

async fn runs_events(State(served): State<Served>, Query(asked): Query<Names>) -> Response {
    let names: Vec<String> =
        asked.names.split('/').take(RunsView::MOST).map(str::to_owned).collect();
    push(RunsView::new(&served.path, names), served.ending).into_response()
}

async fn stop(State(served): State<Served>, Part(name): Part<String>) -> Response {
    let Some(path) = find(&served.path, &name) else {
        return (StatusCode::NOT_FOUND, "there is no such run").into_response();
    };
    match served.stopper.stop(&path) {
        Ok(()) => (StatusCode::ACCEPTED, "asked to stop after this step").into_response(),
        Err(refusal) => (StatusCode::CONFLICT, refusal.to_string()).into_response(),
    }
}
