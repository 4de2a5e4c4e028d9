/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rpc/rpc_fixture.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/shape.h"
#include "server/base/clock.h"

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "rpc fixture, line %d: %s\n", __LINE__, #condition);                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void post(void *context, struct rpc_ticket ticket, struct proto_span frames, bool final)
{
    struct rpc_fixture *fixture = context;
    (void)ticket;
    if (frames.bytes == 0 && !final) {
        return; /* releases the connection, which is held by nobody here */
    }
    pthread_mutex_lock(&fixture->lock);
    proto_writer_reset(&fixture->late);
    proto_write_raw(&fixture->late, frames);
    fixture->late_final += final;
    pthread_cond_signal(&fixture->arrived);
    pthread_mutex_unlock(&fixture->lock);
    free((void *)(uintptr_t)frames.data);
}

static void write_stats(void *context, struct proto_writer *out)
{
    (void)context;
    proto_write_map(out, 0);
}

void rpc_fixture_open(struct rpc_fixture *fixture, bool tokens)
{
    struct proto_fault fault = {0};
    struct base_clock clock = base_clock_system();
    *fixture = (struct rpc_fixture){0};
    snprintf(fixture->directory, sizeof fixture->directory, "/tmp/icpd-rpc-XXXXXX");
    MUST(mkdtemp(fixture->directory));
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_cond_init(&fixture->arrived, NULL);
    proto_writer_init(&fixture->out);
    proto_writer_init(&fixture->late);
    struct engine_options engine = {
        .store = {.path = fixture->directory, .map_bytes_max = (size_t)1 << 30},
        .now_ms = clock.now_ms,
        .now_context = clock.context,
    };
    fixture->engine = engine_create(&engine, &fault);
    MUST(fixture->engine);
    fixture->lookalike = lookalike_create(fixture->engine, 0, &fault);
    MUST(fixture->lookalike);
    fixture->dispute = dispute_create(fixture->engine, &fault);
    MUST(fixture->dispute);
    fixture->metrics = base_metrics_create(1 + RPC_EXTRA_BLOCKS);
    MUST(fixture->metrics);
    struct rpc_options rpc = {
        .engine = fixture->engine,
        .lookalike = fixture->lookalike,
        .dispute = fixture->dispute,
        .metrics = fixture->metrics,
        .workers = 1,
        .tokens.read = tokens ? "reader" : NULL,
        .tokens.admin = tokens ? "admin" : NULL,
        .now_ns = clock.now_ns,
        .now_context = clock.context,
        .post = post,
        .post_context = fixture,
        .stats_write = write_stats,
        .backup_path = fixture->backups,
    };
    fixture->rpc = rpc_create(&rpc, &fault);
    MUST(fixture->rpc);
    fixture->worker = rpc_worker_create(fixture->rpc, 0, &fault);
    MUST(fixture->worker);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void rpc_fixture_close(struct rpc_fixture *fixture)
{
    rpc_session_close(fixture->rpc, &fixture->session);
    rpc_worker_destroy(fixture->worker);
    engine_stop(fixture->engine);
    dispute_destroy(fixture->dispute);
    lookalike_destroy(fixture->lookalike);
    engine_destroy(fixture->engine);
    rpc_destroy(fixture->rpc);
    base_metrics_destroy(fixture->metrics);
    proto_writer_fini(&fixture->out);
    proto_writer_fini(&fixture->late);
    nftw(fixture->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- a reply and its description ---- */

/* A table of fields, or of members, and what shapes they have. */
struct look {
    const struct proto_field_info *fields;
    size_t count;
    const struct proto_op_info *op; /* whose reply it is; NULL: a shape's */
    const struct proto_shape_info *shape;
};

static bool shape_look(enum proto_shape shape, struct proto_span map, struct proto_fault *fault);

static enum proto_shape shape_of(const struct look *look, size_t index)
{
    return look->op ? proto_shape_of(look->op, true, index) : look->shape->of[index];
}

/* The place of a name, or of the member in angle brackets, which stands for any; else `count`. */
static size_t place_of(const struct look *look, struct proto_span key)
{
    size_t any = look->count;
    for (size_t i = 0; i < look->count; i++) {
        if (proto_span_is(key, look->fields[i].name)) {
            return i;
        }
        any = look->fields[i].name[0] == '<' ? i : any;
    }
    return any;
}

static bool list_look(enum proto_shape shape, struct proto_span list, struct proto_fault *fault)
{
    struct proto_reader reader;
    proto_reader_init(&reader, list, fault);
    size_t count = proto_read_array(&reader);
    for (size_t i = 0; i < count; i++) {
        if (!shape_look(shape, proto_read_any(&reader), fault)) {
            return proto_fault_within(fault, "[%zu]", i);
        }
    }
    return proto_reader_ok(&reader);
}

/* One pair by itself, as a map that has nothing else. */
static bool pair_look(const struct look *look, size_t index, struct proto_span key,
                      struct proto_span value, struct proto_fault *fault)
{
    struct proto_field_info field = look->fields[index];
    struct proto_arg arg;
    struct proto_writer alone;
    enum proto_shape shape = shape_of(look, index);
    field.name = (const char *)key.data;
    field.name_bytes = key.bytes;
    if (value.bytes == 1 && value.data[0] == 0xc0 && strstr(field.help, "nil") != NULL) {
        return true; /* where there is none, as its help says */
    }
    proto_writer_init(&alone);
    proto_write_map(&alone, 1);
    proto_write_str(&alone, key);
    proto_write_raw(&alone, value);
    bool good = proto_fields_decode(&field, 1, proto_writer_span(&alone), &arg, fault);
    proto_writer_fini(&alone);
    if (good && shape != PROTO_SHAPE_NONE && field.type != PROTO_ANY) {
        good = (field.type == PROTO_LIST ? list_look : shape_look)(shape, value, fault) ||
               proto_fault_within(fault, "%.*s", (int)key.bytes, (const char *)key.data);
    }
    return good;
}

static bool map_look(const struct look *look, struct proto_span map, bool whole,
                     struct proto_fault *fault)
{
    bool there[PROTO_ARGS_MAX] = {false};
    struct proto_reader reader;
    proto_reader_init(&reader, map, fault);
    (void)proto_read_any(&reader); /* form, and that no key stands twice */
    if (!proto_reader_end(&reader)) {
        return false;
    }
    proto_reader_init(&reader, map, fault);
    size_t pairs = proto_read_map(&reader);
    for (size_t i = 0; i < pairs; i++) {
        struct proto_span key = proto_read_key(&reader);
        struct proto_span value = proto_read_any(&reader);
        size_t place = place_of(look, key);
        if (place == look->count) {
            char name[64];
            (void)snprintf(name, sizeof name, "%.*s", (int)key.bytes, (const char *)key.data);
            return proto_fault_set(fault, PROTO_BAD_FIELD, name, "no table has this name");
        }
        if (!pair_look(look, place, key, value, fault)) {
            return false;
        }
        there[place] = true;
    }
    for (size_t i = 0; i < look->count && whole && proto_reader_ok(&reader); i++) {
        if (!there[i] && look->fields[i].presence == PROTO_REQUIRED) {
            return proto_fault_set(fault, PROTO_MISSING_FIELD, look->fields[i].name,
                                   "it is required");
        }
    }
    return proto_reader_ok(&reader);
}

static bool shape_look(enum proto_shape shape, struct proto_span map, struct proto_fault *fault)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    const struct look look = {.fields = info->members, .count = info->member_count, .shape = info};
    struct proto_fault ignored;
    /* A lead that was scored is answered as score does; one that was not, by its shape. */
    return (shape == PROTO_SHAPE_LEAD_SCORE &&
            rpc_fixture_look(proto_op_find(PROTO_OP_SCORE), map, false, &ignored)) ||
           map_look(&look, map, true, fault);
}

bool rpc_fixture_look(const struct proto_op_info *op, struct proto_span payload, bool progress,
                      struct proto_fault *fault)
{
    const struct look look = {.fields = op->reply, .count = op->reply_count, .op = op};
    return map_look(&look, payload, !progress, fault);
}

static void reply_look(uint8_t opcode, const struct proto_header *header, struct proto_span payload)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct proto_op_info *op = proto_op_find(opcode);
    struct proto_fault told;
    bool good = header->code != PROTO_OK
                    ? proto_fault_decode(payload, &told, &fault)
                    : op && rpc_fixture_look(op, payload, header->flags & PROTO_FLAG_MORE, &fault);
    if (!good) {
        fprintf(stderr, "the reply to %s is not what its table says: %s: %s\n",
                op ? op->name : "nothing", fault.field, fault.message);
        abort();
    }
}

/* ---- asking ---- */

/* The last whole frame of the bytes: progress frames come before it. */
static uint8_t last_frame(uint8_t op, struct proto_span bytes, struct proto_span *payload)
{
    struct proto_header header = {0};
    struct proto_fault fault = {0};
    size_t used = 0;
    while (bytes.bytes > 0) {
        MUST(proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, true, &header, payload, &used,
                               &fault) == PROTO_FRAME_WHOLE);
        reply_look(op, &header, *payload);
        bytes.data += used;
        bytes.bytes -= used;
    }
    return header.code;
}

