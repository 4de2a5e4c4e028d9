/* SPDX-License-Identifier: Apache-2.0 */
/* One fit for every model of clv.h: −ln L over logarithms of the parameters, from a start.
 * Ownership: borrows all. Errors: NO_EVIDENCE where no maximum is found within bounds. Threads:
 * pure. */
#ifndef MEASURE_CLV_FIT_H
#define MEASURE_CLV_FIT_H

#include "server/math/simplex.h"
#include "server/measure/clv.h"

bool measure_fit_run(math_function minus_log_likelihood, void *context, const double *start,
                     size_t count, size_t n, struct measure_fit *fit, struct proto_fault *fault);

#endif
