"""Mirrors that misbehave while a file is fetched: nothing wrong is kept, and what happened is said."""

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import Failure

# A data set of one file, and the size it is published with.
NAME, FILE, SIZE = "movielens", "ml-100k.zip", 4_924_029
BODY = bytes(at * at // 7 % 251 for at in range(9973)) * (SIZE // 9973 + 1)
BODY = BODY[:SIZE]
SUM = hashlib.sha256(BODY).hexdigest()
WRONG_SUM = f"has the SHA-256 {SUM}"
PART = 1_000_000


class Mirror(BaseHTTPRequestHandler):
    """Serves `BODY`, in the way that `server.mode` says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        wanted = self.headers.get("Range")
        self.server.ranges.append(wanted)
        begin = int(wanted[len("bytes="):].split("-")[0]) if wanted else 0
        self.close_connection = True
        try:
            getattr(self, self.server.mode.replace(" ", "_"))(begin)
        except OSError:
            # The program has seen enough.
            pass

    def answer(self, status, length, body, **headers):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def honest(self, begin):
        if begin:
            self.answer(206, SIZE - begin, BODY[begin:], Content_Range=f"bytes {begin}-{SIZE - 1}/{SIZE}")
        else:
            self.answer(200, SIZE, BODY)

    def without_ranges(self, begin):
        self.answer(200, SIZE, BODY)

    def cut(self, begin):
        self.answer(200, SIZE, BODY[:PART])

    def missing(self, begin):
        self.answer(404, 4, b"nope")

    def broken(self, begin):
        self.answer(500, 0, b"")

    def of_another_size(self, begin):
        self.answer(200, SIZE - 10, BODY[:-10])

    def a_page(self, begin):
        self.answer(200, 27, b"<html>please log in</html>\n")

    def without_range(self, begin):
        self.answer(416, 0, b"")

    def another_range(self, begin):
        self.answer(206, SIZE - 7, BODY[7:], Content_Range=f"bytes 7-{SIZE - 1}/{SIZE}")

    def endless(self, begin):
        self.answer(200, None, b"")
        while True:
            self.wfile.write(bytes(1 << 16))

    def endless_head(self, begin):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-A: " + b"a" * 8000 + b"\r\n")

    def garbage(self, begin):
        self.wfile.write(bytes(range(256)) * 20)

    def mute(self, begin):
        pass

    def redirecting(self, begin):
        self.answer(302, 0, b"", Location=self.path)

    def to_a_file(self, begin):
        self.answer(302, 0, b"", Location="file:///etc/passwd")

    def stalling(self, begin):
        self.answer(200, SIZE, BODY[:PART])
        time.sleep(40)

    def silent(self, begin):
        time.sleep(40)


# What is said.
EXPECTED = {
    "honest": WRONG_SUM,
    "without ranges": WRONG_SUM,
    "cut": f"after {PART} of {SIZE} bytes; the next attempt goes on there",
    "missing": "404",
    "broken": "500",
    "of another size": f"{SIZE - 10} bytes, not {SIZE}",
    "a page": f"27 bytes, not {SIZE}",
    "without range": "416",
    "another range": "another range",
    "endless": "more bytes than the file has",
    "endless head": "error",
    "garbage": "error",
    "mute": "error",
    "redirecting": "error",
    "to a file": "error",
    "stalling": "was silent for 30 seconds",
    "silent": "was silent for 30 seconds",
}
MODES = [(mode, partial) for mode in EXPECTED for partial in (False, True)]


def fetch(trial):
    mode, partial = MODES[trial.number % len(MODES)]
    trial.notes.append(f"({mode}{', a part is there' if partial else ''})")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    server.daemon_threads, server.mode, server.ranges = True, mode, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {"CONVERGE_MIRROR": f"http://127.0.0.1:{server.server_port}", "NO_PROXY": "*"}
    try:
        if partial:
            # Where a part belongs is known once a download was cut.
            server.mode = "cut"
            trial.run("data", "fetch", NAME, environment=environment)
            server.mode = mode
        said = refused(trial, environment, EXPECTED[mode])
        if partial and server.ranges[1] != f"bytes={PART}-":
            raise Failure("different", f"with a part, {server.ranges} was asked for")
        if mode != "honest":
            # What is left of it does no harm to a mirror that is as it should be: only these contents are not
            # those that are published.
            server.mode = "honest"
            refused(trial, environment, WRONG_SUM)
    finally:
        server.shutdown()
        server.server_close()
    return mode


def refused(trial, environment, expected):
    status, said = trial.run("data", "fetch", NAME, environment=environment)
    kept = [path for path in trial.folder.rglob("*") if path.name == FILE]
    if status == 0 or kept:
        raise Failure("lost", f"what is no {NAME} was taken for it: {said[-700:]}")
    if expected not in said:
        raise Failure("silent", f"instead of `{expected}` it said: {said[-700:]}")
    return said
