/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_account.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/math/random.h"

/* One in nine outcomes is won where no field speaks for it. */
#define INTERCEPT (-2.4)
#define SHARE_MISSING 0.08

static const struct load_field fields[LOAD_FIELDS] = {
#define N(name, family, mean, sigma, log, effect)                                                  \
    {#name, #family, LOAD_NUMBER, mean, sigma, log, 0, 0, effect},
#define C(name, family, count, effect)                                                             \
    {#name, #family, LOAD_CATEGORY, 0, 0, false, count, 0, effect},
#define F(name, family, share, effect) {#name, #family, BENCH_FLAG, 0, 0, false, 0, share, effect},
#define T(name, family, count, share, effect)                                                      \
    {#name, #family, LOAD_TAGS, 0, 0, false, count, share, effect},
#include "bench/load/account_field.def"
#undef N
#undef C
#undef F
#undef T
};

const struct load_field *load_fields(void)
{
    return fields;
}

static double value_make(const struct load_field *field, struct math_random *random,
                         struct load_value *value)
{
    double at;
    switch (field->type) {
    case LOAD_NUMBER:
        at = math_random_normal(random);
        value->number = round(field->mean + field->sigma * at);
        if (field->log) {
            value->number = round(10 * exp(field->mean + field->sigma * at)) / 10;
        }
        return field->effect * at;
    case LOAD_CATEGORY:
        at = math_random_unit(random);
        value->index = (unsigned)(field->count * at * at); /* few are common, many are rare */
        return value->index == 0 ? field->effect : 0;
    case BENCH_FLAG:
        value->flag = math_random_unit(random) < field->share;
        return value->flag ? field->effect : 0;
    case LOAD_TAGS:
        for (unsigned i = 0; i < field->count; i++) {
            value->tags |= (uint32_t)(math_random_unit(random) < field->share) << i;
        }
        return (value->tags & 1) != 0 ? field->effect : 0;
    }
    return 0;
}

void load_account_make(uint64_t seed, uint64_t number, struct load_value values[LOAD_FIELDS])
{
    struct math_random random;
    math_random_init_part(&random, seed, number);
    double logit = INTERCEPT;
    for (size_t i = 0; i + 1 < LOAD_FIELDS; i++) {
        values[i] = (struct load_value){0};
        logit += value_make(&fields[i], &random, &values[i]);
        values[i].missing = math_random_unit(&random) < SHARE_MISSING;
    }
    values[LOAD_FIELDS - 1] =
        (struct load_value){.flag = math_random_unit(&random) < 1 / (1 + exp(-logit))};
}

void load_category_text(const struct load_field *field, unsigned index, char *text,
                        size_t text_bytes)
{
    snprintf(text, text_bytes, "%s %u", field->name, index);
}

static void digits_write(uint64_t number, char *at)
{
    for (int i = 7; i >= 0; i--) {
        at[i] = (char)('0' + number % 10);
        number /= 10;
    }
}

void load_account_id(uint64_t number, char id[LOAD_ID_BYTES + 1])
{
    memcpy(id, "acct-", 5);
    digits_write(number, id + 5);
    id[LOAD_ID_BYTES] = '\0';
}

void load_account_domain(uint64_t number, char domain[LOAD_DOMAIN_BYTES + 1])
{
    memcpy(domain, "acct", 4);
    digits_write(number, domain + 4);
    memcpy(domain + 12, ".example", 9);
}

char *load_schema_text(void)
{
    static const char *const types[] = {"number", "category", "flag", "tags"};
    json_t *list = json_array();
    for (size_t i = 0; i < LOAD_FIELDS; i++) {
        json_t *field = json_pack("{s:s, s:s, s:s}", "name", fields[i].name, "type",
                                  types[fields[i].type], "family", fields[i].family);
        if (fields[i].log) {
            json_object_set_new(field, "transform", json_string("log"));
        }
        json_array_append_new(list, field);
    }
    json_t *schema = json_pack("{s:o}", "fields", list);
    char *text = json_dumps(schema, JSON_COMPACT);
    json_decref(schema);
    return text;
}
