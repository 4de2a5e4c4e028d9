set(ORACLE ${PROJECT_SOURCE_DIR}/tests/unit/proto/oracle.c)
icp_fuzzer(frame LIBS icp_proto)
icp_fuzzer(reader SOURCES ${ORACLE} LIBS icp_proto)
icp_fuzzer(request SOURCES ${ORACLE} LIBS icp_proto)

# The controls of the replayer: a corpus that is not there must fail, and so must an input that breaks
# a property (fuzz_control holds none).
if(NOT ICP_FUZZ)
    add_test(NAME fuzz/replay-control-empty
             COMMAND fuzz_frame ${CMAKE_CURRENT_SOURCE_DIR}/corpus/none)
    add_executable(fuzz_control fuzz_control.c replay.c)
    target_link_libraries(fuzz_control PRIVATE icp_flags)
    add_test(NAME fuzz/replay-control-broken
             COMMAND fuzz_control ${CMAKE_CURRENT_SOURCE_DIR}/proto.cmake)
    set_tests_properties(fuzz/replay-control-empty fuzz/replay-control-broken PROPERTIES
                         WILL_FAIL ON TIMEOUT 60 LABELS fuzz)
endif()
