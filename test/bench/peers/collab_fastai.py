"""One epoch of fastai's collab_learner.  argv: FILE VALID BS

FILE: track_id,user_id,playcount. VALID: row numbers of validation, int32. The loaders are those of CollabDataLoaders.from_df, whose body this is, with
the given split in place of its own.
"""
import sys
import time

import numpy as np
import pandas as pd
from common import report
from fastai.collab import BCEWithLogitsLossFlat, Categorify, TabularCollab, TransformBlock, collab_learner
from fastai.torch_core import set_seed

file, valid, bs = sys.argv[1], np.fromfile(sys.argv[2], np.int32), int(sys.argv[3])
start = time.perf_counter()
plays = pd.read_csv(file)
read_s = time.perf_counter() - start

plays["rating"] = (plays.playcount > 1).astype(np.float32)
is_valid = np.zeros(len(plays), bool)
is_valid[valid] = True
splits = [np.flatnonzero(~is_valid).tolist(), valid.tolist()]
start = time.perf_counter()
columns = ["user_id", "track_id"]
table = TabularCollab(plays[columns + ["rating"]], [Categorify], columns, y_names=["rating"], y_block=TransformBlock(), splits=splits)
dls = table.dataloaders(path=".", bs=bs)
dls_s = time.perf_counter() - start

set_seed(42)
learn = collab_learner(dls, n_factors=50, loss_func=BCEWithLogitsLossFlat())
start, cpu = time.perf_counter(), time.process_time()
with learn.no_bar(), learn.no_logging():
    learn.fit_one_cycle(1, 5e-3)
epoch_s, epoch_cpu_s = time.perf_counter() - start, time.process_time() - cpu
train_loss, valid_loss = learn.recorder.values[-1][:2]
report(
    epochS=epoch_s,
    epochCpuS=epoch_cpu_s,
    readS=read_s,
    dlsS=dls_s,
    steps=len(dls.train),
    trainLoss=float(train_loss),
    validLoss=float(valid_loss),
)
