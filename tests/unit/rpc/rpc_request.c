/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/rpc/rpc_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* Numbers as bytes, little-endian as this machine is; true if it was that. */
static bool bytes_write(struct proto_writer *out, const json_t *json)
{
    const json_t *floats = json_object_get(json, "$f32");
    const json_t *wholes = json_object_get(json, "$i64");
    const char *text = json_string_value(json_object_get(json, "$bytes"));
    const json_t *list = floats ? floats : wholes;
    uint8_t bytes[256];
    size_t each = floats ? sizeof(float) : sizeof(int64_t);
    size_t count = json_array_size(list);
    if (text) {
        proto_write_bin(out, proto_span_text(text));
    }
    if (!list || count * each > sizeof bytes) {
        return text != NULL;
    }
    for (size_t i = 0; i < count; i++) {
        float number = (float)json_number_value(json_array_get(list, i));
        int64_t whole = json_integer_value(json_array_get(list, i));
        memcpy(bytes + i * each, floats ? (const void *)&number : (const void *)&whole, each);
    }
    proto_write_bin(out, (struct proto_span){bytes, count * each});
    return true;
}

static void json_write(struct proto_writer *out, const json_t *json)
{
    const char *key;
    json_t *item;
    size_t index;
    if (json_is_object(json) && bytes_write(out, json)) {
        return;
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        proto_write_map(out, json_object_size(json));
        json_object_foreach((json_t *)(uintptr_t)json, key, item)
        {
            proto_write_text(out, key);
            json_write(out, item);
        }
        break;
    case JSON_ARRAY:
        proto_write_array(out, json_array_size(json));
        json_array_foreach(json, index, item)
        {
            json_write(out, item);
        }
        break;
    case JSON_STRING:
        proto_write_text(out, json_string_value(json));
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

struct proto_span rpc_request_json(struct proto_writer *out, const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json) {
        fail_msg("%s: %s", text, error.text);
    }
    proto_writer_reset(out);
    json_write(out, json);
    json_decref(json);
    return proto_writer_span(out);
}
