/* SPDX-License-Identifier: Apache-2.0 */
/* The forms are tried in the order in which they are sent most. A run of ids is looked up and
 * answered as one; leads are answered one after another, a few before the time and the room for
 * output are looked at again. A run that cannot be served now is no run. */
#include "server/rpc/hot/hot.h"

#include <stdlib.h>

#include "server/rpc/hot/hot_lead.h"
#include "server/rpc/hot/hot_parts.h"

enum {
    LEADS = 16,          /* served before the time is looked at */
    LEADS_BYTES = 65536, /* of replies to them, likewise: some 90 with three reasons of each sign */
};

struct rpc_hot *rpc_hot_create(struct proto_fault *fault)
{
    struct rpc_hot *hot = calloc(1, sizeof *hot);
    if (!hot) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for replies");
        return NULL;
    }
    hot->lead = rpc_hot_lead_create(fault);
    if (!hot->lead || !rpc_score_template_init(&hot->members) || !rpc_hot_id_init(hot)) {
        rpc_hot_destroy(hot);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for replies");
        return NULL;
    }
    return hot;
}

void rpc_hot_destroy(struct rpc_hot *hot)
{
    if (hot) {
        rpc_hot_lead_destroy(hot->lead);
        rpc_hot_id_fini(hot);
        free(hot);
    }
}

static void leads_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                        struct rpc_hot_run *run, struct proto_writer *out)
{
    size_t room = out->bytes + LEADS_BYTES;
    for (size_t i = 0; i < run->count; i++) {
        run->answered[i] = rpc_hot_lead_serve(worker, &frames[i], out);
        if (out->bytes > room) {
            run->count = i + 1; /* the room for output is looked at between runs */
        }
    }
    run->leads = run->count;
}

bool rpc_hot_serve(struct rpc_worker *worker, const struct proto_frame *frames, size_t count,
                   struct rpc_hot_run *run, struct proto_writer *out)
{
    struct proto_span ids[RPC_HOT_GROUP];
    uint8_t reasons[RPC_HOT_GROUP];
    run->leads = 0;
    run->count = rpc_hot_id_run(frames, count, ids);
    if (run->count > 0) {
        return rpc_hot_id_serve(worker, frames, ids, run->count, run->answered, out);
    }
    run->count = rpc_hot_reasons_run(frames, count, ids, reasons);
    if (run->count > 0) {
        return rpc_hot_reasons_serve(worker, frames, ids, reasons, run->count, run->answered, out);
    }
    run->count = rpc_hot_lead_run(frames, count, LEADS);
    leads_serve(worker, frames, run, out);
    return run->count > 0;
}

bool rpc_hot_entry(struct rpc_worker *worker, struct proto_span lead, unsigned reasons,
                   struct proto_writer *out)
{
    return rpc_hot_lead_entry(worker, lead, reasons, out);
}
