/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are paid for in order, by the connection's address and by its token, and the first that
 * cannot be ends the batch: those behind it are answered `busy` at once, so that a client that
 * sends too fast learns of it and is not held. */
#include "server/rpc/admit.h"

bool rpc_admit_applies(const struct rpc *rpc, const struct rpc_session *session)
{
    return session->grant || (rpc->meters && session->guest != 0);
}

static bool may_serve(const struct rpc *rpc, struct rpc_session *session,
                      const struct proto_frame *frame, uint64_t now_ns, struct rpc_wait *wait)
{
    uint64_t bytes = PROTO_HEADER_BYTES + frame->payload.bytes;
    wait->of_address =
        rpc->meters && !auth_guest_admit(rpc->options.addresses, session->guest, now_ns, &wait->ns);
    return !wait->of_address &&
           (!session->grant || auth_grant_admit(session->grant, bytes, now_ns, &wait->ns));
}

size_t rpc_admit(const struct rpc *rpc, const struct rpc_batch *batch, uint64_t now_ns,
                 struct rpc_wait *wait)
{
    struct rpc_session *session = batch->session;
    size_t paid = session->paid < batch->count ? session->paid : batch->count;
    while (paid < batch->count && may_serve(rpc, session, &batch->frames[paid], now_ns, wait)) {
        paid++;
    }
    session->paid = paid;
    return paid;
}

void rpc_admit_done(struct rpc_session *session, size_t frames)
{
    session->paid -= frames < session->paid ? frames : session->paid;
}

static void tell(const struct rpc_session *session, const struct rpc_wait *wait,
                 struct proto_fault *fault)
{
    uint32_t wait_ms = rpc_wait_ms(wait->ns);
    if (wait->of_address) {
        proto_fault_set(fault, PROTO_BUSY, "",
                        "this address is over its rate (address_requests_max): wait %u ms before "
                        "the next request",
                        wait_ms);
    } else {
        proto_fault_set(fault, PROTO_BUSY, "",
                        "the token %s is over its rate: wait %u ms before the next request",
                        auth_grant_name(session->grant), wait_ms);
    }
    fault->retry_after_ms = wait_ms;
}

void rpc_admit_refuse(struct rpc_call *call, struct rpc_batch *batch, const struct rpc_wait *wait)
{
    struct proto_fault fault;
    if (batch->done == batch->count) {
        return;
    }
    tell(call->session, wait, &fault);
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
