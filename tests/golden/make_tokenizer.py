"""Rows of word ids by Keras 2's Tokenizer and pad_sequences -> tokenizer.json

    pip install Keras-Preprocessing==1.1.2 numpy torch
    python tests/golden/make_tokenizer.py

Made with Python 3.11.7 and Keras-Preprocessing 1.1.2, the package that Keras 2 takes both from.
"""

import platform

import keras_preprocessing
import numpy
from keras_preprocessing.sequence import pad_sequences
from keras_preprocessing.text import Tokenizer

from formulas import write

# NumPy 2 no longer has the name that pad_sequences asks for.
numpy.unicode_ = numpy.str_

FITTED = [
    "The film was good, the acting was GOOD!",
    "not good; not bad... (just) a film<br /><br />about a man's life",
    "",
    "tabs\tand\nlines\r\nand\u00a0spaces  part or join words",
    "\u00c9mile na\u00efve \u0130stanbul \u039f\u0394\u039f\u03a3 \U0001d4d0 stra\u00dfe \u00abquoted\u00bb 3-4 1.5 a_b {x}|~`^",
    "bad bad film: it's 10/10 @ #1 & 50% <b>bold</b> \\ slash",
]
UNSEEN = [
    "a good film about nothing at all, was it not bad?",
    "zzz",
    "",
    "Good good GOOD bad film film the the was a man's life tabs and and words part \u00e9mile \u03bf\u03b4\u03bf\u03c2",
]
SIDES = {"before": "pre", "after": "post"}

cases = []
for vocabulary_size, out_of_vocabulary, length, pad, truncate in [
    (100, False, 12, "before", "before"),
    (100, True, 12, "after", "after"),
    (8, False, 5, "before", "after"),
    (8, True, 5, "after", "before"),
    (3, True, 1, "before", "before"),
]:
    tokenizer = Tokenizer(num_words=vocabulary_size, oov_token="<OOV>" if out_of_vocabulary else None)
    tokenizer.fit_on_texts(FITTED)
    sequences = tokenizer.texts_to_sequences(FITTED + UNSEEN)
    rows = pad_sequences(sequences, maxlen=length, padding=SIDES[pad], truncating=SIDES[truncate])
    words = [word for word, index in tokenizer.word_index.items() if index < vocabulary_size and word != "<OOV>"]
    cases.append(
        {
            "encoding": {
                "vocabulary_size": vocabulary_size,
                "length": length,
                "pad": pad,
                "truncate": truncate,
                "out_of_vocabulary": out_of_vocabulary,
                "replace_line_breaks": False,
            },
            "words": words,
            "sequences": sequences,
            "rows": rows.tolist(),
        }
    )

versions = {"python": platform.python_version(), "keras_preprocessing": keras_preprocessing.__version__}
write("tokenizer.json", {"versions": versions, "fitted": FITTED, "unseen": UNSEEN, "cases": cases})
