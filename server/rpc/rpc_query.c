/* SPDX-License-Identifier: Apache-2.0 */
/* event-query, on the lane QUERY: the question as the use case wants it, and its rows under columns
 * that follow from what was asked. */
#include "server/lifecycle/lifecycle_query.h"

#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/feature/span_text.h"
#include "server/rpc/rpc_member.h"
#include "server/rpc/rpc_rules.h"

static bool sum_read(struct rpc_call *call, enum lifecycle_sum *sum, struct proto_fault *fault)
{
    struct proto_span word = rpc_arg_text(call, PROTO_Q_EVENT_QUERY_SUM);
    char shown[FEATURE_SHOWN_BYTES];
    *sum = proto_span_is(word, "amount")     ? LIFECYCLE_SUM_AMOUNT
           : proto_span_is(word, "quantity") ? LIFECYCLE_SUM_QUANTITY
                                             : LIFECYCLE_SUM_NONE;
    return word.bytes == 0 || *sum != LIFECYCLE_SUM_NONE ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "sum", "amount or quantity, not '%s'",
                           feature_text_show(word, shown, sizeof shown));
}

static bool query_read(struct rpc_call *call, struct lifecycle_query *query,
                       struct proto_fault *fault)
{
    const struct proto_arg *args = call->args;
    struct proto_fault local = {.code = PROTO_OK};
    *query = (struct lifecycle_query){
        .where = rpc_arg_text(call, PROTO_Q_EVENT_QUERY_WHERE),
        .since_ms = args[PROTO_Q_EVENT_QUERY_SINCE].present
                        ? args[PROTO_Q_EVENT_QUERY_SINCE].integer
                        : INT64_MIN,
        .until_ms = args[PROTO_Q_EVENT_QUERY_UNTIL].present
                        ? args[PROTO_Q_EVENT_QUERY_UNTIL].integer
                        : INT64_MAX,
        .filter = rpc_arg_text(call, PROTO_Q_EVENT_QUERY_FILTER),
        .icp = rpc_arg_uint(call, PROTO_Q_EVENT_QUERY_ICP),
        .by = rpc_arg_text(call, PROTO_Q_EVENT_QUERY_BY),
        .as_of = rpc_as_of(call, PROTO_Q_EVENT_QUERY_SEQ, PROTO_Q_EVENT_QUERY_KNOWN)};
    query->members = rpc_arg_texts(call, PROTO_Q_EVENT_QUERY_MEMBERS, &query->member_count, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    if (!rpc_event_types(call, PROTO_Q_EVENT_QUERY_TYPES, &query->types, fault)) {
        return false;
    }
    if ((query->types >> EVENT_RETRACTION & 1) != 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "types",
                               "retractions take events back and are none themselves; timeline "
                               "shows them with all");
    }
    return true;
}

static bool table_read(struct rpc_call *call, struct lifecycle_query *query,
                       struct proto_fault *fault)
{
    return query_read(call, query, fault) && sum_read(call, &query->sum, fault) &&
           lifecycle_period_read(rpc_arg_text(call, PROTO_Q_EVENT_QUERY_COHORT), "cohort",
                                 LIFECYCLE_COHORT_PERIODS, &query->cohort, fault) &&
           lifecycle_period_read(rpc_arg_text(call, PROTO_Q_EVENT_QUERY_PERIOD), "period",
                                 LIFECYCLE_PERIODS, &query->period, fault);
}

static void column_write(struct proto_writer *out, const char *name, enum measure_kind kind,
                         const char *help)
{
    proto_write_map(out, 3);
    rpc_member_text(out, RPC_MEMBER(MEASURE_COLUMN, NAME), name);
    rpc_member_text(out, RPC_MEMBER(MEASURE_COLUMN, KIND), measure_kind_name(kind));
    rpc_member_text(out, RPC_MEMBER(MEASURE_COLUMN, HELP), help);
}

static size_t columns_count(const struct lifecycle_query *query)
{
    return 6U + (query->by.bytes > 0) + (query->cohort != LIFECYCLE_PERIOD_NONE) +
           (query->period != LIFECYCLE_PERIOD_NONE) + query->member_count +
           (query->sum != LIFECYCLE_SUM_NONE);
}

