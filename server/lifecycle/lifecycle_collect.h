/* SPDX-License-Identifier: Apache-2.0 */
/* The events of one account, copied out of the view for as long as they are folded.
 *
 * Ownership: a collector owns its copies until the next account or _fini. Errors: CORRUPT,
 * NO_MEMORY, CANCELLED, DEADLINE. Threads: one. Cost: one copy for each event that is of a type
 * that is asked for; the others are counted. Out of columns: lifecycle_recall.h. */
#ifndef LIFECYCLE_LIFECYCLE_COLLECT_H
#define LIFECYCLE_LIFECYCLE_COLLECT_H

#include "server/base/arena.h"
#include "server/engine/worker.h"
#include "server/lifecycle/lifecycle.h"
#include "server/lifecycle/lifecycle_recall.h"

/* An account holds PROTO_ACCOUNT_EVENTS_MAX, and in an older store what one more request brought,
 * each with some 500 bytes and its texts. */
#define LIFECYCLE_ACCOUNT_BYTES_MAX ((size_t)256 << 20)

struct lifecycle_collect {
    struct engine_worker *worker;
    const struct engine_job *job;
    struct lifecycle_as_of as_of;
    uint32_t types; /* bits 1 << event_type of those that are copied; retractions always */
    struct base_arena arena;
    struct measure_event *events; /* of one account, whose number is `account`; of … */
    size_t count, room;
    struct measure_event *copies;   /* … these, or … */
    struct lifecycle_recall recall; /* … out of columns */
    uint32_t account;
    uint64_t known;      /* events that were known, of all accounts and types */
    int64_t newest_ms;   /* of them; INT64_MIN: none */
    int64_t happened_ms; /* true time of the latest of them that is not ahead of now_ms */
    int64_t now_ms;
    bool whole; /* copies carry motion, function, campaign and person too; set after _init */
    uint32_t asked, looked;
    uint32_t most; /* events of an account, of any type, above which it is refused; 0: any */
    struct proto_fault fault; /* of the account under way */
};

void lifecycle_collect_init(struct lifecycle_collect *collect, struct engine_worker *worker,
                            const struct engine_job *job, const struct lifecycle_as_of *as_of,
                            uint32_t types);
/* Events come out of columns where these are as the view sees them: for whoever asks for types of
 * LIFECYCLE_PAGE_NAMED alone, and not for known time, ids, ends or happened_ms. What is as of a
 * sequence or a known time is read of timelines all the same. columns NULL: of timelines alone. */
void lifecycle_collect_columns(struct lifecycle_collect *collect,
                               struct lifecycle_columns *columns);
void lifecycle_collect_fini(struct lifecycle_collect *collect);
/* Leaves in `events` the `count` events of the slot that stand. */
bool lifecycle_collect_account(struct lifecycle_collect *collect, uint32_t slot, uint32_t account,
                               struct proto_fault *fault);
/* Counts the events of the page's slot as collected, whoever read them. */
void lifecycle_collect_count(struct lifecycle_collect *collect, const struct lifecycle_page *page,
                             uint32_t slot);

/* Puts "accounts[ID]" before the fault's field, if the account can be read. Returns false. */
bool lifecycle_fault_of(struct engine_worker *worker, uint32_t slot, struct proto_fault *fault);

#endif
