# Compiler flags of everything that is built in this tree: the interface target attune_flags is
# linked privately, and only while building. Users get attune_loop_options alone.
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
  # Loops marked omp simd are templates: in float64 they call the C++ library and stay loops.
  target_compile_options(attune_flags INTERFACE -Wno-pass-failed)
endif()
target_link_libraries(attune_flags INTERFACE OpenMP::OpenMP_CXX)

# The loops in headers become SIMD code with these, in the programs of users too: they let the
# compiler leave errno and the flags of floating-point exceptions alone, and heed `omp simd`. They
# change no result. -ffast-math and its other parts do change results, with the number of threads
# too, and are never used.
set(attune_loop_options -fno-math-errno -fno-trapping-math -fopenmp-simd)
set(attune_loop_bits 0)  # the vectors that the loops in headers are compiled for; see kernels/vector.h

if(ATTUNE_NATIVE)
  check_cxx_compiler_flag(-march=native ATTUNE_HAS_MARCH_NATIVE)
  if(ATTUNE_HAS_MARCH_NATIVE)
    target_compile_options(attune_flags INTERFACE -march=native)
    # GCC stays at 256 bits by itself even where the processor has 512.
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
    # GCC defines these by itself. The pool of memory is not used under AddressSanitizer, and tests
    # that a sanitizer's own memory or threads would upset are left out.
    foreach(sanitizer address thread)
      if(ATTUNE_SANITIZE MATCHES "${sanitizer}")
        string(TOUPPER ${sanitizer} name)
        target_compile_definitions(attune_flags INTERFACE __SANITIZE_${name}__=1)
      endif()
    endforeach()
  endif()
endif()
