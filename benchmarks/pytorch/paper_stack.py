"""The paper's stack doing whole training steps: a DataLoader with all cores, torchvision's transforms on PIL images, autocast and GradScaler.

    python3 paper_stack.py '{"folder": ..., "batchSize": 256, "imageSize": 64, "precision": "mixed", "temperature": 0.07, "learningRate": 3e-4,
                             "weightDecay": 1e-4, "warmUp": 3, "workers": 16}'

The folder holds encoder.safetensors and head.safetensors (weights in torchvision's names), images.safetensors (`images`, uint8, NHWC) and
views.safetensors (`views`, NHWC, for the first loss). The images are PIL images from the start: nothing has to be decoded, to the rival's favour.
It speaks as whole_step.py says; where PyTorch or torchvision cannot be used, its only line is {"missing": REASON}.
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, os.cpu_count() or 1)))
from pil_views import TwoViews, loader_of  # says why where torchvision is missing
import torch

from whole_step import Step, arithmetics, read_safetensors, serve

configuration = json.loads(sys.argv[1])


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = read_safetensors(os.path.join(configuration["folder"], "images.safetensors"))["images"]
    workers = configuration["workers"]
    batches = iter(loader_of(TwoViews(images.numpy()), configuration["batchSize"], workers, device, endless=True))
    ahead = 2 * workers  # batches that the loader makes in advance
    torch.backends.cudnn.benchmark = True

    def make(arithmetic):
        step = Step(configuration, arithmetic, device)

        def run(steps):
            for _ in range(steps):
                first, second = next(batches)
                views = torch.cat([first, second]).to(device, non_blocking=True)
                loss = step.loss(views)
                step.update(loss)
            return loss

        return step, run

    arithmetic = arithmetics(configuration, device)[0]  # the paper's: PyTorch's defaults, or float16
    serve(
        "the paper's stack", configuration, device, {arithmetic: lambda: make(arithmetic)}, {"workers": workers},
        settle=lambda run: run(ahead),  # what was made while others were measured would come for nothing
        rest=lambda seconds: time.sleep(ahead * seconds),  # and what is made in advance must not disturb them
    )


main()
