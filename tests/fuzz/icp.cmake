icp_fuzzer(document LIBS icp_learn)
