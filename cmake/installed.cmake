# Run at the end of an installation. The loader looks libraries up in a cache: root renews it; where the
# folder is none of the loader's, or nobody may renew the cache, the lines that help are printed.
# A package that is being made (DESTDIR) has triggers for that.
if(NOT "$ENV{DESTDIR}" STREQUAL "")
    return()
endif()
get_filename_component(PLACE "${ICP_LIBDIR}" ABSOLUTE BASE_DIR "${CMAKE_INSTALL_PREFIX}")
find_program(LDCONFIG ldconfig PATHS /sbin /usr/sbin)
if(LDCONFIG)
    execute_process(COMMAND ${LDCONFIG} OUTPUT_QUIET ERROR_QUIET)
    execute_process(COMMAND ${LDCONFIG} -p OUTPUT_VARIABLE KNOWN ERROR_QUIET)
endif()
string(FIND "${KNOWN}" "${PLACE}/libicp.so" FOUND)
if(FOUND EQUAL -1)
    message(STATUS "The loader does not look in ${PLACE}. Programs that use libicp are built with:")
    message(STATUS "    export PKG_CONFIG_PATH=${PLACE}/pkgconfig")
    message(STATUS "    cc lead.c $(pkg-config --cflags --libs icp) -Wl,-rpath,${PLACE} -o lead")
endif()
