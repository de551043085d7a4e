"""Makes the files beside this one with safetensors 0.8.0 and PyTorch 2.13: python make.py

Byte k of a tensor is (7 k + 3) mod 256, of a bool its lowest bit. Names and shapes stand once more in GoldenTest.java.
"""

import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent

DTYPES = {
    "bool": torch.bool,
    "f4": torch.float4_e2m1fn_x2,
    "u8": torch.uint8,
    "i8": torch.int8,
    "f8_e5m2": torch.float8_e5m2,
    "f8_e4m3": torch.float8_e4m3fn,
    "f8_e8m0": torch.float8_e8m0fnu,
    "f8_e4m3fnuz": torch.float8_e4m3fnuz,
    "f8_e5m2fnuz": torch.float8_e5m2fnuz,
    "i16": torch.int16,
    "u16": torch.uint16,
    "f16": torch.float16,
    "bf16": torch.bfloat16,
    "i32": torch.int32,
    "u32": torch.uint32,
    "f32": torch.float32,
    "c64": torch.complex64,
    "f64": torch.float64,
    "i64": torch.int64,
    "u64": torch.uint64,
}

NAMES = (
    ["", " ", "a", "A", "a.b", "a/b", '"', "\\", "'", "\x7f", "\x80", "é", "e\u0301", "\u2028", "\u65e5\u672c"]
    + [chr(c) for c in range(32)]
    + ["\ud7ff", "\ue000", "\ufeff", "\uffff", "\U00010000", "\U0001f600", "\U0010ffff", "\U0001f600\ue000", "x" * 300]
)


def tensor(dtype, *shape):
    count = torch.Size(shape).numel() * dtype.itemsize
    data = (7 * torch.arange(count) + 3).to(torch.uint8)
    if dtype == torch.bool:
        data &= 1
    return data.view(dtype).reshape(shape)


def save(name, tensors, metadata=None):
    save_file(tensors, FOLDER / (name + ".safetensors"), metadata)


save("empty", {})
save("dtypes", {name: tensor(dtype, 3, 2) for name, dtype in DTYPES.items()})
save(
    "shapes",
    {
        "scalar": tensor(torch.float32),
        "one": tensor(torch.float32, 1),
        "none": tensor(torch.float32, 0),
        "none of many": tensor(torch.int64, 2, 0, 3),
        "ones": tensor(torch.uint8, *[1] * 12),
        "three": tensor(torch.int16, 2, 3, 4),
        "odd": tensor(torch.uint8, 7),
    },
)
save("names", {name: tensor(torch.uint8 if i % 3 else torch.int16, 1) for i, name in enumerate(NAMES)})
save("metadata", {"weight": tensor(torch.float64, 2)}, {'key "\t/\x1f\x7f': "value \\ \n\U0001f600"})
