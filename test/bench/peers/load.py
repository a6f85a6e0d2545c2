"""A listening history from CSV to codes and sorted classes by pandas.  argv: FILE"""
import sys
import time

import pandas as pd
from common import report

start = time.perf_counter()
plays = pd.read_csv(sys.argv[1])
users, user_classes = pd.factorize(plays.user_id, sort=True)
tracks, track_classes = pd.factorize(plays.track_id, sort=True)
playcount = plays.playcount.to_numpy("float32")
seconds = time.perf_counter() - start
report(seconds=seconds, rows=len(plays), users=len(user_classes), tracks=len(track_classes))
