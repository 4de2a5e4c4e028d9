icp_fuzzer(reply LIBS icp_client)
