# With TIDEMARK_CHECK_ONLY the compiler parses and warns, which takes half of the time. What it would have made are empty
# files, there for ninja to know what has been looked at. Of preset `clang`; docs/decisions/threads.md.
if(TIDEMARK_CHECK_ONLY)
  set(CMAKE_CXX_COMPILE_OBJECT
      "<CMAKE_CXX_COMPILER> <DEFINES> <INCLUDES> <FLAGS> -fsyntax-only <SOURCE>" "<CMAKE_COMMAND> -E touch <OBJECT>")
  set(CMAKE_CXX_ARCHIVE_CREATE "<CMAKE_COMMAND> -E touch <TARGET>")
  set(CMAKE_CXX_ARCHIVE_FINISH "")
  set(CMAKE_CXX_LINK_EXECUTABLE "<CMAKE_COMMAND> -E touch <TARGET>")

  # What is wrong is seen.
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS}")
  add_test(NAME guards COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 ${flags} -I ${CMAKE_SOURCE_DIR}/src -fsyntax-only
                               ${CMAKE_SOURCE_DIR}/test/guards/unguarded.cpp)
  set_tests_properties(guards PROPERTIES PASS_REGULAR_EXPRESSION
                       "error: reading variable 'count_' requires holding mutex 'mutex_'|error: writing variable 'count_'")
endif()
