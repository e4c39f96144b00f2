"""PyTorch's answer to `converge train imdb`, `imdb-adam` and `sentiment-small`: same files, words, network and recipe.

    pip install -r requirements.txt
    python imdb_pytorch.py --data DIR --variant imdb-adam --seeds 1 2 3 --epochs 10 --threads 2

DIR holds aclImdb. `imdb-adam` and `sentiment-small` run torch.nn.LSTM on packed sequences; `imdb` has recurrent
dropout, which torch.nn.LSTM lacks, in a loop over the words, and Keras' RMSprop (alpha 0.9, epsilon 1e-7). Weights
start as Keras starts them. The fifth of the training reviews that validates is another draw than Converge's.
Made with Python 3.11.7, torch 2.15.0.
"""

import argparse
import collections
import copy
import pathlib
import re
import statistics
import time
import typing

import torch
from torch import nn

import supervised


class Variant(typing.NamedTuple):
    """What an experiment's file says. With `beginning`, texts are their first words, rarer words being id 1, else
    their last known words."""

    vocabulary: int = 10_000
    length: int = 200
    width: int = 128
    hidden: int = 64
    dropout: float = 0.2
    recurrent_dropout: float = 0.0
    beginning: bool = False

    def first_word(self):
        return 2 if self.beginning else 1


VARIANTS = {
    "imdb": Variant(recurrent_dropout=0.2),
    "imdb-adam": Variant(),
    "sentiment-small": Variant(vocabulary=1_000, length=20, width=16, hidden=32, dropout=0.0, beginning=True),
}
SEPARATORS = re.compile(r"""[ !"#$%&()*+,\-./:;<=>?@\[\\\]^_`{|}~\t\n]+""")


def words(text):
    text = re.sub(r"<br ?/?>", " ", text.lower())
    return [word for word in SEPARATORS.split(text) if word]


def read(folder):
    """Texts as lists of words, and labels: 0 for neg, 1 for pos."""
    samples = [
        (words(path.read_text(errors="replace")), label)
        for label, name in enumerate(["neg", "pos"])
        for path in sorted((folder / name).glob("*.txt"))
    ]
    return [text for text, _ in samples], torch.tensor([label for _, label in samples], dtype=torch.float32)


def encode(texts, ids, variant):
    """The ids of each text's words, then padding, and how many words there are."""
    rows = torch.zeros(len(texts), variant.length, dtype=torch.long)
    lengths = torch.zeros(len(texts), dtype=torch.long)
    for row, text in enumerate(texts):
        if variant.beginning:
            known = [ids.get(word, 1) for word in text[: variant.length]]
        else:
            known = [ids[word] for word in text if word in ids][-variant.length :]
        rows[row, : len(known)] = torch.tensor(known, dtype=torch.long)
        lengths[row] = len(known)
    return rows, lengths.clamp(min=1)


class Network(nn.Module):
    def __init__(self, variant):
        super().__init__()
        width, hidden = variant.width, variant.hidden
        self.embedding = nn.Embedding(variant.vocabulary, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.output = nn.Linear(hidden, 1)
        self.variant = variant
        nn.init.uniform_(self.embedding.weight, -0.05, 0.05)
        bound = (6 / (width + 4 * hidden)) ** 0.5
        nn.init.uniform_(self.lstm.weight_ih_l0, -bound, bound)
        nn.init.orthogonal_(self.lstm.weight_hh_l0)
        for bias in (self.lstm.bias_ih_l0, self.lstm.bias_hh_l0):
            nn.init.zeros_(bias)
        with torch.no_grad():
            self.lstm.bias_ih_l0[hidden : 2 * hidden] = 1
        self.lstm.bias_hh_l0.requires_grad_(False)  # one bias, as in Keras
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, rows, lengths):
        x = self.embedding(rows)
        if self.variant.dropout and self.training:
            x = x * mask(len(rows), 1, self.variant.width, share=self.variant.dropout)
        if self.variant.recurrent_dropout and self.training:
            return self.output(self.by_steps(x, lengths)).squeeze(1)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(packed)
        return self.output(state[-1]).squeeze(1)

    def by_steps(self, x, lengths):
        hidden = self.variant.hidden
        dropped = mask(len(x), hidden, share=self.variant.recurrent_dropout)
        projected = x @ self.lstm.weight_ih_l0.T + self.lstm.bias_ih_l0
        state = cell = torch.zeros(len(x), hidden)
        for step in range(int(lengths.max())):
            gates = projected[:, step] + (state * dropped) @ self.lstm.weight_hh_l0.T
            i, f, g, o = gates.chunk(4, 1)
            moved = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            counts = (step < lengths).unsqueeze(1)
            cell = torch.where(counts, moved, cell)
            state = torch.where(counts, o.sigmoid() * moved.tanh(), state)
        return state


