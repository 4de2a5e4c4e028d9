/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/value.h"

#include <math.h>
#include <stdlib.h>

#include "proto/reader.h"
#include "server/feature/bytes.h"
#include "server/feature/date_text.h"

#define TAG_HEAD_BYTES 2

bool feature_tags_next(struct proto_span tags, size_t *at, struct proto_span *tag)
{
    /* Written so that bytes which are no packed list end the walk instead of leaving it. */
    if (*at > tags.bytes || tags.bytes - *at < TAG_HEAD_BYTES) {
        return false;
    }
    size_t bytes = feature_get_u16(tags.data + *at);
    if (tags.bytes - *at - TAG_HEAD_BYTES < bytes) {
        return false;
    }
    *tag = (struct proto_span){tags.data + *at + TAG_HEAD_BYTES, bytes};
    *at += TAG_HEAD_BYTES + bytes;
    return true;
}

size_t feature_tags_count(struct proto_span tags)
{
    size_t at = 0;
    size_t count = 0;
    struct proto_span tag;
    while (feature_tags_next(tags, &at, &tag)) {
        count++;
    }
    return count;
}

bool feature_tags_has(struct proto_span tags, struct proto_span tag)
{
    size_t at = 0;
    struct proto_span each;
    while (feature_tags_next(tags, &at, &each)) {
        if (proto_span_equal(each, tag)) {
            return true;
        }
    }
    return false;
}

static int text_order(const void *a, const void *b)
{
    return proto_span_compare(*(const struct proto_span *)a, *(const struct proto_span *)b);
}

/* Most come in order, from exports and from what was read before. */
static bool texts_ascend(const struct proto_span *texts, size_t count)
{
    size_t i = 1;
    while (i < count && proto_span_compare(texts[i - 1], texts[i]) < 0) {
        i++;
    }
    return i >= count;
}

size_t feature_tags_pack(struct proto_span *texts, size_t count, uint8_t *out, size_t out_bytes,
                         struct proto_fault *fault)
{
    size_t used = 0;
    if (count > PROTO_TAGS_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "", "a list of %zu tags; at most %d are allowed",
                        count, PROTO_TAGS_MAX);
        return 0;
    }
    if (!texts_ascend(texts, count)) {
        qsort(texts, count, sizeof *texts, text_order);
    }
    for (size_t i = 0; i < count; i++) {
        size_t bytes = texts[i].bytes;
        if (i > 0 && proto_span_equal(texts[i], texts[i - 1])) {
            continue;
        }
        if (bytes == 0 || bytes > PROTO_CATEGORY_BYTES_MAX) {
            proto_fault_set(fault, bytes == 0 ? PROTO_BAD_FIELD : PROTO_TOO_LARGE, "",
                            "a tag of %zu bytes; 1 to %d are allowed", bytes,
                            PROTO_CATEGORY_BYTES_MAX);
            return 0;
        }
        if (out_bytes - used < TAG_HEAD_BYTES + bytes) {
            proto_fault_set(fault, PROTO_TOO_LARGE, "", "the tags do not fit %zu bytes", out_bytes);
            return 0;
        }
        feature_put_u16(out + used, (uint16_t)bytes);
        memcpy(out + used + TAG_HEAD_BYTES, texts[i].data, bytes);
        used += TAG_HEAD_BYTES + bytes;
    }
    return used;
}

/* UTF-8 without a zero byte: codebooks and documents keep texts as C strings. */
static bool text_valid(struct proto_span text)
{
    return text.bytes > 0 && text.bytes <= PROTO_CATEGORY_BYTES_MAX &&
           memchr(text.data, 0, text.bytes) == NULL && proto_utf8_valid(text);
}

static bool tags_valid(struct proto_span tags)
{
    size_t at = 0;
    size_t count = 0;
    struct proto_span tag;
    struct proto_span before = {0};
    while (feature_tags_next(tags, &at, &tag)) {
        /* Ascending without repetition; no tag is empty, so that the first one passes too. */
        if (++count > PROTO_TAGS_MAX || !text_valid(tag) || proto_span_compare(before, tag) >= 0) {
            return false;
        }
        before = tag;
    }
    return at == tags.bytes;
}

static bool vector_valid(struct proto_span vector)
{
    if (vector.bytes == 0 || vector.bytes % 4 != 0 || vector.bytes / 4 > PROTO_VECTOR_DIMS_MAX) {
        return false;
    }
    for (size_t i = 0; i < vector.bytes / 4; i++) {
        if (!isfinite(feature_get_f32(vector.data + 4 * i))) {
            return false;
        }
    }
    return true;
}

bool feature_value_valid(const struct feature_value *value)
{
    switch (value->type) {
    case FEATURE_NUMBER:
        return isfinite(value->number);
    case FEATURE_DATE:
        return value->number >= (double)FEATURE_DATE_MS_MIN &&
               value->number <= (double)FEATURE_DATE_MS_MAX &&
               value->number == (double)(int64_t)value->number;
    case FEATURE_CATEGORY:
        return text_valid(value->text);
    case FEATURE_TAGS:
        return tags_valid(value->tags);
    case FEATURE_FLAG:
        return true;
    case FEATURE_VECTOR:
        return vector_valid(value->vector);
    }
    return false;
}

const char *feature_type_name(enum feature_type type)
{
    switch (type) {
    case FEATURE_NUMBER:
        return "number";
    case FEATURE_CATEGORY:
        return "category";
    case FEATURE_TAGS:
        return "tags";
    case FEATURE_FLAG:
        return "flag";
    case FEATURE_VECTOR:
        return "vector";
    case FEATURE_DATE:
        return "date";
    }
    return "unknown";
}

const char *feature_family_name(enum feature_family family)
{
    switch (family) {
    case FEATURE_FIRMOGRAPHIC:
        return "firmographic";
    case FEATURE_TECHNOGRAPHIC:
        return "technographic";
    case FEATURE_BEHAVIOURAL:
        return "behavioural";
    case FEATURE_LIFECYCLE:
        return "lifecycle";
    }
    return "unknown";
}
