#!/usr/bin/env python3
"""Makes test/golden/fixtures: reference values from PyTorch, torchvision and Pillow, on generated images only.

    /usr/bin/python3 test/golden/make-fixtures.py [--seed 7] [--out FOLDER] [--groups losses,optim]

Each group is one FOLDER/GROUP.json (what each case is) and one FOLDER/GROUP.safetensors (its arrays); index.json lists them.
Expected values come from a float64 run on float32 inputs, and beside it the same run in float32 says what a float32
implementation can reach: a tolerance is ten times that distance, rounded up to one digit, and never below a few ulps.
The same seed, library versions and processor give the same bytes. The format is described in README.md.
"""

import argparse
import contextlib
import hashlib
import io
import math
import os
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import PIL
import torch
import torch.nn.functional as F
import torchvision
from PIL import Image, features
from torchvision import transforms
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from golden_fill import DIGEST, FILL, SALT, digests, fill_value, fill_vector, fnv1a, largest, measured
from golden_files import (FIXTURES, FORMAT, Group, entry, generator, index_entry, number, one_digit_up, single, write_index)

# ----------------------------------------------------------------------------------------------- images

def draw_image(rng, height, width):
    """A generated 8-bit picture: a colour gradient, a few waves, some discs and boxes, a little noise."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    image = rng.uniform(0, 255, 3) + np.stack([x, y], -1) @ rng.uniform(-200, 200, (2, 3))
    for _ in range(3):
        fx, fy, phase = rng.uniform(-12, 12, 2).tolist() + [rng.uniform(0, 6.3)]
        image += np.sin(2 * np.pi * (fx * x + fy * y) + phase)[..., None] * rng.uniform(-40, 40, 3)
    for _ in range(5):
        cy, cx, radius = rng.uniform(0, 1, 2).tolist() + [rng.uniform(0.05, 0.3)]
        inside = np.hypot(y - cy, x - cx) < radius if rng.random() < 0.5 else np.maximum(abs(y - cy), abs(x - cx)) < radius
        image[inside] = 0.3 * image[inside] + 0.7 * rng.uniform(0, 255, 3)
    return (image + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)


def corner_case_image(height, width):
    """What colour code gets wrong: pure colours, greys around 128, equal maxima, a hue wheel, ramps."""
    swatches = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255), (255, 255, 255), (0, 0, 0),
                         (128, 128, 128), (127, 127, 127), (129, 128, 127), (90, 90, 7), (7, 90, 90), (90, 7, 90), (1, 0, 0),
                         (254, 255, 255)], np.uint8)
    image = np.zeros((height, width, 3), np.uint8)
    band, ramp = height // 4, np.linspace(0, 255, width).astype(np.uint8)
    image[:band] = swatches[np.arange(width) * 16 // width]
    value = np.repeat(np.linspace(30, 255, band).astype(np.uint8)[:, None], width, 1)
    wheel = (np.tile(ramp, (band, 1)), np.full((band, width), 255, np.uint8), value)
    image[band:2 * band] = Image.merge("HSV", [Image.fromarray(c) for c in wheel]).convert("RGB")
    image[2 * band:3 * band] = ramp[:, None]
    image[3 * band:] = np.stack([ramp, 255 - ramp, ramp[::-1] // 2 + 60], -1)
    return image


def as_tensor(image_u8):
    """[H,W,3] or [N,H,W,3] uint8 -> channels first, float32 in [0, 1]."""
    return torch.from_numpy(np.array(image_u8)).float().div(255).movedim(-1, -3).contiguous()


def channels_last(t):
    return t.movedim(-3, -1).contiguous() if t.dim() >= 3 else t


# ----------------------------------------------------------------------------------------------- losses

def contrastive_logits(z, tau):
    """[2N, 2N-1]: cosine similarities over tau, the positive first, then the negatives in the order of their rows."""
    rows = len(z)
    order = [[(i + rows // 2) % rows] + [j for j in range(rows) if (j - i) % (rows // 2)] for i in range(rows)]
    unit = F.normalize(z, dim=1, eps=1e-12)
    return (unit @ unit.T).gather(1, torch.tensor(order)) / tau


def ntxent(z, tau):
    logits = contrastive_logits(z, tau)
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long))


def top_k(logits, k, slack=0.0):
    return 100 * ((logits[:, 1:] > logits[:, :1] + slack).sum(1) < k).double().mean().item()


def accuracy(logits, k):
    value, low, high = (top_k(logits, k, slack) for slack in (0, -1e-5, 1e-5))  # what near ties may do in float32
    ties = {} if low == high else {"pessimistic": low, "optimistic": high}
    return number(value, max(value - low, high - value), 1e-6, tie_free=low == high, **ties)


def losses(seed):
    g = Group("losses", "Contrastive losses with gradients", formulas={"ntxent": {
        "paper": "Chen et al. 2020 (SimCLR), eq. 1",
        "formula": "rows i and i+N of z are the two views of image i; u_i = z_i / max(|z_i|, 1e-12); "
                   "logits_i = [u_i.u_p(i), {u_i.u_j : j != i, p(i)}] / tau; "
                   "loss = mean_i (logsumexp(logits_i) - logits_i[0])",
        "accuracy": "top-k in percent: share of rows with fewer than k negatives above the positive"}},
        how_to_compare="loss: |got-value| <= atol + rtol*|value|; gradients: |got-expected| <= atol + row_rtol*max|expected row|")
    rng = generator(seed, "losses")

    def pairs(n, d):
        noise = math.sqrt(max(math.sqrt(d) / 2.5 - 1, 0.1))  # hard enough that the accuracies lie between 0 and 100
        base = rng.normal(size=(n, d))
        z = np.concatenate([base + noise * rng.normal(size=(n, d)) for _ in range(2)])
        return single(z * np.exp(rng.normal(0, 0.4, (2 * n, 1))))

    def case(name, z, z_name, tau, note=None, with_logits=False):
        runs = []
        for dtype in (torch.float64, torch.float32):
            leaf = torch.tensor(z).to(dtype).requires_grad_()
            loss = ntxent(leaf, tau)
            runs.append((loss.item(), torch.autograd.grad(loss, leaf)[0].double().numpy()))
        (loss64, grad64), (loss32, grad32) = runs
        # Rows of very different size (1e-6 beside 1e4) are each judged on their own scale; a row that float32 PyTorch
        # itself cannot compute (its gradient is zero but for rounding) is judged by an absolute tolerance.
        scale, error = np.abs(grad64).max(1), np.abs(grad64 - grad32).max(1)
        good = error < 1e-3 * scale
        row_rtol = one_digit_up(max(10 * (error[good] / scale[good]).max(initial=0), 1e-5))
        logits = contrastive_logits(torch.tensor(z).double(), tau)
        expected = {"loss": number(loss64, one_digit_up(max(10 * abs(loss64 - loss32), 1e-6)), torch_f32=loss32),
                    "dz": entry(g.put(f"{name}/dz", grad64 if grad64.size <= 1024 else single(grad64)),
                                one_digit_up(10 * error[~good].max(initial=0)),
                                row_rtol=row_rtol, max_abs=float(scale.max()), torch_f32_max_abs_err=float(error.max())),
                    "top1": accuracy(logits, 1), "top5": accuracy(logits, 5)}
        if with_logits:
            expected["logits"] = entry(g.put(f"{name}/logits", logits), one_digit_up(3e-6 / tau))
        g.case(name, formula="ntxent", params={"N": len(z) // 2, "D": z.shape[1], "tau": tau}, inputs={"z": z_name}, expected=expected,
               produced_by="torch autograd in float64 on the float32 inputs", note=note)

    for n, d in ((2, 5), (3, 10), (7, 24), (20, 64), (48, 20)):
        z = pairs(n, d)
        z_name = g.put(f"ntxent/N{n}_D{d}/z", z)
        for tau in (0.05, 0.3, 2.0):
            case(f"ntxent/N{n}_D{d}_tau{tau}", z, z_name, tau, with_logits=n <= 7 and tau == 0.05)

    n, d = 5, 12
    base = pairs(n, d)
    unit = base / np.linalg.norm(base, axis=1, keepdims=True)
    rows = np.arange(2 * n)[:, None]
    twins = base.copy()
    twins[1], twins[n + 1] = base[0], base[n]
    for tag, z, tau, note in (
            ("duplicate_pairs", twins, 0.07, "images 0 and 1 are embedded alike: a negative as near as the positive"),
            ("all_rows_equal", np.repeat(base[:1], 2 * n, 0), 0.07, "collapse: loss = log(2N-1), gradient zero but for rounding"),
            ("views_identical", np.concatenate([base[:n]] * 2), 0.3, "every positive similarity is 1"),
            ("antipodal_views", np.concatenate([base[:n], -base[:n]]), 0.3, "every positive similarity is -1"),
            ("tiny_norm_rows", np.where(rows % 3 == 0, 1e-6, 1) * unit, 0.1,
             "every third row has norm 1e-6 and a gradient a million times larger"),
            ("tiny_norm_all", 1e-6 * unit, 0.3, "every norm is 1e-6"),
            ("huge_rows", 1e4 * unit, 0.07, "every norm is 1e4"),
            ("mixed_norms", np.where(rows % 2 == 0, 1e4, 1e-6) * unit, 0.3, "norms alternate between 1e4 and 1e-6"),
            ("tau_0.004", rng.normal(size=base.shape), 0.004, "logits up to 250: exp() overflows unless the maximum is removed"),
            ("norm_below_eps", np.where(rows == 1, 1e-14, 1) * unit, 0.3,
             "advisory: row 1 is shorter than the epsilon 1e-12; PyTorch divides by the epsilon"),
            ("zero_row", np.where(rows == 2, 0, 1) * unit, 0.3,
             "advisory: row 2 is zero; PyTorch's gradient there is 1e12 times the usual one")):
        case(f"ntxent/extreme/{tag}", single(z), g.put(f"ntxent/extreme/{tag}/z", single(z)), tau, note)
    return g


# ----------------------------------------------------------------------------------------------- augmentations

JITTER = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)
MEAN, STD = [0.48, 0.45, 0.4], [0.28, 0.27, 0.29]


def jitter(image, order, factors):
    for op in order:
        image = JITTER[op](image, factors[op])
    return image


def blur64(image, size, sigma):
    """The separable Gaussian in float64 (torchvision computes its kernel in float32 whatever the image is)."""
    x = torch.arange(size, dtype=torch.float64) - size // 2
    kernel = torch.exp(-x * x / (2 * sigma * sigma))
    kernel = (kernel / kernel.sum()).repeat(3, 1, 1)
    padded = F.pad(image[None], [size // 2] * 4, mode="reflect")
    return F.conv2d(F.conv2d(padded, kernel[..., None], groups=3), kernel[:, :, None], groups=3)[0]


def blur(image, size, sigma):
    return blur64(image, size, sigma) if image.dtype == torch.float64 else TF.gaussian_blur(image, [size, size], [sigma, sigma])


def augment(seed):
    height, width = 36, 44  # not square, so that a mix-up of the two axes shows
    g = Group("augment", "Image augmentations with fixed parameters",
              how_to_compare="images_u8 is [n,H,W,3]; the input is fround(u8/255); "
                             "expected.float is torchvision on float32 tensors, HWC, |got-expected| <= atol",
              ops={"resized_crop": "crop, then bilinear with half-pixel centres; antialias widens the triangle when shrinking",
                   "brightness": "clamp(f*x)",
                   "contrast": "clamp(f*x+(1-f)*mean(gray))", "saturation": "clamp(f*x+(1-f)*gray)", "gray": "0.2989 R + 0.587 G + 0.114 B",
                   "hue": "HSV, h=(h+f) mod 1", "solarize": "x >= threshold ? 1-x : x", "normalize": "(x-mean)/std",
                   "gaussian_blur": "reflect padding, exp(-x^2/(2 sigma^2)) normalised",
                   "jitter": "order of 0 brightness, 1 contrast, 2 saturation, 3 hue",
                   "reference_blur": "u8/255, blur, truncation of 255*y to 8 bits",
                   "chain": "crop (antialias) -> flip -> jitter -> gray -> blur -> solarize -> normalize"})
    rng = generator(seed, "augment")
    pictures = [draw_image(rng, height, width) for _ in range(3)]
    gray = np.repeat(pictures[2][..., :1], 3, -1)
    images = pictures + [gray, corner_case_image(height, width)]
    GRAY, CORNERS = 3, 4
    g.put("images_u8", np.stack(images))
    g.about["images"] = ["generated"] * 3 + ["generated, gray", "corner cases of colour code"]

    def case(name, op, params, index, run, floor=2e-6, note=None):
        image = as_tensor(images[index])
        exact, got = run(image.double()), run(image)
        error = largest(got.double() - exact)
        expected = {"float": entry(g.put(f"{name}/float", channels_last(got)), one_digit_up(max(10 * error, floor)),
                                   torch_f32_vs_f64_max=error)}
        g.case(name, op=op, params=params, image=index, expected=expected,
               produced_by="torchvision.transforms.functional on float32 tensors", note=note)

    def crop(image, box, size, antialias):
        return TF.resized_crop(image, *box, [size, size], InterpolationMode.BILINEAR, antialias=antialias)

    crops = ((0, 32, (3, 7, 20, 17)), (1, 40, (0, 0, 36, 44)), (2, 32, (35, 20, 1, 6)), (0, 32, (2, 0, 31, 44)), (1, 14, (5, 1, 30, 41)))
    for k, (index, size, box) in enumerate(crops):
        for antialias in (False, True) if max(box[2:]) > size else (False,):
            params = {**dict(zip(("top", "left", "height", "width"), box)), "size": size, "antialias": antialias}
            case(f"resized_crop/{k}" + "_antialias" * antialias, "resized_crop", params, index, lambda x: crop(x, box, size, antialias))
    case("hflip", "hflip", {}, 1, TF.hflip, floor=0)
    for index in (2, CORNERS):
        case(f"solarize/image{index}", "solarize", {"threshold_float": 128 / 255, "threshold_u8": 128}, index,
             lambda x: TF.solarize(x, float(np.float32(128 / 255))), 1e-7,
             "a pixel of exactly 128 is inverted: the threshold is compared in float32")
    for op, run, factors in zip(("brightness", "contrast", "saturation", "hue"), JITTER,
                                ((0.35, 1.7), (0.45, 1.55), (0.0, 1.65), (0.31, -0.12, 0.5))):
        for k, factor in enumerate(factors):
            case(f"{op}/{k}", op, {"factor": factor}, (CORNERS, 0, 1)[k], lambda x: run(x, factor))
    for index in (0, GRAY, CORNERS):
        case(f"gray/image{index}", "gray", {"channels": 3}, index, lambda x: TF.rgb_to_grayscale(x, 3))
    case("normalize/other", "normalize", {"mean": MEAN, "std": STD}, 1, lambda x: TF.normalize(x, MEAN, STD))
    jitters = (([1, 2, 3, 0], [1.3, 0.8, 1.6, 0.08]), ([3, 1, 0, 2], [0.6, 1.7, 0.4, -0.19]), ([2, 0, 1, 3], [0.9, 0.5, 1.2, 0.4]))
    for k, (order, factors) in enumerate(jitters):
        case(f"jitter/{k}", "jitter", {"order": order, "factors": factors}, k, lambda x: jitter(x, order, factors))
    for k, (size, sigma) in enumerate(((3, 0.2), (3, 1.4), (5, 0.8), (7, 0.1), (7, 1.9), (9, 1.2), (11, 3.0))):
        case(f"gaussian_blur/k{size}_s{sigma}", "gaussian_blur", {"kernel": size, "sigma": sigma}, k % 3, lambda x: blur(x, size, sigma))
    for size, sigma in ((5, 0.6), (7, 1.5)):
        exact = channels_last(blur64(as_tensor(images[1]).double(), size, sigma)).numpy() * 255
        name = f"reference_blur/k{size}_s{sigma}"
        g.case(name, op="reference_blur", params={"kernel": size, "sigma": sigma}, image=1, produced_by="torch in float64, truncated",
               expected={"u8": entry(g.put(f"{name}/u8", exact.astype(np.uint8)), 1, unit="8-bit levels")})

    def chain(image, c):
        image = crop(image, c["crop"], c["size"], True)
        image = TF.hflip(image) if c["flip"] else image
        image = jitter(image, **c["jitter"]) if c["jitter"] else image
        image = TF.rgb_to_grayscale(image, 3) if c["gray"] else image
        image = blur(image, c["blur"]["kernel"], c["blur"]["sigma"]) if c["blur"] else image
        if c["solarize"]:  # rounding must not decide on which side of the threshold a pixel lies
            assert (image - np.float32(128 / 255)).abs().min() > 1e-5, "choose other parameters"
            image = TF.solarize(image, float(np.float32(128 / 255)))
        return TF.normalize(image, MEAN, STD) if c["normalize"] else image

    nothing = dict(flip=False, jitter=None, gray=False, blur=None, solarize=False, normalize=False)
    for k, c in enumerate((
            dict(image=0, crop=[4, 6, 25, 30], size=36, flip=True, jitter=dict(order=[1, 3, 0, 2], factors=[0.8, 1.3, 1.1, -0.15]),
                 blur=dict(kernel=5, sigma=0.9)),
            dict(image=1, crop=[0, 2, 36, 40], size=24, jitter=dict(order=[0, 2, 1, 3], factors=[1.4, 0.6, 0.7, 0.2]), gray=True,
                 blur=dict(kernel=3, sigma=1.1)),
            dict(image=2, crop=[7, 0, 29, 29], size=32, flip=True, solarize=True),
            dict(image=0, crop=[1, 11, 35, 33], size=28, jitter=dict(order=[3, 2, 1, 0], factors=[1.2, 0.9, 1.5, 0.05]),
                 blur=dict(kernel=3, sigma=0.3), normalize=True))):
        c = {**nothing, **c}
        case(f"chain/{k}", "chain", {**c, "mean": MEAN, "std": STD}, c["image"], lambda x: chain(x, c), floor=5e-6)
    return g


# ----------------------------------------------------------------------------------------------- sampling

def summary(values):
    x = np.sort(np.asarray(values, dtype=np.float64))
    quantiles = []
    for p in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        v = x[int(p * len(x))]
        below, upto = (float(np.searchsorted(x, v, side) / len(x)) for side in ("left", "right"))
        quantiles.append({"p": p, "value": float(v), "cdf_below": below, "cdf_upto": upto})
    return {"n": len(x), "mean": float(x.mean()), "std": float(x.std()), "min": float(x[0]), "max": float(x[-1]), "quantiles": quantiles}


def sampling(seed):
    n, ks = 20000, math.sqrt(-math.log(1e-6 / 2) / 2)
    g = Group("sampling", "Distributions of the random augmentation parameters", samples=n, how_to_compare={
        "two_sample_ks": "sup|F_got - F_ref| < ks_c*sqrt((n+m)/(n*m)): false alarm 1e-6", "ks_c": ks,
        "critical_D_for_n_20000": ks * math.sqrt(2 / n),
        "quantiles": "the fraction <= value of n draws lies within 5*sqrt(c(1-c)(1/n+1/20000)) of c = cdf_upto",
        "bernoulli": "|got/n - p| <= 5*sqrt(p(1-p)/n)"})

    def seeded(*purpose):
        torch.manual_seed(int(generator(seed, *purpose).integers(2 ** 31)))

    for k, (scale, ratio, height, width) in enumerate((([0.3, 0.9], [0.5, 2.0], 48, 48), ([0.08, 1.0], [0.75, 4 / 3], 90, 56))):
        seeded("crop", k)
        image = torch.zeros(3, height, width)
        boxes = np.array([transforms.RandomResizedCrop.get_params(image, scale, ratio) for _ in range(n)])
        top, left, h, w = boxes.T
        name = f"random_resized_crop/{k}"
        free = h < height
        g.case(name, op="RandomResizedCrop.get_params", params={"height": height, "width": width, "scale": scale, "ratio": ratio},
               samples=g.put(f"{name}/top_left_height_width_u8", boxes.astype(np.uint8)),
               whole_image_fraction=float(((h == height) & (w == width)).mean()),
               summary={"area_fraction": summary(h * w / (height * width)), "aspect_w_over_h": summary(w / h),
                        "log_aspect": summary(np.log(w / h)), "top": summary(top),
                        "left": summary(left), "top_over_free": summary(top[free] / (height - h[free])), "height": summary(h),
                        "width": summary(w)},
               produced_by="torchvision.transforms.RandomResizedCrop.get_params")

    names, strengths = ("brightness", "contrast", "saturation", "hue"), (0.6, 0.3, 0.5, 0.35)
    seeded("jitter")
    ranges = transforms.ColorJitter(*strengths)
    draws = [ranges.get_params(ranges.brightness, ranges.contrast, ranges.saturation, ranges.hue) for _ in range(n)]
    orders, factors = ["".join(map(str, d[0].tolist())) for d in draws], np.array([d[1:] for d in draws])
    g.case("color_jitter/0", op="ColorJitter.get_params", params=dict(zip(names, strengths)),
           law={**{name: ["uniform", *getattr(ranges, name)] for name in names}, "order": "uniform over 24 permutations"},
           quantile_grid_1001=g.put("color_jitter/0/quantile_grid", single(np.quantile(factors, np.linspace(0, 1, 1001), axis=0))),
           quantile_grid_columns=list(names),
           summary={name: summary(factors[:, i]) for i, name in enumerate(names)},
           correlation_max_abs=float(np.abs(np.corrcoef(factors.T) - np.eye(4)).max()),
           order_counts={o: orders.count(o) for o in sorted(set(orders))}, order_chi2_23dof_max="58.6 (p = 6e-5)",
           produced_by="torchvision.transforms.ColorJitter.get_params")

    seeded("bernoulli")
    probe = torch.arange(12.0).reshape(3, 2, 2) / 12
    for name, p, transform in (("hflip_p0.5", 0.5, transforms.RandomHorizontalFlip(0.5)),
                               ("gray_p0.3", 0.3, transforms.RandomGrayscale(0.3)),
                               ("solarize_p0.1", 0.1, transforms.RandomSolarize(0.5, 0.1)),
                               ("apply_p0.8", 0.8, transforms.RandomApply([torch.neg], 0.8))):
        count = sum(not torch.equal(transform(probe), probe) for _ in range(n))
        g.case(f"bernoulli/{name}", op="bernoulli", params={"p": p}, observed=count, n=n, observed_fraction=count / n,
               atol_for_n_20000=one_digit_up(5 * math.sqrt(p * (1 - p) / n)), produced_by=f"torchvision {type(transform).__name__}")
    g.case("blur_sigma", op="uniform", params={"low": 0.1, "high": 2.0}, produced_by="definition")
    return g


# ----------------------------------------------------------------------------------------------- ResNet and its layers

BLOCKS = {"resnet18": (BasicBlock, [2, 2, 2, 2]), "resnet34": (BasicBlock, [3, 4, 6, 3]), "resnet50": (Bottleneck, [3, 4, 6, 3])}


class Network(ResNet):
    """torchvision's ResNet with width*(1,2,4,8) channels, either stem, and an MLP head in place of fc."""

    def __init__(self, arch, width, stem, head):
        block, layers = BLOCKS[arch]
        self.width = None  # until the parent's constructor asks for the first layer
        self.asked = width
        super().__init__(block, layers, num_classes=1)
        kernel, stride = (7, 2) if stem == "imagenet" else (3, 1)
        self.conv1 = torch.nn.Conv2d(3, width, kernel, stride, kernel // 2, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(width)
        if stem == "cifar":
            self.maxpool = torch.nn.Identity()
        sizes = [8 * width * block.expansion, *head]
        linears = [torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]
        self.fc = torch.nn.Sequential(*[m for linear in linears for m in (linear, torch.nn.ReLU())][:-1])

    def _make_layer(self, block, planes, blocks, stride=1, dilate=False):
        if self.width is None:
            self.width = self.inplanes = self.asked
        return super()._make_layer(block, planes * self.width // 64, blocks, stride, dilate)

    def stages(self, x):
        out = {"conv1": self.conv1(x)}
        out["relu1"] = torch.relu(self.bn1(out["conv1"]))
        out["maxpool"] = x = self.maxpool(out["relu1"])
        for name in ("layer1", "layer2", "layer3", "layer4"):
            out[name] = x = getattr(self, name)(x)
        return {**out, "features": x.mean((2, 3))}

    def filled(self, salt, variant):
        state = self.state_dict()
        for key, t in state.items():
            if key.endswith("num_batches_tracked"):
                t.zero_()
            else:
                fan_in = state[key[:-4] + "weight"].shape[1] if key.startswith("fc.") and key.endswith("bias") else None
                t.copy_(torch.from_numpy(fill_value(salt, key, tuple(t.shape), variant, fan_in)))
        return self


def run_network(make, variant, x, tau, dtype):
    """Evaluation mode, then one training step's forward and backward, then evaluation mode with the moved statistics."""
    model, x = make().filled(SALT, variant).to(dtype), x.to(dtype)
    with torch.no_grad():
        before = model.eval().stages(x)
        before_z = model.fc(before["features"])
    stages = model.train().stages(x)
    for t in stages.values():
        t.retain_grad()
    z = model.fc(stages["features"])
    loss = ntxent(z, tau)
    loss.backward()
    running = {k: t.clone() for k, t in model.named_buffers() if "running" in k}
    with torch.no_grad():
        after_z = model.eval()(x)
    return {"eval": before, "eval_z": before_z, "train": stages, "train_z": z, "loss": loss.item(), "after_z": after_z, "running": running,
            "gradients": {k: p.grad for k, p in model.named_parameters()}, "stage_gradients": {k: t.grad for k, t in stages.items()}}


def network_case(g, name, arch, width, stem, variant, images, tau, whole):
    head = (5 * width, 3 * width)
    make = lambda: Network(arch, width, stem, head)
    exact, rough = (run_network(make, variant, as_tensor(images), tau, dtype) for dtype in (torch.float64, torch.float32))
    rows = lambda key: digests(g, f"{name}/{key}",
                               *[{k: channels_last(t) if key != "gradients" else t for k, t in run[key].items()} for run in (exact, rough)])
    keep = lambda label, pick, store=None: measured(g, f"{name}/{label}", pick(exact), pick(rough), 1e-5, store=store)
    expected = {
        "eval_features": keep("eval_features", lambda r: r["eval"]["features"]), "eval_z": keep("eval_z", lambda r: r["eval_z"]),
        "train_features": keep("train_features", lambda r: r["train"]["features"]), "train_z": keep("train_z", lambda r: r["train_z"]),
        "loss": number(exact["loss"], one_digit_up(max(10 * abs(exact["loss"] - rough["loss"]), 1e-6)), torch_f32=rough["loss"]),
        "parameter_gradients": rows("gradients"), "eval_stage_digests": rows("eval"), "train_stage_digests": rows("train"),
        "train_stage_gradient_digests": rows("stage_gradients"),
        "eval_z_after_one_training_forward": keep("after_z", lambda r: r["after_z"]),
        "running_stats_after_one_training_forward": {k: keep(f"running/{k}", lambda r: r["running"][k],
                                                             torch.float32) for k in exact["running"]}}
    for key in whole:
        expected[f"full_gradient:{key}"] = keep(f"gradient/{key}", lambda r: r["gradients"][key], torch.float32)
    model = make()
    g.case(name, op="network",
           params={"arch": arch, "width": width, "stem": stem, "head": [model.fc[0].in_features, *head], "salt": SALT,
                   "bn_variant": variant, "tau": tau, "momentum": 0.1, "eps": 1e-5, "batch": len(images),
                   "parameters": sum(p.numel() for p in model.parameters())},
           inputs={"images_u8": g.put(f"{name}/images_u8", images)}, expected=expected,
           keys=[[k, list(t.shape)] for k, t in model.state_dict().items()],
           input_rule="x = fround(u8/255), NHWC; the first half of the rows is view 1, the second half view 2",
           produced_by="torchvision's ResNet in float64",
           stage_layout="stage digests over the NHWC flattening, parameter digests over the torch layout")


def layer_cases(g, rng):
    def case(name, op, params, inputs, run, note=None):
        """The loss is sum(output * cotangent); inputs in torch layout, x and y stored channels last."""
        with torch.no_grad():
            cotangent = single(rng.normal(size=run(**{k: torch.tensor(v) for k, v in inputs.items()}).shape))
        runs = []
        for dtype in (torch.float64, torch.float32):
            leaves = {k: torch.tensor(v).to(dtype).requires_grad_() for k, v in inputs.items()}
            y = run(**leaves)
            (y * torch.tensor(cotangent).to(dtype)).sum().backward()
            runs.append({"y": channels_last(y.detach()),
                         **{f"d{k}": channels_last(v.grad) if k == "x" else v.grad for k, v in leaves.items()}})
        stored = {k: g.put(f"{name}/{k}", channels_last(torch.tensor(v)) if k == "x" else v) for k, v in inputs.items()}
        stored["cotangent"] = g.put(f"{name}/cotangent", channels_last(torch.tensor(cotangent)))
        g.case(name, op=op, params=params, inputs=stored,
               expected={k: measured(g, f"{name}/{k}_expected", v, runs[1][k]) for k, v in runs[0].items()},
               produced_by="torch in float64", layout="x, y, dx, cotangent: NHWC; w, dw: OIHW", note=note)

    for k, s, pad, height, width, ci, co in ((7, 2, 3, 13, 18, 3, 6), (3, 1, 1, 5, 9, 2, 7), (3, 1, 1, 6, 6, 8, 16), (3, 2, 1, 9, 6, 5, 3),
                                             (3, 2, 1, 10, 8, 4, 8),
                                             (1, 2, 0, 7, 6, 3, 6), (1, 1, 0, 2, 5, 6, 3), (5, 1, 2, 6, 7, 2, 3)):
        x, w = single(rng.normal(size=(3, ci, height, width))), single(rng.normal(size=(co, ci, k, k)) / math.sqrt(ci * k * k))
        case(f"layer/conv{k}x{k}_s{s}_p{pad}_{height}x{width}", "conv2d", {"kernel": k, "stride": s, "padding": pad}, {"x": x, "w": w},
             lambda x, w: F.conv2d(x, w, stride=s, padding=pad), "the padding is the same on both sides")
    for height, width in ((9, 6), (4, 11)):
        case(f"layer/maxpool3x3_s2_p1_{height}x{width}", "maxpool", {"kernel": 3, "stride": 2, "padding": 1},
             {"x": single(rng.normal(size=(2, 4, height, width)) - 1)},
             lambda x: F.max_pool2d(x, 3, 2, 1), "padding counts as minus infinity")
    case("layer/global_avgpool", "avgpool", {}, {"x": single(rng.normal(size=(3, 7, 5, 2)))}, lambda x: x.mean((2, 3)))

    constant = rng.normal(size=(2, 3, 5, 4, 3))
    constant[:, :, 2] = -1.5
    for tag, data, note in (("bn2d", rng.normal(size=(2, 5, 6, 3, 2)) * 3 - 1, "ordinary data"),
                            ("bn2d_constant_channel", constant, "channel 2 is constant: its output is the bias"),
                            ("bn2d_large_mean", rng.normal(size=(2, 4, 3, 3, 4)) - 500,
                             "mean -500, std 1: E[x^2]-E[x]^2 loses all digits in float32"),
                            ("bn1d", rng.normal(size=(2, 9, 4)) * 2 + 3, "[N,C] input"),
                            ("bn1d_batch2", rng.normal(size=(2, 2, 6)), "two rows: the unbiased variance is twice the biased")):
        batch_norm_case(g, rng, f"layer/{tag}", single(data), note)


def batch_norm_case(g, rng, name, data, note):
    """Two training steps, then the first batch once more in evaluation mode."""
    channels, cotangent = data.shape[2], single(rng.normal(size=data.shape))
    start = {"weight": single(1 + 0.3 * rng.normal(size=channels)), "bias": single(0.3 * rng.normal(size=channels)),
             "running_mean": single(0.2 * rng.normal(size=channels)), "running_var": single(rng.uniform(0.5, 2, channels))}
    runs = []
    for dtype in (torch.float64, torch.float32):
        layer = (torch.nn.BatchNorm2d if data.ndim == 5 else torch.nn.BatchNorm1d)(channels, eps=1e-5, momentum=0.1)
        layer.load_state_dict({**{k: torch.tensor(v) for k, v in start.items()}, "num_batches_tracked": torch.tensor(0)})
        layer, r = layer.to(dtype), {}
        for step in range(2):
            layer.zero_grad()
            x = torch.tensor(data[step]).to(dtype).requires_grad_()
            y = layer.train()(x)
            (y * torch.tensor(cotangent[step]).to(dtype)).sum().backward()
            r.update({f"y{step}": channels_last(y.detach()), f"dx{step}": channels_last(x.grad),
                      f"dweight{step}": layer.weight.grad.clone(),
                      f"dbias{step}": layer.bias.grad.clone(), f"running_mean{step}": layer.running_mean.clone(),
                      f"running_var{step}": layer.running_var.clone()})
        r["y_eval"] = channels_last(layer.eval()(torch.tensor(data[0]).to(dtype)).detach())
        runs.append(r)
    per_step = lambda label, a: [g.put(f"{name}/{label}{s}", channels_last(torch.tensor(a[s]))) for s in range(2)]
    g.case(name, op="batchnorm", params={"eps": 1e-5, "momentum": 0.1}, note=note, produced_by="torch.nn.BatchNorm in float64",
           inputs={"x": per_step("x", data), "cotangent": per_step("cotangent", cotangent),
                   **{k: g.put(f"{name}/init_{k}", v) for k, v in start.items()}},
           expected={k: measured(g, f"{name}/{k}", v, runs[1][k], tiny=1e-7) for k, v in runs[0].items()})


def resnet(seed):
    g = Group("resnet", "ResNet structure, forward/backward with formula weights, and the layers underneath", fill=FILL, digest=DIGEST,
              how_to_compare="|got-expected| <= atol + rtol*|expected|; digests by their rule")
    rng = generator(seed, "resnet")
    g.about["state_dicts"] = {}
    for arch in BLOCKS:
        model = getattr(torchvision.models, arch)()
        state, named = model.state_dict(), dict(model.named_parameters())
        g.about["state_dicts"][arch] = {
            "parameters_1000_classes": sum(p.numel() for p in named.values()),
            "parameters_without_fc": sum(p.numel() for k, p in named.items() if not k.startswith("fc.")),
            "feature_dim": model.fc.in_features, "state_dict_entries": len(state), "parameter_tensors": len(named),
            "batch_norms": sum(k.endswith("running_mean") for k in state), "state_dict": [[k, list(t.shape)] for k, t in state.items()]}
    g.about["fill_test_vectors"] = [fill_vector(*v) for v in (
        ("conv1.weight", (12, 3, 7, 7), "standard"), ("layer3.0.conv1.weight", (24, 12, 3, 3), "standard"),
        ("bn1.weight", (12,), "perturbed"), ("bn1.bias", (12,), "perturbed"),
        ("bn1.running_mean", (12,), "perturbed"), ("bn1.running_var", (12,), "perturbed"), ("fc.0.weight", (20, 32), "standard"),
        ("fc.0.bias", (20,), "standard", 32))]

    def views(pairs, height, width):
        first = np.stack([draw_image(rng, height, width) for _ in range(pairs)])
        return np.concatenate([first, first[:, :, ::-1]])
    network_case(g, "network/resnet18_w12", "resnet18", 12, "imagenet", "perturbed", views(2, 48, 48), 0.5,
                 ("conv1.weight", "layer4.0.downsample.0.weight", "fc.2.bias"))
    network_case(g, "network/resnet18_w6_cifar_stem", "resnet18", 6, "cifar", "perturbed", views(2, 16, 20), 0.3, ("conv1.weight",))
    network_case(g, "network/resnet34_w4", "resnet34", 4, "imagenet", "standard", views(4, 40, 64), 0.5, ())
    network_case(g, "network/resnet50_w4", "resnet50", 4, "imagenet", "perturbed", views(3, 64, 64), 0.5, ())
    layer_cases(g, rng)
    return g


# ----------------------------------------------------------------------------------------------- optimisers and schedules

OPTIMISERS = {
    "adam": "torch.optim.Adam: g+=wd*p; m=b1*m+(1-b1)*g; v=b2*v+(1-b2)*g^2; p-=lr/(1-b1^t) * m/(sqrt(v)/sqrt(1-b2^t)+eps)",
    "adamw": "torch.optim.AdamW: p*=1-lr*wd, then Adam without wd",
    "sgd": "torch.optim.SGD: g+=wd*p; buf=momentum*buf+g; p-=lr*(g+momentum*buf if nesterov else buf)",
    "lars_simclr": "google-research/simclr, classic momentum: g+=wd*p; trust=0.001*|p|/|g| (1 where a norm is 0); "
                   "v=momentum*v+lr*trust*g; p-=momentum*v+lr*trust*g if nesterov else v; "
                   "1-D tensors: no wd, trust=1 (in all three flavours)",
    "lars_popular": "the same file, classic_momentum=False: v=momentum*v+g; u=momentum*v+g if nesterov else v; p-=lr*0.001*|p|/|u|*u",
    "lars_torch": "barlowtwins and vicreg: mu=momentum*mu+trust*g; p-=lr*mu",
}


def lars_step(kind, p, g, v, lr, momentum, weight_decay, nesterov):
    """Returns the new (p, v)."""
    adapt = p.dim() > 1

    def trust(t):
        return 0.001 * p.norm() / t.norm() if adapt and p.norm() > 0 and t.norm() > 0 else 1.0
    g = g + weight_decay * p if adapt else g
    look = lambda v, g: momentum * v + g if nesterov else v
    if kind == "lars_simclr":
        g = lr * trust(g) * g
        v = momentum * v + g
        return p - look(v, g), v
    if kind == "lars_popular":
        v = momentum * v + g
        u = look(v, g)
        return p - lr * trust(u) * u, v
    v = momentum * v + trust(g) * g
    return p - lr * v, v


def optimise(formula, hyper, params, grads, rates, dtype):
    """{name: [steps, ...]}, every parameter after every step."""
    p = {k: torch.nn.Parameter(torch.tensor(v).to(dtype)) for k, v in params.items()}
    out, slots = {k: [] for k in p}, {k: torch.zeros_like(v) for k, v in p.items()}
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}.get(formula)
    optimiser = kind and kind(p.values(), lr=1.0, **hyper)
    for step, lr in enumerate(rates):
        for k, q in p.items():
            q.grad = torch.tensor(grads[k][step]).to(dtype)
            if not kind:
                with torch.no_grad():
                    new, slots[k] = lars_step(formula, q, q.grad, slots[k], lr, **hyper)
                    q.copy_(new)
        if kind:
            optimiser.param_groups[0]["lr"] = lr
            optimiser.step()
        for k, q in p.items():
            out[k].append(q.detach().clone())
    return {k: torch.stack(v) for k, v in out.items()}


def epoch_cosine(lr, t_max, epochs):
    """What a loop gets that calls CosineAnnealingLR.step() at the end of every epoch with zero-based index >= 10."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr)
    schedule, rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, t_max), []
    for epoch in range(epochs):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if epoch >= 10:
            schedule.step()
    return np.array(rates)


def optim(seed):
    g = Group("optim", "Optimiser trajectories on given gradients; learning-rate schedules", formulas=OPTIMISERS,
              how_to_compare="expected[parameter] is [steps, ...]: its value after each step; |got-expected| <= atol")
    rng, steps = generator(seed, "optim"), 20
    shapes = {"conv.weight": (4, 3, 3, 1), "conv.bias": (4,), "bn.weight": (5,), "bn.bias": (5,), "fc.weight": (3, 7),
              "zero.weight": (2, 6)}
    params = {k: single(rng.normal(size=s) * 0.4) for k, s in shapes.items()}
    params["bn.weight"] += 1
    params["zero.weight"][:] = 0
    grads = {k: single(rng.normal(size=(steps, *s)) * 10 ** rng.uniform(-2, 0.5, (steps,) + (1,) * len(s))) for k, s in shapes.items()}
    grads["fc.weight"][5] = 0           # a step without gradient
    grads["conv.weight"][11] *= 1e-9    # a step in which epsilon matters
    grads["fc.weight"][:, 1, 2] = 0     # an element that only weight decay moves
    inputs = {"init": {k: g.put(f"init/{k}", v) for k, v in params.items()}, "grads": {k: g.put(f"grads/{k}", v) for k, v in grads.items()}}
    ramp = np.concatenate([np.linspace(0.25, 1, 4), 0.5 * (1 + np.cos(np.pi * np.arange(16) / 16))])
    betas, flat = [0.9, 0.999], np.ones(steps)
    for name, formula, hyper, rates in (
            ("adam/reference", "adam", dict(betas=betas, eps=1e-8, weight_decay=1e-4), 3e-4 * flat),
            ("adam/other_betas", "adam", dict(betas=[0.8, 0.95], eps=1e-6, weight_decay=1e-3), 5e-3 * ramp),
            ("adamw", "adamw", dict(betas=betas, eps=1e-8, weight_decay=0.1), 3e-3 * ramp),
            ("sgd/plain", "sgd", dict(momentum=0.0, nesterov=False, weight_decay=1e-2), 0.05 * flat),
            ("sgd/heavy_ball", "sgd", dict(momentum=0.95, nesterov=False, weight_decay=0.0), 0.02 * flat),
            ("sgd/nesterov", "sgd", dict(momentum=0.8, nesterov=True, weight_decay=5e-4), 0.03 * ramp),
            ("lars/simclr", "lars_simclr", dict(momentum=0.9, weight_decay=1e-4, nesterov=False), 2.4 * ramp),
            ("lars/simclr_nesterov", "lars_simclr", dict(momentum=0.85, weight_decay=1e-3, nesterov=True), 0.5 * flat),
            ("lars/popular", "lars_popular", dict(momentum=0.9, weight_decay=1e-4, nesterov=False), 0.8 * ramp),
            ("lars/popular_nesterov", "lars_popular", dict(momentum=0.9, weight_decay=1e-3, nesterov=True), 1.2 * ramp),
            ("lars/torch", "lars_torch", dict(momentum=0.9, weight_decay=1.5e-6, nesterov=False), 1.6 * ramp)):
        exact, rough = (optimise(formula, hyper, params, grads, rates.tolist(), dtype) for dtype in (torch.float64, torch.float32))
        lars = {"trust_coefficient": 0.001, "excluded": "1-D tensors (bias, batch norm)"} if formula.startswith("lars") else {}
        g.case(name, formula=formula, params={**hyper, **lars}, lr=float(rates[0]) if np.ptp(rates) == 0 else rates.tolist(), inputs=inputs,
               expected={k: measured(g, f"{name}/{k}", v, rough[k], 0, tiny=1e-7) for k, v in exact.items()},
               produced_by="the formula in float64" if lars else "torch.optim in float64")

    for lr, t_max in ((3e-4, 390), (1e-3, 120)):
        name, rates = f"schedule/epoch_cosine_lr{lr}_T{t_max}", epoch_cosine(lr, t_max, 200)
        g.case(name, op="CosineAnnealingLR", params={"lr": lr, "T_max": t_max, "eta_min": 0, "epochs": 200},
               expected={"lr_used_per_epoch": entry(g.put(f"{name}/used", rates), rtol=1e-9)},
               rule="lr used in epoch e (from 0) = lr/2*(1+cos(pi*max(0,e-10)/T_max))",
               produced_by="torch.optim.lr_scheduler.CosineAnnealingLR")
    for k, c in enumerate((dict(base=0.2, batch=512, examples=50000, warmup_epochs=5, epochs=40, scaling="linear"),
                           dict(base=0.1, batch=384, examples=9000, warmup_epochs=0, epochs=20, scaling="sqrt"))):
        warm, total = c["warmup_epochs"] * c["examples"] // c["batch"], c["examples"] * c["epochs"] // c["batch"] + 1
        peak = c["base"] * (c["batch"] / 256 if c["scaling"] == "linear" else math.sqrt(c["batch"]))
        at = np.unique(np.concatenate([np.arange(5), np.linspace(0, total + 5, 60).astype(int), np.arange(max(warm - 2, 0), warm + 3),
                                       [total - 1, total]]))
        rates = [peak * s / warm if s < warm else peak / 2 * (1 + math.cos(math.pi * min((s - warm) / (total - warm), 1))) for s in at]
        name = f"schedule/warmup_cosine_{k}"
        g.case(name, op="warmup_cosine", params={**c, "warmup_steps": warm, "total_steps": total},
               inputs={"steps": g.put(f"{name}/steps", at)},
               expected={"lr": entry(g.put(f"{name}/lr", np.array(rates)), 1e-12, 1e-6)}, produced_by="the formula in double precision",
               rule="peak = base*batch/256 (linear) or base*sqrt(batch) (sqrt); lr = peak*step/warmup, "
                    "then peak/2*(1+cos(pi*min(step-warmup, total-warmup)/(total-warmup)))")
    return g


# ----------------------------------------------------------------------------------------------- a short training

def random_view(rng, image):
    x, (height, width) = as_tensor(image), image.shape[:2]
    h, w = (int(rng.integers(size // 2, size + 1)) for size in (height, width))
    x = TF.resized_crop(x, int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1)), h, w, [height, width], antialias=True)
    x = TF.hflip(x) if rng.random() < 0.5 else x
    x = jitter(x, rng.permutation(4), [*rng.uniform(0.4, 1.6, 3), rng.uniform(-0.1, 0.1)])
    return channels_last(x * 255).round().clamp(0, 255).to(torch.uint8).numpy()


def train(make, salt, views, batch, tau, steps, dtype, order=0, noise=0.0, mkldnn=True, lr=3e-4):
    """One run. The order of the images within a batch and noise of rounding's size change nothing but rounding."""
    model = make().filled(salt, "standard").to(dtype).train()
    random = torch.Generator().manual_seed(order)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1 + noise * torch.randn(p.shape, generator=random, dtype=dtype))
    optimiser = torch.optim.Adam(model.parameters(), lr, weight_decay=1e-4)
    blocks = views.reshape(*views.shape[:2], 32, 2, 32, 2, 3).sum((3, 5), dtype=np.int32)
    x = torch.from_numpy(single(blocks / 1020.0)).movedim(-1, -3).to(dtype).contiguous()
    rows = np.random.default_rng(order).permutation(batch) if order else np.arange(batch)
    losses, top1, states = [], [], {}
    with torch.backends.mkldnn.flags(enabled=mkldnn):
        for step in range(steps):
            at = step % (x.shape[1] // batch) * batch + rows
            z = model(torch.cat([x[0][at], x[1][at]]))
            loss = ntxent(z, tau)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
            top1.append(top_k(contrastive_logits(z.detach(), tau), 1))
            states[step] = {k: t.clone() for k, t in model.state_dict().items() if not k.endswith("num_batches_tracked")}
        with torch.no_grad():
            features = model.eval().stages(x[0][:8])["features"]
    return {"loss": np.array(losses), "top1": np.array(top1), "first": states[0], "last": states[steps - 1], "features": features,
            "dtype": dtype}


class Float16Operand(torch.autograd.Function):
    @staticmethod
    def forward(ctx, t):
        return t.half().to(t.dtype)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


class Float16Gradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, t):
        return t.clone()

    @staticmethod
    def backward(ctx, gradient):
        return (gradient * 2 ** 10).half().to(gradient.dtype) / 2 ** 10


