"""What the rivals of the whole step share: the step in a precision, its first loss, and the loop that answers."""

import json
import os
import sys
import time

import torch

from simclr import answer, info_nce, make_model, read_safetensors


def device_name(device):
    return torch.cuda.get_device_name() if device == "cuda" else "cpu"


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


class Step:
    """Model, optimizer and scaler on given weights; `arithmetic` is float32, tf32, float16 or bfloat16 (autocast)."""

    def __init__(self, configuration, arithmetic, device, memory_format=torch.contiguous_format, fused=False):
        folder = configuration["folder"]
        encoder, head = (read_safetensors(os.path.join(folder, f"{name}.safetensors")) for name in ("encoder", "head"))
        self.model = make_model(encoder, head).to(device, memory_format=memory_format)
        self.forward = self.model  # or the model compiled
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.memory_format = memory_format
        self.device = device
        self.temperature = configuration["temperature"]
        self.arithmetic = arithmetic
        self.autocast_type = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(arithmetic)
        rates = dict(lr=configuration["learningRate"], weight_decay=configuration["weightDecay"])
        self.optimizer = torch.optim.Adam(self.model.parameters(), **rates, **({"fused": True} if fused else {}))
        scales = arithmetic == "float16" and device == "cuda"
        self.scaler = torch.amp.GradScaler("cuda", enabled=scales) if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler(enabled=scales)

    def loss(self, views, model=None):
        enabled = self.autocast_type is not None
        kind = self.autocast_type or torch.bfloat16
        with torch.autocast("cuda" if self.device == "cuda" else "cpu", dtype=kind, enabled=enabled):
            return info_nce((model or self.forward)(views), self.temperature)

    def update(self, loss):
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def use_arithmetic(self):
        """TensorFloat-32 is a setting of the whole process; PyTorch's default is to use it in convolutions."""
        allowed = self.arithmetic != "float32"
        torch.backends.cudnn.allow_tf32 = allowed
        torch.backends.cuda.matmul.allow_tf32 = allowed

    def first_loss(self, configuration):
        """The loss on given views, before any update; the running statistics are put back."""
        self.use_arithmetic()
        views = read_safetensors(os.path.join(configuration["folder"], "views.safetensors"))["views"]
        views = views.permute(0, 3, 1, 2).to(self.device).contiguous(memory_format=self.memory_format)
        before = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        with torch.no_grad():
            loss = self.loss(views, self.model).item()
            for name, buffer in self.model.named_buffers():
                buffer.copy_(before[name])
        return loss


def arithmetics(configuration, device):
    """Kinds of arithmetic of a precision that the device has."""
    if configuration["precision"] == "float32":
        return ["tf32", "float32"] if device == "cuda" else ["float32"]
    return ["float16", "bfloat16"] if device == "cuda" else ["bfloat16"]


def serve(rival, configuration, device, kinds, details):
    """Says what this is, then answers {"kind", "steps"} by {"seconds", "loss", "cpuSeconds"} until the input ends.

    kinds: {arithmetic: (step, run)}, run(steps) does steps and returns the last loss as a tensor.
    """
    first = {kind: step.first_loss(configuration) for kind, (step, _) in kinds.items()}
    start = time.perf_counter()
    for step, run in kinds.values():
        step.use_arithmetic()
        run(configuration["warmUp"])
    synchronize(device)
    answer(
        rival=rival, version=torch.__version__, device=device_name(device), kinds=list(kinds), firstLoss=first,
        parameters=next(iter(kinds.values()))[0].parameters, warmUpSeconds=time.perf_counter() - start,
        cpuSeconds=time.process_time(), **details,
    )
    for line in sys.stdin:
        request = json.loads(line)
        step, run = kinds[request["kind"]]
        step.use_arithmetic()
        synchronize(device)
        start = time.perf_counter()
        loss = run(request["steps"]).item()
        synchronize(device)
        answer(seconds=time.perf_counter() - start, loss=loss, cpuSeconds=time.process_time())
