"""Facts about experiments/schemas: every JSON file that the program writes is valid, and a file
that is not as described is refused. Prints the facts that do not hold and exits 1 if there are any.
Usage: schemas_test.py PROGRAM"""

import copy
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import jsonschema

SCHEMAS = pathlib.Path(__file__).resolve().parents[3] / "experiments" / "schemas"
SMALL = ["--epochs", "1", "--steps", "2", "--batch-size", "8", "--quiet"]
LATE = ["--timeout", "0.1", "--inject", "delay:rank=1,ms=1000,phase=forward"]

# Which schema a file is of.
FILES = {"run-*.json": "run", "ceiling-*.json": "ceiling", "sweep.json": "sweep",
         "trace-*.json": "trace", "allreduce.json": "allreduce", "summary.json": "summary"}

# What is run, its exit code, and how many files of runs (or of an all-reduce) it writes.
RUNS = [
    (["--mode", "serial,threads,procs", "-n", "1,2", *SMALL], 0, 5),
    (["--mode", "serial,threads", "-n", "2", "--reps", "3", "--no-report", *SMALL], 0, 6),
    (["--mode", "serial", "-n", "2", *SMALL], 0, 1),
    (["--mode", "threads,procs", "-n", "2", "--overlap", "off", *SMALL], 0, 2),
    (["--mode", "procs", "-n", "2", "--reduction", "shared-direct", *SMALL], 0, 1),
    (["--mode", "serial", "--epochs", "0"], 0, 1),
    (["--mode", "serial", "--epochs", "1", "--steps", "0"], 0, 1),
    (["--mode", "threads", "-n", "2", *LATE, *SMALL], 7, 1),
    (["--mode", "procs", "-n", "2", *LATE, *SMALL], 7, 1),
    (["--mode", "serial", "--lr", "1e30", *SMALL, "--steps", "5"], 1, 1),
    (["allreduce", "--mode", "threads,procs", "-n", "2", "--bytes", "4096",
      "--repetitions", "2"], 0, 1),
]

failures = 0


def fact(description, holds, why=""):
    global failures
    if not holds:
        print(f"does not hold: {description}\n{why}", file=sys.stderr)
        failures += 1


def validator_of(name):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    resolver = jsonschema.RefResolver(SCHEMAS.as_uri() + "/", schema)  # finds $refs beside it
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON")  # Python would take NaN and Infinity


def documents_of(program, arguments, exit_code):
    """What a run writes, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        run = subprocess.run([program, *arguments, "--out", out], capture_output=True, text=True,
                             timeout=120)
        fact(f"{arguments} ends with {exit_code}", run.returncode == exit_code, run.stderr)
        return {file.name: json.loads(file.read_text(), parse_constant=refuse_constant)
                for file in sorted(out.glob("*.json"))}


def documents_of_folders(program):
    """What report, diff and predict write of two small sweeps, by the name of their schema."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sweep = [program, "--mode", "threads,procs", "-n", "1,2", "--reps", "2", "--no-report",
                 *SMALL, "--out"]
        commands = [
            [*sweep, folder / "a"],
            [*sweep, folder / "b", "--overlap", "off"],
            [program, "allreduce", "-n", "2", "--bytes", "1048576,4591656,9183312",
             "--repetitions", "2", "--out", folder / "a"],
            [program, "report", folder / "a"],
            [program, "diff", folder / "a", folder / "b", "--json", folder / "diff.json"],
        ]
        files = {"summary": folder / "a" / "summary.json", "diff": folder / "diff.json"}
        if len(os.sched_getaffinity(0)) > 1:
            commands.append([program, "predict", folder / "a", "-n", "4,8", "--far", "--json",
                             folder / "predict.json"])
            files["predict"] = folder / "predict.json"
        for command in commands:
            run = subprocess.run(command, capture_output=True, text=True, timeout=120)
            fact(f"{command} succeeds", run.returncode == 0, run.stderr)
        return {name: json.loads(file.read_text(), parse_constant=refuse_constant)
                for name, file in files.items()}


