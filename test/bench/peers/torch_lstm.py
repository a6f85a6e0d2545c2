"""Training steps of the same next-song network in PyTorch.  argv: BS STEPS plain|fused

Embedding(15676, 50) -> LSTM(50, 100) -> LSTM(100, 100) -> Linear(100, 15676) on the last of 10 positions, mean cross-entropy, dense Adam (`fused`: PyTorch's
fused kernel). Windows are random and lie in memory; the median of the steps after the first ten counts.
"""
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from common import report
from torch import nn

bs, steps, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
items, length = 15676, 10


class LSTMModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(items, 50)
        self.lstm_layers = nn.ModuleList([nn.LSTM(50, 100, batch_first=True), nn.LSTM(100, 100, batch_first=True)])
        self.fc = nn.Linear(100, items)

    def forward(self, x):
        x = self.embedding(x)
        for layer in self.lstm_layers:
            x, _ = layer(x)
        return self.fc(x[:, -1])


torch.manual_seed(42)
model = LSTMModel()
opt = torch.optim.Adam(model.parameters(), lr=1e-3, fused=kind == "fused")
x, y = torch.randint(items, (steps + 10, bs, length)), torch.randint(items, (steps + 10, bs))
times, losses = [], []
for i in range(steps + 10):
    start = time.perf_counter()
    loss = F.cross_entropy(model(x[i]), y[i])
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    losses.append(loss.item())
    times.append(1000 * (time.perf_counter() - start))
report(stepMs=float(np.median(times[10:])), bestMs=min(times), loss=losses[0])
