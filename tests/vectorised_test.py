"""Compiles each source that holds a hot loop of ours as the build does, and asks GCC which loops it
vectorised: one that is scalar by accident (a call that may set errno, an alias) is four to sixteen
times as slow, and no other test would notice.

usage: vectorised_test.py SOURCE_DIR BUILD_DIR
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# Source, and the text that begins each of its loops over floats of a gradient, a parameter or an
# image. Not here: batch norm and pooling, written in vectors by hand, and the drawing of dropout's
# mask, whose generator is 64 bits wide.
LOOPS = {
    "core/data/batch_loader.cpp": [
        "for (std::size_t p = 0; p < plane; ++p)",
        "for (std::size_t x = first_x; x < last_x; ++x) {",
    ],
    "core/exchange/message_ring_exchange.cpp": ["for (std::size_t i = 0; i < size; ++i)"],
    "core/exchange/scheduled_exchange.cpp": ["for (std::size_t i = 0; i < range.size; ++i)"],
    "core/exchange/sum_chunk.cpp": ["for (std::size_t i = 0; i < size; ++i)"],
    "core/nn/dropout_layer.cpp": ["for (std::size_t i = first; i < last; ++i)"],
    "core/optim/adam.cpp": ["for (std::size_t i = 0; i < part.size; ++i) {"],
    "core/optim/sgd.cpp": ["for (std::size_t i = 0; i < part.size; ++i) {"],
    "multiproc/shared_ring_exchange.cpp": ["for (std::size_t i = 0; i < piece.size; ++i)"],
    "threaded/omp_reduction_exchange.cpp": ["for (std::size_t i = 0; i < range.size; ++i)"],
    "threaded/shared_sum_exchange.cpp": ["for (std::size_t i = 0; i < range.size; ++i)"],
    "threaded/tree_exchange.cpp": ["for (std::size_t i = 0; i < range.size; ++i)"],
}


def hot_lines(source, beginnings):
    """Line number: text, of each loop. Every beginning must be found."""
    lines = source.read_text().splitlines()
    found = {}
    for beginning in beginnings:
        here = {n: line.strip() for n, line in enumerate(lines, 1) if line.strip().startswith(beginning)}
        if not here:
            sys.exit(f"{source}: no loop begins with '{beginning}': bring LOOPS up to date")
        found |= here
    return found


def scalar_loops(root, name, command, directory):
    arguments = shlex.split(command)
    if arguments[0].endswith("ccache"):
        del arguments[0]
    at = arguments.index("-o")
    arguments[at + 1] = "/dev/null"
    for option in ("-MD", "-Werror"):
        if option in arguments:
            arguments.remove(option)
    for option in ("-MF", "-MT"):
        if option in arguments:
            where = arguments.index(option)
            del arguments[where:where + 2]
    said = subprocess.run([*arguments, "-fopt-info-vec-optimized"], cwd=directory, text=True,
                          capture_output=True)
    if said.returncode != 0:
        return [f"{name} does not compile: {said.stderr.strip()}"]
    pattern = re.compile(re.escape(name) + r":(\d+):\d+: optimized: loop vectorized")
    vectorised = {int(line) for line in pattern.findall(said.stderr)}
    return [f"{name}:{line}: not vectorised: {text}"
            for line, text in hot_lines(root / name, LOOPS[name]).items() if line not in vectorised]


def main():
    root, build = (pathlib.Path(folder).resolve() for folder in sys.argv[1:3])
    commands = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if file.is_relative_to(root) and str(file.relative_to(root)) in LOOPS:
            commands[str(file.relative_to(root))] = entry
    missing = LOOPS.keys() - commands.keys()
    if missing:
        sys.exit(f"no compile command for {', '.join(sorted(missing))}")
    with ThreadPoolExecutor(2) as pool:
        scalar = sum(pool.map(lambda name: scalar_loops(root, name, commands[name]["command"],
                                                        commands[name]["directory"]), LOOPS), [])
    if scalar:
        sys.exit("\n".join(scalar))
    print(f"{sum(len(hot_lines(root / name, LOOPS[name])) for name in LOOPS)} loops are vectorised")


main()
