/* SPDX-License-Identifier: Apache-2.0 */
/* What rates, intervals and the margin come to. Where it is too little, the width that would settle
 * it is set against the width that is there: a width goes with the root of the accounts, so their
 * ratio squared is how many times as many it takes, if both sides grow alike. */
#include <math.h>

#include "server/dispute/challenge.h"
#include "server/math/accuracy.h"

enum { ACCOUNTS_MIN = 20, OUTCOMES_MIN = 5, TIMES_MOST = 1000 };
#define RANKS_NO_BETTER 0.6 /* an AUC below that at best: the order is of no use */
#define RANKS_BY_CHANCE 0.5
#define DECIDED_SHARE 0.9 /* of the accounts of a field, in bins that are settled */

static const char *const claimed_words[] = {
    [DISPUTE_EITHER] = "either", [DISPUTE_MORE] = "in", [DISPUTE_LESS] = "out"};

const char *dispute_verdict_word(enum dispute_verdict verdict)
{
    static const char *const words[] = {[DISPUTE_TOO_FEW] = "too little evidence",
                                        [DISPUTE_HOLDS] = "holds",
                                        [DISPUTE_HOLDS_NOT] = "does not hold"};
    return words[verdict];
}

const char *dispute_claimed_word(enum dispute_claimed claimed)
{
    return claimed_words[claimed];
}

bool dispute_claimed_read(struct proto_span word, enum dispute_claimed *claimed)
{
    for (int i = DISPUTE_EITHER; i <= DISPUTE_LESS; i++) {
        if (proto_span_is(word, claimed_words[i])) {
            *claimed = (enum dispute_claimed)i;
            return true;
        }
    }
    return false;
}

static double rate_of(const struct dispute_side *side)
{
    return (double)side->outcomes / (double)side->accounts;
}

void dispute_wilson(const struct dispute_side *side, double z, double *low, double *high)
{
    math_wilson_share(rate_of(side), (double)side->accounts, z, low, high);
}

static bool enough(const struct dispute_side *with, const struct dispute_side *without)
{
    uint64_t accounts = with->accounts + (without ? without->accounts : 0);
    uint64_t outcomes = with->outcomes + (without ? without->outcomes : 0);
    return with->accounts >= ACCOUNTS_MIN && (!without || without->accounts >= ACCOUNTS_MIN) &&
           outcomes >= OUTCOMES_MIN && accounts - outcomes >= OUTCOMES_MIN;
}

/* Of gaps turned so that more is what is claimed. */
static enum dispute_verdict one_sided(double gap, double low, double high, double margin)
{
    if (low > 0 && gap >= margin) {
        return DISPUTE_HOLDS;
    }
    return high < margin ? DISPUTE_HOLDS_NOT : DISPUTE_TOO_FEW;
}

static enum dispute_verdict gap_judge(const struct dispute_gap *gap, enum dispute_claimed claimed,
                                      double margin)
{
    enum dispute_verdict more = one_sided(gap->gap, gap->low, gap->high, margin);
    enum dispute_verdict less = one_sided(-gap->gap, -gap->high, -gap->low, margin);
    if (claimed != DISPUTE_EITHER) {
        return claimed == DISPUTE_MORE ? more : less;
    }
    if (more == DISPUTE_HOLDS || less == DISPUTE_HOLDS) {
        return DISPUTE_HOLDS;
    }
    return more == DISPUTE_HOLDS_NOT && less == DISPUTE_HOLDS_NOT ? DISPUTE_HOLDS_NOT
                                                                  : DISPUTE_TOO_FEW;
}

static uint64_t times(uint64_t accounts, double width, double wanted)
{
    double ratio = wanted > 0 ? width / wanted : HUGE_VAL;
    double count = ceil((double)accounts * ratio * ratio);
    count = count < ACCOUNTS_MIN ? ACCOUNTS_MIN : count;
    return count <= TIMES_MOST * (double)accounts ? (uint64_t)count : 0;
}

/* With how many it would be settled, if the gap stays what it is: it must come to lie beyond 0, or
 * short of the margin. */
static uint64_t gap_needs(const struct dispute_gap *gap, enum dispute_claimed claimed,
                          uint64_t accounts, double margin)
{
    bool down = claimed == DISPUTE_LESS || (claimed == DISPUTE_EITHER && gap->gap < 0);
    double seen = down ? -gap->gap : gap->gap;
    double below = down ? gap->high - gap->gap : gap->gap - gap->low;
    double above = down ? gap->gap - gap->low : gap->high - gap->gap;
    return seen >= margin ? times(accounts, below, seen) : times(accounts, above, margin - seen);
}

/* Of nobody, or next to: so many of a side whose rate is that of the others settle a margin. */
static uint64_t side_needs(const struct dispute_side *with, const struct dispute_side *without,
                           double z, double margin)
{
    double accounts = (double)with->accounts + (without ? (double)without->accounts : 0);
    double outcomes = (double)with->outcomes + (without ? (double)without->outcomes : 0);
    double p = (outcomes + 1) / (accounts + 2);
    double count = margin > 0 ? ceil(z * z * p * (1 - p) / (margin * margin)) : 0;
    return count > 0 && count < ACCOUNTS_MIN ? ACCOUNTS_MIN : (uint64_t)count;
}

