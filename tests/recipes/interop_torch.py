"""Logits of masked language models in plain torch, from folders that `deno task convert` wrote.

Everything is written from the formulas: no transformers, no safetensors package. Reads from standard input
[{"folder": DIR, "batches": [{"ids", "keep", "segments"}]}], each a list of rows, and writes the logits of every batch, flat.
"""
import json
import math
import os
import struct
import sys

import torch
from torch.nn import functional as F

torch.set_num_threads(1)


def tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    assert header.pop("__metadata__") == {"format": "pt"}
    found = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32"
        start, end = entry["data_offsets"]
        values = torch.frombuffer(data[start:end], dtype=torch.float32)
        found[name] = values.reshape(entry["shape"])
    return found


def bucket(i, j):
    """Exact to 32, then 16 rows to 512 on either side; [CLS] has two of its own."""
    if i == 0:
        return 97
    if j == 0:
        return 98
    n = abs(j - i)
    far = n if n <= 32 else 32 + max(1, math.ceil(math.log(n / 32) * 16 / math.log(16) - 1e-9))
    return 48 + min(48, far) * (1 if j > i else -1)


class Model:
    def __init__(self, folder):
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            self.config = json.load(file)
        self.w = tensors(os.path.join(folder, "model.safetensors"))
        self.family = self.config["model_type"]
        self.heads = self.config["num_attention_heads"]
        self.eps = self.config["layer_norm_eps"]
        self.used = set()

    def take(self, name):
        self.used.add(name)
        return self.w[name]

    def linear(self, x, name):
        return F.linear(x, self.take(name + ".weight"), self.take(name + ".bias"))

    def norm(self, x, name):
        gain, bias = self.take(name + ".weight"), self.take(name + ".bias")
        return F.layer_norm(x, x.shape[-1:], gain, bias, self.eps)

    def split(self, x):
        """[..., H K] to [..., H, K]."""
        return x.reshape(*x.shape[:-1], self.heads, -1)

    def embeddings(self, ids, keep, segments):
        at = self.family + ".embeddings."
        x = self.take(at + "word_embeddings.weight")[ids]
        length = ids.shape[1]
        if self.family == "motian":
            segment_rows = at + "token_type_embeddings.weight"
            return x + self.take(segment_rows)[segments] if segment_rows in self.w else x
        if self.family == "roberta":
            pad = self.config["pad_token_id"]
            places = torch.cumsum(keep, 1).long() * keep.long() + pad
        else:
            places = torch.arange(length).expand_as(ids)
        x = x + self.take(at + "position_embeddings.weight")[places]
        x = x + self.take(at + "token_type_embeddings.weight")[segments]
        return self.norm(x, at + "LayerNorm")

    def attention(self, x, at, keep, segments):
        q, k, v = (self.split(self.linear(x, f"{at}self.{n}")) for n in ("query", "key", "value"))
        width = q.shape[-1]
        scores = torch.einsum("bihk,bjhk->bhij", q, k)
        if self.family == "motian":
            length = x.shape[1]
            rows = self.take("motian.positions.rows.weight")
            table = torch.tensor([[bucket(i, j) for j in range(length)] for i in range(length)])

            def placed(name):
                return self.split(F.linear(rows, self.take(f"{at}self.position_{name}.weight")))[table]

            shifted = q + self.take(at + "self.position_shift")
            scores = scores + torch.einsum("bihk,ijhk->bhij", shifted, placed("key"))
            scores = scores + torch.einsum("bjhk,ijhk->bhij", k, placed("query"))
            scores = scores / math.sqrt(3 * width)
            scores = scores + self.take("motian.positions.bias")[table].permute(2, 0, 1)
            same = (segments[:, :, None] == segments[:, None, :]).long()
            scores = scores + self.take("motian.positions.segment_bias")[same].permute(0, 3, 1, 2)
        else:
            scores = scores / math.sqrt(width)
        scores = scores.masked_fill(keep[:, None, None, :] == 0, -math.inf)
        weights = torch.softmax(scores, -1)
        mixed = torch.einsum("bhij,bjhk->bihk", weights, v)
        if self.family == "motian":
            mixed = mixed + torch.einsum("bhij,ijhk->bihk", weights, placed("value"))
        return self.linear(mixed.flatten(2), at + "output.dense")

    def layer(self, x, at, keep, segments):
        def feed_forward(y):
            return self.linear(F.gelu(self.linear(y, at + "intermediate.dense")), at + "output.dense")

        if self.family == "motian":
            y = self.norm(x, at + "attention.LayerNorm")
            x = x + self.attention(y, at + "attention.", keep, segments)
            return x + feed_forward(self.norm(x, at + "intermediate.LayerNorm"))
        x = x + self.attention(x, at + "attention.", keep, segments)
        x = self.norm(x, at + "attention.output.LayerNorm")
        return self.norm(x + feed_forward(x), at + "output.LayerNorm")

    def logits(self, ids, keep, segments):
        x = self.embeddings(ids, keep, segments)
        for i in range(self.config["num_hidden_layers"]):
            x = self.layer(x, f"{self.family}.encoder.layer.{i}.", keep, segments)
        if self.family == "motian":
            x = self.norm(x, "motian.LayerNorm")
        names = {
            "roberta": ("lm_head.dense", "lm_head.layer_norm", "lm_head.bias"),
        }.get(self.family, (
            "cls.predictions.transform.dense",
            "cls.predictions.transform.LayerNorm",
            "cls.predictions.bias",
        ))
        x = self.norm(F.gelu(self.linear(x, names[0])), names[1])
        rows = self.take(self.family + ".embeddings.word_embeddings.weight")
        return F.linear(x, rows, self.take(names[2]))


def main():
    results = []
    with torch.no_grad():
        for case in json.load(sys.stdin):
            model = Model(case["folder"])
            results.append([
                model.logits(
                    torch.tensor(batch["ids"]),
                    torch.tensor(batch["keep"], dtype=torch.float32),
                    torch.tensor(batch["segments"]),
                ).flatten().tolist()
                for batch in case["batches"]
            ])
            unused = set(model.w) - model.used
            assert not unused, f"{model.family} has weights that no formula reads: {unused}"
    json.dump(results, sys.stdout)


main()
