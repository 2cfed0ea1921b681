"""PyTorch doing the training step of `bench train-step`, driven over stdin and stdout by one JSON object per line.

    python3 train_step.py '{"folder": ..., "threads": 2, "temperature": 0.07, "learningRate": 3e-4, "weightDecay": 1e-4, "warmUp": 3, "compile": true}'

The folder holds encoder.safetensors and head.safetensors (weights in torchvision's names) and views.safetensors (`views`, NHWC).
It tries every way in which this PyTorch can do the step on this processor: both memory layouts, eager and through torch.compile, float32
and, where the processor multiplies bfloat16, autocast to it and convolutions in it. The first line that this prints says what it is, which
ways work, the loss of their first step, and what a step took once they were warm; then each line read, {"way": NAME, "steps": n}, is
answered by {"seconds", "loss", "cpuSeconds"}. The end of the input ends it. Where PyTorch cannot be used, the only line is {"missing": REASON}.
"""

import contextlib
import json
import os
import resource
import sys
import time

configuration = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(configuration["threads"])
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", str(configuration["threads"]))

from simclr import answer, nt_xent, make_model, read_safetensors  # says why where PyTorch is missing
import torch

# A step that is warm is timed so often before the choice of those that take part.
TRIALS = 3


def cpu_seconds():
    """Of this process and of those that compiled for it."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def multiplies_bfloat16():
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
    except OSError:
        return False
    return any(f" {flag}" in text for flag in ("avx512_bf16", "amx_bf16"))


@contextlib.contextmanager
def convolutions_in_bfloat16():
    conv = torch.backends.mkldnn.conv
    before = conv.fp32_precision
    conv.fp32_precision = "bf16"
    try:
        yield
    finally:
        conv.fp32_precision = before


def ways():
    """Name, memory layout, whether compiled, what it runs in, precision."""
    arithmetics = [("float32", contextlib.nullcontext, "float32")]
    if multiplies_bfloat16():
        arithmetics.append(("autocast", lambda: torch.autocast("cpu", torch.bfloat16), "bfloat16"))
        if hasattr(getattr(torch.backends.mkldnn, "conv", None), "fp32_precision"):
            arithmetics.append(("convolutions in bfloat16", convolutions_in_bfloat16, "bfloat16"))
    for name, context, precision in arithmetics:
        for layout in ("contiguous", "channels_last"):
            for compiled in (False, True):
                if compiled and (not configuration.get("compile") or not hasattr(torch, "compile") or context is convolutions_in_bfloat16):
                    continue
                parts = [layout, "compiled" if compiled else "eager"] + ([name] if name != "float32" else [])
                yield ", ".join(parts), layout, compiled, context, precision


def make_step(layout, compiled, context, weights, views):
    """Returns a function that does one step and gives the loss as a tensor, and the model's parameter count."""
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = make_model(*weights).to(memory_format=memory_format)
    x = views.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)
    optimizer = torch.optim.Adam(model.parameters(), configuration["learningRate"], weight_decay=configuration["weightDecay"])

    def compute_loss(x):
        return nt_xent(model(x), configuration["temperature"])

    loss_of = torch.compile(compute_loss, dynamic=False) if compiled else compute_loss

    def step():
        optimizer.zero_grad(set_to_none=True)
        with context():
            loss = loss_of(x)
            if context is convolutions_in_bfloat16:
                loss.backward()
        if context is not convolutions_in_bfloat16:
            loss.backward()
        optimizer.step()
        return loss

    return step, sum(p.numel() for p in model.parameters())


def timed(step, steps):
    start = time.perf_counter()
    for _ in range(steps):
        loss = step().item()
    return time.perf_counter() - start, loss


def main():
    torch.set_num_threads(configuration["threads"])
    encoder, head, views = (read_safetensors(os.path.join(configuration["folder"], f"{name}.safetensors")) for name in ("encoder", "head", "views"))
    steps, described, failed, parameters = {}, [], {}, None
    for name, layout, compiled, context, precision in ways():
        try:
            step, parameters = make_step(layout, compiled, context, (encoder, head), views["views"])
            start = time.perf_counter()
            _, first = timed(step, 1)
            timed(step, max(1, configuration["warmUp"] - 1))
            warm_up = time.perf_counter() - start
            trial = min(timed(step, 1)[0] for _ in range(TRIALS))
        except Exception as error:  # a way that this PyTorch or processor lacks
            failed[name] = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
            continue
        steps[name] = step
        described.append({"name": name, "precision": precision, "firstLoss": first, "trialSeconds": trial, "warmUpSeconds": warm_up})
    answer(version=torch.__version__, threads=torch.get_num_threads(), parameters=parameters, ways=described, failed=failed, cpuSeconds=cpu_seconds())

    for line in sys.stdin:
        request = json.loads(line)
        seconds, loss = timed(steps[request["way"]], request["steps"])
        answer(seconds=seconds, loss=loss, cpuSeconds=cpu_seconds())


main()
