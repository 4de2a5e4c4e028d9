/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic accounts of 40 fields for measuring: every account is a function of the seed and its
 * number, so a load generator knows what a server holds without asking it.
 * Shapes: numbers from 0; ids "acct-00000042" (13 bytes, so that requests are of one size), one key
 * each, "domain:acct00000042.example". Ownership: plain values; texts are copied out.
 * Threads: pure. Cost: about 2 µs an account. */
#ifndef BENCH_LOAD_ACCOUNT_H
#define BENCH_LOAD_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_ID_BYTES 13
#define LOAD_DOMAIN_BYTES 20
#define LOAD_SEED 7
/* Ids have eight digits. */
#define LOAD_ACCOUNTS_MAX 100000000

enum load_field_type { LOAD_NUMBER, LOAD_CATEGORY, BENCH_FLAG, LOAD_TAGS };

struct load_field {
    const char *name;
    const char *family;
    enum load_field_type type;
    double mean, sigma; /* number; `log`: of its logarithm */
    bool log;
    unsigned count; /* categories or tags */
    double share;   /* of a flag or of each tag */
    double effect;  /* on the logit of the outcome */
};

struct load_value {
    double number;  /* number */
    unsigned index; /* category */
    uint32_t tags;  /* bit i: has tag i */
    bool flag;
    bool missing;
};

#define LOAD_FIELDS 40

/* The fields in order; the last is the outcome, `won`. */
const struct load_field *load_fields(void);
void load_account_make(uint64_t seed, uint64_t number, struct load_value values[LOAD_FIELDS]);
/* Text of a category or tag. */
void load_category_text(const struct load_field *field, unsigned index, char *text,
                        size_t text_bytes);
/* Writes LOAD_ID_BYTES or LOAD_DOMAIN_BYTES and a zero; number < 10^8. */
void load_account_id(uint64_t number, char id[LOAD_ID_BYTES + 1]);
void load_account_domain(uint64_t number, char domain[LOAD_DOMAIN_BYTES + 1]);
/* The schema as JSON; the caller frees it. NULL without memory. */
char *load_schema_text(void);

#endif
