/* SPDX-License-Identifier: Apache-2.0 */
/* Synthetic companies with a planted ICP: what `icp sample` writes. Every account is a function of
 * the seed and its number alone, so parts of a sample can be made again on their own.
 * Shapes: see struct plan_account; effects in logits. Ownership: plain values. Threads: pure.
 * Cost: about 2 µs an account. */
#ifndef CLI_SAMPLE_PLAN_H
#define CLI_SAMPLE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_INTERCEPT (-2.6)
#define PLAN_TECHNOLOGIES_MAX 16
#define PLAN_PROFILE_DIMS 8

/* Bits of plan_account.hidden: what the files do not tell although it is true. */
enum plan_hidden {
    PLAN_HIDE_INDUSTRY = 1,
    PLAN_HIDE_EMPLOYEES = 2,
    PLAN_HIDE_REVENUE = 4,
    PLAN_HIDE_COUNTRY = 8,
    PLAN_HIDE_CRM = 16,
    PLAN_HIDE_GROWTH = 32,
    PLAN_HIDE_TECHNOLOGIES = 64,
};

enum plan_stage { PLAN_OPEN, PLAN_LOST, PLAN_WON };

struct plan_account {
    uint64_t number; /* from 1 */
    char name[32];
    char domain[48];
    unsigned industry;
    unsigned country;
    unsigned funding;
    unsigned employees;
    double revenue_musd;
    unsigned founded;
    int growth_pct;
    uint32_t technologies; /* one bit each */
    bool uses_crm;
    bool demo_requested;
    unsigned web_visits;
    unsigned office_floor; /* noise: says nothing */
    unsigned brand_color;  /* noise */
    double profile[PLAN_PROFILE_DIMS];
    unsigned first_seen_day; /* days since 1970 */
    unsigned hidden;
    enum plan_stage stage;
    double logit; /* planted */
};

struct plan_effect {
    const char *field;
    const char *condition;
    double logits;
};

void plan_account_make(uint64_t seed, uint64_t number, struct plan_account *account);
/* The planted conditions as data, and whether one holds for the true values. */
const struct plan_effect *plan_effects(size_t *count);
bool plan_effect_holds(size_t effect, const struct plan_account *account);
double plan_p(double logit);

/* Names of the categories, NULL at the end. */
extern const char *const plan_industries[];
extern const char *const plan_countries[];
extern const char *const plan_fundings[];
extern const char *const plan_technologies[];
extern const char *const plan_colors[];
static inline bool plan_has(const struct plan_account *account, unsigned technology)
{
    return (account->technologies >> technology & 1) != 0;
}

#endif
