"""Listens to what `heard` wrote: PESQ-WB of each file against what was said, in the mean of all voices of a setting.

Usage: listen.py FOLDER TOLERANCE. Ends with exit code 1 where the component is below the better of libopus's two ways by
more than TOLERANCE in any setting.
"""

import collections
import json
import pathlib
import sys
import wave

import numpy
import pesq


def samples(path):
    with wave.open(str(path)) as file:
        assert file.getframerate() == 16000, f"{path} is not at 16 kHz"
        return numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def main(folder, tolerance):
    scores = collections.defaultdict(lambda: collections.defaultdict(list))
    for entry in json.loads((folder / "heard.json").read_text()):
        said, heard = samples(folder / entry["said"]), samples(folder / entry["heard"])
        scores[entry["setting"]][entry["variant"]].append(pesq.pesq(16000, said[: len(heard)], heard, "wb"))
    worst = None
    variants = ["native", "native_split", "component"]
    print(f"{'PESQ-WB':<36}" + "".join(f"{name:>14}" for name in variants))
    for setting, by in scores.items():
        mean = {name: sum(by[name]) / len(by[name]) for name in variants}
        lacks = max(mean["native"], mean["native_split"]) - mean["component"]
        if worst is None or lacks > worst[0]:
            worst = (lacks, setting)
        print(f"{setting:<36}" + "".join(f"{mean[name]:>14.3f}" for name in variants))
    print(f"furthest below the better native way: {worst[0]:.3f} ({worst[1]})")
    if worst[0] > tolerance:
        sys.exit(f"the component sounds worse than native libopus by more than {tolerance} in PESQ-WB: {worst[1]}")


main(pathlib.Path(sys.argv[1]), float(sys.argv[2]))
