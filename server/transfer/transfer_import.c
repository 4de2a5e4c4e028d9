/* SPDX-License-Identifier: Apache-2.0 */
/* A line is read, held against what the worker's view shows, and becomes a batch: a document with
 * its number and time, a switch, or accounts. What is stored already is refused or, when the import
 * is one that is begun again, passed over if it is the same. Every refusal says line and column,
 * and stores nothing of the request. Between the look and the write somebody else may write: then
 * the store itself refuses what is not new. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/transfer/transfer_parts.h"
#include "server/transfer/transfer_similar.h"

static bool count_event(void *context, const struct event *event)
{
    (void)event;
    ++*(uint64_t *)context;
    return true;
}

/* Of all accounts that can be read. */
static uint64_t events_count(struct store_view *view)
{
    uint64_t count = 0;
    uint32_t slots = store_view_slots(view);
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct store_source source;
        struct proto_fault ignored;
        if (store_source(view, slot, &source, &ignored) && source.count == 0) {
            (void)store_timeline(view, slot, count_event, &count, &ignored);
        }
    }
    return count;
}

static uint64_t stored_count(const struct transfer_importing *importing, enum transfer_kind kind)
{
    struct store_change change;
    uint32_t count = 0;
    if (kind == TRANSFER_ACCOUNT) {
        return store_view_records(importing->worker->view);
    }
    if (kind == TRANSFER_IDENTITY) {
        return store_view_entries(importing->worker->view);
    }
    if (kind == TRANSFER_EVENT) {
        return events_count(importing->worker->view);
    }
    while (transfer_stored(importing, kind, count + 1, &change)) {
        count++;
    }
    return count;
}

static bool head_take(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"icpd", "format"};
    struct proto_span what;
    int64_t format;
    if (!transfer_line_known(line, names, 2, importing->fault) ||
        !transfer_line_text(line, "icpd", &what, importing->fault) ||
        !transfer_line_int(line, "format", 0, INT64_MAX, &format, importing->fault)) {
        return false;
    }
    if (!proto_span_is(what, "export") || format != 1) {
        return transfer_line_refuse(line, TRANSFER_AT(format == 1 ? "icpd" : "format"),
                                    importing->fault,
                                    "{\"icpd\":\"export\",\"format\":1} is what this build reads");
    }
    for (unsigned kind = 0; !importing->import->again && kind < TRANSFER_KIND_COUNT; kind++) {
        uint64_t count = stored_count(importing, (enum transfer_kind)kind);
        if (count > 0) {
            return proto_fault_set(
                importing->fault, PROTO_CONFLICT, "lines",
                "the store is not empty: it holds %" PRIu64 " %s; everything is "
                "imported into an empty one, or, with `again`, into one that an "
                "import of the same file was cut off in",
                count, count == 1 ? transfer_shelves[kind].name : transfer_shelves[kind].plural);
        }
    }
    importing->present++;
    return true;
}

/* Of these a file of before there were any says nothing. */
static bool is_later(enum transfer_kind kind)
{
    return kind == TRANSFER_EVENT || kind == TRANSFER_IDENTITY || kind == TRANSFER_TERM ||
           kind == TRANSFER_METRIC || kind == TRANSFER_CHALLENGE || kind == TRANSFER_SEGMENT;
}

static bool end_take(struct transfer_importing *importing, const struct transfer_line *line)
{
    for (unsigned kind = 0; kind < TRANSFER_KIND_COUNT; kind++) {
        int64_t said = 0;
        const char *name = transfer_shelves[kind].plural;
        bool silent =
            is_later((enum transfer_kind)kind) && json_object_get(line->json, name) == NULL;
        if (!silent && !transfer_line_int(line, name, 0, INT64_MAX, &said, importing->fault)) {
            return false;
        }
        uint64_t count = stored_count(importing, (enum transfer_kind)kind);
        if (count != (uint64_t)said) {
            transfer_line_refuse(line, TRANSFER_AT(name), importing->fault,
                                 "the file says that it has %" PRId64 " %s, and the store holds "
                                 "%" PRIu64 " now",
                                 said, name, count);
            importing->fault->code = PROTO_CONFLICT;
            return false;
        }
    }
    importing->present++;
    return true;
}

static bool damaged_refuse(const struct transfer_importing *importing,
                           const struct transfer_line *line)
{
    const char *what = json_string_value(json_object_get(line->json, "damaged"));
    return transfer_line_refuse(line, TRANSFER_AT("damaged"), importing->fault,
                                "this %s could not be read when it was exported: put what it was "
                                "into this line, or leave the line out and seal the file anew "
                                "(docs/portable.md)",
                                what == NULL ? "line" : what);
}

