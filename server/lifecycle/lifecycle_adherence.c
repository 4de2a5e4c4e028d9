/* SPDX-License-Identifier: Apache-2.0 */
/* The work on each account by whose it is: one piece of evidence for each group and account. */
#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/lifecycle/lifecycle_keep.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_table.h"

#define HOUR_MS 3600000.0

bool lifecycle_adherence_read(const struct lifecycle_request *request,
                              struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_adherence_options *options = &settings->keep.adherence;
    return lifecycle_keep_read(request, settings, fault) &&
           lifecycle_number(request, "committed", &options->committed, fault) &&
           lifecycle_count(request, "top", &options->top, fault) &&
           lifecycle_count(request, "least", &options->least, fault);
}

struct keeping {
    struct lifecycle_working working;
    struct measure_works works;
    struct measure_work *own; /* of the account under way, by group */
    uint32_t *last;           /* account that own is of, from 1 */
    uint32_t *touched;        /* groups of the account under way */
    size_t room, touched_count;
};

/* What a group did about the account under way; NULL with *fault. */
static struct measure_work *own_of(struct keeping *all, uint32_t group, bool on_list,
                                   struct proto_fault *fault)
{
    size_t before = all->room;
    size_t room[3] = {before, before, before};
    if (!base_grow(&all->own, &room[0], (size_t)group + 1, sizeof *all->own, "groups", fault) ||
        !base_grow(&all->last, &room[1], (size_t)group + 1, sizeof *all->last, "groups", fault) ||
        !base_grow(&all->touched, &room[2], (size_t)group + 1, sizeof *all->touched, "groups",
                   fault)) {
        return NULL;
    }
    if (room[0] > before) {
        memset(all->last + before, 0, (room[0] - before) * sizeof *all->last);
    }
    all->room = room[0];
    if (all->last[group] != all->working.accounts) {
        all->last[group] = all->working.accounts;
        all->own[group] = (struct measure_work){
            .group = group, .account = all->working.accounts, .on_list = on_list};
        all->touched[all->touched_count++] = group;
    }
    return &all->own[group];
}

static bool event_add(struct keeping *all, const struct event *event, bool on_list,
                      struct proto_fault *fault)
{
    bool spend = lifecycle_is_spend(&all->working, event);
    uint32_t group = 0;
    int64_t minor = 0;
    if (!spend && !lifecycle_is_act(&all->working, event)) {
        return true;
    }
    if (!lifecycle_work_group(&all->working, event, &group, fault)) {
        return false;
    }
    struct measure_work *own = own_of(all, group, on_list, fault);
    if (own == NULL ||
        (spend && !lifecycle_amount_settle(&all->working.amount, event, &minor, fault))) {
        return false;
    }
    own->spend += minor;
    own->acts += spend ? 0 : 1;
    if (!spend && (event->has & EVENT_HAS_END) != 0) {
        own->hours += (double)(event->end_ms - event->time_ms) / HOUR_MS;
    }
    return true;
}

static bool account_add(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct keeping *all = context;
    const struct lifecycle_collect *collect = &all->working.collect;
    bool on_list = lifecycle_on_list(&all->working, slot);
    all->touched_count = 0;
    for (size_t i = 0; i < collect->count; i++) {
        if (!event_add(all, collect->events[i].event, on_list, fault)) {
            return fault->code == PROTO_BAD_FIELD
                       ? lifecycle_fault_of(all->working.run->worker, slot, fault)
                       : false;
        }
    }
    for (size_t i = 0; i < all->touched_count; i++) {
        struct measure_work *own = &all->own[all->touched[i]];
        own->squares = own->acts * own->acts;
        if (!measure_works_add(&all->works, own, fault)) {
            return false;
        }
    }
    return true;
}

bool lifecycle_adherence_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct keeping all = {.working = {.account = account_add}};
    const struct lifecycle_names *groups = &all.working.groups;
    all.working.context = &all;
    bool good =
        lifecycle_working_open(&all.working, run, true, fault) &&
        lifecycle_working_walk(&all.working, fault) &&
        measure_adherence_table(&all.works, (const char *const *)groups->texts, groups->count,
                                &run->settings.keep.adherence, &run->result->table, fault);
    lifecycle_working_close(&all.working);
    measure_works_fini(&all.works);
    free(all.own);
    free(all.last);
    free(all.touched);
    return good;
}
