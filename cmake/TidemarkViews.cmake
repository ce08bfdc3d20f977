# The views' SQL, src/view/sql/*.sql, becomes a source of the folder library `view`.
set(view_sql_dir ${CMAKE_SOURCE_DIR}/src/view/sql)
set(view_sql_source ${CMAKE_BINARY_DIR}/generated/view_sql.cpp)
file(GLOB view_sql CONFIGURE_DEPENDS ${view_sql_dir}/*.sql)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
add_custom_command(OUTPUT ${view_sql_source}
                   COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/cmake/embed_views.py ${view_sql_dir}
                           ${view_sql_source}
                   DEPENDS ${CMAKE_SOURCE_DIR}/cmake/embed_views.py ${view_sql}
                   VERBATIM)
target_sources(tidemark_view PRIVATE ${view_sql_source})