@contextlib.contextmanager
def float16_operands():
    """Convolutions and linear layers multiply operands that are rounded to float16, forward and backward, and add them up exactly."""
    operand, layers = Float16Operand.apply, (torch.nn.Conv2d, torch.nn.Linear)
    before = [layer.forward for layer in layers]
    layers[0].forward = lambda self, x: Float16Gradient.apply(F.conv2d(operand(x), operand(self.weight), None, self.stride, self.padding))
    layers[1].forward = lambda self, x: Float16Gradient.apply(F.linear(operand(x), operand(self.weight))) + self.bias
    try:
        yield
    finally:
        for layer, forward in zip(layers, before):
            layer.forward = forward


def float16_case(g, views, make, width, batch, tau, lr, steps):
    """A training that operands of float16 hardly change, so that how far mixed precision is from it says something."""
    for attempt in range(40):
        salt = f"{SALT}/float16/{attempt}"
        exact = train(make, salt, views, batch, tau, steps, torch.float64, lr=lr)["loss"]
        with float16_operands():
            runs = [train(make, salt, views, batch, tau, steps, torch.float64, order=o, noise=n, lr=lr)["loss"]
                    for o, n in ((0, 0), (1, 1e-5), (2, 1e-5), (3, 1e-4))]
        deviations = np.max([np.abs(r / exact - 1) for r in runs], 0)
        if largest(deviations) < 5e-3:
            break
    else:
        raise SystemExit("trajectory: no salt of 40 gives a run that float16 leaves alone; change the seed or the case")
    name = f"train/32px_batch{batch}_tau{tau}_float16"
    g.case(name, op="train_float16", batches=f"the same {batch} images in every step; x = concat(view 1, view 2)",
           params={"arch": "resnet18", "width": width, "stem": "imagenet", "head": [8 * width, 4 * width, 2 * width], "input": 32,
                   "images_per_step": batch, "steps": steps, "tau": tau,
                   "optimizer": "adam", "lr": lr, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-4,
                   "wd_applies_to": "all parameters", "salt": salt, "bn_variant": "standard", "lr_schedule": "constant"},
           expected={"loss": {"tensor": g.put(f"{name}/loss_f64", exact), "robust_steps": steps, "rtol": 0.05}},
           ensemble={"members": len(runs), "what": "float64 with operands of float16, row orders, noise on the weights",
                     "max_relative_deviation_per_step": [float(f"{d:.2g}") for d in deviations]}, produced_by="torch in float64")


