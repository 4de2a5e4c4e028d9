/* SPDX-License-Identifier: Apache-2.0 */
/* Paths are added to sums by channel and to the counts of a chain, and forgotten. Too many channels
 * and no memory end it. */
#include "server/measure/attribution.h"

#include <math.h>
#include <stdlib.h>

enum { ROOM_FIRST = 16, PATHS_PER_ASKING = 1024, DECAYS_KEPT = 64 };

void measure_attribution_init(struct measure_attribution *attribution, double half_life,
                              const struct measure_pace *pace)
{
    *attribution =
        (struct measure_attribution){.half_life = half_life, .pace = pace, .timed = true};
}

enum { COLUMNS = MEASURE_MODELS + 7 };

/* Every array by channel. */
static double **column_of(struct measure_attribution *a, int column)
{
    double **const others[COLUMNS - MEASURE_MODELS] = {&a->square, &a->cross, &a->seen, &a->removal,
                                                       &a->begins, &a->wins,  &a->ends};
    return column < MEASURE_MODELS ? &a->credit[column] : others[column - MEASURE_MODELS];
}

void measure_attribution_fini(struct measure_attribution *attribution)
{
    for (int c = 0; c < COLUMNS; c++) {
        free(*column_of(attribution, c));
    }
    free(attribution->mark);
    free(attribution->moves);
    *attribution = (struct measure_attribution){.channels = 0};
}

/* Sums by channel, longer; zeros behind those that were. */
static bool columns_grow(struct measure_attribution *a, uint32_t room)
{
    bool good = true;
    for (int c = 0; c < COLUMNS; c++) {
        double **column = column_of(a, c);
        double *longer = realloc(*column, room * sizeof **column);
        *column = longer != NULL ? longer : *column;
        good = good && longer != NULL;
        for (uint32_t k = a->room; k < room && longer != NULL; k++) {
            longer[k] = 0;
        }
    }
    return good;
}

static bool room_make(struct measure_attribution *a, uint32_t channel, struct proto_fault *fault)
{
    uint32_t room = a->room == 0 ? ROOM_FIRST : a->room;
    if (channel >= MEASURE_CHANNELS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d channels",
                               MEASURE_CHANNELS_MAX);
    }
    a->channels = channel >= a->channels ? channel + 1 : a->channels;
    if (channel < a->room) {
        return true;
    }
    while (room <= channel) {
        room *= 2;
    }
    double *moves = calloc((size_t)room * room, sizeof *moves);
    uint32_t *mark = realloc(a->mark, room * sizeof *mark);
    a->mark = mark != NULL ? mark : a->mark;
    if (moves == NULL || mark == NULL || !columns_grow(a, room)) {
        free(moves);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u channels", room);
    }
    for (uint32_t k = a->room; k < room; k++) {
        mark[k] = 0;
    }
    for (uint32_t k = 0; k < a->room; k++) {
        memcpy(moves + (size_t)k * room, a->moves + (size_t)k * a->room, a->room * sizeof *moves);
    }
    free(a->moves);
    a->moves = moves;
    a->room = room;
    return true;
}

static void chain_add(struct measure_attribution *a, const struct measure_path *path)
{
    double times = path->won + path->lost;
    uint32_t last = path->channels[path->count - 1];
    a->begins[path->channels[0]] += times;
    for (size_t i = 1; i < path->count; i++) {
        a->moves[(size_t)path->channels[i - 1] * a->room + path->channels[i]] += times;
    }
    a->wins[last] += path->won;
    a->ends[last] += path->lost;
}

/* What is fixed by the place of a touch. */
static void places_add(struct measure_attribution *a, const struct measure_path *path)
{
    size_t n = path->count;
    double w = path->weight;
    uint32_t first = path->channels[0];
    uint32_t last = path->channels[n - 1];
    a->credit[MEASURE_MODEL_FIRST][first] += w;
    a->credit[MEASURE_MODEL_LAST][last] += w;
    double *position = a->credit[MEASURE_MODEL_POSITION];
    double end = n == 1 ? 0.5 : n == 2 ? 0.5 : 0.4; /* one touch is first and last */
    position[first] += end * w;
    position[last] += end * w;
    for (size_t i = 0; i < n; i++) {
        a->credit[MEASURE_MODEL_LINEAR][path->channels[i]] += w / (double)n;
        if (i > 0 && i + 1 < n) {
            position[path->channels[i]] += 0.2 * w / (double)(n - 2);
        }
    }
}

/* Counted from the latest touch, so that a long half-life ago is no division of 0 by 0. */
static double decay_of(const struct measure_attribution *a, const struct measure_path *path,
                       size_t i)
{
    return exp2(-(path->days[i] - path->days[path->count - 1]) / a->half_life);
}

