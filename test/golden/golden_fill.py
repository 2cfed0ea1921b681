"""Numbers of golden sets that any language recomputes, and tables that stand for large tensors: what the scripts that make fixtures share."""

import hashlib
import math

import numpy as np
import torch

from golden_files import entry, one_digit_up, single

SALT = "tfjs-ssl-fixtures"


def largest(t):
    return float(np.abs(np.asarray(t.detach() if torch.is_tensor(t) else t, dtype=np.float64)).max(initial=0))


def measured(group, name, exact, float32, floor=1e-6, tiny=0.0, store=None):
    """The float64 array with the tolerance that the float32 run suggests."""
    error = largest(exact - float32.double())
    kept = exact.contiguous() if store is None else exact.contiguous().to(store)
    return entry(group.put(name, kept), atol=one_digit_up(max(10 * error, floor * largest(exact), tiny)), torch_f32_max_abs_err=error)


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = (h ^ byte) * 0x01000193 % 2 ** 32
    return h


def fill_bits(salt, key, count):
    """24 random bits per element: a hash of the key, stepped by the golden ratio and mixed as in MurmurHash3."""
    with np.errstate(over="ignore"):
        x = np.uint32(fnv1a(f"{salt}:{key}")) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1)
        for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
            x = (x ^ x >> np.uint32(shift)) * np.uint32(factor)
    return (x ^ x >> np.uint32(16)) >> np.uint32(8)


def fill_unit(salt, key, count):
    return single(fill_bits(salt, key, count) * 2.0 ** -23 - 1.0)


FILL = {
    "purpose": "weights that any language recomputes exactly instead of reading them",
    "hash": "s = FNV-1a, 32 bits, of the UTF-8 bytes of salt + ':' + key",
    "bits": "element i of the flattened torch shape (OIHW, [out,in]): x = s + i*0x9E3779B1; x ^= x>>>16; x *= 0x85EBCA6B; x ^= x>>>13; "
            "x *= 0xC2B2AE35; x ^= x>>>16; b = x>>>8, all modulo 2^32",
    "unit": "u = b*2^-23 - 1, in [-1, 1), exact in float32",
    "conv weight (4-D)": "fround(u * fround(sqrt(6/fan_in))), fan_in = I*KH*KW",
    "linear weight (2-D)": "fround(u * fround(sqrt(1/fan_in))), fan_in = in",
    "linear bias": "as the weight of its layer",
    "batch-norm, variant 'perturbed'": "weight fround(1+0.25u), bias and running_mean fround(0.125u), running_var fround(1+0.5u)",
    "batch-norm, variant 'standard'": "weight 1, bias 0, running_mean 0, running_var 1",
    "num_batches_tracked": "0",
}


def fill_value(salt, key, shape, variant, fan_in=None):
    u, leaf = fill_unit(salt, key, int(np.prod(shape))), key.rsplit(".", 1)[1]
    if len(shape) > 1 or fan_in:
        bound = math.sqrt((6 if len(shape) == 4 else 1) / (fan_in or np.prod(shape[1:])))
        return (u * np.float32(bound)).reshape(shape)
    centre, spread = {"weight": (1, 0.25), "bias": (0, 0.125), "running_mean": (0, 0.125), "running_var": (1, 0.5)}[leaf]
    return single(centre) + single(0 if variant == "standard" else spread) * u


def fill_vector(key, shape, variant, fan_in=None):
    value = fill_value(SALT, key, shape, variant, fan_in)
    first = value.reshape(-1)[:8]
    return {"salt": SALT, "key": key, "shape": list(shape), "bn_variant": variant, "hash": fnv1a(f"{SALT}:{key}"),
            "bits24_first8": fill_bits(SALT, key, 8).tolist(), "unit_first4": fill_unit(SALT, key, 4).tolist(),
            "value_first8": first.tolist(), "value_first8_hex": [f"{b:08x}" for b in first.view(np.uint32)],
            "sum_f64": float(value.sum(dtype=np.float64)), "sha256_of_f32_le": hashlib.sha256(value.tobytes()).hexdigest()}


DIGEST = ("row = l2_norm, sum, projection, max_abs, v[0], ..., v[7]; projection = sum_i v_i*u_i with u = unit fill of salt 'digest' "
          "and the tensor's name. With T the row's tolerance and n the element count: norm, max_abs and v[i] within T*norm, sum and "
          "projection within T*norm*sqrt(n). T = max(10*rel_err_f32, 1e-4), rel_err_f32 = |f32-f64|/|f64| (L2).")


def digests(group, name, exact, float32, least=0.0):
    """One row per tensor instead of the tensor: enough to notice any wrong, permuted or transposed value. No tolerance is below `least`."""
    table, rows = [], []
    for key, t in exact.items():
        v = t.detach().double().reshape(-1).numpy()
        norm = np.linalg.norm(v)
        error = np.linalg.norm(float32[key].detach().double().reshape(-1).numpy() - v) / max(norm, 1e-300)
        table.append([norm, v.sum(), v @ fill_unit("digest", key, v.size), np.abs(v).max(), *np.resize(v[:8], 8)])
        rows.append({"name": key, "shape": list(t.shape), "rel_err_f32": float(f"{error:.3g}"), "T": one_digit_up(max(10 * error, 1e-4, least / max(norm, 1e-300)))})
    return {"tensor": group.put(name, np.array(table)), "rows": rows, "rule": "digest"}
