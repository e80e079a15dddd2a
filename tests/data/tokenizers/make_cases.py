# SPDX-License-Identifier: Apache-2.0
"""Makes the small tokenizers here and what Python's `tokenizers` and `tiktoken` make of texts:

    python tests/data/tokenizers/make_cases.py        (pip install tokenizers tiktoken)

byte_level.json and space_sign.json are trained on the text below; tekken.json has the tokens of the
former as bytes. cases.json holds, for each case, what is changed in a tokenizer and the ids (and the
byte ranges, where the library keeps whole ones) of every text. The C++ tests need no Python.
"""
import base64
import json
import os

import tiktoken
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

FOLDER = os.path.dirname(os.path.abspath(__file__))

TRAINING = """The instrument reads a long text and keeps what matters. We're sure it'll find the scarlet mirror, don't
worry; I'VE seen 12, 345 and 67890 of them. The tokens that matter settle early, layer after layer, and the
cache of keys and values shrinks to a tenth. def main():\n    return [x for x in range(10)]\n\n    # the end
Über die Brücke führt ein Weg, à côté de la forêt, très élégant, naïve café. Größe, Straße, ñandú.
Это текст о памяти и внимании. Он короткий. Память и внимание. 漢字と仮名 文字 漢字 한국어 텍스트 한국어 가 각
Ελληνικά κείμενα και λόγια. नमस्ते दुनिया नमस्ते। שלום עולם 😀😀 👍🏽 👍 the the the tokens tokens text text
"""

TEXTS = [
    "",
    " ",
    "a",
    "The instrument reads a long text.",
    "  leading and trailing  ",
    "line\nbreaks\r\n\r\n\n and\ttabs\t\t",
    "don't WE'LL I'Ve they'Re 'S 'ſ",
    "1 12 123 1234 12345678 ٣٤ ५६ ² ½ Ⅷ ⓐ",
    "naïve café cafe\u0301 A\u030a Å \u212b \ufb01n",
    "a\u0323\u0307 a\u0307\u0323 q\u0307\u0323 \u0344 \u0958 \u09c7\u09be",
    "한국어 \u1112\u1161\u11ab\u1100\u116e\u11a8 가\u11a8 각",
    "漢字と仮名、文字。　全角",
    "😀😀 👍🏽 👨\u200d👩\u200d👧 🇩🇪🇫🇷",
    "Это текст о памяти\u00a0и\u2003внимании",
    "mongolian\u180evowel\u0085next\u2028line\u200bzero",
    "<s>the text</s> <s> the",
    "<|end|><|end|>the<|end|> text <|end|>",
    "x<l> <l>y  <r>  z <b> w<b>  <b>",
    "word sword words word_ (word) word",
    "▁the ▁▁ Ġthe <0x0A> <0xE6>",
    "ĀāĂ\u0143\u0144 ¡¬\u00ad®",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbb",
    "f(x)=x**2+{y['k']}//#!? --- ... \"quoted\"",
    "\U00011f04\U00031350 \U0001fae8! \U00011f50\U00011f51",
    "HTTPServer camelCase Title İstanbul ΣΑΣ ǅ",
    "नमस्ते दुनिया। שלום עולם é\u0300\u0301",
    "\x00\x01\x7f \ufeff\ufffd \U0010ffff",
]