struct dispute_gap dispute_gap_of(const struct dispute_side *with,
                                  const struct dispute_side *without, double z,
                                  enum dispute_claimed claimed, double margin)
{
    struct dispute_gap gap = {.low = -1, .high = 1};
    double lows[2];
    double highs[2];
    if (with->accounts == 0 || (without && without->accounts == 0)) {
        gap.needed = side_needs(with, without, z, margin);
        return gap;
    }
    double p = rate_of(with);
    dispute_wilson(with, z, &lows[0], &highs[0]);
    if (without) {
        double q = rate_of(without);
        dispute_wilson(without, z, &lows[1], &highs[1]);
        gap.gap = (p - q) - (with->expected - without->expected);
        gap.low = gap.gap - hypot(p - lows[0], highs[1] - q);
        gap.high = gap.gap + hypot(highs[0] - p, q - lows[1]);
    } else {
        gap.gap = p - with->expected;
        gap.low = lows[0] - with->expected;
        gap.high = highs[0] - with->expected;
    }
    if (!enough(with, without)) {
        gap.needed = side_needs(with, without, z, margin);
        return gap;
    }
    gap.verdict = gap_judge(&gap, claimed, margin);
    if (gap.verdict == DISPUTE_TOO_FEW) {
        gap.needed = gap_needs(&gap, claimed, with->accounts, margin);
    }
    return gap;
}

static enum dispute_verdict ranking_judge(const struct dispute_finding *finding)
{
    if (finding->auc_high < RANKS_NO_BETTER) {
        return DISPUTE_HOLDS;
    }
    return finding->auc_low > RANKS_BY_CHANCE ? DISPUTE_HOLDS_NOT : DISPUTE_TOO_FEW;
}

static uint64_t ranking_needs(const struct dispute_finding *finding)
{
    uint64_t accounts = finding->sides[0].accounts;
    double middle = (RANKS_BY_CHANCE + RANKS_NO_BETTER) / 2;
    return finding->auc >= middle
               ? times(accounts, finding->auc - finding->auc_low, finding->auc - RANKS_BY_CHANCE)
               : times(accounts, finding->auc_high - finding->auc, RANKS_NO_BETTER - finding->auc);
}

void dispute_slice_judge(struct dispute_finding *finding)
{
    enum dispute_verdict level = finding->gap.verdict;
    bool known = finding->ranked && enough(&finding->sides[0], NULL);
    enum dispute_verdict order = known ? ranking_judge(finding) : DISPUTE_TOO_FEW;
    if (level == DISPUTE_HOLDS || order == DISPUTE_HOLDS) {
        finding->verdict = DISPUTE_HOLDS;
        return;
    }
    finding->verdict = level == DISPUTE_HOLDS_NOT && order == DISPUTE_HOLDS_NOT ? DISPUTE_HOLDS_NOT
                                                                                : DISPUTE_TOO_FEW;
    finding->needed = finding->gap.needed;
    if (order == DISPUTE_TOO_FEW && known) {
        uint64_t needs = ranking_needs(finding);
        bool none = needs == 0 || (level == DISPUTE_TOO_FEW && finding->needed == 0);
        finding->needed = none ? 0 : needs > finding->needed ? needs : finding->needed;
    }
}

static uint64_t part_accounts(const struct dispute_finding *finding, bool settled)
{
    uint64_t accounts = 0;
    for (size_t i = 0; i < finding->part_count; i++) {
        bool is = finding->parts[i].gap.verdict != DISPUTE_TOO_FEW;
        accounts += is || !settled ? finding->parts[i].side.accounts : 0;
    }
    return accounts;
}

/* The bin that tells most: one that holds before one that does not, then the farthest off. */
static const struct dispute_part *part_worst(const struct dispute_finding *finding)
{
    const struct dispute_part *worst = NULL;
    for (size_t i = 0; i < finding->part_count; i++) {
        const struct dispute_part *part = &finding->parts[i];
        bool holds = part->gap.verdict == DISPUTE_HOLDS;
        bool held = worst && worst->gap.verdict == DISPUTE_HOLDS;
        bool thin = part->side.accounts < ACCOUNTS_MIN;
        bool farther = worst && fabs(part->gap.gap) > fabs(worst->gap.gap);
        if (!worst || (holds && !held) || (holds == held && !thin && farther)) {
            worst = part;
        }
    }
    return worst;
}

/* The bin that is most in the way of a verdict; NULL: all are settled. */
static const struct dispute_part *part_unsettled(const struct dispute_finding *finding)
{
    const struct dispute_part *most = NULL;
    for (size_t i = 0; i < finding->part_count; i++) {
        const struct dispute_part *part = &finding->parts[i];
        bool open = part->gap.verdict == DISPUTE_TOO_FEW;
        if (open && (!most || part->side.accounts > most->side.accounts)) {
            most = part;
        }
    }
    return most;
}

void dispute_parts_judge(struct dispute_finding *finding)
{
    const struct dispute_part *worst = part_worst(finding);
    if (!worst) {
        return;
    }
    double all = (double)part_accounts(finding, false);
    double settled = (double)part_accounts(finding, true);
    finding->gap = worst->gap;
    finding->verdict = worst->gap.verdict == DISPUTE_HOLDS ? DISPUTE_HOLDS
                       : settled >= DECIDED_SHARE * all    ? DISPUTE_HOLDS_NOT
                                                           : DISPUTE_TOO_FEW;
    const struct dispute_part *open = part_unsettled(finding);
    finding->needed = finding->verdict == DISPUTE_TOO_FEW && open ? open->gap.needed : 0;
}
