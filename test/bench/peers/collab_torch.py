"""One epoch of the same model in a hand-written PyTorch loop.  argv: FILE VALID BS plain|fused

As lean as such a loop gets: encoded columns as tensors, one index_select a batch, dense Adam (`fused`: PyTorch's fused kernel), constant learning rate,
no weight decay. FILE and VALID as in collab_fastai.py.
"""
import sys
import time

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from common import report
from torch import nn

file, valid, bs, kind = sys.argv[1], np.fromfile(sys.argv[2], np.int32), int(sys.argv[3]), sys.argv[4]
plays = pd.read_csv(file)
users, user_classes = pd.factorize(plays.user_id, sort=True)
items, item_classes = pd.factorize(plays.track_id, sort=True)
is_valid = np.zeros(len(plays), bool)
is_valid[valid] = True
u, i = torch.from_numpy(users), torch.from_numpy(items)
y = torch.from_numpy((plays.playcount.values > 1).astype(np.float32))
train, valid = torch.from_numpy(np.flatnonzero(~is_valid)), torch.from_numpy(valid.astype(np.int64))


class DotBias(nn.Module):
    def __init__(self, factors, n_users, n_items):
        super().__init__()
        self.u, self.i = nn.Embedding(n_users, factors), nn.Embedding(n_items, factors)
        self.ub, self.ib = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        for p in self.parameters():
            nn.init.trunc_normal_(p, std=0.01)

    def forward(self, u, i):
        return (self.u(u) * self.i(i)).sum(1) + self.ub(u).squeeze(1) + self.ib(i).squeeze(1)


torch.manual_seed(42)
model = DotBias(50, len(user_classes), len(item_classes))
opt = torch.optim.Adam(model.parameters(), lr=5e-3, fused=kind == "fused")

start, cpu = time.perf_counter(), time.process_time()
order, total, steps = train[torch.randperm(len(train))], 0.0, 0
for at in range(0, len(order) - bs + 1, bs):
    rows = order[at : at + bs]
    loss = F.binary_cross_entropy_with_logits(model(u[rows], i[rows]), y[rows])
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    total += loss.item()
    steps += 1
with torch.no_grad():
    preds = torch.cat([model(u[rows], i[rows]) for rows in valid.split(bs)])
    valid_loss = F.binary_cross_entropy_with_logits(preds, y[valid]).item()
epoch_s, epoch_cpu_s = time.perf_counter() - start, time.process_time() - cpu
report(epochS=epoch_s, epochCpuS=epoch_cpu_s, steps=steps, trainLoss=total / steps, validLoss=valid_loss)
