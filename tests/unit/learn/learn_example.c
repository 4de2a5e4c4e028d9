/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/learn/learn_example.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/math/portable.h"
#include "server/math/random.h"

static const char example_schema[] =
    "{\"fields\":["
    "{\"name\":\"employees\",\"type\":\"number\",\"family\":\"firmographic\"},"
    "{\"name\":\"industry\",\"type\":\"category\",\"family\":\"firmographic\"},"
    "{\"name\":\"country\",\"type\":\"category\",\"family\":\"firmographic\"},"
    "{\"name\":\"public\",\"type\":\"flag\",\"family\":\"firmographic\"},"
    "{\"name\":\"stack\",\"type\":\"tags\",\"family\":\"technographic\"},"
    "{\"name\":\"noise\",\"type\":\"number\",\"family\":\"behavioural\"},"
    "{\"name\":\"won\",\"type\":\"flag\",\"family\":\"lifecycle\"},"
    "{\"name\":\"status\",\"type\":\"category\",\"family\":\"lifecycle\"},"
    "{\"name\":\"serial\",\"type\":\"number\",\"family\":\"lifecycle\"},"
    "{\"name\":\"token\",\"type\":\"category\",\"family\":\"lifecycle\"},"
    "{\"name\":\"source\",\"type\":\"category\",\"family\":\"lifecycle\"},"
    "{\"name\":\"day\",\"type\":\"number\",\"family\":\"lifecycle\"}]}";

static const char *const industries[] = {"Software", "Retail", "Health",
                                         "Energy",   "Food",   "Transport"};
static const char *const countries[] = {"AT", "BE", "CH", "DE", "ES", "FR", "IT", "NL"};
/* A packed list: u16 length, then text, in order of bytes. */
static const char tag_bytes[] = "\3\0SAP\12\0Salesforce";

static struct feature_value number_value(double number)
{
    return (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = number};
}

static struct feature_value text_value(const char *text)
{
    return (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(text)};
}

static struct feature_value flag_value(bool flag)
{
    return (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = flag};
}

/* A run of the list; without either tag the value is missing. */
static struct feature_value tags_value(bool salesforce, bool sap)
{
    size_t from = sap ? 0 : 5;
    size_t end = salesforce ? sizeof tag_bytes - 1 : 5;
    struct feature_value value = {.present = end > from, .type = FEATURE_TAGS};
    value.tags =
        (struct proto_span){(const uint8_t *)tag_bytes + from, end > from ? end - from : 0};
    return value;
}

static double profile_fill(struct feature_value *values, struct math_random *random)
{
    double logit = -0.7;
    double employees = floor(math_exp(1.0 + 7.0 * math_random_unit(random)));
    bool fits = employees >= 50.0 && employees <= 500.0;
    if (math_random_unit(random) >= 0.1) {
        values[EXAMPLE_EMPLOYEES] = number_value(employees);
        logit += fits ? 1.2 : -0.6;
    }
    size_t industry = (size_t)math_random_below(random, 6);
    values[EXAMPLE_INDUSTRY] = text_value(industries[industry]);
    logit += industry == 0 ? 1.1 : (industry == 1 ? -0.9 : 0.0);
    values[EXAMPLE_COUNTRY] = text_value(countries[math_random_below(random, 8)]);
    values[EXAMPLE_PUBLIC] = flag_value(math_random_below(random, 2) == 0);
    bool salesforce = math_random_unit(random) < 0.4;
    values[EXAMPLE_STACK] = tags_value(salesforce, math_random_unit(random) < 0.5);
    logit += salesforce ? 0.8 : 0.0;
    values[EXAMPLE_NOISE] = number_value(math_random_normal(random));
    return logit;
}

static void row_fill(struct example *example, size_t row, const struct example_options *options,
                     struct math_random *random)
{
    struct feature_value *values = example->values + row * EXAMPLE_FIELDS;
    size_t copies = options->copies > 1 ? options->copies : 1;
    double logit = 0.0;
    if (row % copies == 0) {
        logit = profile_fill(values, random);
    } else {
        memcpy(values, values - EXAMPLE_FIELDS, EXAMPLE_FIELDS * sizeof *values);
        logit = example->logits[row - 1];
    }
    logit = options->noise ? -0.7 : logit;
    example->logits[row] = logit;
    bool won = math_random_unit(random) < math_logistic(logit);
    if (options->same_outcome && row % copies != 0) {
        won = (values - EXAMPLE_FIELDS)[EXAMPLE_WON].flag;
    }
    values[EXAMPLE_WON] = flag_value(won);
    double typed = math_random_unit(random);
    values[EXAMPLE_STATUS] = (struct feature_value){0};
    if (typed < 0.6) {
        values[EXAMPLE_STATUS] = text_value(won ? "customer" : "rejected");
    }
    values[EXAMPLE_SERIAL] = number_value(1000.0 + (double)row);
    (void)snprintf(example->tokens[row], sizeof example->tokens[row], "t%zu", row);
    values[EXAMPLE_TOKEN] = text_value(example->tokens[row]);
    values[EXAMPLE_SOURCE] = text_value("file");
    values[EXAMPLE_DAY] = number_value((double)math_random_below(random, 365));
}

static bool on_values(void *context, size_t row, struct feature_value *values, size_t slots)
{
    const struct example *example = context;
    memcpy(values, example->values + row * EXAMPLE_FIELDS,
           (slots < EXAMPLE_FIELDS ? slots : EXAMPLE_FIELDS) * sizeof *values);
    return true;
}

struct example *example_create(const struct example_options *options)
{
    static const uint16_t fields[] = {0, 1, 2, 3, 4, 5};
    struct proto_fault fault = {0};
    size_t column = 0;
    struct example *example = calloc(1, sizeof *example);
    assert(example != NULL);
    example->schema = feature_schema_parse(proto_span_text(example_schema), 3, NULL, &fault);
    assert(example->schema != NULL);
    example->label = filter_parse(example->schema, proto_span_text("won"), &fault, &column);
    assert(example->label != NULL);
    example->rows = options->rows;
    example->values = calloc(options->rows * EXAMPLE_FIELDS + 1, sizeof *example->values);
    example->tokens = calloc(options->rows + 1, sizeof *example->tokens);
    example->logits = calloc(options->rows + 1, sizeof *example->logits);
    assert(example->values != NULL && example->tokens != NULL && example->logits != NULL);
    struct math_random random;
    math_random_init(&random, options->seed);
    for (size_t row = 0; row < options->rows; row++) {
        row_fill(example, row, options, &random);
    }
    example->population =
        (struct learn_population){.context = example, .rows = options->rows, .values = on_values};
    example->options = (struct learn_options){.schema = example->schema,
                                              .name = "example",
                                              .created = "2026-01-02T03:04:05Z",
                                              .label = example->label,
                                              .label_text = "won",
                                              .where_text = "",
                                              .field_ids = fields,
                                              .field_count = 6,
                                              .time_field_id = -1,
                                              .seed = 1};
    return example;
}

void example_destroy(struct example *example)
{
    feature_schema_release(example->schema);
    filter_destroy(example->label);
    free(example->values);
    free(example->tokens);
    free(example->logits);
    free(example);
}
