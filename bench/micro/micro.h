#pragma once

/// Each source here registers one family of benchmarks; their names begin with the family's.
void register_ops();          ///< op/NAME/...: every row of the table of operations in tests/
void register_gemm();         ///< gemm/SHAPE/...: matrix products, beside OpenBLAS alone
void register_vector_math();  ///< math/FUNCTION/...: loops over numbers, beside the C library
