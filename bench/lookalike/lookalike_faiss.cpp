/* SPDX-License-Identifier: Apache-2.0 */
/* faiss IVF with fast-scan product codes and a re-rank, its fastest kind on one thread. */
#include "bench/lookalike/lookalike_peer.h"

#include <faiss/IndexIVF.h>
#include <faiss/IndexRefine.h>
#include <faiss/index_factory.h>
#include <omp.h>

#include <ctime>
#include <cmath>
#include <memory>
#include <string>

struct peer {
    std::unique_ptr<faiss::Index> index;
    faiss::IndexRefine *refine;
    faiss::IndexIVF *lists;
};

static double now()
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

extern "C" struct peer *peer_faiss_create(const float *vectors, size_t count, size_t dim,
                                          double *seconds)
{
    omp_set_num_threads(1);
    double start = now();
    size_t lists = 1;
    while (lists < 2 * std::sqrt((double)count)) {
        lists *= 2;
    }
    std::string kind =
        "IVF" + std::to_string(lists) + ",PQ" + std::to_string(dim / 2) + "x4fs,RFlat";
    peer *p = new peer;
    try {
        p->index.reset(faiss::index_factory((int)dim, kind.c_str()));
        p->refine = dynamic_cast<faiss::IndexRefine *>(p->index.get());
        p->lists = dynamic_cast<faiss::IndexIVF *>(p->refine->base_index);
        size_t sample = count < lists * 50 ? count : lists * 50;
        p->index->train((faiss::Index::idx_t)sample, vectors);
        p->index->add((faiss::Index::idx_t)count, vectors);
    } catch (const std::exception &) {
        delete p;
        return nullptr;
    }
    p->refine->k_factor = 10;
    *seconds = now() - start;
    return p;
}

extern "C" void peer_faiss_destroy(struct peer *p)
{
    delete p;
}

extern "C" void peer_faiss_effort(struct peer *p, size_t effort)
{
    p->lists->nprobe = effort;
}

extern "C" size_t peer_faiss_search(const struct peer *p, const float *query, size_t k,
                                    uint32_t *ids)
{
    float distances[128];
    faiss::Index::idx_t labels[128];
    p->index->search(1, query, (faiss::Index::idx_t)k, distances, labels);
    size_t count = 0;
    for (size_t i = 0; i < k; i++) {
        if (labels[i] >= 0) {
            ids[count++] = (uint32_t)labels[i];
        }
    }
    return count;
}
