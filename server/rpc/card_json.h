/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an account's card as JSON, each bounded: texts are cut, lists end where they are
 * long and say how much was left out. docs/views.md describes them.
 *
 * Ownership: each part is a new value, NULL where memory ran out. Errors: NULL, or false with
 * *fault. Threads: that of the call. */
#ifndef RPC_CARD_JSON_H
#define RPC_CARD_JSON_H

#include <jansson.h>

#include "server/engine/timeline.h"
#include "server/lifecycle/lifecycle_engage.h"
#include "server/lookalike/lookalike.h"
#include "server/rpc/call.h"

enum {
    CARD_TEXT_BYTES = 200, /* of a value or label */
    CARD_VALUES_MAX = 100,
    CARD_KEYS_MAX = 20,
    CARD_LISTS_MAX = 20,
    CARD_OPEN_MAX = 10,
    CARD_REASONS = 5 /* of each sign */
};

/* Cut at a whole character. */
json_t *rpc_card_text(struct proto_span text);
json_t *rpc_card_time(int64_t ms);
json_t *rpc_card_keys(const struct feature_record *record);
/* {"field": {"value": …, "source": …, "time": …, "state": …}} of fields that have one. */
json_t *rpc_card_values(const struct feature_schema *schema, const struct feature_record *record,
                        int64_t now_ms);
json_t *rpc_card_texts(const struct proto_span *texts, size_t count);
/* [{"says": "for", "points": 31, "field": …, "value": …}] */
json_t *rpc_card_reasons(const struct engine_answer *answer);
json_t *rpc_card_engagement(const struct lifecycle_engaged *engaged);
json_t *rpc_card_lifecycle(const struct lifecycle_account *account);
json_t *rpc_card_events(const struct engine_timeline *page);
/* Names of target account lists that the account is on. */
json_t *rpc_card_lists(const struct engine_state *state, uint32_t slot);
/* [{"id": …, "similarity": …, "grade": …}] */
json_t *rpc_card_look_alikes(const struct lookalike_result *result);

#endif
