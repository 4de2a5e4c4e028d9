/* SPDX-License-Identifier: Apache-2.0 */
/* What callgrind counts in bench/instructions: score-by-id requests through rpc_serve, in batches
 * as an event loop hands them over, without sockets.
 *
 * Usage: bench_instructions BATCH BATCHES [waste]. Counting is switched on for measured_serve alone
 * (--toggle-collect). `waste` lets each request's payload be checksummed besides: the control, a
 * change for the worse that the test must find. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/rpc/rpc_fixture.h"

#define ACCOUNTS 600
#define BATCH_MAX 256

struct drive {
    struct rpc_fixture fixture;
    struct proto_writer requests;
    struct proto_frame frames[BATCH_MAX];
    size_t batch;
    bool waste;
    uint32_t sum; /* so that the waste is not optimised away */
};

void measured_serve(struct drive *drive);

/* Not inlined: callgrind knows it by name. */
__attribute__((noinline)) void measured_serve(struct drive *drive)
{
    struct rpc_batch batch = {.session = &drive->fixture.session,
                              .frames = drive->frames,
                              .count = drive->batch,
                              .out_room = SIZE_MAX,
                              .out = &drive->fixture.out};
    while (batch.count > 0) { /* a turn may be over before the batch is, on a slow machine */
        rpc_serve(drive->fixture.worker, &batch);
        batch.frames += batch.done;
        batch.count -= batch.done;
    }
    for (size_t i = 0; drive->waste && i < drive->batch; i++)
        for (unsigned again = 0; again < 8; again++)
            drive->sum += proto_checksum(drive->frames[i].payload);
}

static void requests_make(struct drive *drive)
{
    size_t ends[BATCH_MAX];
    proto_writer_init(&drive->requests);
    for (size_t i = 0; i < drive->batch; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%zu", i * 37 % ACCOUNTS);
        proto_write_map(&drive->requests, 1);
        proto_write_text(&drive->requests, "id");
        proto_write_text(&drive->requests, id);
        ends[i] = drive->requests.bytes;
    }
    for (size_t i = 0; i < drive->batch; i++) {
        size_t start = i == 0 ? 0 : ends[i - 1];
        struct proto_span payload = {drive->requests.data + start, ends[i] - start};
        drive->frames[i] = (struct proto_frame){
            .header = {.payload_bytes = (uint32_t)payload.bytes,
                       .version = PROTO_VERSION,
                       .code = PROTO_OP_SCORE,
                       .request_id = (uint32_t)i},
            .payload = payload,
        };
    }
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
            header.code != PROTO_OK)
            return false;
        bytes.data += used;
        bytes.bytes -= used;
        count++;
    }
    return count == batch;
}

/* Rows and index are made in the background; until then requests take the long way. */
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
                store_view_rows_slots(view) >= ACCOUNTS;
        nanosleep(&rest, NULL);
    }
    store_view_close(view);
    return ready;
}

int main(int argc, char **argv)
{
    struct drive *drive = calloc(1, sizeof *drive);
    size_t batches = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (drive == NULL || batches == 0)
        return 64;
    drive->batch = strtoul(argv[1], NULL, 10);
    drive->waste = argc > 3;
    if (drive->batch == 0 || drive->batch > BATCH_MAX)
        return 64;
    rpc_fixture_open(&drive->fixture, false);
    rpc_fixture_fill(&drive->fixture, ACCOUNTS);
    rpc_fixture_learn(&drive->fixture);
    requests_make(drive);
    bool good = rows_await(drive);
    measured_serve(drive); /* grows buffers and places, once */
    for (size_t i = 0; i < batches && good; i++) {
        proto_writer_reset(&drive->fixture.out);
        measured_serve(drive);
        good = replies_good(proto_writer_span(&drive->fixture.out), drive->batch);
    }
    proto_writer_fini(&drive->requests);
    rpc_fixture_close(&drive->fixture);
    printf("%s %u\n", good ? "good" : "a reply is no score", drive->sum & 1);
    free(drive);
    return good ? 0 : 1;
}
