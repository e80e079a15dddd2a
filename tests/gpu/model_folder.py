#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a folder as Hugging Face has it, in the shape of LLaMA-3.1-8B with random weights, and runs a long prompt on it.

    model_folder.py FASTKV FOLDER [--device cuda:0] [--words 11540]

The folder (16.1 GB: config, generation config, a byte-level tokenizer.json of 128,256 tokens, four shards and their index) is
written when it is not there. Then its pages are put out of the system's cache, and `fastkv profile` loads the folder and runs
the prompt; right before and after, a shard is read without any program of ours, for the disk's own rate. Prints one JSON object.
Needs Python with PyTorch, for the random numbers alone.
"""

import argparse
import json
import os
import random
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

LAYERS, HIDDEN, MLP, HEADS, KV_HEADS, HEAD_DIM, VOCABULARY = 32, 4096, 14336, 32, 8, 128, 128256
SPECIAL = 256  # of the vocabulary, at its end
SHARDS = 4

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "hidden_act": "silu",
    "num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "intermediate_size": MLP, "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS, "vocab_size": VOCABULARY, "max_position_embeddings": 131072, "rms_norm_eps": 1e-5,
    "rope_theta": 500000.0, "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False,
    "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009],
    "rope_scaling": {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                     "original_max_position_embeddings": 8192, "rope_type": "llama3"},
}


def byte_letters():
    """The letters that stand for bytes in byte-level vocabularies: printable ones for themselves, others from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, spare = {}, 256
    for byte in range(256):
        letters[byte] = chr(byte) if byte in plain else chr(spare)
        spare += byte not in plain
    return letters


def tokenizer():
    """Every byte, every pair of bytes, then pairs with a further byte: a vocabulary of the full size without a corpus."""
    letters = [byte_letters()[b] for b in range(256)]
    common = [byte_letters()[b] for b in b"etaoinshrdlucmfwygpbvk,. \n"]
    tokens = list(letters)
    merges = []
    known = set(tokens)

    def merge(left, right):
        if len(tokens) < VOCABULARY - SPECIAL and left + right not in known:
            merges.append([left, right])
            tokens.append(left + right)
            known.add(left + right)

    pairs = [(a, b) for a in common for b in common] + [(a, b) for a in letters for b in letters]
    for a, b in pairs:
        merge(a, b)
    for pair in list(tokens[256:]):
        for letter in common:
            merge(pair, letter)
    names = ["<|begin_of_text|>", "<|end_of_text|>"] + [f"<|reserved_{i}|>" for i in range(SPECIAL - 2)]
    names[8], names[9] = "<|eom_id|>", "<|eot_id|>"
    added = [{"id": VOCABULARY - SPECIAL + i, "content": n, "single_word": False, "lstrip": False, "rstrip": False,
              "normalized": False, "special": True} for i, n in enumerate(names)]
    words = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+"
    bos = [{"SpecialToken": {"id": names[0], "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": words}, "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "post_processor": {"type": "TemplateProcessing", "single": bos, "pair": bos,
                           "special_tokens": {names[0]: {"id": names[0], "ids": [VOCABULARY - SPECIAL], "tokens": [names[0]]}}},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges},
    }


def tensors():
    yield "model.embed_tokens.weight", (VOCABULARY, HIDDEN)
    for layer in range(LAYERS):
        p = f"model.layers.{layer}."
        yield p + "input_layernorm.weight", (HIDDEN,)
        yield p + "self_attn.q_proj.weight", (HEADS * HEAD_DIM, HIDDEN)
        yield p + "self_attn.k_proj.weight", (KV_HEADS * HEAD_DIM, HIDDEN)
        yield p + "self_attn.v_proj.weight", (KV_HEADS * HEAD_DIM, HIDDEN)
        yield p + "self_attn.o_proj.weight", (HIDDEN, HEADS * HEAD_DIM)
        yield p + "post_attention_layernorm.weight", (HIDDEN,)
        yield p + "mlp.gate_proj.weight", (MLP, HIDDEN)
        yield p + "mlp.up_proj.weight", (MLP, HIDDEN)
        yield p + "mlp.down_proj.weight", (HIDDEN, MLP)
    yield "model.norm.weight", (HIDDEN,)
    yield "lm_head.weight", (VOCABULARY, HIDDEN)


