# Compiler flags of everything that is built in this tree. Users of the installed library see none
# of them: the interface target attune_flags is linked privately, and only while building.
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

# These two free the compiler to use vector instructions and change no result. -ffast-math and its
# other parts do change results, with the number of threads too, and are never used.
target_compile_options(attune_flags INTERFACE -fno-math-errno -fno-trapping-math)

if(ATTUNE_NATIVE)
  check_cxx_compiler_flag(-march=native ATTUNE_HAS_MARCH_NATIVE)
  if(ATTUNE_HAS_MARCH_NATIVE)
    target_compile_options(attune_flags INTERFACE -march=native)
    # GCC stays at 256 bits by itself even where the processor has 512.
    set(CMAKE_REQUIRED_FLAGS "-march=native -mprefer-vector-width=512")
    check_cxx_source_compiles("
      #ifndef __AVX512F__
      #error no AVX-512
      #endif
      int main() {}" ATTUNE_HAS_AVX512)
    unset(CMAKE_REQUIRED_FLAGS)
    if(ATTUNE_HAS_AVX512)
      target_compile_options(attune_flags INTERFACE -mprefer-vector-width=512)
    endif()
  endif()
endif()

if(ATTUNE_SANITIZE)
  set(sanitizer_flags -fsanitize=${ATTUNE_SANITIZE} -fno-sanitize-recover=all)
  target_compile_options(attune_flags INTERFACE ${sanitizer_flags} -fno-omit-frame-pointer)
  target_link_options(attune_flags INTERFACE ${sanitizer_flags})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND ATTUNE_SANITIZE MATCHES "address")
    # GCC defines it by itself. The pool of memory stands aside where it is defined.
    target_compile_definitions(attune_flags INTERFACE __SANITIZE_ADDRESS__=1)
  endif()
endif()
