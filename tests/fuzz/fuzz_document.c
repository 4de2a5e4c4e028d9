/* SPDX-License-Identifier: Apache-2.0 */
/* Input: an ICP document, read against a schema of a number, a category, a flag and a tags field.
 * What is accepted must score any row that its codebook can make, keep every promise of
 * scorecard.h, and give the same digest when written and read again. */
#include <string.h>

#include "server/learn/document.h"
#include "tests/fuzz/fuzz.h"

static const char schema_text[] =
    "{\"fields\":[{\"name\":\"employees\",\"type\":\"number\"},"
    "{\"name\":\"industry\",\"type\":\"category\"},{\"name\":\"public\",\"type\":\"flag\"},"
    "{\"name\":\"stack\",\"type\":\"tags\"}]}";

/* Codes of row number `seed`, every one in range; code 0 (missing) is frequent. */
static void row_make(const struct feature_codebook *codebook, uint32_t seed, uint8_t *row)
{
    for (size_t c = 0; c < codebook->column_count; c++) {
        seed = seed * 1664525U + 1013904223U;
        uint32_t drawn = seed >> 16;
        row[c] = (uint8_t)(drawn % 3 == 0 ? 0 : drawn % codebook->columns[c].bin_count);
    }
}

static void row_check(const struct model_scorecard *scorecard, const uint8_t *row,
                      int32_t *contributions)
{
    int64_t raw = model_raw(scorecard, row);
    int64_t many = 0;
    int64_t low;
    int64_t high;
    model_raw_many(scorecard, row, 64, 1, &many);
    FUZZ_HOLDS(raw == many);
    model_contributions(scorecard, row, contributions);
    int64_t sum = scorecard->intercept;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        sum += contributions[t];
    }
    FUZZ_HOLDS(sum == raw);
    model_interval(scorecard, row, &low, &high);
    FUZZ_HOLDS(low <= high);
    double p = model_p(scorecard, raw);
    FUZZ_HOLDS(p >= 0.0 && p <= 1.0);
    double fit = model_fit(scorecard, raw);
    FUZZ_HOLDS(fit >= 0.0 && fit <= 100.0);
    FUZZ_HOLDS(strchr("ABCD", model_grade(scorecard, fit)) != NULL);
    FUZZ_HOLDS(model_fit(scorecard, raw + 1) >= fit);
}

static void written_again(const struct learn_document *document,
                          const struct feature_schema *schema)
{
    struct proto_fault fault;
    char *text = json_dumps(document->json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    FUZZ_HOLDS(text != NULL);
    struct learn_document *again = learn_document_parse(proto_span_text(text), 1, schema, &fault);
    FUZZ_HOLDS(again != NULL && again->digest == document->digest);
    learn_document_release(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct proto_fault fault = {0};
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    FUZZ_HOLDS(schema != NULL);
    struct learn_document *document =
        learn_document_parse((struct proto_span){data, bytes}, 1, schema, &fault);
    FUZZ_HOLDS(document != NULL || fault.message[0] != '\0');
    if (document != NULL) {
        uint8_t *row = calloc(1, document->codebook->row_bytes + 64);
        int32_t *contributions = calloc(document->scorecard->term_count + 1, sizeof *contributions);
        FUZZ_HOLDS(row != NULL && contributions != NULL);
        for (uint32_t seed = 0; seed < 16; seed++) {
            row_make(document->codebook, seed, row);
            row_check(document->scorecard, row, contributions);
        }
        written_again(document, schema);
        free(contributions);
        free(row);
    }
    learn_document_release(document);
    feature_schema_release(schema);
    return 0;
}
