/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_measure.h"

#include "server/similar/similar_block.h"

#include <float.h>
#include <math.h>
#include <string.h>

const char *similar_status_text(enum similar_status status)
{
    switch (status) {
    case SIMILAR_OK:
        return "ok";
    case SIMILAR_ERROR_OPTION:
        return "an option is out of range, or the build was cancelled";
    case SIMILAR_ERROR_NOT_FINITE:
        return "the vector holds NaN or infinity";
    case SIMILAR_ERROR_TOO_LARGE:
        return "the vector's norm is above 1e15";
    case SIMILAR_ERROR_ID:
        return "the id is reserved";
    case SIMILAR_ERROR_EXISTS:
        return "the id is present";
    case SIMILAR_ERROR_ABSENT:
        return "the id is not present";
    case SIMILAR_ERROR_NOT_EMPTY:
        return "the set holds vectors";
    case SIMILAR_ERROR_MEMORY:
        return "out of memory";
    case SIMILAR_ERROR_CORRUPT:
        return "a block is corrupt";
    case SIMILAR_ERROR_VERSION:
        return "a block has another layout version";
    }
    return "unknown status";
}

enum similar_status similar_check(const float *x, uint32_t dim)
{
    double sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        if (!isfinite(x[i])) {
            return SIMILAR_ERROR_NOT_FINITE;
        }
        sum += (double)x[i] * (double)x[i];
    }
    return sum <= SIMILAR_NORM_MAX * SIMILAR_NORM_MAX ? SIMILAR_OK : SIMILAR_ERROR_TOO_LARGE;
}

double similar_norm(const struct similar_kernel *kernel, const float *x, uint32_t count)
{
    return sqrt(kernel->dot_pair(x, x, count));
}

double similar_measure(const struct similar_kernel *kernel, enum similar_metric metric,
                       const float *x, double x_norm, const float *y, double y_norm, uint32_t count)
{
    if (metric == SIMILAR_L2) {
        return 1.0 / (1.0 + sqrt(kernel->distance_pair(x, y, count)));
    }
    double dot = kernel->dot_pair(x, y, count);
    if (metric == SIMILAR_DOT) {
        return dot;
    }
    double norms = x_norm * y_norm;
    if (!(norms > 0)) {
        return 0;
    }
    return fmin(1.0, fmax(-1.0, dot / norms));
}

double similar_pair(enum similar_metric metric, const float *x, const float *y, uint32_t dim)
{
    assert(dim <= SIMILAR_DIM_MAX);
    const struct similar_kernel *kernel = similar_kernel();
    float a[SIMILAR_DIM_MAX] = {0};
    float b[SIMILAR_DIM_MAX] = {0};
    uint32_t count = similar_dim_float(dim);
    memcpy(a, x, dim * sizeof *a);
    memcpy(b, y, dim * sizeof *b);
    return similar_measure(kernel, metric, a, similar_norm(kernel, a, count), b,
                           similar_norm(kernel, b, count), count);
}

float similar_score_floor(enum similar_metric metric, double similarity)
{
    double score = similarity;
    if (metric == SIMILAR_L2) {
        double distance = 1.0 / similarity - 1.0;
        /* The similarity's own rounding, 2^-53, is an absolute error of 1 / similarity here. */
        distance += 4 * DBL_EPSILON * (1.0 + distance);
        score = -(distance * distance);
    }
    score -= 4.0 * (double)FLT_EPSILON * fabs(score) + (double)FLT_MIN;
    return score < (double)-FLT_MAX ? -FLT_MAX : (float)score;
}
