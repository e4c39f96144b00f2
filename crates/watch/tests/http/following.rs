//! What is pushed while runs are written.

use std::fs;
use std::time::{Duration, Instant};

use converge_record::{RunDirectory, Status, StepsMark, Stop};
use serde_json::Value;

use crate::client::{Server, in_background};
use crate::runs::{name, new_run, open_steps, step, train_epochs};

/// What is new in the only run, under `part`.
fn part(news: &Value, part: &str) -> Option<Value> {
    Some(news["runs"].get(0)?[part].clone()).filter(|found| !found.is_null())
}

fn state(news: &Value) -> Option<String> {
    Some(news["runs"].get(0)?["state"].as_str()?.to_owned())
}

#[test]
fn a_run_that_grows_is_told_by_what_was_added() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, _lock) = new_run(folder.path());
    train_epochs(&mut run, 1);
    let mut steps = open_steps(&run, &StepsMark::default());
    steps.write(&step(1, 3.0)).unwrap();
    steps.flush().unwrap();
    let server = Server::start(folder.path());
    let mut events = server.events(&format!("/events/runs?names={}", name(&run)));
    let first = events.next();
    let summary = part(&first, "summary").unwrap();
    assert_eq!(
        (summary["state"].as_str(), summary["epochs"].as_u64()),
        (Some("running"), Some(10))
    );
    assert_eq!(
        (summary["steps"].as_u64(), summary["synthetic"].as_str()),
        (Some(30), Some("drawn"))
    );
    // Nine epochs of a minute are left.
    let left = summary["ends"].as_u64().unwrap() - first["now"].as_u64().unwrap();
    assert!((500_000..=540_000).contains(&left), "{left}");
    assert_eq!(part(&first, "epochs").unwrap()["kept"], 0);
    assert_eq!(part(&first, "steps").unwrap()["curves"]["loss"]["new"][0][1], 3.0);

    train_epochs(&mut run, 2);
    let epochs = events.wait(|news| part(news, "epochs"));
    assert_eq!(
        (epochs["kept"].as_u64(), epochs["new"][0]["val_loss"].as_f64()),
        (Some(1), Some(1.0))
    );
    assert_eq!(epochs["new"].as_array().unwrap().len(), 1);

    steps.write(&step(2, f64::NAN)).unwrap();
    steps.write(&step(3, 2.0)).unwrap();
    steps.flush().unwrap();
    let steps = events.wait(|news| part(news, "steps"));
    assert_eq!((steps["restarted"].as_bool(), steps["last"].as_f64()), (Some(false), Some(3.0)));
    let loss = &steps["curves"]["loss"];
    assert_eq!(loss["new"].as_array().unwrap().len() as u64 + loss["kept"].as_u64().unwrap(), 3);
    assert_eq!(steps["curves"]["gradient_norm"], Value::Null);
}

#[test]
fn a_run_that_is_killed_and_taken_up_again_is_followed_all_along() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, lock) = new_run(folder.path());
    train_epochs(&mut run, 1);
    let mut steps = open_steps(&run, &StepsMark::default());
    steps.write(&step(1, 1.0)).unwrap();
    let marked = steps.sync().unwrap();
    steps.write(&step(2, 2.0)).unwrap();
    steps.flush().unwrap();
    let server = Server::start(folder.path());
    let mut list = server.events("/events");
    let mut events = server.events(&format!("/events/runs?names={}", name(&run)));
    assert_eq!(list.wait(state), "running");
    assert_eq!(part(&events.next(), "steps").unwrap()["last"], 2.0);

    drop((steps, lock));
    assert_eq!(list.wait(state), "killed");
    assert_eq!(events.wait(|news| part(news, "summary"))["state"], "killed");

    let (mut run, _lock) = RunDirectory::claim(run.path()).unwrap();
    let mut steps = open_steps(&run, &marked);
    // More than there was before: its size alone tells nothing.
    (2..=9).for_each(|at| steps.write(&step(at, 7.0)).unwrap());
    steps.flush().unwrap();
    assert_eq!(list.wait(state), "running");
    let steps = events.wait(|news| part(news, "steps"));
    assert_eq!((steps["restarted"].as_bool(), steps["last"].as_f64()), (Some(true), Some(9.0)));
    assert_eq!(steps["curves"]["loss"]["new"][1][1], 7.0);

    run.record.status = Status::Completed;
    run.record.stop = Some(Stop::max_epochs(10));
    run.write().unwrap();
    let done = list
        .wait(|news| Some(news["runs"].get(0)?.clone()).filter(|run| run["state"] == "completed"));
    assert_eq!(done["stopped"], "all 10 epochs are trained");
    assert_eq!(done["ends"], Value::Null);
}

