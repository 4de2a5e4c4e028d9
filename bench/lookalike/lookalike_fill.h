/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills an icpd with the vectors of a set, one account each, and has it build and store its
 * look-alike vectors. Ownership: borrows. Errors: a fault. Threads: one. Cost: the server's.
 */
#ifndef ICP_BENCH_LOOKALIKE_FILL_H
#define ICP_BENCH_LOOKALIKE_FILL_H

#include "bench/lookalike/lookalike_data.h"
#include "client/icp.h"
#include "proto/fault.h"

/* A build of ten million vectors takes minutes. */
#define LOOKALIKE_CALL_MS 3600000

/* With `scored`, an ICP is learned and made active. */
bool lookalike_fill(struct icp_client *client, const struct lookalike_data *data, bool scored,
                    struct proto_fault *fault);

#endif
