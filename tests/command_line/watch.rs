//! `train --watch`: the page of a training, served by its own process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use crate::common::{Runs, converge, record};

/// Asks as a page of the server does; returns the whole answer.
fn ask(authority: &str, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(authority).unwrap();
    let headers = format!("Host: {authority}\r\nOrigin: http://{authority}\r\nContent-Length: 0");
    write!(stream, "{method} {path} HTTP/1.0\r\n{headers}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
#[cfg(target_os = "linux")]
fn a_training_serves_its_page_until_its_button_stops_it() {
    let runs = Runs::new();
    let mut training = converge()
        .args(["train", "linear", "--epochs", "1000000", "--watch", "--output"])
        .arg(runs.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(training.stderr.take().unwrap()).lines();
    let url = said.find_map(|line| line.unwrap().strip_prefix("watch: ").map(str::to_owned));
    let url = url.unwrap();
    let (authority, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let name = path.strip_prefix("runs?names=").unwrap();
    assert_eq!(runs.path().join(name), runs.only());
    assert!(ask(authority, "GET", &format!("/{path}")).starts_with("HTTP/1.0 200"));
    let answer = ask(authority, "POST", &format!("/runs/{name}/stop"));
    assert!(answer.starts_with("HTTP/1.0 202"), "{answer}");
    let rest: Vec<String> = said.map(Result::unwrap).collect();
    // As after Ctrl-C.
    assert_eq!(training.wait().unwrap().code(), Some(130));
    assert_eq!(record(&runs.only())["status"], "interrupted");
    let again = format!("converge watch {}", runs.path().display());
    assert!(rest.iter().any(|line| line.ends_with(&again)), "{rest:?}");
    assert!(TcpStream::connect(authority).is_err(), "the page outlived its training");
}
