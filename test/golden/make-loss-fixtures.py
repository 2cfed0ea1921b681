#!/usr/bin/env python3
"""Makes the group `objectives` of test/golden/fixtures: the losses of other methods than SimCLR, by NumPy alone.

    python3 test/golden/make-loss-fixtures.py [--seed 7] [--out FOLDER]

Every loss is written as its paper or the authors' code has it, loops and whole matrices and no short cut. Values are of complex128; a
derivative is the imaginary part of the loss at x + 1e-30 i over 1e-30, which is exact but for rounding. The same run in complex64 says what a
float32 implementation can reach: a tolerance is ten times that distance, rounded up to one digit, and never below a few ulps.
"""

import numpy as np

from golden_files import Group, entry, generator, number, one_digit_up, run_for_one_group, single

FORMULAS = {
    "dcl": {"paper": "Yeh et al. 2022, 'Decoupled Contrastive Learning', eq. 5 and 6",
            "formula": "u_i = z_i / |z_i|, p(i) = (i+N) mod 2N; loss = mean_i (log sum_{j != i, p(i)} exp(u_i.u_j/tau) - w_i u_i.u_p(i)/tau); "
                       "w = 1, or with sigma 2 - exp(u_i.u_p(i)/sigma) / mean_k exp(u_k.u_p(k)/sigma), a constant to the gradient"},
    "supcon": {"paper": "Khosla et al. 2020, 'Supervised Contrastive Learning', eq. 2",
               "formula": "l_i = -1/|P(i)| sum_{p in P(i)} (u_i.u_p/tau - log sum_{a != i} exp(u_i.u_a/tau)); loss = mean over the i whose P(i) is not "
                          "empty; loss_mean_over_all_rows counts the others as 0"},
    "barlow_twins": {"paper": "Zbontar et al. 2021, 'Barlow Twins', eq. 1 and 2",
                     "formula": "columns less their means over sqrt(biased variance + 1e-5); C = a^T b / N; loss = sum_i (1-C_ii)^2 + lambda sum_{i != j} C_ij^2"},
    "vicreg": {"paper": "Bardes et al. 2022, 'VICReg', as in the authors' code",
               "formula": "lambda mean((x-y)^2) + mu [mean_j relu(1-S(x_j)) + mean_j relu(1-S(y_j))]/2 + nu [c(x)+c(y)]; S(v) = sqrt(unbiased var + 1e-4); "
                          "c(x) = sum_{i != j} Cov_ij^2 / D"},
    "sinkhorn": {"paper": "Caron et al. 2020, 'SwAV', eq. 3 to 5, as in the authors' code",
                 "formula": "Q = exp(scores/epsilon) over its sum; `iterations` times: columns over K times their sums, rows over B times theirs; codes = B Q"},
    "swav": {"paper": "Caron et al. 2020, 'SwAV', eq. 2 and 6",
             "formula": "q_a = sinkhorn(scores of view a), a constant, a < assigned; loss = mean over a and v != a and images of -q_a . log softmax(scores_v/tau)"},
    "dino": {"paper": "Caron et al. 2021, 'Emerging Properties in Self-Supervised Vision Transformers', eq. 1 to 4",
             "formula": "t = softmax((teacher-center)/teacher_tau); loss = mean over a < A and v != a and images of -t_a . log softmax(student_v/student_tau); "
                        "next_center = 0.9 center + 0.1 mean of the teacher's rows"},
}


# ----------------------------------------------------------------------------------------------- losses

def largest(a, axis):
    return a.real.max(axis, keepdims=True)


def log_softmax(x):
    x = x - largest(x, 1)
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def unit(z):
    return z / np.sqrt((z * z).sum(1, keepdims=True))


