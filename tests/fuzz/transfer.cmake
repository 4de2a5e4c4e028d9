icp_fuzzer(transfer LIBS icp_transfer)
