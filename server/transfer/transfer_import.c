/* SPDX-License-Identifier: Apache-2.0 */
/* A line is read, held against what the worker's view shows, and becomes a batch: a document with
 * its number and time, a switch, or accounts. What is stored already is refused or, when the import
 * is one that is begun again, passed over if it is the same. Every refusal says line and column,
 * and stores nothing of the request. Between the look and the write somebody else may write: then
 * the store itself refuses what is not new. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine/worker.h"
#include "server/feature/json_text.h"
#include "server/learn/document.h"
#include "server/store/store_document.h"
#include "server/tal/tal_document.h"
#include "server/transfer/transfer_account.h"
#include "server/transfer/transfer_event.h"
#include "server/transfer/transfer_history.h"
#include "server/transfer/transfer_identity.h"
#include "server/transfer/transfer_similar.h"

struct importing {
    struct engine_worker *worker;
    const struct transfer_import *import;
    struct engine_ingest *ingest;
    uint64_t present, fresh; /* lines */
    struct proto_fault *fault;
};

static const struct shelf {
    const char *name, *plural;
} shelves[] = {
#define X(KIND, name, plural) {name, plural},
    TRANSFER_KINDS(X)
#undef X
};

static enum store_document_kind stored_kind(enum transfer_kind kind)
{
    switch (kind) {
    case TRANSFER_SCHEMA:
        return STORE_DOCUMENT_SCHEMA;
    case TRANSFER_ICP:
        return STORE_DOCUMENT_ICP;
    case TRANSFER_LIST:
        return STORE_DOCUMENT_TAL;
    default:
        return STORE_DOCUMENT_SWITCH;
    }
}

/* Whether a document of that number is stored; one that is damaged is. */
static bool stored(const struct importing *importing, enum transfer_kind kind, uint32_t number,
                   struct store_change *change)
{
    struct proto_fault fault = {.code = PROTO_OK};
    *change = (struct store_change){0};
    return store_document_get(importing->worker->view, stored_kind(kind), number, change, &fault) ||
           fault.code != PROTO_NOT_FOUND;
}

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

static uint64_t stored_count(const struct importing *importing, enum transfer_kind kind)
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
    while (stored(importing, kind, count + 1, &change)) {
        count++;
    }
    return count;
}

static bool head_take(struct importing *importing, const struct transfer_line *line)
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
            return proto_fault_set(importing->fault, PROTO_CONFLICT, "lines",
                                   "the store is not empty: it holds %" PRIu64 " %s; everything is "
                                   "imported into an empty one, or, with `again`, into one that an "
                                   "import of the same file was cut off in",
                                   count, count == 1 ? shelves[kind].name : shelves[kind].plural);
        }
    }
    importing->present++;
    return true;
}

