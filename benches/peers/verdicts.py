"""Verdicts of other tools that read training logs, beside those of `converge diagnose`: one table.

    verdicts.py --converge target/release/converge DATA [--every N]

DATA/logs holds labelled logs: files/ID__NAME as they are on disk, curves/ID.csv (x, train_loss, val_loss,
train_metric, val_metric, learning_rate as a careful reader takes them), labels.tsv (id, label, second, sure) and
series.tsv (id, metric direction). DATA/deepobs holds whole runs (FILE.csv with epoch, loss, val_loss,
learning_rate) and index.json (file, problem, optimizer, lr), https://github.com/fsschneider/DeepOBS_Baselines.

Converge reads the logs as they are. Each other tool reads a log itself where it finds a curve in it, under the
name that it was published with. Otherwise, and for the runs of DeepOBS, it gets the curve that the labels judge, as
trainer_state.json of Hugging Face, the one format that all of them read. That spares it the reading: an advantage.

None of them gives one of seven labels, so that what they find is mapped to the nearest one below, as the tool
describes the finding; where two labels would do, to the one that scores better for the tool. Of several findings
the one whose label comes first in LABELS counts. Nothing found is `converged`, "nothing to worry about"; nothing read
or nothing checked is `undecidable`. A finding without a label counts as a warning where the tool warns. Spikes have
none: `unstable` is said of swings as large as all progress, and the tools score worse with it.
"""

import argparse
import collections
import csv
import json
import math
import pathlib
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version

import epokio.adapters
import epokio.analysis
import finetune_doctor.diagnosis
import finetune_doctor.history
import runmedic.checks
import runmedic.loaders
import runmedic.roles
import trainproof.adapters
import trainproof.epoch

LABELS = ["diverged", "not_learning", "unstable", "overfitting", "improving", "converged", "undecidable"]

# What a tool says of a run: the label; whether it warns; whether it says that more epochs would help (None: silent).
Answer = collections.namedtuple("Answer", "label warns more", defaults=[False, None])
NOTHING = Answer("undecidable")


def first(labels):
    return min(labels, key=LABELS.index, default="converged")


class Trainproof:
    package = "trainproof"
    # The others speak of spikes of the gradient, of time per step, or of a rate that is zero for a part of the run.
    finding = {
        "TP-NAN": "diverged", "TP-NAN-GRAD": "diverged", "TP-DIVERGE": "diverged",
        "TP-FLAT": "not_learning", "TP-DEAD-RUN": "not_learning", "TP-ZERO-LR": "not_learning",
        "TP-ZERO-LOSS": "not_learning", "TP-ZERO-LOSS-ONSET": "not_learning", "TP-ZERO-GRAD": "not_learning",
        "TP-OVERFIT": "overfitting", "TP-NOT-CHECKED": "undecidable",
    }  # fmt: skip

    def ask(self, path):
        records = trainproof.adapters.parse_log_with_format(path)
        report = trainproof.epoch.check_records(records)
        ids = {finding["id"] for finding in report["findings"]}
        if ids & {"TP-NO-RECORDS", "TP-NO-LOSS"}:
            return None
        label = first(self.finding[i] for i in ids if i in self.finding)
        return Answer(label, report["verdict"] in ("WARN", "FAIL"), False if "TP-OVERFIT" in ids else None)


class Runmedic:
    package = "runmedic"
    # The others speak of spikes, of processors, memory and time, or of a validation loss below that of training.
    finding = {
        "non_finite": "diverged", "divergence": "diverged", "no_learning": "not_learning",
        "overfitting": "overfitting", "constant_lr_plateau": "converged",
    }  # fmt: skip

    def ask(self, path):
        runs = runmedic.loaders.load(str(path))
        if not runs:
            return None
        roles = runmedic.roles.detect(runs[-1])
        if "train_loss" not in roles and "val_loss" not in roles:
            return None
        found = {f.check: f.severity for f in runmedic.checks.run_checks(runs[-1], roles)}
        label = first(self.finding[check] for check in found if check in self.finding)
        more = False if found.keys() & {"overfitting", "constant_lr_plateau"} else None
        return Answer(label, bool({"warning", "critical"} & set(found.values())), more)


class Epokio:
    package = "epokio"
    # `early_best` is "the best score came very early"; `loss_rise` is said not to be overfitting; the others speak of
    # precision and recall.
    finding = {
        "diverged": "diverged", "loss_up": "diverged", "flat_score": "not_learning", "nan_recovered": "unstable",
        "early_best": "overfitting", "overfit": "overfitting", "still_improving": "improving", "plateau": "converged",
    }  # fmt: skip
    warnings = {"diverged", "loss_up", "flat_score", "early_best", "nan_recovered", "overfit"}

    def ask(self, path):
        loaded = epokio.adapters.load(path.parent)
        columns = {key.split("/")[0] for row in (loaded.rows if loaded else []) for key in row}
        if not columns & {"train", "val", "metrics"}:
            return None
        kinds = {kind["kind"] for kind in epokio.analysis.analyze(path.parent).kinds}
        label = first(self.finding[kind] for kind in kinds if kind in self.finding)
        more = True if "still_improving" in kinds else False if kinds & {"plateau", "overfit"} else None
        return Answer(label, bool(kinds & self.warnings), more)


