//! Downloads against small servers of our own, each of which misbehaves in its own way.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use converge_data::{
    DataError, DataSettings, DownloadProgress, LoadOptions, NoProgress, Origin, Parts, RemoteFile,
    Source, catalogue, fetch_files,
};

/// The contents of the file served, larger than any buffer on the way.
fn contents() -> Vec<u8> {
    (0..300_000_u64).map(|index| (index * index / 7 % 251) as u8).collect()
}

/// `hashlib.sha256(bytes(i * i // 7 % 251 for i in range(300000))).hexdigest()` in Python.
const SHA256: &str = "4daf6f9226b62e3577b29f84f99c75d69cd461b9969080ea7ee8f94c140763d6";

/// A server on a free port: `answer` gets each request's lines and the connection.
struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn start(answer: impl Fn(&[String], &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let (counter, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, answer) = (stream.unwrap(), Arc::clone(&answer));
                counter.fetch_add(1, Ordering::SeqCst);
                thread::spawn(move || {
                    let lines: Vec<String> = BufReader::new(stream.try_clone().unwrap())
                        .lines()
                        .map_while(Result::ok)
                        .take_while(|line| !line.is_empty())
                        .collect();
                    answer(&lines, &mut stream);
                });
            }
        });
        Self { address, requests }
    }

    /// Serves [`contents`], from where a `Range` asks for.
    fn honest() -> Self {
        Self::start(|lines, stream| serve(lines, stream, &contents()))
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn file(&self) -> RemoteFile {
        RemoteFile {
            url: format!("{}/file.bin", self.address),
            path: PathBuf::from("set/file.bin"),
            bytes: Some(300_000),
            sha256: SHA256.to_owned(),
        }
    }

    fn fetch(&self, directory: &Path) -> Result<Vec<PathBuf>, DataError> {
        fetch_files(&[self.file()], directory, Duration::from_secs(5), &mut NoProgress)
    }
}

fn range_start(lines: &[String]) -> Option<usize> {
    lines.iter().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse().ok()
    })
}

fn serve(lines: &[String], stream: &mut TcpStream, contents: &[u8]) {
    let total = contents.len();
    let (head, body) = match range_start(lines) {
        Some(start) => (
            format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{total}", total - 1),
            &contents[start..],
        ),
        None => ("200 OK".to_owned(), contents),
    };
    let length = body.len();
    let _ =
        write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(body);
}

fn part(directory: &Path) -> PathBuf {
    directory.join("set/file.bin.part")
}

fn put_part(directory: &Path, bytes: &[u8]) {
    fs::create_dir_all(directory.join("set")).unwrap();
    fs::write(part(directory), bytes).unwrap();
}

#[derive(Default)]
struct Recorder {
    began: Vec<(String, Option<u64>, u64)>,
    arrived: u64,
    finished: usize,
    notices: Vec<String>,
}

impl DownloadProgress for Recorder {
    fn begin(&mut self, file: &str, total_bytes: Option<u64>, already: u64) {
        self.began.push((file.to_owned(), total_bytes, already));
    }
    fn advance(&mut self, bytes: u64) {
        self.arrived += bytes;
    }
    fn finish(&mut self) {
        self.finished += 1;
    }
    fn notice(&mut self, message: &str) {
        self.notices.push(message.to_owned());
    }
}

#[test]
fn a_file_arrives_whole_once() {
    let (server, cache) = (Server::honest(), tempfile::tempdir().unwrap());
    let mut progress = Recorder::default();
    let fetch = |progress: &mut Recorder| {
        fetch_files(&[server.file()], cache.path(), Duration::from_secs(5), progress).unwrap()
    };
    let paths = fetch(&mut progress);
    assert_eq!(fs::read(&paths[0]).unwrap(), contents());
    assert_eq!(progress.began, [("file.bin".to_owned(), Some(300_000), 0)]);
    assert_eq!((progress.arrived, progress.finished), (300_000, 1));
    assert!(!part(cache.path()).exists());
    assert_eq!(fetch(&mut progress), paths);
    assert_eq!((server.requests(), progress.finished), (1, 1));
}

#[test]
fn a_damaged_file_is_fetched_again() {
    let (server, cache) = (Server::honest(), tempfile::tempdir().unwrap());
    let path = server.fetch(cache.path()).unwrap().remove(0);
    fs::write(&path, "damaged").unwrap();
    server.fetch(cache.path()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), contents());
}

#[test]
fn a_missing_page_is_named_and_nothing_is_kept() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope",
        );
    });
    let cache = tempfile::tempdir().unwrap();
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("404 Not Found") && error.contains("/file.bin"), "{error}");
    assert_eq!(fs::read_dir(cache.path().join("set")).unwrap().count(), 0);
}

