/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_traffic.h"

#include <stdlib.h>

/* As many as fit, judged by the first ones. */
static uint32_t count_for(load_encode *encode, void *context, struct proto_writer *out)
{
    enum { LOOKED_AT = 64 };
    for (uint32_t i = 0; i < LOOKED_AT; i++) {
        encode(context, i, out);
    }
    size_t each = out->bytes / LOOKED_AT + 1;
    uint32_t count = LOAD_TRAFFIC_COUNT_MAX;
    while (count > LOOKED_AT && count * each > LOAD_TRAFFIC_BYTES_MAX) {
        count /= 2;
    }
    proto_writer_reset(out);
    return count;
}

bool load_traffic_make(struct load_traffic *traffic, load_encode *encode, void *context,
                       struct proto_fault *fault)
{
    return load_traffic_make_count(traffic, encode, context, 0, fault);
}

bool load_traffic_make_count(struct load_traffic *traffic, load_encode *encode, void *context,
                             uint32_t count, struct proto_fault *fault)
{
    struct proto_writer out;
    proto_writer_init(&out);
    *traffic = (struct load_traffic){0};
    if (count == 0) {
        count = count_for(encode, context, &out);
    }
    traffic->offsets = malloc(((size_t)count + 1) * sizeof *traffic->offsets);
    if (traffic->offsets != NULL && proto_writer_ok(&out)) {
        traffic->offsets[0] = 0;
        for (uint32_t i = 0; i < count; i++) {
            encode(context, i, &out);
            traffic->offsets[i + 1] = (uint32_t)out.bytes;
        }
    }
    if (out.bytes > UINT32_MAX) {
        proto_writer_fini(&out);
        load_traffic_fini(traffic);
        return proto_fault_set(fault, PROTO_TOO_LARGE, "", "%u requests have more than 4 GiB",
                               count);
    }
    if (traffic->offsets == NULL || !proto_writer_ok(&out)) {
        proto_writer_fini(&out);
        load_traffic_fini(traffic);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the requests");
    }
    size_t bytes;
    traffic->bytes = proto_writer_take(&out, &bytes);
    traffic->count = count;
    return true;
}

void load_traffic_fini(struct load_traffic *traffic)
{
    free(traffic->bytes);
    free(traffic->offsets);
    *traffic = (struct load_traffic){0};
}
