icp_fuzzer(form LIBS icp_http icp_draw)
