/* SPDX-License-Identifier: Apache-2.0 */
/* The requests of a workload in the protocol of icpd. */
#include "bench/load/load_account.h"
#include "bench/load/load_workload.h"
#include "bench/load/load_zipf.h"

/* Domains of strangers are numbered from here: beyond every account of a base. */
#define STRANGERS_FROM 50000000

struct asker {
    const struct load_workload *workload;
    uint64_t accounts;
    uint64_t seed;
    struct math_random random;
    struct load_zipf zipf;
};

/* Popular accounts lie scattered over the base, as they do in life: rank → number by a
 * multiplication that is a permutation of [0, 2^32) and is walked until it falls into the base. */
static uint64_t scatter(uint64_t rank, uint64_t accounts)
{
    uint64_t mask = 1;
    while (mask < accounts) {
        mask *= 2;
    }
    mask -= 1;
    do {
        rank = (rank * UINT64_C(2654435761) + 12345) & mask;
    } while (rank >= accounts);
    return rank;
}

static uint64_t account_draw(struct asker *asker)
{
    if (asker->workload->zipf > 0) {
        return scatter(load_zipf_draw(&asker->zipf, &asker->random), asker->accounts);
    }
    return math_random_below(&asker->random, asker->accounts);
}

static void value_write(struct proto_writer *out, const struct load_field *field,
                        const struct load_value *value)
{
    char text[64];
    unsigned tags = 0;
    proto_write_text(out, field->name);
    switch (field->type) {
    case LOAD_NUMBER:
        proto_write_f64(out, value->number);
        break;
    case LOAD_CATEGORY:
        load_category_text(field, value->index, text, sizeof text);
        proto_write_text(out, text);
        break;
    case BENCH_FLAG:
        proto_write_bool(out, value->flag);
        break;
    case LOAD_TAGS:
        tags = (unsigned)__builtin_popcount(value->tags);
        proto_write_array(out, tags);
        for (unsigned i = 0; i < field->count; i++) {
            if ((value->tags >> i & 1) == 0) {
                continue;
            }
            load_category_text(field, i, text, sizeof text);
            proto_write_text(out, text);
        }
        break;
    }
}

/* `count` fields spread over all types, never the outcome. */
static void values_map(struct proto_writer *out, uint64_t seed, uint64_t number, unsigned count)
{
    struct load_value values[LOAD_FIELDS];
    const struct load_field *fields = load_fields();
    load_account_make(seed, number, values);
    proto_write_map(out, count);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i * (LOAD_FIELDS - 1) / count;
        value_write(out, &fields[at], &values[at]);
    }
}

void load_record_write(struct proto_writer *out, uint64_t seed, uint64_t number, unsigned fields)
{
    values_map(out, seed, number, fields);
}

unsigned load_record_fields(size_t bytes)
{
    enum { LOOKED_AT = 200 };
    struct proto_writer out;
    unsigned fields = 1;
    proto_writer_init(&out);
    for (; fields < LOAD_RECORD_FIELDS; fields++) {
        proto_writer_reset(&out);
        for (uint64_t number = 0; number < LOOKED_AT; number++) {
            values_map(&out, LOAD_SEED, number, fields);
        }
        if (out.bytes / LOOKED_AT >= bytes) {
            break;
        }
    }
    proto_writer_fini(&out);
    return fields;
}

static void values_write(struct proto_writer *out, uint64_t seed, uint64_t number, unsigned count)
{
    proto_write_text(out, "values");
    values_map(out, seed, number, count);
}

static void email_write(struct proto_writer *out, uint64_t number)
{
    char email[4 + LOAD_DOMAIN_BYTES + 1] = "ann@";
    load_account_domain(number, email + 4);
    proto_write_text(out, "email");
    proto_write_text(out, email);
}

static void reasons_write(struct proto_writer *out, unsigned reasons)
{
    if (reasons > 0) {
        proto_write_text(out, "reasons");
        proto_write_uint(out, reasons);
    }
}

static void account_write(struct proto_writer *out, const struct asker *asker, uint64_t number,
                          unsigned fields)
{
    char id[LOAD_ID_BYTES + 1];
    load_account_id(number, id);
    proto_write_map(out, 1);
    proto_write_text(out, "accounts");
    proto_write_array(out, 1);
    proto_write_map(out, 2);
    proto_write_text(out, "id");
    proto_write_text(out, id);
    /* Values of another seed: the update changes something. */
    values_write(out, asker->seed + 1, number, fields);
}

