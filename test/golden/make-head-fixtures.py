#!/usr/bin/env python3
"""Makes the group `heads` of test/golden/fixtures: heads of other methods than SimCLR, and moving averages of weights, by PyTorch.

    python3 test/golden/make-head-fixtures.py [--seed 7] [--out FOLDER]

Modules are put together as the authors' code has them. Values are of float64 on float32 weights and inputs; the same run in float32 says
what a float32 implementation can reach: a tolerance is ten times that distance, rounded up to one digit, and never below a few ulps.
"""

import numpy as np
import torch
from torch import nn

from golden_files import Group, entry, generator, one_digit_up, run_for_one_group, single


class Prototypes(nn.Module):
    """facebookresearch/swav: projections are normalised, and so are the rows of a linear layer without bias."""

    def __init__(self, inputs, prototypes):
        super().__init__()
        self.prototypes = nn.Linear(inputs, prototypes, bias=False)

    def forward(self, x):
        return self.prototypes(nn.functional.normalize(x, dim=1, p=2))


class DINOHead(nn.Module):
    """facebookresearch/dino, vision_transformer.py."""

    def __init__(self, inputs, hidden, bottleneck, outputs, batch_norm):
        super().__init__()
        norm = lambda: [nn.BatchNorm1d(hidden)] if batch_norm else []
        self.mlp = nn.Sequential(nn.Linear(inputs, hidden), *norm(), nn.GELU(), nn.Linear(hidden, hidden), *norm(), nn.GELU(), nn.Linear(hidden, bottleneck))
        self.last_layer = nn.Module()
        self.last_layer.weight_g = nn.Parameter(torch.ones(outputs, 1), requires_grad=False)
        self.last_layer.weight_v = nn.Parameter(torch.zeros(outputs, bottleneck))

    def forward(self, x):
        x = nn.functional.normalize(self.mlp(x), dim=-1, p=2)
        weight = torch._weight_norm(self.last_layer.weight_v, self.last_layer.weight_g, 0)
        return nn.functional.linear(x, weight)


def mlp(*sizes, norms, bias=True, affine=True):
    """Linear layers with batch norm after those that `norms` names and rectifiers in between; no bias before a batch norm."""
    layers = []
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        last = i == len(sizes) - 2
        normalised = norms == "all" or (norms == "hidden" and not last)
        layers.append(nn.Linear(a, b, bias=bias and not normalised))
        if normalised:
            layers.append(nn.BatchNorm1d(b, affine=affine or not last))
        if not last:
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


HEADS = {
    # name: (function of the library, its options, PyTorch's module, number of inputs)
    "byol": ("byolHead", {"inputSize": 7, "hiddenSize": 12, "outputSize": 5}, lambda: mlp(7, 12, 5, norms="hidden"), 7),
    "byol_predictor": ("byolPredictor", {"inputSize": 5, "hiddenSize": 12}, lambda: mlp(5, 12, 5, norms="hidden"), 5),
    "simsiam": ("simsiamHead", {"inputSize": 7, "hiddenSize": 9, "outputSize": 6}, lambda: mlp(7, 9, 9, 6, norms="all", affine=False), 7),
    "simsiam_predictor": ("simsiamPredictor", {"inputSize": 6, "hiddenSize": 3}, lambda: mlp(6, 3, 6, norms="hidden"), 6),
    "moco": ("mocoHead", {"inputSize": 7, "hiddenSize": 10, "outputSize": 4}, lambda: mlp(7, 10, 4, norms="none"), 7),
    "barlow_twins": ("barlowTwinsHead", {"inputSize": 7, "hiddenSize": 11, "outputSize": 8}, lambda: mlp(7, 11, 11, 8, norms="hidden", bias=False), 7),
    "vicreg": ("vicRegHead", {"inputSize": 4, "hiddenSize": 9, "outputSize": 13}, lambda: mlp(4, 9, 9, 13, norms="hidden", bias=False), 4),
    "swav": ("swavHead", {"inputSize": 7, "hiddenSize": 10, "outputSize": 4}, lambda: mlp(7, 10, 4, norms="hidden"), 7),
    "swav_prototypes": ("swavPrototypes", {"inputSize": 4, "prototypes": 9}, lambda: Prototypes(4, 9), 4),
    "dino": ("dinoHead", {"inputSize": 7, "hiddenSize": 12, "bottleneckSize": 5, "outputSize": 10}, lambda: DINOHead(7, 12, 5, 10, False), 7),
    "dino_batch_norm": ("dinoHead", {"inputSize": 7, "hiddenSize": 12, "bottleneckSize": 5, "outputSize": 10, "batchNorm": True},
                        lambda: DINOHead(7, 12, 5, 10, True), 7),
}