def places_of(value, path=()):
    """Every object in a document, by its path."""
    if isinstance(value, dict):
        # The names in it are those of variables: any is as good as another.
        if path[-1:] != ("environment",):
            yield path
        for name, field in value.items():
            yield from places_of(field, (*path, name))
    elif isinstance(value, list) and value:
        yield from places_of(value[0], (*path, 0))


def at(document, path):
    for part in path:
        document = document[part]
    return document


def check_refusals(validator, document, name):
    """A field too many, too few or of another type is refused in every object of the document."""
    for path in places_of(document):
        broken = copy.deepcopy(document)
        at(broken, path)["unknown"] = 1
        fact(f"{name}: a field too many at {path} is refused", not validator.is_valid(broken))
        for field in at(document, path):
            broken = copy.deepcopy(document)
            del at(broken, path)[field]
            if path[-1:] == ("args",):
                continue  # of a trace's event: each is for some events alone
            fact(f"{name}: {path} without {field} is refused", not validator.is_valid(broken))
            broken = copy.deepcopy(document)
            at(broken, path)[field] = [{"no": "such type"}]
            fact(f"{name}: {field} at {path} of another type is refused",
                 not validator.is_valid(broken))


def check_generated(program):
    """The committed schemas and RESULTS.md are what generate.sh makes of them."""
    with tempfile.TemporaryDirectory() as folder:
        copy_of = pathlib.Path(folder) / "experiments"
        shutil.copytree(SCHEMAS, copy_of / "schemas")
        shutil.copy(SCHEMAS.parent / "RESULTS.md", copy_of)
        subprocess.run([SCHEMAS / "generate.sh", program, copy_of], check=True)
        for file in [copy_of / "RESULTS.md", *sorted(copy_of.glob("schemas/*"))]:
            committed = SCHEMAS.parent / file.relative_to(copy_of)
            fact(f"{committed} is as generated (run experiments/schemas/generate.sh PROGRAM)",
                 committed.exists() and committed.read_text() == file.read_text())


def main(program):
    check_generated(program)
    validators = {name: validator_of(name) for name in {*FILES.values(), "context"}}
    samples = {}
    for arguments, exit_code, count in RUNS:
        documents = documents_of(program, arguments, exit_code)
        kind = "allreduce" if arguments[0] == "allreduce" else "run-"
        results = [file for file in documents if file.startswith(kind)]
        fact(f"{arguments} writes {count} results", len(results) == count, list(documents))
        for file, document in documents.items():
            names = [name for pattern, name in FILES.items() if pathlib.Path(file).match(pattern)]
            fact(f"{file} has a schema", names)
            for name in names:
                errors = [f"  {'.'.join(map(str, error.absolute_path))}: {error.message}"
                          for error in validators[name].iter_errors(document)]
                fact(f"{file} of {arguments} is valid", not errors, "\n".join(errors))
                samples.setdefault((name, document.get("status")), document)

    fact("every kind of file was seen",
         set(samples) == {("run", "complete"), ("run", "failed"), ("sweep", "complete"),
                          ("ceiling", None), ("trace", None), ("allreduce", None),
                          ("summary", None)}, list(samples))
    for (name, _), document in samples.items():
        check_refusals(validators[name], document, name)

    for name, document in documents_of_folders(program).items():
        validator = validator_of(name)
        errors = [error.message for error in validator.iter_errors(document)]
        fact(f"what {name} writes is valid", not errors, "\n".join(errors))
        check_refusals(validator, document, name)

    complete = samples["run", "complete"]
    for field, value in [("status", "done"), ("schema", "dp_compare.run/2"), ("exit_code", 8),
                         ("repetition", 0), ("reason", "none"), ("result", None),
                         ("started", "today")]:
        fact(f"a complete run with {field} = {value} is refused",
             not validators["run"].is_valid({**complete, field: value}))


if __name__ == "__main__":
    main(sys.argv[1])
    if failures:
        sys.exit(1)
    print("all facts about the schemas hold")
