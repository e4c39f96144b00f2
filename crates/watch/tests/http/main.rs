//! The server as a browser meets it: over HTTP, with runs that are written as training writes them.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod access;
mod client;
mod following;
mod runs;
#[cfg(target_os = "linux")]
mod stopping;

use std::net::TcpListener;

use client::Server;
use converge_watch::{Options, WatchError, serve};

#[test]
fn pages_and_scripts_are_served_and_nothing_may_come_from_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for path in
        ["/", "/runs?names=a", "/page.js", "/list.js", "/runs.js", "/charts.js", "/page.css"]
    {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.body.contains("http"), "{path} asks for something elsewhere");
    }
    assert!(server.get("/plotly.js").body.contains("plotly.js v3."));
    assert_eq!(server.get("/other").status, 404);
}

#[test]
fn what_cannot_be_served_is_said_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let tell = |options: &Options| serve(options, |_| panic!("served")).unwrap_err();
    let missing = tell(&Options::new(folder.path().join("missing")));
    assert!(matches!(missing, WatchError::NoFolder(_)), "{missing}");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let file = tell(&Options::new(folder.path().join("file")));
    assert!(matches!(file, WatchError::NotAFolder(_)), "{file}");
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let in_use = tell(&Options { port, ..Options::new(folder.path()) });
    assert!(in_use.to_string().contains(&format!("127.0.0.1:{port} is in use")), "{in_use}");
    let elsewhere = Options { address: [192, 0, 2, 1].into(), ..Options::new(folder.path()) };
    assert!(matches!(tell(&elsewhere), WatchError::Listen { .. }));
}
