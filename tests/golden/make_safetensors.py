#!/usr/bin/env python3
"""Writes python.safetensors beside this script, with Python's own safetensors library.

    python tests/golden/make_safetensors.py

Needs safetensors and numpy (the committed file was made with safetensors 0.8.0). Only the file is
needed to run the tests.
"""

import pathlib

import numpy
from safetensors.numpy import save_file

save_file(
    {
        "decoder.weight": numpy.array([[0.5, -1, 2], [3e-8, 4e8, -0.0]], dtype=numpy.float32),
        "scale": numpy.array(1 / 3, dtype=numpy.float64),
        "empty": numpy.zeros((0, 4), dtype=numpy.float32),
        "ключ \"1\"": numpy.array([1e300, -2.5], dtype=numpy.float64),
    },
    str(pathlib.Path(__file__).parent / "python.safetensors"),
    metadata={"format": "np", "note": "made by Python, for C++"},
)
