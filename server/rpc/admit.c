/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are paid for in order, and the first that cannot be ends the batch: those behind it are
 * answered `busy` at once, so that a client that sends too fast learns of it and is not held. */
#include "server/rpc/admit.h"

size_t rpc_admit(struct rpc_session *session, const struct rpc_batch *batch, uint64_t now_ns,
                 uint64_t *wait_ns)
{
    size_t paid = session->paid < batch->count ? session->paid : batch->count;
    while (paid < batch->count &&
           auth_grant_admit(session->grant, PROTO_HEADER_BYTES + batch->frames[paid].payload.bytes,
                            now_ns, wait_ns)) {
        paid++;
    }
    session->paid = paid;
    return paid;
}

void rpc_admit_done(struct rpc_session *session, size_t frames)
{
    session->paid -= frames < session->paid ? frames : session->paid;
}

void rpc_admit_refuse(struct rpc_call *call, struct rpc_batch *batch, uint64_t wait_ns)
{
    struct proto_fault fault;
    uint64_t wait_ms = wait_ns / 1000000 + 1;
    proto_fault_set(&fault, PROTO_BUSY, "",
                    "the token %s is over its rate: wait %llu ms before the next request",
                    auth_grant_name(call->session->grant), (unsigned long long)wait_ms);
    while (batch->done < batch->count && batch->out->bytes <= batch->out_room) {
        const struct proto_frame *frame = &batch->frames[batch->done++];
        call->op = proto_op_find(frame->header.code);
        call->payload_bytes = frame->payload.bytes;
        proto_write_fault(batch->out, &fault,
                          PROTO_FLAG_REPLY | (frame->header.flags & PROTO_FLAG_CHECKSUM),
                          frame->header.request_id);
        rpc_count(call, PROTO_BUSY);
        rpc_tally(call, BASE_METRIC_REQUESTS_LIMITED, 1);
    }
}
