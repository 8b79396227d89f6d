"""Writes all trajectories: `python3 main.py FOLDER`, or only those of the methods that are named after it."""

import os
import sys

# Nothing is left beside the sources; sums are in one order.
sys.dont_write_bytecode = True
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from cases import CASES, STEPS as FEWER
from problems import STEPS, problems
from running import run
from writing import write_cases, write_problems

VERSION = "1"


def main(folder, names):
    made = problems()
    write_problems(folder, made)
    for name, (method, settings) in CASES.items():
        if names and name not in names:
            continue
        cases = []
        for variant, (given, on) in enumerate(settings):
            for problem in on:
                steps = FEWER.get((name, problem), STEPS)
                cases.append(run(name, method, variant, given, problem, *made[problem], steps))
        write_cases(folder, name, VERSION, cases)


main(sys.argv[1], sys.argv[2:])
