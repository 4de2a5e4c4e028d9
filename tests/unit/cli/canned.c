/* SPDX-License-Identifier: Apache-2.0 */
/* The server is that of the client's tests, with one script for every connection; standard output
 * and error are files for as long as the command runs. */
#include "tests/unit/cli/canned.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/cli/cli_folder.h"
#include "tests/unit/client/fake_server.h"
#include "tests/unit/rpc/rpc_request.h"

enum { SCRIPTS = 8, REPLIES_MAX = 16, DRAWN_BYTES = 32 };

/* What the script answers from, and where it writes down what it was asked. */
static struct {
    const struct canned *replies;
    size_t count;
    struct proto_writer payloads[REPLIES_MAX];
    size_t given[REPLIES_MAX];
    struct proto_span payload; /* of the reply under way */
    FILE *asked;
} table;

static void payload_fill(struct proto_writer *out)
{
    proto_write_raw(out, table.payload);
}

/* ---- what was asked, as JSON ---- */

static json_t *value_json(struct proto_reader *reader);

static json_t *map_json(struct proto_reader *reader)
{
    json_t *map = json_object();
    size_t pairs = proto_read_map(reader);
    for (size_t i = 0; i < pairs; i++) {
        struct proto_span key = proto_read_key(reader);
        json_object_setn_new(map, (const char *)key.data, key.bytes, value_json(reader));
    }
    proto_reader_leave(reader);
    return map;
}

static json_t *list_json(struct proto_reader *reader)
{
    json_t *list = json_array();
    size_t count = proto_read_array(reader);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, value_json(reader));
    }
    proto_reader_leave(reader);
    return list;
}

static json_t *value_json(struct proto_reader *reader)
{
    struct proto_span text;
    switch (proto_reader_peek(reader)) {
    case PROTO_KIND_MAP:
        return map_json(reader);
    case PROTO_KIND_ARRAY:
        return list_json(reader);
    case PROTO_KIND_STR:
        text = proto_read_str(reader);
        return json_stringn((const char *)text.data, text.bytes);
    case PROTO_KIND_BOOL:
        return json_boolean(proto_read_bool(reader));
    case PROTO_KIND_INT:
        return json_integer(proto_read_int(reader));
    case PROTO_KIND_FLOAT:
        return json_real(proto_read_number(reader));
    default:
        (void)proto_read_any(reader);
        return json_null();
    }
}

static void asked_note(const struct proto_op_info *op, struct proto_span payload)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, payload, &fault);
    json_t *json = payload.bytes > 0 ? value_json(&reader) : json_object();
    json_object_del(json, "deadline_ms");
    if (json_string_length(json_object_get(json, "operation")) == DRAWN_BYTES) {
        json_object_del(json, "operation"); /* drawn by the client */
    }
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII);
    fprintf(table.asked, "%s %s\n", op->name, text != NULL ? text : "?");
    free(text);
    json_decref(json);
}

/* ---- the script ---- */

/* The place of the next reply to an operation; REPLIES_MAX: there is none. */
static size_t reply_next(enum proto_op op)
{
    size_t last = REPLIES_MAX;
    for (size_t i = 0; i < table.count; i++) {
        if (table.replies[i].op == op) {
            last = i;
            if (table.given[i] == 0) {
                break;
            }
        }
    }
    if (last < REPLIES_MAX) {
        table.given[last]++;
    }
    return last;
}

static bool answer(int fd, const struct fake_request *request)
{
    uint32_t id = request->header.request_id;
    const struct proto_op_info *op = proto_op_find(request->header.code);
    if (op == NULL) {
        return false;
    }
    if (op->op == PROTO_OP_HELLO) {
        return fake_reply(fd, id, PROTO_OK, 0, fake_fill_hello_operations);
    }
    size_t at = reply_next(op->op);
    if (op->op == PROTO_OP_PING && at == REPLIES_MAX) { /* a client asks by itself, if it waits */
        return fake_reply(fd, id, PROTO_OK, 0, fake_fill_ping);
    }
    asked_note(op, request->payload);
    if (at == REPLIES_MAX) {
        return fake_reply(fd, id, PROTO_UNKNOWN_OP, 0, NULL);
    }
    table.payload = proto_writer_span(&table.payloads[at]);
    return fake_reply(fd, id, (uint8_t)table.replies[at].code, 0, payload_fill);
}

static bool script(int fd)
{
    struct fake_request request;
    while (fake_read(fd, &request)) {
        if (!answer(fd, &request)) {
            return false;
        }
    }
    return true;
}