static void columns_write(struct proto_writer *out, const struct lifecycle_query *query)
{
    proto_write_array(out, columns_count(query));
    if (query->by.bytes > 0) {
        column_write(out, "segment", MEASURE_KIND_TEXT,
                     "value of the field; (none): accounts without");
    }
    if (query->cohort != LIFECYCLE_PERIOD_NONE) {
        column_write(out, "cohort", MEASURE_KIND_TIME, "first day of the cohort");
    }
    if (query->period != LIFECYCLE_PERIOD_NONE) {
        column_write(out, "period", MEASURE_KIND_TIME, "first day of the period");
    }
    for (size_t i = 0; i < query->member_count; i++) {
        char name[FEATURE_SHOWN_BYTES];
        column_write(out, feature_text_show(query->members[i], name, sizeof name),
                     MEASURE_KIND_TEXT, "member of the events; nil: those without it");
    }
    column_write(out, "events", MEASURE_KIND_COUNT, "events");
    column_write(out, "accounts", MEASURE_KIND_COUNT, "accounts that have one of them");
    column_write(out, "of", MEASURE_KIND_COUNT, "accounts of the segment and the cohort");
    column_write(out, "rate", MEASURE_KIND_NUMBER, "accounts / of");
    column_write(out, "low", MEASURE_KIND_NUMBER, "lower end of the 95 % interval of the rate");
    column_write(out, "high", MEASURE_KIND_NUMBER, "upper end");
    if (query->sum == LIFECYCLE_SUM_AMOUNT) {
        column_write(out, "sum", MEASURE_KIND_MONEY, "of the amounts");
    } else if (query->sum == LIFECYCLE_SUM_QUANTITY) {
        column_write(out, "sum", MEASURE_KIND_COUNT, "of the quantities, in thousandths");
    }
}

static void row_write(struct proto_writer *out, const struct lifecycle_query *query,
                      const struct lifecycle_query_result *result,
                      const struct lifecycle_query_row *row)
{
    proto_write_array(out, columns_count(query));
    if (query->by.bytes > 0) {
        proto_write_text(out, result->segments.texts[row->segment]);
    }
    if (query->cohort != LIFECYCLE_PERIOD_NONE) {
        proto_write_int(out, row->cohort * FEATURE_DAY_MS);
    }
    if (query->period != LIFECYCLE_PERIOD_NONE) {
        proto_write_int(out, row->period * FEATURE_DAY_MS);
    }
    for (size_t i = 0; i < query->member_count; i++) {
        if (row->members[i] != 0) {
            proto_write_text(out, result->texts.texts[row->members[i]]);
        } else {
            proto_write_nil(out);
        }
    }
    proto_write_uint(out, row->events);
    proto_write_uint(out, row->accounts);
    proto_write_uint(out, row->of);
    proto_write_f64(out, row->rate);
    proto_write_f64(out, row->low);
    proto_write_f64(out, row->high);
    if (query->sum != LIFECYCLE_SUM_NONE) {
        proto_write_int(out, row->sum);
    }
}

static void answer_write(struct rpc_call *call, const struct lifecycle_query *query,
                         const struct lifecycle_query_result *result)
{
    struct proto_writer *out = call->out;
    const struct proto_op_info *op = call->op;
    bool any = result->newest_ms != INT64_MIN;
    proto_write_map(out, 8U + any);
    rpc_key(out, op, PROTO_A_EVENT_QUERY_COLUMNS);
    columns_write(out, query);
    rpc_key(out, op, PROTO_A_EVENT_QUERY_ROWS);
    proto_write_array(out, result->count);
    for (size_t i = 0; i < result->count; i++) {
        row_write(out, query, result, &result->rows[i]);
    }
    rpc_put_text(out, op, PROTO_A_EVENT_QUERY_CURRENCY, result->currency);
    rpc_put_text(out, op, PROTO_A_EVENT_QUERY_INTERVAL,
                 "n accounts of the segment and the cohort (of); rates by Wilson at 95 %, events "
                 "and sums are counted");
    rpc_put_text(out, op, PROTO_A_EVENT_QUERY_CORRECTION,
                 "intervals are for one row each; for k rows read them at 1 - 0.05/k");
    rpc_put_uint(out, op, PROTO_A_EVENT_QUERY_ACCOUNTS, result->accounts);
    rpc_put_uint(out, op, PROTO_A_EVENT_QUERY_EVENTS, result->events);
    if (any) {
        rpc_put_int(out, op, PROTO_A_EVENT_QUERY_NEWEST, result->newest_ms);
    }
    rpc_put_uint(out, op, PROTO_A_EVENT_QUERY_SEQ, result->seq);
}

enum rpc_outcome rpc_on_EVENT_QUERY(struct rpc_call *call, struct proto_fault *fault)
{
    struct lifecycle_query query;
    struct lifecycle_query_result result = {.count = 0};
    if (!table_read(call, &query, fault)) {
        return RPC_FAILED;
    }
    bool good = lifecycle_query(call->worker->engine, call->scan,
                                call->worker->rpc->options.columns, &query, &result, fault);
    if (good) {
        answer_write(call, &query, &result);
    }
    lifecycle_query_fini(&result);
    return good ? RPC_DONE : RPC_FAILED;
}