static void decay_add(struct measure_attribution *a, const struct measure_path *path)
{
    double kept[DECAYS_KEPT];
    double total = 0;
    a->timed = a->timed && path->days != NULL;
    if (!a->timed) {
        return;
    }
    for (size_t i = 0; i < path->count; i++) {
        double decay = decay_of(a, path, i);
        total += decay;
        if (i < DECAYS_KEPT) {
            kept[i] = decay;
        }
    }
    for (size_t i = 0; i < path->count; i++) {
        double decay = i < DECAYS_KEPT ? kept[i] : decay_of(a, path, i);
        a->credit[MEASURE_MODEL_DECAY][path->channels[i]] += path->weight * decay / total;
    }
}

static void sets_add(struct measure_attribution *a, const struct measure_path *path)
{
    size_t distinct = 0;
    a->path++;
    for (size_t i = 0; i < path->count; i++) {
        distinct += a->mark[path->channels[i]] != a->path;
        a->mark[path->channels[i]] = a->path;
    }
    double each = path->won > 0 ? path->weight / path->won : 0; /* of one outcome */
    double part = each / (double)distinct;
    a->path++;
    for (size_t i = 0; i < path->count; i++) {
        uint32_t k = path->channels[i];
        if (a->mark[k] != a->path) {
            a->mark[k] = a->path;
            a->credit[MEASURE_MODEL_SHAPLEY][k] += path->weight / (double)distinct;
            a->square[k] += path->won * part * part;
            a->cross[k] += path->won * part * each;
            a->seen[k] += path->won;
        }
    }
    a->squares += path->won * each * each;
}

bool measure_attribution_add(struct measure_attribution *attribution,
                             const struct measure_path *path, struct proto_fault *fault)
{
    struct measure_attribution *a = attribution;
    for (size_t i = 0; i < path->count; i++) {
        if ((path->channels[i] >= a->channels || a->room == 0) &&
            !room_make(a, path->channels[i], fault)) {
            return false;
        }
    }
    if (a->path > UINT32_MAX - 4) { /* marks begin anew */
        memset(a->mark, 0, a->room * sizeof *a->mark);
        a->path = 0;
    }
    a->won += path->won;
    a->lost += path->lost;
    a->weight += path->weight;
    if (path->count == 0) {
        a->unseen += path->won;
        a->unseen_weight += path->weight;
        return true;
    }
    chain_add(a, path);
    if (path->won > 0) {
        places_add(a, path);
        decay_add(a, path);
        sets_add(a, path);
    }
    return true;
}

double measure_shares_divergence(const double *a, const double *b, uint32_t channels)
{
    double sum_a = 0;
    double sum_b = 0;
    double bits = 0;
    for (uint32_t k = 0; k < channels; k++) {
        sum_a += a[k];
        sum_b += b[k];
    }
    for (uint32_t k = 0; k < channels && sum_a > 0 && sum_b > 0; k++) {
        double p = a[k] / sum_a;
        double q = b[k] / sum_b;
        double m = (p + q) / 2;
        bits += p > 0 ? 0.5 * p * log2(p / m) : 0;
        bits += q > 0 ? 0.5 * q * log2(q / m) : 0;
    }
    return sum_a > 0 && sum_b > 0 ? fmax(bits, 0) : MEASURE_NAN;
}

/* Adds the ranks of one model, ties at their mean, to *sums; returns Σ (t³ − t) over ties. Credits
 * that differ by rounding alone are tied. */
static double ranks_add(const double *credit, uint32_t channels, double *sums)
{
    double total = 0;
    double ties = 0;
    for (uint32_t k = 0; k < channels; k++) {
        total += fabs(credit[k]);
    }
    for (uint32_t k = 0; k < channels; k++) {
        double less = 0;
        double same = 0;
        for (uint32_t j = 0; j < channels; j++) {
            bool tied = fabs(credit[j] - credit[k]) <= 1e-12 * total;
            same += tied;
            less += !tied && credit[j] < credit[k];
        }
        sums[k] += less + (same + 1) / 2;
        ties += same * same - 1; /* summed over the t of a tie: t (t² − 1) */
    }
    return ties;
}

double measure_models_concordance(double *const credit[MEASURE_MODELS], uint32_t channels)
{
    double *sums = calloc((size_t)channels + 1, sizeof *sums);
    double models = 0;
    double ties = 0;
    double n = channels;
    for (int m = 0; m < MEASURE_MODELS && sums != NULL; m++) {
        if (credit[m] != NULL) {
            ties += ranks_add(credit[m], channels, sums);
            models++;
        }
    }
    double mean = models * (n + 1) / 2;
    double spread = 0;
    for (uint32_t k = 0; k < channels && sums != NULL; k++) {
        spread += (sums[k] - mean) * (sums[k] - mean);
    }
    double most = models * models * (n * n * n - n) - models * ties;
    bool none = sums == NULL || models < 2 || channels < 2 || most <= 0;
    free(sums);
    return none ? MEASURE_NAN : 12 * spread / most;
}
