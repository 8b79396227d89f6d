"""Files as the reader of trajectories has them: JSON, a line for each case, packed, the same bytes each time."""

import gzip
import json

SET = "numpy"


def packed(path, text):
    with open(path, "wb") as file:
        # No name and no time of its own.
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=file, mtime=0) as inner:
            inner.write(text.encode())


def line(value):
    """JSON without spaces, whole numbers without a fraction."""
    return json.dumps(whole(value), separators=(",", ":"))


def whole(value):
    """The same value with numbers of lists as short as they can be; options stay as they are."""
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    if isinstance(value, dict):
        keep = ("hyper", "hyper_given")
        return {key: inner if key in keep else whole(inner) for key, inner in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def write_problems(folder, problems):
    made = {
        name: {
            "shapes": [list(start.shape)],
            "T": len(gradients),
            "init": [start.ravel().tolist()],
            "G": [[g.ravel().tolist()] for g in gradients],
        }
        for name, (start, gradients) in problems.items()
    }
    packed(f"{folder}/problems_numpy_matrix.json.gz", line({"set": SET, "problems": made}))


def write_cases(folder, name, version, cases):
    head = {
        "library": "numpy",
        "version": version,
        "class": name,
        "optimizer": name,
        "set": SET,
        "notes": "written from the papers in f64, by no code of this library: tests/golden/oracle",
    }
    lines = ",\n".join(line(case) for case in cases)
    packed(f"{folder}/numpy__{name}_matrix.json.gz", line(head)[:-1] + ',"cases":[\n' + lines + "\n]}\n")
