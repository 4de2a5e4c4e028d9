/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_kmeans.h"

#include "server/similar/similar_measure.h"
#include "server/similar/similar_random.h"

#include <stdlib.h>
#include <string.h>

enum { TASK_ROWS = 4096 };

static struct similar_nearest centres_of(const struct similar_set *set, uint32_t list_count)
{
    return (struct similar_nearest){
        .bytes = set->coarse.bytes,
        .correction = set->coarse.correction,
        .step = set->coarse.step,
        .square = set->coarse.square,
        .groups = (list_count + 15) / 16,
        .dim = set->space.dim_padded,
    };
}

/* A row as given, rotated. */
static void row_rotate(const struct similar_space *space, const float *row, float *rotated)
{
    float padded[SIMILAR_DIM_MAX];
    memcpy(padded, row, space->dim * sizeof *padded);
    memset(padded + space->dim, 0, (space->dim_float - space->dim) * sizeof *padded);
    double norm = similar_norm(space->kernel, padded, space->dim_float);
    (void)similar_space_rotate(space, padded, norm, rotated);
}

/* A rotated row as unsigned bytes; returns its step. */
static float row_bytes(const float *rotated, uint32_t dim, uint8_t *row)
{
    int8_t bytes[SIMILAR_DIM_MAX];
    float step = similar_round_bytes(rotated, dim, bytes);
    for (uint32_t i = 0; i < dim; i++) {
        row[i] = (uint8_t)(bytes[i] + 128);
    }
    return step;
}

struct assign_job {
    struct similar_set *set;
    const struct similar_input *input;
    struct similar_nearest centres;
    uint32_t *nearest;
};

static void assign_task(void *argument, uint32_t index)
{
    const struct assign_job *job = argument;
    const struct similar_space *space = &job->set->space;
    uint32_t dim = space->dim_padded;
    uint64_t from = (uint64_t)index * TASK_ROWS;
    uint64_t to = from + TASK_ROWS < job->input->count ? from + TASK_ROWS : job->input->count;
    uint8_t rows[SIMILAR_TILE * SIMILAR_DIM_MAX];
    float rotated[SIMILAR_DIM_MAX];
    for (uint64_t at = from; at < to; at += SIMILAR_TILE) {
        uint32_t count = to - at < SIMILAR_TILE ? (uint32_t)(to - at) : SIMILAR_TILE;
        float steps[SIMILAR_TILE] = {0};
        uint32_t found[SIMILAR_TILE];
        for (uint32_t i = 0; i < count; i++) {
            uint32_t id;
            row_rotate(space, job->input->on_row(job->input->context, at + i, &id), rotated);
            steps[i] = row_bytes(rotated, dim, rows + (size_t)i * dim);
        }
        memset(rows + (size_t)count * dim, 128, (size_t)(SIMILAR_TILE - count) * dim);
        space->kernel->nearest_tile(&job->centres, rows, steps, found);
        memcpy(job->nearest + at, found, count * sizeof *found);
    }
}

void similar_assign(struct similar_set *set, const struct similar_input *input, uint32_t list_count,
                    uint32_t *nearest)
{
    struct assign_job job = {
        .set = set,
        .input = input,
        .centres = centres_of(set, list_count),
        .nearest = nearest,
    };
    similar_run(set, (uint32_t)((input->count + TASK_ROWS - 1) / TASK_ROWS), assign_task, &job);
}

/* The sample, rotated and rounded once for all rounds. */
struct sample {
    struct similar_set *set;
    const struct similar_input *input;
    struct similar_nearest centres;
    uint32_t count;
    uint64_t *indexes;
    float *rotated;
    uint8_t *rows; /* room for a multiple of 16 */
    float *steps;
    uint32_t *nearest;
    double *sums; /* of the rotated vectors of each list */
    uint32_t *members;
};

static void sample_free(struct sample *sample)
{
    free(sample->indexes);
    free(sample->rotated);
    free(sample->rows);
    free(sample->steps);
    free(sample->nearest);
    free(sample->sums);
    free(sample->members);
}

static bool sample_allocate(struct sample *sample, uint32_t list_count, uint32_t dim)
{
    size_t room = ((size_t)sample->count + 15) / 16 * 16;
    sample->indexes = calloc(room, sizeof *sample->indexes);
    sample->rotated = calloc(room * dim, sizeof *sample->rotated);
    sample->rows = calloc(room * dim, 1);
    sample->steps = calloc(room, sizeof *sample->steps);
    sample->nearest = calloc(room, sizeof *sample->nearest);
    sample->sums = calloc((size_t)list_count * dim, sizeof *sample->sums);
    sample->members = calloc(list_count, sizeof *sample->members);
    return sample->indexes != NULL && sample->rotated != NULL && sample->rows != NULL &&
           sample->steps != NULL && sample->nearest != NULL && sample->sums != NULL &&
           sample->members != NULL;
}

