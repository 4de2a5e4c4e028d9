/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <math.h>
#include <stdio.h>

#include "server/feature/vectorizer.h"

#define SCHEMA                                                                                     \
    "{\"fields\":["                                                                                \
    "{\"name\":\"employees\",\"type\":\"number\",\"transform\":\"log\"},"                          \
    "{\"name\":\"industry\",\"type\":\"category\"},"                                               \
    "{\"name\":\"stack\",\"type\":\"tags\",\"family\":\"technographic\"},"                         \
    "{\"name\":\"public\",\"type\":\"flag\"},"                                                     \
    "{\"name\":\"name\",\"type\":\"category\"},"                                                   \
    "{\"name\":\"embedding\",\"type\":\"vector\",\"dims\":3}]}"
#define SLOTS 6
#define ROWS 400

struct person {
    struct feature_value values[SLOTS];
    uint8_t tags[64];
    char industry[16];
    char name[16];
    float embedding[3];
};

struct people {
    struct person people[ROWS];
    bool backwards;
};

static void set_tags(struct person *person, const char *const *tags, size_t count)
{
    struct proto_span spans[8];
    struct proto_fault fault = {0};
    for (size_t i = 0; i < count; i++) {
        spans[i] = proto_span_text(tags[i]);
    }
    size_t bytes = feature_tags_pack(spans, count, person->tags, sizeof person->tags, &fault);
    person->values[2] = (struct feature_value){
        .present = bytes > 0, .type = FEATURE_TAGS, .tags = {person->tags, bytes}};
}

/* "common" is on three of four accounts, "rare" on one in a hundred. */
static void person_init(struct person *person, unsigned i)
{
    uint64_t seed = i;
    const char *tags[3];
    size_t count = 0;
    snprintf(person->industry, sizeof person->industry, "ind%u", i % 7);
    snprintf(person->name, sizeof person->name, "Company %u", i);
    person->values[0] = (struct feature_value){
        .present = i % 11 != 0, .type = FEATURE_NUMBER, .number = 1 + (i * 37) % 1000};
    person->values[1] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(person->industry)};
    if (i % 4 != 0) {
        tags[count++] = "common";
    }
    if (i % 100 == 1) {
        tags[count++] = "rare";
    }
    set_tags(person, tags, count);
    person->values[3] =
        (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = i % 5 == 0};
    person->values[4] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(person->name)};
    for (int k = 0; k < 3; k++) {
        person->embedding[k] = (float)(fixture_random(&seed) % 1000) / 500 - 1;
    }
    person->values[5] = (struct feature_value){
        .present = true, .type = FEATURE_VECTOR, .vector = {(uint8_t *)person->embedding, 12}};
}

static bool people_values(void *context, size_t row, struct feature_value *values, size_t slots)
{
    struct people *people = context;
    assert_int_equal(slots, SLOTS);
    memcpy(values, people->people[people->backwards ? ROWS - 1 - row : row].values,
           sizeof people->people[0].values);
    return true;
}

struct fixture {
    struct feature_schema *schema;
    struct people people;
    struct feature_vectorizer *plan;
};

