/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this folder share: a schema with every type, and short ways to parse and to
 * read cells. Ownership: the caller releases schemas. Threads: none. */
#ifndef TESTS_FEATURE_FIXTURE_H
#define TESTS_FEATURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/feature/schema.h"

#define FIXTURE_SCHEMA                                                                             \
    "{\"missing\":[\"N/A\",\"NULL\"],\"id\":\"Account\",\"keys\":{\"domain\":\"website\"},"        \
    "\"fields\":["                                                                                 \
    "{\"name\":\"employees\",\"type\":\"number\",\"transform\":\"log\",\"stale_after_days\":365}," \
    "{\"name\":\"Last Activity\",\"type\":\"category\",\"family\":\"behavioural\","                \
    "\"missing\":[\"Select\"]},"                                                                   \
    "{\"name\":\"stack\",\"type\":\"tags\",\"family\":\"technographic\"},"                         \
    "{\"name\":\"public\",\"type\":\"flag\"},"                                                     \
    "{\"name\":\"embedding\",\"type\":\"vector\",\"dims\":3},"                                     \
    "{\"name\":\"GICS Sub-Industry\",\"type\":\"category\"}]}"

static inline struct feature_schema *
fixture_parse(const char *json, const struct feature_schema *previous, struct proto_fault *fault)
{
    return feature_schema_parse(proto_span_text(json), 1, previous, fault);
}

static inline struct feature_schema *fixture_schema(void)
{
    struct proto_fault fault = {0};
    struct feature_schema *schema = fixture_parse(FIXTURE_SCHEMA, NULL, &fault);
    if (schema == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    return schema;
}

static inline const struct feature_field *fixture_field(const struct feature_schema *schema,
                                                        const char *name)
{
    const struct feature_field *field = feature_schema_find(schema, proto_span_text(name));
    assert_non_null(field);
    return field;
}

/* A small generator with a seed, so that a failure can be repeated. */
static inline uint64_t fixture_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

#endif
