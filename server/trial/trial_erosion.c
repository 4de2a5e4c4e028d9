/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over all accounts: touches are counted by the week in which they were, and whether their
 * account is on the list to be worked. Weeks without any touch are weeks too. */
#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_collect.h"
#include "server/trial/trial.h"
#include "server/trial/trial_list.h"

/* A hundred years. */
enum { WEEKS_MAX = 5218 };

struct counting {
    const struct trial_erosion_request *request;
    struct trial_erosion *erosion;
    struct trial_list list;
    struct lifecycle_collect collect;
    struct verdict_work weeks[WEEKS_MAX];
    int64_t first_ms, newest_ms; /* week that is counted first; newest touch */
};

static bool touch_count(struct counting *counting, const struct event *event, bool on,
                        struct proto_fault *fault)
{
    int64_t number = (verdict_week_of(event->time_ms) - counting->first_ms) / VERDICT_WEEK_MS;
    if (number >= WEEKS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "since", "more than %d weeks: say a later day",
                               WEEKS_MAX);
    }
    counting->weeks[number].all++;
    counting->weeks[number].on += on;
    counting->newest_ms =
        event->time_ms > counting->newest_ms ? event->time_ms : counting->newest_ms;
    return true;
}

static bool account_count(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct counting *counting = context;
    const struct trial_account *account = trial_list_find(&counting->list, slot);
    bool on = account != NULL && account->part == VERDICT_MEMBER;
    (void)raw;
    if (!lifecycle_collect_account(&counting->collect, slot, 0, fault)) {
        return false;
    }
    for (size_t i = 0; i < counting->collect.count; i++) {
        const struct event *event = counting->collect.events[i].event;
        bool wanted = event->type == EVENT_TOUCH && event->time_ms >= counting->erosion->since_ms &&
                      event->time_ms <= counting->request->at_ms;
        if (wanted && !touch_count(counting, event, on, fault)) {
            return false;
        }
    }
    return true;
}

/* Rows of whole weeks: one that is not over when it is looked at says nothing yet. */
static bool weeks_tell(struct counting *counting, struct proto_fault *fault)
{
    struct trial_erosion *erosion = counting->erosion;
    int64_t end_ms =
        counting->request->at_ms != MEASURE_NEVER ? counting->request->at_ms : counting->newest_ms;
    erosion->at_ms = end_ms;
    while (erosion->weeks < WEEKS_MAX) {
        struct verdict_work *week = &counting->weeks[erosion->weeks];
        week->week_ms = counting->first_ms + (int64_t)erosion->weeks * VERDICT_WEEK_MS;
        /* The newest touch's own week is the last: behind it nothing is told. */
        bool over = counting->request->at_ms != MEASURE_NEVER
                        ? week->week_ms + VERDICT_WEEK_MS <= end_ms
                        : week->week_ms <= end_ms;
        if (!over) {
            break;
        }
        erosion->on += week->on;
        erosion->all += week->all;
        erosion->weeks++;
    }
    return verdict_erosion_add(&erosion->table, counting->weeks, (size_t)erosion->weeks,
                               counting->request->committed, counting->request->false_alarm,
                               &erosion->alarms, fault);
}

static void first_alarm_find(struct trial_erosion *erosion)
{
    erosion->first_alarm_ms = VERDICT_NEVER;
    for (size_t row = 0; row < measure_table_rows(&erosion->table); row++) {
        if (measure_cell_find(&erosion->table, row, "alarm")->text[0] != '\0') {
            erosion->first_alarm_ms = measure_cell_find(&erosion->table, row, "week")->whole;
            return;
        }
    }
}

static bool count_all(struct counting *counting, struct engine_worker *worker,
                      const struct engine_job *job, struct proto_fault *fault)
{
    struct trial_erosion *erosion = counting->erosion;
    const struct trial_erosion_request *request = counting->request;
    erosion->since_ms =
        request->since_ms == TRIAL_CREATION ? counting->list.created_ms : request->since_ms;
    counting->first_ms = verdict_week_of(erosion->since_ms);
    lifecycle_collect_init(&counting->collect, worker, job, &request->as_of,
                           UINT32_C(1) << EVENT_TOUCH);
    struct engine_walk walk = {
        .worker = worker, .job = job, .context = counting, .each = account_count};
    bool good = engine_walk(&walk, fault) && weeks_tell(counting, fault);
    lifecycle_collect_fini(&counting->collect);
    return good;
}

bool trial_erosion_measure(struct engine_worker *worker, const struct engine_job *job,
                           const struct trial_erosion_request *request,
                           struct trial_erosion *erosion, struct proto_fault *fault)
{
    struct counting *counting = calloc(1, sizeof *counting);
    uint64_t seq = engine_worker_seq(worker);
    *erosion = (struct trial_erosion){.seq = request->as_of.seq < seq ? request->as_of.seq : seq};
    measure_table_init(&erosion->table, MEASURE_ID_EROSION);
    if (counting == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for weeks");
    }
    counting->request = request;
    counting->erosion = erosion;
    counting->newest_ms = INT64_MIN;
    bool good = trial_list_open(worker, request->list, &counting->list, fault) &&
                count_all(counting, worker, job, fault);
    if (good && erosion->all == 0) {
        good = proto_fault_set(fault, PROTO_NO_EVIDENCE, "since",
                               "no touch is told of that time: there is no work to share out");
    }
    if (good) {
        first_alarm_find(erosion);
    }
    trial_list_fini(&counting->list);
    free(counting);
    return good;
}

void trial_erosion_fini(struct trial_erosion *erosion)
{
    measure_table_fini(&erosion->table);
}
