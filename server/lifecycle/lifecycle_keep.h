/* SPDX-License-Identifier: Apache-2.0 */
/* Measures of how a list is kept: adherence, divergence, resources and compensation, over the work
 * that is told of the accounts that a request looks at. Within this folder.
 *
 * Work are acts (touches, or stages and decisions too) and spend, within the time that is asked
 * for and up to the moment of looking. Ownership: settings borrow from the request; tables are the
 * result's; _close frees, also after a failure. Errors: those of lifecycle.h; BAD_FIELD with
 * "parameters.NAME". Threads: one. Cost: the timeline of each account is read once, some 200 ns an
 * event; then that of the measure's header in server/measure. */
#ifndef LIFECYCLE_LIFECYCLE_KEEP_H
#define LIFECYCLE_LIFECYCLE_KEEP_H

#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_collect.h"
#include "server/lifecycle/lifecycle_segment.h"
#include "server/measure/adherence.h"
#include "server/measure/compensation.h"
#include "server/measure/divergence.h"
#include "server/measure/resource.h"

struct lifecycle_run;
struct lifecycle_settings;

struct lifecycle_keep_settings {
    unsigned member; /* of lifecycle_member_of */
    bool by_team, all_acts;
    struct proto_span teams, tal; /* empty: none; those of the active version */
    int64_t from_ms, to_ms;       /* INT64_MIN, INT64_MAX: not told */
    struct measure_adherence_options adherence;
    struct measure_divergence_options divergence;
    struct measure_resource_options resources;
    bool chance_alone; /* of resources: what an account is worth is its chance */
    struct measure_compensation_options compensation;
    struct proto_span paid; /* of compensation: the one person; empty: all */
    bool now_else;          /* of compensation: values of now where none are kept of then */
};

/* from, to, as-of and acts. */
bool lifecycle_work_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault);
/* The same, with group-by, teams and tal. */
bool lifecycle_keep_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault);

/* Bits by slot of the accounts of a list, free(); an empty name: of the lists of the active
 * version. *listed: how many, 0 where there is no list. */
bool lifecycle_list_bits(const struct lifecycle_run *run, struct proto_span tal, uint8_t **bits,
                         size_t *listed, struct proto_fault *fault);

struct lifecycle_working {
    struct lifecycle_run *run;
    struct lifecycle_collect collect; /* events of the account under way */
    struct lifecycle_names groups, persons;
    uint32_t *team_of; /* groups of the first team_count persons */
    size_t team_count, team_room;
    uint8_t *on_list; /* by slot; NULL: no list was asked for */
    struct lifecycle_amount amount;
    int64_t as_of_ms;
    uint32_t accounts;
    bool (*account)(void *context, uint32_t slot, struct proto_fault *fault);
    void *context;
};

/* listed: a list is needed. */
bool lifecycle_working_open(struct lifecycle_working *working, struct lifecycle_run *run,
                            bool listed, struct proto_fault *fault);
void lifecycle_working_close(struct lifecycle_working *working);
/* Calls `account` for each account, with its events collected; tells the result what it saw. */
bool lifecycle_working_walk(struct lifecycle_working *working, struct proto_fault *fault);
bool lifecycle_is_act(const struct lifecycle_working *working, const struct event *event);
bool lifecycle_is_spend(const struct lifecycle_working *working, const struct event *event);
bool lifecycle_work_group(struct lifecycle_working *working, const struct event *event,
                          uint32_t *group, struct proto_fault *fault);
static inline bool lifecycle_on_list(const struct lifecycle_working *working, uint32_t slot)
{
    return (working->on_list[slot / 8] >> slot % 8 & 1) != 0;
}

bool lifecycle_adherence_read(const struct lifecycle_request *request,
                              struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_adherence_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_divergence_read(const struct lifecycle_request *request,
                               struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_divergence_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_resources_read(const struct lifecycle_request *request,
                              struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_resources_look(struct lifecycle_run *run, struct proto_fault *fault);
bool lifecycle_compensation_read(const struct lifecycle_request *request,
                                 struct lifecycle_settings *settings, struct proto_fault *fault);
bool lifecycle_compensation_look(struct lifecycle_run *run, struct proto_fault *fault);

#endif
