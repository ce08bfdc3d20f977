# Headers that are parsed once: `common` for all, `edge` with Asio, `tests` with GoogleTest. Each is made by an empty
# library; targets with the same compile options share it. What a build gains: docs/decisions/build_time.md.
function(tidemark_precompiled name)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${name}.cpp CONTENT "")
  add_library(precompiled_${name} OBJECT ${CMAKE_BINARY_DIR}/precompiled/${name}.cpp)
  target_link_libraries(precompiled_${name} PRIVATE ${ARGN})
  tidemark_warnings(precompiled_${name})
  target_precompile_headers(precompiled_${name} PRIVATE ${CMAKE_SOURCE_DIR}/cmake/precompiled/${name}.h)
endfunction()

tidemark_precompiled(common Threads::Threads spdlog::spdlog fmt::fmt nlohmann_json::nlohmann_json)
tidemark_precompiled(edge Threads::Threads spdlog::spdlog fmt::fmt nlohmann_json::nlohmann_json Boost::headers)
if(BUILD_TESTING)
  tidemark_precompiled(tests Threads::Threads spdlog::spdlog fmt::fmt nlohmann_json::nlohmann_json GTest::gtest GTest::gmock)
  target_compile_options(precompiled_tests PRIVATE -O1)
endif()
