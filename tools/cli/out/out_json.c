/* SPDX-License-Identifier: Apache-2.0 */
/* A value becomes the JSON of the same shape; bytes have none and become null. */
#include "tools/cli/out/out_json.h"

#include <string.h>

json_t *out_json_of(const struct icp_value *value)
{
    struct icp_walk walk = icp_walk_over(value);
    struct icp_value element;
    struct icp_text key;
    json_t *json = NULL;
    switch (value->kind) {
    case ICP_KIND_NIL:
    case ICP_KIND_BYTES:
        return json_null();
    case ICP_KIND_FLAG:
        return json_boolean(value->flag);
    case ICP_KIND_INT:
        return json_integer(value->integer);
    case ICP_KIND_NUMBER:
        return json_real(value->number);
    case ICP_KIND_TEXT:
        return json_stringn(value->text.data, value->text.bytes);
    case ICP_KIND_LIST:
        for (json = json_array(); icp_next(&walk, NULL, &element);) {
            json_array_append_new(json, out_json_of(&element));
        }
        return json;
    case ICP_KIND_MAP:
        for (json = json_object(); icp_next(&walk, &key, &element);) {
            json_t *parsed = NULL;
            bool is_document = (key.bytes == 8 && (memcmp(key.data, "document", 8) == 0 ||
                                                   memcmp(key.data, "evidence", 8) == 0));
            if (is_document && element.kind == ICP_KIND_TEXT) {
                parsed = json_loadb(element.text.data, element.text.bytes, 0, NULL);
            }
            json_object_setn_new(json, key.data, key.bytes,
                                 parsed != NULL ? parsed : out_json_of(&element));
        }
        return json;
    }
    return NULL;
}

bool out_json_write(FILE *out, json_t *json)
{
    bool written = json != NULL && json_dumpf(json, out, JSON_INDENT(2) | JSON_ENCODE_ANY) == 0;
    if (written) {
        fputc('\n', out);
    }
    json_decref(json);
    return written;
}
