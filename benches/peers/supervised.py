"""The training loop that PyTorch's peers share: whole data set in memory, Adam, best epoch by validation loss.

Epoch losses are averaged as Keras and Converge average them: over the images, while the weights move.
"""

import argparse
import copy
import pathlib
import statistics
import time

import torch
from PIL import Image
from torch import nn
from torchvision.transforms import ToTensor


def arguments(description, epochs, learning_rate=1e-3):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="folder holding the data set's folder")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=learning_rate)
    parser.add_argument("--threads", type=int, default=2)
    batching_arguments(parser, ["images", "tensors", "index"])
    return parser.parse_args()


def batching_arguments(parser, ways):
    parser.add_argument("--batches", choices=ways, default="index", help=batches.__doc__)


class Images(torch.utils.data.Dataset):
    """Images and labels one at a time, by Pillow and ToTensor, as torchvision's MNIST and CIFAR10 have them."""

    def __init__(self, pixels, labels):
        self.pixels = (pixels.permute(0, 2, 3, 1) if pixels.dim() == 4 else pixels).contiguous().numpy()
        self.labels, self.to_tensor = labels, ToTensor()

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.to_tensor(Image.fromarray(self.pixels[index])), int(self.labels[index])


def scaled(pixels):
    """Bytes 0..255 to floats 0..1; floats are so already."""
    return pixels if pixels.is_floating_point() else pixels.float() / 255


def batches(parts, options):
    """Shuffled batches of an epoch: from a DataLoader of images (PyTorch's tutorials), or of tensors in memory; or by
    index from these tensors, without DataLoader."""
    if options.batches != "index":
        dataset = (Images if options.batches == "images" else torch.utils.data.TensorDataset)(*parts)
        return torch.utils.data.DataLoader(dataset, options.batch_size, shuffle=True)
    chosen = torch.randperm(len(parts[0])).split(options.batch_size)
    return (tuple(part[indices] for part in parts) for indices in chosen)


@torch.no_grad()
def evaluate(model, inputs, labels):
    """Mean cross-entropy and accuracy in evaluation mode."""
    model.eval()
    loss = correct = 0.0
    for x, y in zip(inputs.split(500), labels.split(500)):
        logits = model(scaled(x))
        loss += nn.functional.cross_entropy(logits, y, reduction="sum").item()
        correct += (logits.argmax(1) == y).sum().item()
    return loss / len(labels), correct / len(labels)


def fit(build_model, seed, train, validation, test, options):
    """Trains one model and returns its test accuracy after the last epoch and at the best validation loss."""
    torch.manual_seed(seed)
    model = build_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=options.learning_rate, betas=(0.9, 0.999), eps=1e-8)
    best_loss, best_epoch, best_weights = float("inf"), 0, None
    for epoch in range(1, options.epochs + 1):
        started = time.perf_counter()
        model.train()
        loss_sum = correct = 0.0
        for x, y in batches(train, options):
            logits = model(scaled(x))
            loss = nn.functional.cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(y)
            correct += (logits.argmax(1) == y).sum().item()
        count = len(train[1])
        seconds = time.perf_counter() - started
        val_loss, val_accuracy = evaluate(model, *validation)
        if val_loss < best_loss:
            best_loss, best_epoch, best_weights = val_loss, epoch, copy.deepcopy(model.state_dict())
        print(
            f"seed {seed} epoch {epoch:2} loss {loss_sum / count:.4f} accuracy {correct / count:.4f} "
            f"val_loss {val_loss:.4f} val_accuracy {val_accuracy:.4f} train_seconds {seconds:.3f}",
            flush=True,
        )
    last = evaluate(model, *test)
    model.load_state_dict(best_weights)
    best = evaluate(model, *test)
    print(
        f"seed {seed} test after epoch {options.epochs}: loss {last[0]:.4f} accuracy {last[1]:.4f}; "
        f"at best val_loss (epoch {best_epoch}): loss {best[0]:.4f} accuracy {best[1]:.4f}",
        flush=True,
    )
    return last[1], best[1]


def run(build_model, train, validation, test, options):
    """One training per seed, then a line with the mean test accuracies."""
    torch.set_num_threads(options.threads)
    parameters = sum(p.numel() for p in build_model().parameters())
    print(f"torch {torch.__version__}, {options.threads} threads, {parameters} parameters")
    print(f"{len(train[1])} training, {len(validation[1])} validation, {len(test[1])} test images", flush=True)
    summarise((fit(build_model, seed, train, validation, test, options) for seed in options.seeds), options)


def spread(values):
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):.4f} (standard deviation {deviation:.4f})"


def summarise(accuracies, options):
    """A line with the means of what `fit` returned for each seed."""
    last, best = zip(*accuracies)
    print(
        f"mean test accuracy over {len(last)} seeds: {spread(last)} after epoch {options.epochs}, "
        f"{spread(best)} at best val_loss"
    )
