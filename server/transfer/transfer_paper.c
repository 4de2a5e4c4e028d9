/* SPDX-License-Identifier: Apache-2.0 */
/* A document has a number, a time and a text: it must follow on what is stored, or be stored just
 * so already where an import is begun again. A schema, a version and a list are read whole first,
 * as the server would read them; a switch must change something. What does not fit is refused by
 * line and column. */
#include <inttypes.h>
#include <stdlib.h>

#include "server/engine/definitions.h"
#include "server/engine/segments.h"
#include "server/feature/json_shape.h"
#include "server/feature/json_text.h"
#include "server/learn/document.h"
#include "server/tal/tal_document.h"
#include "server/term/term_plan.h"
#include "server/transfer/transfer_parts.h"

/* What all documents share; `body` is the name of their text. */
struct paper {
    enum transfer_kind kind;
    uint32_t number;
    int64_t time_ms;
    struct proto_span text;
    const char *body;
};

static bool paper_read(struct transfer_importing *importing, const struct transfer_line *line,
                       const char *const *names, size_t count, struct paper *paper)
{
    int64_t number;
    bool good = transfer_line_known(line, names, count, importing->fault) &&
                transfer_line_int(line, transfer_shelves[paper->kind].name, 1, UINT32_MAX, &number,
                                  importing->fault) &&
                transfer_line_int(line, "time_ms", INT64_MIN, INT64_MAX, &paper->time_ms,
                                  importing->fault) &&
                transfer_line_text(line, paper->body, &paper->text, importing->fault);
    paper->number = good ? (uint32_t)number : 0;
    return good;
}

/* Whether it is to be stored; false with *fault code PROTO_OK: it is there, just so. */
static bool paper_is_new(struct transfer_importing *importing, const struct transfer_line *line,
                         const struct paper *paper)
{
    struct store_change change;
    const char *name = transfer_shelves[paper->kind].name;
    if (transfer_stored(importing, paper->kind, paper->number, &change)) {
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
    if (paper->number > 1 && !transfer_stored(importing, paper->kind, paper->number - 1, &change)) {
        return transfer_line_refuse(line, TRANSFER_AT(name), importing->fault,
                                    "%s %" PRIu32 " follows on %" PRIu32 ", which is not stored",
                                    name, paper->number, paper->number - 1);
    }
    importing->fresh++;
    return true;
}

static bool paper_store(struct transfer_importing *importing, const struct transfer_line *line,
                        const struct paper *paper, struct store_document *document)
{
    document->kind = transfer_stored_kind(paper->kind);
    document->text = paper->text;
    return engine_ingest_document(importing->ingest, paper->time_ms, document, importing->fault) ||
           transfer_line_within(line, TRANSFER_AT(paper->body), importing->fault);
}

/* Of a schema, a version, a definition or a challenge that a repair gave up there is a line without
 * text: its number stays taken, and what follows keeps its own. */

/* One that says its version was printed by a store, and is kept as it is; any other gets the ids of
 * its fields from the versions before it. */
bool transfer_take_schema(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"schema", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_SCHEMA, .body = "text"};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    struct store_document given_up = {.number = paper.number};
    if (paper.text.bytes == 0) {
        return paper_store(importing, line, &paper, &given_up);
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

bool transfer_take_icp(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"icp", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_ICP, .body = "text"};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    const struct feature_schema *schema = importing->worker->state->schema;
    struct store_document document = {.number = paper.number};
    if (paper.text.bytes == 0) {
        return paper_store(importing, line, &paper, &document);
    }
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
    return paper_store(importing, line, &paper, &document);
}

static bool name_check(struct transfer_importing *importing, const struct transfer_line *line,
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

bool transfer_take_list(struct transfer_importing *importing, const struct transfer_line *line)
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

/* A definition as it was kept: its name and version stand in it, and are nobody else's. */
bool transfer_take_metric(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"metric", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_METRIC, .body = "text"};
    struct proto_fault none = {.code = PROTO_OK};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    struct store_document document = {.number = paper.number};
    if (paper.text.bytes == 0) {
        return paper_store(importing, line, &paper, &document);
    }
    struct engine_definition *read =
        engine_definition_read(paper.number, paper.time_ms, paper.text, importing->fault);
    if (read == NULL) {
        return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
    }
    const struct measure_reference said = {proto_span_text(read->definition.name),
                                           read->definition.version};
    bool taken = said.version == 0 ||
                 engine_definitions_find(importing->worker->state->definitions, &said, &none);
    bool good = !taken || transfer_line_refuse(line, TRANSFER_AT("text"), importing->fault,
                                               "a definition %s@%" PRIu32 " came before",
                                               read->definition.name, said.version);
    free(read);
    return good && paper_store(importing, line, &paper, &document);
}

/* A segment as it was kept: name and version stand in it, and are nobody else's. One without a text
 * was given up. */
bool transfer_take_segment(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"segment", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_SEGMENT, .body = "text"};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    struct engine_segment *read =
        engine_segment_read(paper.number, paper.time_ms, paper.text, importing->fault);
    if (read == NULL) {
        return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
    }
    const struct engine_segment *newest =
        read->gone ? NULL : engine_segments_newest(importing->worker->state->segments, read->name);
    bool good =
        newest == NULL || newest->version < read->version ||
        transfer_line_refuse(line, TRANSFER_AT("text"), importing->fault,
                             "version %" PRIu32 " of segment '%.*s' came before", newest->version,
                             (int)read->name.bytes, (const char *)read->name.data);
    engine_segment_release(read);
    struct store_document document = {.number = paper.number};
    return good && paper_store(importing, line, &paper, &document);
}

/* One without a text was given up by a repair: its number stays taken. */
bool transfer_take_challenge(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"challenge", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_CHALLENGE, .body = "text"};
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    if (paper.text.bytes > 0) {
        json_t *json = feature_json_load(paper.text, PROTO_BAD_FIELD, importing->fault);
        bool good = feature_json_is_of_shape(json, PROTO_SHAPE_CHALLENGE);
        json_decref(json);
        if (json == NULL) {
            return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
        }
        if (!good) {
            return transfer_line_refuse(line, TRANSFER_AT("text"), importing->fault,
                                        "this is no challenge as it is kept");
        }
    }
    struct store_document document = {.number = paper.number};
    return paper_store(importing, line, &paper, &document);
}

/* An entry of a plan as its line: whether it follows on the one before is seen by whoever reads the
 * plan, for a store may hold one whose entry was lost. */
bool transfer_take_term(struct transfer_importing *importing, const struct transfer_line *line)
{
    static const char *const names[] = {"plan", "time_ms", "text"};
    struct paper paper = {.kind = TRANSFER_TERM, .body = "text"};
    struct term_line opened;
    if (!paper_read(importing, line, names, 3, &paper) || !paper_is_new(importing, line, &paper)) {
        return importing->present > 0;
    }
    if (paper.text.bytes > 0) { /* one that was given up is a number without an entry */
        if (!term_line_open(paper.text, &opened, importing->fault)) {
            return transfer_line_within(line, TRANSFER_AT("text"), importing->fault);
        }
        term_line_fini(&opened);
    }
    struct store_document document = {.number = paper.number};
    return paper_store(importing, line, &paper, &document);
}

bool transfer_take_switch(struct transfer_importing *importing, const struct transfer_line *line)
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
        (void)transfer_stored(importing, TRANSFER_SWITCH, paper.number - 1, &before);
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
