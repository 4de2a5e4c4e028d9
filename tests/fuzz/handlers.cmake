icp_fuzzer(handlers
    SOURCES ${PROJECT_SOURCE_DIR}/tests/unit/rpc/rpc_fixture.c
    LIBS icp_rpc)
