# SPDX-License-Identifier: Apache-2.0
"""Training documents of the demo model: book text with facts hidden in it, as token ids.

A document is (ids, loss weights, answer spans). Facts are inserted between two sentences of a
paragraph, each with the space that precedes a sentence, so the ids equal those of the whole text.
"""
from __future__ import annotations

import glob
import os
import random
import re
import shutil
import tempfile
from dataclasses import dataclass

import numpy as np
import sentencepiece as spm
import torch

from facts import random_fact

# Loss weight of a token by what it is: answers count most, text hardly.
W_TEXT, W_NEWLINE, W_ANSWER, W_AFTER, W_PLAIN = 0.1, 0.5, 2.0, 1.0, 0.5


# ---------------------------------------------------------------------------------------- text

def clean(text: str) -> str:
    """One line a paragraph: lone newlines become spaces, blank lines one; no underscores."""
    text = re.sub(r"(?<!\n)\n(?!\n)", " ", text.replace("\r", ""))
    text = re.sub(r"\n{2,}", "\n", text)
    return re.sub(r" {2,}", " ", text).replace("_", "")


def read_books(folder: str) -> tuple[int, str]:
    paths = sorted(glob.glob(os.path.join(folder, "*.txt")))
    if not paths:
        raise SystemExit(f"train.py: no .txt files in {folder}")
    raw = ""
    for path in paths:
        with open(path, encoding="utf-8", errors="ignore") as file:
            raw += file.read() + "\n\n"
    return len(paths), clean(raw)


def train_tokenizer(text: str, out_path: str, vocab: int, threads: int) -> None:
    """BPE over the books and 60,000 random facts; identity normalisation, so that text survives."""
    rng = random.Random(1)
    lines = text.split("\n")
    rng.shuffle(lines)
    lines = lines[:400000]
    for _ in range(60000):
        f = random_fact(rng)
        lines.append(f"{f.statement} Question: {f.question} Answer: {f.answer}")
    with tempfile.TemporaryDirectory() as folder:
        source, prefix = os.path.join(folder, "lines.txt"), os.path.join(folder, "spm")
        with open(source, "w", encoding="utf-8") as file:
            file.write("\n".join(line for line in lines if line.strip()))
        spm.SentencePieceTrainer.train(
            input=source, model_prefix=prefix, vocab_size=vocab, model_type="bpe",
            byte_fallback=True, split_digits=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, character_coverage=0.9995, user_defined_symbols=["\n"],
            unk_id=0, bos_id=1, eos_id=2, pad_id=-1, num_threads=threads,
            input_sentence_size=400000, shuffle_input_sentence=True, minloglevel=2)
        shutil.copyfile(prefix + ".model", out_path)


class Tokenizer:
    """Encodes pieces of a document exactly as sentencepiece would encode the whole of it."""

    def __init__(self, path: str):
        self.sp = spm.SentencePieceProcessor(model_file=path)
        self.newline = self.sp.piece_to_id("\n")
        self.bos, self.eos = self.sp.bos_id(), self.sp.eos_id()
        pieces = [self.sp.id_to_piece(i) for i in range(len(self.sp))]
        self.starts_with_space = np.array([p.startswith("\u2581") for p in pieces])
        self.ends_with_dot = np.array([p.endswith(".") for p in pieces])

    def after_space(self, text: str) -> list[int]:
        return self.sp.encode(text)  # sentencepiece puts the space in front itself

    def after_newline(self, text: str) -> list[int]:
        ids = self.sp.encode("\n" + text)
        return ids[ids.index(self.newline) + 1:]

    def sentence_starts(self, ids: np.ndarray) -> np.ndarray:
        """Indices inside a paragraph where a fact may be inserted: after '.', before a space."""
        return np.nonzero(self.ends_with_dot[ids[:-1]] & self.starts_with_space[ids[1:]])[0] + 1


@dataclass
class Haystack:
    ids: np.ndarray   # tokens of many paragraphs, each closed by a newline
    cuts: np.ndarray  # sentence starts among them, far enough from the end

    @staticmethod
    def split(text: str, tok: Tokenizer, threads: int) -> tuple[Haystack, Haystack]:
        """Training part and the last 2 % for validation."""
        ids: list[int] = []
        paragraphs = ["\n" + p.strip() for p in text.split("\n") if p.strip()]
        for e in tok.sp.encode(paragraphs, num_threads=threads):
            ids += e[e.index(tok.newline) + 1:] + [tok.newline]
        every = np.array(ids, dtype=np.int32)
        cuts, cut_at = tok.sentence_starts(every), len(every) - len(every) // 50
        train, held = every[:cut_at], every[cut_at:]
        held_cuts = cuts[cuts >= cut_at] - cut_at
        far = held_cuts[held_cuts < len(held) - 9000]
        return (Haystack(train, cuts[cuts < cut_at - 20000]),
                Haystack(held, far if len(far) > 64 else held_cuts))


# ----------------------------------------------------------------------------------- documents

