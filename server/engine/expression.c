/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/expression.h"

#include "server/engine/segments.h"

bool engine_expression_open(struct engine_worker *worker, struct proto_span text, uint64_t icp,
                            bool scores, struct engine_expression *expression,
                            struct proto_fault *fault)
{
    const struct engine_state *state = worker->state;
    *expression = (struct engine_expression){0};
    if (!state->schema) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    if (text.bytes > 0) {
        expression->filter = engine_filter_parse(state, FILTER_OF_ACCOUNTS, text, fault);
        if (!expression->filter) {
            return false;
        }
        scores = scores || filter_reads_score(expression->filter);
    }
    if (scores || icp > 0) {
        expression->document = engine_state_document(state, icp, fault);
        if (!expression->document) {
            engine_expression_close(expression);
            return false;
        }
    }
    return true;
}

void engine_expression_close(struct engine_expression *expression)
{
    filter_destroy(expression->filter);
    *expression = (struct engine_expression){0};
}
