#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/data/families: tiny models of every family that the engine runs, and the logits that
Hugging Face transformers computes for them on the CPU in float32.

    make_families.py CONFIGS [OUT]

CONFIGS holds one folder a published model with its config.json. Dimensions, windows and rotary
contexts are shrunk so that a few hundred tokens cross them; everything else stays as it was published.
Weights are random, and sharp enough that attention is far from uniform. Models of the same shape share
a file in OUT/weights. Needs torch, transformers and safetensors.
"""

import json
import pathlib
import shutil
import sys
import tempfile

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

VOCABULARY = 64
LAYERS = 4
CONTEXT = 1024  # max_position_embeddings
WINDOW = 100  # sliding_window
ORIGINAL = 64  # original_max_position_embeddings
LENGTHS = [31, 97, 300, 600]  # prompts; the last one is decoded after
DECODED = 40
RAGGED = ["full_attention"] + 3 * ["sliding_attention"]

# Shapes of weights: dimensions, type in the file, what is added to or taken from a Llama's tensors.
WEIGHTS = {
    "mha": dict(hidden=64, heads=2, kv=2, dim=32, mlp=48, type=torch.float16),
    "gqa": dict(hidden=128, heads=4, kv=2, dim=32, mlp=40, type=torch.bfloat16),
    "tied": dict(hidden=64, heads=4, kv=2, dim=32, mlp=48, type=torch.bfloat16, tied=True),
    "float": dict(hidden=64, heads=2, kv=1, dim=32, mlp=48, type=torch.float32),
    "wide": dict(hidden=96, heads=4, kv=2, dim=32, mlp=48, type=torch.bfloat16),
    "bias": dict(hidden=96, heads=3, kv=1, dim=32, mlp=48, type=torch.bfloat16, bias=True),
    "norms": dict(hidden=64, heads=4, kv=2, dim=32, mlp=48, type=torch.bfloat16, norms=True),
}

LLAMA3 = dict(original_max_position_embeddings=ORIGINAL)
YARN = {"factor": 4.0, "original_max_position_embeddings": ORIGINAL, "type": "yarn"}

# name: (published config, weights, changes); a change of None takes the key out, "null" sets null.
CASES = {
    "llama-2": ("Llama-2-7B/config.json", "mha", {}),
    "llama-2-all-heads": ("Llama-2-7B/config.neuron.json", "mha", {"num_key_value_heads": None}),
    "llama-3.1": ("Llama-3.1-8B-Instruct/config.json", "gqa", {"rope_scaling": LLAMA3}),
    "llama-3.1-transformers-5": ("Llama-3.1-8B/config.neuron.json", "gqa",
                                 {"rope_scaling": LLAMA3, "rewrite": True}),
    "llama-3.2-tied": ("Llama-3.2-1B-Instruct/config.json", "tied", {"rope_scaling": LLAMA3}),
    "tinyllama": ("TinyLlama-1.1B-Chat-v1.0/config.json", "float", {}),
    "mistral-sliding": ("Mistral-7B-Instruct-v0.3/config.json", "gqa", {"sliding_window": WINDOW}),
    "mistral-v0.3": ("Mistral-7B-Instruct-v0.3/config.json", "gqa", {}),
    "mistral-nemo": ("Mistral-Nemo-Base-2407/config.json", "wide", {}),
    "ministral-2410": ("Ministral-8B-Instruct-2410/config.json", "wide",
                       {"sliding_window": CONTEXT}),
    "ministral-ragged": ("Ministral-8B-Instruct-2410/config.json", "wide",
                         {"model_type": "ministral", "sliding_window": WINDOW,
                          "layer_types": RAGGED, "architectures": ["MinistralForCausalLM"]}),
    "mistral-layer-types": ("Ministral-8B-Instruct-2410/config.json", "wide",
                            {"sliding_window": WINDOW, "layer_types": RAGGED[::-1]}),
    "qwen2.5": ("Qwen2.5-7B-Instruct/config.json", "bias", {"max_window_layers": LAYERS}),
    "qwen2.5-sliding": ("Qwen2.5-7B-Instruct/config.json", "bias",
                        {"use_sliding_window": True, "max_window_layers": 2,
                         "sliding_window": WINDOW}),
    "qwen2.5-yarn": ("Qwen2.5-7B-Instruct/config.json", "bias",
                     {"max_window_layers": LAYERS, "max_position_embeddings": 768,
                      "rope_scaling": dict(YARN, factor=16.0)}),
    "qwen3": ("Qwen3-8B/config.json", "norms", {"head_dim": 32, "max_window_layers": LAYERS}),
    "qwen3-transformers-4.57": ("Qwen3-8B/config.transformers-4.57.json", "norms",
                                {"layer_types": LAYERS * ["full_attention"]}),
    "yarn-mscale": ("Llama-3.1-8B-Instruct/config.json", "gqa",
                    {"rope_scaling": None, "rope_parameters": {
                        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0,
                        "original_max_position_embeddings": ORIGINAL, "beta_fast": 16,
                        "beta_slow": 2, "mscale": 1.2, "mscale_all_dim": 0.7}}),
    "yarn-attention-factor": ("Mistral-7B-Instruct-v0.3/config.json", "gqa",
                              {"rope_theta": None, "rope_parameters": {
                                  "rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0,
                                  "original_max_position_embeddings": ORIGINAL,
                                  "attention_factor": 1.25, "truncate": False}}),
    "linear": ("Llama-2-7B/config.json", "mha", {"rope_scaling": {"type": "linear", "factor": 4}}),
    "dynamic": ("Llama-2-7B/config.json", "mha",
                {"rope_scaling": {"type": "dynamic", "factor": 2.0}}),
}


def shrunk(published, shape, changes):
    """The published config with small numbers, and with its keys in their order."""
    config = dict(published)
    small = {"hidden_size": shape["hidden"], "intermediate_size": shape["mlp"],
             "num_attention_heads": shape["heads"], "num_key_value_heads": shape["kv"],
             "head_dim": shape["dim"], "num_hidden_layers": LAYERS, "vocab_size": VOCABULARY,
             "max_position_embeddings": CONTEXT, "bos_token_id": 1}
    for key, value in small.items():
        if key in config:
            config[key] = value
    eos = config["eos_token_id"]
    config["eos_token_id"] = [61, 62, 63][:len(eos)] if isinstance(eos, list) else 2
    for key, value in changes.items():
        if key == "rewrite":
            continue
        if value is None:
            config.pop(key, None)
        elif isinstance(value, dict) and isinstance(config.get(key), dict):
            config[key] = dict(config[key], **value)
        else:
            config[key] = value
    if shape["hidden"] != shape["heads"] * shape["dim"]:
        config["head_dim"] = shape["dim"]
    return config


def make_weights(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    hidden, queries, keys = shape["hidden"], shape["heads"] * shape["dim"], shape["kv"] * shape["dim"]
    tensors = {}

    def normal(name, rows, cols, gain=1.0):
        tensors[name] = torch.randn(rows, cols, generator=generator) * gain / cols**0.5

    def around(name, size, center, spread):
        tensors[name] = center + spread * torch.randn(size, generator=generator)

    normal("model.embed_tokens.weight", VOCABULARY, hidden, hidden**0.5)
    around("model.norm.weight", hidden, 1.0, 0.2)
    if not shape.get("tied"):
        normal("lm_head.weight", VOCABULARY, hidden, 3.0)
    for layer in range(LAYERS):
        p = f"model.layers.{layer}."
        around(p + "input_layernorm.weight", hidden, 1.0, 0.2)
        normal(p + "self_attn.q_proj.weight", queries, hidden, 1.6)
        normal(p + "self_attn.k_proj.weight", keys, hidden, 1.6)
        normal(p + "self_attn.v_proj.weight", keys, hidden)
        normal(p + "self_attn.o_proj.weight", hidden, queries, 2.0)
        around(p + "post_attention_layernorm.weight", hidden, 1.0, 0.2)
        normal(p + "mlp.gate_proj.weight", shape["mlp"], hidden)
        normal(p + "mlp.up_proj.weight", shape["mlp"], hidden)
        normal(p + "mlp.down_proj.weight", hidden, shape["mlp"])
        if shape.get("bias"):
            around(p + "self_attn.q_proj.bias", queries, 0.0, 0.7)
            around(p + "self_attn.k_proj.bias", keys, 0.0, 0.7)
            around(p + "self_attn.v_proj.bias", keys, 0.0, 0.7)
        if shape.get("norms"):
            around(p + "self_attn.q_norm.weight", shape["dim"], 1.4, 0.3)
            around(p + "self_attn.k_norm.weight", shape["dim"], 1.4, 0.3)
    return {name: t.to(shape["type"]).contiguous() for name, t in tensors.items()}


def expected(folder, ids):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    prompts = torch.stack([model(ids[None, :n]).logits[0, -1] for n in LENGTHS])
    cache = model(ids[None, :LENGTHS[-1]], use_cache=True).past_key_values
    steps = []
    for token in ids[LENGTHS[-1]:]:
        out = model(token.view(1, 1), past_key_values=cache, use_cache=True)
        cache = out.past_key_values
        steps.append(out.logits[0, -1])
    return prompts, torch.stack(steps)


@torch.no_grad()
def main():
    configs = pathlib.Path(sys.argv[1])
    default = pathlib.Path(__file__).resolve().parent.parent / "data" / "families"
    out = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else default
    shutil.rmtree(out, ignore_errors=True)
    (out / "weights").mkdir(parents=True)
    for seed, (name, shape) in enumerate(WEIGHTS.items()):
        save_file(make_weights(shape, seed), out / "weights" / f"{name}.safetensors",
                  {"format": "pt"})
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(3, 61, (LENGTHS[-1] + DECODED,), generator=generator)
    for name, (source, weights, changes) in CASES.items():
        published = json.loads((configs / source).read_text())
        config = shrunk(published, WEIGHTS[weights], changes)
        folder = out / name
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
        if changes.get("rewrite"):
            AutoConfig.from_pretrained(folder).save_pretrained(folder)
        with tempfile.TemporaryDirectory() as temporary:
            shutil.copy(folder / "config.json", temporary)
            shutil.copy(out / "weights" / f"{weights}.safetensors",
                        pathlib.Path(temporary) / "model.safetensors")
            prompts, steps = expected(temporary, ids)
        spread = prompts.std(dim=1).mean().item()
        print(f"{name:28} logits of standard deviation {spread:.2f}")
        save_file({"ids": ids.int(), "lengths": torch.tensor(LENGTHS, dtype=torch.int32),
                   "prompts": prompts.contiguous(), "steps": steps.contiguous()},
                  folder / "expected.safetensors", {"weights": weights, "made_from": source})


if __name__ == "__main__":
    main()
