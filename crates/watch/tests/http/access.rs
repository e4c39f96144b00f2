//! Who may see what.

use std::fs;

use converge_watch::Options;

use crate::client::Server;
use crate::runs::{name, new_run};

const TOKEN: &str = "0123456789abcdef";

#[test]
fn another_name_for_this_machine_gets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    for host in ["Host: evil.example", "Host: evil.example:80", "X-No: host"] {
        assert_eq!(server.send("GET", "/", &[host]).status, 403, "{host}");
    }
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        assert_eq!(server.send("GET", "/", &[&format!("Host: {host}:9000")]).status, 200, "{host}");
    }
}

#[test]
fn a_token_is_shown_once_and_kept_in_a_cookie() {
    let folder = tempfile::tempdir().unwrap();
    let token = Some(TOKEN.to_owned());
    let server = Server::with(Options { port: 0, token, ..Options::new(folder.path()) });
    assert!(server.url.ends_with(&format!("/?token={TOKEN}")));
    let host = server.host();
    let wrong = ["/", "/events", "/plotly.js", "/?token=0123456789abcdee", "/?token="];
    for path in wrong {
        assert_eq!(server.get(path).status, 401, "{path}");
    }
    let answer = server.get(&format!("/runs?names=a&token={TOKEN}"));
    assert_eq!((answer.status, answer.header("location")), (303, "/runs?names=a"));
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = format!("Cookie: other=1; {}", cookie.split(';').next().unwrap());
    assert_eq!(server.send("GET", "/", &[&host, &cookie]).status, 200);
    let bearer = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(server.send("GET", "/", &[&host, &bearer]).status, 200);
    // Never to another site.
    let away = server.get(&format!("//evil.example/?token={TOKEN}"));
    assert_eq!(away.header("location"), "/evil.example/");
    // A cookie alone changes nothing: the page that sends it may be of another site.
    assert_eq!(server.send("POST", "/runs/a/stop", &[&host, &cookie]).status, 403);
    let foreign = "Origin: http://evil.example";
    assert_eq!(server.send("POST", "/runs/a/stop", &[&host, &cookie, foreign]).status, 403);
    assert_eq!(server.send("POST", "/runs/a/stop", &[&host, &bearer]).status, 404);
}

#[test]
fn a_token_is_drawn_where_others_can_connect() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::with(Options {
        port: 0,
        address: [0, 0, 0, 0].into(),
        ..Options::new(folder.path())
    });
    assert_eq!(server.url.split_once("?token=").unwrap().1.len(), 32);
    assert_eq!(server.get("/").status, 401);
}

#[test]
fn another_site_cannot_stop_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let (run, _lock) = new_run(folder.path());
    let server = Server::start(folder.path());
    let path = format!("/runs/{}/stop", name(&run));
    assert_eq!(server.send("POST", &path, &[&server.host()]).status, 403);
    let foreign = ["Origin: http://evil.example", "Origin: null", "Origin: http://localhost:1"];
    for origin in foreign {
        assert_eq!(server.send("POST", &path, &[&server.host(), origin]).status, 403, "{origin}");
    }
    assert_eq!(server.get(&path).status, 405);
}

#[test]
fn nothing_outside_the_folder_is_read() {
    let parent = tempfile::tempdir().unwrap();
    let (secret, _lock) = new_run(parent.path());
    let secret = name(&secret);
    let folder = parent.path().join("folder");
    fs::create_dir(&folder).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(parent.path().join(&secret), folder.join("link")).unwrap();
    let server = Server::start(&folder);
    assert_eq!(server.events("/events").next()["runs"], serde_json::Value::Null);
    let absolute = parent.path().join(&secret);
    let absolute = absolute.to_str().unwrap().replace('/', "%252F");
    let escapes = [
        format!("..%2F{secret}"),
        format!("..%5C{secret}"),
        absolute,
        "link".into(),
        "..".into(),
        ".".into(),
    ];
    for escape in escapes {
        let news = server.events(&format!("/events/runs?names={escape}")).next();
        for run in news["runs"].as_array().unwrap() {
            assert_eq!(run["gone"], true, "{escape}");
        }
        let stopped = server.post(&format!("/runs/{escape}/stop"));
        assert!([400, 404].contains(&stopped.status), "{escape}: {}", stopped.status);
    }
    assert_eq!(server.get(&format!("/../{secret}/run.json")).status, 404);
}
