#!/usr/bin/env python3
"""Compares the losses with lightly's and PyTorch's on fresh random inputs, on every engine that is there.

    python3 test/golden/compare-with-lightly.py [--seed N] [--out FOLDER]

Needs Python with lightly (pip install lightly), which brings PyTorch. It writes a golden set of one group, `objectives`, and runs the golden
tests on it. Every call draws other inputs, of which the seed is printed. Values are of float64; the same in float32 says what a
float32 implementation can reach: a tolerance is ten times that distance, rounded up to one digit, and never below a few ulps. With --out, the
set is written there and not run.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import lightly
import numpy as np
import torch
import torch.nn.functional as F
from lightly.loss import BarlowTwinsLoss, DCLLoss, DCLWLoss, DINOLoss, NegativeCosineSimilarity, NTXentLoss, SwaVLoss, VICRegLoss

from golden_files import FORMAT, Group, entry, generator, index_entry, number, one_digit_up, single, write_index

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def pair(z):
    """The two views of [2N, D]."""
    return z.chunk(2)


def supcon(z, labels, tau):
    """Khosla et al., eq. 2, by PyTorch: of each anchor's softmax over the others, the mean logarithm at those of its class."""
    u, losses = F.normalize(z), []
    for i in range(len(z)):
        others = torch.arange(len(z)) != i
        logs = F.log_softmax(u[others] @ u[i] / tau, 0)
        positive = labels[others] == labels[i]
        if positive.any():
            losses.append(-logs[positive].mean())
    return torch.stack(losses).mean()


def moco(q, k, queue, tau):
    """He et al., algorithm 1, by PyTorch."""
    q, k, queue = F.normalize(q), F.normalize(k), F.normalize(queue)
    logits = torch.cat([(q * k).sum(1, keepdim=True), q @ queue.T], 1)
    return F.cross_entropy(logits / tau, torch.zeros(len(q), dtype=torch.long))


