/* SPDX-License-Identifier: Apache-2.0 */
/* What callgrind counts in bench/instructions: scores through rpc_serve, in batches as an event
 * loop hands them over, without sockets.
 *
 * Usage: bench_instructions CASE BATCH BATCHES [waste]. CASE is what each request asks for:
 *   id       a score by id, of the fixture's accounts of 6 fields
 *   label    the same where two segments are in force, which half of them are in
 *   wide     the same of the benchmark's accounts of 40 fields, 80 columns
 *   reasons  the same with three reasons of each sign
 *   inline   a lead of 20 values of those fields, which names no account
 *   put      BATCH whole accounts of 40 fields in one request, durable; counted with the writer's
 *            store_commit and the folder's store_fold
 * Counting is switched on for measured_serve alone (--toggle-collect). `waste` lets each request's
 * payload be checksummed besides: the control, a change for the worse that the test must find. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/load/load_account.h"
#include "server/engine/labels_parts.h"
#include "server/engine/scores.h"
#include "tests/unit/rpc/rpc_fixture.h"

#define ACCOUNTS 600
#define LEAD_FIELDS 20
#define BATCH_MAX 256

#define PUTS 6 /* requests of `put`, served in turn: together they replace every account */

enum what { ID, LABEL, WIDE, REASONS, INLINE, PUT, WHATS };
static const char *const whats[WHATS] = {"id", "label", "wide", "reasons", "inline", "put"};

struct drive {
    struct rpc_fixture fixture;
    enum what what;
    struct proto_writer requests;
    struct proto_frame frames[BATCH_MAX];
    size_t batch;
    size_t served;
    size_t late_before; /* replies of the filling that came late */
    bool waste;
    uint32_t sum; /* so that the waste is not optimised away */
};

void measured_serve(struct drive *drive);

/* Not inlined: callgrind knows it by name. */
__attribute__((noinline)) void measured_serve(struct drive *drive)
{
    size_t put = drive->served++ % PUTS;
    struct rpc_batch batch = {.session = &drive->fixture.session,
                              .frames = drive->what == PUT ? drive->frames + put : drive->frames,
                              .count = drive->what == PUT ? 1 : drive->batch,
                              .out_room = SIZE_MAX,
                              .out = &drive->fixture.out};
    while (batch.count > 0) { /* a turn may be over before the batch is, on a slow machine */
        rpc_serve(drive->fixture.worker, &batch);
        batch.frames += batch.done;
        batch.count -= batch.done;
    }
    for (size_t i = 0; drive->waste && i < drive->batch; i++) {
        for (unsigned again = 0; again < 8; again++) {
            drive->sum += proto_checksum(drive->frames[i].payload);
        }
    }
}

static void value_write(struct proto_writer *out, const struct load_field *field,
                        const struct load_value *value)
{
    char text[64];
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
        proto_write_array(out, (size_t)__builtin_popcount(value->tags));
        for (unsigned i = 0; i < field->count; i++) {
            if ((value->tags >> i & 1) != 0) {
                load_category_text(field, i, text, sizeof text);
                proto_write_text(out, text);
            }
        }
        break;
    }
}

/* `count` fields of the account, spread over all types; the last is the outcome. */
static void values_write(struct proto_writer *out, uint64_t number, unsigned count)
{
    struct load_value values[LOAD_FIELDS];
    const struct load_field *fields = load_fields();
    unsigned last = count < LOAD_FIELDS ? LOAD_FIELDS - 1 : LOAD_FIELDS;
    size_t present = 0;
    load_account_make(LOAD_SEED, number, values);
    for (unsigned i = 0; i < count; i++) {
        present += count < LOAD_FIELDS || !values[i].missing;
    }
    proto_write_text(out, "values");
    proto_write_map(out, present);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i * last / count;
        if (count == LOAD_FIELDS && values[at].missing) {
            continue;
        }
        proto_write_text(out, fields[at].name);
        value_write(out, &fields[at], &values[at]);
    }
}

