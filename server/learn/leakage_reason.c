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
    case LEARN_FIELD_LEAK_PRESENCE:
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
    return verdict == LEARN_FIELD_LEAK_STRONG || verdict == LEARN_FIELD_LEAK_COPY ||
           verdict == LEARN_FIELD_LEAK_DECIDES || verdict == LEARN_FIELD_LEAK_PRESENCE;
}

bool learn_verdict_refuses(enum learn_verdict verdict, bool keep_leaks)
{
    return learn_verdict_is_leak(verdict)
               ? !keep_leaks
               : verdict == LEARN_FIELD_IDENTIFIER || verdict == LEARN_FIELD_TIME ||
                     verdict == LEARN_FIELD_CONSTANT;
}
