"""What the programs here share: each measures one thing and says so in a last line `RESULT {json}`, with its peak memory and processor time."""
import json
import os
import resource


def report(**values):
    values["peakMB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    values["cpuS"] = sum(os.times()[:2])
    print("RESULT " + json.dumps(values), flush=True)
