icp_fuzzer(filter LIBS icp_filter)
icp_fuzzer(record LIBS icp_feature)
icp_fuzzer(schema LIBS icp_feature icp_identity)
