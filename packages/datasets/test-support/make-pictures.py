#!/usr/bin/env python3
"""Makes pictures.json: small JPEG and PNG files of many kinds, whole and damaged, and what Pillow makes of each.

make-pictures.py (needs numpy and Pillow 13). An entry has the file in base64 and, where Pillow reads it, width, height and
the SHA-256 of `Image.open(file).convert('RGB')`.
"""
import base64, hashlib, io, json, os, struct, warnings, zlib

import numpy as np
from PIL import Image

warnings.simplefilter("ignore")
files = {}


def pattern(width, height, channels, levels=256):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 5 + y * 3 + k * 37 + (x * y) // 7 for k in range(channels)], -1) % levels


# JPEG: modes, sampling, scans, restarts


def jpeg(image, **options):
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def adobe(data, transform):
    """The file with another colour transform in Adobe's segment, or without one."""
    at = data.find(b"\xff\xee\x00\x0eAdobe")
    if at >= 0:
        data = data[:at] + data[at + 16 :]
    if transform is None:
        return data
    return data[:2] + b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform]) + data[2:]


def resampled(data, width, height, sampling):
    """The same blocks under another size and sampling of the first component: what encoders seldom write."""
    at = next(data.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in data)
    out = bytearray(data)
    out[at + 5 : at + 9] = struct.pack(">HH", height, width)
    out[at + 11] = sampling
    return bytes(out)


size = (35, 27)
pictures = {
    "rgb": Image.fromarray(pattern(*size, 3).astype(np.uint8)),
    "gray": Image.fromarray(pattern(*size, 1)[..., 0].astype(np.uint8)),
    "cmyk": Image.fromarray(pattern(*size, 4).astype(np.uint8), "CMYK"),
}
kinds = {
    "444": dict(quality=95, subsampling=0),
    "422": dict(quality=60, subsampling=1),
    "420": dict(quality=40, subsampling=2),
    "progressive": dict(progressive=True, subsampling=0),
    "progressive-420": dict(progressive=True, subsampling=2),
    "restarts": dict(restart_marker_blocks=3),
}
for mode, picture in pictures.items():
    for kind, options in kinds.items():
        files[f"jpeg/{mode}-{kind}"] = jpeg(picture, **options)
for kind in kinds:
    data = files[f"jpeg/cmyk-{kind}"]
    files[f"jpeg/cmyk-{kind}-no-adobe"] = adobe(data, None)
    files[f"jpeg/ycck-{kind}"] = adobe(data, 2)
files["jpeg/ycck-unknown-transform"] = adobe(files["jpeg/cmyk-444"], 5)
files["jpeg/rgb-unknown-transform"] = adobe(files["jpeg/rgb-444"], 5)
files["jpeg/rgb-not-transformed"] = adobe(files["jpeg/rgb-444"], 0)
wide = Image.fromarray(pattern(64, 32, 4).astype(np.uint8), "CMYK")
for kind in ("", "-progressive"):
    halved = jpeg(wide, quality=70, subsampling=1, progressive=kind != "")
    files[f"jpeg/ycck-440{kind}"] = resampled(adobe(halved, 2), 32, 64, 0x12)
    quartered = jpeg(wide, quality=70, subsampling=2, progressive=kind != "")
    files[f"jpeg/ycck-411{kind}"] = resampled(adobe(quartered, 2), 128, 16, 0x41)
files["jpeg/cmyk-narrow-420"] = jpeg(Image.fromarray(pattern(3, 21, 4).astype(np.uint8), "CMYK"), subsampling=2)

# JPEG: faults that do no harm, and damage


