# Writes the source OUT, which holds the commit of the checkout SOURCE, if that has changed.
#   cmake -D SOURCE=DIR -D OUT=FILE -P commit.cmake
set(commit "")
set(dirty "")
find_package(Git QUIET)
if(GIT_FOUND)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} rev-parse HEAD
        OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${SOURCE} status --porcelain --untracked-files=no
        OUTPUT_VARIABLE changes ERROR_QUIET)
    if(NOT commit STREQUAL "" AND NOT changes STREQUAL "")
        set(dirty ", changed since")
    endif()
endif()
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [[
#include "experiments/machine/machine.hpp"
const char* const dp::experiments::kCommit = "@commit@@dirty@";
]])
