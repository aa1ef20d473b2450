# The compiler flags of all targets in this tree are those of the interface target attune_flags,
# which is linked privately and not installed. Users get attune_loop_options only.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)

get_property(is_multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
if(PROJECT_IS_TOP_LEVEL AND NOT is_multi_config AND NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug or Release" FORCE)
endif()

add_library(attune_flags INTERFACE)
target_compile_features(attune_flags INTERFACE cxx_std_20)
target_include_directories(attune_flags INTERFACE "${PROJECT_SOURCE_DIR}")  # "examples/...", "bench/..."
target_compile_options(attune_flags INTERFACE -Wall -Wextra)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Some `omp simd` loops in templates cannot be vectorised for float64, where they call the C++
  # library. Clang would warn about them.
  target_compile_options(attune_flags INTERFACE -Wno-pass-failed)
endif()
target_link_libraries(attune_flags INTERFACE OpenMP::OpenMP_CXX)
if(NOT APPLE)  # programs contain, and map into memory, only the functions that they may call
  target_compile_options(attune_flags INTERFACE -ffunction-sections -fdata-sections)
  target_link_options(attune_flags INTERFACE -Wl,--gc-sections)
endif()

# With these options, the compiler vectorises the loops in headers, in users' programs too: it need
# not set errno or preserve floating-point exception flags, and it honours `omp simd`. They do not
# change results. -ffast-math and its other parts do, even with the number of threads, and are never
# used.
set(attune_loop_options -fno-math-errno -fno-trapping-math -fopenmp-simd)
set(attune_loop_bits 0)  # vector width for the loops in headers; see autograd/kernels/vector.h

if(ATTUNE_NATIVE)
  check_cxx_compiler_flag(-march=native ATTUNE_HAS_MARCH_NATIVE)
  if(ATTUNE_HAS_MARCH_NATIVE)
    target_compile_options(attune_flags INTERFACE -march=native)
    # For AMD's processors GCC multiplies and adds separately in some loops and fuses the two in
    # others, so that a row of a product would have other bits alone than among other rows.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      check_cxx_compiler_flag(--param=avoid-fma-max-bits=0 ATTUNE_HAS_AVOID_FMA)
      if(ATTUNE_HAS_AVOID_FMA)
        target_compile_options(attune_flags INTERFACE --param=avoid-fma-max-bits=0)
      endif()
    endif()
    # By default GCC uses 256-bit vectors even if the processor has 512-bit ones.
    set(CMAKE_REQUIRED_FLAGS "-march=native -mprefer-vector-width=512")
    check_cxx_source_compiles("
      #if !defined(__AVX512DQ__) || !defined(__AVX512BW__) || !defined(__AVX512VL__)
      #error no AVX-512
      #endif
      int main() {}" ATTUNE_HAS_AVX512)
    unset(CMAKE_REQUIRED_FLAGS)
    set(CMAKE_REQUIRED_FLAGS -march=native)
    check_cxx_source_compiles("
      #if !defined(__AVX2__) || !defined(__FMA__)
      #error no AVX2 with FMA
      #endif
      int main() {}" ATTUNE_HAS_AVX2)
    unset(CMAKE_REQUIRED_FLAGS)
    if(ATTUNE_HAS_AVX2)
      set(attune_loop_bits 256)
    endif()
    if(ATTUNE_HAS_AVX512)
      set(attune_loop_bits 512)
      target_compile_options(attune_flags INTERFACE -mprefer-vector-width=512)
    endif()
  endif()
endif()

if(ATTUNE_SANITIZE)
  set(sanitizer_flags -fsanitize=${ATTUNE_SANITIZE} -fno-sanitize-recover=all)
  target_compile_options(attune_flags INTERFACE ${sanitizer_flags} -fno-omit-frame-pointer)
  target_link_options(attune_flags INTERFACE ${sanitizer_flags})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # GCC defines these macros itself. They disable the memory pool under AddressSanitizer, and
    # tests that the memory or threads of a sanitizer would make fail.
    foreach(sanitizer address thread)
      if(ATTUNE_SANITIZE MATCHES "${sanitizer}")
        string(TOUPPER ${sanitizer} name)
        target_compile_definitions(attune_flags INTERFACE __SANITIZE_${name}__=1)
      endif()
    endforeach()
  endif()
endif()
