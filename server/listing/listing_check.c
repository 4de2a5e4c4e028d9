/* SPDX-License-Identifier: Apache-2.0 */
/* A list against the data of today: the same version scores its accounts again, and the request
 * that built it, read back from its document, is carried out again without storing anything. */
#include <stdlib.h>

#include "server/listing/listing.h"
#include "server/tal/tal_document.h"

enum { ENTRIES_PER_ASKING = 64 };

/* A request read back; its spans borrow from the document. */
struct again {
    struct listing_request request;
    struct proto_span *texts[3];
    struct listing_part *parts[2];
};

static struct proto_span text_of(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return (struct proto_span){(const uint8_t *)json_string_value(text), json_string_length(text)};
}

static struct proto_span *texts_of(const json_t *object, const char *name, size_t *count)
{
    const json_t *list = json_object_get(object, name);
    *count = json_array_size(list);
    struct proto_span *texts = calloc(*count + 1, sizeof *texts);
    for (size_t i = 0; texts && i < *count; i++) {
        const json_t *text = json_array_get(list, i);
        texts[i] =
            (struct proto_span){(const uint8_t *)json_string_value(text), json_string_length(text)};
    }
    return texts;
}

static struct listing_part *parts_of(const json_t *document, const char *name, const char *limit,
                                     size_t *count)
{
    const json_t *list = json_object_get(document, name);
    *count = json_array_size(list);
    struct listing_part *parts = calloc(*count + 1, sizeof *parts);
    for (size_t i = 0; parts && i < *count; i++) {
        const json_t *part = json_array_get(list, i);
        parts[i] = (struct listing_part){
            .name = text_of(part, "name"),
            .filter = text_of(part, "filter"),
            .limit = (uint64_t)json_integer_value(json_object_get(part, limit))};
    }
    return parts;
}

static bool again_read(struct again *again, const json_t *document, struct proto_fault *fault)
{
    struct listing_request *request = &again->request;
    const json_t *exclude = json_object_get(document, "exclude");
    const json_t *quota = json_object_get(document, "quota");
    const json_t *icp = json_object_get(document, "icp");
    *again = (struct again){0};
    request->name = text_of(document, "name");
    request->filter = text_of(document, "filter");
    request->icp = (uint64_t)json_integer_value(json_object_get(icp, "version"));
    request->k = (size_t)json_integer_value(json_object_get(document, "k"));
    request->quota_field = text_of(quota, "field");
    request->quota = (uint64_t)json_integer_value(json_object_get(quota, "per_value"));
    request->ids = again->texts[0] = texts_of(exclude, "ids", &request->id_count);
    request->keys = again->texts[1] = texts_of(exclude, "keys", &request->key_count);
    request->domains = again->texts[2] = texts_of(exclude, "domains", &request->domain_count);
    request->segments = again->parts[0] =
        parts_of(document, "segments", "quota", &request->segment_count);
    request->owners = again->parts[1] =
        parts_of(document, "owners", "capacity", &request->owner_count);
    return (request->ids && request->keys && request->domains && request->segments &&
            request->owners) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to check the list");
}

static void again_fini(struct again *again)
{
    for (size_t i = 0; i < 3; i++) {
        free(again->texts[i]);
    }
    free(again->parts[0]);
    free(again->parts[1]);
}

/* One entry scored again. */
static bool entry_check(struct engine_worker *worker, const json_t *entry,
                        const struct learn_document *document, struct listing_checked *checked,
                        struct proto_fault *fault)
{
    struct engine_query query = {.name = {.id = text_of(entry, "id")}, .document = document};
    struct engine_answer answer;
    struct proto_fault local = {0};
    bool found = engine_score(worker, &query, &answer, &local);
    if (!found && local.code != PROTO_NOT_FOUND) {
        *fault = local;
        return false;
    }
    int64_t raw = json_integer_value(json_object_get(entry, "raw"));
    if (found && answer.raw == raw) {
        return true;
    }
    checked->changed += found;
    checked->gone += !found;
    json_t *change = json_object();
    bool ok = json_object_set(change, "id", json_object_get(entry, "id")) == 0;
    ok = json_object_set(change, "fit", json_object_get(entry, "fit")) == 0 && ok;
    ok = json_object_set_new(change, "fit_now", found ? json_real(answer.fit) : json_null()) == 0 &&
         ok;
    ok = json_array_append_new(checked->changes, change) == 0 && ok;
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to check the list");
}

