/* SPDX-License-Identifier: Apache-2.0 */
/* How well a list is kept by those who work: the share of their acts on accounts of the list, and
 * what was spent off it.
 *
 *   share      acts on the list / acts
 *   effective  (Σ a)² / Σ a², a the acts on one account: an account is wholly on the list or off,
 *              so acts on one account are one piece of evidence (Kish 1965)
 *   shrunk     (k + w·p) / (m + w), m the effective acts, k = share·m, p the rate of all groups
 *              together, w by Kleinman's moments (handoff.h), and at most the effective acts of
 *              all other groups, and of all accounts: the mean of the beta-binomial posterior
 *   interval   the middle 95 % of that posterior, Beta(k + w·p, m − k + w·(1 − p)); Wilson's where
 *              it has no width, and of all groups together
 *
 * A group of fewer effective acts than `least` is shown, has no rank and no verdict. Against a
 * committed share each of k others is held by Wilson's interval at 1 − 0.05/k.
 *
 * Assumptions: accounts come into a group's work independently of each other; who works was not
 * dealt out by the list (a function whose task is the rest of the market is off it by design).
 * Shapes: acts ≥ 0, minor units, hours ≥ 0. Ownership: borrows; the table is filled. Errors:
 * NO_EVIDENCE where there is no act, NO_MEMORY. Threads: pure. Cost: a walk and a sort of the
 * groups. Source: Kleinman 1973, JASA 68; Kish 1965; docs/methods/adherence.md. */
#ifndef MEASURE_ADHERENCE_H
#define MEASURE_ADHERENCE_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

/* The acts of one group on one account, or on any number that are counted one by one. */
struct measure_work {
    uint32_t group;
    uint32_t account; /* from 1; 0: none is told, and acts count one by one */
    bool on_list;
    double acts, squares; /* squares: Σ a² over accounts; of acts that count one by one, acts */
    double hours;         /* of those whose end is told */
    int64_t spend;        /* minor units */
};

struct measure_works {
    struct measure_work *items;
    size_t count, room;
};
bool measure_works_add(struct measure_works *works, const struct measure_work *work,
                       struct proto_fault *fault);
void measure_works_fini(struct measure_works *works);

struct measure_kept_share {
    double acts, effective, on; /* on: acts on the list */
    double share;               /* NAN without an act */
    double shrunk, low, high;   /* of the posterior */
    double hours, off_hours;
    int64_t spend, off_spend;
};
/* Sums of each group, its share and its posterior among all of them; kept[groups] is that of all
 * together. */
bool measure_adherence_of(const struct measure_works *works, size_t groups,
                          struct measure_kept_share *kept, struct proto_fault *fault);

struct measure_adherence_options {
    double committed; /* share on the list that was committed; 0: none */
    unsigned top;     /* groups to name */
    unsigned least;   /* effective acts */
};
/* All together, then the groups, those with most acts first. */
bool measure_adherence_table(const struct measure_works *works, const char *const *names,
                             size_t groups, const struct measure_adherence_options *options,
                             struct measure_table *table, struct proto_fault *fault);

#endif