def clip(a, b, tau):
    """Radford et al., figure 3, by PyTorch."""
    logits = F.normalize(a) @ F.normalize(b).T / tau
    own = torch.arange(len(a))
    return (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2


def simsiam(p1, p2, z1, z2):
    cosine = NegativeCosineSimilarity(eps=1e-12)
    return (cosine(p1, z2.detach()) + cosine(p2, z1.detach())) / 2


def swav(scores, tau, views, assigned, epsilon, iterations):
    each = scores.chunk(views)
    loss = SwaVLoss(temperature=tau, sinkhorn_iterations=iterations, sinkhorn_epsilon=epsilon)
    return loss(list(each[:assigned]), list(each[assigned:])).squeeze()


def dino(student, teacher, center, student_tau, teacher_tau, views):
    images = len(student) // views
    loss = DINOLoss(output_dim=student.shape[1], student_temp=student_tau, teacher_temp=teacher_tau)
    loss.center = center.detach().reshape(1, 1, -1).clone()
    return loss(list(teacher.detach().split(images)), list(student.split(images)), teacher_temp=teacher_tau)


def objectives(seed):
    versions = f"lightly {lightly.__version__}, PyTorch {torch.__version__}"
    g = Group("objectives", f"Losses of {versions}, seed {seed}",
              how_to_compare="loss: |got-value| <= atol + rtol*|value|; gradients: |got-expected| <= atol + row_rtol*max|expected row|")
    rng = generator(seed, "lightly")
    normal = lambda *shape: single(rng.normal(size=shape))

    def evaluate(loss, inputs, by, dtype):
        tensors = {k: torch.from_numpy(np.array(v)) for k, v in inputs.items()}
        tensors = {k: v.to(dtype).requires_grad_(k in by) if v.is_floating_point() else v for k, v in tensors.items()}
        value = loss(**tensors)
        value.backward()
        return value.detach().double().numpy(), {k: tensors[k].grad.double().numpy() for k in by}

    def case(name, formula, params, inputs, loss, by, source="lightly"):
        names = {k: g.put(f"{name}/{k}", v) for k, v in inputs.items()}
        (exact, gradients), (rounded, rounded_gradients) = (evaluate(loss, inputs, by, t) for t in (torch.float64, torch.float32))
        expected = {"loss": number(exact, one_digit_up(max(10 * abs(exact - rounded), 1e-6)))}
        for key, gradient in gradients.items():
            relative = (np.abs(gradient - rounded_gradients[key]).max(1) / np.abs(gradient).max(1)).max()
            expected[f"d{key}"] = entry(g.put(f"{name}/d{key}", gradient), row_rtol=one_digit_up(max(10 * relative, 1e-5)))
        g.case(name, formula=formula, params=params, inputs=names, expected=expected, produced_by=f"{source} in float64, {versions}")

    for _ in range(3):
        n, d, tau = int(rng.integers(2, 24)), int(rng.integers(3, 40)), round(float(rng.uniform(0.05, 1)), 3)
        shape = f"N{n}_D{d}_tau{tau}"
        base = normal(n, d)
        z = np.concatenate([single(base + 0.5 * normal(n, d)) for _ in range(2)])
        t = {"tau": tau}
        case(f"ntxent/{shape}", "ntxent", t, {"z": z}, lambda z: NTXentLoss(temperature=tau)(*pair(z)), ("z",))
        case(f"dcl/{shape}", "dcl", t, {"z": z}, lambda z: DCLLoss(temperature=tau)(*pair(z)), ("z",))
        sigma = {"tau": tau, "sigma": 0.5}
        case(f"dcl_weighted/{shape}", "dcl", sigma, {"z": z}, lambda z: DCLWLoss(temperature=tau, sigma=0.5)(*pair(z)), ("z",))
        labels = np.concatenate([rng.integers(0, 4, n)] * 2)
        case(f"supcon/{shape}", "supcon", t, {"z": z, "labels": labels}, lambda z, labels: supcon(z, labels, tau), ("z",), "PyTorch")
        queue = {"q": normal(n, d), "k": normal(n, d), "queue": normal(int(rng.integers(4, 60)), d)}
        case(f"moco/{shape}", "moco", t, queue, lambda q, k, queue: moco(q, k, queue, tau), ("q",), "PyTorch")
        case(f"clip/{shape}", "clip", t, {"a": z[:n], "b": z[n:]}, lambda a, b: clip(a, b, tau), ("a", "b"), "PyTorch")
        branches = {"p1": normal(n, d), "p2": normal(n, d), "z1": normal(n, d), "z2": normal(n, d)}
        case(f"simsiam/{shape}", "simsiam", {}, branches, simsiam, ("p1", "p2"))
        case(f"byol/{shape}", "byol", {}, branches, lambda **of: 4 + 4 * simsiam(**of), ("p1", "p2"))
        views = {"z1": z[:n], "z2": z[n:]}
        case(f"barlow_twins/{shape}", "barlow_twins", {"lambda": 0.005}, views, lambda z1, z2: BarlowTwinsLoss(0.005)(z1, z2), ("z1", "z2"))
        views = {"x": z[:n], "y": z[n:]}
        case(f"vicreg/{shape}", "vicreg", {"weights": [25, 25, 1]}, views, lambda x, y: VICRegLoss()(x, y), ("x", "y"))
        k, count, assigned = int(rng.integers(3, 30)), int(rng.integers(2, 7)), 2
        params = {"tau": 0.1, "views": count, "assigned": assigned, "epsilon": 0.05, "iterations": 3}
        scores = single(np.tanh(normal(count * n, k)))
        case(f"swav/{shape}_V{count}", "swav", params, {"scores": scores}, lambda scores: swav(scores, **params), ("scores",))
        params = {"student_tau": 0.1, "teacher_tau": 0.04, "views": count}
        inputs = {"student": single(0.3 * normal(count * n, k)), "teacher": single(0.2 * normal(assigned * n, k)), "center": single(0.1 * normal(k))}
        case(f"dino/{shape}_V{count}", "dino", params, inputs, lambda student, teacher, center: dino(student, teacher, center, **params), ("student",))
    return g


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, help="of every random number (default: another one at every call)")
    parser.add_argument("--out", help="folder to write the set to, which is then not run")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else int.from_bytes(os.urandom(4), "little")
    folder = args.out or tempfile.mkdtemp(prefix="golden-lightly-")
    os.makedirs(folder, exist_ok=True)
    group = objectives(seed)
    group.write(folder)
    write_index(folder, {"format": FORMAT, "seed": seed, "groups": [index_entry(folder, group.name)]})
    print(f"seed {seed}, in {folder}")
    group.report()
    if args.out:
        return 0
    tests = ["npx", "vitest", "run", "--project", "golden", "test/golden/objectives"]
    return subprocess.run(tests, cwd=ROOT, env={**os.environ, "GOLDEN_DIR": folder}).returncode


if __name__ == "__main__":
    sys.exit(main())
