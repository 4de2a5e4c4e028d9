/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of the store: an entry is added to one, one is read, all are listed. What an entry may say
 * is server/term's matter; here is what only a server knows: which ICP version and which list are
 * meant, when it is, and that entries are stored one after another.
 *
 * Entries of all plans lie in the store in the order in which they were added, each as its line
 * (term_plan.h). One that is damaged is lost alone, but nothing is added while one cannot be read:
 * it may be the newest of its plan.
 *
 * Ownership: said at each call; spans are the view's. Errors: those of term_plan.h,
 * PROTO_NOT_FOUND, PROTO_CORRUPT, PROTO_NO_ICP, PROTO_LIMIT, the store's, and those of
 * engine_scan_goes_on for the job (NULL: none), which is asked before an entry is stored, too: what
 * was cancelled adds nothing. Threads: that of its lane, one alone,
 * so that no entry comes between what one is made from and itself. Cost: some 50 ns for an entry of
 * another plan, some 30 µs for one of the plan, 150 µs if it is signed. */
#ifndef COMMITMENT_COMMITMENT_H
#define COMMITMENT_COMMITMENT_H

#include "server/engine/worker.h"
#include "server/term/term_plan.h"

struct commitment_entry {
    struct proto_span name, act, body;
    struct engine_operation operation;
};
struct commitment_added {
    uint32_t entry; /* within its plan */
    enum term_state state;
    char hash[TERM_HASH_HEX + 1];
    bool repeated; /* it was added before, by the same operation */
};
bool commitment_add(struct engine_worker *worker, const struct engine_job *job,
                    const struct commitment_entry *request, struct commitment_added *added,
                    struct proto_fault *fault);

/* What the entries of a plan come to, and those behind `after`, `limit` of them at most. */
struct commitment_seen {
    struct term_plan plan;
    uint32_t count;           /* entries of that name, good or not */
    uint32_t lost;            /* of the store: cannot be read, or were given up */
    struct proto_fault wrong; /* OK: its history is sound */
    struct proto_span *lines;
    size_t line_count;
};
bool commitment_see(struct engine_worker *worker, const struct engine_job *job,
                    struct proto_span name, uint64_t after, size_t limit,
                    struct commitment_seen *seen, struct proto_fault *fault);
void commitment_seen_fini(struct commitment_seen *seen);

struct commitment_listed {
    struct term_plan plan;
    struct proto_fault wrong;
};
struct commitment_list {
    struct commitment_listed *plans;
    size_t count, room;
    uint32_t lost;
};
bool commitment_list(struct engine_worker *worker, const struct engine_job *job,
                     struct commitment_list *list, struct proto_fault *fault);
void commitment_list_fini(struct commitment_list *list);

/* commitment_read.c, for commitment_add.c. An entry of the store by its number: its line, empty if
 * it is lost. *damaged: it cannot be read, rather than given up. False with *fault: it was not
 * read, or the job does not go on. */
bool commitment_line(struct engine_worker *worker, const struct engine_job *job, uint32_t number,
                     struct proto_span *line, bool *damaged, struct proto_fault *fault);

#endif
