#!/usr/bin/python3
"""BERT (Post-LN, absolute positions, segments, a normalised sum) in plain torch, written to bert.json: what nn's tests compare with.

Weights are a formula, the same one in the test; the file holds what comes out. Double precision.
Needs Debian's python3-torch (1.13.1). Usage: /usr/bin/python3 make.py
"""
import json
import math
import os
import torch
import torch.nn.functional as F

V, C, H, K, HIDDEN, LAYERS, POSITIONS, SEGMENTS, EPS = 11, 8, 2, 4, 16, 2, 7, 2, 1e-12
ids = [[2, 5, 7, 3, 9], [2, 8, 10, 3, 0]]
keep = [[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]]
segments = [[0, 0, 1, 1, 1], [0, 0, 0, 1, 0]]
masked, labels = [1, 4, 7], [6, 4, 8]

norm = lambda at: {f"{at}.gain": (C,), f"{at}.bias": (C,)}
shapes = {
    "encoder.embeddings.tokens": (V, C), "encoder.embeddings.positions": (POSITIONS, C),
    "encoder.embeddings.segments": (SEGMENTS, C), **norm("encoder.embeddings.norm"),
    "head.dense.w": (C, C), "head.dense.b": (C,), **norm("head.norm"), "head.bias": (V,),
}
for i in range(LAYERS):
    at = f"encoder.layers.{i}"
    shapes |= {f"{at}.attention.w{x}": (C, H, K) for x in "qkv"} | {f"{at}.attention.b{x}": (H, K) for x in "qkv"}
    shapes |= {f"{at}.attention.wo": (H, K, C), f"{at}.attention.bo": (C,), **norm(f"{at}.norm1"), **norm(f"{at}.norm2")}
    shapes |= {f"{at}.feedForward.up.w": (C, HIDDEN), f"{at}.feedForward.up.b": (HIDDEN,)}
    shapes |= {f"{at}.feedForward.down.w": (HIDDEN, C), f"{at}.feedForward.down.b": (C,)}


def values(n, path, shape):
    """0.3 sin(1 + n + 0.7 i), around 1 for a gain; embeddings a tenth of it, as small as trained ones."""
    size = math.prod(shape)
    wave = torch.tensor([math.sin(1 + n + 0.7 * i) for i in range(size)], dtype=torch.float64)
    scale = 0.03 if path.split(".")[1] == "embeddings" and "norm" not in path else 0.3
    return (wave * scale + (1 if path.endswith("gain") else 0)).reshape(shape).requires_grad_()


p = {path: values(n, path, shapes[path]) for n, path in enumerate(sorted(shapes))}
layer_norm = lambda x, at: F.layer_norm(x, (C,), p[f"{at}.gain"], p[f"{at}.bias"], EPS)


def linear(x, at, name, wide):
    """As torch has it: rows of the weights are outputs."""
    w, b = p[f"{at}.w{name}"], p[f"{at}.b{name}"]
    return F.linear(x, w.reshape(-1, wide).T, b.flatten())


def encode():
    x = F.embedding(torch.tensor(ids), p["encoder.embeddings.tokens"]) \
        + p["encoder.embeddings.positions"][torch.arange(5)] \
        + F.embedding(torch.tensor(segments), p["encoder.embeddings.segments"])
    x = layer_norm(x, "encoder.embeddings.norm")
    mask = (1 - torch.tensor(keep, dtype=torch.float64))[:, None, None, :] * -1e9
    for i in range(LAYERS):
        at = f"encoder.layers.{i}"
        heads = lambda name: linear(x, f"{at}.attention", name, C).view(2, 5, H, K).transpose(1, 2)
        q, k, v = map(heads, "qkv")
        scores = (q @ k.transpose(-1, -2) / math.sqrt(K) + mask).softmax(-1)
        mixed = (scores @ v).transpose(1, 2).reshape(2, 5, C)
        x = layer_norm(x + linear(mixed, f"{at}.attention", "o", C), f"{at}.norm1")
        up = F.gelu(F.linear(x, p[f"{at}.feedForward.up.w"].T, p[f"{at}.feedForward.up.b"]))
        down = F.linear(up, p[f"{at}.feedForward.down.w"].T, p[f"{at}.feedForward.down.b"])
        x = layer_norm(x + down, f"{at}.norm2")
    return x


hidden = encode()
rows = hidden.reshape(10, C)[masked]
dense = layer_norm(F.gelu(F.linear(rows, p["head.dense.w"].T, p["head.dense.b"])), "head.norm")
logits = F.linear(dense, p["encoder.embeddings.tokens"], p["head.bias"])
F.cross_entropy(logits, torch.tensor(labels), reduction="sum").backward()
kept = [path for path in sorted(shapes) if path.startswith("encoder.embeddings.") or path.endswith("0.attention.wq")]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "bert.json"), "w") as file:
    json.dump({
        "made_with": f"torch {torch.__version__}, make.py beside this file",
        "hidden": hidden.flatten().tolist(),
        "logits": logits.flatten().tolist(),
        "grads": {path: p[path].grad.flatten().tolist() for path in kept},
    }, file)
    file.write("\n")