static int compare_ids(const void *a, const void *b)
{
    return proto_span_compare(*(const struct proto_span *)a, *(const struct proto_span *)b);
}

/* Appends the ids of `from`, in order, that are not among the sorted `others`. */
static bool others_append(json_t *list, const struct proto_span *from, size_t count,
                          const struct proto_span *others, size_t other_count)
{
    bool ok = true;
    for (size_t i = 0; i < count; i++) {
        if (!bsearch(&from[i], others, other_count, sizeof *others, compare_ids)) {
            json_t *id = json_stringn((const char *)from[i].data, from[i].bytes);
            ok = json_array_append_new(list, id) == 0 && ok;
        }
    }
    return ok;
}

/* Who would come and who would go. */
static bool members_compare(struct listing_checked *checked,
                            const struct listing_selection *selection, struct proto_fault *fault)
{
    const json_t *entries = json_object_get(checked->document, "entries");
    size_t then_count = json_array_size(entries);
    size_t now_count = selection->count;
    struct proto_span *ids = calloc(2 * (then_count + now_count) + 1, sizeof *ids);
    if (!ids) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to check the list");
    }
    struct proto_span *then = ids;
    struct proto_span *then_sorted = then + then_count;
    struct proto_span *now = then_sorted + then_count;
    struct proto_span *now_sorted = now + now_count;
    for (size_t i = 0; i < then_count; i++) {
        then[i] = then_sorted[i] = text_of(json_array_get(entries, i), "id");
    }
    for (size_t i = 0; i < now_count; i++) {
        now[i] = now_sorted[i] = selection->picks[i].account.id;
    }
    qsort(then_sorted, then_count, sizeof *ids, compare_ids);
    qsort(now_sorted, now_count, sizeof *ids, compare_ids);
    bool ok = others_append(checked->entering, now, now_count, then_sorted, then_count) &&
              others_append(checked->leaving, then, then_count, now_sorted, now_count);
    free(ids);
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to check the list");
}

/* What no longer fits (a field that is gone, a list that is named) is told, not failed upon. */
static bool rebuild(struct engine_worker *worker, const struct engine_job *job,
                    struct listing_checked *checked, struct proto_fault *fault)
{
    struct again again;
    struct listing_selection selection = {0};
    if (!again_read(&again, checked->document, fault)) {
        again_fini(&again);
        return false;
    }
    bool ok = true;
    checked->rebuilt = listing_select(worker, job, &again.request, &selection, &checked->refused);
    if (checked->rebuilt) {
        ok = members_compare(checked, &selection, fault);
    } else if (checked->refused.code != PROTO_BAD_FILTER &&
               checked->refused.code != PROTO_BAD_FIELD) {
        *fault = checked->refused;
        ok = false;
    }
    listing_selection_fini(&selection);
    again_fini(&again);
    return ok;
}

bool listing_check(struct engine_worker *worker, const struct engine_job *job,
                   struct proto_span name, struct listing_checked *checked,
                   struct proto_fault *fault)
{
    *checked = (struct listing_checked){
        .changes = json_array(), .entering = json_array(), .leaving = json_array()};
    checked->document = listing_open(worker, name, NULL, fault);
    if (!checked->document) {
        return false;
    }
    const json_t *icp = json_object_get(checked->document, "icp");
    const struct learn_document *document = engine_state_document(
        worker->state, (uint64_t)json_integer_value(json_object_get(icp, "version")), fault);
    const json_t *entries = json_object_get(checked->document, "entries");
    for (size_t i = 0; document && i < json_array_size(entries); i++) {
        if ((i % ENTRIES_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) ||
            !entry_check(worker, json_array_get(entries, i), document, checked, fault)) {
            return false;
        }
    }
    return document && rebuild(worker, job, checked, fault);
}

void listing_checked_fini(struct listing_checked *checked)
{
    json_decref(checked->document);
    json_decref(checked->changes);
    json_decref(checked->entering);
    json_decref(checked->leaving);
    *checked = (struct listing_checked){0};
}
