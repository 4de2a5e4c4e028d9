icp_fuzzer(handlers
    SOURCES ${PROJECT_SOURCE_DIR}/tests/unit/rpc/rpc_fixture.c ${PROJECT_SOURCE_DIR}/tests/unit/rpc/rpc_request.c
    LIBS icp_rpc PkgConfig::JANSSON PkgConfig::CMOCKA)
