icp_fuzzer(segment LIBS icp_log)
