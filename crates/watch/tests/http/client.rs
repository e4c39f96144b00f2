//! A server on a port of its own, and as little of a client as it takes to send it what browsers do not.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use converge_watch::{Background, Options, serve};
use serde_json::Value;

/// A server that lives as long as the tests.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) port: u16,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// A server that ends before the tests do.
pub(crate) fn in_background(folder: &Path) -> (Background, Server) {
    let background = Background::start(&Options { port: 0, ..Options::new(folder) }).unwrap();
    let url = background.url_of_run("a run");
    (background, Server { port: port(&url), url })
}

fn port(url: &str) -> u16 {
    let authority = url.strip_prefix("http://").unwrap().split_once('/').unwrap().0;
    authority.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// What is pushed.
pub(crate) struct Events(BufReader<TcpStream>);

impl Server {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(Options { port: 0, ..Options::new(folder) })
    }

    pub(crate) fn with(options: Options) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || serve(&options, |url| sender.send(url.to_owned()).unwrap()).unwrap());
        let url = receiver.recv_timeout(Duration::from_secs(20)).unwrap();
        Self { port: port(&url), url }
    }

    pub(crate) fn host(&self) -> String {
        format!("Host: localhost:{}", self.port)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[&self.host()])
    }

    /// Asks as a page of the server does.
    pub(crate) fn post(&self, path: &str) -> Answer {
        let origin = format!("Origin: http://localhost:{}", self.port);
        self.send("POST", path, &[&self.host(), &origin])
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[&str]) -> Answer {
        let mut text = vec![];
        self.open(method, path, headers).read_to_end(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn events(&self, path: &str) -> Events {
        Events(BufReader::new(self.open("GET", path, &[&self.host()])))
    }

    /// Of version 1.0, whose answers end with the connection.
    fn open(&self, method: &str, path: &str, headers: &[&str]) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        stream
            .write_all(format!("{method} {path} HTTP/1.0\r\n{headers}{length}\r\n").as_bytes())
            .unwrap();
        stream
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

impl Events {
    pub(crate) fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    /// The next news for which `take` finds something.
    pub(crate) fn wait<T>(&mut self, take: impl Fn(&Value) -> Option<T>) -> T {
        (0..30).find_map(|_| take(&self.next())).expect("nothing of the kind was pushed")
    }
}