def heads(seed):
    torch.manual_seed(seed)
    g = Group("heads", "Heads of several methods, forward and backward; moving averages; signs of collapse", produced_by=f"PyTorch {torch.__version__}")
    for name, (function, options, make, inputs) in HEADS.items():
        rng = generator(seed, "heads", name)
        normal = lambda shape: rng.standard_normal(shape)
        module = make()
        state = {}
        for key, tensor in module.state_dict().items():
            if key.endswith("num_batches_tracked"):
                continue
            shape = tuple(tensor.shape)
            value = 1 + 0.3 * np.abs(normal(shape)) if key.endswith(("running_var", "weight_g")) else 0.5 * normal(shape) + (tensor.dim() == 1 and "weight" in key)
            state[key] = torch.from_numpy(single(value))
        x, w = single(normal((6, inputs))), None

        def run(dtype):
            module = make().to(dtype)
            module.load_state_dict({k: v.to(dtype) for k, v in state.items()}, strict=False)
            module.train()
            x_ = torch.from_numpy(x).to(dtype).requires_grad_()
            y = module(x_)
            (y * torch.from_numpy(w).to(dtype)).sum().backward()
            results = {"y": y, "dx": x_.grad}
            results |= {f"d/{k}": p.grad for k, p in module.named_parameters() if p.requires_grad}
            results |= {f"after/{k}": b for k, b in module.named_buffers() if "running" in k}
            results["evaluated"] = module.eval()(x_)
            return {k: v.detach().double().numpy() for k, v in results.items()}

        outputs = make().eval()(torch.from_numpy(x)).shape[1]
        w = single(normal((6, outputs)))
        exact, float32 = run(torch.float64), run(torch.float32)
        expected = {}
        for key, value in exact.items():
            scale = np.abs(value).max()
            error = np.abs(value - float32[key]).max()
            expected[key] = entry(g.put(f"{name}/{key}", value), atol=one_digit_up(max(10 * error, 2e-6 * scale)))
        g.case(name, op="head", params={"function": function, "options": options},
               inputs={"x": g.put(f"{name}/x", x), "w": g.put(f"{name}/w", w),
                       "state": {k: g.put(f"{name}/state/{k}", v.numpy()) for k, v in state.items()}},
               expected=expected)

    rng = generator(seed, "heads", "ema")
    shapes, momenta = [(3, 4), (5,), ()], [0.99, 0.9, 0.3, 0.0, 1.0, 0.999]
    average = [torch.from_numpy(single(rng.standard_normal(s))) for s in shapes]
    values = [[torch.from_numpy(single(rng.standard_normal(s))) for s in shapes] for _ in momenta]
    start = [g.put(f"ema/start/{i}", a.numpy()) for i, a in enumerate(average)]
    steps = [[g.put(f"ema/value/{t}/{i}", v.numpy()) for i, v in enumerate(step)] for t, step in enumerate(values)]
    average = [a.double() for a in average]
    expected = []
    for t, (momentum, step) in enumerate(zip(momenta, values)):
        # lightly's update_momentum
        average = [a * momentum + v.double() * (1.0 - momentum) for a, v in zip(average, step)]
        expected.append([entry(g.put(f"ema/after/{t}/{i}", a.numpy()), atol=1e-6) for i, a in enumerate(average)])
    g.case("ema", op="ema", params={"momenta": momenta}, inputs={"start": start, "values": steps}, expected={"after": expected})

    rng = generator(seed, "heads", "deviation")
    for name, z in (("deviation", rng.standard_normal((9, 5))), ("deviation_near_collapse", 3 + 1e-3 * rng.standard_normal((9, 5)))):
        z = single(z)
        # lightly's std_of_l2_normalized
        deviation = lambda dtype: torch.std(nn.functional.normalize(torch.from_numpy(z).to(dtype), dim=1), dim=0).mean().item()
        exact = deviation(torch.float64)
        g.case(name, op="deviation", params={}, inputs={"z": g.put(f"{name}/z", z)},
               expected={"deviation": {"value": exact, "atol": one_digit_up(max(10 * abs(deviation(torch.float32) - exact), 1e-6 * exact)), "rtol": 0.0}})

    rng = generator(seed, "heads", "unit_prototypes")
    weight = single(rng.standard_normal((9, 4)))
    unit = nn.functional.normalize(torch.from_numpy(weight).double(), dim=1, p=2).numpy()
    g.case("unit_prototypes", op="unit_prototypes", params={}, inputs={"weight": g.put("unit_prototypes/weight", weight)},
           expected={"weight": entry(g.put("unit_prototypes/unit", unit), atol=1e-6)})
    return g


if __name__ == "__main__":
    run_for_one_group(__doc__, heads)