static bool end_take(struct importing *importing, const struct transfer_line *line)
{
    for (unsigned kind = 0; kind < TRANSFER_KIND_COUNT; kind++) {
        int64_t said = 0;
        const char *name = shelves[kind].plural;
        /* A file of before there were events, or identity entries, says nothing of them. */
        bool silent = (kind == TRANSFER_EVENT || kind == TRANSFER_IDENTITY) &&
                      json_object_get(line->json, name) == NULL;
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

/* What all documents share; `body` is the name of their text. */
struct paper {
    enum transfer_kind kind;
    uint32_t number;
    int64_t time_ms;
    struct proto_span text;
    const char *body;
};

static bool paper_read(struct importing *importing, const struct transfer_line *line,
                       const char *const *names, size_t count, struct paper *paper)
{
    int64_t number;
    bool good = transfer_line_known(line, names, count, importing->fault) &&
                transfer_line_int(line, shelves[paper->kind].name, 1, UINT32_MAX, &number,
                                  importing->fault) &&
                transfer_line_int(line, "time_ms", INT64_MIN, INT64_MAX, &paper->time_ms,
                                  importing->fault) &&
                transfer_line_text(line, paper->body, &paper->text, importing->fault);
    paper->number = good ? (uint32_t)number : 0;
    return good;
}

/* Whether it is to be stored; false with *fault code PROTO_OK: it is there, just so. */
static bool paper_is_new(struct importing *importing, const struct transfer_line *line,
                         const struct paper *paper)
{
    struct store_change change;
    const char *name = shelves[paper->kind].name;
    if (stored(importing, paper->kind, paper->number, &change)) {
        if (importing->import->again && change.time_ms == paper->time_ms &&
            proto_span_equal(change.text, paper->text)) {
            importing->present++;
            return false;
        }
        transfer_line_refuse(line, TRANSFER_AT(name), importing->fault,
                             "%s %" PRIu32 " is stored already%s", name, paper->number,
                             importing->import->again ? ", and is another" : "");
        importing->fault->code = PROTO_CONFLICT;
        return false;
    }
    if (paper->number > 1 && !stored(importing, paper->kind, paper->number - 1, &change)) {
        return transfer_line_refuse(line, TRANSFER_AT(name), importing->fault,
                                    "%s %" PRIu32 " follows on %" PRIu32 ", which is not stored",
                                    name, paper->number, paper->number - 1);
    }
    importing->fresh++;
    return true;
}

static bool paper_store(struct importing *importing, const struct transfer_line *line,
                        const struct paper *paper, struct store_document *document)
{
    document->kind = stored_kind(paper->kind);
    document->text = paper->text;
    return engine_ingest_document(importing->ingest, paper->time_ms, document, importing->fault) ||
           transfer_line_within(line, TRANSFER_AT(paper->body), importing->fault);
}

/* One that says its version was printed by a store, and is kept as it is; any other gets the ids of
 * its fields from the versions before it. */
static bool schema_take(struct importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"schema", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_SCHEMA, .body = "text"};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    json_t *json = feature_json_load(paper.text, PROTO_BAD_SCHEMA, importing->fault);
    bool numbered = json != NULL && json_object_get(json, "version") != NULL;
    json_decref(json);
    struct feature_schema *schema =
        json == NULL ? NULL
                     : feature_schema_parse(paper.text, paper.number,
                                            numbered ? NULL : importing->worker->state->schema,
                                            importing->fault);
    if (schema == NULL) {
        return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
    }
    feature_schema_release(schema);
    struct store_document document = {.number = numbered ? paper.number : 0};
    return paper_store(importing, line, &paper, &document);
}

static bool icp_take(struct importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"icp", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_ICP, .body = "text"};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    const struct feature_schema *schema = importing->worker->state->schema;
    if (schema == NULL) {
        return transfer_line_refuse(line, TRANSFER_AT("icp"), importing->fault,
                                    "a schema must come before an ICP version");
    }
    struct learn_document *parsed =
        learn_document_parse(paper.text, paper.number, schema, importing->fault);
    if (parsed == NULL) {
        return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
    }
    learn_document_release(parsed);
    struct store_document document = {.number = paper.number};
    return paper_store(importing, line, &paper, &document);
}

static bool name_check(struct importing *importing, const struct transfer_line *line,
                       const struct paper *paper)
{
    struct proto_fault none = {.code = PROTO_OK};
    if (paper->text.bytes == 0) {
        return true; /* one that was given up: a number without a name */
    }
    json_t *document = tal_document_open(paper->text, importing->fault);
    if (document == NULL) {
        if (importing->fault->code == PROTO_CORRUPT) { /* of the file, not of the store */
            importing->fault->code = PROTO_BAD_FIELD;
        }
        return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
    }
    const struct engine_lists *lists = importing->worker->state->lists;
    struct proto_span name = feature_json_span(json_object_get(document, "name"));
    bool taken = lists != NULL && engine_lists_find(lists, name, &none) != NULL;
    bool good = !taken || transfer_line_refuse(line, TRANSFER_AT("text"), importing->fault,
                                               "a list of the name \"%.*s\" came before",
                                               (int)name.bytes, (const char *)name.data);
    json_decref(document);
    return good;
}

