# What `cmake --install` puts where, and in which package it belongs: the components are
# daemon (netcluster), library (libnetcluster) and development (libnetcluster-dev).
include(CMakePackageConfigHelpers)

set(packaging ${PROJECT_SOURCE_DIR}/service/packaging)
set(made ${PROJECT_BINARY_DIR}/packaging)
set(cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/netcluster)

# A file that names where others are installed, written when that is certain: `cmake --install` may
# be given another prefix than the build was.
function(install_configured component template file destination)
  install(CODE "
    set(PROJECT_VERSION \"${PROJECT_VERSION}\")
    set(NETCLUSTER_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
    set(NETCLUSTER_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
    set(NETCLUSTER_SBINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}\")
    set(NETCLUSTER_BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    set(NETCLUSTER_ETC \"${etc}\")
    set(NETCLUSTER_CONFIG \"${etc}/netcluster/config.json\")
    configure_file(\"${template}\" \"${made}/${file}\" @ONLY)
    file(INSTALL \"${made}/${file}\" DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${destination}\")"
    COMPONENT ${component})
endfunction()

# Below /usr the configuration is in /etc, as the GNU folders have it.
set(etc "\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SYSCONFDIR}")
if(IS_ABSOLUTE ${CMAKE_INSTALL_SYSCONFDIR} OR CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(etc ${CMAKE_INSTALL_FULL_SYSCONFDIR})
endif()

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

install_configured(development ${packaging}/netcluster.pc.in netcluster.pc
  ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# -- the daemon and its tool ----------------------------------------------------------------------
if(NETCLUSTER_PROGRAMS AND NOT WIN32)
  install(TARGETS ncserver RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT daemon)
  install(TARGETS ncctl ncworker RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT daemon)
  install_configured(daemon ${PROJECT_SOURCE_DIR}/service/systemd/netcluster.service.in
    netcluster.service lib/systemd/system)
  install_configured(daemon ${PROJECT_SOURCE_DIR}/service/systemd/netcluster-worker@.service.in
    netcluster-worker@.service lib/systemd/system)
  install(FILES ${PROJECT_BINARY_DIR}/service/netcluster-control.socket
    DESTINATION lib/systemd/system COMPONENT daemon)
  install(FILES ${PROJECT_BINARY_DIR}/service/netcluster.sysusers
    DESTINATION lib/sysusers.d RENAME netcluster.conf COMPONENT daemon)
  install(FILES ${PROJECT_BINARY_DIR}/service/netcluster.tmpfiles
    DESTINATION lib/tmpfiles.d RENAME netcluster.conf COMPONENT daemon)
  install(FILES ${PROJECT_SOURCE_DIR}/config/config.schema.json
    DESTINATION ${CMAKE_INSTALL_DATADIR}/netcluster COMPONENT daemon)

  # The configuration belongs to the admin from then on: installing again does not touch it.
  install(CODE "
    if(EXISTS \"\$ENV{DESTDIR}${etc}/netcluster/config.json\")
      message(STATUS \"Kept as it is: \$ENV{DESTDIR}${etc}/netcluster/config.json\")
    else()
      file(INSTALL \"${packaging}/config.json\" DESTINATION \"${etc}/netcluster\")
    endif()" COMPONENT daemon)

  set(documents README.md docs/operations.md docs/configuration.md docs/security.md
    docs/architecture.md docs/wire-protocol.md docs/control-protocol.md docs/link-protocol.md docs/cluster-guide.md
    docs/worker-guide.md)
  foreach(document ${documents})
    if(EXISTS ${PROJECT_SOURCE_DIR}/${document})
      install(FILES ${PROJECT_SOURCE_DIR}/${document}
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/netcluster COMPONENT daemon)
    endif()
  endforeach()
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/examples
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/netcluster COMPONENT daemon)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples/worker
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/netcluster/examples COMPONENT daemon)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/docs/agent-guide.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libnetcluster-dev COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libnetcluster-dev COMPONENT development
  PATTERN CMakeLists.txt EXCLUDE)

# -- manual pages and completions -----------------------------------------------------------------
if(TARGET manual)
  set(manual ${PROJECT_BINARY_DIR}/manual)
  foreach(page ncserver.8 ncctl.1 ncworker.1 netcluster.json.5)
    string(REGEX REPLACE ".*\\." "" section ${page})
    install(FILES ${manual}/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
      COMPONENT daemon)
  endforeach()
  # Where zsh looks: for what the distribution brings, and for what others install.
  set(zsh zsh/site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(zsh zsh/vendor-completions)
  endif()
  foreach(program ncserver ncctl ncworker)
    install(FILES ${manual}/${program}.bash RENAME ${program}
      DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT daemon)
    install(FILES ${manual}/_${program}
      DESTINATION ${CMAKE_INSTALL_DATADIR}/${zsh} COMPONENT daemon)
    install(FILES ${manual}/${program}.fish
      DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT daemon)
  endforeach()
endif()