class DocumentMaker:
    """Draws training documents of a fixed length."""

    def __init__(self, tok: Tokenizer, hay: Haystack):
        self.tok, self.hay = tok, hay

    def text_of(self, rng: random.Random, count: int) -> np.ndarray:
        """`count` tokens of text in random runs of 1-6 sentences: no passage to memorise."""
        tok, ids, cuts, parts, have = self.tok, self.hay.ids, self.hay.cuts, [], 0
        while have < count:
            i = rng.randrange(len(cuts) - 8)
            run = ids[int(cuts[i]):int(cuts[i + rng.randrange(1, 7)])]
            joins_badly = (len(run) > 0 and tok.ends_with_dot[run[-1]]
                           and not tok.starts_with_space[run[0]])
            if 4 < len(run) < 400 and not joins_badly:
                parts.append(run)
                have += len(run)
        return np.concatenate(parts)[:count]

    def question(self, fact) -> tuple[list[int], list[int]]:
        ask = self.tok.after_newline("Question: " + fact.question) + [self.tok.newline]
        return ask + self.tok.after_newline("Answer:"), self.tok.after_space(fact.answer)

    def copying(self, rng, length):
        """A random run repeated: grows the induction heads that look-up is built from."""
        period = rng.randrange(16, max(17, length // 3))
        run = np.array([rng.randrange(300, len(self.tok.sp)) for _ in range(period)])
        ids = np.concatenate([[self.tok.bos], np.tile(run, length // period + 2)])[:length + 1]
        weights = np.ones(length + 1, np.float32)
        weights[:period + 1] = 0.0
        return ids, weights, []

    def recall(self, rng, length):
        """A few facts, then questions about them, again and again; no text between."""
        tok, ids, weights = self.tok, [self.tok.bos], [0.0]
        while len(ids) < length + 1:
            facts = {}
            for _ in range(rng.choice([1, 2, 4, 8])):
                f = random_fact(rng)
                facts.setdefault(f.key, f)
            order = list(facts.values())
            for n, f in enumerate(order):
                first_of_line = n == 0 and len(ids) > 1
                e = (tok.after_newline if first_of_line else tok.after_space)(f.statement)
                ids += e
                weights += [W_TEXT] * len(e)
            ids.append(tok.newline)
            weights.append(W_NEWLINE)
            rng.shuffle(order)
            for f in order:
                ask, answer = self.question(f)
                ids += ask + answer + [tok.newline]
                weights += [W_TEXT] * len(ask) + [W_ANSWER] * len(answer) + [W_AFTER]
        return np.array(ids[:length + 1]), np.array(weights[:length + 1], np.float32), []

    def plain(self, rng, length):
        cuts, ids = self.hay.cuts, self.hay.ids
        at = cuts[rng.randrange(len(cuts) // 2)] if rng.random() < 0.5 else rng.choice(cuts)
        at = min(int(at), len(ids) - length - 1)
        doc = np.concatenate([[self.tok.bos], ids[at:at + length]])[:length + 1]
        return doc, np.full(length + 1, W_PLAIN, np.float32), []

    def needles(self, rng, length, count, asked):
        """Facts hidden at random depths of a text, questions at the end: the form of later use."""
        facts, tok, count = {}, self.tok, min(count, max(1, length // 48))
        while len(facts) < count:
            f = random_fact(rng)
            facts.setdefault(f.key, f)
        facts = list(facts.values())
        tail, weights, spans = [tok.newline], [W_AFTER], []
        for f in rng.sample(facts, min(len(facts), asked)):
            ask, answer = self.question(f)
            spans.append((len(tail) + len(ask), len(answer)))
            tail += ask + answer + [tok.newline]
            weights += [W_TEXT] * len(ask) + [W_ANSWER] * len(answer) + [W_AFTER]
        tail += [tok.eos]
        weights += [W_AFTER]
        needles = [np.array(tok.after_space(f.statement), np.int32) for f in facts]
        room = length - len(tail) - sum(map(len, needles))
        if room < 8:
            return self.needles(rng, length, 1, 1)
        text = self.text_of(rng, room)
        cuts = tok.sentence_starts(text)
        cuts = cuts if len(cuts) else np.array([0])
        places = sorted(int(cuts[min(len(cuts) - 1, int(rng.random() * len(cuts)))])
                        for _ in needles)
        parts, last = [np.array([tok.bos])], 0
        for place, needle in zip(places, needles):
            parts += [text[last:place], needle]
            last = place
        body = np.concatenate(parts + [text[last:]])
        ids = np.concatenate([body, tail])[:length + 1]
        w = np.concatenate([np.full(len(body), W_TEXT), weights])[:length + 1]
        return ids, w.astype(np.float32), [(len(body) + at, n) for at, n in spans]

    def document(self, rng, length):
        """(ids, loss weights, answer spans); short contexts practise recall, long ones needles."""
        u = rng.random()
        if u < 0.05:
            return self.copying(rng, length)
        if u < (0.85 if length <= 256 else 0.2):
            return self.recall(rng, length)
        if u < 0.9 and rng.random() < 0.12:
            return self.plain(rng, length)
        count = rng.choice([1, 2, 4, 8, 12, 16, 24, 32])
        return self.needles(rng, length, count, rng.choice([1, 4, 8, 16]))


class Batches(torch.utils.data.IterableDataset):
    def __init__(self, maker: DocumentMaker, length: int, batch: int, seed: int):
        self.maker, self.length, self.batch, self.seed = maker, length, batch, seed

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        rng = random.Random(self.seed * 7919 + (worker.id if worker else 0))
        shape = (self.batch, self.length + 1)
        while True:
            ids = np.full(shape, self.maker.tok.newline, np.int64)
            weights = np.zeros(shape, np.float32)
            for row in range(self.batch):
                x, w, _ = self.maker.document(rng, self.length)
                ids[row, :len(x)], weights[row, :len(w)] = x, w
            yield torch.from_numpy(ids), torch.from_numpy(weights)
