"""Implicit ALS by the `implicit` library.  argv: DIR FACTORS ITERATIONS

DIR: indptr.i32, indices.i32, data.f32 (users × tracks, compressed rows). The factors are written to users.f32 and tracks.f32 beside them.
"""
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # what implicit asks for: it has threads of its own
import numpy as np
import scipy.sparse as sp
from common import report
from implicit.cpu.als import AlternatingLeastSquares

folder, factors, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def read(name, dtype):
    return np.fromfile(os.path.join(folder, name), dtype)


matrix = sp.csr_matrix((read("data.f32", np.float32), read("indices.i32", np.int32), read("indptr.i32", np.int32)))
# Numbers of threads of 0 mean all; the environment variable says otherwise where one thread is measured.
threads = int(os.environ.get("PEER_THREADS", "0"))
model = AlternatingLeastSquares(factors=factors, iterations=iterations, random_state=42, num_threads=threads)
ends = [time.perf_counter()]
model.fit_callback = lambda *_: ends.append(time.perf_counter())
model.fit(matrix, show_progress=False, callback=model.fit_callback)
seconds = np.diff(ends)
model.user_factors.tofile(os.path.join(folder, "users.f32"))
model.item_factors.tofile(os.path.join(folder, "tracks.f32"))
report(firstS=float(seconds[0]), iterationS=float(np.median(seconds[1:])))
