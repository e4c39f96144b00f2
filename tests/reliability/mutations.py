"""Changes of bytes and of text, as broken tools, disks and people make them; none where `random` is `None`."""

import re

NUMBERS = (
    "0 -1 1 255 256 65536 2147483648 4294967295 9223372036854775807 18446744073709551616 99999999999999999999999 "
    "1e308 1e400 -1e400 nan NaN inf -inf -0.0 1e-320 3.5 0x10 1_000 null true \"\" \"a\" [] {} [1,2]"
).split()
ODD = [*"\0\r\"',=[]\ufeff𝕏\t\n#\\-.;\u202e", "../"]
EXTREME = [0, 1, 2**16, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 1]


def mutate_bytes(data, random, head=None):
    """`data` with a few bytes changed; mostly of the first `head`."""
    if not random:
        return data
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 4])):
        if not data:
            break
        end = min(head, len(data)) if head and random.random() < 0.8 else len(data)
        at, size = random.randrange(end), random.choice([1, 2, 4, 8, 64])
        other = random.randrange(len(data))
        match random.randrange(9):
            case 0: data[at] ^= 1 << random.randrange(8)
            case 1: data[at] = random.choice([0, 1, 127, 128, 255])
            case 2: del data[at:]
            case 3: del data[at:at + size]
            case 4: data[at:at] = random.randbytes(size)
            case 5: data[at:at] = data[other:other + 3 * size]
            case 6:
                size, order = random.choice([4, 8]), random.choice(["little", "big"])
                data[at:at + size] = (random.choice(EXTREME) % 256**size).to_bytes(size, order)
            case 7: data[at:at + size] = bytes(size)
            case 8: data[at:at + size] = data[other:other + size]
    return bytes(data)


def mutate_text(text, random, values=NUMBERS):
    """`text` with a number, a word, a character or a line changed."""
    if not random:
        return text
    for _ in range(random.choice([1, 1, 2, 3])):
        lines, at = text.split("\n"), random.randrange(len(text) + 1)
        line, other = random.randrange(len(lines)), random.randrange(len(lines))
        numbers = list(re.finditer(r"-?\d+(\.\d+)?(e-?\d+)?", text))
        words = list(re.finditer(r"\"[^\"\n]*\"|\b[A-Za-z_]+\b", text))
        change = random.randrange(9)
        if change < 4 and numbers:
            number = random.choice(numbers)
            text = text[:number.start()] + random.choice(values) + text[number.end():]
        elif change == 4 and words:
            word, instead = random.choice(words), random.choice(words).group()
            text = text[:word.start()] + instead + text[word.end():]
        elif change == 5:
            text = text[:at] + random.choice(ODD) + text[at:]
        elif change == 6:
            text = text[:at]
        elif change == 7:
            lines.insert(line, lines.pop(other))
            text = "\n".join(lines)
        else:
            lines[line:line + 1] = random.choice([[], [lines[line]] * 2])
            text = "\n".join(lines)
    return text


def mutate_file(path, random, head=None, text=0.7):
    """Mutates a file, as text in so many cases."""
    if not random:
        return
    data = path.read_bytes()
    if random.random() < text:
        changed = mutate_text(data.decode("utf-8", "surrogateescape"), random).encode("utf-8", "surrogateescape")
    else:
        changed = mutate_bytes(data, random, head)
    path.unlink()
    path.write_bytes(changed)
