#pragma once

/// Each source in this folder registers one family of benchmarks, whose names begin with the
/// family's.
void register_ops();          ///< op/NAME/...: every row of the table of operations in tests/
void register_gemm();         ///< gemm/SHAPE/...: matrix products, against OpenBLAS
void register_vector_math();  ///< math/FUNCTION/...: vector math, against the C library
