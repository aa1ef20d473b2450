# Finds cairo and pango, which are optional, and defines the target PkgConfig::PANGOCAIRO. Sets
# ATTUNE_HAS_CAIRO, which attune-config.cmake.in needs.
set(ATTUNE_HAS_CAIRO OFF)
if(ATTUNE_CAIRO)
  find_package(PkgConfig QUIET)
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(PANGOCAIRO QUIET IMPORTED_TARGET pangocairo cairo-pdf cairo-png)
  endif()
  if(PANGOCAIRO_FOUND)
    set(ATTUNE_HAS_CAIRO ON)
    list(REMOVE_ITEM PANGOCAIRO_INCLUDE_DIRS ${CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES})
    message(STATUS "Pictures: SVG, and PNG and PDF with pango ${PANGOCAIRO_pangocairo_VERSION}")
  else()
    message(STATUS "Pictures: SVG only; PNG and PDF need cairo and pango "
                   "(libcairo2-dev and libpango1.0-dev on Debian)")
  endif()
endif()