uint8_t rpc_fixture_call(struct rpc_fixture *fixture, uint8_t op, struct proto_span request,
                         struct proto_span *payload)
{
    struct proto_frame frame = {
        .header = {.payload_bytes = (uint32_t)request.bytes,
                   .version = 1,
                   .code = op,
                   .request_id = 1},
        .payload = request,
    };
    size_t final_before = fixture->late_final;
    proto_writer_reset(&fixture->out);
    struct rpc_batch batch = {.session = &fixture->session,
                              .frames = &frame,
                              .count = 1,
                              .out_room = SIZE_MAX,
                              .out = &fixture->out};
    if (rpc_serve(fixture->worker, &batch) == 0) {
        return last_frame(op, proto_writer_span(&fixture->out), payload);
    }
    pthread_mutex_lock(&fixture->lock);
    while (fixture->late_final == final_before) {
        pthread_cond_wait(&fixture->arrived, &fixture->lock);
    }
    uint8_t status = last_frame(op, proto_writer_span(&fixture->late), payload);
    pthread_mutex_unlock(&fixture->lock);
    return status;
}

void rpc_fixture_ask(struct rpc_fixture *fixture, uint8_t op, struct proto_span request,
                     struct proto_arg *args)
{
    struct proto_span payload = {0};
    struct proto_fault fault = {0};
    uint8_t status = rpc_fixture_call(fixture, op, request, &payload);
    if (status != PROTO_OK) {
        struct proto_fault reply = {0};
        proto_fault_decode(payload, &reply, &fault);
        fprintf(stderr, "%s: %s\n", reply.field, reply.message);
    }
    MUST(status == PROTO_OK);
    const struct proto_op_info *info = proto_op_find(op);
    MUST(proto_fields_decode(info->reply, info->reply_count, payload, args, &fault));
}

