"""Two views of every image by torchvision's transforms on PIL images, as the paper's stack makes them."""

import sys

from simclr import answer
import torch

try:
    from PIL import Image
    from torchvision import transforms as T
except ImportError as error:
    answer(missing=f"{sys.executable}: {error}")
    sys.exit(0)


class TwoViews(torch.utils.data.Dataset):
    """Images of the memory, a uint8 array [N, H, W, 3]; each item is two views of one."""

    def __init__(self, images, crop_scale=(0.08, 1.0), solarize=0.2, jitter=1.0, blur=1.0):
        self.images = images
        size = images.shape[1]
        kernel = max(3, int(0.1 * size) | 1)
        blurring = T.GaussianBlur(kernel, sigma=(0.1, 2.0))
        self.chain = T.Compose([
            T.RandomResizedCrop(size, scale=tuple(crop_scale)),
            T.RandomHorizontalFlip(),
            T.RandomSolarize(threshold=128, p=solarize),
            T.RandomApply([T.ColorJitter(0.8 * jitter, 0.8 * jitter, 0.8 * jitter, 0.2 * jitter)], p=0.8),
            T.RandomGrayscale(p=0.2),
            blurring if blur == 1 else T.RandomApply([blurring], p=blur),
            T.ToTensor(),
        ])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = Image.fromarray(self.images[index])
        return self.chain(image), self.chain(image)


def loader_of(dataset, batch_size, workers, device, endless=False):
    """Whole batches in random order on worker processes: of one epoch or, `endless`, as if an epoch never ended."""
    order = torch.utils.data.RandomSampler(dataset, **(dict(replacement=True, num_samples=2**40) if endless else {}))
    return torch.utils.data.DataLoader(
        dataset, batch_size=batch_size, sampler=order, drop_last=True, num_workers=workers, pin_memory=device == "cuda",
        persistent_workers=workers > 0,
    )
