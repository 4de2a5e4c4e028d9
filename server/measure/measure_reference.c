/* SPDX-License-Identifier: Apache-2.0 */
/* How a kept definition is called: a name, perhaps with the version behind an @. Names are plain,
 * so that one is never taken for a file, an option or two words; what is none is refused with what
 * would do. */
#include <string.h>

#include "server/feature/span_text.h"
#include "server/measure/metric_registry.h"

static bool is_alnum(uint8_t sign)
{
    return (sign >= 'a' && sign <= 'z') || (sign >= 'A' && sign <= 'Z') ||
           (sign >= '0' && sign <= '9');
}

static bool is_file(struct proto_span name)
{
    static const char end[] = ".json";
    size_t bytes = sizeof end - 1;
    return name.bytes > bytes && memcmp(name.data + name.bytes - bytes, end, bytes) == 0;
}

static bool is_name(struct proto_span name)
{
    bool good = name.bytes > 0 && name.bytes < MEASURE_NAME_BYTES;
    for (size_t i = 0; good && i < name.bytes; i++) {
        bool inner = i > 0 && i + 1 < name.bytes;
        uint8_t sign = name.data[i];
        good = is_alnum(sign) || (inner && (sign == '.' || sign == '_' || sign == '-'));
    }
    return good && !is_file(name);
}

bool measure_name_check(const char *name, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    struct proto_span text = proto_span_text(name);
    if (strcmp(name, MEASURE_USUAL_NAME) == 0) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "name",
                               "'%s' is always there and are the usual rules: another name is "
                               "wanted, such as board-nrr",
                               MEASURE_USUAL_NAME);
    }
    return is_name(text) ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, "name",
                           "a definition is kept under a name of 1 to %d letters and digits, with "
                           ". _ - between them, such as board-nrr, that is none of a .json file; "
                           "not '%s'",
                           MEASURE_NAME_BYTES - 1, feature_text_show(text, shown, sizeof shown));
}

/* 1 to INT32_MAX, in digits alone. */
static bool version_read(struct proto_span text, uint32_t *version)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return false;
        }
    }
    bool good = measure_decimal(text, 0, INT32_MAX, &number) && number > 0;
    *version = good ? (uint32_t)number : 0;
    return good;
}

bool measure_reference_read(struct proto_span text, struct measure_reference *reference,
                            struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    size_t bytes = 0;
    while (bytes < text.bytes && text.data[bytes] != '@') {
        bytes++;
    }
    *reference = (struct measure_reference){.name = {text.data, bytes}};
    bool good = is_name(reference->name);
    if (good && bytes < text.bytes) {
        good = version_read((struct proto_span){text.data + bytes + 1, text.bytes - bytes - 1},
                            &reference->version);
    }
    return good || proto_fault_set(fault, PROTO_BAD_FIELD, "",
                                   "a definition is asked for by its name, or by name and version "
                                   "as in board-nrr@2, not '%s'",
                                   feature_text_show(text, shown, sizeof shown));
}
