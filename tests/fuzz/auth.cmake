icp_fuzzer(tokens LIBS icp_auth)
