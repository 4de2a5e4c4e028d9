/* SPDX-License-Identifier: Apache-2.0 */
/* The plan is folded from its entries; what the client left to the server is filled into the body;
 * the entry is made, judged and chained, and stored under the number that follows, so that a power
 * cut leaves the plan with it or without it and nothing between. A history that is wrong, and a
 * store with an entry that cannot be read, are refused: nobody builds on what is not known. */
#include <stdlib.h>

#include "proto/reader.h"
#include "server/commitment/commitment.h"
#include "server/engine/ingest.h"
#include "server/feature/json_text.h"
#include "server/listing/listing.h"
#include "server/term/term_list.h"

struct adding {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct commitment_entry *request;
    char act[16 + 1];
    struct term_plan plan;
    uint32_t plans; /* of the store */
    uint32_t last;  /* entries of the store that there are */
    struct proto_fault *fault;
};

static bool memory_out(const struct adding *adding)
{
    return proto_fault_set(adding->fault, PROTO_NO_MEMORY, "", "no memory for a plan");
}

/* The plan as of an entry of the store, and how many plans there are. */
static bool plan_fold(struct adding *adding, uint32_t last)
{
    static const char first[] = "{\"entry\":{\"act\":\"create\",";
    for (uint32_t number = 1; number <= last; number++) {
        struct proto_span line;
        struct proto_fault wrong = {.code = PROTO_OK};
        bool damaged;
        if (!commitment_line(adding->worker, adding->job, number, &line, &damaged, adding->fault)) {
            return false;
        }
        if (damaged) {
            return proto_fault_set(adding->fault, PROTO_CORRUPT, "name",
                                   "plan entry %u of the store cannot be read, and may be of this "
                                   "plan: restore a backup (docs/operating.md)",
                                   number);
        }
        adding->plans +=
            line.bytes > sizeof first - 1 && memcmp(line.data, first, sizeof first - 1) == 0;
        if (term_line_of(line, adding->request->name) &&
            !term_plan_take(&adding->plan, line, &wrong)) {
            return proto_fault_set(adding->fault,
                                   wrong.code == PROTO_NO_MEMORY ? wrong.code : PROTO_CORRUPT,
                                   "name", "the plan's history is wrong: %.300s", wrong.message);
        }
    }
    return true;
}

/* {"version":…,"sha256":…} of a version, or of the active one; NULL with *fault. */
static json_t *icp_make(const struct adding *adding, const json_t *given)
{
    struct store_change change;
    char hex[TERM_HASH_HEX + 1];
    const struct learn_document *active = adding->worker->state->active;
    json_int_t version = given != NULL ? json_integer_value(given) : 0;
    if (given == NULL && active == NULL) {
        proto_fault_set(adding->fault, PROTO_NO_ICP, "icp",
                        "no ICP version is active: name the one that the plan is about");
        return NULL;
    }
    version = given == NULL ? (json_int_t)active->version : version;
    if (version < 1 || version > PROTO_ICPS_MAX) {
        proto_fault_set(adding->fault, PROTO_BAD_FIELD, "icp", "\"icp\" must be a version");
        return NULL;
    }
    if (!store_document_get(adding->worker->view, STORE_DOCUMENT_ICP, (uint32_t)version, &change,
                            adding->fault)) {
        return NULL;
    }
    struct term_hash hash = term_hash_of(change.text);
    term_hex_print(hash.bytes, sizeof hash.bytes, hex);
    json_t *icp = json_pack("{s:I, s:s}", "version", version, "sha256", hex);
    if (icp == NULL) {
        (void)memory_out(adding);
    }
    return icp;
}

/* What a list comes to, by its name; NULL with *fault. */
static json_t *list_make(const struct adding *adding, const json_t *tal)
{
    struct term_hash root;
    char hex[TERM_HASH_HEX + 1];
    size_t count = 0;
    if (!json_is_string(tal)) {
        proto_fault_set(adding->fault, PROTO_BAD_FIELD, "tal", "\"tal\" must name a list");
        return NULL;
    }
    json_t *document = listing_open(adding->worker, feature_json_span(tal), NULL, adding->fault);
    json_t *list = NULL;
    if (document != NULL && term_list_root(document, &root, &count, adding->fault)) {
        const json_t *icp = json_object_get(json_object_get(document, "icp"), "version");
        term_hex_print(root.bytes, sizeof root.bytes, hex);
        list = json_pack("{s:O, s:O, s:I, s:I, s:s}", "tal", tal, "digest",
                         json_object_get(document, "digest"), "icp", json_integer_value(icp),
                         "count", (json_int_t)count, "root", hex);
        if (list == NULL) {
            (void)memory_out(adding);
        }
    }
    json_decref(document);
    return list;
}

