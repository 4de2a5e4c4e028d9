icp_fuzzer(config LIBS icp_base)
