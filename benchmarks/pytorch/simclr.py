"""What the PyTorch rivals share: the lines that they speak, weights from safetensors files, the model and the loss."""

import json
import sys


def answer(**fields):
    print(json.dumps(fields), flush=True)


try:
    import numpy as np
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    answer(missing=f"{sys.executable}: {error}")
    sys.exit(0)


def read_safetensors(path):
    with open(path, "rb") as file:
        raw = file.read()
    start = 8 + int.from_bytes(raw[:8], "little")
    types = {"F32": np.float32, "I64": np.int64, "U8": np.uint8}
    tensors = {}
    for name, entry in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            array = np.frombuffer(raw[start + begin:start + end], types[entry["dtype"]])
            tensors[name] = torch.from_numpy(array.reshape(entry["shape"]).copy())
    return tensors


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        y += shortcut
        return self.relu(y)


class ResNet18(nn.Module):
    """torchvision's resnet18 without its classifier: the same names and operations, any width."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = width
        for stage in range(4):
            outputs, stride = width * 2 ** stage, 1 if stage == 0 else 2
            setattr(self, f"layer{stage + 1}", nn.Sequential(BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)))
            inputs = outputs
        self.avgpool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return torch.flatten(self.avgpool(x), 1)


def nt_xent(z, temperature):
    z = F.normalize(z, dim=1)
    logits = (z @ z.T / temperature).float().fill_diagonal_(float("-inf"))
    rows = len(z)
    return F.cross_entropy(logits, (torch.arange(rows, device=z.device) + rows // 2) % rows)


def make_model(encoder_weights, head_weights):
    """ResNet-18 and a head of linear layers with rectifiers in between, on these weights."""
    encoder = ResNet18(encoder_weights["conv1.weight"].shape[0])
    encoder.load_state_dict(encoder_weights)
    linears = [head_weights[key].shape for key in head_weights if key.endswith(".weight")]
    head = nn.Sequential(*[m for outputs, inputs in linears for m in (nn.Linear(inputs, outputs), nn.ReLU(inplace=True))][:-1])
    head.load_state_dict(head_weights)
    return nn.Sequential(encoder, head).train()