static void id_write(struct proto_writer *out, enum what what, size_t number)
{
    char id[16];
    snprintf(id, sizeof id, "a%zu", number);
    if (what != ID && what != LABEL) {
        load_account_id(number, id);
    }
    proto_write_text(out, "id");
    proto_write_text(out, id);
}

/* account-put of `count` accounts from `first` on, strewn over all. */
static void put_write(struct proto_writer *out, size_t first, size_t count)
{
    char key[8 + LOAD_DOMAIN_BYTES] = "domain:";
    proto_write_map(out, 1);
    proto_write_text(out, "accounts");
    proto_write_array(out, count);
    for (size_t i = 0; i < count; i++) {
        size_t number = (first + i) * 37 % ACCOUNTS;
        load_account_domain(number, key + 7);
        proto_write_map(out, 3);
        id_write(out, WIDE, number);
        proto_write_text(out, "keys");
        proto_write_array(out, 1);
        proto_write_text(out, key);
        values_write(out, number, LOAD_FIELDS);
    }
}

/* The accounts of icp-bench in place of the fixture's. */
static void wide_fill(struct drive *drive)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_writer request;
    char *schema = load_schema_text();
    proto_writer_init(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "document");
    proto_write_text(&request, schema);
    rpc_fixture_ask(&drive->fixture, PROTO_OP_SCHEMA_PUT, proto_writer_span(&request), args);
    free(schema);
    proto_writer_reset(&request);
    put_write(&request, 0, ACCOUNTS);
    rpc_fixture_ask(&drive->fixture, PROTO_OP_ACCOUNT_PUT, proto_writer_span(&request), args);
    proto_writer_fini(&request);
}

static void segment_put(struct drive *drive, const char *name, const char *filter)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_writer request;
    proto_writer_init(&request);
    proto_write_map(&request, 2);
    proto_write_text(&request, "name");
    proto_write_text(&request, name);
    proto_write_text(&request, "filter");
    proto_write_text(&request, filter);
    rpc_fixture_ask(&drive->fixture, PROTO_OP_SEGMENT_PUT, proto_writer_span(&request), args);
    proto_writer_fini(&request);
}

static void payload_write(struct proto_writer *out, const struct drive *drive, size_t number)
{
    enum what what = drive->what;
    if (what == PUT) {
        put_write(out, number * drive->batch, drive->batch);
        return;
    }
    proto_write_map(out, what == REASONS ? 2 : 1);
    if (what == INLINE) {
        values_write(out, number, LEAD_FIELDS);
        return;
    }
    id_write(out, what, number);
    if (what == REASONS) {
        proto_write_text(out, "reasons");
        proto_write_uint(out, 3);
    }
}

static void requests_make(struct drive *drive)
{
    size_t ends[BATCH_MAX];
    size_t count = drive->what == PUT ? PUTS : drive->batch;
    proto_writer_init(&drive->requests);
    for (size_t i = 0; i < count; i++) {
        payload_write(&drive->requests, drive, drive->what == PUT ? i : i * 37 % ACCOUNTS);
        ends[i] = drive->requests.bytes;
    }
    for (size_t i = 0; i < count; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        struct proto_span payload = {drive->requests.data + start, ends[i] - start};
        drive->frames[i] = (struct proto_frame){
            .header = {.payload_bytes = (uint32_t)payload.bytes,
                       .version = PROTO_VERSION,
                       .code = drive->what == PUT ? PROTO_OP_ACCOUNT_PUT : PROTO_OP_SCORE,
                       .request_id = (uint32_t)i},
            .payload = payload,
        };
    }
}

