icp_fuzzer(router LIBS icp_router)
