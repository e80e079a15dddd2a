# SPDX-License-Identifier: Apache-2.0
"""Makes tests/data/sampling.json: what Hugging Face transformers' logits warpers leave of small
vocabularies, and with which probabilities.

    python3 tests/oracle/make_sampling.py tests/data/sampling.json

Needs torch and transformers (made with 2.15 and 5.24). The warpers run in float64, as the engine
does from float32 logits; every case is checked to keep the same tokens in float32, so that none of
them hangs on rounding.
"""

import json
import random
import sys

import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

INF = float("inf")


def warped(logits, temperature, top_k, top_p, dtype):
    scores = torch.tensor([logits], dtype=torch.float32).to(dtype)
    scores = TemperatureLogitsWarper(temperature)(None, scores)
    if top_k > 0:
        scores = TopKLogitsWarper(top_k=top_k)(None, scores)
    if top_p < 1.0:
        scores = TopPLogitsWarper(top_p=top_p)(None, scores)
    return scores[0]


def case(name, logits, temperature=1.0, top_k=0, top_p=1.0):
    arguments = (logits, temperature, top_k, top_p)
    scores = warped(*arguments, torch.float64)
    kept = [i for i, s in enumerate(scores.tolist()) if s > -INF]
    single = warped(*arguments, torch.float32).tolist()
    assert kept == [i for i, s in enumerate(single) if s > -INF], name
    chances = scores.softmax(-1).tolist()
    return {
        "name": name,
        "logits": [None if x == -INF else x for x in logits],
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "kept": kept,
        "probabilities": [float(f"{chances[i]:.15g}") for i in kept],
    }


def cases():
    out = []
    chance = random.Random(2026)
    for temperature in (0.3, 0.7, 1.0, 1.6, 20.0):
        for top_k in (0, 1, 3, 11, 500):
            for top_p in (1.0, 0.95, 0.6, 0.2, 1e-6):
                size = chance.choice((5, 12, 20))
                logits = [round(chance.gauss(0.0, 2.5), 3) for _ in range(size)]
                out.append(case("random", logits, temperature, top_k, top_p))
    equal = [1.5] * 8
    out.append(case("all equal", equal))
    out.append(case("all equal, top-k keeps what ties", equal, top_k=3))
    out.append(case("all equal, top-p drops lower ids", equal, top_p=0.5))
    out.append(case("all equal, one stays", equal, top_p=1e-6))
    step = [0.0, 3.0, 1.0, 1.0, 2.0, 1.0, -1.0, 1.0]
    for top_k in (1, 2, 3, 4, 6, 7, 8):
        out.append(case("ties at the cut of top-k", step, top_k=top_k))
    for top_p in (0.3, 0.7, 0.77, 0.82, 0.87, 0.93, 0.97):
        out.append(case("ties at the cut of top-p", step, top_p=top_p))
        out.append(case("ties at both cuts", step, 0.8, 4, top_p))
    tops = [2.0, 5.0, 5.0, 1.0, 5.0]
    out.append(case("the likeliest tie, top-k 1", tops, top_k=1))
    out.append(case("the likeliest tie, one stays", tops, top_p=0.01))
    cut = [0.5, -INF, 2.0, -INF, 1.0]
    out.append(case("ruled out", cut, 0.9))
    out.append(case("ruled out, top-k beyond the rest", cut, 0.9, 4))
    out.append(case("ruled out, top-p", cut, 0.9, 0, 0.8))
    out.append(case("large logits", [1e4, 9.999e3, 9.99e3, -1e4], 0.5, 0, 0.9))
    out.append(case("one token", [-3.0], 0.5, 5, 0.5))
    return out


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(c) for c in cases()) + "\n]\n")