/* The reply of a put, which comes when it is on disk. */
static bool put_await(struct drive *drive)
{
    struct rpc_fixture *fixture = &drive->fixture;
    struct proto_header header = {.code = PROTO_INTERNAL};
    struct proto_span payload;
    struct proto_fault fault;
    size_t used;
    pthread_mutex_lock(&fixture->lock);
    while (fixture->late_final < drive->served + drive->late_before) {
        pthread_cond_wait(&fixture->arrived, &fixture->lock);
    }
    (void)proto_frame_split(proto_writer_span(&fixture->late), PROTO_FRAME_BYTES_MAX, true, &header,
                            &payload, &used, &fault);
    pthread_mutex_unlock(&fixture->lock);
    return header.code == PROTO_OK;
}

/* Every reply is a score; else what was counted is the cost of refusing. */
static bool replies_good(struct proto_span bytes, size_t batch)
{
    size_t count = 0;
    while (bytes.bytes > 0) {
        struct proto_header header;
        struct proto_span payload;
        struct proto_fault fault;
        size_t used;
        if (proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, true, &header, &payload, &used,
                              &fault) != PROTO_FRAME_WHOLE ||
            header.code != PROTO_OK) {
            return false;
        }
        bytes.data += used;
        bytes.bytes -= used;
        count++;
    }
    return count == batch;
}

/* The scores in memory are worked out to the last account. */
static bool scores_ready(const struct drive *drive)
{
    struct engine_state *state = engine_state_get(drive->fixture.engine);
    bool ready = state->scores && atomic_load(&state->scores->next) >= ACCOUNTS;
    ready = ready && (!state->labels || atomic_load(&state->labels->next) >= ACCOUNTS);
    engine_state_release(state);
    return ready;
}

/* Rows, index and scores are made in the background; until then requests take the long way. */
static bool rows_await(struct drive *drive)
{
    struct timespec rest = {0, 10000000};
    struct proto_fault fault;
    struct store *store = engine_store(drive->fixture.engine);
    struct store_view *view = store_view_open(store, &fault);
    bool ready = false;
    for (unsigned i = 0; view != NULL && i < 6000 && !ready; i++) {
        struct store_stats stats;
        store_stats(store, &stats);
        ready = stats.index_ready != 0 && store_view_refresh(view, &fault) &&
                store_view_rows_slots(view) >= ACCOUNTS && scores_ready(drive);
        nanosleep(&rest, NULL);
    }
    store_view_close(view);
    return ready;
}

int main(int argc, char **argv)
{
    struct drive *drive = calloc(1, sizeof *drive);
    size_t batches = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    if (drive == NULL || batches == 0) {
        free(drive);
        return 64;
    }
    drive->batch = strtoul(argv[2], NULL, 10);
    drive->waste = argc > 4;
    while (drive->what < WHATS && strcmp(argv[1], whats[drive->what]) != 0) {
        drive->what++;
    }
    if (drive->what == WHATS || drive->batch == 0 || drive->batch > BATCH_MAX) {
        free(drive);
        return 64;
    }
    rpc_fixture_open(&drive->fixture, false);
    if (drive->what == ID || drive->what == LABEL) {
        rpc_fixture_fill(&drive->fixture, ACCOUNTS);
    } else {
        wide_fill(drive);
    }
    rpc_fixture_learn(&drive->fixture);
    if (drive->what == LABEL) {
        segment_put(drive, "Large companies", "employees > 1000");
        segment_put(drive, "Companies of some size", "employees > 100");
    }
    requests_make(drive);
    bool good = rows_await(drive);
    drive->late_before = drive->fixture.late_final;
    for (size_t i = 0; i <= batches && good; i++) { /* the first grows buffers and places */
        proto_writer_reset(&drive->fixture.out);
        measured_serve(drive);
        good = drive->what == PUT
                   ? put_await(drive)
                   : replies_good(proto_writer_span(&drive->fixture.out), drive->batch);
    }
    proto_writer_fini(&drive->requests);
    rpc_fixture_close(&drive->fixture);
    printf("%s %u\n", good ? "good" : "a reply is no score", drive->sum & 1);
    free(drive);
    return good ? 0 : 1;
}
