"""torchvision on PIL images making the views of `bench augment`, driven over stdin and stdout by one JSON object per line.

    python3 augment.py '{"images": 64, "imageSize": 64, "size": 64, "processes": 2, "kernelSize": 7}'

As a data loader does, worker processes share the images; each makes two views of every image of its part: the paper's chain, then ToTensor.
The first line that this prints says what it is; then each line read, {"views": n}, is answered by {"seconds", "cpuSeconds"}. The end of the
input ends it. Where torchvision cannot be used, the only line is {"missing": REASON}.
"""

import json
import multiprocessing
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
configuration = json.loads(sys.argv[1])


def answer(**fields):
    print(json.dumps(fields), flush=True)


try:
    import numpy as np
    import PIL
    import torch
    import torchvision
    from PIL import Image
    from torchvision import transforms as T
except ImportError as error:
    answer(missing=f"{sys.executable}: {error}")
    sys.exit(0)


def prepare():
    global images, chain
    torch.set_num_threads(1)
    torch.manual_seed(os.getpid())
    generator = np.random.default_rng(1)
    side = configuration["imageSize"]
    pixels = generator.integers(0, 256, (configuration["images"], side, side, 3), dtype=np.uint8)
    images = [Image.fromarray(image) for image in pixels]
    chain = T.Compose([
        T.RandomResizedCrop(configuration["size"]),
        T.RandomHorizontalFlip(),
        T.RandomSolarize(threshold=128, p=0.2),
        T.RandomApply([T.ColorJitter(0.8, 0.8, 0.8, 0.2)], p=0.8),
        T.RandomGrayscale(p=0.2),
        T.GaussianBlur(configuration["kernelSize"], sigma=(0.1, 2.0)),
        T.ToTensor(),
    ])


def make_views(part):
    """Two views of every image of a part; returns the processor time that they took."""
    start = time.process_time()
    for view in part:
        chain(images[view % len(images)])
    return time.process_time() - start


def main():
    processes = configuration["processes"]
    with multiprocessing.get_context("fork").Pool(processes, prepare) as pool:
        pool.map(make_views, [range(8)] * processes, chunksize=1)
        answer(version=f"torchvision {torchvision.__version__} on PIL {PIL.__version__}", processes=processes)
        used = 0.0
        for line in sys.stdin:
            views = json.loads(line)["views"]
            parts = [range(first, min(first + 32, views)) for first in range(0, views, 32)]
            start = time.perf_counter()
            used += sum(pool.map(make_views, parts, chunksize=1))
            answer(seconds=time.perf_counter() - start, cpuSeconds=used + time.process_time())


main()
