"""Reads and writes safetensors files for the benchmarks: {name: array}, and their metadata."""

import json
import struct

DTYPES = {"F32": "<f4", "F64": "<f8"}


def load(path):
    import numpy
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        numbers = file.read()
    metadata = header.pop("__metadata__", {})
    return {name: numpy.frombuffer(numbers[slice(*entry["data_offsets"])],
                                   DTYPES[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items()}, metadata


def save(path, arrays, metadata):
    """Writes arrays of float32."""
    header, numbers = {"__metadata__": metadata}, b""
    for name, array in arrays.items():
        data = array.astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(array.shape),
                        "data_offsets": [len(numbers), len(numbers) + len(data)]}
        numbers += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + numbers)