def trajectory(seed):
    g = Group("trajectory", "A short SimCLR training on generated images", digest=DIGEST,
              weights="resnet.json 'fill', bn_variant 'standard', the salt of the case",
              how_to_compare="|got - loss_f64| <= atol_per_step, step by step; parameters by digests; features by atol",
              chaos="A ReLU input within rounding of zero may fall on either side, and Adam makes a full step of it: correct float32 runs part. "
                    "The salt is one with which eight more runs (float32 with two convolution kernels and three row orders; float64 with noise "
                    "of 2e-7 on the weights) stay within 5e-5 at every step.")
    rng = generator(seed, "trajectory")
    count, batch, width, tau, steps, limit = 12, 6, 4, 0.2, 20, 5e-5
    images = [draw_image(rng, 64, 64) for _ in range(count)]
    views = np.stack([[random_view(rng, image) for image in images] for _ in range(2)])
    make = lambda: Network("resnet18", width, "imagenet", (4 * width, 2 * width))
    members = [dict(dtype=torch.float32, order=o, mkldnn=m) for m in (True, False) for o in (0, 1, 2)]
    members += [dict(dtype=torch.float64, order=o, noise=2e-7) for o in (3, 4)]
    for attempt in range(40):
        salt = f"{SALT}/train{attempt}"
        exact, runs = train(make, salt, views, batch, tau, steps, torch.float64), []
        for member in members:
            runs.append(train(make, salt, views, batch, tau, steps, **member))
            if largest(runs[-1]["loss"] - exact["loss"]) > limit:
                break
        else:
            break
    else:
        raise SystemExit("trajectory: no salt of 40 gives a robust run; change the seed or the case")
    name = f"train/32px_batch{batch}_tau{tau}_robust0"
    envelope = np.maximum.accumulate(np.max([np.abs(r["loss"] - exact["loss"]) for r in runs], 0))
    worst = max((r for r in runs if r["dtype"] == torch.float32), key=lambda r: largest(r["features"].double() - exact["features"]))
    expected = {"loss": {"tensor": g.put(f"{name}/loss_f64", exact["loss"]), "robust_steps": steps,
                         "atol_per_step": g.put(f"{name}/atol_per_step", np.array([one_digit_up(max(5 * e, 1e-3)) for e in envelope]))},
                "loss_torch_f32": g.put(f"{name}/loss_f32", runs[0]["loss"]),
                "top1": entry(g.put(f"{name}/top1", exact["top1"]), 50.0 / batch + 1e-9, unit="percent, before the step"),
                "state_after_step_1": digests(g, f"{name}/state_after_1", exact["first"], runs[0]["first"]),
                f"state_after_step_{steps}": digests(g, f"{name}/state_after_{steps}", exact["last"], worst["last"]),
                "eval_features_of_view1_images_0_7": measured(g, f"{name}/final_features", exact["features"], worst["features"], 1e-3)}
    g.put("views_u8", views)
    g.about["views"] = f"views_u8 [2,{count},64,64,3]: two fixed views of every image"
    g.case(name, op="train", batches=f"step s uses images [(s mod {count // batch})*{batch}, +{batch}); x = concat(view 1, view 2)",
           params={"arch": "resnet18", "width": width, "stem": "imagenet", "head": [8 * width, 4 * width, 2 * width], "input": 32,
                   "images_per_step": batch, "steps": steps, "tau": tau,
                   "optimizer": "adam", "lr": 3e-4, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-4,
                   "wd_applies_to": "all parameters", "salt": salt, "bn_variant": "standard",
                   "lr_schedule": "constant"},
           input_rule="32x32: x = fround((a+b+c+d)/1020) over each 2x2 block of uint8 values", expected=expected,
           selection=f"robust: salt {attempt}",
           loss_f64=exact["loss"].tolist(),
           ensemble={"members": len(runs), "max_deviation_per_step": [float(f"{e:.2g}") for e in envelope]}, produced_by="torch in float64")
    float16_case(g, views, make, width, 12, 0.5, 1e-4, steps)
    return g