static void ids_write(struct proto_writer *out, struct asker *asker)
{
    unsigned count = (unsigned)asker->workload->ids;
    proto_write_map(out, 1);
    proto_write_text(out, "ids");
    proto_write_array(out, count);
    for (unsigned i = 0; i < count; i++) {
        char id[LOAD_ID_BYTES + 1];
        load_account_id(account_draw(asker), id);
        proto_write_text(out, id);
    }
}

static void id_write(struct proto_writer *out, struct asker *asker, unsigned reasons)
{
    char id[LOAD_ID_BYTES + 1];
    load_account_id(account_draw(asker), id);
    proto_write_map(out, reasons > 0 ? 2 : 1);
    proto_write_text(out, "id");
    proto_write_text(out, id);
    reasons_write(out, reasons);
}

/* Who is like one stored account. */
static void similar_write(struct proto_writer *out, struct asker *asker)
{
    proto_write_map(out, 3);
    proto_write_text(out, "positives");
    proto_write_array(out, 1);
    id_write(out, asker, 0);
    proto_write_text(out, "k");
    proto_write_uint(out, (uint64_t)asker->workload->k);
    proto_write_text(out, "recall");
    proto_write_f64(out, asker->workload->recall);
}

/* Writes one payload by chance and returns its operation. */
static enum proto_op payload_write(struct asker *asker, struct proto_writer *out)
{
    const struct load_workload *workload = asker->workload;
    unsigned reasons = (unsigned)workload->reasons;
    unsigned fields = (unsigned)workload->fields;
    double total = workload->score_id + workload->score_email + workload->score_unknown +
                   workload->score_inline + workload->score_many + workload->similar +
                   workload->update + workload->put;
    double at = math_random_unit(&asker->random) * total;
    uint64_t number;
    if ((at -= workload->score_id) < 0) {
        id_write(out, asker, reasons);
        return PROTO_OP_SCORE;
    }
    if ((at -= workload->score_email) < 0) {
        proto_write_map(out, reasons > 0 ? 2 : 1);
        email_write(out, account_draw(asker));
        reasons_write(out, reasons);
        return PROTO_OP_SCORE;
    }
    if ((at -= workload->score_unknown) < 0) {
        number = STRANGERS_FROM + math_random_below(&asker->random, 10000000);
        proto_write_map(out, reasons > 0 ? 3 : 2);
        email_write(out, number);
        values_write(out, asker->seed, number, fields);
        reasons_write(out, reasons);
        return PROTO_OP_SCORE;
    }
    if ((at -= workload->score_many) < 0) {
        ids_write(out, asker);
        return PROTO_OP_SCORE_MANY;
    }
    if ((at -= workload->similar) < 0) {
        similar_write(out, asker);
        return PROTO_OP_SIMILAR;
    }
    if ((at -= workload->update) < 0) {
        account_write(out, asker, account_draw(asker), 2);
        return PROTO_OP_ACCOUNT_PATCH;
    }
    if (at < workload->put) {
        account_write(out, asker, account_draw(asker), LOAD_FIELDS - 1);
        return PROTO_OP_ACCOUNT_PUT;
    }
    number = math_random_below(&asker->random, asker->accounts);
    proto_write_map(out, reasons > 0 ? 2 : 1);
    values_write(out, asker->seed, number, fields);
    reasons_write(out, reasons);
    return PROTO_OP_SCORE;
}

static void request_encode(void *context, uint32_t index, struct proto_writer *out)
{
    proto_writer_frame_begin(out);
    enum proto_op op = payload_write(context, out);
    proto_writer_frame_end(out, (uint8_t)op, 0, index);
}

bool load_workload_traffic(const struct load_workload *workload, uint64_t accounts, uint64_t seed,
                           struct load_traffic *traffic, struct proto_fault *fault)
{
    struct asker asker = {.workload = workload, .accounts = accounts, .seed = seed};
    double total = workload->score_id + workload->score_email + workload->score_unknown +
                   workload->score_inline + workload->score_many + workload->similar +
                   workload->update + workload->put;
    if (total <= 0) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "score_id",
                               "the workload asks for nothing: give it a share of something");
    }
    math_random_init(&asker.random, seed + 1000);
    if (workload->zipf > 0) {
        load_zipf_init(&asker.zipf, workload->zipf, accounts);
    }
    return load_traffic_make(traffic, request_encode, &asker, fault);
}
