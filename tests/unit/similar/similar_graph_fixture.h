/* SPDX-License-Identifier: Apache-2.0 */
/* Sets with a graph beside the partitions, and what is asked of them. */
#ifndef ICP_TEST_SIMILAR_GRAPH_FIXTURE_H
#define ICP_TEST_SIMILAR_GRAPH_FIXTURE_H

#include "server/similar/similar_graph.h"
#include "tests/unit/similar/similar_fixture.h"

/* Fewer than partitions are calibrated for: these scan everything instead. */
enum { K = 10, QUERIES = 40, COUNT = 1500 };

/* Vectors in clusters, as accounts are. */
void fixture_clusters(struct fixture *fixture, uint32_t clusters);
/* A set of the vectors with a graph that has room for as many again. */
void fixture_graph_beside(struct fixture *fixture, uint32_t lists);
void fixture_graph(struct fixture *fixture);
/* As if calibration had found that so much effort reaches every target. */
void fixture_effort(struct fixture *fixture, uint32_t effort);
/*
 * Asks for the neighbours of vectors between stored ones; every answer must be of an account that
 * is there, have its very similarity, and come in order. Returns the share of the true ones.
 */
double fixture_recall(struct fixture *fixture, enum similar_path path);
/* Puts an account in or takes it out. */
void fixture_toggle(struct fixture *fixture, uint64_t row);
void fixture_seal(struct fixture *fixture);
void fixture_reopen(struct fixture *fixture);

#endif
