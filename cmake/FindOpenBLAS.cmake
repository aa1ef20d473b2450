# Finds OpenBLAS and defines the target OpenBLAS::OpenBLAS.
#
# Search order:
#   1. ATTUNE_OPENBLAS, a library file given by the user (any build: OpenMP, pthread, serial)
#   2. the OpenMP build in the places where distributions install it, even if another build is the
#      system's default: Debian and Ubuntu (openblas-openmp/libopenblas), Fedora (libopenblaso),
#      Homebrew
#   3. the system's default OpenBLAS
#
# Every BLAS call runs on one thread, so results are correct with any build, and bit-identical for
# any number of threads.
find_package(OpenMP QUIET COMPONENTS CXX)
find_package(Threads QUIET)

set(ATTUNE_OPENBLAS "${ATTUNE_OPENBLAS}" CACHE FILEPATH "OpenBLAS library file to link")
if(ATTUNE_OPENBLAS AND NOT EXISTS "${ATTUNE_OPENBLAS}")
  message(FATAL_ERROR "ATTUNE_OPENBLAS names a file that does not exist: ${ATTUNE_OPENBLAS}")
endif()
if(NOT ATTUNE_OPENBLAS)
  unset(ATTUNE_OPENBLAS CACHE)
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(PC_OPENBLAS QUIET openblas)
  endif()
  set(homebrew /opt/homebrew/opt/openblas /usr/local/opt/openblas)
  set(debian /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp)
  find_library(ATTUNE_OPENBLAS NAMES openblas PATHS ${debian} NO_DEFAULT_PATH)
  find_library(ATTUNE_OPENBLAS NAMES openblaso)
  find_library(ATTUNE_OPENBLAS NAMES openblas PATHS ${homebrew} PATH_SUFFIXES lib
               NO_DEFAULT_PATH)
  find_library(ATTUNE_OPENBLAS NAMES openblas HINTS ${PC_OPENBLAS_LIBRARY_DIRS})
endif()

# Find the headers of the same build: those of .../lib/<arch>/openblas-openmp are in
# .../include/<arch>/openblas-openmp. Of all BLAS libraries, only OpenBLAS has openblas_config.h.
if(ATTUNE_OPENBLAS)
  cmake_path(GET ATTUNE_OPENBLAS PARENT_PATH library_folder)
  string(REGEX REPLACE "/lib(64)?(/|$)" "/include\\2" include_folder "${library_folder}")
endif()
find_path(ATTUNE_OPENBLAS_INCLUDE_DIR openblas_config.h
          HINTS "${include_folder}" ${PC_OPENBLAS_INCLUDE_DIRS}
          PATHS ${homebrew}/include
          PATH_SUFFIXES openblas-openmp openblas-pthread openblas-serial openblas)
mark_as_advanced(ATTUNE_OPENBLAS_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLAS REQUIRED_VARS ATTUNE_OPENBLAS ATTUNE_OPENBLAS_INCLUDE_DIR)

if(OpenBLAS_FOUND AND NOT TARGET OpenBLAS::OpenBLAS)
  add_library(OpenBLAS::OpenBLAS UNKNOWN IMPORTED)
  set_target_properties(
    OpenBLAS::OpenBLAS
    PROPERTIES IMPORTED_LOCATION "${ATTUNE_OPENBLAS}"
               INTERFACE_INCLUDE_DIRECTORIES "${ATTUNE_OPENBLAS_INCLUDE_DIR}"
               INTERFACE_LINK_LIBRARIES "OpenMP::OpenMP_CXX;Threads::Threads;${CMAKE_DL_LIBS}")
endif()

# Check once per library that it links and runs, and get its description.
if(OpenBLAS_FOUND AND NOT CMAKE_CROSSCOMPILING
   AND NOT "${ATTUNE_OPENBLAS_CHECKED}" STREQUAL "${ATTUNE_OPENBLAS}")
  try_run(openblas_exit_code openblas_links
          SOURCE_FROM_CONTENT openblas.cpp "
            #include <cblas.h>
            #include <cstdio>
            int main() {
              const char* builds[] = {\"serial\", \"pthread\", \"OpenMP\"};
              std::printf(\"%s build, %s\", builds[openblas_get_parallel()], openblas_get_config());
            }"
          LINK_LIBRARIES OpenBLAS::OpenBLAS
          COMPILE_OUTPUT_VARIABLE openblas_link_output
          RUN_OUTPUT_VARIABLE openblas_description
          NO_CACHE)
  if(NOT openblas_links)
    message(FATAL_ERROR "OpenBLAS does not link: ${ATTUNE_OPENBLAS}\n"
                        "Name another library file with -DATTUNE_OPENBLAS=FILE.\n"
                        "${openblas_link_output}")
  elseif(NOT openblas_exit_code EQUAL 0)
    message(FATAL_ERROR "OpenBLAS does not run (${openblas_exit_code}): ${ATTUNE_OPENBLAS}\n"
                        "Name another library file with -DATTUNE_OPENBLAS=FILE.")
  endif()
  set(ATTUNE_OPENBLAS_CHECKED "${ATTUNE_OPENBLAS}" CACHE INTERNAL "")
  set(ATTUNE_OPENBLAS_DESCRIPTION "${openblas_description}" CACHE INTERNAL "")
endif()
if(OpenBLAS_FOUND)
  message(STATUS "Linking OpenBLAS: ${ATTUNE_OPENBLAS} (${ATTUNE_OPENBLAS_DESCRIPTION})")
endif()