class FinetuneDoctor:
    package = "finetune-doctor"
    # The title tells what a check found. The others speak of spikes, of missing evaluations, of the rate, or of two
    # metrics that disagree.
    finding = {
        "NaN loss": "diverged", "NaN gradients": "diverged", "Loss is exactly zero": "not_learning",
        "Zero gradients": "not_learning", "Not learning": "not_learning", "Training loss went up": "not_learning",
        "Overfitting": "overfitting", "Final checkpoint slightly worse": "overfitting",
        "Stopped improving early": "converged",
    }  # fmt: skip

    def ask(self, path):
        history = finetune_doctor.history.load(str(path))
        if "loss" not in history.train and not history.evals:
            return None
        result = finetune_doctor.diagnosis.diagnose(history)
        titles = {finding.title for finding in result.findings}
        label = first(self.finding[title] for title in titles if title in self.finding)
        more = False if titles & {"Overfitting", "Final checkpoint slightly worse", "Stopped improving early"} else None
        return Answer(label, result.worst >= finetune_doctor.diagnosis.Severity.WARNING, more)


class Peer:
    """A tool that reads a log itself where it can, and the curve otherwise."""

    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder
        self.name = f"{tool.package} {version(tool.package)}"

    def ask(self, name, content):
        """The answer to a file of that name, None where the tool finds nothing in it, or breaks on it."""
        # Lightning's logs lie in folders of this name.
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = pathlib.Path(folder, "version_0", name)
            path.parent.mkdir()
            path.write_bytes(content)
            try:
                return self.tool.ask(path)
            except Exception:
                return None

    def log(self, file):
        return self.ask(file.name.split("__", 1)[1], file.read_bytes())

    def curve(self, rows, metric="eval_accuracy"):
        return self.ask("trainer_state.json", trainer_state(rows, metric)) or NOTHING

    def run(self, run, rows, *_):
        return self.curve(
            [{"train_loss": r["loss"], "val_loss": r["val_loss"], "learning_rate": r["learning_rate"]} for r in rows]
        )


