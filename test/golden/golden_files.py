"""The files of a golden set, format golden/1 (README.md): what the scripts that make fixtures share."""

import argparse
import hashlib
import json
import math
import os

import numpy as np

FORMAT = "golden/1"
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")

CODES = {np.dtype(np.float64): "F64", np.dtype(np.float32): "F32", np.dtype(np.int32): "I32", np.dtype(np.uint8): "U8"}


class Group:
    """The cases of one group and the arrays they name."""

    def __init__(self, name, title, **about):
        self.name, self.title, self.about, self.cases, self.tensors = name, title, about, [], {}

    def put(self, name, array):
        """Keeps an array and returns its name; int64 becomes int32, which JavaScript reads as plain numbers."""
        a = np.asarray(array.detach() if hasattr(array, "detach") else array)
        a = np.ascontiguousarray(a.astype(np.int32) if a.dtype == np.int64 else a)
        assert a.dtype in CODES and name not in self.tensors and (a.dtype.kind != "f" or np.isfinite(a).all()), name
        self.tensors[name] = a
        return name

    def case(self, name, **fields):
        assert all(c["id"] != name for c in self.cases), name
        self.cases.append({"id": name, **{k: v for k, v in fields.items() if v is not None}})

    def write(self, folder):
        line = lambda value: json.dumps(value, allow_nan=False)
        head = {"format": FORMAT, "group": self.name, "title": self.title, "file": f"{self.name}.safetensors", **self.about}
        with open(os.path.join(folder, f"{self.name}.json"), "w") as f:
            fields = [f" {line(k)}: {line(v)}" for k, v in head.items()]
            f.write("{\n" + ",\n".join(fields) + ',\n "cases": [\n  ' + ",\n  ".join(map(line, self.cases)) + "\n ]\n}\n")
        widest_first = sorted(self.tensors, key=lambda n: -self.tensors[n].itemsize)  # so that every array is aligned
        header, end = {"__metadata__": {"format": FORMAT, "group": self.name}}, 0
        for name in widest_first:
            a = self.tensors[name]
            header[name] = {"dtype": CODES[a.dtype], "shape": list(a.shape), "data_offsets": [end, end + a.nbytes]}
            end += a.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with open(os.path.join(folder, f"{self.name}.safetensors"), "wb") as f:
            f.write(len(text).to_bytes(8, "little") + text + b"".join(self.tensors[n].tobytes() for n in widest_first))

    def report(self):
        print(f"{self.name}: {len(self.cases)} cases, {sum(a.nbytes for a in self.tensors.values())} bytes", flush=True)


def index_entry(folder, name):
    """What index.json says of a group; None where the folder has not got it."""
    paths = [os.path.join(folder, f"{name}.{kind}") for kind in ("json", "safetensors")]
    if not all(map(os.path.exists, paths)):
        return None
    contents = [open(path, "rb").read() for path in paths]
    document = json.loads(contents[0])
    return {"group": name, "title": document["title"], "cases": len(document["cases"]), "json": f"{name}.json",
            "tensors": f"{name}.safetensors", "bytes": sum(map(len, contents)),
            "sha256": {os.path.basename(p): hashlib.sha256(c).hexdigest() for p, c in zip(paths, contents)}}


def write_index(folder, index):
    with open(os.path.join(folder, "index.json"), "w") as f:
        f.write(json.dumps(index, indent=1) + "\n")


def run_for_one_group(description, make):
    """The command line of a script that makes one group, `make(seed)`, and enters it in the index.json that is there."""
    parser = argparse.ArgumentParser(description=description.split("\n")[0])
    parser.add_argument("--seed", type=int, default=7, help="of every random number (default 7)")
    parser.add_argument("--out", default=FIXTURES, help="folder to write to; its index.json gets the group (default: fixtures beside this file)")
    args = parser.parse_args()
    group = make(args.seed)
    group.write(args.out)
    group.report()
    with open(os.path.join(args.out, "index.json")) as f:
        index = json.load(f)
    others = [known for known in index["groups"] if known["group"] != group.name]
    write_index(args.out, {**index, "groups": [*others, index_entry(args.out, group.name)]})


def generator(seed, *purpose):
    """A generator of its own for every purpose, so that changing one group leaves the others as they are."""
    digest = hashlib.sha256(repr((seed, purpose)).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:8], "little")))


def one_digit_up(x):
    if x <= 0:
        return 0.0
    exponent = math.floor(math.log10(x))
    return float(f"{math.ceil(x / 10.0 ** exponent - 1e-9)}e{exponent}")


def single(a):
    return np.asarray(a, dtype=np.float32)


def entry(tensor, atol=0.0, rtol=0.0, **more):
    return {"tensor": tensor, "atol": float(atol), "rtol": float(rtol), **more}


def number(value, atol=0.0, rtol=1e-5, **more):
    return {"value": float(value), "atol": float(atol), "rtol": float(rtol), **more}