static bool list_take(struct importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"list", "time_ms", "text", "ids"};
    struct paper paper = {.kind = TRANSFER_LIST, .body = "text"};
    if (!paper_read(importing, line, names, 4, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    const json_t *ids = json_object_get(line->json, "ids");
    size_t count = json_array_size(ids);
    if (!json_is_array(ids) || count > PROTO_TAL_ENTRIES_MAX) {
        return transfer_line_refuse(line, TRANSFER_AT("ids"), importing->fault,
                                    "\"ids\" must be an array of at most %d texts",
                                    PROTO_TAL_ENTRIES_MAX);
    }
    if (paper.text.bytes == 0 && count > 0) {
        return transfer_line_refuse(line, TRANSFER_AT("ids"), importing->fault,
                                    "a list that was given up, without \"text\", has no ids");
    }
    struct proto_span *spans = calloc(count + 1, sizeof *spans);
    if (spans == NULL) {
        return proto_fault_set(importing->fault, PROTO_NO_MEMORY, "", "no memory for a list");
    }
    bool good = name_check(importing, line, &paper);
    for (size_t i = 0; good && i < count; i++) {
        const json_t *id = json_array_get(ids, i);
        spans[i] = json_is_string(id) ? feature_json_span(id) : (struct proto_span){0};
        good = json_is_string(id) ||
               transfer_line_refuse(line, TRANSFER_AT("ids"), importing->fault,
                                    "ids[%zu] must be a text, and is %s", i, feature_json_kind(id));
    }
    struct store_document document = {.number = paper.number, .ids = spans, .id_count = count};
    good = good && paper_store(importing, line, &paper, &document);
    free(spans);
    return good;
}

static bool switch_take(struct importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"switch", "icp", "time_ms", "reason"};
    struct paper paper = {.kind = TRANSFER_SWITCH, .body = "reason"};
    struct store_change before = {0};
    int64_t icp;
    if (!paper_read(importing, line, names, 4, &paper) ||
        !transfer_line_int(line, "icp", 1, (int64_t)importing->worker->state->document_count, &icp,
                           importing->fault) ||
        !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    if (paper.number > 1) {
        (void)stored(importing, TRANSFER_SWITCH, paper.number - 1, &before);
    }
    if (before.version == (uint32_t)icp) {
        return transfer_line_refuse(line, TRANSFER_AT("icp"), importing->fault,
                                    "ICP version %" PRId64 " is the active one already: that is no "
                                    "switch",
                                    icp);
    }
    return engine_ingest_activate(importing->ingest, paper.time_ms, (uint32_t)icp, paper.text,
                                  importing->fault) ||
           transfer_line_within(line, TRANSFER_AT("reason"), importing->fault);
}

static bool account_add(struct importing *importing, const struct transfer_line *line,
                        struct proto_span record)
{
    bool there;
    uint8_t *groups;
    size_t bytes = 0;
    if (!transfer_history_read(line, &there, &groups, &bytes, importing->fault)) {
        return false;
    }
    const struct proto_span history = {groups, bytes};
    bool good =
        engine_ingest_place(importing->ingest, record, there ? &history : NULL, importing->fault) ||
        transfer_line_within(line, TRANSFER_AT("account"), importing->fault);
    free(groups);
    return good;
}

static bool account_place(struct importing *importing, const struct transfer_line *line,
                          struct transfer_account *account)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_view *view = importing->worker->view;
    if (!transfer_account_read(account, line, importing->fault)) {
        return false;
    }
    uint32_t slot = store_find_source(view, account->id, &fault);
    if (slot == STORE_NO_SLOT && fault.code == PROTO_OK) {
        importing->fresh++;
        return account_add(importing, line, account->encoded);
    }
    struct store_source source = {.count = 0};
    if (fault.code != PROTO_OK || !store_source(view, slot, &source, &fault)) {
        *importing->fault = fault;
        return transfer_line_within(line, TRANSFER_AT("account"), importing->fault);
    }
    if (importing->import->again && transfer_account_same(account, source.record)) {
        importing->present++;
        return true;
    }
    transfer_line_refuse(line, TRANSFER_AT("account"), importing->fault,
                         "the account \"%.*s\" is stored already%s", (int)account->id.bytes,
                         (const char *)account->id.data,
                         importing->import->again ? ", and is another" : "");
    importing->fault->code = PROTO_CONFLICT;
    return false;
}

