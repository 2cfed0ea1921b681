"""What the rivals of the whole step share: the step in a precision, its first loss, and the loop that answers."""

import json
import os
import sys
import time

import torch

from simclr import answer, nt_xent, make_model, read_safetensors


def device_name(device):
    return torch.cuda.get_device_name() if device == "cuda" else "cpu"


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def accepts(major, minor):
    """Whether this is PyTorch of at least that version."""
    return tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (major, minor)


def gradient_scaler(device, enabled):
    return torch.amp.GradScaler(device, enabled=enabled) if hasattr(torch.amp, "GradScaler") else torch.cuda.amp.GradScaler(enabled=enabled)


class Pretext(torch.nn.Module):
    """From views to their loss."""

    def __init__(self, model, temperature):
        super().__init__()
        self.model = model
        self.temperature = temperature

    def forward(self, views):
        return nt_xent(self.model(views), self.temperature)


class Step:
    """Model, optimizer and scaler on given weights; `arithmetic` is float32, tf32, float16 or bfloat16 (autocast)."""

    def __init__(self, configuration, arithmetic, device, memory_format=torch.contiguous_format, fused=False):
        folder = configuration["folder"]
        encoder, head = (read_safetensors(os.path.join(folder, f"{name}.safetensors")) for name in ("encoder", "head"))
        self.model = make_model(encoder, head).to(device, memory_format=memory_format)
        self.pretext = Pretext(self.model, configuration["temperature"])
        self.loss_of = self.pretext  # or that compiled
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self.memory_format = memory_format
        self.device = device
        self.arithmetic = arithmetic
        self.autocast_type = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(arithmetic)
        rates = dict(lr=configuration["learningRate"], weight_decay=configuration["weightDecay"])
        self.optimizer = torch.optim.Adam(self.model.parameters(), **rates, **({"fused": True} if fused else {}))
        self.scaler = gradient_scaler(device, arithmetic == "float16")

    def autocast(self):
        return torch.autocast(self.device, dtype=self.autocast_type or torch.bfloat16, enabled=self.autocast_type is not None)

    def loss(self, views):
        with self.autocast():
            return self.loss_of(views)

    def update(self, loss):
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)

    def use_arithmetic(self):
        """TensorFloat-32 is a setting of the whole process; PyTorch's default is to use it in convolutions."""
        allowed = self.arithmetic != "float32"
        torch.backends.cudnn.allow_tf32 = allowed
        torch.backends.cuda.matmul.allow_tf32 = allowed

    def first_loss(self, configuration):
        """The loss on given views, before any update; the running statistics are put back."""
        views = read_safetensors(os.path.join(configuration["folder"], "views.safetensors"))["views"]
        views = views.permute(0, 3, 1, 2).to(self.device).contiguous(memory_format=self.memory_format)
        before = {name: buffer.clone() for name, buffer in self.model.named_buffers()}
        with torch.no_grad():
            with self.autocast():
                loss = self.pretext(views).item()
            for name, buffer in self.model.named_buffers():
                buffer.copy_(before[name])
        return loss


def arithmetics(configuration, device):
    """Kinds of arithmetic of a precision that the device has."""
    if configuration["precision"] == "float32":
        return ["tf32", "float32"] if device == "cuda" else ["float32"]
    return ["float16", "bfloat16"] if device == "cuda" else ["bfloat16"]


def serve(rival, configuration, device, kinds, details, instead=None, settle=None, rest=None):
    """Says what this is, then answers {"kind", "steps"} by {"seconds", "loss", "cpuSeconds"} until the input ends.

    kinds: {name: make}; make() returns (step, run), and run(steps) does steps and returns the last loss as a tensor. A kind that fails while it is made
    or warms up is named with its reason and takes no part; a kind that `instead` maps to another one is tried only where that has failed.
    settle(run) comes before every measurement, rest(seconds of a step) after it.
    """
    ready, first, warm, failed = {}, {}, {}, {}
    for kind, make in kinds.items():
        if instead and instead.get(kind, kind) in ready:
            continue
        start = time.perf_counter()
        try:
            step, run = make()
            step.use_arithmetic()
            first[kind] = step.first_loss(configuration)
            run(max(5, configuration["warmUp"])).item()  # a CUDA graph is recorded in the second step or third
            synchronize(device)
        except Exception as error:  # the other kinds are there all the same
            failed[kind] = f"{type(error).__name__}: {str(error).strip()[:1000]}"
            first.pop(kind, None)
            continue
        ready[kind] = step, run
        warm[kind] = round(time.perf_counter() - start, 1)
    if not ready:
        answer(missing=f"nothing works: {json.dumps(failed)}")
        return
    answer(
        rival=rival, version=torch.__version__, device=device_name(device), cuda=torch.version.cuda if device == "cuda" else None,
        cudnn=torch.backends.cudnn.version() if device == "cuda" else None, kinds=list(ready), failed=failed, firstLoss=first,
        parameters=next(iter(ready.values()))[0].parameters, warmUpSeconds=warm, cpuSeconds=time.process_time(), **details,
    )
    for line in sys.stdin:
        request = json.loads(line)
        steps = request["steps"]
        step, run = ready[request["kind"]]
        step.use_arithmetic()
        if settle:
            settle(run)
        synchronize(device)
        start = time.perf_counter()
        loss = run(steps).item()
        synchronize(device)
        seconds = time.perf_counter() - start
        if rest:
            rest(seconds / steps)
        answer(seconds=seconds, loss=loss, cpuSeconds=time.process_time())
