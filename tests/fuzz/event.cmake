icp_fuzzer(event LIBS icp_event)
icp_fuzzer(event_block LIBS icp_event)
