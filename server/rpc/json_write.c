/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/json_write.h"

static void write_object(struct proto_writer *out, const json_t *json)
{
    const char *key;
    json_t *value;
    proto_write_map(out, json_object_size(json));
    /* The walk of jansson wants a pointer that could change the object; this one does not. */
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        proto_write_text(out, key);
        rpc_write_json(out, value);
    }
}

void rpc_write_json(struct proto_writer *out, const json_t *json)
{
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_OBJECT:
        write_object(out, json);
        break;
    case JSON_ARRAY:
        proto_write_array(out, json_array_size(json));
        for (size_t i = 0; i < json_array_size(json); i++) {
            rpc_write_json(out, json_array_get(json, i));
        }
        break;
    case JSON_STRING:
        proto_write_str(out, (struct proto_span){(const uint8_t *)json_string_value(json),
                                                 json_string_length(json)});
        break;
    case JSON_INTEGER:
        proto_write_int(out, json_integer_value(json));
        break;
    case JSON_REAL:
        proto_write_f64(out, json_real_value(json));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        proto_write_bool(out, json_is_true(json));
        break;
    case JSON_NULL:
        proto_write_nil(out);
        break;
    }
}
