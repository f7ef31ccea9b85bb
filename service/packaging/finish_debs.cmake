# Run by CPack when the packages are there: what CMake 3.25 cannot say about the library's packages.
# They may be installed for several architectures side by side; and ldconfig is run by a trigger, so
# the scripts that CPack writes to run it go.
foreach(file ${CPACK_PACKAGE_FILES})
  get_filename_component(name ${file} NAME)
  if(NOT name MATCHES "^libnetcluster")
    continue()
  endif()
  set(root ${file}.root)
  file(REMOVE_RECURSE ${root})
  execute_process(COMMAND dpkg-deb --raw-extract ${file} ${root} COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE ${root}/DEBIAN/postinst ${root}/DEBIAN/postrm)
  file(READ ${root}/DEBIAN/control control)
  string(STRIP "${control}" control)  # CPack ends it with an empty line
  file(WRITE ${root}/DEBIAN/control "${control}\nMulti-Arch: same\n")
  execute_process(COMMAND dpkg-deb --build --root-owner-group ${root} ${file}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE ${root})
endforeach()