static struct feature_vectorizer *fit(struct fixture *fixture,
                                      const struct feature_vectorizer_options *options)
{
    struct proto_fault fault = {0};
    struct feature_vector_sample sample = {&fixture->people, ROWS, people_values};
    struct feature_vectorizer *plan =
        feature_vectorizer_fit(fixture->schema, &sample, options, &fault);
    if (plan == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    return plan;
}

static int set_up(void **state)
{
    struct proto_fault fault = {0};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->schema = fixture_parse(SCHEMA, NULL, &fault);
    assert_non_null(fixture->schema);
    for (unsigned i = 0; i < ROWS; i++) {
        person_init(&fixture->people.people[i], i);
    }
    fixture->plan = fit(fixture, NULL);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    feature_vectorizer_release(fixture->plan);
    feature_schema_release(fixture->schema);
    free(fixture);
    return 0;
}

static double cosine(const struct feature_vectorizer *plan, const struct person *a,
                     const struct person *b)
{
    float x[FEATURE_VECTOR_DIMS_MAX];
    float y[FEATURE_VECTOR_DIMS_MAX];
    double xy = 0;
    double xx = 0;
    double yy = 0;
    feature_vectorizer_vector(plan, a->values, SLOTS, x);
    feature_vectorizer_vector(plan, b->values, SLOTS, y);
    for (uint32_t i = 0; i < plan->dims; i++) {
        xy += (double)x[i] * (double)y[i];
        xx += (double)x[i] * (double)x[i];
        yy += (double)y[i] * (double)y[i];
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

static void equal_accounts_have_similarity_one(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < ROWS; i++) {
        struct person twin;
        person_init(&twin, i);
        assert_float_equal(cosine(fixture->plan, &fixture->people.people[i], &twin), 1, 1e-6);
    }
}

static void squared_norm_stays_within_the_shares(void **state)
{
    struct fixture *fixture = *state;
    double shares = 0;
    for (size_t i = 0; i < fixture->plan->field_count; i++) {
        shares += fixture->plan->fields[i].share;
    }
    assert_float_equal(shares, 1, 1e-9);
    for (unsigned i = 0; i < ROWS; i++) {
        float x[FEATURE_VECTOR_DIMS_MAX];
        double sum = 0;
        feature_vectorizer_vector(fixture->plan, fixture->people.people[i].values, SLOTS, x);
        for (uint32_t k = 0; k < fixture->plan->dims; k++) {
            sum += (double)x[k] * (double)x[k];
        }
        assert_true(sum > 0.5 && sum < 1.02);
    }
}

static void shared_rare_tag_beats_a_common_one(void **state)
{
    struct fixture *fixture = *state;
    struct person a;
    struct person rare;
    struct person common;
    person_init(&a, 1);
    person_init(&rare, 1);
    person_init(&common, 1);
    set_tags(&a, (const char *[]){"common", "rare"}, 2);
    set_tags(&rare, (const char *[]){"other", "rare"}, 2);
    set_tags(&common, (const char *[]){"other", "common"}, 2);
    assert_true(cosine(fixture->plan, &a, &rare) > cosine(fixture->plan, &a, &common) + 0.01);
}

static void names_are_left_out(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture->plan->left_count, 1);
    assert_string_equal(fixture->plan->left[0].name, "name");
    assert_int_equal(fixture->plan->field_count, 5);
}

static void dims_are_stated_and_padded(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(fixture->plan->dims, 192); /* 3 + 128, up to a multiple of 64 */
    assert_true(fixture->plan->dims - fixture->plan->hashed_place >= 32);
}

static void nearer_numbers_are_more_alike(void **state)
{
    struct fixture *fixture = *state;
    struct person a;
    struct person b;
    double before = 2;
    for (double number = 100; number < 5000; number *= 1.5) {
        person_init(&a, 3);
        person_init(&b, 3);
        a.values[0].number = 100;
        b.values[0].number = number;
        double now = cosine(fixture->plan, &a, &b);
        assert_true(now <= before);
        before = now;
    }
    assert_true(before < 0.95);
}

static void missing_is_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct person empty = {0};
    float x[FEATURE_VECTOR_DIMS_MAX];
    feature_vectorizer_vector(fixture->plan, empty.values, SLOTS, x);
    for (uint32_t i = 0; i < fixture->plan->dims; i++) {
        assert_true(x[i] == 0);
    }
    feature_vectorizer_vector(fixture->plan, empty.values, 0, x);
    assert_true(x[0] == 0);
}

static void plan_does_not_depend_on_the_order_of_rows(void **state)
{
    struct fixture *fixture = *state;
    fixture->people.backwards = true;
    struct feature_vectorizer *other = fit(fixture, NULL);
    assert_true(other->digest == fixture->plan->digest);
    feature_vectorizer_release(other);
}

static void json_round_trip_is_exact(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    char *text = feature_vectorizer_print(fixture->plan);
    struct feature_vectorizer *back =
        feature_vectorizer_parse(proto_span_text(text), fixture->schema, &fault);
    if (back == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    assert_true(back->digest == fixture->plan->digest);
    for (unsigned i = 0; i < ROWS; i++) {
        float x[FEATURE_VECTOR_DIMS_MAX];
        float y[FEATURE_VECTOR_DIMS_MAX];
        feature_vectorizer_vector(fixture->plan, fixture->people.people[i].values, SLOTS, x);
        feature_vectorizer_vector(back, fixture->people.people[i].values, SLOTS, y);
        assert_memory_equal(x, y, back->dims * sizeof *x);
    }
    feature_vectorizer_release(back);
    free(text);
}

/* Every place that the text could be changed in must be noticed by the digest or before. */
static void changed_json_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *text = feature_vectorizer_print(fixture->plan);
    size_t bytes = strlen(text);
    for (size_t i = 0; i < bytes; i++) {
        struct proto_fault fault = {0};
        if (text[i] < '0' || text[i] > '9') {
            continue;
        }
        text[i] = text[i] == '9' ? '8' : (char)(text[i] + 1);
        struct feature_vectorizer *back =
            feature_vectorizer_parse(proto_span_text(text), fixture->schema, &fault);
        text[i] = text[i] == '8' ? '9' : (char)(text[i] - 1);
        /* A digit beyond the 17th may name the same number. */
        assert_true(back == NULL || back->digest == fixture->plan->digest);
        feature_vectorizer_release(back);
    }
    for (size_t cut = 0; cut < bytes; cut += 17) {
        struct proto_fault fault = {0};
        assert_null(feature_vectorizer_parse((struct proto_span){(uint8_t *)text, cut},
                                             fixture->schema, &fault));
    }
    free(text);
}

