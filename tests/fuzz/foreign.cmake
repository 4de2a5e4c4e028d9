icp_fuzzer(foreign LIBS icp_foreign)