/* The next line of the request, without its end; false at the end. */
static bool line_next(struct proto_span lines, size_t *at, struct proto_span *line)
{
    if (*at >= lines.bytes) {
        return false;
    }
    const uint8_t *from = lines.data + *at;
    const uint8_t *end = memchr(from, '\n', lines.bytes - *at);
    *line = (struct proto_span){from, end == NULL ? lines.bytes - *at : (size_t)(end - from)};
    *at += line->bytes + 1;
    return true;
}

static bool accounts_take(struct importing *importing)
{
    struct transfer_account account;
    struct transfer_line line;
    struct proto_span text;
    uint64_t number = importing->import->line;
    size_t at = 0;
    bool good = transfer_account_init(&account, importing->worker->state->schema, importing->fault);
    if (!good) {
        return false;
    }
    for (; good && line_next(importing->import->lines, &at, &text); number++) {
        good = transfer_line_load(&line, text, number, importing->fault);
        if (good) {
            good = strcmp(line.first, shelves[TRANSFER_ACCOUNT].name) == 0 ||
                   transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                        "lines of a request are accounts, or one line of another "
                                        "kind by itself");
            good = good && account_place(importing, &line, &account);
            transfer_line_fini(&line);
        }
    }
    transfer_account_fini(&account);
    return good;
}

/* One that is stored already is passed over by the store. */
static bool events_take(struct importing *importing)
{
    struct transfer_line line;
    struct proto_span text;
    uint64_t number = importing->import->line;
    bool good = true;
    for (size_t at = 0; good && line_next(importing->import->lines, &at, &text); number++) {
        struct proto_span account;
        struct event event;
        if (!transfer_line_load(&line, text, number, importing->fault)) {
            return false;
        }
        good = strcmp(line.first, shelves[TRANSFER_EVENT].name) == 0 ||
               transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                    "lines of a request are events, or accounts, or one line of "
                                    "another kind by itself");
        good = good && transfer_event_read(&line, &account, &event, importing->fault) &&
               (engine_ingest_event_known(importing->ingest, account, &event, importing->fault) ||
                transfer_line_within(&line, TRANSFER_AT("event"), importing->fault));
        importing->fresh += good;
        transfer_line_fini(&line);
    }
    return good;
}

/* Whether an entry is to be stored; false with *fault code PROTO_OK: it is there, just so. */
static bool identity_is_new(struct importing *importing, const struct transfer_line *line,
                            uint32_t number, int64_t time_ms, const struct identity_entry *entry)
{
    struct store_identity_entry there;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t last = store_view_entries(importing->worker->view) + (uint32_t)importing->fresh;
    if (number > last) {
        return number == last + 1 ||
               transfer_line_refuse(line, TRANSFER_AT("identity"), importing->fault,
                                    "entry %" PRIu32 " follows on %" PRIu32 ", which is not stored",
                                    number, number - 1);
    }
    bool same = importing->import->again &&
                store_identity_entry(importing->worker->view, number, &there, &fault) &&
                there.time_ms == time_ms && there.entry.act == entry->act &&
                there.entry.what == entry->what &&
                proto_span_equal(there.entry.ids[0], entry->ids[0]) &&
                proto_span_equal(there.entry.ids[1], entry->ids[1]) &&
                proto_span_equal(there.entry.author, entry->author) &&
                proto_span_equal(there.entry.reason, entry->reason);
    if (!same) {
        transfer_line_refuse(line, TRANSFER_AT("identity"), importing->fault,
                             "entry %" PRIu32 " is stored already%s", number,
                             importing->import->again ? ", and is another" : "");
        importing->fault->code = PROTO_CONFLICT;
    }
    importing->present += same;
    return false;
}

