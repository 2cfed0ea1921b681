#!/usr/bin/env python3
"""Makes the group `efficientnet` of test/golden/fixtures: EfficientNets by torchvision.

    python3 test/golden/make-efficientnet-fixtures.py [--seed 7] [--out FOLDER]

State dicts of B0 to B4, and networks forward and backward: in evaluation mode, in training mode, and with stochastic depth by a given table.
Values are of float64 on float32 weights and inputs; the same run in float32 says what a float32 implementation can reach. Weights, images
and cotangents are formulas (golden_fill.py), so the set holds results only.
"""

import hashlib
import json
from functools import partial

import numpy as np
import torch
import torchvision
from torchvision.models import efficientnet
from torchvision.models.efficientnet import EfficientNet, MBConv, MBConvConfig

from golden_fill import DIGEST, FILL, SALT, digests, fill_unit, fill_value, largest
from golden_files import Group, entry, generator, one_digit_up, run_for_one_group, single

NAMES = [f"efficientnet_b{i}" for i in range(5)]
SCALES = dict(zip(NAMES, ((1.0, 1.0), (1.0, 1.1), (1.1, 1.2), (1.2, 1.4), (1.4, 1.8))))
STAGES = ((1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3), (6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4),
          (6, 3, 1, 192, 320, 1))


def network(arch, width, stem):
    """torchvision's network with a factor on its width and either stem, without a classifier."""
    of_arch, depth = SCALES[arch]
    stages = [partial(MBConvConfig, width_mult=of_arch * width, depth_mult=depth)(*stage) for stage in STAGES]
    model = EfficientNet(stages, dropout=0.2, stochastic_depth_prob=0.2)
    model.classifier = torch.nn.Identity()
    if stem == "small":
        model.features[0][0].stride = (1, 1)
    return model


