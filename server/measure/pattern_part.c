/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the patterns that were found say no more than a part of theirs: those with the whole are
 * compared with the others that have the part, in the same strata. Memory, and who asked, can end
 * it. */
#include <math.h>
#include <stdlib.h>

#include "server/math/auc.h"
#include "server/measure/pattern_parts.h"

bool measure_gram_within(const struct measure_gram *part, const struct measure_gram *whole)
{
    if (part->length > whole->length ||
        (part->length == whole->length && (!part->gapped || whole->gapped))) {
        return false;
    }
    bool close = part->length > 1 && !part->gapped;
    if (close && whole->gapped) {
        return false;
    }
    for (unsigned from = 0; from < (close ? whole->length : 1); from++) {
        unsigned taken = 0;
        unsigned i = from;
        for (; i < whole->length && taken < part->length; i++) {
            bool same = whole->steps[i] == part->steps[taken];
            taken += same;
            if (close && !same) {
                break;
            }
        }
        if (taken == part->length) {
            return true;
        }
    }
    return false;
}

/* A whole and a part of it, and those of the stratum under way. */
struct relation {
    uint32_t whole, part; /* places of candidates */
    uint32_t n, won, n_whole, won_whole;
    struct measure_odds odds;
};
struct relations {
    struct relation *items; /* by part */
    size_t count, room;
    size_t *first; /* by candidate: those that it is the part of begin here */
    uint32_t *had; /* by candidate: the case that had it last */
};

static int by_part(const void *left, const void *right)
{
    const struct relation *a = left;
    const struct relation *b = right;
    return a->part != b->part ? (a->part > b->part) - (a->part < b->part)
                              : (a->whole > b->whole) - (a->whole < b->whole);
}

static bool relation_add(struct relations *all, uint32_t whole, uint32_t part)
{
    if (all->count == all->room) {
        size_t room = all->room * 2 + 64;
        struct relation *grown = realloc(all->items, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        all->items = grown;
        all->room = room;
    }
    all->items[all->count++] = (struct relation){.whole = whole, .part = part};
    return true;
}

/* Every pattern that is told beside each part of it that was found too. */
static bool relations_make(struct measure_search *search, const struct measure_finding *findings,
                           struct relations *all)
{
    const struct measure_grams *grams = &search->grams;
    for (uint32_t c = 0; c < search->count; c++) {
        struct measure_gram whole = measure_gram_read(grams, search->candidates[c].pattern);
        for (unsigned keep = 1; findings[c].told && keep < 1u << whole.length; keep++) {
            struct measure_gram part = {.length = 0};
            for (unsigned i = 0; i < whole.length; i++) {
                if ((keep >> i & 1) != 0) {
                    part.steps[part.length++] = whole.steps[i];
                }
            }
            for (int gapped = 0; gapped < (part.length > 1 ? 2 : 1); gapped++) {
                part.gapped = gapped == 1;
                uint32_t place = search->place_of[measure_gram_number(grams, &part)];
                if (measure_gram_within(&part, &whole) && place != MEASURE_GRAM_NONE &&
                    findings[place].found && !relation_add(all, c, place)) {
                    return false;
                }
            }
        }
    }
    if (all->count > 0) {
        qsort(all->items, all->count, sizeof *all->items, by_part);
    }
    for (size_t r = 0, c = 0; c <= search->count; c++) {
        while (r < all->count && all->items[r].part < c) {
            r++;
        }
        all->first[c] = r;
    }
    return true;
}

static void case_relate(struct measure_search *search, struct relations *all, uint32_t of,
                        uint32_t run)
{
    struct measure_grams *grams = &search->grams;
    const struct measure_case *item = &search->patterns->cases[of];
    measure_grams_of(grams, search->patterns->steps + item->first, item->count);
    for (uint32_t f = 0; f < grams->found_count; f++) {
        uint32_t place = search->place_of[grams->found[f]];
        if (place != MEASURE_GRAM_NONE) {
            all->had[place] = run;
        }
    }
    for (uint32_t f = 0; f < grams->found_count; f++) {
        uint32_t place = search->place_of[grams->found[f]];
        size_t end = place != MEASURE_GRAM_NONE ? all->first[place + 1] : 0;
        for (size_t r = place != MEASURE_GRAM_NONE ? all->first[place] : 0; r < end; r++) {
            struct relation *relation = &all->items[r];
            bool whole = all->had[relation->whole] == run;
            relation->n++;
            relation->won += item->won;
            relation->n_whole += whole;
            relation->won_whole += whole && item->won;
            grams->work++;
        }
    }
}

static void stratum_end(struct relations *all)
{
    for (size_t r = 0; r < all->count; r++) {
        struct relation *at = &all->items[r];
        double a = at->won_whole;
        double b = at->n_whole - a;
        double c = at->won - a;
        measure_odds_add(&at->odds, a, b, c, at->n - a - b - c);
        at->n = at->won = at->n_whole = at->won_whole = 0;
    }
}

static bool relations_count(struct measure_search *search, struct relations *all,
                            struct proto_fault *fault)
{
    size_t count = search->patterns->count;
    for (size_t i = 0; i < count && all->count > 0; i++) {
        uint32_t of = search->order[i];
        case_relate(search, all, of, (uint32_t)i + 1);
        if (i + 1 == count || search->strata[search->order[i + 1]] != search->strata[of]) {
            stratum_end(all);
        }
        if (!measure_search_goes_on(search, fault)) {
            return false;
        }
    }
    return true;
}

bool measure_parts_find(struct measure_search *search, struct measure_finding *findings,
                        struct proto_fault *fault)
{
    struct relations all = {.count = 0};
    all.had = calloc(search->count + 1, sizeof *all.had);
    all.first = calloc(search->count + 1, sizeof *all.first);
    bool good = all.had != NULL && all.first != NULL && relations_make(search, findings, &all);
    if (!good) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for parts of patterns");
    }
    good = good && relations_count(search, &all, fault);
    for (size_t r = 0; r < all.count && good; r++) {
        const struct relation *relation = &all.items[r];
        uint32_t *best = &findings[relation->whole].part;
        double z = measure_odds_z(&relation->odds);
        bool more = fabs(z) >= MATH_Z_95; /* false of NAN */
        double weight = fabs(findings[relation->part].z[0]);
        if (!more && (*best == MEASURE_GRAM_NONE || weight > fabs(findings[*best].z[0]))) {
            *best = relation->part;
        }
    }
    free(all.items);
    free(all.had);
    free(all.first);
    return good;
}
