#!/usr/bin/python3
"""The process of the peer "PyTorch": the bench's tasks in PyTorch on the CPU, each at its best number of threads.

Speaks the protocol of protocol.ts. Numbers come from the formula of fill.ts. Needs Debian's python3-torch.
"""
import ctypes, json, os, sys, time

out = os.fdopen(os.dup(1), 'w')
os.dup2(2, 1)  # standard output is for answers


def say(answer):
    out.write(json.dumps(answer) + '\n')
    out.flush()


try:
    import numpy as np
    import torch
    import torch.nn.functional as F
except ImportError as error:
    say({'absent': f'{error}; Debian\'s package is python3-torch'})
    sys.exit()
try:
    set_blas_threads = ctypes.CDLL('libopenblas.so.0').openblas_set_num_threads
except OSError:  # another BLAS: it has torch's own number of threads
    def set_blas_threads(_): pass
cores = len(os.sched_getaffinity(0))


def hashes(seed, count):
    with np.errstate(over='ignore'):
        u = np.arange(count, dtype=np.uint32) * np.uint32(0x9e3779b1) + np.uint32((seed + 1) * 0x85ebca6b & 0xffffffff)
        u = (u ^ (u >> np.uint32(16))) * np.uint32(0x7feb352d)
        u = (u ^ (u >> np.uint32(15))) * np.uint32(0x846ca68b)
        return u ^ (u >> np.uint32(16))


def fill(seed, shape, scale=1.):
    x = (hashes(seed, int(np.prod(shape))) >> np.uint32(8)).astype(np.float64) / 2 ** 23 - 1
    return torch.from_numpy((scale * x).astype(np.float32)).reshape(shape)


def whole(seed, count, low, high):
    return torch.from_numpy((low + hashes(seed, count) % np.uint32(high - low)).astype(np.int64))


# A task gives its computation, which gives its results, and a way back to the beginning where it has state.

def plain(compute):
    return compute, lambda: None


def matmul(batch, m, k, n, ta, tb):
    lead = (batch,) if batch > 1 else ()
    a, b = fill(1, lead + ((k, m) if ta else (m, k))), fill(2, lead + ((n, k) if tb else (k, n)))
    a, b = a.transpose(-1, -2) if ta else a, b.transpose(-1, -2) if tb else b
    return plain(lambda: [a @ b])


def chain(rows, width):
    x, a, b = fill(1, (rows, width), 4), fill(2, (width,)), fill(3, (width,))
    return plain(lambda: [F.gelu(x * a + b) + x])


def increment(count):
    x = fill(1, (count,))
    return plain(lambda: [x + 1])


def total(rows, width, axis):
    x = fill(1, (rows, width))
    return plain((lambda: [x.sum()]) if axis < 0 else (lambda: [x.sum(axis)]))


def softmax(rows, width):
    x = fill(1, (rows, width), 4)
    return plain(lambda: [x.softmax(-1)])


def layer_norm(rows, width, backward):
    x, gain, bias = fill(1, (rows, width), 2), fill(2, (width,)), fill(3, (width,))
    if not backward:
        return plain(lambda: [F.layer_norm(x, (width,), gain, bias)])
    ct = fill(4, (rows, width))
    for p in (x, gain, bias):
        p.requires_grad_()
    return plain(lambda: torch.autograd.grad(F.layer_norm(x, (width,), gain, bias), (x, gain, bias), ct))


def attention(batch, heads, length, width, backward):
    shape = (batch, heads, length, width)
    q, k, v, ct = (fill(i, shape) for i in (1, 2, 3, 4))
    attend = lambda: (q @ k.transpose(-1, -2) * width ** -.5).softmax(-1) @ v
    if not backward:
        return plain(lambda: [attend()])
    for p in (q, k, v):
        p.requires_grad_()

    def compute():
        out = attend()
        return [out.detach(), *torch.autograd.grad(out, (q, k, v), ct)]
    return plain(compute)


def cross_entropy(rows, classes):
    x, labels = fill(1, (rows, classes), 4).requires_grad_(), whole(2, rows, 0, classes)

    def compute():
        loss = F.cross_entropy(x, labels)
        return [loss, *torch.autograd.grad(loss, x)]
    return plain(compute)


def lamb(shapes, rate=1e-3, b1=.9, b2=.999, eps=1e-6, decay=.01):
    """The optimiser of torch_step.py. Sizes: how many rows and columns each parameter has; 0 rows for a vector."""
    state = []

    def restart():
        state.clear()
        state.append(0)
        for i, (rows, columns, _) in enumerate(shapes):
            shape = (rows, columns) if rows else (columns,)
            state.append((fill(3 * i, shape, .1), fill(3 * i + 1, shape, .01), torch.zeros(shape), torch.zeros(shape)))
        return [p for p, *_ in state[1:]]

    @torch.no_grad()
    def compute():
        state[0] += 1
        norm = torch.sqrt(sum((g ** 2).sum() for _, g, *_ in state[1:]))
        scale = 1 / max(1., norm.item())
        c1, c2 = 1 - b1 ** state[0], 1 - b2 ** state[0]
        for p, g, m, v in state[1:]:
            g = g * scale
            m.mul_(b1).add_(g, alpha=1 - b1)
            v.mul_(b2).addcmul_(g, g, value=1 - b2)
            u = (m / c1) / ((v / c2).sqrt() + eps)
            if p.ndim > 1:
                u.add_(p, alpha=decay)
                wn, un = p.norm(), u.norm()
                u.mul_(torch.where((wn > 0) & (un > 0), wn / un, torch.ones(())))
            p.add_(u, alpha=-rate)
        return [p for p, *_ in state[1:]]
    restart()
    return compute, restart


tasks = dict(matmul=matmul, increment=increment, chain=chain, total=total, softmax=softmax, layerNorm=layer_norm, attention=attention,
             crossEntropy=cross_entropy, lamb=lambda **s: lamb(shapes_of(s)))


def shapes_of(sizes):
    return [tuple(sizes[f'{i}.{what}'] for what in ('rows', 'columns', 'decay')) for i in range(sizes['count'])]


def timed(compute, times):
    start = time.perf_counter()
    for _ in range(times):
        compute()
    return time.perf_counter() - start


def use(threads, blas_threads):
    torch.set_num_threads(threads)
    set_blas_threads(blas_threads)


def best_threads(compute):
    settings = [(threads, blas) for threads in sorted({1, cores}) for blas in sorted({1, cores})]
    rows = []
    for setting in settings:
        use(*setting)
        times = max(1, round(.05 / max(1e-6, timed(compute, 2) / 2)))
        rows.append((min(timed(compute, times) / times for _ in range(3)), setting))
    use(*min(rows)[1])
    return min(rows)[1]


def answer(request):
    global task, setting
    if request['do'] == 'open':
        make = tasks.get(request['task']['op'])
        if make is None:
            raise ValueError(f"Cannot compute {request['task']['op']} with PyTorch: the bench has no such op")
        task = make(**request['task']['sizes'])
        threads, blas = best_threads(task[0])
        return {'name': f'PyTorch {torch.__version__} (threads {threads}, of its BLAS {blas})'}
    compute, restart = task
    if request['do'] == 'values':
        restart()
        flat = torch.cat([x.detach().reshape(-1) for x in compute()])
        return {'values': [x if np.isfinite(x) else None for x in flat[torch.tensor(request['at'])].tolist()]}
    return {'seconds': timed(compute, request['times'])}


say({'ready': f'PyTorch {torch.__version__}'})
for line in sys.stdin:
    try:
        say(answer(json.loads(line)))
    except Exception as error:
        say({'error': str(error).split('\n')[0]})