static void weights_move_shares(void **state)
{
    struct fixture *fixture = *state;
    double weights[SLOTS] = {3, 1, 0, 0, 0, 0};
    struct feature_vectorizer_options options = {.weights = weights, .weight_slots = SLOTS};
    struct feature_vectorizer *plan = fit(fixture, &options);
    assert_int_equal(plan->field_count, 2);
    assert_float_equal(plan->fields[0].share, 0.75, 1e-12);
    assert_float_equal(plan->fields[1].share, 0.25, 1e-12);
    feature_vectorizer_release(plan);
}

static void vectors_alone_take_no_other_places(void **state)
{
    struct fixture *fixture = *state;
    double weights[SLOTS] = {0, 0, 0, 0, 0, 1};
    struct feature_vectorizer_options options = {.weights = weights, .weight_slots = SLOTS};
    struct feature_vectorizer *plan = fit(fixture, &options);
    assert_int_equal(plan->dims, 3);
    assert_float_equal(plan->fields[0].share, 1, 1e-12);
    feature_vectorizer_release(plan);
}

/* Product and distance of the vectors, beside what the explanation computes from the values. */
static void metrics_count_lengths_and_explanations_agree(void **state)
{
    struct fixture *fixture = *state;
    for (int metric = FEATURE_VECTOR_COSINE; metric <= FEATURE_VECTOR_L2; metric++) {
        struct feature_vectorizer_options options = {.metric = (enum feature_vector_metric)metric};
        struct feature_vectorizer *plan = fit(fixture, &options);
        fixture->people.backwards = true;
        struct feature_vectorizer *other = fit(fixture, &options);
        fixture->people.backwards = false;
        assert_true(other->digest == plan->digest);
        assert_true((plan->digest == fixture->plan->digest) == (metric == FEATURE_VECTOR_COSINE));
        for (unsigned i = 0; i + 1 < ROWS; i++) {
            const struct person *a = &fixture->people.people[i];
            const struct person *b = &fixture->people.people[i + 1];
            float x[FEATURE_VECTOR_DIMS_MAX];
            float y[FEATURE_VECTOR_DIMS_MAX];
            double product = 0;
            double square = 0;
            struct feature_vector_shared shared[2];
            struct feature_vector_explanation explanation;
            feature_vectorizer_vector(plan, a->values, SLOTS, x);
            feature_vectorizer_vector(plan, b->values, SLOTS, y);
            for (uint32_t k = 0; k < plan->dims; k++) {
                product += (double)x[k] * (double)y[k];
                square += ((double)x[k] - (double)y[k]) * ((double)x[k] - (double)y[k]);
            }
            feature_vectorizer_explain(plan, a->values, b->values, SLOTS, shared, 2, &explanation);
            double expected = metric == FEATURE_VECTOR_DOT  ? product
                              : metric == FEATURE_VECTOR_L2 ? 1 / (1 + sqrt(square))
                                                            : cosine(plan, a, b);
            assert_float_equal(explanation.similarity, expected, 0.01);
        }
        char *text = feature_vectorizer_print(plan);
        struct proto_fault fault = {0};
        struct feature_vectorizer *back =
            feature_vectorizer_parse(proto_span_text(text), fixture->schema, &fault);
        if (back == NULL) {
            fail_msg("%s: %s", fault.field, fault.message);
        }
        assert_int_equal(back->metric, metric);
        assert_true(back->digest == plan->digest);
        free(text);
        feature_vectorizer_release(back);
        feature_vectorizer_release(other);
        feature_vectorizer_release(plan);
    }
}

static void a_vector_alone_is_compared_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    double weights[SLOTS] = {0, 0, 0, 0, 0, 1};
    struct feature_vectorizer_options options = {
        .metric = FEATURE_VECTOR_L2, .weights = weights, .weight_slots = SLOTS};
    struct feature_vectorizer *plan = fit(fixture, &options);
    float vector[3];
    struct person *person = &fixture->people.people[7];
    feature_vectorizer_vector(plan, person->values, SLOTS, vector);
    assert_memory_equal(vector, person->embedding, sizeof vector);
    /* Too long for squares in a float: as if it were missing. */
    person->embedding[0] = 1e30f;
    feature_vectorizer_vector(plan, person->values, SLOTS, vector);
    assert_true(vector[0] == 0 && vector[1] == 0 && vector[2] == 0);
    feature_vectorizer_release(plan);
}

