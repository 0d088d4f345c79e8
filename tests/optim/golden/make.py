#!/usr/bin/python3
"""Ten steps of torch.optim's AdamW and SGD and of NVLAMB, written to torch.json: what optim's tests compare with.

Needs Debian's python3-torch (1.13.1). Double precision, so that the values are exact to more digits than ours.
Usage: /usr/bin/python3 make.py
"""
import json
import torch

torch.manual_seed(1)
shapes = {"w": (3, 4), "norm.gain": (4,)}
start = {k: torch.randn(s, dtype=torch.float64) for k, s in shapes.items()}
grads = [{k: torch.randn(s, dtype=torch.float64) * (1 + i) for k, s in shapes.items()} for i in range(10)]


def run(make, step):
    params = {k: v.clone().requires_grad_() for k, v in start.items()}
    optimizer = make(params)
    rows = []
    for g in grads:
        for k, p in params.items():
            p.grad = g[k].clone()
        step(optimizer, params)
        rows.append({k: p.detach().flatten().tolist() for k, p in params.items()})
    return rows


class Lamb:
    """Clip of the global norm at 1, bias correction, trust ratio where there is decay: vectors have neither."""

    def __init__(self, params, lr=1e-2, b1=.9, b2=.999, eps=1e-6, wd=.01):
        self.g = [(p, 0. if p.ndim < 2 else wd, torch.zeros_like(p), torch.zeros_like(p)) for p in params.values()]
        self.lr, self.b1, self.b2, self.eps, self.t = lr, b1, b2, eps, 0

    @torch.no_grad()
    def step(self):
        self.t += 1
        norm = torch.sqrt(sum((p.grad ** 2).sum() for p, *_ in self.g))
        scale = 1 / max(1., norm.item())
        c1, c2 = 1 - self.b1 ** self.t, 1 - self.b2 ** self.t
        for p, wd, m, v in self.g:
            g = p.grad * scale
            m.mul_(self.b1).add_(g, alpha=1 - self.b1)
            v.mul_(self.b2).addcmul_(g, g, value=1 - self.b2)
            u = (m / c1) / ((v / c2).sqrt() + self.eps)
            if wd:
                u.add_(p, alpha=wd)
                u.mul_(p.norm() / u.norm())
            p.add_(u, alpha=-self.lr)


plain = lambda optimizer, params: optimizer.step()
values = lambda params: list(params.values())
json.dump({
    "made_with": f"torch {torch.__version__}, make.py beside this file",
    "start": {k: v.flatten().tolist() for k, v in start.items()},
    "grads": [{k: v.flatten().tolist() for k, v in g.items()} for g in grads],
    "adamw": run(lambda p: torch.optim.AdamW(values(p), lr=1e-2, weight_decay=0.01), plain),
    "sgd": run(lambda p: torch.optim.SGD(values(p), lr=1e-2, momentum=0.9, nesterov=True, weight_decay=0.01), plain),
    "lamb": run(Lamb, plain),
}, open("torch.json", "w"))
