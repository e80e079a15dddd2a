#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the demo model: a 13.9 M parameter Llama that looks up facts in long texts.

The text is public-domain books. Facts about invented people and things are hidden in it, and
questions about them stand at the end of the document, so the only way to a low loss is to carry
facts across thousands of tokens. The published weights took two runs on one data-centre GPU:

    train.py --data BOOKS --out RUN1 --seconds 440
    train.py --data BOOKS --out RUN2 --seconds 290 --init RUN1 --lr 1e-3 \\
             --plan 1024:0.12,4096:0.43,8192:0.45

BOOKS is a folder of UTF-8 text files. A check that everything runs, without a GPU:

    train.py --data BOOKS --out /tmp/try --device cpu --seconds 5 --plan 256:1 \\
             --batch-tokens 512 --workers 0 --eval 0 [--init MODEL_DIR]

facts.py holds the facts, documents.py the data. Needs numpy, torch, sentencepiece, safetensors.
"""
from __future__ import annotations

import argparse
import glob
import json
import math
import os
import random
import shutil
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from documents import (Batches, DocumentMaker, Haystack, Tokenizer, read_books, train_tokenizer)

# Architecture; the same numbers go into config.json.
VOCAB, HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FFN = 8192, 256, 16, 8, 4, 32, 704
ROPE_THETA, MAX_POSITIONS, NORM_EPS = 100000.0, 8192, 1e-5
SHARD_BYTES = 15e6


# --------------------------------------------------------------------------------------- model

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj = nn.Linear(HIDDEN, HEADS * HEAD_DIM, bias=False)
        self.k_proj = nn.Linear(HIDDEN, KV_HEADS * HEAD_DIM, bias=False)
        self.v_proj = nn.Linear(HIDDEN, KV_HEADS * HEAD_DIM, bias=False)
        self.o_proj = nn.Linear(HEADS * HEAD_DIM, HIDDEN, bias=False)

    def forward(self, x, cos, sin):
        b, n, _ = x.shape

        def heads(y, count):
            return y.view(b, n, count, HEAD_DIM).transpose(1, 2)

        def rotate(z):
            half = HEAD_DIM // 2
            return z * cos + torch.cat([-z[..., half:], z[..., :half]], -1) * sin

        q, k = rotate(heads(self.q_proj(x), HEADS)), rotate(heads(self.k_proj(x), KV_HEADS))
        v = heads(self.v_proj(x), KV_HEADS)
        o = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.o_proj(o.transpose(1, 2).reshape(b, n, HEADS * HEAD_DIM))


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj = nn.Linear(HIDDEN, FFN, bias=False)
        self.up_proj = nn.Linear(HIDDEN, FFN, bias=False)
        self.down_proj = nn.Linear(FFN, HIDDEN, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(HIDDEN, NORM_EPS)
        self.self_attn = Attention()
        self.post_attention_layernorm = nn.RMSNorm(HIDDEN, NORM_EPS)
        self.mlp = Mlp()

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    """Llama with tied embeddings; parameter names are Hugging Face's without 'model.'."""

    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCAB, HIDDEN)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.norm = nn.RMSNorm(HIDDEN, NORM_EPS)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                to_residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(p, std=0.02 / (math.sqrt(2 * LAYERS) if to_residual else 1))
        inv_freq = 1 / ROPE_THETA ** (torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM)
        angles = torch.outer(torch.arange(MAX_POSITIONS).float(), inv_freq)
        angles = torch.cat([angles, angles], -1)
        self.register_buffer("cos", angles.cos(), False)
        self.register_buffer("sin", angles.sin(), False)

    def forward(self, ids):
        x, n = self.embed_tokens(ids), ids.shape[1]
        kind = torch.bfloat16 if ids.is_cuda else torch.float32
        cos, sin = self.cos[:n].to(kind), self.sin[:n].to(kind)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return F.linear(self.norm(x), self.embed_tokens.weight)


# ------------------------------------------------------------------------------------ training

def mixed_precision(device: str):
    return torch.autocast("cuda", torch.bfloat16, enabled=device == "cuda")


def loss_of(model, ids, weights, device):
    with mixed_precision(device):
        logits = model(ids[:, :-1])
    ce = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    w = weights[:, 1:].flatten()
    return (ce * w).sum() / w.sum()


@torch.no_grad()
def needle_accuracy(model, maker, length, count, facts, device, batch=16):
    """Share of answers that are exact, teacher-forced, in held-out text."""
    rng, exact = random.Random(12345 + length), 0
    for first in range(0, count, batch):
        docs = [maker.needles(rng, length, facts, 1) for _ in range(min(batch, count - first))]
        ids = np.full((len(docs), length + 1), maker.tok.newline, np.int64)
        for row, (x, _, _) in enumerate(docs):
            ids[row, :len(x)] = x
        with mixed_precision(device):
            best = model(torch.from_numpy(ids[:, :-1]).to(device)).argmax(-1).cpu().numpy()
        for row, (_, _, spans) in enumerate(docs):
            at, n = spans[0]
            exact += bool((best[row, at - 1:at - 1 + n] == ids[row, at:at + n]).all())
    return exact / count


