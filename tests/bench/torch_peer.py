#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times PyTorch's full-context prefill of the same model on the same tokens, on the CPU in float32.

    torch_peer.py --model DIR --ids-file IDS.json --tokens 1024,2048,4096,8192 --threads 2

A peer should be honest and fast: weights of q, k, v and of gate and up are fused, attention is
`scaled_dot_product_attention` with both ways of serving grouped queries tried at each length, the
causal kernel does no masked work, autograd is off, and only the last row reaches the LM head, as
in the program. Keys and values of every layer are kept, since decoding needs them.

Prints one JSON object a length: {"tokens", "ms" (median), "ms_min", "ms_max", "runs", "threads",
"gqa", "argmax", "top", "logits_sum", "logits_sha256"}. The hash is of the float32 logits, so it
tells two equal runs of this script from different ones; compare other programs by argmax, top and
the dumped logits (--logits FILE.npy, of the last length).
"""
import argparse
import hashlib
import json
import os
import statistics
import sys
import time


def parse_arguments():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--model", required=True, help="folder with config.json and *.safetensors")
    ap.add_argument("--ids-file", help="JSON array of token ids, cut to each length; "
                    "repeated when too short; default: a fixed pseudo-random sequence")
    ap.add_argument("--tokens", default="1024,2048,4096,8192", help="comma-separated lengths")
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--runs", type=int, default=5, help="timed runs; the median is reported")
    ap.add_argument("--warmup", type=int, default=1)
    ap.add_argument("--gqa", choices=["auto", "native", "expand"], default="auto",
                    help="grouped queries: SDPA's own, keys and values repeated, or the faster")
    ap.add_argument("--logits", help="write the last length's logits here (.npy)")
    return ap.parse_args()


ARGS = parse_arguments()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch is loaded
    os.environ[name] = str(ARGS.threads)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from safetensors import safe_open  # noqa: E402


class Llama:
    """The Llama forward pass over plain tensors; shapes are [tokens, features]."""

    def __init__(self, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            c = json.load(file)
        if c.get("rope_scaling"):
            raise SystemExit("torch_peer.py: error: RoPE scaling is not implemented here")
        if c.get("attention_bias") or c.get("mlp_bias"):
            raise SystemExit("torch_peer.py: error: biases are not implemented here")
        self.hidden, self.layers_count = c["hidden_size"], c["num_hidden_layers"]
        self.heads = c["num_attention_heads"]
        self.kv_heads = c.get("num_key_value_heads", self.heads)
        self.head_dim = c.get("head_dim") or self.hidden // self.heads
        self.eps, self.theta = c["rms_norm_eps"], c.get("rope_theta", 10000.0)
        self.vocab = c["vocab_size"]
        w = self.read(folder)
        self.embedding, self.norm = w["model.embed_tokens.weight"], w["model.norm.weight"]
        self.head = w.get("lm_head.weight", self.embedding)
        self.layers = [self.fuse(w, f"model.layers.{i}.") for i in range(self.layers_count)]
        half = torch.arange(0, self.head_dim, 2).float()
        self.inv_freq = 1.0 / (self.theta ** (half / self.head_dim))

    @staticmethod
    def read(folder):
        weights = {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".safetensors"):
                with safe_open(os.path.join(folder, name), "pt") as file:
                    for key in file.keys():
                        weights[key] = file.get_tensor(key).float()
        return weights

    @staticmethod
    def fuse(w, prefix):
        attn, mlp = prefix + "self_attn.", prefix + "mlp."
        return dict(
            qkv=torch.cat([w[attn + p + "_proj.weight"] for p in "qkv"]).contiguous(),
            out=w[attn + "o_proj.weight"],
            gate_up=torch.cat([w[mlp + "gate_proj.weight"], w[mlp + "up_proj.weight"]]),
            down=w[mlp + "down_proj.weight"], norm1=w[prefix + "input_layernorm.weight"],
            norm2=w[prefix + "post_attention_layernorm.weight"])

    def tables(self, count):
        """cos and sin [count, head_dim]; the first half of sin negated, for `rotate`."""
        angles = torch.outer(torch.arange(count).float(), self.inv_freq)
        cos, sin = angles.cos(), angles.sin()
        return torch.cat([cos, cos], -1), torch.cat([-sin, sin], -1)

    @staticmethod
    def rotate(x, cos, sin):
        half = x.shape[-1] // 2
        return torch.addcmul(x * cos, torch.roll(x, half, -1), sin)

    def attention(self, q, k, v, native):
        if native:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        group = self.heads // self.kv_heads
        shape = (1, self.kv_heads, group, k.shape[2], self.head_dim)
        k, v = (x[:, :, None].expand(shape).reshape(1, self.heads, -1, self.head_dim)
                for x in (k, v))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    def layer(self, w, x, cos, sin, native):
        """Returns the new rows and this layer's keys and values."""
        n, q_size, kv_size = x.shape[0], self.heads * self.head_dim, self.kv_heads * self.head_dim
        y = F.linear(F.rms_norm(x, (self.hidden,), w["norm1"], self.eps), w["qkv"])
        q, k, v = (part.view(1, n, -1, self.head_dim).transpose(1, 2)
                   for part in y.split([q_size, kv_size, kv_size], -1))
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        o = self.attention(q, k, v, native)
        x = torch.addmm(x, o.transpose(1, 2).reshape(n, q_size), w["out"].T)
        y = F.linear(F.rms_norm(x, (self.hidden,), w["norm2"], self.eps), w["gate_up"])
        gate, up = y.chunk(2, -1)
        return torch.addmm(x, F.silu(gate).mul_(up), w["down"].T), (k, v)

    def prefill(self, ids, native):
        """Logits of the last token [vocab] and the cache."""
        x, cache = self.embedding[ids], []
        cos, sin = self.tables(len(ids))
        for w in self.layers:
            x, kv = self.layer(w, x, cos, sin, native)
            cache.append(kv)
        last = F.rms_norm(x[-1], (self.hidden,), self.norm, self.eps)
        return F.linear(last, self.head), cache


