# Builds for Windows 10 and newer on Debian: mingw-w64 with POSIX threads, everything linked into the
# programs. What it builds against comes from service/windows/dependencies.sh, which leaves a link to
# it in build/windows-sysroot. Programs it has built run under Wine, where there is one.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_SYSTEM_VERSION 10.0)

set(triple x86_64-w64-mingw32)
set(CMAKE_C_COMPILER ${triple}-gcc-posix)
set(CMAKE_CXX_COMPILER ${triple}-g++-posix)
set(CMAKE_RC_COMPILER ${triple}-windres)

set(NETCLUSTER_SYSROOT "${CMAKE_CURRENT_LIST_DIR}/../../build/windows-sysroot" CACHE PATH
  "What service/windows/dependencies.sh has built")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES NETCLUSTER_SYSROOT)
set(CMAKE_FIND_ROOT_PATH /usr/${triple} ${NETCLUSTER_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} ${NETCLUSTER_SYSROOT}/lib/pkgconfig)
set(ENV{PKG_CONFIG_PATH} "")

# Windows 10: the oldest with all that is called.
add_compile_definitions(_WIN32_WINNT=0x0A00 WINVER=0x0A00 WIN32_LEAN_AND_MEAN NOMINMAX)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")

find_program(NETCLUSTER_WINE NAMES wine64 wine)
if(NETCLUSTER_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${NETCLUSTER_WINE})
endif()
