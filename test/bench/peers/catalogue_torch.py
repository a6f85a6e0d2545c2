"""Training steps of the same model in a hand-written PyTorch loop.  argv: USERS ITEMS BS plain|fused|sparse STEPS

`sparse` is torch.optim.SparseAdam, which is another algorithm: rows without gradient do not move, and their moments do not shrink.
"""
import sys
import time

import torch
import torch.nn.functional as F
from common import report
from torch import nn

users, items, bs, kind, steps = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
torch.manual_seed(1)
sparse = kind == "sparse"
tables = [nn.Embedding(n, width, sparse=sparse) for n, width in ((users, 50), (items, 50), (users, 1), (items, 1))]
params = [t.weight for t in tables]
for p in params:
    nn.init.trunc_normal_(p, std=0.01)
opt = torch.optim.SparseAdam(params, lr=5e-3) if sparse else torch.optim.AdamW(params, lr=5e-3, fused=kind == "fused")
U, V, b, c = tables
draws = [(torch.randint(users, (bs,)), (items * torch.rand(bs) ** 3).long(), torch.randint(2, (bs,)).float()) for _ in range(64)]


def step(u, i, y):
    loss = F.binary_cross_entropy_with_logits((U(u) * V(i)).sum(1) + b(u).squeeze(1) + c(i).squeeze(1), y)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    return loss.item()


for n in range(min(steps, 20)):
    step(*draws[n % 64])
start, cpu = time.perf_counter(), time.process_time()
for n in range(steps):
    step(*draws[n % 64])
report(stepMs=1000 * (time.perf_counter() - start) / steps, stepCpuMs=1000 * (time.process_time() - cpu) / steps)
