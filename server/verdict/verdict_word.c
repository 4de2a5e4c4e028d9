/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences of figures. A number that is not there is left out with what would say it. */
#include "server/verdict/verdict_word.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void verdict_words_add(struct verdict_words *words, const char *format, ...)
{
    if (words->count < VERDICT_WORDS_MAX) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(words->text[words->count++], VERDICT_WORD_BYTES, format, arguments);
        va_end(arguments);
    }
}

double verdict_alpha(const struct verdict_said *said)
{
    return said->asked[VERDICT_HOLD_OUT] ? said->alpha / 2 : said->alpha;
}

/* Whether the comparison at equal effort may be judged by. */
static bool effort_holds(const struct verdict_said *said)
{
    return !said->effort_asked || said->effort_told;
}

enum term_verdict verdict_decide(const struct verdict_said *said)
{
    enum term_verdict equal = said->asked[VERDICT_EQUAL_EFFORT] && effort_holds(said)
                                  ? said->lifts[VERDICT_EQUAL_EFFORT].bounds.verdict
                                  : TERM_INSUFFICIENT;
    enum term_verdict held = said->asked[VERDICT_HOLD_OUT]
                                 ? said->lifts[VERDICT_HOLD_OUT].bounds.verdict
                                 : TERM_INSUFFICIENT;
    bool against = (equal == TERM_SUPPORTED && held == TERM_REFUTED) ||
                   (equal == TERM_REFUTED && held == TERM_SUPPORTED);
    return against ? TERM_INSUFFICIENT : equal != TERM_INSUFFICIENT ? equal : held;
}

static double percent(uint64_t won, uint64_t n)
{
    return n > 0 ? 100 * (double)won / (double)n : 0;
}

/* "24.0 % of 120 were won, 15.1 % of 240 others" */
static void rates_print(const struct verdict_lift *lift, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, "%.1f %% of %llu cases on the list were won, %.1f %% of %llu off it",
                   percent(lift->won_on, lift->on), (unsigned long long)lift->on,
                   percent(lift->won_off, lift->off), (unsigned long long)lift->off);
}

/* "0.82 to 2.10", with open ends in words. */
static void bounds_print(double low, double high, char *out, size_t bytes)
{
    if (low <= 0 && isinf(high) != 0) {
        (void)snprintf(out, bytes, "anywhere");
    } else if (low <= 0) {
        (void)snprintf(out, bytes, "at most %.2f", high);
    } else if (isinf(high) != 0) {
        (void)snprintf(out, bytes, "at least %.2f", low);
    } else {
        (void)snprintf(out, bytes, "%.2f to %.2f", low, high);
    }
}

/* Where nobody was won on the other side, the ratio has no end. */
static void ratio_print(double ratio, char *out, size_t bytes)
{
    (void)snprintf(out, bytes, isinf(ratio) != 0 ? "above any number" : "%.2f", ratio);
}

static const char *other_side(enum verdict_against against)
{
    static const char *const sides[VERDICT_AGAINSTS] = {
        [VERDICT_EQUAL_EFFORT] = "others that were worked as much",
        [VERDICT_JUST_MISSED] = "those that just missed it",
        [VERDICT_HOLD_OUT] = "those that were held out",
    };
    return sides[against];
}

/* The comparison that the answer rests on: the one that judges, or that at equal effort. */
static enum verdict_against ground_of(const struct verdict_said *said)
{
    bool held =
        said->verdict != TERM_INSUFFICIENT && said->asked[VERDICT_HOLD_OUT] &&
        said->lifts[VERDICT_HOLD_OUT].bounds.verdict == said->verdict &&
        (!effort_holds(said) || said->lifts[VERDICT_EQUAL_EFFORT].bounds.verdict != said->verdict);
    return held || !said->asked[VERDICT_EQUAL_EFFORT] ? VERDICT_HOLD_OUT : VERDICT_EQUAL_EFFORT;
}

static void answer_add(const struct verdict_said *said, struct verdict_words *words)
{
    enum verdict_against ground = ground_of(said);
    const struct verdict_lift *lift = &said->lifts[ground];
    char ratio[32];
    ratio_print(lift->ratio, ratio, sizeof ratio);
    if (said->verdict == TERM_SUPPORTED) {
        verdict_words_add(words,
                          "Supported: the list was right. Its accounts were won at %s times the "
                          "odds of %s, and at least %.2f times, however often one looks.",
                          ratio, other_side(ground), lift->bounds.rule_low);
    } else if (said->verdict == TERM_REFUTED) {
        verdict_words_add(words,
                          "Refuted: the list was wrong. Its accounts were won at %s times the "
                          "odds of %s, and at most %.2f times, however often one looks.",
                          ratio, other_side(ground), lift->bounds.rule_high);
    } else if (isnan(lift->ratio) != 0) {
        verdict_words_add(words, "Insufficient: nothing is matured yet that could tell whether the "
                                 "list was right.");
    } else {
        char bounds[64];
        bounds_print(lift->bounds.rule_low, lift->bounds.rule_high, bounds, sizeof bounds);
        verdict_words_add(words,
                          "Insufficient: the outcomes do not say yet whether the list was right. "
                          "Against %s the odds ratio is %s, and may be %s.",
                          other_side(ground), ratio, bounds);
    }
}