def mask(*shape, share):
    return torch.bernoulli(torch.full(shape, 1 - share)) / (1 - share)


@torch.no_grad()
def evaluate(model, rows, lengths, labels):
    model.eval()
    logits = torch.cat([model(*part) for part in zip(rows.split(500), lengths.split(500))])
    loss = nn.functional.binary_cross_entropy_with_logits(logits, labels).item()
    return loss, ((logits > 0).float() == labels).float().mean().item()


def fit(options, seed, train, validation, test):
    torch.manual_seed(seed)
    model = Network(VARIANTS[options.variant])
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = (
        torch.optim.RMSprop(trained, lr=1e-3, alpha=0.9, eps=1e-7)
        if options.variant == "imdb"
        else torch.optim.Adam(trained, lr=1e-3)
    )
    best_loss, best_epoch, best = float("inf"), 0, None
    for epoch in range(1, options.epochs + 1):
        started = time.perf_counter()
        model.train()
        for rows, lengths, labels in supervised.batches(train, options):
            loss = nn.functional.binary_cross_entropy_with_logits(model(rows, lengths), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        seconds = time.perf_counter() - started
        val_loss, val_accuracy = evaluate(model, *validation)
        if val_loss < best_loss:
            best_loss, best_epoch, best = val_loss, epoch, copy.deepcopy(model.state_dict())
        print(f"seed {seed} epoch {epoch:2} val_loss {val_loss:.4f} val_accuracy {val_accuracy:.4f} "
              f"train_seconds {seconds:.1f}", flush=True)
        if epoch - best_epoch >= 3:
            break
    model.load_state_dict(best)
    accuracy = evaluate(model, *test)[1]
    print(f"seed {seed} test accuracy {accuracy:.4f} at best val_loss (epoch {best_epoch})", flush=True)
    return accuracy


def main():
    parser = argparse.ArgumentParser(description="IMDB with an LSTM")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder holding aclImdb")
    parser.add_argument("--variant", choices=VARIANTS, default="imdb")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    supervised.batching_arguments(parser, ["tensors", "index"])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    (texts, labels), (test_texts, test_labels) = (read(options.data / "aclImdb" / part) for part in ["train", "test"])
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(42)).tolist()
    held = len(texts) // 5
    counts = collections.Counter(word for index in order[:-held] for word in texts[index])
    variant = VARIANTS[options.variant]
    frequent = counts.most_common(variant.vocabulary - variant.first_word())
    ids = {word: number for number, (word, _) in enumerate(frequent, variant.first_word())}
    rows, lengths = encode(texts, ids, variant)
    parts = [tuple(tensor[part] for tensor in (rows, lengths, labels)) for part in (order[:-held], order[-held:])]
    test = (*encode(test_texts, ids, variant), test_labels)
    print(f"torch {torch.__version__}, {options.threads} threads, {options.variant}", flush=True)
    accuracies = [fit(options, seed, *parts, test) for seed in options.seeds]
    deviation = statistics.stdev(accuracies) if len(accuracies) > 1 else 0.0
    print(f"mean test accuracy {statistics.mean(accuracies):.4f} (standard deviation {deviation:.4f})")


main()