class Converge:
    name = "converge"

    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def diagnose(self, path, *extra):
        done = subprocess.run([self.program, "diagnose", "--json", path, *map(str, extra)], capture_output=True, text=True)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return None
        warns = any(finding["severity"] in ("warning", "error") for finding in answer["findings"])
        forecast = answer["forecast"]
        return Answer(answer["verdict"], warns, forecast and forecast["probability"] > 0.5)

    def log(self, file):
        return self.diagnose(file)

    def run(self, run, rows, *extra):
        path = pathlib.Path(self.folder, run["file"])
        with path.open("w", newline="") as out:
            writer = csv.DictWriter(out, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        return self.diagnose(path, *extra) or NOTHING


def trainer_state(rows, metric):
    """The curve that the labels judge: the losses, or the metric where there are none; and the learning rate."""
    history, evaluations = [], 0
    losses = any(row["train_loss"] or row["val_loss"] for row in rows)
    only_validation = not any(row["train_loss"] for row in rows)
    for step, row in enumerate(rows, 1):
        # A tool that must have a training loss judges that of validation where there is no other.
        if loss := row["val_loss"] if only_validation else row["train_loss"]:
            entry = {"step": step, "epoch": evaluations + 1, "loss": float(loss)}
            if row["learning_rate"]:
                entry["learning_rate"] = float(row["learning_rate"])
            history.append(entry)
        key, value = ("eval_loss", row["val_loss"]) if losses else (metric, row["val_metric"] or row["train_metric"])
        if value:
            evaluations += 1
            history.append({"step": step, "epoch": evaluations, key: float(value)})
    # Said to be complete; without evaluations the tools shall see steps, not one single epoch.
    plan = {"global_step": len(rows), "max_steps": len(rows), "num_train_epochs": max(1, evaluations)}
    return json.dumps({**plan, "epoch": plan["num_train_epochs"], "log_history": history}).encode()


def table(path):
    return list(csv.DictReader(path.open(encoding="utf-8"), delimiter="\t"))


def macro_f1(pairs):
    scores = []
    for label in LABELS:
        hit = sum(said == label == truth for truth, said in pairs)
        wrong = sum((said == label) != (truth == label) for truth, said in pairs)
        if hit + wrong:
            scores.append(2 * hit / (2 * hit + wrong))
    return statistics.mean(scores)


def judge(answers, truths):
    """Macro-F1, the share of labels that an expert could give, and `converged` said wrongly."""
    pairs, accepted = [], 0
    for row in truths:
        said = answers[row["id"]].label
        right = said == row["label"] or said in row["second"].split(",")
        accepted += right
        # Where the labellers were unsure, any label that they would accept is right.
        pairs.append((row["label"], row["label"] if right and row["sure"] == "1" else said))
    converged = [truth for truth, said in pairs if said == "converged"]
    wrong = sum(truth != "converged" for truth in converged)
    return [
        ("macro-F1 over seven labels", f"{macro_f1(pairs):.2f}"),
        ("a label that an expert could give", f"{accepted / len(pairs):.2f}"),
        ("`converged` said wrongly", f"{wrong} of {len(converged)}"),
    ]


def on_logs(tool, folder, every):
    truths = table(folder / "labels.tsv")[::every]
    files = {file.name.split("__")[0]: file for file in (folder / "files").iterdir()}
    direction = {row["id"]: row["metric direction"] for row in table(folder / "series.tsv")}
    raw = {row["id"]: tool.log(files[row["id"]]) for row in truths}
    curves = {row["id"]: folder / "curves" / f"{row['id']}.csv" for row in truths}
    curves = {key: list(csv.DictReader(path.open())) for key, path in curves.items() if path.exists()}
    curves = {key: points for key, points in curves.items() if points}
    rows = [("reads, of the logs with a curve", f"{sum(raw[key] is not None for key in curves)} of {len(curves)}")]
    if isinstance(tool, Converge):
        return rows + judge({key: answer or NOTHING for key, answer in raw.items()}, truths)
    clean = {
        key: tool.curve(curves[key], "eval_error" if direction.get(key) == "lower" else "eval_accuracy")
        if key in curves else NOTHING
        for key in raw
    }  # fmt: skip
    mixed = judge({key: answer or clean[key] for key, answer in raw.items()}, truths)
    return rows + mixed + [("macro-F1, given all as curves", judge(clean, truths)[0][1])]


def load_runs(folder):
    """The runs without their epoch 0, which is before training."""
    runs = json.loads((folder / "index.json").read_text())
    for run in runs:
        run["rows"] = list(csv.DictReader((folder / run["file"]).open()))[1:]
        run["validation"] = [float(row["val_loss"] or "nan") for row in run["rows"]]
        run["setting"] = run["problem"], run["optimizer"], run["lr"]
    return runs


def on_runs(tool, runs, every):
    """Labels that change without the last one, two or three epochs; warnings on healthy runs at the tuned rate."""
    seeds = collections.Counter(run["setting"] for run in runs)
    flips, tuned, warned = [], 0, 0
    for run in [run for run in runs if len(run["rows"]) >= 20][::every]:
        whole, *shorter = [tool.run(run, run["rows"][: len(run["rows"]) - dropped]) for dropped in range(4)]
        flips += [answer.label != whole.label for answer in shorter]
        if seeds[run["setting"]] >= 10:
            tuned += 1
            warned += whole.warns and whole.label != "overfitting"
    return [
        ("labels that flip", f"{statistics.mean(flips):.1%}"),
        ("warnings on healthy runs", f"{warned} of {tuned}"),
    ]


def on_forecasts(tool, runs, every):
    """Would as many epochs again lower the best validation loss by more than 2 % and two deviations over seeds?"""
    seeds = collections.Counter(run["setting"] for run in runs)
    tuned = collections.defaultdict(list)
    for run in runs:
        if seeds[run["setting"]] >= 10 and all(map(math.isfinite, run["validation"])):
            tuned[run["setting"][:2]].append(run["validation"])
    noise = {}
    for key, curves in tuned.items():
        length = min(map(len, curves))
        late = range(length - length // 3, length)
        noise[key] = statistics.median(statistics.stdev(curve[t] for curve in curves) for t in late)
    cuts = [
        (run, n)
        for run in runs
        if all(map(math.isfinite, run["validation"]))
        for n in (10, 25, 50, 100)
        if 2 * n <= len(run["validation"])
    ][::every]
    said, right = 0, 0
    for run, n in cuts:
        best = min(run["validation"][:n])
        worthwhile = max(0.02 * abs(best), 2 * noise[run["setting"][:2]])
        helps = best - min(run["validation"][: 2 * n]) > worthwhile
        answer = tool.run(run, run["rows"][:n], "--horizon", n, "--worthwhile", repr(worthwhile))
        if answer.more is not None:
            said += 1
            right += answer.more == helps
    return [
        (f"says whether more epochs help, of {len(cuts):,}", f"{said / len(cuts):.0%}"),
        ("… and is right", f"{right / said:.0%}" if said else "–"),
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--converge", default="target/release/converge")
    parser.add_argument("--every", type=int, default=1, help="only every n-th log, run and cut, for a quick look")
    parser.add_argument("data", type=pathlib.Path)
    options = parser.parse_args()
    runs = load_runs(options.data / "deepobs")
    with tempfile.TemporaryDirectory() as folder:
        peers = [Peer(tool(), folder) for tool in (Trainproof, Runmedic, Epokio, FinetuneDoctor)]
        columns = {}
        for tool in [Converge(options.converge, folder), *peers]:
            print(tool.name, file=sys.stderr)
            columns[tool.name] = dict(
                on_logs(tool, options.data / "logs", options.every)
                + on_runs(tool, runs, options.every)
                + on_forecasts(tool, runs, options.every)
            )
    print("| |", " | ".join(columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for row in dict.fromkeys(row for column in columns.values() for row in column):
        print(f"| {row} |", " | ".join(column.get(row, "–") for column in columns.values()), "|")


if __name__ == "__main__":
    main()
