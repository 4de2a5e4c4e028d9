/* SPDX-License-Identifier: Apache-2.0 */
/* What every reply of score begins with, made ready: the eight members that are always there, with
 * their numbers at their widest, and where these stand. The one place that knows them: replies by
 * id alone are this and a frame, all others have it as their head (score_reply.h).
 *
 * Shapes: offsets are bytes from the first key. Ownership: a plain struct, one a worker. Errors:
 * false if it could not be made. Threads: its worker's. Cost: some 10 stores a reply. */
#ifndef RPC_SCORE_TEMPLATE_H
#define RPC_SCORE_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/mark.h"
#include "server/engine/engine.h"

enum { RPC_SCORE_MEMBERS = 8, RPC_SCORE_TEMPLATE_BYTES = 128 };

struct rpc_score_template {
    uint8_t bytes[RPC_SCORE_TEMPLATE_BYTES];
    size_t size;
    size_t icp, seq, found, tal, fit, p, grade, raw;
};

bool rpc_score_template_init(struct rpc_score_template *template);

/* What is the same for all accounts of one version and view. */
static inline void rpc_score_template_state(const struct rpc_score_template *template, uint8_t *at,
                                            uint32_t icp, uint64_t seq)
{
    proto_patch_u32(at + template->icp, icp);
    proto_patch_u64(at + template->seq, seq);
}

static inline void rpc_score_template_answer(const struct rpc_score_template *template, uint8_t *at,
                                             const struct engine_answer *answer, bool tal)
{
    at[template->tal] = (uint8_t)(PROTO_MARK_FALSE + tal);
    proto_patch_f64(at + template->fit, answer->fit);
    proto_patch_f64(at + template->p, answer->p);
    at[template->grade] = (uint8_t)answer->grade;
    proto_patch_u64(at + template->raw, (uint64_t)answer->raw);
}

#endif
