/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store is, the log must have the chain that the store has; where the log begins, the
 * content that its first store had will do, too. */
#include <string.h>

#include "server/cluster/cluster_content.h"
#include "server/cluster/cluster_parts.h"

static bool content_same(const struct cluster_options *options, const struct cluster_head *head,
                         struct proto_fault *fault)
{
    uint8_t content[CLUSTER_DIGEST_BYTES];
    struct store_view *view = store_view_open(options->store, fault);
    if (view == NULL) {
        return false;
    }
    bool good = store_view_seq(view) == head->base &&
                cluster_content(view, NULL, NULL, content, fault) &&
                memcmp(content, head->base_content, sizeof content) == 0;
    store_view_close(view);
    return good;
}

static enum cluster_join join_at_base(const struct cluster_options *options,
                                      const struct store_position *position,
                                      const struct cluster_head *head, struct proto_fault *fault)
{
    bool chained = position->follows &&
                   memcmp(position->chain, head->base_chain, sizeof head->base_chain) == 0;
    if (chained || (head->has_content && content_same(options, head, fault))) {
        return CLUSTER_JOIN_GOOD;
    }
    proto_fault_set(fault, PROTO_CONFLICT, "data",
                    "the shared log begins behind %llu, and the store, which ends there, is not "
                    "the one that it began with: join with an empty `data` where that is 0, or "
                    "restore a backup of a node",
                    (unsigned long long)head->base);
    return CLUSTER_JOIN_NEVER;
}

static enum cluster_join join_within(struct cluster_log *log, const struct store_position *position,
                                     uint8_t chain[CLUSTER_DIGEST_BYTES], struct proto_fault *fault)
{
    if (!log->chain(log->context, position->seq, chain, fault)) {
        return CLUSTER_JOIN_LATER;
    }
    if (!position->follows || memcmp(chain, position->chain, CLUSTER_DIGEST_BYTES) != 0) {
        proto_fault_set(fault, PROTO_CONFLICT, "data",
                        "what the store has applied up to %llu is not what stands in the shared "
                        "log: it is of another one, or they came apart; restore a backup of a "
                        "node that is sound",
                        (unsigned long long)position->seq);
        return CLUSTER_JOIN_NEVER;
    }
    return CLUSTER_JOIN_GOOD;
}

enum cluster_join cluster_join(const struct cluster_options *options, struct cluster_log *log,
                               const struct store_position *position, struct cluster_head *head,
                               uint8_t chain[CLUSTER_DIGEST_BYTES], struct proto_fault *fault)
{
    if (!log->look(log->context, head, fault)) {
        return CLUSTER_JOIN_LATER;
    }
    if (position->seq < head->base) {
        proto_fault_set(fault, PROTO_CONFLICT, "data",
                        "the shared log keeps entries after %llu, and the store ends at %llu: "
                        "restore a backup of a node that reaches so far",
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
    memcpy(chain, head->base_chain, CLUSTER_DIGEST_BYTES);
    return position->seq == head->base ? join_at_base(options, position, head, fault)
                                       : join_within(log, position, chain, fault);
}