# ----------------------------------------------------------------------------------------------- JPEG

def jpeg(seed):
    g = Group("jpeg", "Bit-exact JPEG decoding of generated files",
              how_to_compare="sha256 of the height*width*3 RGB bytes, row by row; the file is the U8 tensor inputs.file",
              decoder={"pillow": PIL.__version__, "libjpeg_turbo": features.version_feature("libjpeg_turbo"),
                       "settings": "Pillow's defaults: ISLOW integer DCT, fancy chroma upsampling; gray files repeated to three channels"})
    rng = generator(seed, "jpeg")
    chroma = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
    for name, (height, width), sampling, options in (
            ("420_q90", (64, 64), "4:2:0", dict(quality=90)), ("420_odd_q75", (47, 61), "4:2:0", dict(quality=75)),
            ("420_q20", (64, 40), "4:2:0", dict(quality=20)),
            ("420_one_pixel", (1, 1), "4:2:0", dict(quality=80)), ("420_narrow", (33, 3), "4:2:0", dict(quality=85)),
            ("422_odd", (45, 51), "4:2:2", dict(quality=80)),
            ("444_q95", (64, 64), "4:4:4", dict(quality=95)), ("444_odd_optimized", (23, 38), "4:4:4", dict(quality=60, optimize=True)),
            ("gray_q85", (64, 64), "gray", dict(quality=85)), ("gray_odd", (19, 30), "gray", dict(quality=50)),
            ("420_progressive", (64, 64), "4:2:0", dict(quality=85, progressive=True)),
            ("444_progressive_odd", (37, 50), "4:4:4", dict(quality=70, progressive=True)),
            ("gray_progressive", (40, 64), "gray", dict(quality=75, progressive=True))):
        image, buffer = Image.fromarray(draw_image(rng, height, width)), io.BytesIO()
        if sampling == "gray":
            image.convert("L").save(buffer, "JPEG", **options)
        else:
            image.save(buffer, "JPEG", subsampling=chroma[sampling], **options)
        data = buffer.getvalue()
        with Image.open(io.BytesIO(data)) as opened:
            mode, rgb = opened.mode, np.asarray(opened.convert("RGB"))
        expected = {"shape": list(rgb.shape), "mode": mode, "progressive": bool(options.get("progressive")), "chroma": sampling,
                    "file_bytes": len(data),
                    "file_sha256": hashlib.sha256(data).hexdigest(), "rgb_sha256": hashlib.sha256(rgb.tobytes()).hexdigest(),
                    "sum_rgb": rgb.reshape(-1, 3).sum(0).tolist(), "first_pixel": rgb[0, 0].tolist(), "tensor": g.put(f"rgb/{name}", rgb)}
        g.case(f"generated/{name}.jpg", op="decode", inputs={"file": g.put(f"file/{name}", np.frombuffer(data, np.uint8))},
               expected=expected,
               produced_by="Pillow Image.open(...).convert('RGB')")
    return g


