/* SPDX-License-Identifier: Apache-2.0 */
/* Each account's events are collected and read as journeys. A member that nothing has, a moment
 * before its time and a timeline that cannot be read end it. */
#include "server/lifecycle/lifecycle_journey.h"

#include <assert.h>

#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_roll.h"

static const char *const member_words[] = {"kind",     "motion", "function",
                                           "campaign", "person", "source"};
enum { MEMBERS = sizeof member_words / sizeof *member_words };

bool lifecycle_member_read(const struct lifecycle_request *request, const char *name,
                           unsigned *member, struct proto_fault *fault)
{
    size_t place = 0;
    bool good = lifecycle_word(request, name, member_words, MEMBERS, &place, fault);
    *member = (unsigned)place;
    return good;
}

struct proto_span lifecycle_member_of(const struct event *event, unsigned member)
{
    const struct proto_span texts[MEMBERS] = {event->kind,     event->motion, event->function,
                                              event->campaign, event->person, event->source};
    return texts[member].bytes > 0 ? texts[member] : proto_span_text("(none)");
}

bool lifecycle_member_or_read(const struct lifecycle_request *request, const char *name,
                              const char *const *more, size_t count, unsigned *member,
                              unsigned *other, struct proto_fault *fault)
{
    const char *words[MEMBERS + LIFECYCLE_MORE_WORDS];
    size_t place = 0;
    assert(count <= LIFECYCLE_MORE_WORDS);
    memcpy(words, member_words, sizeof member_words);
    for (size_t i = 0; i < count; i++) {
        words[MEMBERS + i] = more[i];
    }
    bool good = lifecycle_word(request, name, words, MEMBERS + count, &place, fault);
    *member = place < MEMBERS ? (unsigned)place : 0;
    *other = place < MEMBERS ? 0 : (unsigned)(place - MEMBERS) + 1;
    return good;
}

struct proto_span lifecycle_group_of(const struct measure_journey *journey, unsigned member)
{
    const struct proto_span none = proto_span_text("(none)");
    struct proto_span group = none;
    if (member != LIFECYCLE_MEMBER_KIND && journey->step_count > 0) {
        group = lifecycle_member_of(journey->steps[0], member);
    }
    for (size_t i = 0; i < journey->touch_count && proto_span_equal(group, none); i++) {
        group = lifecycle_member_of(journey->touches[i], member);
    }
    return group;
}

static bool has(const struct lifecycle_request *request, const char *name)
{
    return measure_parameter_find(request->measure, name) != NULL;
}

/* Whether the second of two words was given; false where the measure has no such parameter. */
static bool second_word(const struct lifecycle_request *request, const char *name,
                        const char *const words[2], bool *second, struct proto_fault *fault)
{
    size_t place = 0;
    if (has(request, name) && !lifecycle_word(request, name, words, 2, &place, fault)) {
        return false;
    }
    *second = place == 1;
    return true;
}

/* Of a measure that has the parameter; else *ms is left as it is. */
static bool days_read(const struct lifecycle_request *request, const char *name, int64_t *ms,
                      struct proto_fault *fault)
{
    return !has(request, name) || lifecycle_days(request, name, ms, fault);
}

bool lifecycle_owner_read(const struct lifecycle_request *request, struct proto_span *owner,
                          struct proto_fault *fault)
{
    *owner = (struct proto_span){NULL, 0};
    if (!has(request, "owner")) {
        return true;
    }
    if (!lifecycle_text(request, "owner", owner, fault)) {
        return false;
    }
    if (proto_span_is(*owner, "any")) {
        owner->bytes = 0;
    }
    return true;
}

bool lifecycle_journey_read(const struct lifecycle_request *request,
                            struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const units[] = {"opportunity", "account"};
    static const char *const untils[] = {"outcome", "created"};
    static const char *const typed[] = {"counted", "left-out"};
    struct measure_journey_options *options = &settings->journey.options;
    *options = (struct measure_journey_options){.lookback_ms = EVENT_MS_MAX};
    return lifecycle_owner_read(request, &options->owner, fault) &&
           second_word(request, "unit", units, &options->by_account, fault) &&
           second_word(request, "until", untils, &options->until_created, fault) &&
           second_word(request, "typed-in", typed, &options->late_left_out, fault) &&
           lifecycle_times_or_none(request, &options->from_ms, &options->to_ms, fault) &&
           lifecycle_time_or_none(request, "as-of", &options->as_of_ms, fault) &&
           lifecycle_text(request, "won-kind", &options->won, fault) &&
           (!has(request, "lost-kind") ||
            lifecycle_text(request, "lost-kind", &options->lost, fault)) &&
           days_read(request, "lookback", &options->lookback_ms, fault) &&
           days_read(request, "mature", &options->mature_ms, fault);
}

