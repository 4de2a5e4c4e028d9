/* SPDX-License-Identifier: Apache-2.0 */
/* view, on the lane MEASURE: one or several views of the score, all of one walk. A view that there
 * is none of, or that is asked for twice, is refused. */
#include <string.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_view.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"
#include "server/rpc/rpc_table.h"

static bool views_read(struct rpc_call *call, enum measure_id ids[LIFECYCLE_VIEWS], size_t *count,
                       struct proto_fault *fault)
{
    const struct proto_span *names = rpc_arg_texts(call, PROTO_Q_VIEW_VIEWS, count, fault);
    bool asked[MEASURE_IDS] = {false};
    for (size_t i = 0; names != NULL && i < *count; i++) {
        char shown[FEATURE_SHOWN_BYTES];
        ids[i] = lifecycle_view_find(names[i]);
        if (ids[i] == MEASURE_IDS) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "views",
                                   "there is no view '%s'; there are sales, marketing, success, "
                                   "product, finance and grid",
                                   feature_text_show(names[i], shown, sizeof shown));
        }
        if (asked[ids[i]]) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "views", "'%s' is asked for twice",
                                   feature_text_show(names[i], shown, sizeof shown));
        }
        asked[ids[i]] = true;
    }
    return names != NULL;
}

/* A view's own name: that of its measure without "view-". */
static const char *view_name(enum measure_id id)
{
    const char *name = measure_info(id)->name;
    return strncmp(name, "view-", 5) == 0 ? name + 5 : name;
}

static void table_write(struct proto_writer *out, const struct measure_table *table)
{
    const struct measure_info *info = measure_info(table->id);
    proto_write_map(out, 5);
    rpc_member_text(out, RPC_MEMBER(VIEW_TABLE, VIEW), view_name(table->id));
    rpc_member(out, RPC_MEMBER(VIEW_TABLE, COLUMNS));
    rpc_table_columns(out, table->id);
    rpc_member(out, RPC_MEMBER(VIEW_TABLE, ROWS));
    rpc_table_rows(out, table);
    rpc_member_text(out, RPC_MEMBER(VIEW_TABLE, INTERVAL), info->interval);
    rpc_member_text(out, RPC_MEMBER(VIEW_TABLE, CORRECTION), info->correction);
}

static void answer_write(struct rpc_call *call, const struct lifecycle_views *views)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    bool any = views->newest_ms != INT64_MIN;
    proto_write_map(out, 11U + any);
    rpc_put_uint(out, op, PROTO_A_VIEW_ICP, views->icp);
    rpc_put_uint(out, op, PROTO_A_VIEW_SEQ, views->seq);
    rpc_put_int(out, op, PROTO_A_VIEW_AT, views->at_ms);
    rpc_put_text(out, op, PROTO_A_VIEW_DEFINITION, views->name);
    rpc_put_uint(out, op, PROTO_A_VIEW_VERSION, views->version);
    rpc_key(out, op, PROTO_A_VIEW_RULES);
    rpc_rules_write(out, &views->rules);
    rpc_put_text(out, op, PROTO_A_VIEW_CURRENCY, views->rules.base);
    rpc_put_uint(out, op, PROTO_A_VIEW_ACCOUNTS, views->accounts);
    rpc_put_uint(out, op, PROTO_A_VIEW_EVENTS, views->events);
    rpc_put_uint(out, op, PROTO_A_VIEW_SUBSCRIPTIONS, views->subscriptions);
    if (any) {
        rpc_put_int(out, op, PROTO_A_VIEW_NEWEST, views->newest_ms);
    }
    rpc_key(out, op, PROTO_A_VIEW_VIEWS);
    proto_write_array(out, views->count);
    for (size_t i = 0; i < views->count; i++) {
        table_write(out, &views->tables[i]);
    }
}

enum rpc_outcome rpc_on_VIEW(struct rpc_call *call, struct proto_fault *fault)
{
    struct lifecycle_request request = {.filter = rpc_arg_text(call, PROTO_Q_VIEW_FILTER),
                                        .icp = rpc_arg_uint(call, PROTO_Q_VIEW_ICP),
                                        .by = rpc_arg_text(call, PROTO_Q_VIEW_BY),
                                        .as_of =
                                            rpc_as_of(call, PROTO_Q_VIEW_SEQ, PROTO_Q_VIEW_KNOWN)};
    enum measure_id ids[LIFECYCLE_VIEWS];
    struct lifecycle_views views;
    size_t count = 0;
    measure_rules_default(&request.rules);
    if (!views_read(call, ids, &count, fault) ||
        !rpc_parameters_read(call, PROTO_Q_VIEW_PARAMETERS, &request, fault) ||
        !rpc_rules_read(call, PROTO_Q_VIEW_RULES, &request.rules, fault)) {
        return RPC_FAILED;
    }
    bool good =
        lifecycle_views(call->worker->engine, call->scan, &request, ids, count, &views, fault);
    if (good) {
        answer_write(call, &views);
    }
    lifecycle_views_fini(&views);
    return good ? RPC_DONE : RPC_FAILED;
}
