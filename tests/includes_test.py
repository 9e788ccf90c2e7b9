"""Arrows between the folders run one way: no folder includes what stands above it. And what differs
between modes is a question to their table (experiments/modes.hpp): nothing compares their names.
Usage: includes_test.py CHECKOUT"""

import pathlib
import re
import sys

# Lowest first; each may include itself and what stands before it, but for the pairs below.
FLOORS = """core/base core/data core/nn core/optim core/measure core/exchange core/checkpoint core/train
threaded multiproc multiproc/mpi multiproc/hybrid experiments/statistics experiments/text experiments/delay_listener experiments/modes experiments/options
experiments/machine experiments/results experiments/schemas experiments/allreduce
experiments/analysis
experiments/report experiments/diff experiments/sweep experiments/predict experiments""".split()
STRANGERS = {("multiproc", "threaded"), ("multiproc/mpi", "threaded"), ("experiments/diff", "experiments/report")}


def room(path):
    stem = path.rsplit(".", 1)[0]
    return stem if stem in FLOORS else path.rsplit("/", 1)[0]


top = pathlib.Path(sys.argv[1])
wrong, includes = [], 0
for folder in ("core", "threaded", "multiproc", "experiments"):
    for file in sorted((top / folder).rglob("*.[ch]pp")):
        here = room(str(file.relative_to(top)))
        if here == "experiments/bench":
            continue
        text = file.read_text()
        for name in re.findall(r'[!=]= "(?:serial|threads|procs|mpi)"', text):
            wrong.append(f"{file.relative_to(top)} compares a mode: {name}")
        for name in re.findall(r'#include "([^"]+)"', text):
            there = room(name)
            includes += 1
            if FLOORS.index(there) > FLOORS.index(here) or (here, there) in STRANGERS:
                wrong.append(f"{file.relative_to(top)} includes {name}")
print(f"{includes} includes, {len(wrong)} against the arrows")
sys.exit("\n".join(wrong) if wrong or not includes else 0)