/* The list that the body means, in full in place of its name alone, or as it was given in full. */
static bool list_fill(const struct adding *adding, json_t **body)
{
    json_t *list = list_make(adding, json_object_get(*body, "tal"));
    if (list == NULL) {
        return false;
    }
    bool same = json_object_size(*body) == 1 || json_equal(*body, list) != 0;
    json_decref(*body);
    *body = list;
    return same || proto_fault_set(adding->fault, PROTO_CONFLICT, "tal",
                                   "the list is not what the entry says of it");
}

/* An amendment is signed as it stands, so nothing is filled in, and a list is only looked at. */
static bool amended_check(const struct adding *adding, const json_t *body)
{
    const char *path = json_string_value(json_object_get(body, "path"));
    json_t *after = json_object_get(body, "after");
    if (path == NULL || strcmp(path, "list") != 0 || !json_is_object(after)) {
        return true;
    }
    json_t *copy = json_incref(after);
    bool good = list_fill(adding, &copy);
    json_decref(copy);
    return good;
}

static bool body_fill(const struct adding *adding, json_t **body)
{
    if (!json_is_object(*body)) {
        return proto_fault_set(adding->fault, PROTO_BAD_FIELD, "body", "must be an object");
    }
    if (strcmp(adding->act, "create") == 0) {
        json_t *icp = icp_make(adding, json_object_get(*body, "icp"));
        return icp != NULL && (json_object_set_new(*body, "icp", icp) == 0 || memory_out(adding));
    }
    return strcmp(adding->act, "list") == 0    ? list_fill(adding, body)
           : strcmp(adding->act, "amend") == 0 ? amended_check(adding, *body)
                                               : true;
}

static bool line_store(const struct adding *adding, struct proto_span line)
{
    const struct store_document document = {
        .kind = STORE_DOCUMENT_TERM, .number = adding->last + 1, .text = line};
    struct store_result result;
    return engine_document_store(adding->worker->engine, &document, &adding->request->operation,
                                 &result, adding->fault);
}

static bool entry_add(struct adding *adding)
{
    size_t bytes = 0;
    int64_t now_ms = engine_now_ms(adding->worker->engine);
    struct proto_span by = proto_span_text(adding->request->operation.author);
    json_t *body = feature_json_load(adding->request->body, PROTO_BAD_FIELD, adding->fault);
    if (body == NULL) {
        return proto_fault_within(adding->fault, "body");
    }
    if (adding->plan.entries == 0 && adding->plans >= PROTO_PLANS_MAX) {
        json_decref(body);
        return proto_fault_set(adding->fault, PROTO_LIMIT, "name",
                               "the store holds %d plans, its limit", PROTO_PLANS_MAX);
    }
    char *line = NULL;
    if (body_fill(adding, &body)) {
        /* A clock that was put back does not take a plan's time back. */
        line = term_plan_add(
            &adding->plan, adding->act, now_ms > adding->plan.at_ms ? now_ms : adding->plan.at_ms,
            proto_utf8_valid(by) ? by : proto_span_text(""), body, &bytes, adding->fault);
    }
    json_decref(body);
    bool good = line != NULL && engine_scan_goes_on(adding->job, adding->fault) &&
                line_store(adding, (struct proto_span){(const uint8_t *)line, bytes});
    free(line);
    return good;
}

/* An act is one word: what stands behind a zero byte would not be read. */
static bool act_copy(struct adding *adding)
{
    struct proto_span act = adding->request->act;
    if (act.bytes > 0) {
        memcpy(adding->act, act.data,
               act.bytes < sizeof adding->act ? act.bytes : sizeof adding->act - 1);
    }
    return strlen(adding->act) == act.bytes ||
           proto_fault_set(adding->fault, PROTO_BAD_FIELD, "act",
                           "must be one word of at most %zu bytes", sizeof adding->act - 1);
}

bool commitment_add(struct engine_worker *worker, const struct engine_job *job,
                    const struct commitment_entry *request, struct commitment_added *added,
                    struct proto_fault *fault)
{
    struct engine_written before;
    struct adding adding = {.worker = worker, .job = job, .request = request, .fault = fault};
    *added = (struct commitment_added){.entry = 0};
    if (!act_copy(&adding)) {
        return false;
    }
    if (!engine_operation_find(worker->engine, &request->operation, &before, fault) ||
        !engine_worker_refresh(worker, fault)) {
        return false;
    }
    adding.last = store_view_documents(worker->view, STORE_DOCUMENT_TERM);
    bool good = term_plan_init(&adding.plan, request->name, fault) &&
                plan_fold(&adding, before.repeated ? before.version : adding.last) &&
                (before.repeated || entry_add(&adding));
    if (good) {
        added->entry = adding.plan.entries;
        added->state = adding.plan.state;
        added->repeated = before.repeated;
        term_hex_print(adding.plan.head.bytes, TERM_HASH_BYTES, added->hash);
    }
    term_plan_fini(&adding.plan);
    return good;
}
