/* SPDX-License-Identifier: Apache-2.0 */
/* What was asked for lies in the head of the stored vectors, as JSON; its members are written in
 * one order, so that the same wishes are the same line. Reading takes members of these names and
 * types and no others. */
#include "server/transfer/transfer_similar.h"

#include <string.h>

#include "server/feature/json_text.h"

static const char *const names[] = {"similar", "metric",      "vector_share",
                                    "dims",    "icp_weights", "weights"};
enum { MEMBERS = sizeof names / sizeof *names };

static void member(struct transfer_text *text, const char *name)
{
    transfer_text_raw(text, ",\"");
    transfer_text_raw(text, name);
    transfer_text_raw(text, "\":");
}

static bool has_field(const struct feature_schema *schema, const char *name)
{
    return schema != NULL && feature_schema_find(schema, proto_span_text(name)) != NULL;
}

/* Those that the schema has; none written if there is none, though none at all is a wish too. */
static void weights_write(struct transfer_text *text, json_t *weights,
                          const struct feature_schema *schema)
{
    const char *name;
    const json_t *weight;
    const char *before = "";
    member(text, "weights");
    transfer_text_raw(text, "{");
    json_object_foreach(weights, name, weight)
    {
        if (has_field(schema, name)) {
            transfer_text_raw(text, before);
            transfer_text_string(text, proto_span_text(name));
            transfer_text_raw(text, ":");
            transfer_text_number(text, json_number_value(weight));
            before = ",";
        }
    }
    transfer_text_raw(text, "}");
}

static void wish_write(struct transfer_text *text, json_t *wish,
                       const struct feature_schema *schema)
{
    transfer_text_raw(text, "{\"similar\":\"wishes\"");
    for (size_t i = 1; i < MEMBERS; i++) {
        json_t *value = json_object_get(wish, names[i]);
        if (json_is_object(value)) {
            weights_write(text, value, schema);
        } else if (json_is_string(value)) {
            member(text, names[i]);
            transfer_text_string(text, feature_json_span(value));
        } else if (json_is_boolean(value)) {
            member(text, names[i]);
            transfer_text_raw(text, json_is_true(value) ? "true" : "false");
        } else if (json_is_number(value)) {
            member(text, names[i]);
            transfer_text_number(text, json_number_value(value));
        }
    }
    transfer_text_raw(text, "}\n");
}

bool transfer_similar_write(struct transfer_text *text, struct proto_span head,
                            const struct feature_schema *schema)
{
    struct proto_fault fault = {.code = PROTO_OK};
    json_t *json = feature_json_load(head, PROTO_CORRUPT, &fault);
    json_t *wish = json_object_get(json, "wish"); /* absent in an old store */
    if (json_object_size(wish) > 0) {
        wish_write(text, wish, schema);
    }
    bool good = json != NULL;
    json_decref(json);
    return good;
}

/* Of a member that is there. */
static bool type_fits(const char *name, const json_t *value)
{
    if (strcmp(name, "metric") == 0 || strcmp(name, "similar") == 0) {
        return json_is_string(value);
    }
    return strcmp(name, "icp_weights") == 0 ? json_is_boolean(value)
           : strcmp(name, "weights") == 0   ? json_is_object(value)
           : strcmp(name, "dims") == 0      ? json_is_integer(value)
                                            : json_is_number(value);
}

bool transfer_similar_check(const struct transfer_line *line, struct proto_fault *fault)
{
    const char *name;
    json_t *weight;
    if (!transfer_line_known(line, names, MEMBERS, fault)) {
        return false;
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        const json_t *value = json_object_get(line->json, names[i]);
        if (value != NULL && !type_fits(names[i], value)) {
            return transfer_line_refuse(line, TRANSFER_AT(names[i]), fault,
                                        "\"%s\" is of another type, not %s", names[i],
                                        feature_json_kind(value));
        }
    }
    json_object_foreach(json_object_get(line->json, "weights"), name, weight)
    {
        if (!json_is_number(weight)) {
            return transfer_line_refuse(line, TRANSFER_AT("weights", name), fault,
                                        "a weight must be a number, and is %s",
                                        feature_json_kind(weight));
        }
    }
    return true;
}
