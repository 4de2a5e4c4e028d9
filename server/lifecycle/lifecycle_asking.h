/* SPDX-License-Identifier: Apache-2.0 */
/* A question under way: what it asks for, read once, and what each shape of events comes to. Within
 * this folder.
 *
 * Ownership: the struct is lifecycle_query's, which frees what it holds; texts of members are
 * numbered in the result. Errors: those of lifecycle_query.h. Threads: one. Cost: a verdict some
 * 100 ns, once a shape. */
#ifndef LIFECYCLE_LIFECYCLE_ASKING_H
#define LIFECYCLE_LIFECYCLE_ASKING_H

#include "server/lifecycle/lifecycle_collect.h"
#include "server/lifecycle/lifecycle_group.h"
#include "server/lifecycle/lifecycle_where.h"

/* A member that rows are told apart by: of event_member.def, or one of the two before them. */
enum { LIFECYCLE_BY_TYPE = EVENT_MEMBER_COUNT, LIFECYCLE_BY_SOURCE };

/* What a shape comes to. */
struct lifecycle_verdict {
    bool known, in;
    bool ask;                     /* it depends on more than one interval of one number: … */
    struct filter_narrow *narrow; /* … on these; NULL: the whole condition says so */
    enum lifecycle_where_number number; /* else whether this one is … */
    bool inside;                        /* … inside */
    double low, high;
    uint32_t members[PROTO_QUERY_MEMBERS_MAX];
    uint32_t currency; /* number of a text; 0: none */
};

struct lifecycle_asking {
    struct engine_worker *worker;
    const struct engine_job *job;
    struct lifecycle_columns *columns; /* NULL: the question is not for them */
    const struct lifecycle_query *query;
    struct lifecycle_query_result *result;
    struct lifecycle_where where;
    const struct feature_field *by;
    unsigned members[PROTO_QUERY_MEMBERS_MAX];
    struct lifecycle_calendar cohort, period;
    struct lifecycle_verdict *verdicts; /* by shape */
    size_t verdict_count;
    struct lifecycle_groups groups, bases;
    struct lifecycle_group *last; /* of the event before */
    uint32_t currency;            /* of what was added up; number of a text */
    /* The page under way, and its columns as numbers. */
    struct lifecycle_page *page;
    uint32_t page_number;
    bool page_asked;
    int64_t *shapes, *times, *amounts, *quantities;
    uint32_t *picked; /* rows that match, ascending; those of account `at` of the page are … */
    uint32_t picked_first[LIFECYCLE_PAGE_SLOTS + 1]; /* … from here to the next */
    size_t column_room;
    /* The account under way. */
    struct lifecycle_collect collect;
    struct lifecycle_group_key key;
    uint32_t account; /* from 1 */
    bool in_cohort;
};

/* Which members rows are told apart by. */
bool lifecycle_members_read(struct lifecycle_asking *asking, struct proto_fault *fault);
/* Whether columns have all that is asked for. */
bool lifecycle_columns_do(const struct lifecycle_asking *asking);
/* What an event comes to, or a shape: then `ask` leaves what it does not have to later. */
bool lifecycle_verdict_of(struct lifecycle_asking *asking, const struct event *event, bool ask,
                          struct lifecycle_verdict *verdict, struct proto_fault *fault);
/* That of a shape, kept; NULL with *fault. */
const struct lifecycle_verdict *lifecycle_verdict_get(struct lifecycle_asking *asking,
                                                      uint32_t shape, struct proto_fault *fault);
void lifecycle_verdicts_free(struct lifecycle_asking *asking);
/* Leaves the page that the slot is in, with the rows that match picked, or none: timelines are read
 * then. False with *fault. Some 5 ns a row, once a page. */
bool lifecycle_asking_turn(struct lifecycle_asking *asking, uint32_t slot,
                           struct proto_fault *fault);

#endif
