"""PyTorch doing the training step of `bench train-step`, driven over stdin and stdout by one JSON object per line.

    python3 train_step.py '{"folder": ..., "threads": 2, "temperature": 0.07, "learningRate": 3e-4, "weightDecay": 1e-4, "warmUp": 3}'

The folder holds encoder.safetensors and head.safetensors (weights in torchvision's names) and views.safetensors (`views`, NHWC).
The first line that this prints says what it is and the loss of its first step; then each line read,
{"layout": "contiguous" | "channels_last", "steps": n}, is answered by {"seconds", "loss", "cpuSeconds"}. The end of the input ends it.
Where PyTorch cannot be used, the only line is {"missing": REASON}.
"""

import json
import os
import sys
import time

configuration = json.loads(sys.argv[1])
os.environ["OMP_NUM_THREADS"] = str(configuration["threads"])

from simclr import answer, nt_xent, make_model, read_safetensors  # says why where PyTorch is missing
import torch


def make_step(layout, weights, views):
    """Returns a function that does one step and gives the loss as a tensor, and the model's parameter count."""
    memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = make_model(*weights).to(memory_format=memory_format)
    x = views.permute(0, 3, 1, 2).contiguous(memory_format=memory_format)
    optimizer = torch.optim.Adam(model.parameters(), configuration["learningRate"], weight_decay=configuration["weightDecay"])

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = nt_xent(model(x), configuration["temperature"])
        loss.backward()
        optimizer.step()
        return loss

    return step, sum(p.numel() for p in model.parameters())


def main():
    torch.set_num_threads(configuration["threads"])
    encoder, head, views = (read_safetensors(os.path.join(configuration["folder"], f"{name}.safetensors")) for name in ("encoder", "head", "views"))
    steps, first = {}, {}
    for layout in ("contiguous", "channels_last"):
        steps[layout], parameters = make_step(layout, (encoder, head), views["views"])
        first[layout] = steps[layout]().item()
        for _ in range(configuration["warmUp"] - 1):
            steps[layout]().item()
    answer(version=torch.__version__, threads=torch.get_num_threads(), parameters=parameters, firstLoss=first, cpuSeconds=time.process_time())

    for line in sys.stdin:
        request = json.loads(line)
        step = steps[request["layout"]]
        start = time.perf_counter()
        for _ in range(request["steps"]):
            loss = step().item()
        answer(seconds=time.perf_counter() - start, loss=loss, cpuSeconds=time.process_time())


main()
