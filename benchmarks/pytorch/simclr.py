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


class SqueezeExcitation(nn.Module):
    def __init__(self, channels, squeezed):
        super().__init__()
        self.fc1 = nn.Conv2d(channels, squeezed, 1)
        self.fc2 = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x):
        return torch.sigmoid(self.fc2(F.silu(self.fc1(F.adaptive_avg_pool2d(x, 1))))) * x


def convolution_and_norm(inputs, outputs, kernel=1, stride=1, groups=1, silu=True):
    parts = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*parts, *([nn.SiLU(inplace=True)] if silu else []))


class InvertedBottleneck(nn.Module):
    """A block with the sizes of its weights."""

    def __init__(self, weights, prefix, stride):
        super().__init__()
        shape = lambda name: weights[f"{prefix}.block.{name}"].shape
        expands = f"{prefix}.block.3.0.weight" in weights
        depthwise, gate, project = (1, 2, 3) if expands else (0, 1, 2)
        channels, kernel = shape(f"{depthwise}.0.weight")[0], shape(f"{depthwise}.0.weight")[-1]
        inputs = shape("0.0.weight")[1] if expands else channels
        outputs = shape(f"{project}.0.weight")[0]
        self.block = nn.Sequential(
            *([convolution_and_norm(inputs, channels)] if expands else []),
            convolution_and_norm(channels, channels, kernel, stride, channels),
            SqueezeExcitation(channels, shape(f"{gate}.fc1.weight")[0]),
            convolution_and_norm(channels, outputs, silu=False),
        )
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.block(x) if self.residual else self.block(x)


class EfficientNet(nn.Module):
    """torchvision's efficientnet_b0 without its classifier and without stochastic depth: the same names and operations, any width and depth."""

    STRIDES = (1, 2, 2, 2, 1, 2, 1)

    def __init__(self, weights):
        super().__init__()
        stages = []
        for stage, stride in enumerate(self.STRIDES, 1):
            blocks = len({name.split(".")[2] for name in weights if name.startswith(f"features.{stage}.")})
            stages.append(nn.Sequential(*[InvertedBottleneck(weights, f"features.{stage}.{i}", 1 if i else stride) for i in range(blocks)]))
        last = weights["features.8.0.weight"].shape
        self.features = nn.Sequential(
            convolution_and_norm(3, weights["features.0.0.weight"].shape[0], 3, 2), *stages, convolution_and_norm(last[1], last[0])
        )

    def forward(self, x):
        return torch.flatten(F.adaptive_avg_pool2d(self.features(x), 1), 1)


def nt_xent(z, temperature):
    z = F.normalize(z, dim=1)
    logits = (z @ z.T / temperature).float().fill_diagonal_(float("-inf"))
    rows = len(z)
    return F.cross_entropy(logits, (torch.arange(rows, device=z.device) + rows // 2) % rows)


def make_model(encoder_weights, head_weights):
    """ResNet-18 or EfficientNet-B0, and a head of linear layers with rectifiers in between, on these weights."""
    is_resnet = "conv1.weight" in encoder_weights
    encoder = ResNet18(encoder_weights["conv1.weight"].shape[0]) if is_resnet else EfficientNet(encoder_weights)
    encoder.load_state_dict(encoder_weights)
    linears = [head_weights[key].shape for key in head_weights if key.endswith(".weight")]
    head = nn.Sequential(*[m for outputs, inputs in linears for m in (nn.Linear(inputs, outputs), nn.ReLU(inplace=True))][:-1])
    head.load_state_dict(head_weights)
    return nn.Sequential(encoder, head).train()
