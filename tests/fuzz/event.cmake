icp_fuzzer(event LIBS icp_event)
