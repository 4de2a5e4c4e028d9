/* SPDX-License-Identifier: Apache-2.0 */
/* The reply that hot.c patches. Shapes: offsets are bytes from the front, header included.
 * Ownership: a plain struct, one a worker. Errors: size 0 means that it could not be made. Threads:
 * its worker's. */
#ifndef RPC_HOT_TEMPLATE_H
#define RPC_HOT_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

/* A reply of score with every number at its widest, and where each stands. */
struct rpc_hot_template {
    uint8_t bytes[192];
    size_t size;
    size_t icp, seq, tal, fit, p, grade, raw;
};

#endif
