//! What is pushed: a page holds one stream open, and every message on it is what changed.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use serde_json::{Map, Value, json};

use crate::folder::{Folder, INTERVAL};
use crate::follow::Followed;
use crate::load::Meter;
use crate::server::Ending;

/// How long a browser waits before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// What a page looks at.
pub(crate) trait View: Send + 'static {
    /// What is new, and whether there is more to read at once.
    fn look(&mut self) -> (Map<String, Value>, bool);
}

/// A stream that somebody listens to.
struct Pushed<V> {
    view: V,
    /// Nothing was pushed yet.
    first: bool,
    /// There is nothing to read at once.
    wait: bool,
}

/// Looks again and again for as long as somebody listens, and pushes what is new; a last time when the
/// server ends.
pub(crate) fn push(
    view: impl View,
    ending: Ending,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let began = Pushed { view, first: true, wait: false };
    let stream = unfold((Some(began), ending), |(pushed, mut ending)| async move {
        let Pushed { mut view, first, mut wait } = pushed?;
        loop {
            if wait {
                let end = ending.wait_for(|&ending| ending);
                // The folder looks no sooner than this after another page's look.
                if tokio::time::timeout(INTERVAL, end).await.is_ok() {
                    tokio::time::sleep(INTERVAL / 2).await;
                }
            }
            let ended = *ending.borrow() || ending.has_changed().is_err();
            // Reading may wait for a disk; others are served meanwhile.
            let looked = tokio::task::spawn_blocking(move || {
                let (mut news, more) = view.look();
                if ended && !more {
                    news.insert("ended".to_owned(), json!(true));
                }
                (view, message(news, first), more)
            });
            let more;
            let text;
            (view, text, more) = looked.await.ok()?;
            wait = !more;
            if let Some(text) = text {
                let event = Event::default().retry(RETRY).data(text);
                let goes_on = !ended || more;
                let pushed = goes_on.then_some(Pushed { view, first: false, wait });
                return Some((Ok(event), (pushed, ending)));
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}

/// The news with the time; the first message is sent even without any.
fn message(mut news: Map<String, Value>, first: bool) -> Option<String> {
    if news.is_empty() && !first {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    news.insert("now".to_owned(), json!(now.as_millis()));
    Some(Value::Object(news).to_string())
}

/// The list of runs.
pub(crate) struct ListView {
    folder: Arc<Mutex<Folder>>,
    version: u64,
    known: BTreeSet<String>,
    meter: Meter,
}

impl ListView {
    pub(crate) fn new(folder: Arc<Mutex<Folder>>) -> Self {
        Self { folder, version: 0, known: BTreeSet::new(), meter: Meter::default() }
    }
}

impl View for ListView {
    fn look(&mut self) -> (Map<String, Value>, bool) {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let more = folder.look();
        let (changed, version) = folder.since(self.version);
        let now: BTreeSet<String> = folder.names().cloned().collect();
        drop(folder);
        let removed: Vec<&String> = self.known.difference(&now).collect();
        let mut news = Map::new();
        if !changed.is_empty() {
            news.insert("runs".to_owned(), json!(changed));
        }
        if !removed.is_empty() {
            news.insert("removed".to_owned(), json!(removed));
        }
        (self.version, self.known) = (version, now);
        news.extend(self.meter.news(None).map(|load| ("load".to_owned(), load)));
        (news, more)
    }
}

/// The curves of one run, or of several.
pub(crate) struct RunsView {
    runs: Vec<Followed>,
    meter: Meter,
}

impl RunsView {
    /// More curves than these cannot be told apart in one picture.
    pub(crate) const MOST: usize = 24;

    pub(crate) fn new(folder: &Path, names: Vec<String>) -> Self {
        let runs = names.into_iter().map(|name| Followed::new(folder, name)).collect();
        Self { runs, meter: Meter::default() }
    }
}

impl View for RunsView {
    fn look(&mut self) -> (Map<String, Value>, bool) {
        let (mut runs, mut more) = (vec![], false);
        for followed in &mut self.runs {
            let (news, unread) = followed.look();
            runs.extend(news);
            more |= unread;
        }
        let mut news = Map::new();
        if !runs.is_empty() {
            news.insert("runs".to_owned(), Value::Array(runs));
        }
        let process = match self.runs.as_slice() {
            [one] => one.watched().and_then(|watched| watched.run()?.process()),
            _ => None,
        };
        news.extend(self.meter.news(process.as_ref()).map(|load| ("load".to_owned(), load)));
        (news, more)
    }
}