static void side_add(const struct verdict_said *said, enum verdict_against against,
                     struct verdict_words *words)
{
    const struct verdict_lift *lift = &said->lifts[against];
    char rates[160];
    char bounds[64];
    char ratio[32];
    if (!said->asked[against] || lift->on + lift->off == 0) {
        return;
    }
    rates_print(lift, rates, sizeof rates);
    if (isnan(lift->ratio) != 0) {
        verdict_words_add(words, "Against %s: %s; no week tells them apart.", other_side(against),
                          rates);
        return;
    }
    bounds_print(lift->bounds.rule_low, lift->bounds.rule_high, bounds, sizeof bounds);
    ratio_print(lift->ratio, ratio, sizeof ratio);
    verdict_words_add(words, "Against %s: %s; odds ratio %s, %s: %s.", other_side(against), rates,
                      ratio, bounds, term_verdict_word(lift->bounds.verdict));
}

void verdict_words_make(const struct verdict_said *said, struct verdict_words *words)
{
    words->count = 0;
    answer_add(said, words);
    for (int against = 0; against < VERDICT_AGAINSTS; against++) {
        side_add(said, (enum verdict_against)against, words);
    }
    if (said->open > 0) {
        verdict_words_add(words,
                          "%llu cases are not counted yet: their week of creation is not matured.",
                          (unsigned long long)said->open);
    }
    if (said->cases == 0 && said->before > 0 && !said->early) {
        verdict_words_add(words,
                          "No case began since the list was made, %llu before: counted from an "
                          "earlier day (since) they say what the list would have done.",
                          (unsigned long long)said->before);
    }
    if (said->early) {
        verdict_words_add(words,
                          "Cases count from a day before the list was made: it may have been "
                          "made knowing them, and is no verdict on a commitment.");
    }
}

void verdict_cannot_make(const struct verdict_said *said, struct verdict_words *cannot)
{
    cannot->count = 0;
    if (!said->compares) {
        verdict_words_add(cannot,
                          "The list is of format 1: it froze neither who just missed it nor a "
                          "sample, so it is held against everybody else there is today.");
    }
    if (said->compares && !said->held_out) {
        verdict_words_add(cannot,
                          "Nobody was held out, so what the list's accounts would have done "
                          "unworked is not known.");
    }
    if (!effort_holds(said)) {
        verdict_words_add(cannot,
                          "No touch is told, so effort cannot be held equal and the list is "
                          "not judged against others; if effort was the same for all, say "
                          "so.");
    }
    if (said->compares && !said->has_last) {
        verdict_words_add(cannot, "No version before was frozen beside, so predictions cannot be "
                                  "held against it.");
    }
    if (!said->by_hand) {
        verdict_words_add(cannot, "No profile written by hand was given to hold predictions "
                                  "against.");
    }
}

static const char *text_of(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_TEXT ? cell->text : "";
}

static double value_of(const struct measure_table *table, size_t row, const char *column)
{
    const struct measure_cell *cell = measure_cell_find(table, row, column);
    return cell->kind == MEASURE_KIND_NUMBER ? cell->number : 0;
}

static void rivals_add(const struct measure_table *forecast, struct verdict_words *next)
{
    for (size_t row = 0; row < measure_table_rows(forecast); row++) {
        if (strcmp(text_of(forecast, row, "verdict"), "worse") == 0) {
            const char *rival = text_of(forecast, row, "rival");
            verdict_words_add(next,
                              "Learn the profile anew: %s foretold better (squared error %.4f "
                              "against %.4f).",
                              strcmp(rival, "base-rate") == 0      ? "always saying the base rate"
                              : strcmp(rival, "last-version") == 0 ? "the version before"
                                                                   : "the profile written by hand",
                              value_of(forecast, row, "rival_brier"),
                              value_of(forecast, row, "brier"));
        }
    }
}

static void wrong_add(const struct measure_table *promise, struct verdict_words *next)
{
    enum { NAMED_MOST = 5 };
    size_t named = 0;
    for (size_t row = 0; row < measure_table_rows(promise) && named < NAMED_MOST; row++) {
        const char *wrong = text_of(promise, row, "verdict");
        if (wrong[0] != '\0') {
            verdict_words_add(next, "Look at %s = %s: %s, %.1f %% came true where %.1f %% were.",
                              text_of(promise, row, "of"), text_of(promise, row, "value"), wrong,
                              100 * value_of(promise, row, "rate"),
                              100 * value_of(promise, row, "promised"));
            named++;
        }
    }
}

void verdict_next_make(const struct verdict_said *said, const struct measure_table *forecast,
                       const struct measure_table *promise, struct verdict_words *next)
{
    next->count = 0;
    if (said->verdict == TERM_SUPPORTED) {
        verdict_words_add(next, "Build the next list with the same profile, learned again with the "
                                "outcomes of this term.");
    } else if (said->verdict == TERM_REFUTED) {
        verdict_words_add(next, "Build the next list with another profile: learn it from the "
                                "outcomes of this term, and hold it against what people believe "
                                "before it is signed.");
    } else {
        verdict_words_add(next, "Keep to the list and ask again: the answer may be looked at any "
                                "week.");
    }
    rivals_add(forecast, next);
    wrong_add(promise, next);
    if (!said->held_out) {
        verdict_words_add(next,
                          "Hold a tenth of the next list out (icp tal build --hold-out 10%%): "
                          "nothing else shows what the list itself does.");
    }
}
