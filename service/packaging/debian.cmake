# The Debian packages, by CPack: `cmake --workflow --preset debian` leaves them in build/debian.
# netcluster holds the daemon, ncctl and all around them; libnetcluster the shared library;
# libnetcluster-dev what programs are compiled with.
set(packaging ${PROJECT_SOURCE_DIR}/service/packaging)
set(debian ${packaging}/debian)
set(made ${PROJECT_BINARY_DIR}/packaging)
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  message(FATAL_ERROR "Debian packages need -DCMAKE_INSTALL_PREFIX=/usr, as the preset debian has it")
endif()

# Without it CPack would make packages that depend on nothing, and say so in a line that nobody reads.
find_program(SHLIBDEPS dpkg-shlibdeps REQUIRED)

# What policy wants of every package.
file(STRINGS ${debian}/changelog entries LIMIT_COUNT 1)
if(NOT entries MATCHES "^netcluster \\(${PROJECT_VERSION}\\) ")
  message(FATAL_ERROR "service/packaging/debian/changelog begins with `${entries}`, "
    "not with version ${PROJECT_VERSION}")
endif()
file(MAKE_DIRECTORY ${made})
execute_process(COMMAND gzip -9 --no-name --stdout ${debian}/changelog
  OUTPUT_FILE ${made}/changelog.gz COMMAND_ERROR_IS_FATAL ANY)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${debian}/changelog)
set(package_daemon netcluster)
set(package_library libnetcluster)
set(package_development libnetcluster-dev)
foreach(component daemon library development)
  set(package ${package_${component}})
  install(FILES ${debian}/copyright ${made}/changelog.gz
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component})
  if(EXISTS ${debian}/${package}.lintian-overrides)
    install(FILES ${debian}/${package}.lintian-overrides
      DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides RENAME ${package}
      COMPONENT ${component})
  endif()
endforeach()

# The scripts of `netcluster` as they are; what runs when `libnetcluster` comes and goes is one line.
file(WRITE ${made}/conffiles "/etc/netcluster/config.json\n")
file(WRITE ${made}/triggers "activate-noawait ldconfig\n")
# Programs built against 2.x run with every later 2.x, and not with 3.
math(EXPR next "${PROJECT_VERSION_MAJOR} + 1")
file(WRITE ${made}/shlibs "libnetcluster ${PROJECT_VERSION_MAJOR} "
  "libnetcluster (>= ${PROJECT_VERSION}), libnetcluster (<< ${next})\n")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME netcluster)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL daemon library development)
set(CPACK_DEB_COMPONENT_INSTALL ON)

set(CPACK_DEBIAN_PACKAGE_MAINTAINER "netcluster maintainers <maintainers@netcluster.example>")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

# The first line of each description is the synopsis, so there is no common one.
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")
set(about "A program emits a named event with JSON data, and every listener whose
pattern matches hears it: in the same process, in other processes of the
host, on other hosts of the LAN. Where events may travel is in each host's
configuration, not in the programs.

")

set(CPACK_DEBIAN_DAEMON_PACKAGE_NAME netcluster)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SECTION net)
set(CPACK_DEBIAN_DAEMON_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_DAEMON_PACKAGE_DEPENDS
  "init-system-helpers (>= 1.54~), systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_DAEMON_PACKAGE_CONTROL_EXTRA
  ${made}/conffiles ${debian}/postinst ${debian}/prerm ${debian}/postrm)
set(CPACK_COMPONENT_DAEMON_DESCRIPTION "event bus between processes and hosts
${about}This package has the daemon ncserver, a service of systemd that is started
when the admin says so, the operator's tool ncctl, and ncworker, which does
tasks by Lua scripts and by commands.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libnetcluster)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS netcluster)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${made}/shlibs ${made}/triggers)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "event bus between processes and hosts, shared library
${about}This package has the agent library that programs use.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libnetcluster-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libnetcluster (= ${PROJECT_VERSION}), nlohmann-json3-dev (>= 3.11), libre2-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS netcluster)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "event bus between processes and hosts, development files
${about}This package has the headers of the C++20 agent library, its shared and
static form, and what CMake and pkg-config need to find them.")

set(CPACK_POST_BUILD_SCRIPTS ${packaging}/finish_debs.cmake)
include(CPack)
