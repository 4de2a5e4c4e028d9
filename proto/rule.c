/* SPDX-License-Identifier: Apache-2.0 */
/* A field that was read is measured (its value, its bytes or its elements) and held against the
 * bounds of its row; one that was left out gets the row's default. What is out of bounds becomes a
 * fault that says the bounds in the words of the reference page. */
#include "proto/rule.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "proto/head.h"

/* What LOW and HIGH bound. */
static double measure(const struct proto_field_info *field, const struct proto_arg *arg)
{
    struct proto_head head = {.size = 0};
    switch (field->type) {
    case PROTO_UINT:
        return (double)arg->uint;
    case PROTO_INT:
        return (double)arg->integer;
    case PROTO_NUMBER:
        return arg->number;
    case PROTO_TEXT:
    case PROTO_JSON:
    case PROTO_BYTES:
        return (double)arg->text.bytes;
    case PROTO_TEXTS:
    case PROTO_LIST:
    case PROTO_MAP:
        (void)proto_head_read(arg->value.data, arg->value.bytes, &head);
        return (double)head.size;
    case PROTO_FLAG:
    case PROTO_ANY:
        break;
    }
    return (double)NAN;
}

/* Whole numbers in full, others as short as they are exact enough. */
static void number_print(double number, char *text, size_t text_bytes)
{
    if (number == floor(number) && fabs(number) < 1e18) {
        (void)snprintf(text, text_bytes, "%" PRId64, (int64_t)number);
    } else {
        (void)snprintf(text, text_bytes, "%.15g", number);
    }
}

static bool is_collection(enum proto_type type)
{
    return type == PROTO_TEXTS || type == PROTO_LIST || type == PROTO_MAP;
}

/* What the bounds count: bytes of a text, whatever it is the text of. */
static const char *unit_of(const struct proto_field_info *field)
{
    bool text =
        field->type == PROTO_TEXT || field->type == PROTO_JSON || field->type == PROTO_BYTES;
    return text ? "bytes" : is_collection(field->type) && !*field->unit ? "entries" : field->unit;
}

char *proto_rule_print(const struct proto_field_info *field, char *text, size_t text_bytes)
{
    char low[32];
    char high[32];
    bool above = field->low == PROTO_ABOVE_0;
    bool below = field->high == PROTO_BELOW_1;
    number_print(above ? 0 : field->low, low, sizeof low);
    number_print(below ? 1 : field->high, high, sizeof high);
    const char *unit = unit_of(field);
    const char *space = *unit ? " " : "";
    if (!field->bounded) {
        (void)snprintf(text, text_bytes, "%s", "");
    } else if (isnan(field->high)) {
        (void)snprintf(text, text_bytes, "%s %s%s%s", above ? "above" : "at least", low, space,
                       unit);
    } else if (isnan(field->low)) {
        (void)snprintf(text, text_bytes, "%s %s%s%s", below ? "below" : "at most", high, space,
                       unit);
    } else {
        const char *between = below ? " and below" : above ? " up to" : " to";
        (void)snprintf(text, text_bytes, "%s%s%s %s%s%s", above ? "above " : "", low, between, high,
                       space, unit);
    }
    return text;
}

char *proto_rule_default_print(const struct proto_field_info *field, char *text, size_t text_bytes)
{
    if (field->text_default != NULL) {
        (void)snprintf(text, text_bytes, "\"%s\"", field->text_default);
    } else if (isnan(field->otherwise)) {
        (void)snprintf(text, text_bytes, "%s", "");
    } else if (field->type == PROTO_FLAG) {
        (void)snprintf(text, text_bytes, "%s", field->otherwise > 0 ? "true" : "false");
    } else {
        number_print(field->otherwise, text, text_bytes);
    }
    return text;
}

const struct proto_limit_info *proto_rule_limit(const char *source)
{
    static const char prefix[] = "PROTO_";
    size_t count = 0;
    const struct proto_limit_info *limits = proto_limits(&count);
    if (strncmp(source, prefix, sizeof prefix - 1) != 0) {
        return NULL;
    }
    source += sizeof prefix - 1;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (source[at] != '\0' && tolower((unsigned char)source[at]) == limits[i].name[at]) {
            at++;
        }
        if (source[at] == '\0' && limits[i].name[at] == '\0') {
            return &limits[i];
        }
    }
    return NULL;
}

bool proto_rule_keeps(const struct proto_field_info *field, const struct proto_arg *arg,
                      struct proto_fault *fault)
{
    double found = measure(field, arg);
    bool over = found > field->high; /* comparing with no bound is false */
    if (!over && !(found < field->low)) {
        return true;
    }
    char wanted[96];
    char number[32];
    const struct proto_limit_info *limit = over ? proto_rule_limit(field->high_source) : NULL;
    bool large = over && (is_collection(field->type) || field->type == PROTO_JSON);
    number_print(found, number, sizeof number);
    return proto_fault_set(fault, large ? PROTO_TOO_LARGE : PROTO_BAD_FIELD, "",
                           "expected %s%s%s%s, found %s",
                           proto_rule_print(field, wanted, sizeof wanted), limit ? " (" : "",
                           limit ? limit->name : "", limit ? ")" : "", number);
}

uint64_t proto_arg_uint(const struct proto_field_info *field, const struct proto_arg *arg)
{
    assert(field->type == PROTO_UINT && (arg->present || field->otherwise >= 0));
    return arg->present ? arg->uint : (uint64_t)field->otherwise;
}

double proto_arg_number(const struct proto_field_info *field, const struct proto_arg *arg)
{
    assert(field->type == PROTO_NUMBER && (arg->present || !isnan(field->otherwise)));
    return arg->present ? arg->number : field->otherwise;
}

bool proto_arg_flag(const struct proto_field_info *field, const struct proto_arg *arg)
{
    assert(field->type == PROTO_FLAG && (arg->present || !isnan(field->otherwise)));
    return arg->present ? arg->flag : field->otherwise > 0;
}

struct proto_span proto_arg_text(const struct proto_field_info *field, const struct proto_arg *arg)
{
    assert((field->type == PROTO_TEXT || field->type == PROTO_JSON) &&
           (arg->present || field->text_default != NULL));
    return arg->present ? arg->text : proto_span_text(field->text_default);
}
