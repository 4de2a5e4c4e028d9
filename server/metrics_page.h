/* SPDX-License-Identifier: Apache-2.0 */
/* Every figure of net, store, engine and requests for Prometheus: the same tables as `stats`, with
 * a histogram of the latency of each operation that was asked for. Any thread; takes some hundred
 * microseconds, for histograms are merged. */
#ifndef SERVER_METRICS_PAGE_H
#define SERVER_METRICS_PAGE_H

#include <stdio.h>

#include "server/stats.h"

void server_metrics_page(const struct server_figures *figures, FILE *out);

#endif
