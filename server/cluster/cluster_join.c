/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store is, the log must have the chain that the store has; where the log begins, the
 * content that its first store had will do, too. What could not be looked at says nothing: it is
 * tried again. */
#include <string.h>

#include "server/cluster/cluster_content.h"
#include "server/cluster/cluster_parts.h"

/* Whether the store holds what the log began with; JOIN_NEVER: it does not. */
static enum cluster_join content_judge(struct cluster *cluster, const struct cluster_head *head,
                                       struct proto_fault *fault)
{
    uint8_t content[CLUSTER_DIGEST_BYTES];
    struct store_view *view = store_view_open(cluster->options.store, fault);
    if (view == NULL) {
        return CLUSTER_JOIN_LATER;
    }
    bool good = cluster_content(view, cluster_goes_on, cluster, content, fault);
    store_view_close(view);
    if (!good) {
        return fault->code == PROTO_CORRUPT ? CLUSTER_JOIN_NEVER : CLUSTER_JOIN_LATER;
    }
    return memcmp(content, head->base_content, sizeof content) == 0 ? CLUSTER_JOIN_GOOD
                                                                    : CLUSTER_JOIN_NEVER;
}

/* The store ends within what the log keeps, or where that begins. */
static enum cluster_join store_judge(struct cluster *cluster, const struct store_position *position,
                                     const struct cluster_head *head, struct proto_fault *fault)
{
    struct cluster_log *log = &cluster->apply_log;
    bool at_base = position->seq == head->base;
    memcpy(cluster->chain, head->base_chain, sizeof cluster->chain);
    if (!at_base && !log->chain(log->context, position->seq, cluster->chain, fault)) {
        return CLUSTER_JOIN_LATER;
    }
    if (position->follows && memcmp(cluster->chain, position->chain, sizeof cluster->chain) == 0) {
        return CLUSTER_JOIN_GOOD;
    }
    enum cluster_join joined =
        at_base && head->has_content ? content_judge(cluster, head, fault) : CLUSTER_JOIN_NEVER;
    if (joined == CLUSTER_JOIN_NEVER && fault->code == PROTO_OK) {
        proto_fault_set(fault, PROTO_CONFLICT, "data",
                        at_base ? "the shared log begins behind %llu, and the store, which ends "
                                  "there, is not the one that it began with: join with an empty "
                                  "`data` where that is 0, or restore a backup of a node"
                                : "what the store has applied up to %llu is not what stands in the "
                                  "shared log: it is of another one, or they came apart; restore a "
                                  "backup of a node that is sound",
                        (unsigned long long)position->seq);
    }
    return joined;
}

enum cluster_join cluster_join(struct cluster *cluster, const struct store_position *position,
                               struct cluster_head *head, struct proto_fault *fault)
{
    struct cluster_log *log = &cluster->apply_log;
    if (!log->look(log->context, head, fault)) {
        return CLUSTER_JOIN_LATER;
    }
    if (position->seq < head->base) {
        proto_fault_set(
            fault, PROTO_CONFLICT, "data",
            "the shared log keeps entries after %llu, and the store ends at %llu: "
            "begin with a snapshot (move `data` away, where there are such) or a backup of a "
            "node that reaches so far",
            (unsigned long long)head->base, (unsigned long long)position->seq);
        return CLUSTER_JOIN_NEVER;
    }
    if (position->seq > head->head) {
        proto_fault_set(fault, PROTO_CONFLICT, "cluster_log",
                        "the shared log ends at %llu, and this node has applied %llu: the server "
                        "is not the primary, or lost what it had acknowledged",
                        (unsigned long long)head->head, (unsigned long long)position->seq);
        return CLUSTER_JOIN_AHEAD;
    }
    return store_judge(cluster, position, head, fault);
}
