# The table of operations for the tests and the micro-benchmarks.
file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/op_cases*.cpp")
add_library(op_cases OBJECT ${sources})
target_link_libraries(op_cases PRIVATE attune::attune attune_flags)
target_compile_options(op_cases PRIVATE $<$<CONFIG:Release>:-O1>)
target_precompile_headers(op_cases REUSE_FROM attune)
