/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are walked in the order of the store; those of a plan are told by the end of their lines
 * and folded. A fold that fails stays where it was, and what is wrong is told beside it. */
#include <stdlib.h>

#include "server/commitment/commitment.h"
#include "server/feature/json_text.h"

enum { ENTRIES_PER_ASKING = 64 };

bool commitment_line(struct engine_worker *worker, const struct engine_job *job, uint32_t number,
                     struct proto_span *line, bool *damaged, struct proto_fault *fault)
{
    struct store_change change;
    struct proto_fault found = {.code = PROTO_OK};
    *line = (struct proto_span){NULL, 0};
    *damaged = false;
    if (number % ENTRIES_PER_ASKING == 1 && !engine_scan_goes_on(job, fault)) {
        return false;
    }
    if (store_document_get(worker->view, STORE_DOCUMENT_TERM, number, &change, &found)) {
        *line = change.text;
        return true;
    }
    if (found.code == PROTO_CORRUPT || found.code == PROTO_NOT_FOUND) {
        *damaged = true;
        return true;
    }
    *fault = found;
    return false;
}

/* False with *fault where memory ran out; any other fault is what is wrong with the plan. */
static bool line_fold(struct term_plan *plan, struct proto_span line, struct proto_fault *wrong,
                      struct proto_fault *fault)
{
    if (wrong->code == PROTO_OK && !term_plan_take(plan, line, wrong) &&
        wrong->code == PROTO_NO_MEMORY) {
        *fault = *wrong;
        return false;
    }
    return true;
}

bool commitment_see(struct engine_worker *worker, const struct engine_job *job,
                    struct proto_span name, uint64_t after, size_t limit,
                    struct commitment_seen *seen, struct proto_fault *fault)
{
    uint32_t last = store_view_documents(worker->view, STORE_DOCUMENT_TERM);
    *seen = (struct commitment_seen){.wrong = {.code = PROTO_OK}};
    if (!term_plan_init(&seen->plan, name, fault)) {
        return false;
    }
    seen->lines = calloc(limit + 1, sizeof *seen->lines);
    if (seen->lines == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a plan");
    }
    for (uint32_t number = 1; number <= last; number++) {
        struct proto_span line;
        bool damaged;
        if (!commitment_line(worker, job, number, &line, &damaged, fault)) {
            return false;
        }
        seen->lost += line.bytes == 0;
        if (!term_line_of(line, name)) {
            continue;
        }
        if (!line_fold(&seen->plan, line, &seen->wrong, fault)) {
            return false;
        }
        if (seen->count >= after && seen->line_count < limit) {
            seen->lines[seen->line_count++] = line;
        }
        seen->count++;
    }
    return seen->count > 0 ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "name", "there is no plan \"%.*s\"",
                           (int)name.bytes, (const char *)name.data);
}

void commitment_seen_fini(struct commitment_seen *seen)
{
    term_plan_fini(&seen->plan);
    free(seen->lines);
    *seen = (struct commitment_seen){.lines = NULL};
}

/* The plan of that name, new at the end of the list if there is none; NULL with *fault. */
static struct commitment_listed *listed_find(struct commitment_list *list, struct proto_span name,
                                             struct proto_fault *fault)
{
    for (size_t i = 0; i < list->count; i++) {
        if (proto_span_is(name, list->plans[i].plan.name)) {
            return &list->plans[i];
        }
    }
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 16 : 2 * list->room;
        struct commitment_listed *plans = realloc(list->plans, room * sizeof *plans);
        if (plans == NULL) {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a list of plans");
            return NULL;
        }
        list->plans = plans;
        list->room = room;
    }
    struct commitment_listed *listed = &list->plans[list->count++];
    *listed = (struct commitment_listed){.wrong = {.code = PROTO_OK}};
    return term_plan_init(&listed->plan, name, fault) ? listed : NULL;
}

static bool line_list(struct commitment_list *list, struct proto_span line,
                      struct proto_fault *fault)
{
    struct term_line opened;
    struct proto_fault found = {.code = PROTO_OK};
    struct commitment_listed *listed = NULL;
    if (term_line_open(line, &opened, &found)) {
        struct proto_span name = feature_json_span(json_object_get(opened.entry, "plan"));
        listed = term_name_check(name, &found) ? listed_find(list, name, &found) : NULL;
        term_line_fini(&opened);
    }
    if (found.code == PROTO_NO_MEMORY) {
        *fault = found;
        return false;
    }
    /* Of no plan that there can be: as good as lost, and no reason to hide the others. */
    list->lost += listed == NULL;
    return listed == NULL || line_fold(&listed->plan, line, &listed->wrong, fault);
}

bool commitment_list(struct engine_worker *worker, const struct engine_job *job,
                     struct commitment_list *list, struct proto_fault *fault)
{
    uint32_t last = store_view_documents(worker->view, STORE_DOCUMENT_TERM);
    *list = (struct commitment_list){.plans = NULL};
    for (uint32_t number = 1; number <= last; number++) {
        struct proto_span line;
        bool damaged;
        if (!commitment_line(worker, job, number, &line, &damaged, fault)) {
            return false;
        }
        list->lost += line.bytes == 0;
        if (line.bytes > 0 && !line_list(list, line, fault)) {
            return false;
        }
    }
    return true;
}

void commitment_list_fini(struct commitment_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        term_plan_fini(&list->plans[i].plan);
    }
    free(list->plans);
    *list = (struct commitment_list){.plans = NULL};
}
