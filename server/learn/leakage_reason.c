/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts of the leakage guard in words, and what follows from them. */
#include <stdio.h>

#include "server/learn/leakage.h"

static void reason_warned(const struct learn_field_report *report, char *text, size_t text_bytes)
{
    if (report->side.positives + report->side.negatives > 0) {
        (void)snprintf(
            text, text_bytes,
            "nearly certain: %s on %zu positives and %zu negatives; make sure that it is "
            "known before the outcome",
            report->side.where, report->side.positives, report->side.negatives);
        return;
    }
    (void)snprintf(text, text_bytes,
                   "strong for a single field: it explains %.0f %% of the outcome alone (AUC "
                   "%.3f); make sure that it is known before the outcome",
                   100.0 * report->explained, report->auc);
}

static void reason_sorts(const struct learn_sorted *sorted, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes,
                   "suspected leak: %zu of its %zu values are nearly certain, some each way (those "
                   "that win: %.0f positives and %.0f negatives; those that lose: %.0f and %.0f), "
                   "as where somebody writes down how it ended",
                   sorted->winning + sorted->losing, sorted->values, sorted->won_positives,
                   sorted->won_negatives, sorted->lost_positives, sorted->lost_negatives);
}

static void reason_overwritten(const struct learn_overwritten *found, char *text, size_t text_bytes)
{
    (void)snprintf(text, text_bytes,
                   "suspected leak: it is '%s' again, but for %zu of %zu rows over which '%s' was "
                   "written; at the same '%s' their odds of being positive are %.2f times (95 %% "
                   "interval %.2f to %.2f) those of the others: it was probably written once the "
                   "outcome was known",
                   found->other, found->over, found->rows, found->value, found->other, found->odds,
                   found->odds_low, found->odds_high);
}

static void reason_leak(const struct learn_field_report *report, char *text, size_t text_bytes)
{
    switch (report->verdict) {
    case LEARN_FIELD_LEAK_COPY:
        (void)snprintf(
            text, text_bytes,
            "suspected leak: alone it explains %.0f %% of the outcome (at least %.0f %%, "
            "bound %.0f %%; AUC %.3f), as a copy of it with some slips would",
            100.0 * report->explained, 100.0 * report->explained_low, 100.0 * LEARN_LEAK_COPY,
            report->auc);
        break;
    case LEARN_FIELD_LEAK_DECIDES:
        (void)snprintf(text, text_bytes,
                       "suspected leak: its values decide both ways (%.0f %% of the positives have "
                       "values that nearly always win, %.0f %% of the negatives values that nearly "
                       "always lose; alone it explains %.0f %% of the outcome); it was probably "
                       "filled in after the outcome",
                       100.0 * report->positives_certain, 100.0 * report->negatives_certain,
                       100.0 * report->explained);
        break;
    case LEARN_FIELD_LEAK_SORTS:
        reason_sorts(&report->sorted, text, text_bytes);
        break;
    case LEARN_FIELD_LEAK_OVERWRITTEN:
        reason_overwritten(&report->overwritten, text, text_bytes);
        break;
    case LEARN_FIELD_LEAK_PRESENCE:
        (void)snprintf(text, text_bytes,
                       "suspected leak: %s on %zu positives and %zu negatives; it was probably "
                       "filled in after the outcome",
                       report->side.where, report->side.positives, report->side.negatives);
        break;
    default:
        (void)snprintf(
            text, text_bytes,
            "suspected leak: alone it orders outcomes with AUC %.3f (95 %% interval %.3f "
            "to %.3f, bound %.2f), which a field known beforehand hardly ever does; it "
            "was probably filled in after the outcome",
            report->auc, report->auc_low, report->auc_high, LEARN_LEAK_AUC);
        break;
    }
}

void learn_leakage_reason(const struct learn_field_report *report, char *text, size_t text_bytes)
{
    switch (report->verdict) {
    case LEARN_FIELD_USED:
        (void)snprintf(text, text_bytes, "used");
        break;
    case LEARN_FIELD_WARNED:
        reason_warned(report, text, text_bytes);
        break;
    case LEARN_FIELD_LEAK_STRONG:
    case LEARN_FIELD_LEAK_COPY:
    case LEARN_FIELD_LEAK_DECIDES:
    case LEARN_FIELD_LEAK_SORTS:
    case LEARN_FIELD_LEAK_PRESENCE:
    case LEARN_FIELD_LEAK_OVERWRITTEN:
        reason_leak(report, text, text_bytes);
        break;
    case LEARN_FIELD_IDENTIFIER:
        (void)snprintf(text, text_bytes, "an identifier: its values hardly ever repeat");
        break;
    case LEARN_FIELD_TIME:
        (void)snprintf(text, text_bytes,
                       "a time written as a number: it says when, not what like; 'time_field' can "
                       "split by it");
        break;
    case LEARN_FIELD_CONSTANT:
        (void)snprintf(text, text_bytes, "it says nothing: all rows have the same value");
        break;
    }
}

bool learn_verdict_is_leak(enum learn_verdict verdict)
{
    return verdict >= LEARN_FIELD_LEAK_STRONG && verdict <= LEARN_FIELD_LEAK_OVERWRITTEN;
}

bool learn_field_refused(const struct learn_field_report *report)
{
    return learn_verdict_is_leak(report->verdict)
               ? !report->kept
               : report->verdict == LEARN_FIELD_IDENTIFIER || report->verdict == LEARN_FIELD_TIME ||
                     report->verdict == LEARN_FIELD_CONSTANT;
}
