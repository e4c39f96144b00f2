"""Logs of runs, read back by TensorBoard itself: `check.py CONVERGE` with the package `tensorboard`.

Trains a run that is killed and resumed, and one whose log is written afterwards; evaluates both; asks
TensorBoard's server, with its own reader and with the fast one, for curves, texts, pictures and
hyper-parameters, and compares them with the files of the runs.
"""

import base64
import csv
import io
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import numpy
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

CONVERGE = sys.argv[1]
EXPERIMENT = [
    "mnist", "--data", "synthetic", "--epochs", "6", "--set", "model.hidden=[16]", "--set", "training.batch_size=16",
    "--set", "records.norms_every=5", "--progress", "off",
]


def converge(*arguments):
    done = subprocess.run([CONVERGE, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def killed_and_resumed(folder):
    """A run that is killed in its third epoch or later, and goes on in a second file of events."""
    training = subprocess.Popen(
        [CONVERGE, "train", *EXPERIMENT, "--log", "tensorboard,json_lines", "--output", folder],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    while not any(len(rows(path)) >= 2 for path in folder.glob("*/epochs.csv")):
        assert training.poll() is None, "it came to its end"
        time.sleep(0.002)
    time.sleep(0.03)
    training.kill()
    training.wait()
    (run,) = folder.iterdir()
    assert json.loads((run / "run.json").read_text())["status"] == "running"
    converge("train", "--resume", run, "--progress", "off")
    assert len(list((run / "tensorboard").glob("events*"))) == 2
    return run


def exported(folder):
    """A run that has its log from afterwards."""
    run = Path(json.loads(converge("train", *EXPERIMENT, "--seed", 7, "--output", folder, "--json"))["run"])
    converge("export-log", run, "--log", "tensorboard")
    return run


def expected_curves(run):
    """The curves of a run by folder and tag: steps, values as TensorBoard stores them."""
    curves = {}
    for row in rows(run / "epochs.csv"):
        for name, value in row.items():
            if name == "epoch":
                continue
            folder, tag = ("/validation", name[4:]) if name.startswith("val_") else ("/train", name)
            curves.setdefault((folder, f"epoch_{tag}"), []).append((int(row["epoch"]), float(value)))
    whole = {"loss": "batch_loss", "learning_rate": "batch_learning_rate"}
    whole |= {name: f"{name}/all" for name in ["gradient_norm", "parameter_norm", "update_ratio"]}
    for row in rows(run / "steps.csv"):
        for name, value in row.items():
            if name not in ("epoch", "step") and value:
                tag = whole.get(name) or name.replace(".", "/", 1)
                curves.setdefault(("", tag), []).append((int(row["step"]), float(value)))
    return curves


def check_curves(run, found):
    """Curves as `found(folder, tag)` gives them, points of time, step and value, are those of the run."""
    begun = time.mktime(time.strptime(run.name[-15:], "%Y%m%d-%H%M%S"))
    for (folder, tag), expected in expected_curves(run).items():
        times, steps, values = zip(*found(folder, tag))
        assert list(steps) == [step for step, _ in expected], (run, folder, tag)
        # The file rounds times to microseconds, and norms to seven digits.
        rounded = {"atol": 1e-6} if tag == "step_seconds" else {}
        numpy.testing.assert_allclose(values, [value for _, value in expected], rtol=2e-6, err_msg=tag, **rounded)
        assert begun <= times[0] and times[-1] <= time.time() and list(times) == sorted(times), (run, tag)


class Server:
    """TensorBoard, serving a folder."""

    def __init__(self, folder, fast):
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", "0"]
        command += ["--load_fast", fast, "--samples_per_plugin", "scalars=9999,images=99,text=99"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            if address := re.search(r"at (http://\S+?)/? \(", line):
                self.address = address[1]
                return
        raise SystemExit("TensorBoard does not start")

    def ask(self, path, body=None, **query):
        query = query and "?" + urllib.parse.urlencode(query)
        address = f"{self.address}/data/plugin/{path}{query or ''}"
        body = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
            return answer.read()

    def json(self, path, body=None, **query):
        return json.loads(self.ask(path, body, **query))

    def wait(self, runs):
        """Until all runs are loaded to their last step."""
        for run in runs:
            last = int(rows(run / "steps.csv")[-1]["step"])
            for _ in range(300):
                loaded = self.json("scalars/tags").get(f"{run.name}/tensorboard", {})
                curve = self.curve(run, "", "batch_loss") if "batch_loss" in loaded else []
                if curve and curve[-1][1] == last:
                    break
                time.sleep(0.1)
            else:
                raise SystemExit(f"TensorBoard does not load {run}")

    def curve(self, run, folder, tag):
        return self.json("scalars/scalars", run=f"{run.name}/tensorboard{folder}", tag=tag)


def check_shown(server, run):
    """Texts and pictures."""
    name = f"{run.name}/tensorboard"
    text = server.json("text/text", run=name, tag="experiment")[-1]["text"]
    assert "<code>" in text and "hidden = [16]" in text, text
    assert "SYNTHETIC DATA" in server.json("text/text", run=name, tag="run")[-1]["text"]
    evaluation = json.loads((run / "evaluation.json").read_text())
    assert evaluation["mistakes"]
    (point,) = server.curve(run, "/test", "epoch_accuracy")
    accuracy = next(one["value"] for one in evaluation["metrics"] if one["name"] == "accuracy")
    assert point[1] == evaluation["epoch"] and abs(point[2] - accuracy) < 1e-6
    table = server.json("text/text", run=f"{name}/test", tag="mistakes")[-1]["text"]
    assert table.count("<tr>") == 1 + len(evaluation["mistakes"]), table
    for place, mistake in enumerate(evaluation["mistakes"], 1):
        (picture,) = server.json("images/images", run=f"{name}/test", tag=f"mistakes/{place:02}", sample=0)
        shown = server.ask("images/individualImage?" + picture["query"])
        assert shown == base64.b64decode(mistake["input"]["png"])
        assert Image.open(io.BytesIO(shown)).size == (28, 28)


def check_hparams(server, runs):
    """The plugin that compares runs by their hyper-parameters."""
    experiment = server.json("hparams/experiment", {"experimentName": "", "hparamsLimit": 0})
    infos = {info["name"]: info["type"] for info in experiment["hparamInfos"]}
    assert infos["optimizer.learning_rate"] == "DATA_TYPE_FLOAT64" and infos["training.shuffle"] == "DATA_TYPE_BOOL"
    metrics = [{"metric": info["name"]} for info in experiment["metricInfos"]]
    asked = {"allowedStatuses": ["STATUS_SUCCESS"], "colParams": metrics, "startIndex": 0, "sliceSize": 9}
    groups = server.json("hparams/session_groups", asked)["sessionGroups"]
    assert len(groups) == len(runs), groups
    by_seed = {group["hparams"]["training.seed"]: group for group in groups}
    for run in runs:
        group = by_seed[float(json.loads((run / "run.json").read_text())["seed"])]
        assert group["hparams"]["model.name"] == "mlp" and group["hparams"]["model.hidden"] == "[16]"
        values = {(one["name"]["group"], one["name"]["tag"]): one["value"] for one in group["metricValues"]}
        last = rows(run / "epochs.csv")[-1]
        for metric in ["loss", "accuracy"]:
            assert abs(values["validation", f"epoch_{metric}"] - float(last[f"val_{metric}"])) < 1e-6
            assert abs(values["train", f"epoch_{metric}"] - float(last[metric])) < 1e-6


def main(folder):
    runs = [killed_and_resumed(folder), exported(folder)]
    for run in runs:
        converge("evaluate", run)
        boards = {}
        for board in ["", "/train", "/validation"]:
            boards[board] = EventAccumulator(f"{run}/tensorboard{board}", {"scalars": 0})
            boards[board].Reload()
        check_curves(run, lambda board, tag: [(one.wall_time, one.step, one.value) for one in boards[board].Scalars(tag)])
        judged = [json.loads(converge("diagnose", log, "--json")) for log in [run, run / "tensorboard"]]
        assert judged[0]["verdict"] == judged[1]["verdict"]
    for fast in ["false", "true"]:
        server = Server(folder, fast)
        try:
            server.wait(runs)
            for run in runs:
                check_curves(run, lambda board, tag: server.curve(run, board, tag))
                check_shown(server, run)
            check_hparams(server, runs)
        finally:
            server.process.terminate()
            server.process.wait()
        print(f"TensorBoard, --load_fast {fast}: {len(runs)} runs as they were trained")


with tempfile.TemporaryDirectory() as scratch:
    main(Path(scratch))
