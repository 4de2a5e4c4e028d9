/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gate/gate_ingest.h"
#include "bench/load/load_account.h"
#include "bench/load/load_workload.h"
#include "proto/table.h"

/* A prime: requests and the records within them lie scattered over the set, and no two records of a
 * request are the same as long as it does not divide their number. */
#define SPREAD UINT64_C(2654435761)

struct asker {
    const struct gate_ingest_work *work;
    struct proto_writer record;
};

uint64_t gate_ingest_number(const struct gate_ingest_work *work, uint32_t request, unsigned index)
{
    uint64_t at = work->first + (uint64_t)request * work->batch + index;
    return work->mode == GATE_INGEST_NEW ? work->accounts + at
                                         : at % work->accounts * SPREAD % work->accounts;
}

static void icp_encode(void *context, uint32_t request, struct proto_writer *out)
{
    const struct gate_ingest_work *work = ((const struct asker *)context)->work;
    proto_writer_frame_begin(out);
    proto_write_map(out, 1);
    proto_write_text(out, "accounts");
    proto_write_array(out, work->batch);
    for (unsigned i = 0; i < work->batch; i++) {
        char id[LOAD_ID_BYTES + 1];
        char key[8 + LOAD_DOMAIN_BYTES] = "domain:";
        uint64_t number = gate_ingest_number(work, request, i);
        load_account_id(number, id);
        load_account_domain(number, key + 7);
        proto_write_map(out, 3);
        proto_write_text(out, "id");
        proto_write_text(out, id);
        proto_write_text(out, "keys");
        proto_write_array(out, 1);
        proto_write_text(out, key);
        proto_write_text(out, "values");
        load_record_write(out, work->seed, number, work->fields);
    }
    proto_writer_frame_end(out, PROTO_OP_ACCOUNT_PUT, 0, request);
}

static void text_write(struct proto_writer *out, const char *text)
{
    proto_write_raw(out, proto_span_text(text));
}

static void bulk_write(struct proto_writer *out, struct proto_span bytes)
{
    char head[32];
    snprintf(head, sizeof head, "$%zu\r\n", bytes.bytes);
    text_write(out, head);
    proto_write_raw(out, bytes);
    text_write(out, "\r\n");
}

static void redis_encode(void *context, uint32_t request, struct proto_writer *out)
{
    struct asker *asker = context;
    char head[32];
    snprintf(head, sizeof head, "*%u\r\n", 1 + 2 * asker->work->batch);
    text_write(out, head);
    bulk_write(out, proto_span_text("MSET"));
    for (unsigned i = 0; i < asker->work->batch; i++) {
        char id[LOAD_ID_BYTES + 1];
        uint64_t number = gate_ingest_number(asker->work, request, i);
        load_account_id(number, id);
        bulk_write(out, proto_span_text(id));
        proto_writer_reset(&asker->record);
        load_record_write(&asker->record, asker->work->seed, number, asker->work->fields);
        bulk_write(out, proto_writer_span(&asker->record));
    }
}

bool gate_ingest_traffic(enum gate_ingest_who who, const struct gate_ingest_work *work,
                         uint32_t requests, struct load_traffic *traffic, struct proto_fault *fault)
{
    struct asker asker = {.work = work};
    proto_writer_init(&asker.record);
    bool ok = load_traffic_make_count(traffic, who == GATE_INGEST_ICP ? icp_encode : redis_encode,
                                      &asker, requests, fault);
    proto_writer_fini(&asker.record);
    return ok;
}
