/* SPDX-License-Identifier: Apache-2.0 */
/* The version's own label unless the question says another outcome; whom it was asked of goes with
 * either. */
#include "server/dispute/dispute_label.h"

#include "server/engine/segments.h"
#include "server/feature/json_text.h"

bool dispute_text_read(const struct engine_worker *worker, struct proto_span text, const char *what,
                       struct filter **filter, struct proto_fault *fault)
{
    if (text.bytes == 0) {
        return true;
    }
    *filter = engine_filter_parse(engine_worker_state(worker), FILTER_OF_VALUES, text, fault);
    if (!*filter && fault->code == PROTO_BAD_FILTER) {
        (void)snprintf(fault->field, sizeof fault->field, "%s", what);
    }
    return *filter != NULL;
}

bool dispute_text_kept(struct proto_span text, const char *what, struct proto_fault *fault)
{
    const uint8_t *zero = text.bytes > 0 ? memchr(text.data, 0, text.bytes) : NULL;
    return zero == NULL || proto_fault_set(fault, PROTO_BAD_FIELD, what,
                                           "byte %zu of the text is zero: that is "
                                           "no text",
                                           (size_t)(zero - text.data));
}

static struct proto_span label_part(const struct learn_document *document, const char *name)
{
    const json_t *text = json_object_get(json_object_get(document->json, "label"), name);
    return json_is_string(text) ? feature_json_span(text) : (struct proto_span){0};
}

bool dispute_label_read(const struct engine_worker *worker, const struct learn_document *document,
                        struct proto_span own, struct dispute_label *label,
                        struct proto_fault *fault)
{
    bool policy = json_object_get(json_object_get(document->json, "label"), "policy") != NULL;
    *label = (struct dispute_label){0};
    if (policy && own.bytes == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "outcome",
                               "version %u was learned from a policy: say what the outcome is",
                               document->version);
    }
    label->outcome_text = own.bytes > 0 ? own : label_part(document, "expression");
    label->where_text = policy ? (struct proto_span){0} : label_part(document, "where");
    return dispute_text_read(worker, label->outcome_text, "outcome", &label->outcome, fault) &&
           dispute_text_read(worker, label->where_text, "icp", &label->where, fault) &&
           (label->outcome != NULL || proto_fault_set(fault, PROTO_BAD_FIELD, "outcome",
                                                      "the version says no outcome: give one"));
}

void dispute_label_fini(struct dispute_label *label)
{
    filter_destroy(label->outcome);
    filter_destroy(label->where);
    *label = (struct dispute_label){0};
}

struct dispute_wish dispute_label_wish(const struct dispute_label *label)
{
    return (struct dispute_wish){.kind = DISPUTE_OUTCOME,
                                 .filter = label->outcome,
                                 .where = label->where,
                                 .text = label->outcome_text,
                                 .where_text = label->where_text};
}

uint32_t dispute_label_negative(const struct dispute_cells *outcomes)
{
    for (size_t slot = 0; slot < outcomes->count; slot++) {
        if (outcomes->cells[slot] == DISPUTE_NEGATIVE) {
            return DISPUTE_NEGATIVE;
        }
    }
    return DISPUTE_BLANK;
}
