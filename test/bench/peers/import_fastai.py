"""What the first cell of a notebook on collaborative filtering waits for.  No arguments."""
import time

from common import report

start = time.perf_counter()
from fastai.collab import *  # noqa: E402, F403

report(seconds=time.perf_counter() - start)
