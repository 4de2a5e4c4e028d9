/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/json_text.h"

#include "server/feature/span_text.h"

/* An upper bound of the values in the text: each is the first of its list or follows a comma or a
 * colon. A list and an object, of which jansson makes tables at once, weigh as much as the values
 * whose memory they take. Text inside strings is passed over. */
enum { LIST_WEIGHT = 3, OBJECT_WEIGHT = 5 };

static size_t values_count(struct proto_span text)
{
    size_t count = 1;
    bool quoted = false;
    for (size_t i = 0; i < text.bytes; i++) {
        uint8_t byte = text.data[i];
        if (quoted && byte == '\\') {
            i++;
        } else if (byte == '"') {
            quoted = !quoted;
        } else if (!quoted && (byte == ',' || byte == ':')) {
            count++;
        } else if (!quoted && (byte == '[' || byte == '{')) {
            count += byte == '[' ? LIST_WEIGHT : OBJECT_WEIGHT;
        }
    }
    return count;
}

json_t *feature_json_load(struct proto_span text, enum proto_error code, struct proto_fault *fault)
{
    json_error_t error;
    if (text.bytes > PROTO_DOCUMENT_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "",
                        "the document has %zu bytes, at most %d are allowed", text.bytes,
                        PROTO_DOCUMENT_BYTES_MAX);
        return NULL;
    }
    if (values_count(text) > FEATURE_JSON_VALUES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "",
                        "the document holds more than %d values, which none of its kind needs",
                        FEATURE_JSON_VALUES_MAX);
        return NULL;
    }
    json_t *json = json_loadb((const char *)text.data, text.bytes, JSON_REJECT_DUPLICATES, &error);
    /* jansson leaves the text empty where memory ran out, but for a few places where it then says
     * that the text is wrong: what is wrong is so the second time, too. */
    if (json == NULL && error.text[0] != '\0') {
        json = json_loadb((const char *)text.data, text.bytes, JSON_REJECT_DUPLICATES, &error);
    }
    if (json == NULL && error.text[0] == '\0') {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a document of %zu bytes",
                        text.bytes);
    } else if (json == NULL) {
        char shown[sizeof error.text];
        feature_text_show(proto_span_text(error.text), shown, sizeof shown);
        proto_fault_set(fault, code, "", "line %d, column %d: not valid JSON: %s",
                        error.line > 0 ? error.line : 1, error.column > 0 ? error.column : 1,
                        shown);
    }
    return json;
}

void feature_json_append(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) != 0) {
        json_decref(*array);
        *array = NULL;
    }
}

bool feature_json_members_known(const json_t *object, const char *const *names, size_t name_count,
                                enum proto_error code, struct proto_fault *fault)
{
    /* jansson's iterator takes no const object, though it changes nothing. */
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        struct proto_span name = proto_span_text(json_object_iter_key(at));
        const char *nearest = NULL;
        size_t distance = 4;
        bool known = false;
        for (size_t i = 0; i < name_count && !known; i++) {
            known = proto_span_is(name, names[i]);
            size_t far = feature_text_distance(name, proto_span_text(names[i]), distance - 1);
            if (far < distance) {
                distance = far;
                nearest = names[i];
            }
        }
        if (!known) {
            char shown[FEATURE_SHOWN_BYTES];
            feature_text_show(name, shown, sizeof shown);
            return proto_fault_set(fault, code, shown, "no member of that name is known%s%s%s",
                                   nearest != NULL ? "; did you mean \"" : "",
                                   nearest != NULL ? nearest : "", nearest != NULL ? "\"?" : "");
        }
    }
    return true;
}

bool feature_json_members_exact(const json_t *object, const char *const *names, size_t name_count,
                                enum proto_error code, struct proto_fault *fault)
{
    if (!json_is_object(object)) {
        return proto_fault_set(fault, code, "", "an object is wanted");
    }
    for (size_t i = 0; i < name_count; i++) {
        if (json_object_get(object, names[i]) == NULL) {
            return proto_fault_set(fault, code, names[i], "this member is missing");
        }
    }
    return feature_json_members_known(object, names, name_count, code, fault);
}

const char *feature_json_kind(const json_t *json)
{
    if (json == NULL) {
        return "nothing";
    }
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}