def harmed(data):
    half = len(data) * 2 // 3
    version = bytearray(data)
    if data[6:10] == b"JFIF":
        version[11] = 5
    version = bytes(version)
    yield "no-end", data[:-2]
    yield "cut", data[:half]
    yield "cut-with-end", data[:half] + b"\xff\xd9"
    yield "version", version
    yield "version-cut", version[:half]
    yield "version-cut-with-end", version[:half] + b"\xff\xd9"
    yield "stray-before-end", data[:-2] + b"abc" + data[-2:]
    yield "many-stray-before-end", data[:-2] + bytes(range(1, 251)) * 2 + data[-2:]
    yield "version-stray-before-end", version[:-2] + b"abc" + data[-2:]
    first = 4 + data[5]
    yield "stray-between-segments", data[:first] + b"xyz" + data[first:]
    yield "stray-between-segments-cut-with-end", data[:first] + b"xyz" + data[first:half] + b"\xff\xd9"
    yield "bytes-after-end", data + b"more" * 30


for mode in ("rgb-444", "rgb-progressive", "cmyk-444", "cmyk-progressive"):
    for fault, data in harmed(files[f"jpeg/{mode}"]):
        files[f"jpeg/{mode}-{fault}"] = data
scan = bytearray(files["jpeg/rgb-444"])
at = scan.index(b"\xff\xda")
scan[at + 11 : at + 14] = b"\x01\x05\x00"
files["jpeg/rgb-444-scan-parameters"] = bytes(scan)
files["jpeg/rgb-444-scan-parameters-cut-with-end"] = bytes(scan[: len(scan) * 2 // 3]) + b"\xff\xd9"

# JPEG: bytes between parts, and data of which a reader has lost track


def at_marker(data, code, number=0):
    at = -1
    for _ in range(number + 1):
        at = data.index(bytes((255, code)), at + 1)
    return at


def inserted(data, at, junk=b"xyz"):
    return data[:at] + junk + data[at:]


def written(data, at, values):
    return data[:at] + bytes(values) + data[at + len(values) :]


for mode in ("rgb", "cmyk"):
    for kind in ("444", "restarts", "progressive"):
        data = files[f"jpeg/{mode}-{kind}"]
        codes = dict(tables=0xDB, frame=0xC2 if kind == "progressive" else 0xC0, huffman=0xC4, restarts=0xDD, scan=0xDA)
        for name, code in codes.items():
            if bytes((255, code)) in data:
                files[f"jpeg/{mode}-{kind}-stray-before-{name}"] = inserted(data, at_marker(data, code))
        behind = at_marker(data, 0xC4, 3) if kind == "progressive" else len(data) - 2
        for length in (3, 300):
            files[f"jpeg/{mode}-{kind}-{length}-stray-behind-scan"] = inserted(data, behind, bytes(1 + i % 200 for i in range(length)))
        files[f"jpeg/{mode}-{kind}-stray-marker"] = inserted(data, at_marker(data, 0xDB), b"\xff\x00\xf0\xf0")
for name in ("rgb-444", "cmyk-444", "gray-444"):
    data = files[f"jpeg/{name}"]
    scan = at_marker(data, 0xDA) + 2 + data[at_marker(data, 0xDA) + 3]
    files[f"jpeg/{name}-bytes-lost-stray-before-end"] = data[: scan + 90] + data[scan + 97 :]
    files[f"jpeg/{name}-bytes-doubled"] = data[: scan + 90] + data[scan + 60 :]
    files[f"jpeg/{name}-short-picture"] = written(data, at_marker(data, 0xC0) + 5, struct.pack(">H", 8))
for name in ("rgb-progressive", "cmyk-progressive", "gray-progressive"):
    data = files[f"jpeg/{name}"]
    files[f"jpeg/{name}-last-scans-lost"] = data[: data.rindex(b"\xff\xc4")] + b"\xff\xd9"
files["jpeg/cmyk-444-bright-beyond-measure"] = written(files["jpeg/cmyk-444"], at_marker(files["jpeg/cmyk-444"], 0xDB) + 5, [255])
files["jpeg/ycck-444-adobe-lost"] = written(files["jpeg/ycck-444"], 3, [0])
files["jpeg/rgb-not-transformed-stray"] = inserted(files["jpeg/rgb-not-transformed"], at_marker(files["jpeg/rgb-not-transformed"], 0xC4))
for name in ("cmyk-444", "cmyk-progressive"):
    data = files[f"jpeg/{name}"]
    at = at_marker(data, 0xC4)
    files[f"jpeg/{name}-full-huffman-table"] = written(data, at + 5, [2] + list(data[at + 6 : at + 21]))
    at = at_marker(data, 0xC2 if name.endswith("e") else 0xC0)
    files[f"jpeg/{name}-two-frames"] = inserted(data, at, data[at : at + 2 + 20])
files["jpeg/too-short-for-its-size"] = resampled(files["jpeg/rgb-444"], 2000, 2000, 0x11)
files["jpeg/too-short-for-its-size-cmyk"] = resampled(files["jpeg/cmyk-444"], 2000, 2000, 0x11)
for kind in (dict(), dict(progressive=True)):
    flat = jpeg(Image.new("RGB", (640, 640), (9, 99, 199)), optimize=True, quality=30, **kind)
    files[f"jpeg/flat{'-progressive' if kind else ''}"] = flat
for number, quality in enumerate((1, 4)):
    noise = (np.random.default_rng(number).integers(0, 2, (27, 35, 4)) * 255).astype(np.uint8)
    for mode, shown in (("rgb", noise[..., :3]), ("cmyk", noise)):
        files[f"jpeg/{mode}-noise-of-quality-{quality}"] = jpeg(Image.fromarray(shown, mode.upper()), quality=quality, subsampling=0)

# PNG: every colour type and depth, interlaced too

signature = b"\x89PNG\r\n\x1a\n"
passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
palette = bytes((i * 7 + k * 50) % 256 for i in range(256) for k in range(3))


def chunk(kind, data, checksum=None):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) if checksum is None else checksum)


