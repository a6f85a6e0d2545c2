"""Lists of ten for every user from given factors, what the user has heard left out.  argv: DIR implicit|sklearn REPEATS

DIR: users.f32, tracks.f32 (rows of 52: 50 factors, then bias and 1, or 1 and bias, so that a dot product is the model's score), indptr.i32 and
indices.i32 (what each user has heard), lists.i32 (the lists to compare with, rows of 10).
implicit: its own recommend, in native code. sklearn: the cosine of the 50 factors and numpy's argpartition, a thousand users at a time.
"""
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # what implicit asks for: it has threads of its own
import numpy as np
import scipy.sparse as sp
from common import report

folder, which, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])


def read(name, dtype):
    return np.fromfile(os.path.join(folder, name), dtype)


users, tracks = (read(name, np.float32).reshape(-1, 52) for name in ("users.f32", "tracks.f32"))
indptr, indices = read("indptr.i32", np.int32), read("indices.i32", np.int32)
seen = sp.csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape=(len(users), len(tracks)))

if which == "implicit":
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(factors=52)
    model.user_factors, model.item_factors = users, tracks

    def lists():
        return model.recommend(np.arange(len(users)), seen, N=10, filter_already_liked_items=True)[0]

else:
    from sklearn.metrics.pairwise import cosine_similarity

    def lists(block=1000):
        found = []
        for start in range(0, len(users), block):
            scores = cosine_similarity(users[start : start + block, :50], tracks[:, :50])
            heard = seen[start : start + block]
            scores[np.repeat(np.arange(len(scores)), np.diff(heard.indptr)), heard.indices] = -np.inf
            top = np.argpartition(-scores, 10, axis=1)[:, :10]
            order = np.argsort(-np.take_along_axis(scores, top, 1), axis=1)
            found.append(np.take_along_axis(top, order, 1))
        return np.concatenate(found)


seconds = []
for _ in range(1 + repeats):
    start = time.perf_counter()
    result = lists()
    seconds.append(time.perf_counter() - start)
same = float((result == read("lists.i32", np.int32).reshape(-1, 10)).all(1).mean())
report(firstS=seconds[0], listsS=float(np.median(seconds[1:])), same=same)
