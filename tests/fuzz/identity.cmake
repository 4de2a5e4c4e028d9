icp_fuzzer(name LIBS icp_identity)
