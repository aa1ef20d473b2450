# Installs the library, its headers and the files that find_package(attune) needs.
include(CMakePackageConfigHelpers)

set(attune_package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/attune)
configure_package_config_file(
  "${PROJECT_SOURCE_DIR}/cmake/attune-config.cmake.in" "${PROJECT_BINARY_DIR}/attune-config.cmake"
  INSTALL_DESTINATION ${attune_package_folder} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/attune-config-version.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/attune-config.cmake"
              "${PROJECT_BINARY_DIR}/attune-config-version.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindOpenBLAS.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindSentencePiece.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/Findutf8proc.cmake"
        DESTINATION ${attune_package_folder})

install(TARGETS attune EXPORT attune-targets)
install(EXPORT attune-targets NAMESPACE attune:: DESTINATION ${attune_package_folder})
install(DIRECTORY ${attune_parts} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/attune"
        FILES_MATCHING PATTERN "*.h")
install(FILES attune.h extend.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/attune")
