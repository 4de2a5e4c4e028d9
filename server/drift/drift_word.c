/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict by its rule, and then in sentences: the answer, the two figures that it rests on, and
 * what changed: the rate of outcomes, what p came to, fields whose values moved, fields that no
 * longer tell outcomes apart. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "server/drift/drift_row.h"

enum { NAMED_MAX = 3 }; /* fields of a kind that are named */

const char *drift_verdict_name(enum drift_verdict verdict)
{
    static const char *const names[] = {
#define X(NAME, name, meaning) name,
#include "server/drift/drift_verdict.def"
#undef X
    };
    return names[verdict];
}

static enum drift_verdict judge(const struct drift_result *result)
{
    const struct drift_then *then = &result->then;
    if (result->positives < DRIFT_OUTCOMES_MIN ||
        result->rows - result->positives < DRIFT_OUTCOMES_MIN) {
        return DRIFT_FEW;
    }
    if (result->skill.low > 0) {
        return DRIFT_HOLDS;
    }
    bool none = result->skill.high <= 0;
    bool halved = result->skill.high < then->skill / 2; /* NAN: no */
    bool blind = result->auc.low <= 0.5 && result->auc.high < then->auc_low;
    return none || halved || blind ? DRIFT_REBUILD : DRIFT_UNSURE;
}

static void say(struct drift_result *result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct drift_result *result, const char *format, ...)
{
    va_list arguments;
    if (result->word_count == DRIFT_WORDS_MAX) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(result->words[result->word_count++], DRIFT_WORD_BYTES, format, arguments);
    va_end(arguments);
}

static void answer_say(struct drift_result *result)
{
    unsigned long long negatives = result->rows - result->positives;
    switch (result->verdict) {
    case DRIFT_FEW:
        say(result,
            "too few outcomes to judge version %u by: %llu positive and %llu negative, at least %u "
            "of each are wanted",
            result->icp, (unsigned long long)result->positives, negatives, DRIFT_OUTCOMES_MIN);
        return;
    case DRIFT_HOLDS:
        say(result, "version %u holds: by %llu outcomes it beats the base rate", result->icp,
            (unsigned long long)result->rows);
        return;
    case DRIFT_REBUILD:
        say(result, "rebuild: by %llu outcomes version %u no longer beats the base rate",
            (unsigned long long)result->rows, result->icp);
        return;
    case DRIFT_UNSURE:
        say(result,
            "too early to say by %llu outcomes whether version %u still beats the base rate",
            (unsigned long long)result->rows, result->icp);
        return;
    }
}

/* ", 0.91 when it was learned" */
static const char *then_text(double then, char *text, size_t bytes)
{
    text[0] = '\0';
    if (!isnan(then)) {
        (void)snprintf(text, bytes, ", %.3f when it was learned", then);
    }
    return text;
}

static void figures_say(struct drift_result *result)
{
    char auc[64];
    char skill[64];
    say(result, "AUC %.3f (%.3f to %.3f)%s", result->auc.value, result->auc.low, result->auc.high,
        then_text(result->then.auc, auc, sizeof auc));
    say(result, "p is nearer to what happened than the base rate by %.3f (%.3f to %.3f)%s",
        result->skill.value, result->skill.low, result->skill.high,
        then_text(result->then.skill, skill, sizeof skill));
}

static void rate_say(struct drift_result *result)
{
    double base = result->then.base_rate;
    if (base < result->rate.low || base > result->rate.high) {
        say(result, "the outcome is %s: %.1f %% (%.1f to %.1f), %.1f %% when it was learned",
            result->rate.value < base ? "rarer" : "more frequent", 100 * result->rate.value,
            100 * result->rate.low, 100 * result->rate.high, 100 * base);
    }
    if (result->both && (result->gap.low > 0 || result->gap.high < 0)) {
        say(result, "p says %.1f %% on average, and %.1f %% came about", 100 * result->p_mean,
            100 * result->rate.value);
    }
}

static double loss_of(const struct drift_column *column)
{
    return column->auc_then.value - column->auc_now.value;
}

/* Of the columns that no longer tell outcomes apart the one that lost most, but less than the one
 * that was named last. */
static const struct drift_column *lost_next(const struct drift_result *result,
                                            const struct drift_column *last)
{
    const struct drift_column *most = NULL;
    for (size_t i = 0; i < result->column_count; i++) {
        const struct drift_column *column = &result->columns[i];
        if (column->lost && (!last || loss_of(column) < loss_of(last)) &&
            (!most || loss_of(column) > loss_of(most))) {
            most = column;
        }
    }
    return most;
}

static void columns_say(struct drift_result *result)
{
    unsigned named = 0;
    for (size_t i = 0; i < result->column_count && named < NAMED_MAX; i++) {
        const struct drift_column *column = &result->columns[i];
        if (column->psi > column->limit) {
            named++;
            say(result, "%s%s%s has shifted: %s in %.1f %% of accounts now, %.1f %% then",
                column->field, column->tag ? " " : "", column->tag ? column->tag : "", column->bin,
                100 * column->share_now, 100 * column->share_then);
        }
    }
    const struct drift_column *lost = NULL;
    for (named = 0; named < NAMED_MAX && (lost = lost_next(result, lost)) != NULL; named++) {
        say(result, "%s%s%s no longer tells them apart as it did: AUC alone %.3f, %.3f then",
            lost->field, lost->tag ? " " : "", lost->tag ? lost->tag : "", lost->auc_now.value,
            lost->auc_then.value);
    }
}

void drift_words_make(struct drift_result *result)
{
    result->verdict = judge(result);
    answer_say(result);
    if (result->both) {
        figures_say(result);
    }
    if (result->rows > 0) {
        rate_say(result);
    }
    columns_say(result);
    if (result->verdict == DRIFT_REBUILD) {
        say(result, "learn anew from what is known now, and compare: icp learn, then icp diff");
    }
    if (result->not_kept > 0) {
        say(result, "%llu cases are left out: what their accounts were is not kept",
            (unsigned long long)result->not_kept);
    }
}
