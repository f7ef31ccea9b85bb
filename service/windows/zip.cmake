# windows_zip: netcluster-VERSION-windows-x64.zip, with one folder in it: the programs, install.ps1,
# the agent library for MinGW-w64, and the pages that go with them.
set(zip_name netcluster-${PROJECT_VERSION}-windows-x64)
set(zip_staging ${PROJECT_BINARY_DIR}/zip)
set(in_zip COMPONENT windows_zip EXCLUDE_FROM_ALL)
set(zip_targets ncserver ncctl)

install(PROGRAMS $<TARGET_FILE:ncserver> $<TARGET_FILE:ncctl> DESTINATION . ${in_zip})
install(FILES ${PROJECT_SOURCE_DIR}/config/config.json ${PROJECT_SOURCE_DIR}/config/config.schema.json
              ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
              ${PROJECT_SOURCE_DIR}/service/windows/install.ps1
        DESTINATION . ${in_zip})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION docs ${in_zip})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/examples DESTINATION . ${in_zip})

# Everything is linked into the programs, so the licences of others go with them.
foreach(package libre2-dev libsodium-dev libboost1.81-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
        libcli11-dev gcc-mingw-w64-x86-64-posix mingw-w64-common)
  install(FILES /usr/share/doc/${package}/copyright DESTINATION licences RENAME ${package}.txt
          OPTIONAL ${in_zip})
endforeach()

set(zip_components windows_zip)
if(TARGET netcluster_archive)
  # With what it is made of that is no header: RE2. To be found by find_package(netcluster).
  list(APPEND zip_targets netcluster_archive)
  list(APPEND zip_components development)
  install(FILES ${NETCLUSTER_SYSROOT}/lib/libre2.a DESTINATION lib ${in_zip})
  install(DIRECTORY ${NETCLUSTER_SYSROOT}/lib/cmake/re2 DESTINATION lib/cmake ${in_zip})
endif()

set(zip_install "")
foreach(component ${zip_components})
  list(APPEND zip_install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR}
       --component ${component} --prefix ${zip_staging}/${zip_name} --strip)
endforeach()
add_custom_target(windows_zip
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${zip_staging}
  ${zip_install}
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${zip_staging}/${zip_name}/share  # the pages are in docs
  COMMAND ${CMAKE_COMMAND} -E chdir ${zip_staging}
          ${CMAKE_COMMAND} -E tar cf ${PROJECT_BINARY_DIR}/${zip_name}.zip --format=zip ${zip_name}
  DEPENDS ${zip_targets} VERBATIM)
