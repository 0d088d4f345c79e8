"""All-reduces by PyTorch's Gloo over TCP: all_reduce_gloo.py RANK SIZE PORT WARM ROUNDS MIB..., each checked; prints `MIB ms`."""
import sys
import time

import torch
import torch.distributed as dist

rank, size, port, warm, rounds = map(int, sys.argv[1:6])
torch.set_num_threads(1)
dist.init_process_group(
    "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=size
)
for mib in sys.argv[6:]:
    x = torch.empty(int(float(mib) * 2**18))
    for turn in range(-warm, rounds):
        x.fill_(rank + 1)
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(x)
        ms = (time.perf_counter() - start) * 1e3
        assert bool((x == size * (size + 1) / 2).all()), "not the sum"
        if rank == 0 and turn >= 0:
            print(mib, f"{ms:.6f}", flush=True)
dist.destroy_process_group()
