/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy (server/measure/policy.h) says of the accounts of the store: their cases, as the
 * timelines tell them, and how many there are of each archetype.
 *
 * Cases are looked at on a day: a case that is settled later is open. Without one it is the true
 * time of the newest event that is not ahead of the clock, for behind it nothing has been told yet,
 * whatever the clock says.
 *
 * Shapes: cases by slot, then by subject; times in ms since 1970. Ownership: requests borrow; a
 * label is the caller's, lifecycle_label_fini, also after a failure. Errors: those of lifecycle.h;
 * BAD_FIELD of `policy` where it names a field that is no date of the schema; NO_EVIDENCE where no
 * case begins. Threads: the worker's. Cost: that of a walk over the timelines, and policy.h.
 * Memory: 48 bytes a case beside its subject. */
#ifndef LIFECYCLE_LIFECYCLE_LABEL_H
#define LIFECYCLE_LIFECYCLE_LABEL_H

#include "server/lifecycle/lifecycle.h"
#include "server/lifecycle/lifecycle_segment.h"
#include "server/measure/policy.h"

/* Cases of one label: 13 GB of memory, and more than anybody has opportunities. */
#define LIFECYCLE_CASES_MAX ((size_t)1 << 28)
#define LIFECYCLE_SUBJECT_BYTES_MAX ((size_t)4 << 30)

struct lifecycle_label_request {
    const struct measure_policy *policy;
    struct proto_span filter; /* empty: every account; as accounts are now */
    uint64_t icp;             /* version whose scores the filter sees; 0: the active one */
    int64_t at_ms;            /* the day of looking; MEASURE_NEVER: the newest event's */
    struct lifecycle_as_of as_of;
    bool subjects; /* keep the subjects of cases */
};

struct lifecycle_case {
    uint32_t slot;
    uint32_t archetype; /* as in measure_case */
    int64_t moment_ms, settled_ms;
    struct proto_span subject; /* empty if they are not kept */
    uint32_t stage;            /* number of a name, of cases by stage; else 0 */
};

/* A kind of event that was met; which ones are kept is said where a policy asks for one that is
 * not told. */
#define LIFECYCLE_KINDS_MAX 64
struct lifecycle_kind {
    uint8_t type, bytes;
    char text[62];
};

struct lifecycle_label {
    struct lifecycle_case *cases;
    size_t count, room;
    struct base_arena subjects;
    struct lifecycle_names stages;           /* none where cases are not by stage */
    uint64_t of[MEASURE_ARCHETYPES_MAX + 1]; /* settled cases by archetype; the last that is used:
                                                none of them */
    uint64_t open, positives, negatives;
    uint64_t accounts, without; /* that were looked at; of which no case begins */
    uint64_t ended; /* stages that are no case: they were entered when their subject had ended */
    uint64_t events;
    int64_t at_ms; /* EVENT_MS_MIN: nothing is told, and every case open */
    uint64_t seq;
    uint64_t seen[MEASURE_MATCHES_MAX]; /* events by match of the policy */
    struct lifecycle_kind kinds[LIFECYCLE_KINDS_MAX];
    size_t kind_count;
};

bool lifecycle_label(struct engine_worker *worker, const struct engine_job *job,
                     const struct lifecycle_label_request *request, struct lifecycle_label *label,
                     struct proto_fault *fault);
void lifecycle_label_fini(struct lifecycle_label *label);

/* "Proposal", of cases by stage; else "". */
static inline const char *lifecycle_case_stage(const struct lifecycle_label *label,
                                               const struct lifecycle_case *one)
{
    return label->stages.count > 0 ? label->stages.texts[one->stage] : "";
}

static inline bool lifecycle_case_open(const struct lifecycle_label *label,
                                       const struct lifecycle_case *one)
{
    return one->settled_ms > label->at_ms;
}
/* "no outcome:wonn is told; of outcome there are lost, won" for a match of the policy that no event
 * met, into out; false: the match was met, or one before it asks for the same, or nobody does. */
bool lifecycle_label_unseen(const struct lifecycle_label *label,
                            const struct measure_policy *policy, size_t match, char *out,
                            size_t out_bytes);

#endif
