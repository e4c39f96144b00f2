"""PyTorch's answer to `converge train transfer`: same images, pretrained weights, head and recipe.

    pip install -r requirements.txt
    python transfer_pytorch.py --data DIR --seeds 1 2 3 --epochs 10 --threads 2

DIR holds hymenoptera_data and mobilenet_v2, the weights with TensorFlow's padding. Their logits are checked against
mobilenet_v2/samples/logits.csv first. The frozen base sees every image once. As in Converge, a tenth of the training
images, drawn anew for each seed, validates; the draws are others.
Made with Python 3.11.7, torch 2.15.0, torchvision 0.29.2, numpy 2.4.6.
"""

import time

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn
from torchvision import transforms
from torchvision.models import mobilenet_v2

import supervised

TO_BYTES = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), transforms.PILToTensor()])


def pretrained(path):
    """MobileNetV2 whose convolutions of stride 2 pad as TensorFlow's: right and bottom, where sizes are even."""
    network = mobilenet_v2(weights=None)
    network.load_state_dict(load_file(path))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
            layer.padding = (0, 0)
            layer.register_forward_pre_hook(lambda _, inputs: nn.functional.pad(inputs[0], (0, 1, 0, 1)))
    return network.eval()


def image(path, to_bytes):
    return to_bytes(Image.open(path).convert("RGB")) / 127.5 - 1


@torch.inference_mode()
def check(network, folder):
    """Compares logits with those in logits.csv, relative to the largest of an image."""
    lines = (folder / "logits.csv").read_text().splitlines()[1:]
    names, expected = zip(*(line.split(",", 1) for line in lines))
    expected = torch.from_numpy(numpy.loadtxt(expected, delimiter=",", dtype=numpy.float32))
    found = network(torch.stack([image(folder / name, transforms.PILToTensor()) for name in names]))
    error = ((found - expected).abs().amax(1) / expected.abs().amax(1)).max().item()
    print(f"logits of {len(names)} samples: largest relative error {error:.1e}", flush=True)
    if not error < 1e-3:
        raise SystemExit("the network is not the one whose weights these are")


@torch.inference_mode()
def features(network, folder):
    """Pooled features of the images in CLASS/*, and classes."""
    started = time.perf_counter()
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    paths = [(path, label) for label, name in enumerate(classes) for path in sorted(name.glob("*.jpg"))]
    batches = (paths[start : start + 32] for start in range(0, len(paths), 32))
    loaded = (torch.stack([image(path, TO_BYTES) for path, _ in batch]) for batch in batches)
    pooled = torch.cat([network.features(x).mean((2, 3)) for x in loaded])
    seconds = time.perf_counter() - started
    print(f"features of {len(paths)} images in {folder.name}: {seconds:.1f} seconds", flush=True)
    return pooled, torch.tensor([label for _, label in paths])


def head():
    network = nn.Sequential(nn.Linear(1280, 1024), nn.ReLU(), nn.Linear(1024, 2))
    for parameter in network.parameters():
        nn.init.zeros_(parameter) if parameter.dim() == 1 else nn.init.xavier_uniform_(parameter)
    return network


def main():
    options = supervised.arguments("Ants and bees on MobileNetV2", epochs=10, learning_rate=1e-4)
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads", flush=True)
    network = pretrained(options.data / "mobilenet_v2" / "mobilenet_v2_same_padding.safetensors")
    check(network, options.data / "mobilenet_v2" / "samples")
    inputs, labels = features(network, options.data / "hymenoptera_data" / "train")
    test = features(network, options.data / "hymenoptera_data" / "val")

    def fit(seed):
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
        train, validation = order.tensor_split([len(labels) * 9 // 10])
        parts = [(inputs[chosen], labels[chosen]) for chosen in (train, validation)]
        return supervised.fit(head, seed, *parts, test, options)

    supervised.summarise(map(fit, options.seeds), options)


main()
