"""The best that a PyTorch user gets: images on the device, batched augmentation there, channels_last, autocast, torch.compile, fused Adam.

    python3 resident.py '{"folder": ..., "batchSize": 256, "imageSize": 64, "precision": "mixed", "temperature": 0.07, "learningRate": 3e-4,
                          "weightDecay": 1e-4, "warmUp": 3, "compile": "yes"}'

The folder is that of paper_stack.py. Random numbers are drawn on the device, every view has its own; the four operations of the colour jitter come in
one order for the whole batch. It speaks as whole_step.py says.
"""

import json
import math
import os
import sys

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, os.cpu_count() or 1)))
import simclr  # says why where PyTorch is missing
import torch
import torch.nn.functional as F

from whole_step import Step, accepts, arithmetics, read_safetensors, serve

configuration = json.loads(sys.argv[1])
size = configuration["imageSize"]


def uniform(n, low, high, device):
    return torch.rand(n, device=device) * (high - low) + low


def crop_and_flip(x):
    """RandomResizedCrop (scale 0.08 to 1, ratio 3/4 to 4/3) and a flip of every second view, as one bilinear sampling."""
    n, device = len(x), x.device
    area = uniform(n, 0.08, 1, device)
    ratio = torch.exp(uniform(n, math.log(3 / 4), math.log(4 / 3), device))
    width, height = (area * ratio).sqrt().clamp(max=1), (area / ratio).sqrt().clamp(max=1)
    left, top = torch.rand(n, device=device) * (1 - width), torch.rand(n, device=device) * (1 - height)
    mirror = torch.where(torch.rand(n, device=device) < 0.5, -1.0, 1.0)
    theta = torch.zeros(n, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 0, 2] = width * mirror, 2 * left + width - 1
    theta[:, 1, 1], theta[:, 1, 2] = height, 2 * top + height - 1
    grid = F.affine_grid(theta, [n, 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)


def gray_of(x):
    return 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]


def shift_hue(x, shift):
    """Through HSV and back, hue shifted by a part of the circle."""
    red, green, blue = x.unbind(1)
    value, low = x.amax(1), x.amin(1)
    chroma = value - low
    divisor = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
    r, g, b = (value - red) / divisor, (value - green) / divisor, (value - blue) / divisor
    hue = torch.where(value == red, b - g, torch.where(value == green, 2 + r - b, 4 + g - r)) / 6
    hue = (hue + shift.view(-1, 1, 1)) % 1
    saturation = chroma / torch.where(value > 0, value, torch.ones_like(value))
    channels = []
    for offset in (5.0, 3.0, 1.0):
        k = (offset + hue * 6) % 6
        channels.append(value - value * saturation * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, 1)


def colour_jitter(x, operation):
    n, device = len(x), x.device
    if operation == 3:
        return shift_hue(x, uniform(n, -0.2, 0.2, device))
    factor = uniform(n, 0.2, 1.8, device).view(-1, 1, 1, 1)
    if operation == 0:
        return (x * factor).clamp(0, 1)
    other = gray_of(x).mean((2, 3), keepdim=True) if operation == 1 else gray_of(x)
    return (x * factor + other * (1 - factor)).clamp(0, 1)


def blur(x):
    taps = max(3, int(0.1 * size) | 1)
    n, device = len(x), x.device
    sigma = uniform(n, 0.1, 2.0, device).view(-1, 1)
    distance = torch.arange(taps, device=device) - taps // 2
    kernel = torch.exp(-0.5 * (distance / sigma) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)
    x = F.pad(x, [taps // 2] * 4, mode="reflect").reshape(1, 3 * n, size + taps - 1, size + taps - 1)
    x = F.conv2d(x, kernel.view(3 * n, 1, 1, taps), groups=3 * n)
    return F.conv2d(x, kernel.view(3 * n, 1, taps, 1), groups=3 * n).view(n, 3, size, size)


def augment(x, order):
    """x in [0, 1], NCHW: the paper's chain; `order` of the colour jitter's operations."""
    def chosen(p):
        return torch.rand(len(x), 1, 1, 1, device=x.device) < p

    x = crop_and_flip(x)
    x = torch.where(chosen(0.2) & (x >= 128 / 255), 1 - x, x)
    jittered = x
    for operation in order:
        jittered = colour_jitter(jittered, operation)
    x = torch.where(chosen(0.8), jittered, x)
    x = torch.where(chosen(0.2), gray_of(x).expand_as(x), x)
    return blur(x)


def views_of(pixels, order):
    """Two views of every image, from uint8 NHWC to float32 in channels_last."""
    x = pixels.permute(0, 3, 1, 2).float() / 255
    return augment(torch.cat([x, x]), order).contiguous(memory_format=torch.channels_last)


def ways(arithmetic, device):
    """{kind: mode of torch.compile, or None}: how a user may run a step, of which the fastest counts."""
    asked = configuration["compile"]
    if asked == "no" or not hasattr(torch, "compile"):
        return {arithmetic: None}
    if asked == "max-autotune":
        return {f"{arithmetic} autotuned": asked}
    graphs = {f"{arithmetic} graphs": "reduce-overhead"} if device == "cuda" else {}
    return {arithmetic: None, **graphs, f"{arithmetic} compiled": "default"}


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = read_safetensors(os.path.join(configuration["folder"], "images.safetensors"))["images"].to(device)
    torch.backends.cudnn.benchmark = True
    fused = device == "cuda" or accepts(2, 4)

    def make(arithmetic, mode):
        step = Step(configuration, arithmetic, device, torch.channels_last, fused=fused)
        make_views = views_of
        # each order would be compiled on its own: there is one where it is compiled
        orders = [[0, 1, 2, 3], [1, 3, 0, 2], [2, 0, 3, 1], [3, 2, 1, 0]]
        if mode:
            orders = orders[:1]
            step.loss_of = torch.compile(step.pretext, mode=mode)
            make_views = torch.compile(views_of, mode=mode)
        replays = mode not in (None, "default")
        count = 0

        def run(steps):
            nonlocal count
            for _ in range(steps):
                if replays:
                    torch.compiler.cudagraph_mark_step_begin()
                indices = torch.randint(len(images), (configuration["batchSize"],), device=device)
                loss = step.loss(make_views(images[indices], orders[count % len(orders)]))
                step.update(loss)
                count += 1
            return loss

        return step, run

    kinds = {}
    for arithmetic in arithmetics(configuration, device):
        for kind, mode in ways(arithmetic, device).items():
            kinds[kind] = lambda arithmetic=arithmetic, mode=mode: make(arithmetic, mode)
    # graphs do all that compiled code does, and replay it besides
    instead = {kind: kind.replace("compiled", "graphs") for kind in kinds if kind.endswith("compiled")}
    serve("resident", configuration, device, kinds, {"fusedAdam": fused}, instead)


main()
