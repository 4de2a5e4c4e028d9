/* SPDX-License-Identifier: Apache-2.0 */
/* The applier takes a view of the store at a sequence at which every node does so, and the checker
 * works out what it holds, while entries go on. The applier then puts that beside what the others
 * say. While the checker is at work, further such sequences are passed over: this node has no vote
 * there. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "server/cluster/cluster_content.h"
#include "server/cluster/cluster_parts.h"

enum { NICE = 10 };

void cluster_check_begin(struct cluster *cluster, const struct store_position *position)
{
    struct cluster_checker *checker = &cluster->checker;
    struct proto_fault fault;
    pthread_mutex_lock(&cluster->lock);
    bool is_free = checker->view == NULL && !checker->done;
    pthread_mutex_unlock(&cluster->lock);
    struct store_view *view = is_free ? store_view_open(cluster->options.store, &fault) : NULL;
    if (view == NULL) {
        return;
    }
    pthread_mutex_lock(&cluster->lock);
    checker->view = view;
    checker->check.seq = position->seq;
    memcpy(checker->check.outcome, position->outcome, sizeof checker->check.outcome);
    pthread_cond_signal(&checker->turn);
    pthread_mutex_unlock(&cluster->lock);
}

static void check_one(struct cluster *cluster, struct store_view *view)
{
    struct cluster_checker *checker = &cluster->checker;
    uint8_t content[CLUSTER_DIGEST_BYTES];
    struct proto_fault fault = {.code = PROTO_OK};
    bool good = cluster_content(view, cluster_goes_on, cluster, content, &fault);
    store_view_close(view);
    if (!good && fault.code != PROTO_CANCELLED) {
        base_log(
            cluster->options.log, BASE_LOG_ERROR, "cluster", "the store cannot be read whole",
            BASE_FIELDS(base_field_error(fault.code), base_field_text("reason", fault.message)));
        /* Nobody else holds nothing: this node will be found to differ. */
        memset(content, 0, sizeof content);
    }
    pthread_mutex_lock(&cluster->lock);
    checker->view = NULL;
    checker->done = good || fault.code == PROTO_CORRUPT;
    memcpy(checker->check.content, content, sizeof content);
    pthread_mutex_unlock(&cluster->lock);
}

void *cluster_check_run(void *context)
{
    struct cluster *cluster = context;
    struct cluster_checker *checker = &cluster->checker;
    (void)pthread_setname_np(pthread_self(), "checker");
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* of a thread, on Linux */
    while (cluster_goes_on(cluster)) {
        pthread_mutex_lock(&cluster->lock);
        while (checker->view == NULL && cluster_goes_on(cluster)) {
            (void)pthread_cond_wait(&checker->turn, &cluster->lock);
        }
        struct store_view *view = checker->view;
        pthread_mutex_unlock(&cluster->lock);
        if (view != NULL) {
            check_one(cluster, view);
        }
    }
    return NULL;
}

/* Where as many say otherwise as say the same, who came later gives way: who is right, a person
 * has to find out, and one node goes on meanwhile. */
static bool votes_judge(const struct cluster_check *check, const struct cluster_votes *votes,
                        bool first, struct proto_fault *fault)
{
    if (votes->other < votes->same || (votes->other == votes->same && first) || votes->other == 0) {
        return true;
    }
    return proto_fault_set(fault, PROTO_CORRUPT, "data",
                           "at entry %llu the store holds something else than that of %.120s: it "
                           "came apart from them",
                           (unsigned long long)check->seq, votes->others);
}

bool cluster_check_vote(struct cluster *cluster, bool again, struct proto_fault *fault)
{
    struct cluster_checker *checker = &cluster->checker;
    struct cluster_log *log = &cluster->apply_log;
    struct cluster_votes votes;
    pthread_mutex_lock(&cluster->lock);
    bool due = checker->done;
    again = again && !due && checker->voted;
    struct cluster_check check = due ? checker->check : checker->last;
    pthread_mutex_unlock(&cluster->lock);
    if (!due && !again) {
        return true;
    }
    if (!log->vote(log->context, cluster->options.node, &check, &votes, fault)) {
        return false;
    }
    pthread_mutex_lock(&cluster->lock);
    if (due) {
        checker->done = false;
        checker->voted = true;
        checker->last = check;
        checker->first = votes.other == 0;
        cluster->look.checks++;
    }
    bool first = checker->first;
    pthread_mutex_unlock(&cluster->lock);
    return votes_judge(&check, &votes, first, fault);
}