/* Looked at and not stored: vectors are built, and kept with what was asked for, when all is there.
 */
static bool similar_take(struct transfer_importing *importing, const struct transfer_line *line)
{
    importing->present++;
    return transfer_similar_check(line, importing->fault);
}

static bool single_take(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const struct {
        const char *name;
        bool (*take)(struct transfer_importing *importing, const struct transfer_line *line);
    } takers[] = {{"icpd", head_take},
                  {"schema", transfer_take_schema},
                  {"icp", transfer_take_icp},
                  {"list", transfer_take_list},
                  {"switch", transfer_take_switch},
                  {"challenge", transfer_take_challenge},
                  {"plan", transfer_take_term},
                  {"metric", transfer_take_metric},
                  {"segment", transfer_take_segment},
                  {"similar", similar_take},
                  {"end", end_take}};
    if (strcmp(line->first, "damaged") == 0) {
        return damaged_refuse(importing, line);
    }
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        if (strcmp(line->first, takers[i].name) == 0) {
            return takers[i].take(importing, line);
        }
    }
    return transfer_line_refuse(
        line, TRANSFER_AT(line->first), importing->fault,
        "a line begins with icpd, schema, icp, account, list, switch, "
        "challenge, identity, plan, metric, segment, event, similar or end, and this with \"%s\"",
        line->first);
}

static bool request_take(struct transfer_importing *importing)
{
    struct transfer_line line;
    struct proto_span text = {0};
    size_t at = 0;
    (void)transfer_line_next(importing->import->lines, &at, &text);
    if (!transfer_line_load(&line, text, importing->import->line, importing->fault)) {
        return false;
    }
    bool accounts = strcmp(line.first, transfer_shelves[TRANSFER_ACCOUNT].name) == 0;
    bool events = strcmp(line.first, transfer_shelves[TRANSFER_EVENT].name) == 0;
    bool entries = strcmp(line.first, transfer_shelves[TRANSFER_IDENTITY].name) == 0;
    bool good = accounts || events || entries;
    if (!good) {
        good = at >= importing->import->lines.bytes ||
               transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                    "a line that is no account, entry or event comes by itself");
        good = good && single_take(importing, &line);
    }
    transfer_line_fini(&line);
    return good && (!accounts || transfer_take_accounts(importing)) &&
           (!entries || transfer_take_identities(importing)) &&
           (!events || transfer_take_events(importing));
}

/* A request whose lines are stored already, and whose operation may be what stored them. */
struct asked {
    struct engine_write write;
    struct proto_fault refused; /* what is answered if it was not */
};

static void asked_done(void *context, const struct engine_written *written)
{
    struct asked *asked = context;
    struct engine_written told = *written;
    if (told.fault.code == PROTO_NOT_FOUND) {
        told.fault = asked->refused;
    }
    asked->write.on_done(asked->write.context, &told);
    free(asked);
}

/* Asks the writer, which knows the operations, since a worker must not wait. */
static enum transfer_took operation_ask(struct engine_worker *worker,
                                        const struct engine_write *write, struct proto_fault *fault)
{
    struct asked *asked = malloc(sizeof *asked);
    struct engine_ingest *ingest = asked == NULL ? NULL : engine_ingest_begin(fault);
    if (ingest == NULL) {
        free(asked);
        return TRANSFER_REFUSED;
    }
    *asked = (struct asked){.write = *write, .refused = *fault};
    struct engine_write ask = *write;
    ask.operation.author[0] = '\0'; /* a batch of nothing but its operation asks for it */
    ask.on_done = asked_done;
    ask.context = asked;
    if (engine_ingest_commit(ingest, worker->engine, &ask, fault)) {
        return TRANSFER_LATER;
    }
    free(asked);
    return TRANSFER_REFUSED;
}

enum transfer_took transfer_import(struct engine_worker *worker,
                                   const struct transfer_import *import,
                                   const struct engine_write *write, uint64_t *present,
                                   struct proto_fault *fault)
{
    struct transfer_importing importing = {.worker = worker, .import = import, .fault = fault};
    importing.ingest = engine_ingest_begin(fault);
    if (importing.ingest == NULL) {
        return TRANSFER_REFUSED;
    }
    bool good = request_take(&importing);
    *present = importing.present;
    if (!good || importing.fresh == 0) {
        engine_ingest_drop(importing.ingest);
        return good ? TRANSFER_NOTHING
               : fault->code == PROTO_CONFLICT && write->operation.id.bytes > 0
                   ? operation_ask(worker, write, fault)
                   : TRANSFER_REFUSED;
    }
    return engine_ingest_commit(importing.ingest, worker->engine, write, fault) ? TRANSFER_LATER
                                                                                : TRANSFER_REFUSED;
}