static const char schema[] =
    "{\"fields\":["
    "{\"name\":\"industry\",\"type\":\"category\",\"family\":\"firmographic\"},"
    "{\"name\":\"employees\",\"type\":\"number\",\"family\":\"firmographic\","
    "\"stale_after_days\":30},"
    "{\"name\":\"tech\",\"type\":\"tags\",\"family\":\"technographic\"},"
    "{\"name\":\"trial\",\"type\":\"flag\",\"family\":\"behavioural\"},"
    "{\"name\":\"embedding\",\"type\":\"vector\",\"dims\":2,\"family\":\"behavioural\"},"
    "{\"name\":\"won\",\"type\":\"flag\",\"family\":\"lifecycle\"}],"
    "\"missing\":[\"Select\"]}";

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void write_account(struct proto_writer *request, size_t index, uint32_t *state)
{
    static const char *const industries[] = {"Software", "Retail", "Steel"};
    char text[48];
    const char *industry = industries[next(state) % 3];
    unsigned employees = 1 + next(state) % 1000;
    bool jira = next(state) % 2;
    /* Odds follow the fields, so that there is something to learn. */
    unsigned odds = (strcmp(industry, "Software") == 0 ? 40U : 5U) + (employees > 500 ? 30U : 0U) +
                    (jira ? 15U : 0U);
    proto_write_map(request, 3);
    proto_write_text(request, "id");
    snprintf(text, sizeof text, "a%zu", index);
    proto_write_text(request, text);
    proto_write_text(request, "keys");
    proto_write_array(request, 1);
    snprintf(text, sizeof text, "domain:company%zu.example", index);
    proto_write_text(request, text);
    proto_write_text(request, "values");
    proto_write_map(request, 5);
    proto_write_text(request, "industry");
    proto_write_text(request, industry);
    proto_write_text(request, "employees");
    proto_write_uint(request, employees);
    proto_write_text(request, "tech");
    proto_write_array(request, jira);
    if (jira) {
        proto_write_text(request, "Jira");
    }
    proto_write_text(request, "trial");
    proto_write_bool(request, next(state) % 2);
    proto_write_text(request, "won");
    proto_write_bool(request, next(state) % 100 < odds);
}

void rpc_fixture_fill(struct rpc_fixture *fixture, size_t count)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_writer request;
    uint32_t state = 12345;
    proto_writer_init(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "document");
    proto_write_text(&request, schema);
    rpc_fixture_ask(fixture, PROTO_OP_SCHEMA_PUT, proto_writer_span(&request), args);
    proto_writer_reset(&request);
    proto_write_map(&request, 1);
    proto_write_text(&request, "accounts");
    proto_write_array(&request, count);
    for (size_t i = 0; i < count; i++) {
        write_account(&request, i, &state);
    }
    rpc_fixture_ask(fixture, PROTO_OP_ACCOUNT_PUT, proto_writer_span(&request), args);
    proto_writer_fini(&request);
}

void rpc_fixture_learn(struct rpc_fixture *fixture)
{
    struct proto_arg args[PROTO_ARGS_MAX];
    struct proto_writer request;
    proto_writer_init(&request);
    proto_write_map(&request, 2);
    proto_write_text(&request, "label");
    proto_write_text(&request, "won = 1");
    proto_write_text(&request, "activate");
    proto_write_bool(&request, true);
    rpc_fixture_ask(fixture, PROTO_OP_ICP_LEARN, proto_writer_span(&request), args);
    proto_writer_fini(&request);
}