/*
 * Draws indexes: one at random from each of `count` equal stretches, so that none comes twice;
 * then shuffles them, so that the first of them are fair starting points.
 */
static void sample_draw(struct sample *sample, uint64_t *random)
{
    uint64_t total = sample->input->count;
    for (uint32_t i = 0; i < sample->count; i++) {
        uint64_t from = total * i / sample->count;
        uint64_t to = total * (i + 1) / sample->count;
        sample->indexes[i] = from + similar_random_below(random, to - from);
    }
    for (uint32_t i = sample->count; i > 1; i--) {
        uint32_t other = (uint32_t)similar_random_below(random, i);
        uint64_t swap = sample->indexes[i - 1];
        sample->indexes[i - 1] = sample->indexes[other];
        sample->indexes[other] = swap;
    }
}

static void sample_rotate_task(void *argument, uint32_t index)
{
    struct sample *sample = argument;
    uint32_t dim = sample->set->space.dim_padded;
    uint32_t from = index * TASK_ROWS;
    uint32_t to = from + TASK_ROWS < sample->count ? from + TASK_ROWS : sample->count;
    for (uint32_t i = from; i < to; i++) {
        uint32_t id;
        const float *row = sample->input->on_row(sample->input->context, sample->indexes[i], &id);
        float *rotated = sample->rotated + (size_t)i * dim;
        row_rotate(&sample->set->space, row, rotated);
        sample->steps[i] = row_bytes(rotated, dim, sample->rows + (size_t)i * dim);
    }
}

static void sample_assign_task(void *argument, uint32_t index)
{
    struct sample *sample = argument;
    const struct similar_kernel *kernel = sample->set->space.kernel;
    uint32_t dim = sample->set->space.dim_padded;
    uint32_t from = index * TASK_ROWS;
    uint32_t to = from + TASK_ROWS < sample->count ? from + TASK_ROWS : sample->count;
    for (uint32_t i = from; i < to; i += SIMILAR_TILE) {
        kernel->nearest_tile(&sample->centres, sample->rows + (size_t)i * dim, sample->steps + i,
                             sample->nearest + i);
    }
}

/* Moves every centre to the mean of its members. */
static void centres_update(struct sample *sample, uint32_t list_count, uint64_t *random)
{
    uint32_t dim = sample->set->space.dim_padded;
    memset(sample->sums, 0, (size_t)list_count * dim * sizeof *sample->sums);
    memset(sample->members, 0, list_count * sizeof *sample->members);
    for (uint32_t i = 0; i < sample->count; i++) {
        double *sum = sample->sums + (size_t)sample->nearest[i] * dim;
        const float *row = sample->rotated + (size_t)i * dim;
        sample->members[sample->nearest[i]]++;
        for (uint32_t k = 0; k < dim; k++) {
            sum[k] += (double)row[k];
        }
    }
    for (uint32_t l = 0; l < list_count; l++) {
        float centre[SIMILAR_DIM_MAX];
        if (sample->members[l] == 0) {
            size_t other = similar_random_below(random, sample->count);
            similar_coarse_put(sample->set, l, sample->rotated + other * dim);
            continue;
        }
        for (uint32_t k = 0; k < dim; k++) {
            centre[k] = (float)(sample->sums[(size_t)l * dim + k] / sample->members[l]);
        }
        similar_coarse_put(sample->set, l, centre);
    }
}

enum similar_status similar_kmeans(struct similar_set *set, const struct similar_input *input,
                                   uint32_t list_count)
{
    uint32_t dim = set->space.dim_padded;
    uint64_t random = set->options.seed ^ 0x6b6d65616e73ULL;
    uint64_t wanted = (uint64_t)list_count * SIMILAR_KMEANS_SAMPLE;
    wanted = wanted < 1024 ? 1024 : wanted;
    struct sample sample = {
        .set = set,
        .input = input,
        .centres = centres_of(set, list_count),
        .count = (uint32_t)(input->count < wanted ? input->count : wanted),
    };
    if (!sample_allocate(&sample, list_count, dim)) {
        sample_free(&sample);
        return SIMILAR_ERROR_MEMORY;
    }
    uint32_t tasks = (sample.count + TASK_ROWS - 1) / TASK_ROWS;
    sample_draw(&sample, &random);
    similar_run(set, tasks, sample_rotate_task, &sample);
    for (uint32_t l = 0; l < list_count; l++) {
        similar_coarse_put(set, l, sample.rotated + (size_t)(l % sample.count) * dim);
    }
    uint32_t rounds = list_count > 1 ? SIMILAR_KMEANS_ROUNDS : 1;
    for (uint32_t round = 0; round < rounds; round++) {
        similar_run(set, tasks, sample_assign_task, &sample);
        centres_update(&sample, list_count, &random);
    }
    sample_free(&sample);
    return SIMILAR_OK;
}