def count(shape):
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def write_shard(path, entries, torch):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in entries:
        size = 2 * count(shape)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name, shape in entries:
            if len(shape) == 1:
                values = torch.ones(shape, dtype=torch.bfloat16)
            else:
                values = (torch.randn(shape, device=device) * 0.02).to(torch.bfloat16).cpu()
            f.write(memoryview(values.contiguous().view(torch.uint8).numpy()))
        f.flush()
        os.fsync(f.fileno())
    return at


def make(folder):
    import torch
    torch.manual_seed(1)
    os.makedirs(folder, exist_ok=True)
    entries = list(tensors())
    share = sum(2 * count(s) for _, s in entries) / SHARDS
    where, total, shard, filled = {}, 0, [], 0
    shards = []
    for entry in entries:
        shard.append(entry)
        filled += 2 * count(entry[1])
        if filled >= share * (len(shards) + 1) or entry is entries[-1]:
            shards.append(shard)
            shard = []
    for i, shard in enumerate(shards):
        name = f"model-{i + 1:05}-of-{len(shards):05}.safetensors"
        total += write_shard(os.path.join(folder, name), shard, torch)
        where.update({tensor: name for tensor, _ in shard})
    files = {
        "config.json": CONFIG,
        "generation_config.json": {"bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009]},
        "tokenizer.json": tokenizer(),
        "tokenizer_config.json": {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"},
        "model.safetensors.index.json": {"metadata": {"total_size": total}, "weight_map": where},
    }
    for name, content in files.items():  # the index last: a folder with one is complete
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            json.dump(content, f)


def shards_of(folder):
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(".safetensors"))


def forget(paths):
    """Puts the files' pages out of the system's cache."""
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def disk_rate(path, readers=8, piece=16 << 20):
    """GB/s of reading the file by several readers, which is the most that this disk gives."""
    size = os.path.getsize(path)

    def read(at):
        fd = os.open(path, os.O_RDONLY)
        got = len(os.pread(fd, min(piece, size - at), at))
        os.close(fd)
        return got

    begin = time.monotonic()
    with ThreadPoolExecutor(readers) as pool:
        total = sum(pool.map(read, range(0, size, piece)))
    return total / (time.monotonic() - begin) / 1e9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fastkv")
    parser.add_argument("folder")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--words", type=int, default=11540)
    a = parser.parse_args()
    if not os.path.exists(os.path.join(a.folder, "model.safetensors.index.json")):
        make(a.folder)
    rng = random.Random(1)
    words = ["the", "token", "layer", "importance", "settles", "head", "keeps", "budget", "cache", "of", "and", "a"]
    prompt = os.path.join(a.folder, "prompt.txt")
    with open(prompt, "w", encoding="utf-8") as f:
        f.write(" ".join(rng.choice(words) for _ in range(a.words)))
    shards = shards_of(a.folder)
    size = sum(map(os.path.getsize, shards))
    report = {"folder_bytes": size}
    for key, cold in (("cold", True), ("cold_again", True), ("cached", False)):
        if cold:
            forget(shards)
            disk = [disk_rate(shards[0])]
            forget(shards)
        else:
            for shard in shards:
                disk_rate(shard)
        done = subprocess.run([a.fastkv, "profile", "--model", a.folder, "--prompt-file", prompt, "--device", a.device,
                               "--generate", "32", "--json"], stdout=subprocess.PIPE, check=True)
        result = json.loads(done.stdout)
        seconds = result["timing"]["load_ms"] / 1e3
        report[key] = {"load_s": round(seconds, 2), "load_gb_per_s": round(size / seconds / 1e9, 2),
                       "prompt_tokens": result["prompt"]["tokens"], "full_prefill_ms": result["full"]["prefill_ms"],
                       "fastkv_prefill_ms": result["fastkv"]["prefill_ms"],
                       "decode_ms_per_token": [result["full"]["decode_ms_per_token"],
                                               result["fastkv"]["decode_ms_per_token"]]}
        if cold:
            forget(shards)
            report[key]["disk_gb_per_s"] = [round(rate, 2) for rate in disk + [disk_rate(shards[-1])]]
    print(json.dumps(report))


if __name__ == "__main__":
    sys.exit(main())