def packed(values, depth):
    if depth >= 8:
        return b"".join(value.to_bytes(depth // 8, "big") for value in values)
    bits = "".join(format(value, f"0{depth}b") for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, step):
    """Rows with filters 0 to 4 in turns."""
    out, above = b"", bytes(len(rows[0]))
    for number, row in enumerate(rows):
        line = bytearray(row)
        for i in range(len(row)):
            a, b, c = (row[i - step] if i >= step else 0), above[i], (above[i - step] if i >= step else 0)
            nearest = min((a, b, c), key=lambda value: (abs(value - (a + b - c))))
            line[i] = (row[i] - (0, a, b, (a + b) // 2, nearest)[number % 5]) & 255
        out, above = out + bytes([number % 5]) + bytes(line), row
    return out


def png(width, height, colour, depth, interlaced=0, values=None, colours=None, more=b"", parts=1, checksums={}, change=lambda rows: rows, adler=None):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    if values is None:
        values = pattern(width, height, channels, 2 ** min(depth, 8)) * (257 if depth == 16 else 1)
        values = (values * 31) % 65536 if depth == 16 else values
    colours = palette[: 3 * 2**depth] if colour == 3 and colours is None else colours
    raw = b""
    for x, y, dx, dy in passes if interlaced else [(0, 0, 1, 1)]:
        part = values[y::dy, x::dx]
        if part.size:
            raw += filtered([packed([int(v) for v in row.reshape(-1)], depth) for row in part], max(1, channels * depth // 8))
    data = zlib.compress(change(raw), 9)
    data = data if adler is None else data[:-4] + adler
    piece = -(-len(data) // parts)
    out = signature + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced), checksums.get("IHDR"))
    out += (chunk(b"PLTE", colours) if colours else b"") + more
    for start in range(0, len(data), piece):
        out += chunk(b"IDAT", data[start : start + piece], checksums.get("IDAT"))
    return out + chunk(b"IEND", b"")


for colour, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
    for depth in depths:
        files[f"png/colour-{colour}-depth-{depth}"] = png(19, 13, colour, depth)
        for width, height in ((19, 13), (1, 1), (3, 5), (5, 1)):
            files[f"png/colour-{colour}-depth-{depth}-interlaced-{width}x{height}"] = png(width, height, colour, depth, 1)
files["png/gray-16-small-values"] = png(9, 9, 0, 16, values=pattern(9, 9, 1, 256))
files["png/gray-16-0x1234"] = png(9, 9, 0, 16, values=np.full((9, 9, 1), 0x1234))
files["png/in-parts"] = png(19, 13, 2, 8, parts=5)
files["png/short-palette"] = png(9, 9, 3, 8, values=pattern(9, 9, 1, 3), colours=palette[:9])
files["png/index-beyond-palette"] = png(9, 9, 3, 8, values=pattern(9, 9, 1, 7), colours=palette[:9])
for name, colour, data in (("palette", 3, bytes(range(200))), ("gray", 0, b"\0\5"), ("rgb", 2, b"\0\5\0\5\0\5")):
    files[f"png/transparent-{name}"] = png(9, 9, colour, 8, more=chunk(b"tRNS", data))
files["png/other-chunks"] = png(9, 9, 2, 8, more=chunk(b"tEXt", b"a\0b") + chunk(b"prIv", b"zz"))

# PNG: damage

good = png(19, 13, 2, 8)
files["png/no-end"] = good[:-12]
files["png/bytes-after-end"] = good + b"more" * 9
files["png/cut"] = good[: len(good) // 2]
files["png/cut-checksum"] = good[:-18]
files["png/header-checksum"] = png(19, 13, 2, 8, checksums={"IHDR": 5})
files["png/text-checksum"] = png(19, 13, 2, 8, more=chunk(b"tEXt", b"a\0b", 7))
files["png/data-chunk-checksum"] = png(19, 13, 2, 8, checksums={"IDAT": 5})
files["png/stream-checksum"] = png(19, 13, 2, 8, adler=b"abcd")
files["png/stream-cut"] = png(19, 13, 2, 8, change=lambda rows: rows[:-100])
files["png/stream-longer"] = png(19, 13, 2, 8, change=lambda rows: rows + bytes(500))
files["png/unknown-filter"] = png(19, 13, 2, 8, change=lambda rows: b"\x09" + rows[1:])
files["png/no-palette"] = png(9, 9, 3, 8, colours=b"")
files["png/no-data"] = signature + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)) + chunk(b"IEND", b"")
files["png/bad-depth"] = signature + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 3, 2, 0, 0, 0)) + good[33:]

for name in ("rgb-444", "cmyk-444"):
    data = files[f"jpeg/{name}"]
    files[f"jpeg/{name}-first-marker-lost"] = written(data, 2, [0xE8])
    files[f"jpeg/{name}-marker-before-tables"] = inserted(data, at_marker(data, 0xDB), b"\xff\x01")
for name in ("rgb-progressive", "cmyk-progressive"):
    data = files[f"jpeg/{name}"]
    at = at_marker(data, 0xDA)
    files[f"jpeg/{name}-scan-of-one-twice"] = written(data, at + 7, [data[at + 5]])
    files[f"jpeg/{name}-scan-refines-nothing"] = written(data, at + 1 + data[at + 3], [0x41])
    files[f"jpeg/{name}-scan-of-both-kinds"] = written(data, at + data[at + 3], [5])

# Pictures that no memory holds

huge = struct.pack(">IIBBBBB", 24000, 24000, 8, 2, 0, 0, 0)
files["png/huge"] = signature + chunk(b"IHDR", huge) + good[33:]
files["jpeg/huge"] = resampled(files["jpeg/rgb-444"], 24000, 24000, 0x11)


def entry(data):
    found = {"base64": base64.b64encode(data).decode()}
    try:
        pixels = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
        found |= {"width": pixels.shape[1], "height": pixels.shape[0], "sha256": hashlib.sha256(pixels.tobytes()).hexdigest()}
    except Exception:
        pass
    return found


lines = [f"  {json.dumps(name)}: {json.dumps(entry(data))}" for name, data in files.items()]
with open(os.path.join(os.path.dirname(__file__), "pictures.json"), "w") as out:
    out.write("{\n" + ",\n".join(lines) + "\n}\n")
print(f"{len(files)} files")