def train_phase(args, model, step_model, optimizer, makers, index, length, seconds, lr_to):
    """One context length for some seconds; the rate falls along a cosine to `lr_to`."""
    batch = max(1, args.batch_tokens // length)
    data = Batches(makers[0], length, batch, args.seed * 1000 + index)
    more = dict(prefetch_factor=4, pin_memory=args.device == "cuda") if args.workers else {}
    loader = iter(torch.utils.data.DataLoader(data, batch_size=None, num_workers=args.workers,
                                              **more))
    begin, step = time.time(), 0
    while (elapsed := time.time() - begin) <= seconds:
        lr = lr_to + (args.lr - lr_to) * (1 + math.cos(math.pi * elapsed / seconds)) / 2
        if index == 0 and step < 100:
            lr *= (step + 1) / 100
        for group in optimizer.param_groups:
            group["lr"] = lr
        ids, weights = next(loader)
        ids, weights = (x.to(args.device, non_blocking=True) for x in (ids, weights))
        loss = loss_of(step_model, ids, weights, args.device)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        if step == 5 and time.time() - begin > 20:
            begin = time.time()  # compilation does not count
        if step % args.report == 0:
            accuracy = needle_accuracy(model, makers[1], length, args.eval, 4, args.device) \
                if args.eval else float("nan")
            print(f"context {length} step {step} {step * batch * length / 1e6:.2f} M tokens "
                  f"{time.time() - begin:.0f} s loss {loss.item():.3f} lr {lr:.1e} "
                  f"needle {accuracy:.2f}", flush=True)
    print(f"context {length}: {step} steps, {step * batch * length / 1e6:.2f} M tokens", flush=True)


def load_weights(model, folder):
    for path in glob.glob(os.path.join(folder, "*.safetensors")):
        state = {k.removeprefix("model."): v.float() for k, v in load_file(path).items()}
        model.load_state_dict(state, strict=False)


def save_model(model, folder):
    """bf16 shards, index and config, as Hugging Face loaders expect them."""
    state = {"model." + k: v.to(torch.bfloat16).contiguous().cpu()
             for k, v in model.state_dict().items()}
    shards, shard, size = [], {}, 0
    for name, value in state.items():
        if size + value.numel() * 2 > SHARD_BYTES:
            shards.append(shard)
            shard, size = {}, 0
        shard[name] = value
        size += value.numel() * 2
    shards.append(shard)
    index = {"metadata": {"total_size": sum(v.numel() * 2 for v in state.values())},
             "weight_map": {}}
    for i, shard in enumerate(shards):
        name = f"model-{i + 1:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, os.path.join(folder, name), metadata={"format": "pt"})
        index["weight_map"].update(dict.fromkeys(shard, name))
    config = dict(
        architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=VOCAB,
        hidden_size=HIDDEN, intermediate_size=FFN, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=KV_HEADS, head_dim=HEAD_DIM,
        hidden_act="silu", max_position_embeddings=MAX_POSITIONS, rms_norm_eps=NORM_EPS,
        rope_theta=ROPE_THETA, tie_word_embeddings=True, bos_token_id=1, eos_token_id=2,
        torch_dtype="bfloat16", attention_bias=False, mlp_bias=False)
    for name, value in (("model.safetensors.index.json", index), ("config.json", config)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1)


def parse_arguments():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", required=True, help="folder of UTF-8 books (*.txt)")
    ap.add_argument("--out", required=True, help="folder for weights, config and tokenizer")
    ap.add_argument("--init", help="start from this model folder and its tokenizer")
    ap.add_argument("--seconds", type=float, default=480, help="training time of the whole plan")
    ap.add_argument("--plan", default="256:0.2,1024:0.25,4096:0.55",
                    help="phases as CONTEXT:SHARE_OF_TIME; the last one decays the rate")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--batch-tokens", type=int, default=262144, help="tokens a step")
    ap.add_argument("--workers", type=int, default=12, help="data processes; 0: in this one")
    ap.add_argument("--threads", type=int, default=16, help="threads of the tokenizer")
    ap.add_argument("--report", type=int, default=150, help="steps between progress lines")
    ap.add_argument("--eval", type=int, default=64, help="needle prompts an evaluation; 0: none")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    return ap.parse_args()


def prepare_data(args):
    """Document makers over the training and the held-out text."""
    begin, (books, text) = time.time(), read_books(args.data)
    path = os.path.join(args.out, "tokenizer.model")
    if args.init:
        shutil.copyfile(os.path.join(args.init, "tokenizer.model"), path)
    else:
        train_tokenizer(text, path, VOCAB, args.threads)
    tok = Tokenizer(path)
    train, held = Haystack.split(text, tok, args.threads)
    print(f"{books} books, {len(text) / 1e6:.1f} MB, {len(train.ids) / 1e6:.2f} M tokens to train "
          f"on, {time.time() - begin:.0f} s", flush=True)
    return DocumentMaker(tok, train), DocumentMaker(tok, held)


def main():
    args = parse_arguments()
    os.makedirs(args.out, exist_ok=True)
    makers = prepare_data(args)
    torch.manual_seed(args.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    model = Model().to(args.device)
    if args.init:
        load_weights(model, args.init)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    norms = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.05}, {"params": norms, "weight_decay": 0.0}],
        lr=args.lr, betas=(0.9, 0.95), fused=args.device == "cuda")
    step_model = torch.compile(model) if args.device == "cuda" else model
    plan = [(int(c), float(share)) for c, share in (p.split(":") for p in args.plan.split(","))]
    for i, (length, share) in enumerate(plan):
        lr_to = args.lr if i + 1 < len(plan) else args.lr * 0.02
        train_phase(args, model, step_model, optimizer, makers, i, length,
                    args.seconds * share, lr_to)
    save_model(model, args.out)
    for length in (512, 1024, 2048, 4096, 8000) if args.eval else ():
        for facts in (1, 4, 16):
            score = needle_accuracy(model, makers[1], length, args.eval, facts, args.device)
            print(f"needle at {length} tokens, {facts} facts: {score:.2f}", flush=True)


if __name__ == "__main__":
    main()