#[test]
fn a_truncated_download_goes_on_where_it_stopped() {
    let first = AtomicUsize::new(0);
    let server = Server::start(move |lines, stream| {
        if first.fetch_add(1, Ordering::SeqCst) > 0 {
            assert_eq!(range_start(lines), Some(100_000));
            return serve(lines, stream, &contents());
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
        let _ = stream.write_all(&contents()[..100_000]);
    });
    let cache = tempfile::tempdir().unwrap();
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("after 100000 of 300000 bytes"), "{error}");
    assert!(!cache.path().join("set/file.bin").exists());
    let mut progress = Recorder::default();
    let paths =
        fetch_files(&[server.file()], cache.path(), Duration::from_secs(5), &mut progress).unwrap();
    assert_eq!(fs::read(&paths[0]).unwrap(), contents());
    assert_eq!((progress.began[0].2, progress.arrived), (100_000, 200_000));
}

#[test]
fn a_server_without_ranges_sends_the_file_from_its_start() {
    let server = Server::start(|_, stream| serve(&[], stream, &contents()));
    let cache = tempfile::tempdir().unwrap();
    put_part(cache.path(), &contents()[..1000]);
    let paths = server.fetch(cache.path()).unwrap();
    assert_eq!(fs::read(&paths[0]).unwrap(), contents());
}

#[test]
fn a_part_of_another_file_is_thrown_away() {
    for part in [vec![1; 1000], vec![1; 300_000], vec![1; 400_000]] {
        let (server, cache) = (Server::honest(), tempfile::tempdir().unwrap());
        put_part(cache.path(), &part);
        let paths = server.fetch(cache.path()).unwrap();
        assert_eq!(fs::read(&paths[0]).unwrap(), contents());
    }
}

#[test]
fn a_range_that_the_server_does_not_have_is_no_missing_file() {
    // Closes, and says so: else the next request may go down a connection that is no more.
    const REFUSAL: &[u8] = b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\
        Connection: close\r\n\r\n";
    let server = Server::start(|lines, stream| match range_start(lines) {
        Some(_) => drop(stream.write_all(REFUSAL)),
        None => serve(lines, stream, &contents()),
    });
    let cache = tempfile::tempdir().unwrap();
    put_part(cache.path(), &contents()[..1000]);
    let paths = server.fetch(cache.path()).unwrap();
    assert_eq!(fs::read(&paths[0]).unwrap(), contents());

    let server = Server::start(|_, stream| drop(stream.write_all(REFUSAL)));
    for already in [0, 1000] {
        let cache = tempfile::tempdir().unwrap();
        if already > 0 {
            put_part(cache.path(), &contents()[..already]);
        }
        let error = server.fetch(cache.path()).unwrap_err().to_string();
        assert!(error.contains("/file.bin") && error.contains("416 Range Not"), "{error}");
    }
}

#[test]
fn a_whole_part_needs_no_server() {
    let (server, cache) = (Server::honest(), tempfile::tempdir().unwrap());
    put_part(cache.path(), &contents());
    server.fetch(cache.path()).unwrap();
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_wrong_checksum_keeps_nothing() {
    let server = Server::start(|lines, stream| serve(lines, stream, &vec![7; 300_000]));
    let cache = tempfile::tempdir().unwrap();
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("SHA-256") && error.contains(SHA256), "{error}");
    assert_eq!(fs::read_dir(cache.path().join("set")).unwrap().count(), 0);
}

#[test]
fn a_file_of_another_size_is_refused_before_it_is_received() {
    let server = Server::start(|lines, stream| serve(lines, stream, &contents()[1..]));
    let cache = tempfile::tempdir().unwrap();
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("299999 bytes, not 300000"), "{error}");
}

#[test]
fn a_server_that_goes_on_for_ever_is_cut_off() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
        while stream.write_all(&[0; 4096]).is_ok() {}
    });
    let cache = tempfile::tempdir().unwrap();
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("more bytes"), "{error}");
}

#[test]
fn a_silent_server_is_given_up_in_head_and_body() {
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\nbeginning"] {
        let server = Server::start(move |_, stream| {
            let _ = stream.write_all(sent.as_bytes());
            thread::sleep(Duration::from_secs(20));
        });
        let (cache, start) = (tempfile::tempdir().unwrap(), Instant::now());
        let timeout = Duration::from_millis(500);
        let error = fetch_files(&[server.file()], cache.path(), timeout, &mut NoProgress)
            .unwrap_err()
            .to_string();
        assert!(error.contains("silent for 0.5 seconds"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_slow_server_that_is_never_silent_is_waited_for() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n");
        for piece in contents().chunks(30_000) {
            thread::sleep(Duration::from_millis(150));
            let _ = stream.write_all(piece);
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let timeout = Duration::from_millis(900);
    fetch_files(&[server.file()], cache.path(), timeout, &mut NoProgress).unwrap();
}

#[test]
fn two_fetches_at_once_share_one_download() {
    let server = Arc::new(Server::start(|lines, stream| {
        thread::sleep(Duration::from_millis(300));
        serve(lines, stream, &contents());
    }));
    let cache = tempfile::tempdir().unwrap();
    let notices = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut progress = Recorder::default();
                let timeout = Duration::from_secs(5);
                fetch_files(&[server.file()], cache.path(), timeout, &mut progress).unwrap();
                notices.lock().unwrap().extend(progress.notices);
            });
        }
    });
    assert_eq!(server.requests(), 1);
    let notices = notices.lock().unwrap();
    assert!(notices.len() == 1 && notices[0].contains("waiting"), "{notices:?}");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let server = Server::honest();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = server.fetch(&file.join("cache")).unwrap_err().to_string();
    assert!(error.contains("CONVERGE_CACHE") && error.contains("file"), "{error}");
    assert_eq!(server.requests(), 0);
}

