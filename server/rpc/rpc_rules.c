/* SPDX-License-Identifier: Apache-2.0 */
/* A rule is read by the words of its table; one that is none is told at its name. */
#include "server/rpc/rpc_rules.h"

#include <stdio.h>

#include "server/feature/span_text.h"

bool rpc_rules_read(struct rpc_call *call, int index, struct measure_rules *rules,
                    struct proto_fault *fault)
{
    struct proto_fault local = {.code = PROTO_OK};
    struct proto_reader reader;
    if (!call->args[index].present) {
        return true;
    }
    proto_reader_init(&reader, call->args[index].value, &local);
    size_t count = proto_read_map(&reader);
    for (size_t i = 0; i < count && local.code == PROTO_OK; i++) {
        char shown[FEATURE_SHOWN_BYTES];
        struct proto_span name = proto_read_key(&reader);
        struct proto_span choice = proto_read_str(&reader);
        if (local.code == PROTO_OK && !measure_rules_set(rules, name, choice, &local)) {
            local.field[0] = '\0'; /* it names the rule by itself */
        }
        if (local.code != PROTO_OK) {
            (void)snprintf(local.field, sizeof local.field, "%s.%s", call->op->request[index].name,
                           feature_text_show(name, shown, sizeof shown));
        }
    }
    if (local.code != PROTO_OK) {
        *fault = local;
    }
    return local.code == PROTO_OK;
}

void rpc_rules_write(struct proto_writer *out, const struct measure_rules *rules)
{
    bool base = rules->base[0] != '\0';
    proto_write_map(out, (size_t)MEASURE_RULE_RATES + base + rules->rate_count);
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        proto_write_text(out, measure_rule_name((enum measure_rule)rule));
        proto_write_text(out, measure_choice_info((enum measure_choice)rules->choice[rule])->word);
    }
    if (base) {
        proto_write_text(out, MEASURE_RULE_CURRENCY);
        proto_write_text(out, rules->base);
    }
    for (uint32_t i = 0; i < rules->rate_count; i++) {
        const struct measure_rate *rate = &rules->rates[i];
        char text[40];
        (void)snprintf(text, sizeof text, "rate-%s", rate->currency);
        proto_write_text(out, text);
        (void)snprintf(text, sizeof text, "%lld.%06lld",
                       (long long)(rate->millionths / MEASURE_RATE_ONE),
                       (long long)(rate->millionths % MEASURE_RATE_ONE));
        proto_write_text(out, text);
    }
}

struct lifecycle_as_of rpc_as_of(const struct rpc_call *call, int seq, int known)
{
    return (struct lifecycle_as_of){call->args[seq].present ? call->args[seq].uint : UINT64_MAX,
                                    call->args[known].present ? call->args[known].integer
                                                              : INT64_MAX};
}