#[test]
fn runs_come_and_go_and_several_share_a_stream() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut list = server.events("/events");
    assert_eq!(list.next()["runs"], Value::Null);
    let (first, _first) = new_run(folder.path());
    assert_eq!(
        list.wait(|news| news["runs"].get(0)?["name"].as_str().map(str::to_owned)),
        name(&first)
    );
    let (second, _second) = new_run(folder.path());
    let names = format!("/events/runs?names={}%2F{}", name(&first), name(&second));
    assert_eq!(server.events(&names).next()["runs"].as_array().unwrap().len(), 2);
    list.wait(|news| news["runs"].get(0).cloned());
    fs::remove_dir_all(second.path()).unwrap();
    assert_eq!(list.wait(|news| news["removed"].get(0).cloned()), name(&second));
}

#[test]
fn a_damaged_run_is_listed_with_what_is_wrong_and_html_stays_text() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, _lock) = new_run(folder.path());
    train_epochs(&mut run, 1);
    let hostile = "<img src=x onerror=alert(1)>";
    fs::rename(run.path(), folder.path().join(hostile)).unwrap();
    fs::write(
        folder.path().join(hostile).join("epochs.csv"),
        "epoch,loss,learning_rate\n1,<b>,0\n",
    )
    .unwrap();
    let broken = folder.path().join("broken");
    fs::create_dir(&broken).unwrap();
    fs::write(broken.join("run.json"), "{").unwrap();
    let server = Server::start(folder.path());
    let news = server.events("/events").next();
    let runs = news["runs"].as_array().unwrap();
    let problem = |name: &str| {
        let run = runs.iter().find(|run| run["name"] == name).unwrap();
        run["problem"].as_str().unwrap().to_owned()
    };
    assert!(problem("broken").contains("run.json"));
    assert!(problem(hostile).contains("`loss` is `<b>`"));
    // A page gets JSON of its own type, and no name is ever part of a page.
    assert!(!server.get("/runs?names=%3Cimg%20src=x%3E").body.contains("<img"));
}

#[test]
fn pages_hear_how_a_run_ended_before_the_server_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (mut run, lock) = new_run(folder.path());
    let (background, server) = in_background(folder.path());
    assert!(server.url.ends_with("/runs?names=a%20run"), "{}", server.url);
    let mut list = server.events("/events");
    let mut of_run = server.events(&format!("/events/runs?names={}", name(&run)));
    assert_eq!(state(&list.next()).as_deref(), Some("running"));
    of_run.next();
    run.record.status = Status::Completed;
    run.write().unwrap();
    drop(lock);
    background.end().unwrap();
    let end = list.wait(|news| news["ended"].as_bool().map(|_| state(news)));
    assert_eq!(end.as_deref(), Some("completed"));
    let end = of_run.wait(|news| news["ended"].as_bool().and_then(|_| part(news, "summary")));
    assert_eq!(end["state"], "completed");

    let (unwatched, server) = in_background(folder.path());
    server.get("/");
    let began = Instant::now();
    unwatched.end().unwrap();
    assert!(began.elapsed() < Duration::from_millis(500), "nobody had to be told");
}