def timed(model, ids, native, warmup, runs):
    """Milliseconds of each run and the logits of the last."""
    times, logits = [], None
    for run in range(warmup + runs):
        begin = time.perf_counter_ns()
        logits, cache = model.prefill(ids, native)
        end = time.perf_counter_ns()
        del cache
        if run >= warmup:
            times.append((end - begin) / 1e6)
    return times, logits


def read_ids(path, count, vocab):
    if not path:
        generator = torch.Generator().manual_seed(1)
        return torch.randint(3, vocab, (count,), generator=generator)
    with open(path, encoding="utf-8") as file:
        ids = json.load(file)
    if not ids:
        raise SystemExit(f"torch_peer.py: error: {path} holds no ids")
    return torch.tensor((ids * (count // len(ids) + 1))[:count])


def measure(model, ids):
    choices = {"native": [True], "expand": [False], "auto": [True, False]}[ARGS.gqa]
    if len(choices) > 1:  # the faster of the two, decided by one run each after a warm-up
        trial = {c: min(timed(model, ids, c, 1, 1)[0]) for c in choices}
        choices = [min(trial, key=trial.get)]
    times, logits = timed(model, ids, choices[0], ARGS.warmup, ARGS.runs)
    top = logits.topk(5)
    return logits, {
        "tokens": len(ids), "ms": round(statistics.median(times), 3),
        "ms_min": round(min(times), 3), "ms_max": round(max(times), 3), "runs": len(times),
        "threads": torch.get_num_threads(), "gqa": "native" if choices[0] else "expand",
        "argmax": int(top.indices[0]),
        "top": [[int(i), round(float(v), 4)] for i, v in zip(top.indices, top.values)],
        "logits_sum": round(float(logits.double().sum()), 4),
        "logits_sha256": hashlib.sha256(logits.numpy().tobytes()).hexdigest()}


def main():
    torch.set_num_threads(ARGS.threads)
    model = Llama(ARGS.model)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, float32", file=sys.stderr)
    with torch.inference_mode():
        for count in (int(n) for n in ARGS.tokens.split(",")):
            logits, result = measure(model, read_ids(ARGS.ids_file, count, model.vocab))
            print(json.dumps(result), flush=True)
    if ARGS.logits:
        import numpy
        numpy.save(ARGS.logits, logits.numpy())


if __name__ == "__main__":
    main()
