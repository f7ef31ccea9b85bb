# Makes the objects of ARCHIVE one, in which every name is private but those that the shared library
# LIKE exports. Reason: the archive holds Asio as we compile it. A program that compiles Asio for
# itself with other settings would else share half of ours, and crash.
get_filename_component(name ${ARCHIVE} NAME_WE)
set(whole ${ARCHIVE}.whole.o)
set(sealed ${ARCHIVE}.dir/${name}.o)
set(names ${ARCHIVE}.names)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

execute_process(COMMAND ${NM} -D --defined-only ${LIKE} OUTPUT_VARIABLE exported
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "_Z[A-Za-z0-9_]+" exported "${exported}")
list(JOIN exported "\n" exported)
file(WRITE ${names} "${exported}\n")

file(MAKE_DIRECTORY ${ARCHIVE}.dir)
run(${LINKER} -r --force-group-allocation --whole-archive ${ARCHIVE} -o ${whole})
run(${OBJCOPY} --keep-global-symbols=${names} ${whole} ${sealed})
file(REMOVE ${ARCHIVE})
run(${AR} rcsD ${ARCHIVE} ${sealed})
file(REMOVE_RECURSE ${whole} ${ARCHIVE}.dir ${names})
