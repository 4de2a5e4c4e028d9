# The three ways that this project builds things. Every folder uses these and nothing else, so
# that warnings, sanitizers and names are the same everywhere.

set(ICP_WARNINGS
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion
    -Wcast-qual -Wcast-align -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef -Wformat=2)

add_library(icp_flags INTERFACE)
target_include_directories(icp_flags INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_options(icp_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:${ICP_WARNINGS}>)
target_compile_definitions(icp_flags INTERFACE _GNU_SOURCE)
if(ICP_WERROR)
    target_compile_options(icp_flags INTERFACE $<$<COMPILE_LANGUAGE:C>:-Werror>)
endif()
if(ICP_SANITIZE)
    target_compile_options(icp_flags INTERFACE
        -fsanitize=${ICP_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(icp_flags INTERFACE -fsanitize=${ICP_SANITIZE})
endif()
if(ICP_FUZZ)
    # Instrument every library for libFuzzer; only fuzz targets link the driver.
    target_compile_options(icp_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(icp_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Libraries of the server also carry what the link needs to optimise across files; only icpd makes
# use of it (server/CMakeLists.txt), every other program links them as they are. 3 to 5 % of a
# score's processor time for twice the time to compile.
option(ICP_LTO "optimise icpd across files (gcc)" OFF)
if(ICP_LTO AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "ICP_LTO needs gcc")
endif()

# icp_library(store SOURCES a.c b.c LIBS icp_feature PkgConfig::LMDB): library icp_store.
function(icp_library NAME)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_library(icp_${NAME} STATIC ${ARG_SOURCES})
    target_link_libraries(icp_${NAME} PUBLIC icp_flags ${ARG_LIBS})
    set_target_properties(icp_${NAME} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    if(ICP_LTO)
        target_compile_options(icp_${NAME} PRIVATE -flto -ffat-lto-objects)
    endif()
endfunction()

# icp_unit_test(store/test_commit LIBS icp_store): tests/unit/store/test_commit.c, run by CTest
# under the name unit/store/commit with a limit of 300 seconds (a hang ends there; a slow machine must not).
function(icp_unit_test PATH)
    cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS" ${ARGN})
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 300)
    endif()
    string(REPLACE "/test_" "/" SHORT ${PATH})
    string(REPLACE "/" "_" TARGET "unit_${SHORT}")
    add_executable(${TARGET} ${PROJECT_SOURCE_DIR}/tests/unit/${PATH}.c ${ARG_SOURCES})
    target_link_libraries(${TARGET} PRIVATE icp_flags ${ARG_LIBS} PkgConfig::CMOCKA)
    add_test(NAME unit/${SHORT} COMMAND ${TARGET})
    set_tests_properties(unit/${SHORT} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS unit)
endfunction()

# icp_fuzzer(frame LIBS icp_proto): tests/fuzz/fuzz_frame.c. With the fuzz preset a libFuzzer
# program; in every other build a replayer of the kept corpus (tests/fuzz/corpus/frame).
function(icp_fuzzer NAME)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
    add_executable(fuzz_${NAME} ${PROJECT_SOURCE_DIR}/tests/fuzz/fuzz_${NAME}.c ${ARG_SOURCES})
    target_link_libraries(fuzz_${NAME} PRIVATE icp_flags ${ARG_LIBS})
    if(ICP_FUZZ)
        target_link_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
    else()
        target_sources(fuzz_${NAME} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay.c)
        add_test(NAME fuzz/${NAME}
                 COMMAND fuzz_${NAME} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${NAME})
        set_tests_properties(fuzz/${NAME} PROPERTIES TIMEOUT 300 LABELS fuzz)
    endif()
endfunction()
