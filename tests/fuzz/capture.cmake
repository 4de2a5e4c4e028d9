icp_fuzzer(capture LIBS icp_capture)