int64_t lifecycle_journey_as_of(const struct lifecycle_run *run)
{
    return lifecycle_moment(run->worker, run->request, run->settings.journey.options.as_of_ms);
}

struct walking {
    struct lifecycle_run *run;
    struct measure_journey_options options;
    struct lifecycle_collect collect;
    struct measure_journey_reader reader;
    struct lifecycle_instants instants; /* no columns: events are wanted */
    const struct lifecycle_journey_look *look;
    uint32_t accounts;
};

static bool journeys_tell(struct walking *walking, uint32_t slot, struct proto_fault *fault)
{
    const struct lifecycle_journey_look *look = walking->look;
    struct lifecycle_collect *collect = &walking->collect;
    return (look->enter == NULL || look->enter(look->context, slot, fault)) &&
           measure_journeys_read(&walking->reader, collect->events, collect->count,
                                 &walking->options, look->each, look->context, fault) &&
           (look->leave == NULL ||
            look->leave(look->context, slot, collect->events, collect->count, fault));
}

static bool cut_tell(void *context, const struct measure_cut *cut, struct proto_fault *fault)
{
    const struct walking *walking = context;
    return walking->look->cut(walking->look->context, &walking->instants, cut, fault);
}

/* What was told with an account is not told twice. */
static bool fault_tell(const struct walking *walking, uint32_t slot, struct proto_fault *fault)
{
    return fault->code == PROTO_BAD_FIELD && strncmp(fault->field, "accounts[", 9) != 0
               ? lifecycle_fault_of(walking->run->worker, slot, fault)
               : false;
}

/* Without events; *done: columns have the account. */
static bool account_cut(struct walking *walking, uint32_t slot, bool *done,
                        struct proto_fault *fault)
{
    struct lifecycle_instants *instants = &walking->instants;
    if (!lifecycle_instants_account(instants, slot, done, fault)) {
        return false;
    }
    if (!*done) {
        return true;
    }
    lifecycle_collect_count(&walking->collect, instants->mark.page, slot);
    return measure_journeys_cut(&walking->reader.cutter, &instants->all, &walking->options,
                                cut_tell, walking, fault) ||
           fault_tell(walking, slot, fault);
}

static bool account_read(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct walking *walking = context;
    struct lifecycle_collect *collect = &walking->collect;
    bool done = false;
    (void)raw;
    bool good = walking->instants.mark.columns == NULL || account_cut(walking, slot, &done, fault);
    walking->accounts += done;
    if (!good || done) {
        return good;
    }
    if (!lifecycle_collect_account(collect, slot, walking->accounts, fault)) {
        return false;
    }
    walking->accounts++;
    const struct lifecycle_journey_look *look = walking->look;
    if (look->seen != NULL &&
        !look->seen(look->context, slot, collect->events, collect->count, fault)) {
        return false;
    }
    return collect->count == 0 || journeys_tell(walking, slot, fault) ||
           fault_tell(walking, slot, fault);
}

bool lifecycle_journeys_walk(struct lifecycle_run *run, measure_journey_each each, void *context,
                             struct proto_fault *fault)
{
    const struct lifecycle_journey_look look = {.context = context, .each = each};
    return lifecycle_journeys_look(run, &look, fault);
}

bool lifecycle_journeys_look(struct lifecycle_run *run, const struct lifecycle_journey_look *look,
                             struct proto_fault *fault)
{
    const struct lifecycle_as_of *as_of = &run->request->as_of;
    struct walking walking = {.run = run,
                              .options = run->settings.journey.options,
                              .look = look,
                              .reader = {.cutter = {.pace = &run->pace}}};
    walking.options.as_of_ms = lifecycle_journey_as_of(run);
    lifecycle_collect_init(&walking.collect, run->worker, run->job, as_of,
                           MEASURE_JOURNEY_TYPES | look->types);
    walking.collect.whole = true;
    lifecycle_collect_columns(&walking.collect, run->request->columns);
    if (look->cut != NULL) {
        walking.instants.mark = walking.collect.recall.mark;
        walking.instants.options = &walking.options;
    }
    bool done = false;
    bool good = (run->request->filter.bytes > 0 ||
                 lifecycle_roll_walk(run->request->columns, run->worker, run->job, &walking,
                                     account_read, &done, fault)) &&
                (done || lifecycle_walk(run->worker, run->job, run->request, &walking, account_read,
                                        fault));
    run->result->accounts = walking.accounts;
    run->result->events = walking.collect.known;
    run->result->newest_ms = walking.collect.newest_ms;
    lifecycle_collect_fini(&walking.collect);
    lifecycle_instants_fini(&walking.instants);
    measure_journey_reader_fini(&walking.reader);
    return good;
}