def dcl(z, tau, sigma=None):
    u = unit(z)
    rows, total = len(z), 0
    partner = lambda i: (i + rows // 2) % rows
    cosines = (u @ u.T)
    pairs = np.array([cosines[i, partner(i)].real for i in range(rows)])
    weights = np.ones(rows) if sigma is None else 2 - np.exp(pairs / sigma) / np.exp(pairs / sigma).mean()
    for i in range(rows):
        others = cosines[i, [j for j in range(rows) if j not in (i, partner(i))]] / tau
        top = others.real.max()
        total = total + np.log(np.exp(others - top).sum()) + top - z.dtype.type(weights[i]) * cosines[i, partner(i)] / tau
    return total / rows


def supcon(z, labels, tau, over_all=False):
    u, losses = unit(z), []
    for i in range(len(z)):
        others = [j for j in range(len(z)) if j != i]
        logs = log_softmax((u[i:i + 1] @ u[others].T) / tau)[0]
        positive = labels[others] == labels[i]
        if positive.any():
            losses.append(-logs[positive].mean())
    return sum(losses) / (len(z) if over_all else len(losses))


def barlow_twins(z1, z2, weight):
    def standard(z):
        centred = z - z.mean(0)
        return centred / np.sqrt((centred * centred).mean(0) + 1e-5)

    c = standard(z1).T @ standard(z2) / len(z1)
    own = np.eye(len(c), dtype=bool)
    return ((1 - c[own]) ** 2).sum() + weight * (c[~own] ** 2).sum()


def vicreg(x, y, weights):
    invariance, variance, covariance = ((x - y) ** 2).mean(), 0, 0
    for v in (x, y):
        centred = v - v.mean(0)
        cov = centred.T @ centred / (len(v) - 1)
        own = np.eye(len(cov), dtype=bool)
        missing = 1 - np.sqrt(cov[own] + 1e-4)
        variance = variance + np.where(missing.real > 0, missing, 0).mean() / 2
        covariance = covariance + (cov[~own] ** 2).sum() / len(cov)
    return weights[0] * invariance + weights[1] * variance + weights[2] * covariance


def sinkhorn(scores, epsilon, iterations):
    q = np.exp(scores.real / epsilon)
    q = q / q.sum()
    samples, prototypes = q.shape
    for _ in range(iterations):
        q = q / q.sum(0, keepdims=True) / prototypes
        q = q / q.sum(1, keepdims=True) / samples
    return q * samples


def crossed(targets, logits):
    """Mean over pairs of different views, of lists of views."""
    losses = [-(t * log_softmax(x)).sum(1).mean() for a, t in enumerate(targets) for v, x in enumerate(logits) if v != a]
    return sum(losses) / len(losses)


def swav(scores, tau, views, assigned, epsilon, iterations):
    each = np.split(scores, views)
    return crossed([sinkhorn(view, epsilon, iterations) for view in each[:assigned]], [view / tau for view in each])


def dino(student, teacher, center, student_tau, teacher_tau, views):
    images = len(student) // views
    targets = np.exp(log_softmax((teacher - center) / teacher_tau))
    return crossed(np.split(targets, len(teacher) // images), np.split(student / student_tau, views))


# ----------------------------------------------------------------------------------------------- cases

def gradient(loss, inputs, name, dtype):
    """The derivative of the loss for one input, element by element, by a step along the imaginary axis."""
    step, values = 1e-30, {k: v.astype(dtype) if v.dtype.kind == "f" else v for k, v in inputs.items()}
    result = np.zeros(inputs[name].shape)
    for place in np.ndindex(*result.shape):
        moved = values[name].copy()
        moved[place] += 1j * step
        result[place] = loss(**{**values, name: moved}).imag / step
    return result


def objectives(seed):
    g = Group("objectives", "Losses of other self-supervised methods with gradients", formulas=FORMULAS,
              how_to_compare="loss: |got-value| <= atol + rtol*|value|; gradients: |got-expected| <= atol + row_rtol*max|expected row|")
    rng = generator(seed, "objectives")
    normal = lambda *shape: single(rng.normal(size=shape))

    def case(name, formula, params, inputs, loss, by, more=None):
        """`more`: further values by name, each a function as the loss is."""
        inputs = {k: np.asarray(v) for k, v in inputs.items()}
        names = {k: g.put(f"{name}/{k}", v) for k, v in inputs.items()}
        expected = {}
        for key, compute in {**({"loss": loss} if loss else {}), **(more or {})}.items():
            exact, float32 = (np.real(compute(**{k: v.astype(t) if v.dtype.kind == "f" else v for k, v in inputs.items()}))
                              for t in (np.complex128, np.complex64))
            atol = one_digit_up(max(10 * np.abs(exact - float32).max(), 1e-6))
            expected[key] = entry(g.put(f"{name}/{key}", exact), atol) if exact.ndim else number(exact, atol)
        for key in by:
            exact, float32 = (gradient(loss, inputs, key, t) for t in (np.complex128, np.complex64))
            relative = (np.abs(exact - float32).max(1) / np.abs(exact).max(1)).max()
            expected[f"d{key}"] = entry(g.put(f"{name}/d{key}", exact), row_rtol=one_digit_up(max(10 * relative, 1e-5)))
        g.case(name, formula=formula, params=params, inputs=names, expected=expected,
               produced_by="NumPy in complex128 on the float32 inputs, derivatives by a complex step")

    for n, d, tau in ((3, 7, 0.1), (12, 5, 0.5)):  # fewer images than features, and more
        shape = f"N{n}_D{d}"
        base = normal(n, d)
        z1, z2 = single(base + 0.5 * normal(n, d)), single(base + 0.5 * normal(n, d))
        z = np.concatenate([z1, z2])
        case(f"dcl/{shape}", "dcl", {"tau": tau}, {"z": z}, lambda z: dcl(z, tau), "z")
        case(f"dcl_weighted/{shape}", "dcl", {"tau": tau, "sigma": 0.5}, {"z": z}, lambda z: dcl(z, tau, 0.5), "z")
        labels = rng.integers(0, 3, 2 * n)
        labels[0] = 7  # of which there is no other
        case(f"supcon/{shape}", "supcon", {"tau": tau}, {"z": z, "labels": labels}, lambda z, labels: supcon(z, labels, tau), "z",
             {"loss_mean_over_all_rows": lambda z, labels: supcon(z, labels, tau, True)})
        views = {"z1": z1, "z2": z2}
        case(f"barlow_twins/{shape}", "barlow_twins", {"lambda": 0.005}, views, lambda z1, z2: barlow_twins(z1, z2, 0.005), views)
        weights = [25, 25, 1]
        views = {"x": single(0.7 * z1), "y": single(0.7 * z2)}
        case(f"vicreg/{shape}", "vicreg", {"weights": weights}, views, lambda x, y: vicreg(x, y, weights), views)

    for samples, prototypes, epsilon, iterations in ((6, 4, 0.05, 3), (3, 9, 0.2, 1)):
        params = {"epsilon": epsilon, "iterations": iterations}
        scores = single(np.tanh(normal(samples, prototypes)))
        case(f"sinkhorn/B{samples}_K{prototypes}", "sinkhorn", params, {"scores": scores}, None, (),
             {"codes": lambda scores: sinkhorn(scores, **params)})
    for views, assigned, n, k in ((2, 2, 5, 6), (4, 2, 3, 8)):
        params = {"tau": 0.1, "views": views, "assigned": assigned, "epsilon": 0.05, "iterations": 3}
        scores = single(np.tanh(normal(views * n, k)))
        case(f"swav/V{views}_A{assigned}", "swav", params, {"scores": scores}, lambda scores: swav(scores, **params), ("scores",))
        params = {"student_tau": 0.1, "teacher_tau": 0.04, "views": views}
        inputs = {"student": single(0.3 * normal(views * n, k)), "teacher": single(0.2 * normal(assigned * n, k)), "center": single(0.1 * normal(k))}
        case(f"dino/V{views}_A{assigned}", "dino", params, inputs, lambda student, teacher, center: dino(student, teacher, center, **params), ("student",),
             {"next_center": lambda student, teacher, center: 0.9 * center + 0.1 * teacher.mean(0)})
    return g


if __name__ == "__main__":
    run_for_one_group(__doc__, objectives)
