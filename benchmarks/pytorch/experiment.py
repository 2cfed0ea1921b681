"""The first epochs of a run of the example, by the paper's stack in PyTorch: the same images, settings and schedule, other random numbers.

    python3 experiment.py RUN PIXELS [EPOCHS] [WORKERS]

RUN is the run's folder (config.json), PIXELS its training images as `bench evaluate --pixels` writes them. Prints a line of JSON per epoch: mean loss,
top-1 and top-5 of its steps, seconds. Weights begin as torchvision and torch.nn initialise them, which is how the example does.
"""

import json
import math
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, os.cpu_count() or 1)))
from pil_views import TwoViews, loader_of
import numpy as np
import torch
from torch import nn

from simclr import ResNet18, answer, nt_xent


def initialised(model):
    """torchvision's initialisation of ResNets; linear layers keep torch.nn's."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def accuracies(z, temperature):
    """Share of rows whose partner is the most similar one, and among the five most similar."""
    z = nn.functional.normalize(z.float(), dim=1)
    logits = (z @ z.T / temperature).fill_diagonal_(float("-inf"))
    rows = len(z)
    partners = (torch.arange(rows, device=z.device) + rows // 2) % rows
    ranks = (logits > logits.gather(1, partners[:, None])).sum(1)
    return torch.stack([(ranks < k).float().mean() for k in (1, 5)])


def main():
    run, pixels = sys.argv[1:3]
    epochs = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    workers = int(sys.argv[4]) if len(sys.argv) > 4 else os.cpu_count()
    with open(os.path.join(run, "config.json")) as file:
        settings = json.load(file)
    if settings["optimizer"]["name"] != "adam" or settings["schedule"]["name"] != "epoch-cosine" or settings["encoder"]["stem"] != "imagenet":
        sys.exit("experiment.py: only the presets paper and baseline at full scale, with Adam and its schedule, are known here.")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(settings["seed"])
    torch.backends.cudnn.benchmark = True
    size, batch = settings["imageSize"], settings["batchSize"]
    images = np.fromfile(pixels, np.uint8).reshape(-1, size, size, 3)
    augmentation = settings["augmentation"]
    views = TwoViews(
        images, augmentation["cropScale"], augmentation["solarizeProbability"], augmentation["jitterStrength"], augmentation["blurProbability"]
    )
    loader = loader_of(views, batch, workers, device)
    width, head = settings["encoder"]["width"], settings["head"]
    projection = nn.Sequential(nn.Linear(8 * width, head["hidden"]), nn.ReLU(inplace=True), nn.Linear(head["hidden"], head["output"]))
    model = nn.Sequential(initialised(ResNet18(width)), projection).to(device).train()
    rate = settings["schedule"]["learningRate"]
    optimizer = torch.optim.Adam(model.parameters(), rate, weight_decay=settings["optimizer"]["weightDecay"])
    mixed = settings["precision"] == "mixed"
    kind = torch.float16 if device == "cuda" else torch.bfloat16
    scales = mixed and device == "cuda"
    scaler = torch.amp.GradScaler("cuda", enabled=scales) if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler(enabled=scales)
    temperature = settings["temperature"]
    for epoch in range(epochs):
        # CosineAnnealingLR over the steps of one epoch, stepped once an epoch, from the eleventh on
        stepped = max(0, epoch - 10)
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * stepped / len(loader))) / 2
        start = time.perf_counter()
        sums, steps = torch.zeros(3, device=device), 0
        for first, second in loader:
            x = torch.cat([first, second]).to(device, non_blocking=True)
            with torch.autocast(device, dtype=kind, enabled=mixed):
                z = model(x)
                loss = nt_xent(z, temperature)
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            sums += torch.cat([loss.detach()[None], accuracies(z.detach(), temperature)])
            steps += 1
        loss, top1, top5 = (sums / steps).tolist()
        answer(
            epoch=epoch + 1, steps=steps, loss=loss, top1=top1, top5=top5, seconds=time.perf_counter() - start,
            device=torch.cuda.get_device_name() if device == "cuda" else "cpu", version=torch.__version__, workers=workers,
        )


main()