GPT4 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?"
          r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def trained_byte_level():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.train_from_iterator([TRAINING] * 4, trainers.BpeTrainer(
        vocab_size=560, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    t.decoder = decoders.ByteLevel()
    out = json.loads(t.to_str())
    out["pre_tokenizer"] = sequence(split(GPT4), byte_level(False))
    size = len(out["model"]["vocab"])
    out["added_tokens"] = [added(size, "<s>", special=True), added(size + 1, "<|end|>", special=True)]
    return out


def trained_space_sign():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    t.train_from_iterator([TRAINING] * 4, trainers.BpeTrainer(
        vocab_size=640, special_tokens=["<unk>", "<s>", "</s>"] + bytes_, limit_alphabet=90,
        show_progress=False))
    out = json.loads(t.to_str())
    out["pre_tokenizer"] = None
    out["added_tokens"] = [a for a in out["added_tokens"] if a["id"] < 3]
    out["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    return out


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def byte_level(regex, prefix=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": False, "use_regex": regex}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def normalizer(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def added(id_, content, **flags):
    return {"id": id_, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": False, **flags}


def flagged(base):
    """Added tokens with every flag, behind those of the base."""
    taken = base["model"]["vocab"]
    first = max(max(taken.values()), max(a["id"] for a in base["added_tokens"])) + 1
    new = [added(0, "<l>", lstrip=True), added(0, "<r>", rstrip=True),
           added(0, "<b>", lstrip=True, rstrip=True, special=True), added(0, "word", single_word=True),
           added(0, " y", normalized=True), added(0, "Title", normalized=True), added(0, "\n\n"),
           added(0, "É", normalized=True), added(0, "wor"), added(0, "<0x0A>x")]
    for i, token in enumerate(new):
        token["id"] = taken.get(token["content"], first + i)
    return base["added_tokens"] + new


def cases(byte, sign):
    b = "byte_level"
    s = "space_sign"
    bl = byte_level(False)
    metaspace = {"type": "Metaspace", "replacement": "▁"}
    sign_only = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    pre = lambda *steps: {"pre_tokenizer": sequence(*steps)}
    return [
        ("as it is", b, {}), ("gpt2", b, {"pre_tokenizer": byte_level(True)}),
        ("gpt2 with a space in front", b, {"pre_tokenizer": byte_level(True, True)}),
        ("repeats of repeats", b, pre(split(r"\p{N}{1,3}+|[^\r\n\p{L}\p{N}]?+\p{L}+|x{,2}"), bl)),
        ("three cuts", b, pre(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"),
                              split(r"\s?\p{L}+|\s+$|[!-/:-~]"), bl)),
        ("steps behind the bytes", b, pre({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(True),
                                          {"type": "Digits", "individual_digits": False}, split("[0-9][0-9]"))),
        ("single digits", b, pre({"type": "Digits", "individual_digits": True}, byte_level(True))),
        ("merged with previous", b, pre(split(" ", "MergedWithPrevious", kind="String"), bl)),
        ("merged with next", b, pre(split(r"[ \n]", "MergedWithNext"), bl)),
        ("contiguous", b, pre(split(r"\s", "Contiguous"), bl)),
        ("inverted and removed", b, pre(split(GPT4, "Removed", True), bl)),
        ("words and not words", b, pre(split(r"\w+|\W\s", "MergedWithPrevious", True), bl)),
        ("empty matches", b, pre(split("x*|(?<=[a-z])(?=[A-Z])"), bl)), ("lines", b, pre(split("^.|.$"), bl)),
        ("scripts", b, pre(split(r"\p{Han}+|\p{Hiragana}|\p{Letter}|\h\h|[\s\p{Nd}]|\u0041\x{73}"), bl)),
        ("sets within sets", b, pre(split(r"[\p{L}&&[^\p{Han}]]+|[^\p{L}\s&&[^.-9]]|[x-z[:punct:][0-3]]+|[^a[b\d]]"), bl)),
        ("white space", b, pre({"type": "Whitespace"}, bl)),
        ("removed white space", b, pre({"type": "WhitespaceSplit"}, bl)),
        ("bert", b, pre({"type": "BertPreTokenizer"}, bl)),
        ("delimiter", b, pre({"type": "CharDelimiterSplit", "delimiter": "e"}, byte_level(True, True))),
        ("NFC", b, {"normalizer": {"type": "NFC"}}), ("NFD", b, {"normalizer": {"type": "NFD"}}),
        ("NFKC", b, {"normalizer": {"type": "NFKC"}}), ("NFKD", b, {"normalizer": {"type": "NFKD"}}),
        ("lower case", b, {"normalizer": normalizer({"type": "NFC"}, {"type": "Lowercase"})}),
        ("no accents", b, {"normalizer": normalizer({"type": "NFD"}, {"type": "StripAccents"})}),
        ("stripped", b, {"normalizer": {"type": "Strip", "strip_left": True, "strip_right": True}}),
        ("replaced", b, {"normalizer": {"type": "Replace", "pattern": {"Regex": r" {2,}|\n+"}, "content": "\n"}}),
        ("bytes by the normaliser", b, {"normalizer": {"type": "ByteLevel"}, "pre_tokenizer": None}),
        ("words as they are", b, {"model": {"ignore_merges": True}}),
        ("added tokens", b, {"added_tokens": flagged(byte)}),
        ("added tokens in lower case", b, {"added_tokens": flagged(byte), "normalizer": {"type": "Lowercase"}}),
        ("as it is", s, {}), ("added tokens", s, {"added_tokens": flagged(sign)}),
        ("first sign", s, {"normalizer": None, "pre_tokenizer": {**metaspace, "prepend_scheme": "first", "split": False}}),
        ("every sign", s, {"normalizer": None, "pre_tokenizer": {**metaspace, "prepend_scheme": "always", "split": True}}),
        ("no sign", s, {"normalizer": sign_only, "pre_tokenizer": {**metaspace, "prepend_scheme": "never", "split": True}}),
        ("gemma", s, {"normalizer": sign_only, "pre_tokenizer": split(" ", "MergedWithPrevious", kind="String")}),
        ("no bytes", s, {"model": {"byte_fallback": False}}),
        ("unknown one by one", s, {"model": {"byte_fallback": False, "fuse_unk": False}}),
        ("unknown dropped", s, {"model": {"byte_fallback": False, "unk_token": None}}),
    ]


def changed(base, changes):
    out = {**base, **{k: v for k, v in changes.items() if k != "model"}}
    out["model"] = {**base["model"], **changes.get("model", {})}
    return out


def byte_ranges(text, encoding):
    at = [0]
    for c in text:
        at.append(at[-1] + len(c.encode()))
    return [[at[a], at[b]] for a, b in encoding.offsets]


def byte_of():
    out, extra = {}, 0
    for b in range(256):
        if 0x21 <= b <= 0x7E or (b >= 0xA1 and b != 0xAD):
            out[chr(b)] = b
        else:
            out[chr(256 + extra)], extra = b, extra + 1
    return out


def tekken(byte):
    """The byte tokens in order, as a tekken file spells them; two more than the model uses."""
    table = byte_of()
    ids = sorted(byte["model"]["vocab"], key=byte["model"]["vocab"].get)
    tokens = [bytes(table[c] for c in token) for token in ids]
    tokens = sorted((t for t in tokens if len(t) == 1)) + [t for t in tokens if len(t) > 1]
    vocab = [{"rank": i, "token_bytes": base64.b64encode(t).decode(),
              "token_str": t.decode("utf-8", "replace")} for i, t in enumerate(tokens)]
    specials = 24
    config = {"pattern": TEKKEN, "num_vocab_tokens": len(tokens), "default_vocab_size": len(tokens) - 2 + specials,
              "default_num_special_tokens": specials, "version": "v3"}
    encoding = tiktoken.Encoding("small", pat_str=TEKKEN, special_tokens={},
                                 mergeable_ranks={t: i for i, t in enumerate(tokens[:-2])})
    texts = [t for t in TEXTS if "<s>" not in t]
    return ({"config": config, "vocab": vocab},
            {"name": "tekken", "base": "tekken", "changes": {}, "texts": texts,
             "ids": [[i + specials for i in encoding.encode(t)] for t in texts]})


def write(name, value):
    with open(os.path.join(FOLDER, name), "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def main():
    byte, sign = trained_byte_level(), trained_space_sign()
    bases = {"byte_level": byte, "space_sign": sign}
    out = []
    for name, base, changes in cases(byte, sign):
        full = changed(bases[base], changes)
        t = Tokenizer.from_str(json.dumps(full))
        encodings = [t.encode(text, add_special_tokens=False) for text in TEXTS]
        case = {"name": name, "base": base, "changes": changes, "ids": [e.ids for e in encodings]}
        if base == "byte_level" and full["normalizer"] is None and "space in front" not in name and name != "delimiter":
            case["bytes"] = [byte_ranges(text, e) for text, e in zip(TEXTS, encodings)]
        out.append(case)
    tekken_file, tekken_case = tekken(byte)
    write("byte_level.json", byte)
    write("space_sign.json", sign)
    write("tekken.json", tekken_file)
    write("cases.json", {"texts": TEXTS, "cases": out + [tekken_case]})


main()