static bool identities_take(struct importing *importing)
{
    struct transfer_line line;
    struct proto_span text;
    uint64_t number = importing->import->line;
    bool good = true;
    for (size_t at = 0; good && line_next(importing->import->lines, &at, &text); number++) {
        struct identity_entry entry;
        uint32_t said = 0;
        int64_t time_ms = 0;
        bool gone = false;
        if (!transfer_line_load(&line, text, number, importing->fault)) {
            return false;
        }
        good = strcmp(line.first, shelves[TRANSFER_IDENTITY].name) == 0 ||
               transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                    "lines of a request are entries, or one line of another kind "
                                    "by itself");
        good =
            good && transfer_identity_read(&line, &said, &time_ms, &entry, &gone, importing->fault);
        bool fresh = good && identity_is_new(importing, &line, said, time_ms, &entry);
        good = good && importing->fault->code == PROTO_OK &&
               (!fresh ||
                engine_ingest_identity_known(importing->ingest, time_ms, &entry, gone,
                                             importing->fault) ||
                transfer_line_within(&line, TRANSFER_AT("identity"), importing->fault));
        importing->fresh += good && fresh;
        transfer_line_fini(&line);
    }
    return good;
}

static bool damaged_refuse(const struct importing *importing, const struct transfer_line *line)
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
static bool similar_take(struct importing *importing, const struct transfer_line *line)
{
    importing->present++;
    return transfer_similar_check(line, importing->fault);
}

static bool single_take(struct importing *importing, const struct transfer_line *line)
{
    static const struct {
        const char *name;
        bool (*take)(struct importing *importing, const struct transfer_line *line);
    } takers[] = {{"icpd", head_take}, {"schema", schema_take}, {"icp", icp_take},
                  {"list", list_take}, {"switch", switch_take}, {"similar", similar_take},
                  {"end", end_take}};
    if (strcmp(line->first, "damaged") == 0) {
        return damaged_refuse(importing, line);
    }
    for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
        if (strcmp(line->first, takers[i].name) == 0) {
            return takers[i].take(importing, line);
        }
    }
    return transfer_line_refuse(line, TRANSFER_AT(line->first), importing->fault,
                                "a line begins with icpd, schema, icp, account, list, switch, "
                                "identity, event, similar or end, and this with \"%s\"",
                                line->first);
}

static bool request_take(struct importing *importing)
{
    struct transfer_line line;
    struct proto_span text = {0};
    size_t at = 0;
    (void)line_next(importing->import->lines, &at, &text);
    if (!transfer_line_load(&line, text, importing->import->line, importing->fault)) {
        return false;
    }
    bool accounts = strcmp(line.first, shelves[TRANSFER_ACCOUNT].name) == 0;
    bool events = strcmp(line.first, shelves[TRANSFER_EVENT].name) == 0;
    bool entries = strcmp(line.first, shelves[TRANSFER_IDENTITY].name) == 0;
    bool good = accounts || events || entries;
    if (!good) {
        good = at >= importing->import->lines.bytes ||
               transfer_line_refuse(&line, TRANSFER_AT(NULL), importing->fault,
                                    "a line that is no account, entry or event comes by itself");
        good = good && single_take(importing, &line);
    }
    transfer_line_fini(&line);
    return good && (!accounts || accounts_take(importing)) &&
           (!entries || identities_take(importing)) && (!events || events_take(importing));
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
    struct importing importing = {.worker = worker, .import = import, .fault = fault};
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
