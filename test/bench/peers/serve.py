"""A server of lists by implicit behind FastAPI and uvicorn, on one thread.  argv: DIR USERS TRACKS FACTORS.  Prints its port.

DIR: users.f32 and tracks.f32 (rows of FACTORS), seen.i32 (50 tracks that each user has played).
"""
import os
import socket
import sys

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np
import scipy.sparse as sp
import uvicorn
from fastapi import FastAPI
from implicit.cpu.als import AlternatingLeastSquares

folder, (users, tracks, factors) = sys.argv[1], map(int, sys.argv[2:5])


def read(name, dtype):
    return np.fromfile(os.path.join(folder, name), dtype)


model = AlternatingLeastSquares(factors=factors, num_threads=1)
model.user_factors = read("users.f32", np.float32).reshape(users, factors)
model.item_factors = read("tracks.f32", np.float32).reshape(tracks, factors)
seen = sp.csr_matrix((np.ones(50 * users, np.float32), (np.repeat(np.arange(users), 50), read("seen.i32", np.int32))), shape=(users, tracks))
app = FastAPI()


@app.get("/recommend")
async def recommend(user: int, n: int = 10):
    found, scores = model.recommend(user, seen[user], N=n, filter_already_liked_items=True)
    listed = zip(found.tolist(), scores.tolist())
    return {"recommender": "ALS", "user": str(user), "tracks": [{"rank": i + 1, "track_id": str(t), "score": s} for i, (t, s) in enumerate(listed)]}


with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:  # else asyncio does not set TCP_NODELAY
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False))
    sock.listen(128)
    print(sock.getsockname()[1], flush=True)
    server.run(sockets=[sock])
