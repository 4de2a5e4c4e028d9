icp_fuzzer(document LIBS icp_icp)