def pictures(name, count, side):
    """Noise of single pixels and of blocks of eight, in (0, 1), channels last; exact but for one rounding to float32."""
    blocks = -(-side // 8)
    fine = fill_unit("pixels", name, count * side * side * 3).astype(np.float64).reshape(count, side, side, 3)
    coarse = fill_unit("blocks", name, count * blocks * blocks * 3).astype(np.float64).reshape(count, blocks, blocks, 3)
    coarse = coarse.repeat(8, 1).repeat(8, 2)[:, :side, :side]
    return single(0.5 + 0.25 * fine + 0.25 * coarse)


class ByTable(torch.nn.Module):
    """Stochastic depth whose factors are given."""

    def __init__(self, factors):
        super().__init__()
        self.factors = factors

    def forward(self, x):
        return x * self.factors.to(x.dtype)[:, None, None, None]


def run(name, params, table, dtype):
    model = network(params["arch"], params["width"], params["stem"])
    with torch.no_grad():
        for key, t in model.state_dict().items():
            if not key.endswith("num_batches_tracked"):
                t.copy_(torch.from_numpy(fill_value(SALT, key, tuple(t.shape), params["bn_variant"])))
    blocks = [m for m in model.modules() if isinstance(m, MBConv)]
    dropping = [b for i, b in enumerate(blocks) if i > 0 and b.use_res_connect]
    for block in blocks:
        block.stochastic_depth = torch.nn.Identity()
    model = model.to(dtype)
    x = torch.from_numpy(pictures(name, params["batch"], params["side"])).movedim(-1, 1).contiguous().to(dtype)
    with torch.no_grad():
        evaluated = model.eval()(x)
    for block, factors in zip(dropping, table if table is not None else []):
        block.stochastic_depth = ByTable(torch.from_numpy(factors))
    trained = model.train()(x)
    cotangent = torch.from_numpy(fill_unit("cotangent", name, trained.numel())).reshape(trained.shape).to(dtype)
    (trained * cotangent).sum().backward()
    return {"eval_features": evaluated, "train_features": trained, "parameter_gradients": {k: p.grad for k, p in model.named_parameters()},
            "running_statistics": {k: b for k, b in model.named_buffers() if "running" in k},
            "dropping": len(dropping), "parameters": sum(p.numel() for p in model.parameters())}


def case(g, seed, name, arch="efficientnet_b0", width=1.0, stem="imagenet", side=32, batch=6, bn_variant="perturbed", with_table=False):
    params = {"arch": arch, "width": width, "stem": stem, "side": side, "batch": batch, "bn_variant": bn_variant, "salt": SALT, "eps": 1e-5, "momentum": 0.1}
    table, inputs = None, {}
    if with_table:
        dropping = run(name, params, None, torch.float32)["dropping"]
        kept = generator(seed, "efficientnet", name).random((dropping, batch)) < 0.7
        table = single(kept / 0.75)
        inputs = {"stochastic_depth": g.put(f"{name}/stochastic_depth", table)}
    exact, rough = (run(name, params, table, dtype) for dtype in (torch.float64, torch.float32))
    expected = {}
    for key in ("eval_features", "train_features"):
        # Every row within 1e-4 of its norm, and every value within what float32 reaches.
        norm = float(exact[key].detach().norm(dim=1).min())
        error = largest(exact[key] - rough[key].double())
        expected[key] = entry(g.put(f"{name}/{key}", exact[key].detach().float()), atol=one_digit_up(max(10 * error, 1e-5 * largest(exact[key]))),
                              norm_rtol=1e-4, smallest_row_norm=norm, torch_f32_max_abs_err=error)
    for key in ("parameter_gradients", "running_statistics"):
        # Some are zero but for rounding, such as the gradient of a shift that the next batch norm takes away.
        norms = {k: float(t.norm()) for k, t in exact[key].items()}
        least = 1e-6 * float(np.median(list(norms.values())))
        expected[key] = digests(g, f"{name}/{key}", exact[key], rough[key], least)
        worst = max(row["rel_err_f32"] for row in expected[key]["rows"] if norms[row["name"]] > least)
        print(f"{name}: {key}: PyTorch's float32 parts by up to {worst:.1e}", flush=True)
    g.case(name, op="network", params={**params, "parameters": exact["parameters"]}, inputs=inputs, expected=expected)


def efficientnets(seed):
    g = Group("efficientnet", "EfficientNets: state dicts, forward and backward with formula weights, stochastic depth",
              produced_by=f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}", fill=FILL, digest=DIGEST,
              pictures="x = fround(0.5 + 0.25 fine + 0.25 coarse), NHWC: fine is the unit fill of salt 'pixels', a number for each value; coarse that of salt "
                       "'blocks', a number for each 8x8 pixels of a channel; the key is the case's id",
              cotangent="of the features: the unit fill of salt 'cotangent', the key is the case's id; the loss is the sum of the products")
    g.about["state_dicts"] = {}
    for name in NAMES:
        model = getattr(efficientnet, name)()
        state = [[k, list(t.shape)] for k, t in model.state_dict().items()]
        text = json.dumps(state, separators=(",", ":"))
        of_encoder = [p.numel() for k, p in model.named_parameters() if not k.startswith("classifier.")]
        g.about["state_dicts"][name] = {
            "entries": len(state), "feature_dim": model.classifier[1].in_features, "parameters_without_classifier": sum(of_encoder),
            "sha256": hashlib.sha256(text.encode()).hexdigest(), **({"state_dict": state} if name == NAMES[0] else {})}
    case(g, seed, "network/b0_64", side=64)
    case(g, seed, "network/b0_32", side=32, batch=8, bn_variant="standard")
    case(g, seed, "network/b0_224", side=224, batch=2)
    case(g, seed, "network/b0_32_small", side=32, batch=4, stem="small")
    case(g, seed, "network/b1_quarter_45", arch="efficientnet_b1", width=0.25, side=45, batch=5)
    case(g, seed, "network/b0_64_stochastic_depth", side=64, batch=6, with_table=True)
    return g


if __name__ == "__main__":
    run_for_one_group(__doc__, efficientnets)
