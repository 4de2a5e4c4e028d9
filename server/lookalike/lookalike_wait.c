/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "server/lookalike/lookalike_parts.h"

enum { HOLD_ATTEMPTS = 8 }; /* to meet view and set on one commit while others write */

/* Whether a set of this size is made or refitted without being asked. */
static bool small_wants_build(struct engine_worker *worker, const struct lookalike_set *set)
{
    uint64_t accounts = store_view_accounts(worker->view);
    const struct feature_schema *schema = worker->state->schema;
    if (accounts == 0 || accounts > LOOKALIKE_SMALL || !schema) {
        return false;
    }
    return !set || set->schema_version != schema->version || accounts > 2 * set->plan->rows;
}

static bool no_vectors(struct engine_worker *worker, bool building, struct proto_fault *fault)
{
    if (!worker->state->schema || store_view_accounts(worker->view) == 0) {
        return proto_fault_set(fault, PROTO_NO_VECTORS, "",
                               "there are no accounts yet to compare with");
    }
    if (building) {
        return proto_fault_set(fault, PROTO_BUSY, "",
                               "the vectors of %" PRIu64 " accounts are being built; see job-list",
                               store_view_accounts(worker->view));
    }
    return proto_fault_set(fault, PROTO_NO_VECTORS, "",
                           "the vectors of %" PRIu64
                           " accounts are not built yet: send similar-build (icp similar --build)",
                           store_view_accounts(worker->view));
}

/* Makes sure that there is a set that may be used; builds a small one. */
static bool set_ready(struct lookalike *lookalike, struct engine_worker *worker,
                      const struct engine_job *job, struct proto_fault *fault)
{
    bool good = true;
    bool small = store_view_accounts(worker->view) <= LOOKALIKE_SMALL;
    pthread_mutex_lock(&lookalike->lock);
    /* A small set that another lane is building will be there in a moment. */
    while (good && (lookalike->opening || (small && lookalike->building && !lookalike->ready))) {
        lookalike_wait_changed(lookalike);
        good = engine_scan_goes_on(job, fault);
    }
    bool usable = lookalike->ready && !lookalike->lost;
    bool building = lookalike->building;
    pthread_mutex_unlock(&lookalike->lock);
    if (!good) {
        return false;
    }
    pthread_rwlock_rdlock(&lookalike->set_lock);
    bool wants = small_wants_build(worker, usable ? lookalike->set : NULL);
    pthread_rwlock_unlock(&lookalike->set_lock);
    if (building || !wants) {
        return usable || no_vectors(worker, building, fault);
    }
    struct lookalike_build build = {.lookalike = lookalike, .scan = job};
    if (!lookalike_build(&build, fault)) {
        return false;
    }
    lookalike_save_later(lookalike);
    return true;
}

bool lookalike_hold(struct lookalike *lookalike, struct engine_worker *worker,
                    const struct engine_job *job, struct proto_fault *fault)
{
    if (!set_ready(lookalike, worker, job, fault)) {
        return false;
    }
    for (int attempt = 1;; attempt++) {
        if (!lookalike_wait_applied(lookalike, job, fault)) {
            return false;
        }
        pthread_rwlock_rdlock(&lookalike->set_lock);
        bool good = store_view_refresh(worker->view, fault);
        pthread_mutex_lock(&lookalike->lock);
        bool usable = lookalike->set && !lookalike->lost;
        bool met = lookalike->applied_seq == store_view_seq(worker->view);
        pthread_mutex_unlock(&lookalike->lock);
        /* After so many attempts the set may be a commit behind the view or ahead of it: an account
         * that the view no longer has is then left out of the answer. */
        if (good && usable && (met || attempt == HOLD_ATTEMPTS)) {
            return true;
        }
        pthread_rwlock_unlock(&lookalike->set_lock);
        if (!good) {
            return false;
        }
        if (!usable) {
            return proto_fault_set(fault, PROTO_NO_VECTORS, "",
                                   "the vectors were lost for want of memory: build them anew");
        }
    }
}
