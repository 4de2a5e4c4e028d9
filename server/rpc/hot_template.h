/* SPDX-License-Identifier: Apache-2.0 */
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
