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

os.environ.setdefault("OMP_NUM_THREADS", str(max(1, os.cpu_count() or 1)))
from simclr import answer
import torch

try:
    from PIL import Image
    from torchvision import transforms as T
except ImportError as error:
    answer(missing=f"{sys.executable}: {error}")
    sys.exit(0)
from whole_step import Step, arithmetics, read_safetensors, serve

configuration = json.loads(sys.argv[1])


class TwoViews(torch.utils.data.Dataset):
    """Images of the memory; each item is two views of one."""

    def __init__(self, images, size):
        self.images = [Image.fromarray(image) for image in images.numpy()]
        kernel = max(3, int(0.1 * size) | 1)
        self.chain = T.Compose([
            T.RandomResizedCrop(size),
            T.RandomHorizontalFlip(),
            T.RandomSolarize(threshold=128, p=0.2),
            T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
            T.RandomGrayscale(p=0.2),
            T.GaussianBlur(kernel, sigma=(0.1, 2.0)),
            T.ToTensor(),
        ])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return self.chain(image), self.chain(image)


def endless(loader):
    while True:
        yield from loader


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = read_safetensors(os.path.join(configuration["folder"], "images.safetensors"))["images"]
    workers = configuration["workers"]
    loader = torch.utils.data.DataLoader(
        TwoViews(images, configuration["imageSize"]), batch_size=configuration["batchSize"], shuffle=True, drop_last=True,
        num_workers=workers, pin_memory=device == "cuda", persistent_workers=workers > 0,
    )
    batches = endless(loader)
    torch.backends.cudnn.benchmark = True

    def runner(step):
        def run(steps):
            for _ in range(steps):
                first, second = next(batches)
                views = torch.cat([first, second]).to(device, non_blocking=True)
                loss = step.loss(views)
                step.update(loss)
            return loss

        return run

    kinds = {}
    for kind in arithmetics(configuration, device)[:1]:  # the paper's: PyTorch's defaults, or float16
        step = Step(configuration, kind, device)
        kinds[kind] = (step, runner(step))
    serve("the paper's stack", configuration, device, kinds, {"workers": workers})


main()
