/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic accounts of 40 fields for measuring: every account is a function of the seed and its
 * number, so a load generator knows what a server holds without asking it.
 * Shapes: numbers from 0; ids "acct-00000042" (13 bytes, so that requests are of one size), one key
 * each, "domain:acct00000042.example". Ownership: plain values; texts are copied out.
 * Threads: pure. Cost: about 2 µs an account. */
#ifndef BENCH_ACCOUNT_H
#define BENCH_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_ID_BYTES 13
#define BENCH_DOMAIN_BYTES 20
#define BENCH_SEED 7
/* Ids have eight digits. */
#define BENCH_ACCOUNTS_MAX 100000000

enum bench_field_type { BENCH_NUMBER, BENCH_CATEGORY, BENCH_FLAG, BENCH_TAGS };

struct bench_field {
    const char *name;
    const char *family;
    enum bench_field_type type;
    double mean, sigma; /* number; `log`: of its logarithm */
    bool log;
    unsigned count; /* categories or tags */
    double share;   /* of a flag or of each tag */
    double effect;  /* on the logit of the outcome */
};

struct bench_value {
    double number;  /* number */
    unsigned index; /* category */
    uint32_t tags;  /* bit i: has tag i */
    bool flag;
    bool missing;
};

#define BENCH_FIELDS 40

/* The fields in order; the last is the outcome, `won`. */
const struct bench_field *bench_fields(void);
void bench_account_make(uint64_t seed, uint64_t number, struct bench_value values[BENCH_FIELDS]);
/* Text of a category or tag. */
void bench_category_text(const struct bench_field *field, unsigned index, char *text,
                         size_t text_bytes);
/* Writes BENCH_ID_BYTES or BENCH_DOMAIN_BYTES and a zero; number < 10^8. */
void bench_account_id(uint64_t number, char id[BENCH_ID_BYTES + 1]);
void bench_account_domain(uint64_t number, char domain[BENCH_DOMAIN_BYTES + 1]);
/* The schema as JSON; the caller frees it. NULL without memory. */
char *bench_schema_text(void);

#endif