static void fault_write(struct proto_writer *out, const struct canned *canned)
{
    const char *colon = strstr(canned->reply, ": ");
    assert_non_null(colon);
    const struct proto_error_info *info = proto_error_find((unsigned)canned->code);
    proto_write_map(out, 5);
    proto_write_text(out, "code");
    proto_write_uint(out, (uint64_t)canned->code);
    proto_write_text(out, "error");
    proto_write_text(out, info->name);
    proto_write_text(out, "retryable");
    proto_write_bool(out, info->retryable);
    proto_write_text(out, "field");
    proto_write_str(
        out, (struct proto_span){(const uint8_t *)canned->reply, (size_t)(colon - canned->reply)});
    proto_write_text(out, "message");
    proto_write_text(out, colon + 2);
}

/* JSON with ' for ", so that people can read it in a program. */
static void reply_write(struct proto_writer *out, const char *reply)
{
    char *text = strdup(reply);
    assert_non_null(text);
    for (char *at = strchr(text, '\''); at != NULL; at = strchr(at, '\'')) {
        *at = '"';
    }
    (void)rpc_request_json(out, text);
    free(text);
}

static void replies_set(const struct canned *replies, size_t count)
{
    assert_true(count <= REPLIES_MAX);
    table.replies = replies;
    table.count = count;
    memset(table.given, 0, sizeof table.given);
    for (size_t i = 0; i < count; i++) {
        proto_writer_init(&table.payloads[i]);
        if (replies[i].code == PROTO_OK) {
            reply_write(&table.payloads[i], replies[i].reply);
        } else {
            fault_write(&table.payloads[i], &replies[i]);
        }
    }
}

/* ---- a run ---- */

/* A stream that is a file for a while. */
struct caught {
    int stream; /* its descriptor */
    int kept;
    int file;
};

static void catch_begin(struct caught *caught, int stream)
{
    *caught =
        (struct caught){.stream = stream, .kept = dup(stream), .file = memfd_create("caught", 0)};
    assert_true(caught->kept >= 0 && caught->file >= 0);
    assert_true(dup2(caught->file, stream) >= 0);
}

static char *catch_end(struct caught *caught)
{
    assert_true(dup2(caught->kept, caught->stream) >= 0);
    off_t bytes = lseek(caught->file, 0, SEEK_END);
    char *text = calloc(1, (size_t)bytes + 1);
    assert_non_null(text);
    assert_true(pread(caught->file, text, (size_t)bytes, 0) == bytes);
    close(caught->kept);
    close(caught->file);
    return text;
}

void canned_run(struct canned_run *run, const char *line, const struct canned *replies,
                size_t count)
{
    fake_script scripts[SCRIPTS];
    struct fake_server server;
    struct caught out;
    struct caught err;
    size_t asked_bytes;
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    for (size_t i = 0; i < SCRIPTS; i++) {
        scripts[i] = script;
    }
    replies_set(replies, count);
    table.asked = open_memstream(&run->asked, &asked_bytes);
    assert_non_null(table.asked);
    fake_start(&server, false, scripts, SCRIPTS);
    setenv("ICP_URI", server.uri, 1);
    (void)fflush(stdout);
    catch_begin(&out, STDOUT_FILENO);
    catch_begin(&err, STDERR_FILENO);
    run->status = folder_line("", line);
    (void)fflush(stdout);
    (void)fflush(stderr);
    run->said = catch_end(&err);
    run->printed = catch_end(&out);
    (void)fake_stop(&server); /* not every script was needed */
    (void)fclose(table.asked);
    for (size_t i = 0; i < count; i++) {
        proto_writer_fini(&table.payloads[i]);
    }
}

void canned_fini(struct canned_run *run)
{
    free(run->printed);
    free(run->said);
    free(run->asked);
}

static void is_same(const char *line, const char *what, const char *found, const char *wanted)
{
    if (wanted != NULL && strcmp(found, wanted) != 0) {
        fail_msg("icp %s: %s\n%s\nis not\n%s", line, what, found, wanted);
    }
}

void canned_rows(const struct canned_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct canned_run run;
        canned_run(&run, rows[i].line, rows[i].replies, rows[i].count);
        if (run.status != rows[i].status) {
            fail_msg("icp %s: status %d, not %d\n%s%s", rows[i].line, run.status, rows[i].status,
                     run.printed, run.said);
        }
        is_same(rows[i].line, "asked", run.asked, rows[i].asked);
        is_same(rows[i].line, "printed", run.printed, rows[i].printed);
        is_same(rows[i].line, "said", run.said, rows[i].said);
        canned_fini(&run);
    }
}
