# The library: all sources in the folders below. `#include "attune/layers/linear.h"` works both in
# this tree and installed: in the build tree, include/attune/ contains links to these folders.
include(GNUInstallDirs)

set(attune_parts autograd layers optim data metrics models search alignment train report)

set(attune_include_folder "${PROJECT_BINARY_DIR}/include")
file(MAKE_DIRECTORY "${attune_include_folder}/attune")
foreach(name IN LISTS attune_parts ITEMS attune.h extend.h)
  file(CREATE_LINK "${PROJECT_SOURCE_DIR}/${name}" "${attune_include_folder}/attune/${name}" SYMBOLIC)
endforeach()

list(TRANSFORM attune_parts APPEND "/*.cpp" OUTPUT_VARIABLE patterns)
list(TRANSFORM patterns PREPEND "${PROJECT_SOURCE_DIR}/")
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns})
include(ReportPage)
attune_report_page("${PROJECT_BINARY_DIR}/report_page.cpp")
add_library(attune STATIC ${sources} "${PROJECT_BINARY_DIR}/report_page.cpp")
add_library(attune::attune ALIAS attune)

target_compile_features(attune PUBLIC cxx_std_20)
target_compile_options(attune PUBLIC ${attune_loop_options})
target_compile_definitions(attune PUBLIC ATTUNE_LOOP_BITS=${attune_loop_bits})
target_include_directories(attune PUBLIC $<BUILD_INTERFACE:${attune_include_folder}>
                                         $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(
  attune
  PUBLIC fmt::fmt
  PRIVATE OpenBLAS::OpenBLAS OpenMP::OpenMP_CXX SentencePiece::SentencePiece utf8proc::utf8proc
          ZLIB::ZLIB $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>
          $<BUILD_INTERFACE:attune_flags>)

# One source alone is compiled with cairo's flags, which the precompiled header must not have: others
# reuse it.
if(ATTUNE_HAS_CAIRO)
  target_link_libraries(attune PRIVATE $<LINK_ONLY:PkgConfig::PANGOCAIRO>)
  set_source_files_properties(
    "${PROJECT_SOURCE_DIR}/alignment/cairo_heat_map.cpp"
    PROPERTIES COMPILE_DEFINITIONS ATTUNE_CAIRO INCLUDE_DIRECTORIES "${PANGOCAIRO_INCLUDE_DIRS}")
endif()

# Precompile the headers that nearly all sources include. Sources must still include what they use,
# which .ci/run clang checks by building without precompiled headers.
target_precompile_headers(attune PRIVATE <algorithm> <cmath> <string_view>
                                         [["attune/autograd/tensor.h"]])

set_source_files_properties("${PROJECT_SOURCE_DIR}/autograd/version.cpp"
                            PROPERTIES COMPILE_DEFINITIONS ATTUNE_VERSION="${PROJECT_VERSION}")
