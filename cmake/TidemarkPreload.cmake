# tidemark_preload(<folder> INTO <library>): a shared library for LD_PRELOAD from <folder>/*.c, carried inside the
# folder library <library> as the function declared in <library>/<folder>.h, so that the program stays one file.
function(tidemark_preload name)
  cmake_parse_arguments(ARG "" "INTO" "" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
  add_library(tidemark_${name} MODULE ${sources})
  target_compile_options(tidemark_${name} PRIVATE -O2 -Wall -Wextra -Wpedantic -Wshadow -Werror)
  target_link_options(tidemark_${name} PRIVATE -Wl,--strip-all)
  set(source ${CMAKE_BINARY_DIR}/generated/${name}_library.cpp)
  add_custom_command(OUTPUT ${source}
                     COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/embed_library.py
                             $<TARGET_FILE:tidemark_${name}> ${ARG_INTO} ${name} ${source}
                     DEPENDS ${CMAKE_SOURCE_DIR}/cmake/embed_library.py tidemark_${name}
                     VERBATIM)
  target_sources(tidemark_${ARG_INTO} PRIVATE ${source})
endfunction()