/* The scale is a median: one vector, however long, leaves the others as far apart as they were. */
static void one_long_vector_does_not_flatten_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct feature_vectorizer_options options = {.metric = FEATURE_VECTOR_L2};
    struct person *person = &fixture->people.people[7];
    double scales[2];
    for (unsigned huge = 0; huge < 2; huge++) {
        float kept = person->embedding[0];
        person->embedding[0] = huge == 1 ? 3e38f : kept;
        struct feature_vectorizer *plan = fit(fixture, &options);
        person->embedding[0] = kept;
        scales[huge] = 0;
        for (size_t f = 0; f < plan->field_count; f++) {
            scales[huge] += plan->fields[f].type == FEATURE_VECTOR ? plan->fields[f].scale : 0;
        }
        feature_vectorizer_release(plan);
    }
    assert_true(scales[0] > 0);
    assert_true(fabs(scales[1] / scales[0] - 1) < 0.05);
}

static void own_weights_stand_before_the_others(void **state)
{
    struct fixture *fixture = *state;
    double weights[SLOTS] = {3, 1, 0, 0, 0, 0};
    double own[SLOTS] = {-1, 0, -1, -1, -1, 2};
    struct feature_vectorizer_options options = {.weights = weights,
                                                 .weight_slots = SLOTS,
                                                 .own_weights = own,
                                                 .own_weight_slots = SLOTS,
                                                 .vector_share = 0.8};
    struct feature_vectorizer *plan = fit(fixture, &options);
    assert_int_equal(plan->field_count, 2);
    assert_string_equal(plan->fields[0].name, "employees");
    assert_float_equal(plan->fields[0].share, 0.2, 1e-12);
    assert_float_equal(plan->fields[1].share, 0.8, 1e-12);
    feature_vectorizer_release(plan);
}

static void a_sample_without_values_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct feature_vector_sample sample = {&fixture->people, 0, people_values};
    assert_null(feature_vectorizer_fit(fixture->schema, &sample, NULL, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
}

static void explanation_adds_up_and_names_the_rare_word_first(void **state)
{
    struct fixture *fixture = *state;
    struct person a;
    struct person b;
    struct feature_vector_shared shared[16];
    struct feature_vector_explanation explanation;
    person_init(&a, 1);
    person_init(&b, 1);
    set_tags(&a, (const char *[]){"common", "rare"}, 2);
    set_tags(&b, (const char *[]){"common", "rare"}, 2);
    b.values[1].text = proto_span_text("ind6");
    b.values[5].present = false;
    feature_vectorizer_explain(fixture->plan, a.values, b.values, SLOTS, shared, 16, &explanation);
    double sum = 0;
    for (size_t i = 0; i < explanation.shared_count; i++) {
        sum += shared[i].part;
    }
    assert_float_equal(sum, explanation.similarity, 1e-9);
    assert_float_equal(explanation.similarity, cosine(fixture->plan, &a, &b), 0.01);
    size_t rare = 0;
    size_t common = 0;
    for (size_t i = 0; i < explanation.shared_count; i++) {
        rare = proto_span_is(shared[i].word, "rare") ? i : rare;
        common = proto_span_is(shared[i].word, "common") ? i : common;
    }
    assert_true(rare < common);
    assert_int_equal(shared[rare].rows, 4);
    assert_non_null(explanation.difference); /* the industry: the vector is missing in one */
    assert_string_equal(explanation.difference->name, "industry");
    feature_vectorizer_explain(fixture->plan, a.values, b.values, SLOTS, shared, 1, &explanation);
    assert_int_equal(explanation.shared_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(equal_accounts_have_similarity_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(squared_norm_stays_within_the_shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shared_rare_tag_beats_a_common_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_are_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(dims_are_stated_and_padded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nearer_numbers_are_more_alike, set_up, tear_down),
        cmocka_unit_test_setup_teardown(missing_is_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(plan_does_not_depend_on_the_order_of_rows, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(json_round_trip_is_exact, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changed_json_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(weights_move_shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(vectors_alone_take_no_other_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics_count_lengths_and_explanations_agree, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_vector_alone_is_compared_as_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_long_vector_does_not_flatten_the_others, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(own_weights_stand_before_the_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_sample_without_values_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(explanation_adds_up_and_names_the_rare_word_first, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