# ----------------------------------------------------------------------------------------------- evaluation

def softmax_regression(x, y, classes, lam):
    """min CE(x W^T + b, y) + lam/2 |W|^2 in float64: L-BFGS, then Newton steps until the gradient vanishes."""
    d = x.shape[1]

    def objective(t):
        w, b = t[:classes * d].view(classes, d), t[classes * d:]
        return F.cross_entropy(x @ w.T + b, y) + lam / 2 * (w ** 2).sum()
    t = torch.zeros(classes * (d + 1), dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([t], max_iter=1000, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        solver.zero_grad()
        value = objective(t)
        value.backward()
        return value
    solver.step(closure)
    t = t.detach()
    for _ in range(3):
        gradient = torch.autograd.functional.jacobian(objective, t)
        t = t - torch.linalg.pinv(torch.autograd.functional.hessian(objective, t), rcond=1e-12, hermitian=True) @ gradient
    t[classes * d:] -= t[classes * d:].mean()  # the bias is defined up to a constant
    gradient = largest(torch.autograd.functional.jacobian(objective, t))
    assert gradient < 1e-10, gradient
    return t[:classes * d].view(classes, d), t[classes * d:], objective(t).item(), gradient


def evaluation(seed):
    g = Group("evaluation", "kNN and linear evaluation", formulas={
        "knn": "Wu et al. 2018, sec. 3.4: rows L2-normalised, the k bank rows of largest cosine, "
               "score_c = sum of exp(cos/T) over neighbours of class c",
        "softmax_regression": "min mean CE(x W^T + b, y) + lambda/2 |W|^2, bias not penalised and reported with mean 0"},
        how_to_compare="predictions agree except for the queries in 'fragile'; scores within row_rtol; the loss at the optimum within atol")
    rng = generator(seed, "evaluation")
    classes, dim = 7, 24

    def clusters(counts, dim, classes, spread):
        centres = spread * rng.normal(size=(classes, dim))
        labels = [rng.integers(0, classes, n).astype(np.int32) for n in counts]
        return [(single(centres[y] + rng.normal(size=(len(y), dim))), y) for y in labels]
    (bank, labels), (query, truth) = clusters((500, 90), dim, classes, 0.5)
    inputs = {k: g.put(f"knn/{k}", v) for k, v in (("bank", bank), ("bank_labels", labels), ("query", query), ("query_labels", truth))}
    normalise = lambda a, dtype: F.normalize(torch.tensor(a).to(dtype), dim=1)
    for k, temperature in ((1, 0.1), (5, 0.07), (20, 0.5), (150, 0.1)):
        scores = []
        for dtype in (torch.float64, torch.float32):
            top = (normalise(query, dtype) @ normalise(bank, dtype).T).topk(k + 1, dim=1)
            votes = F.one_hot(torch.tensor(labels).long()[top.indices[:, :k]], classes).to(dtype)
            scores.append(((top.values[:, :k, None] / temperature).exp() * votes).sum(1).double())
            if dtype == torch.float64:
                near = top.values[:, k - 1] - top.values[:, k] < 1e-6
        best = scores[0].topk(2, dim=1).values
        fragile = ((best[:, 0] - best[:, 1]) / best[:, 0] < 1e-5) | near
        predictions = scores[0].argmax(1).numpy()
        error = ((scores[0] - scores[1]).abs() / scores[0].amax(1, keepdim=True))[~fragile].max().item()
        name = f"knn/k{k}_T{temperature}"
        g.case(name, formula="knn", params={"k": k, "T": temperature, "classes": classes}, inputs=inputs,
               fragile=fragile.nonzero().flatten().tolist(),
               expected={"predictions": entry(g.put(f"{name}/predictions", predictions)),
                         "top1_percent": number(100 * (predictions == truth).mean(), 100 * fragile.double().mean().item()),
                         "scores": entry(g.put(f"{name}/scores", scores[0]), row_rtol=one_digit_up(max(10 * error, 1e-5)),
                                         torch_f32_rel_err=error)},
               produced_by="torch in float64")

    (x, y), (x_test, y_test) = clusters((240, 110), 9, 4, 0.8)
    inputs = {k: g.put(f"probe/gauss/{k}", v) for k, v in (("x", x), ("y", y), ("x_test", x_test), ("y_test", y_test))}
    for lam in (3e-3, 5e-2):
        w, b, loss, gradient = softmax_regression(torch.tensor(x).double(), torch.tensor(y).long(), 4, lam)
        share = lambda a, truth: 100 * ((torch.tensor(a).double() @ w.T + b).argmax(1).numpy() == truth).mean()
        name = f"probe/gauss_lambda{lam}"
        g.case(name, formula="softmax_regression",
               params={"lambda": lam, "classes": 4, "n": len(x), "d": x.shape[1], "sklearn_C": 1 / (len(x) * lam)}, inputs=inputs,
               expected={"loss": number(loss, 1e-5, 0), "W": entry(g.put(f"{name}/W", w), one_digit_up(1e-3 * largest(w))),
                         "b": entry(g.put(f"{name}/b", b), one_digit_up(1e-3 * max(largest(w), largest(b)))),
                         "train_top1": number(share(x, y), 200 / len(x)), "test_top1": number(share(x_test, y_test), 200 / len(x_test))},
               max_abs_gradient_at_optimum=gradient, loss_at_zero=math.log(4), produced_by="torch in float64: L-BFGS, then Newton steps")
    return g


# ----------------------------------------------------------------------------------------------- main

GROUPS = {f.__name__: f for f in (losses, augment, sampling, resnet, optim, trajectory, jpeg, evaluation)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=7, help="of every random number (default 7)")
    parser.add_argument("--out", default=FIXTURES, help="folder to write to (default: fixtures beside this file)")
    parser.add_argument("--groups", default=",".join(GROUPS), help="comma-separated; the others are left as they are (default: all)")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
    os.makedirs(args.out, exist_ok=True)
    for name in args.groups.split(","):
        group = GROUPS[name](args.seed)
        group.write(args.out)
        group.report()

    index = {"format": FORMAT, "seed": args.seed, "salt": SALT, "command": f"make-fixtures.py --seed {args.seed}",
             "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "torchvision": torchvision.__version__,
                          "numpy": np.__version__,
                          "pillow": PIL.__version__, "libjpeg_turbo": features.version_feature("libjpeg_turbo")}}
    index["groups"] = [found for name in (*GROUPS, "objectives", "heads") if (found := index_entry(args.out, name))]
    write_index(args.out, index)
    print(f"in all {sum(g['bytes'] for g in index['groups'])} bytes in {args.out}")


if __name__ == "__main__":
    main()