#[test]
#[cfg(unix)]
fn a_read_only_cache_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let (server, cache) = (Server::honest(), tempfile::tempdir().unwrap());
    fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(cache.path().join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write to read-only directories");
        return;
    }
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("CONVERGE_CACHE"), "{error}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named() {
    let (server, cache) = (Server::honest(), tempfile::tempdir().unwrap());
    fs::create_dir(cache.path().join("set")).unwrap();
    std::os::unix::fs::symlink("/dev/full", part(cache.path())).unwrap();
    let error = server.fetch(cache.path()).unwrap_err().to_string();
    assert!(error.contains("free some space"), "{error}");
}

fn options(server: &Server, cache: &Path) -> LoadOptions {
    LoadOptions {
        replaces_path: false,
        directory: None,
        cache: cache.to_owned(),
        mirror: Some(server.address.clone()),
        timeout: Duration::from_secs(5),
    }
}

#[test]
fn what_cannot_be_fetched_is_replaced_by_the_stand_in_or_an_error_as_asked() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(
            b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    });
    let cache = tempfile::tempdir().unwrap();
    let options = options(&server, cache.path());
    for mut settings in DataSettings::all() {
        let Some(published) = settings.published() else { continue };
        let (title, shape) = (published.title, settings.input_shape());
        let mut load = |source| {
            settings.set_source(source).unwrap();
            settings.load(Parts::Test, &options, &mut NoProgress)
        };
        let data = load(Source::Auto).unwrap();
        assert_eq!((data.origin, &data.test.shape), (Origin::SyntheticStandIn, &shape));
        assert!(data.title.contains(title) && data.title.contains("synthetic"));
        let reason = data.stand_in_reason.unwrap();
        assert!(reason.contains("503") && reason.contains(&server.address), "{reason}");

        let error = load(Source::Real).unwrap_err().to_string();
        assert!(error.contains("503") && error.contains("--data-dir"), "{error}");

        let before = server.requests();
        let chosen = load(Source::Synthetic).unwrap();
        assert_eq!((chosen.origin, chosen.stand_in_reason), (Origin::SyntheticStandIn, None));
        assert_eq!(chosen.test, data.test);
        assert_eq!(server.requests(), before);
    }
}

#[test]
fn a_damaged_file_on_disk_is_an_error_and_never_replaced() {
    let server = Server::honest();
    let folder = tempfile::tempdir().unwrap();
    for (name, file) in [
        ("mnist", "mnist/t10k-images-idx3-ubyte.gz"),
        ("fashion-mnist", "FashionMNIST/raw/t10k-labels-idx1-ubyte"),
        ("cifar10", "cifar-10-batches-bin/test_batch.bin"),
        ("housing", "CaliforniaHousing/cal_housing.data"),
    ] {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "damaged").unwrap();
        let options = LoadOptions {
            replaces_path: false,
            directory: Some(folder.path().into()),
            ..options(&server, folder.path())
        };
        let settings = DataSettings::all().into_iter().find(|data| data.name() == name).unwrap();
        let error = settings.load(Parts::Test, &options, &mut NoProgress).unwrap_err().to_string();
        assert!(error.contains(path.parent().unwrap().to_str().unwrap()), "{error}");
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_data_directory_that_is_not_there_is_an_error() {
    let server = Server::honest();
    let folder = tempfile::tempdir().unwrap();
    let directory = Some(folder.path().join("absent"));
    let options = LoadOptions { directory, ..options(&server, folder.path()) };
    let error = catalogue::entries(&options).unwrap_err().to_string();
    assert!(error.contains("absent` does not exist"), "{error}");
}

#[test]
fn a_mirror_is_asked_for_every_file_by_its_name() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let server = Server::start(move |lines, stream| {
        log.lock().unwrap().push(lines[0].clone());
        let _ = stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    let cache = tempfile::tempdir().unwrap();
    for name in ["mnist", "fashion-mnist", "cifar10", "housing"] {
        catalogue::fetch(name, &options(&server, cache.path()), &mut NoProgress).unwrap_err();
    }
    let asked = asked.lock().unwrap();
    let paths: Vec<&str> = asked.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(
        paths,
        [
            "/mnist/train-images-idx3-ubyte.gz",
            "/fashion-mnist/train-images-idx3-ubyte.gz",
            "/cifar-10-binary.tar.gz",
            "/cal_housing.tgz",
        ]
    );
    let unknown = catalogue::fetch("regression", &options(&server, cache.path()), &mut NoProgress);
    assert!(unknown.unwrap_err().to_string().contains("mnist, fashion-mnist, cifar10"));
}
