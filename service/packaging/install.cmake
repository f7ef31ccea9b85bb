# What `cmake --install` puts where, and in which package it belongs: the components are
# daemon (netcluster), library (libnetcluster) and development (libnetcluster-dev).
include(CMakePackageConfigHelpers)

set(packaging ${PROJECT_SOURCE_DIR}/service/packaging)
set(made ${PROJECT_BINARY_DIR}/packaging)
set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/netcluster)

# -- the agent library ----------------------------------------------------------------------------
if(TARGET netcluster_shared)
  install(TARGETS netcluster_shared EXPORT netcluster-shared
    LIBRARY COMPONENT library NAMELINK_COMPONENT development)
endif()
install(TARGETS netcluster_archive EXPORT netcluster-static ARCHIVE COMPONENT development)
install(TARGETS netcluster_api EXPORT netcluster-headers)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/agent/include/netcluster
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)

foreach(part headers shared static)
  if(NOT part STREQUAL shared OR TARGET netcluster_shared)
    install(EXPORT netcluster-${part} NAMESPACE netcluster:: DESTINATION ${cmake_dir}
      FILE netcluster-${part}.cmake COMPONENT development)
  endif()
endforeach()
configure_package_config_file(${packaging}/netcluster-config.cmake.in
  ${made}/netcluster-config.cmake INSTALL_DESTINATION ${cmake_dir}
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${made}/netcluster-config-version.cmake
  COMPATIBILITY SameMajorVersion)
install(FILES ${made}/netcluster-config.cmake ${made}/netcluster-config-version.cmake
  DESTINATION ${cmake_dir} COMPONENT development)

configure_file(${packaging}/netcluster.pc.in ${made}/netcluster.pc @ONLY)
install(FILES ${made}/netcluster.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT development)
