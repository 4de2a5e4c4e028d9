/* SPDX-License-Identifier: Apache-2.0 */
/* hnswlib with M = 16 and efConstruction = 200, its documented defaults. */
#include "bench/lookalike/lookalike_peer.h"

#include <hnswlib/hnswlib.h>

#include <ctime>
#include <cstdio>
#include <fstream>
#include <string>

struct peer {
    size_t dim;
    size_t effort;
    hnswlib::L2Space space;
    hnswlib::HierarchicalNSW<float> *index;

    peer(size_t d) : dim(d), effort(10), space(d), index(nullptr)
    {
    }
};

/* Processor time of this thread, as everywhere in this bench. */
static double now()
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static bool load(peer *p, const std::string &path, size_t count, double *seconds)
{
    std::ifstream file(path);
    std::ifstream time(path + ".seconds");
    if (path.empty() || !file.good() || !(time >> *seconds)) {
        return false;
    }
    p->index = new hnswlib::HierarchicalNSW<float>(&p->space, path);
    if (p->index->cur_element_count != count) {
        delete p->index;
        p->index = nullptr;
    }
    return p->index != nullptr;
}

extern "C" struct peer *peer_hnswlib_create(const float *vectors, size_t count, size_t dim,
                                            const char *path, double *seconds)
{
    std::string cache = path == nullptr ? "" : path;
    peer *p = new peer(dim);
    if (load(p, cache, count, seconds)) {
        return p;
    }
    double start = now();
    p->index = new hnswlib::HierarchicalNSW<float>(&p->space, count, 16, 200);
    for (size_t i = 0; i < count; i++) {
        p->index->addPoint(vectors + i * dim, i);
        if (i % 100000 == 99999) {
            fprintf(stderr, "hnswlib: %zu of %zu after %.0f s\n", i + 1, count, now() - start);
        }
    }
    *seconds = now() - start;
    if (!cache.empty()) {
        p->index->saveIndex(cache);
        std::ofstream(cache + ".seconds") << *seconds;
    }
    return p;
}

extern "C" void peer_hnswlib_destroy(struct peer *p)
{
    delete p->index;
    delete p;
}

extern "C" void peer_hnswlib_effort(struct peer *p, size_t effort)
{
    p->effort = effort;
    p->index->setEf(effort);
}

extern "C" size_t peer_hnswlib_search(const struct peer *p, const float *query, size_t k,
                                      const uint64_t *words, uint32_t *ids)
{
    auto found = p->index->searchKnn(query, words == nullptr ? k : p->effort);
    size_t left = found.size();
    std::vector<uint32_t> order(left);
    while (left > 0) {
        order[--left] = (uint32_t)found.top().second;
        found.pop();
    }
    size_t count = 0;
    for (size_t i = 0; i < order.size() && count < k; i++) {
        if (words == nullptr || (words[order[i] / 64] >> order[i] % 64 & 1) != 0) {
            ids[count++] = order[i];
        }
    }
    return count;
}
